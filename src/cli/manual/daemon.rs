//! `nodepods(8)`: the daemon.

use super::command::option;
use super::exit_status;
use super::roff::Roff;
use crate::cli::command::{named, Verb};
use crate::cli::options::of_verb;

/// The page.
pub fn page(verbs: &[Verb], date: &str) -> String {
    let mut page = Roff::new("nodepods", 8, date);
    page.heading("NAME");
    page.paragraph("nodepods - the daemon that knows the pods of this node");
    page.heading("SYNOPSIS");
    page.line(".B nodepods serve");
    page.line(".RI [ OPTIONS ]");
    page.heading("DESCRIPTION");
    page.paragraph(
        "The daemon reads static pod manifests and asks the container runtime (CRI), by default those that it finds by \
         itself, and serves the pods of this node on unix sockets: as the Pods API of the kubelet (gRPC, v1alpha1.Pods \
         and Pods, with field masks and watches), gRPC health and reflection, and reads of the Kubernetes API over HTTP. \
         It never writes to the cluster or to the runtime.\n\n\
         Nothing is answered with a part of the pods: until the manifests are read and the runtime has answered, methods \
         fail with FAILED_PRECONDITION, and commands with exit status 69. What was known is kept over a restart.\n\n\
         It needs no configuration. Each option can also stand in the configuration file, see nodepods.yaml(5); the \
         command line wins. Durations are written as 20s or 1m30s.",
    );
    page.heading("OPTIONS");
    of_verb(named(verbs, "serve")).iter().for_each(|row| option(&mut page, row));
    page.heading("SOCKETS");
    page.paragraph(
        "Sockets are made with mode 0600 and every connection's user is checked: root, the daemon's own user and those of \
         --allow-uid and --allow-gid are served. A socket on which another server answers is refused; one that is left over is replaced; \
         one that is deleted is made again. Sockets may be passed by systemd.socket(5).\n\n\
         A client in a container mounts the directory /run/nodepods, not the socket, so that it survives a restart.",
    );
    page.heading("SECURITY");
    page.paragraph(
        "Pods can hold secrets in literal environment values, which is why sockets and state are for root alone. \
         Environment values are never taken from the runtime, where secrets are resolved.",
    );
    page.heading("SIGNALS");
    page.tagged(
        "SIGTERM, SIGINT",
        "Stop: watches end with UNAVAILABLE, running calls are finished, at most 5 seconds.",
    );
    page.heading("ENVIRONMENT");
    page.tagged("NODEPODS_LOG", "Level of the log: error, warn, info, debug or trace.");
    page.tagged("NOTIFY_SOCKET, LISTEN_FDS, WATCHDOG_USEC", "As systemd sets them.");
    page.heading("FILES");
    page.tagged("/etc/nodepods/config.yaml", "Configuration; need not exist.");
    page.tagged("/run/nodepods/pods.sock, /var/lib/kubelet/pods/kubelet.sock", "The Pods API.");
    page.tagged("/run/nodepods/http.sock", "Reads over HTTP.");
    page.tagged("/var/lib/nodepods", "What outlives a restart.");
    exit_status(&mut page);
    page.heading("SEE ALSO");
    page.line(".BR nodepods (1),\n.BR nodepods.yaml (5),\n.BR systemd.socket (5)");
    page.finish()
}
