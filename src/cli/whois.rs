//! `nodepods whois`: the pod and container behind a process, a port, an address, an id, a cgroup or a file.
//!
//! The daemon answers for ids, cgroups, addresses and UIDs. What needs other processes' `/proc` is read here, with the
//! rights of whoever asks.

mod answer;
mod evidence;
mod path;
mod port;
mod process;
mod subject;

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::form::is_json;
use super::output::print;
use super::socket;
use answer::Answers;
use evidence::Evidence;
use process::Proc;
use subject::Subject;

/// Name the pod behind a process, port, address, id, cgroup or file. Ports and other users' processes
/// need root.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "whois",
    help_triggers("-h", "--help"),
    example = "nodepods whois 4711\nnodepods whois :8080\nnodepods whois 10.244.1.38 -o json\nnodepods whois /var/log/pods/web_nginx_0f5e2a1c/main/0.log"
)]
pub struct Whois {
    /// json for a form that programs read
    #[argh(option, short = 'o', arg_name = "json")]
    output: Option<String>,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets
    #[argh(option, arg_name = "path")]
    socket: Vec<PathBuf>,
    /// a process id, :PORT, an IP address, a container id or its beginning, a pod UID, the path of a cgroup or a file
    #[argh(positional, arg_name = "PID|:PORT|IP|ID|UID|CGROUP|PATH")]
    what: String,
}

impl Command for Whois {
    fn run(self) -> Result<(), Failure> {
        let json = is_json("whois", self.output.as_deref())?;
        let subject = Subject::read(&self.what)?;
        let proc = Proc::at("/proc");
        let evidence = Evidence::collect(&subject, &proc)?;
        let client = socket::find("whois", &self.socket).map(|socket| PodsClient::new(&socket));
        let answers = client.and_then(|client| Answers::ask(&client, &subject, &evidence));
        let answers = answers.map_err(|failure| evidence.beside(failure))?;
        if answers.is_empty() {
            let told = evidence.told(&self.what);
            return Err(Failure::new(Exit::NotFound, format!("error: no pod is known behind {}\n{told}", self.what)));
        }
        print(&if json { answers.json() } else { answers.text() })
    }
}
