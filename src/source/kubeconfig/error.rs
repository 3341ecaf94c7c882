//! Why the API server cannot be asked as configured.

use std::fmt;
use std::path::PathBuf;

/// Each names the file, and the entry in it. None holds a token, key or password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KubeconfigError {
    /// A file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        problem: String,
    },
    /// The file is not YAML.
    Yaml {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u32,
        /// Column, from 1.
        column: u32,
        /// What is wrong there. The text of the file is not repeated.
        problem: String,
    },
    /// An entry is missing or cannot be used.
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry, such as `users[admin].token`.
        entry: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The kubelet's own kubeconfig is wanted, and there is none.
    NotFound {
        /// Where it was looked for.
        places: Vec<String>,
    },
    /// A pod's service account is wanted, and this is no pod.
    NotInCluster(&'static str),
}

impl fmt::Display for KubeconfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, problem } => write!(f, "{} cannot be read: {problem}", path.display()),
            Self::Yaml { path, line, column, problem } => {
                write!(f, "{}:{line}:{column}: not valid YAML: {problem}", path.display())
            }
            Self::Entry { path, entry, problem } => write!(f, "{}: {entry}: {problem}", path.display()),
            Self::NotFound { places } => {
                write!(f, "no kubeconfig of a kubelet at {}; name one with --kubeconfig", places.join(" or "))
            }
            Self::NotInCluster(missing) => {
                write!(f, "--kubeconfig in-cluster is for a pod with a service account, and {missing} is not there")
            }
        }
    }
}

impl std::error::Error for KubeconfigError {}
