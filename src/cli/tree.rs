//! `nodepods tree`: a directory with all pods, kept current.

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::output::warn;
use super::pods_now;
use super::printable::printable;
use super::socket;
use crate::files::tree::{Tree, TreeError};

/// Keep a directory of all pods for scripts and C programs. It has a directory NAMESPACE/NAME for each pod, with a
/// file for each fact (phase, ip, labels, containers/NAME/id, ...). The directory must be new, empty or such a tree
/// already. The daemon does the same with --downward-dir.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "tree",
    help_triggers("-h", "--help"),
    example = "nodepods tree /run/nodepods/tree &\ncat /run/nodepods/tree/kube-system/etcd-n1/phase"
)]
pub struct PodTree {
    /// write it once and end
    #[argh(switch)]
    once: bool,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "path")]
    socket: Vec<PathBuf>,
    /// directory to keep
    #[argh(positional, arg_name = "DIR")]
    dir: PathBuf,
}

impl Command for PodTree {
    fn run(self) -> Result<(), Failure> {
        if self.once {
            let (pods, warnings) = PodsClient::new(&socket::find("tree", &self.socket)?).list()?;
            warnings.iter().for_each(|warning| warn(warning));
            let errors = Tree::claim(&self.dir).map_err(|e| failure(&e))?.show(&pods);
            errors.iter().for_each(|e| eprintln!("error: {}", printable(&e.to_string())));
            return match errors.len() {
                0 => Ok(()),
                n => Err(Failure::new(Exit::Failure, format!("error: {n} pods are not in {}", self.dir.display()))),
            };
        }
        let mut tree = None;
        let mut told = Vec::new();
        pods_now::follow("tree", &self.socket, |pods| {
            let tree = match &mut tree {
                Some(tree) => tree,
                None => tree.insert(Tree::claim(&self.dir).map_err(|e| failure(&e))?),
            };
            let errors = tree.show(pods.values());
            errors.iter().filter(|e| !told.contains(*e)).for_each(|e| warn(&e.to_string()));
            told = errors;
            Ok(())
        })
    }
}

fn failure(e: &TreeError) -> Failure {
    let denied = matches!(e, TreeError::Owner(..))
        || matches!(e, TreeError::Io(_, e) if e.kind() == std::io::ErrorKind::PermissionDenied);
    Failure::new(if denied { Exit::Permission } else { Exit::Failure }, format!("error: {e}"))
}
