//! `nodepods kubectl`: the node's own kubectl, asking this node's daemon instead of an API server.

mod private;
mod program;
mod wish;

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, ExitStatus};
use std::thread;

use argh::{ArgsInfo, FromArgs};

use self::private::PrivateDir;
use self::program::Program;
use self::wish::Wish;
use super::command::{Command, Group, Verb};
use super::exit::{Exit, Failure};
use super::help;
use super::http_socket;
use super::output::print;
use super::proxy::relay::{self, Relay};
use crate::sys::process;
use crate::sys::signal::{self, Signal};

/// Run kubectl on this node's pods, without an API server. The node's own kubectl is run (that of k3s, RKE2, k0s or
/// MicroK8s too), with all that follows; it can look and change nothing. 'nodepods kubectl help' is kubectl's own.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "kubectl",
    help_triggers("-h", "--help"),
    example = "nodepods kubectl get pods -A -o wide",
    example = "nodepods kubectl logs -f web"
)]
pub struct Kubectl {
    /// the daemon's socket for HTTP; stands before the word kubectl (default: NODEPODS_HTTP_SOCKET, the
    /// configuration file, /run/nodepods/http.sock)
    #[argh(option, arg_name = "path")]
    http_socket: Option<PathBuf>,
    /// a command line of kubectl, such as get pods -A
    #[argh(positional, greedy)]
    arguments: Vec<String>,
}

impl Command for Kubectl {
    /// Ends the process with kubectl's own exit code.
    fn run(self) -> Result<(), Failure> {
        // Before the first thread: ^C is for kubectl, which ends as it likes; we clean up behind it.
        signal::block().map_err(|e| internal("block signals", &e))?;
        if matches!(self.arguments.as_slice(), [only] if only == "-h" || only == "--help") {
            return print(&help::page(&Verb::of::<Self>(Group::Look)));
        }
        let program = Program::find().ok_or_else(no_kubectl)?;
        let wish = Wish::new(&self.arguments);
        if wish.is_help() {
            let mut command = program.command(Path::new("/dev/null"));
            return end(&program, wait(command.args(&self.arguments)), None);
        }
        if wish.is_edit() {
            return Err(cannot_edit());
        }
        let upstream = http_socket::find(self.http_socket.as_deref(), &[])?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| internal("find a free port", &e))?;
        let address = listener.local_addr().map_err(|e| internal("find a free port", &e))?;
        let users = vec![process::effective_uid()];
        let proxy = relay::start(listener, Relay { upstream, users }).map_err(|e| internal("start a thread", &e))?;
        let private = PrivateDir::new().map_err(|e| internal("make a directory for kubectl's configuration", &e))?;
        let config = private.configuration(address).map_err(|e| internal("write kubectl's configuration", &e))?;
        let mut command = program.command(&config);
        command.args(&self.arguments).env("KUBECONFIG", &config).env("KUBECACHEDIR", private.path().join("cache"));
        let status = wait(&mut command);
        drop(proxy);
        drop(private);
        end(&program, status, wish.why_not())
    }
}

/// Ends the process as kubectl has ended; where it has failed, with a word behind its own.
fn end(program: &Program, status: std::io::Result<ExitStatus>, why_not: Option<&str>) -> Result<(), Failure> {
    let cannot = |e| Failure::new(Exit::Failure, format!("error: cannot run {}: {e}", program.path.display()));
    match status.map_err(cannot)?.code_or_signal() {
        0 => Ok(()),
        code => {
            if let Some(words) = why_not {
                eprintln!("{words}");
            }
            std::process::exit(code)
        }
    }
}

/// It would open the editor and refuse the result.
fn cannot_edit() -> Failure {
    Failure::new(
        Exit::Failure,
        "error: this is a read-only view of the node: nothing can be edited through it\nA static pod is changed in its \
         manifest ('nodepods sources' says where manifests are); any other pod through the API server.",
    )
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
