//! `nodepods kubectl`: the node's own kubectl, asking this node's daemon instead of an API server.

mod private;
mod program;

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command as Process, ExitStatus};
use std::thread;

use argh::{ArgsInfo, FromArgs};

use self::private::PrivateDir;
use self::program::Program;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::http_socket;
use super::proxy::relay::{self, Relay};
use crate::sys::process;
use crate::sys::signal::{self, Signal};

/// Run kubectl on this node's pods, without an API server. It is the node's own kubectl (of k3s, RKE2, k0s or MicroK8s
/// too), and everything behind the word is for it.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "kubectl",
    help_triggers("-h", "--help"),
    example = "nodepods kubectl get pods -A -o wide",
    example = "nodepods kubectl logs -f web"
)]
pub struct Kubectl {
    /// the daemon's socket for HTTP; stands before the word kubectl (default: NODEPODS_HTTP_SOCKET, the configuration
    /// file, /run/nodepods/http.sock)
    #[argh(option, arg_name = "path")]
    http_socket: Option<PathBuf>,
    /// what kubectl is told
    #[argh(positional, greedy)]
    arguments: Vec<String>,
}

impl Command for Kubectl {
    /// Ends the process with kubectl's own exit code.
    fn run(self) -> Result<(), Failure> {
        // Before the first thread: ^C is for kubectl, which ends as it likes; we clean up behind it.
        signal::block().map_err(|e| internal("block signals", &e))?;
        let upstream = http_socket::find(self.http_socket.as_deref(), &[])?;
        let program = Program::find().ok_or_else(no_kubectl)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| internal("find a free port", &e))?;
        let address = listener.local_addr().map_err(|e| internal("find a free port", &e))?;
        let users = vec![process::effective_uid()];
        let proxy = relay::start(listener, Relay { upstream, users }).map_err(|e| internal("start a thread", &e))?;
        let private = PrivateDir::new().map_err(|e| internal("make a directory for kubectl's configuration", &e))?;
        let config = private.configuration(address).map_err(|e| internal("write kubectl's configuration", &e))?;
        let mut command = program.command(&config);
        command.args(&self.arguments).env("KUBECONFIG", &config).env("KUBECACHEDIR", private.path().join("cache"));
        let status = wait(&mut command)
            .map_err(|e| Failure::new(Exit::Failure, format!("error: cannot run {}: {e}", program.path.display())));
        drop(proxy);
        drop(private);
        match status?.code_or_signal() {
            0 => Ok(()),
            code => std::process::exit(code),
        }
    }
}

fn internal(doing: &str, e: &std::io::Error) -> Failure {
    Failure::new(Exit::Internal, format!("error: cannot {doing}: {e}"))
}

fn no_kubectl() -> Failure {
    let tried: Vec<_> = program::names().collect();
    Failure::new(
        Exit::Failure,
        format!(
            "error: there is no kubectl on this node: {} are not in PATH\nInstall kubectl, or use 'nodepods get pods', \
             'nodepods watch' and 'curl --unix-socket'.",
            tried.join(", ")
        ),
    )
}

/// Runs it to its end; what asks us to stop asks it.
fn wait(command: &mut Process) -> std::io::Result<ExitStatus> {
    let mut child = command.spawn()?; // with a signal mask of its own, in which nothing is blocked
    let pid = child.id();
    // Not waited for: it ends with this process.
    let spawned = thread::Builder::new().name("signals".into()).stack_size(64 * 1024).spawn(move || pass_on(pid));
    if let Err(e) = spawned {
        let _ = child.kill(); // it cannot have got far
        let _ = child.wait();
        return Err(e);
    }
    Child::wait(&mut child)
}

fn pass_on(pid: u32) {
    loop {
        match signal::wait() {
            Ok(Signal::Interrupt) => {} // the terminal has sent it to kubectl too
            Ok(signal) => process::send_signal(pid, signal),
            Err(_) => return,
        }
    }
}

/// The exit code that a shell would show.
trait CodeOrSignal {
    fn code_or_signal(&self) -> i32;
}

impl CodeOrSignal for ExitStatus {
    fn code_or_signal(&self) -> i32 {
        self.code().unwrap_or_else(|| 128 + self.signal().unwrap_or(0))
    }
}
