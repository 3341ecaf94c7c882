//! Where this node has a kubectl.

use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs that are a kubectl or have one inside, the plain one first.
const PROGRAMS: [Known; 5] = [
    Known { name: "kubectl", inside: &[], named: false },
    Known { name: "k3s", inside: &["kubectl"], named: false },
    Known { name: "k0s", inside: &["kubectl"], named: false },
    // A script that names a configuration of its own; the last one that is named counts.
    Known { name: "microk8s", inside: &["kubectl"], named: true },
    Known { name: "microk8s.kubectl", inside: &[], named: true },
];

/// Directories of distributions that are not in everybody's PATH. RKE2 has a plain kubectl in the first.
const ELSEWHERE: [&str; 4] = ["/var/lib/rancher/rke2/bin", "/usr/local/bin", "/opt/bin", "/snap/bin"];

struct Known {
    name: &'static str,
    /// Words before kubectl's own.
    inside: &'static [&'static str],
    /// Must be given its configuration by option.
    named: bool,
}

/// A kubectl that can be run.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    inside: &'static [&'static str],
    named: bool,
}

impl Program {
    /// The first one that is there, in PATH or where distributions keep theirs.
    pub fn find() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        Self::find_in(&path, &ELSEWHERE.map(PathBuf::from))
    }

    fn find_in(path: &OsStr, elsewhere: &[PathBuf]) -> Option<Self> {
        let places: Vec<PathBuf> = env::split_paths(path).chain(elsewhere.iter().cloned()).collect();
        let places = || places.iter().filter(|place| place.is_absolute());
        PROGRAMS.iter().find_map(|known| {
            let path = places().map(|place| place.join(known.name)).find(|file| is_executable(file))?;
            Some(Self { path, inside: known.inside, named: known.named })
        })
    }

    /// The command line up to where kubectl's arguments begin.
    pub fn command(&self, config: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command.args(self.inside);
        if self.named {
            command.arg("--kubeconfig").arg(config);
        }
        command
    }
}

/// What is looked for, for messages.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().map(|known| known.name)
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_plain_one_is_taken_first_then_those_of_distributions() {
        let dir = env::temp_dir().join(format!("nodepods-programs-{}", std::process::id()));
        let (a, b) = (dir.join("a"), dir.join("b"));
        fs::create_dir_all(&a).unwrap();
        fs::create_dir_all(&b).unwrap();
        let path = env::join_paths([&a]).unwrap();
        let find = || Program::find_in(&path, std::slice::from_ref(&b));
        let add = |place: &Path, name: &str, mode: u32| {
            let file = place.join(name);
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        };
        let line = |program: Program| {
            let command = program.command(Path::new("/c"));
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            words.map(|w| w.to_string_lossy().rsplit('/').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(find(), None);
        add(&b, "microk8s", 0o755);
        assert_eq!(line(find().unwrap()), ["microk8s", "kubectl", "--kubeconfig", "c"]);
        add(&a, "k3s", 0o755);
        assert_eq!(line(find().unwrap()), ["k3s", "kubectl"]);
        add(&a, "kubectl", 0o644); // not for running
        assert_eq!(line(find().unwrap()), ["k3s", "kubectl"]);
        add(&b, "kubectl", 0o755);
        assert_eq!(find().map(|p| p.path), Some(b.join("kubectl")));
        fs::remove_dir_all(&dir).unwrap();
    }
}
