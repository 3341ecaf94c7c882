//! `nodepods proxy`: the reads of the Kubernetes API on a port of localhost, for kubectl and everything else that
//! cannot talk to a unix socket.

mod owner;
pub mod relay;

use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::thread;

use argh::{ArgsInfo, FromArgs};

use self::relay::Relay;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::http_socket;
use super::output::print;
use crate::sys::process;

/// Where `kubectl proxy` listens too.
const PORT: u16 = 8001;

/// Serve this node's pods to kubectl and others on a port of localhost. Only your own processes are served, and those
/// of the user behind sudo.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "proxy", help_triggers("-h", "--help"))]
pub struct Proxy {
    /// port of 127.0.0.1 to listen on; 0 takes a free one (default 8001)
    #[argh(option, arg_name = "number")]
    port: Option<u16>,
    /// user id that is served too; may be repeated
    #[argh(option, arg_name = "uid")]
    allow_uid: Vec<u32>,
    /// the daemon's socket for HTTP (default: NODEPODS_HTTP_SOCKET, the configuration file, /run/nodepods/http.sock)
    #[argh(option, arg_name = "path")]
    http_socket: Option<PathBuf>,
}

impl Command for Proxy {
    /// Serves until the process is ended.
    fn run(self) -> Result<(), Failure> {
        let upstream = http_socket::find(self.http_socket.as_deref(), &[])?;
        let mut users = vec![process::effective_uid()];
        // sudo says for whom it works. Whoever can set this for a process of root is root.
        users.extend(env::var("SUDO_UID").ok().and_then(|uid| uid.parse::<u32>().ok()));
        users.extend(&self.allow_uid);
        users.sort_unstable();
        users.dedup();
        let port = self.port.unwrap_or(PORT);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|e| taken(port, &e))?;
        let address = listener.local_addr().map_err(|e| taken(port, &e))?;
        let list: Vec<_> = users.iter().map(ToString::to_string).collect();
        let _acceptor = relay::start(listener, Relay { upstream, users }).map_err(|e| taken(port, &e))?;
        print(&format!(
            "Serving the pods of this node on http://{address} to user id {}, until ^C.\n\
             Try: kubectl --server http://{address} get pods -A\n",
            list.join(", ")
        ))?;
        loop {
            thread::park();
        }
    }
}

fn taken(port: u16, e: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Failure,
        format!("error: cannot serve on 127.0.0.1:{port}: {e}\nName another --port, or 0 for any."),
    )
}
