//! What a kubelet would put in, and nobody on this node but the kubelet can know.

use std::fmt;

/// One key of a secret or config map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Name of the object, in the pod's namespace.
    pub name: String,
    /// The key in it.
    pub key: String,
    /// The pod does without it where it is missing.
    pub optional: bool,
}

/// All keys of a secret or config map, as variables or files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Name of the object, in the pod's namespace.
    pub name: String,
    /// What stands in front of each key.
    pub prefix: String,
    /// The pod does without it where it is missing.
    pub optional: bool,
}

/// Why a value has no answer here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// A key of a secret.
    Secret(Key),
    /// A key of a config map.
    ConfigMap(Key),
    /// Every key of a secret, as a variable or file of its own.
    WholeSecret(Whole),
    /// Every key of a config map.
    WholeConfigMap(Whole),
    /// A key of an env file that a container writes into a volume, in words.
    EnvFile(String),
    /// A variable of a service, which only the API server has.
    Service(String),
    /// The value refers to this variable, which is not known itself.
    Refers(String),
    /// The variable referred to may come from a source whose keys are not known.
    MayRefer(String),
    /// What the references in it stand for is more than the kernel takes.
    TooLong,
    /// The limit is not set: the kubelet puts in what the node can give.
    NodeAllocatable(String),
    /// The pod has no address (yet).
    NoPodIp,
    /// The node's address is not known.
    NoHostIp,
    /// A service account token.
    Token,
    /// Certificates that the API server publishes or signs.
    Certificates(&'static str),
    /// The reference is wrong: a kubelet refuses it too.
    Refused(String),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(key) => write!(f, "{key} of secret {}{}", key.name, optional(key.optional)),
            Self::ConfigMap(key) => write!(f, "{key} of config map {}{}", key.name, optional(key.optional)),
            Self::WholeSecret(all) => write!(f, "all keys of secret {all}"),
            Self::WholeConfigMap(all) => write!(f, "all keys of config map {all}"),
            Self::EnvFile(which) => f.write_str(which),
            Self::Service(name) => write!(f, "refers to {name}, a variable of a service, which the API server knows"),
            Self::Refers(name) => write!(f, "refers to {name}, which is not known"),
            Self::MayRefer(name) => write!(f, "refers to {name}, which envFrom may set"),
            Self::TooLong => f.write_str("longer than the 128 KiB that Linux takes: the container cannot start"),
            Self::NodeAllocatable(resource) => {
                write!(f, "no limit is set, so it is the node's allocatable {resource}, which the kubelet knows")
            }
            Self::NoPodIp => f.write_str("the pod has no address now"),
            Self::NoHostIp => f.write_str("the node's address is not known"),
            Self::Token => f.write_str("a service account token, which the API server issues"),
            Self::Certificates(what) => write!(f, "{what}, which the API server has"),
            Self::Refused(why) => write!(f, "a kubelet refuses it: {why}"),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}", self.key)
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.prefix.is_empty() {
            write!(f, ", each behind {}", self.prefix)?;
        }
        f.write_str(optional(self.optional))
    }
}

fn optional(optional: bool) -> &'static str {
    if optional {
        " (optional)"
    } else {
        ""
    }
}
