//! `nodepods export`: the pods that a query selects, one JSON object a line, for programs.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::command::Command;
use super::exit::Failure;
use super::output::written;
use super::printable::shown;
use super::socket;
use crate::codec::wire::{self, Value, WireError};
use crate::query::{json, wire as pod_wire, Pod};

/// `v1.PodService/ExportPods`.
const EXPORT_PODS: &str = "/v1.PodService/ExportPods";

/// Print pods for other programs, one JSON object a line. They have the form of StackRox and stand below "pod", as
/// roxctl central export pods prints them: which instances of their containers run, which have ended and how.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "export",
    help_triggers("-h", "--help"),
    example = "nodepods export | jq -r .pod.name\nnodepods export 'Namespace:default,web+Pod Label:app=shop'\nnodepods export 'Pod Name:!r/^job-' | wc -l"
)]
pub struct Export {
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "path")]
    pub socket: Vec<PathBuf>,
    /// conditions LABEL:VALUE,VALUE joined with +; without any, all pods
    #[argh(positional, arg_name = "QUERY")]
    pub query: Vec<String>,
}

impl Command for Export {
    fn run(self) -> Result<(), Failure> {
        let request = request(&one_query("export", &self.query)?);
        let client = PodsClient::new(&socket::find("export", &self.socket)?);
        let mut out = BufWriter::new(io::stdout().lock());
        let mut line = String::new();
        for message in client.stream(EXPORT_PODS, &request)? {
            let pod = pod(&message?).map_err(|e| client.unreadable(e))?;
            line.clear();
            line.push_str("{\"pod\":");
            json::write(&pod, &mut line);
            line.push_str("}\n");
            if let Err(e) = out.write_all(shown(&line).as_bytes()) {
                return written(Err(e)); // a reader that has seen enough ends the export
            }
        }
        written(out.flush())
    }
}

/// The query of a command line. It is one argument: `+` and blanks belong to it.
///
/// # Errors
/// There are several.
pub(super) fn one_query(verb: &str, words: &[String]) -> Result<String, Failure> {
    match words {
        [] => Ok(String::new()),
        [query] => Ok(query.clone()),
        _ => Err(Failure::usage(verb, format!("a query is one argument; put it in quotes: '{}'", words.join(" ")))),
    }
}

/// `v1.ExportPodRequest`
fn request(query: &str) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_bytes(&mut out, 2, query.as_bytes());
    out
}

/// The pod of a `v1.ExportPodResponse`.
fn pod(message: &[u8]) -> Result<Pod, WireError> {
    let mut pod = Pod::default();
    for field in wire::fields(message) {
        if let (1, Value::Bytes(bytes)) = field.map(|f| (f.number, f.value))? {
            pod = pod_wire::decode(bytes)?;
        }
    }
    Ok(pod)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::request::ExportRequest;

    #[test]
    fn a_query_is_one_argument() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(one_query("export", &words(&[])), Ok(String::new()));
        assert_eq!(one_query("export", &words(&["Pod Name:a"])), Ok("Pod Name:a".into()));
        let several = one_query("export", &words(&["Pod", "Name:a"])).unwrap_err();
        assert!(several.message.contains("quotes: 'Pod Name:a'"), "{several}");
    }

    #[test]
    fn messages_are_those_of_the_service() {
        let want = ExportRequest { timeout: 0, query: "Node:n".into() };
        assert_eq!(ExportRequest::decode(&request("Node:n")), Ok(want));
        let mut message = Vec::new();
        let sent = Pod { name: "a".into(), ..Pod::default() };
        wire::put_bytes(&mut message, 1, &pod_wire::encode(&sent));
        assert_eq!(pod(&message), Ok(sent));
    }
}
