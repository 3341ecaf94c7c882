//! `nodepods get`: the pods as they are now.

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::clock::now;
use super::exit::{Exit, Failure};
use super::objects::{self, Format};
use super::output::print;
use super::selection::{Selection, Words};
use super::socket;
use super::table::{Shape, Table};
use super::verbs::Command;
use super::watch::{Follow, Form};
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup::text;

/// Show pods: all of this node, or those that are named. Namespaces are not narrowed unless -n is given.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "get",
    help_triggers("-h", "--help"),
    example = "nodepods get pods -o wide\nnodepods get pod kube-system/etcd-n1 -o yaml\nnodepods get -n web -o json | jq '.items[].status.podIP'"
)]
pub struct Get {
    /// pods of this namespace only
    #[argh(option, short = 'n', arg_name = "namespace")]
    pub namespace: Option<String>,
    /// pods of all namespaces; the default
    #[argh(switch, short = 'A')]
    pub all_namespaces: bool,
    /// pods with these labels, such as app=web,tier!=db
    #[argh(option, short = 'l', arg_name = "labels")]
    pub selector: Option<String>,
    /// pods with these fields, such as status.phase=Running
    #[argh(option, arg_name = "fields")]
    pub field_selector: Option<String>,
    /// wide for more columns; json, yaml or name for other forms
    #[argh(option, short = 'o', arg_name = "format")]
    pub output: Option<String>,
    /// go on as nodepods watch does
    #[argh(switch, short = 'w')]
    pub watch: bool,
    /// no line of headings
    #[argh(switch)]
    pub no_headers: bool,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "path")]
    pub socket: Vec<PathBuf>,
    /// pods and names: NAME, NAMESPACE/NAME or a UID
    #[argh(positional, arg_name = "pods|NAME")]
    pub names: Vec<String>,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Table { wide: bool },
    Object(Format),
    Name,
}

impl Command for Get {
    fn run(self) -> Result<(), Failure> {
        let selection = Selection::read("get", self.words())?;
        if self.watch {
            let form = Form::read("get", self.output.as_deref(), self.no_headers)?;
            return Follow { selection, form, socket: self.socket }.run("get");
        }
        let output = output(self.output.as_deref())?;
        let (pods, warnings) = PodsClient::new(&socket::find("get", &self.socket)?).list()?;
        warnings.iter().for_each(|warning| eprintln!("Warning: {warning}"));
        let (chosen, missing) = selection.choose(pods);
        if chosen.is_empty() && missing.is_empty() && matches!(output, Output::Table { .. }) {
            let within = self.namespace.as_ref().map_or(String::new(), |n| format!(" in {n} namespace."));
            eprintln!("No resources found{within}");
            return Ok(());
        }
        print(&self.render(&chosen, &selection, output, now())?)?;
        match missing.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(Exit::NotFound, missing.join("\n"))),
        }
    }
}

impl Get {
    fn words(&self) -> Words<'_> {
        Words {
            namespace: self.namespace.as_deref(),
            all_namespaces: self.all_namespaces,
            labels: self.selector.as_deref(),
            fields: self.field_selector.as_deref(),
            names: &self.names,
        }
    }

    fn render(&self, pods: &[PodBytes], of: &Selection, output: Output, now: i64) -> Result<String, Failure> {
        match (output, pods) {
            (Output::Table { .. }, []) => Ok(String::new()),
            (Output::Table { wide }, _) => {
                let namespace = of.namespace.is_none();
                let mut table = Table::new(Shape { namespace, wide, no_headers: self.no_headers, event: false });
                pods.iter().for_each(|pod| table.pod("", pod, now));
                Ok(table.take())
            }
            (Output::Name, _) => Ok(pods.iter().map(|pod| format!("pod/{}\n", text(pod, "metadata.name"))).collect()),
            (Output::Object(format), [pod]) if of.wanted.len() == 1 => objects::single(pod, format),
            (Output::Object(_), []) if !of.wanted.is_empty() => Ok(String::new()),
            (Output::Object(format), _) => objects::list(pods, format),
        }
    }
}

fn output(text: Option<&str>) -> Result<Output, Failure> {
    match text {
        None | Some("") => Ok(Output::Table { wide: false }),
        Some("wide") => Ok(Output::Table { wide: true }),
        Some("json") => Ok(Output::Object(Format::Json)),
        Some("yaml") => Ok(Output::Object(Format::Yaml)),
        Some("name") => Ok(Output::Name),
        Some(other) => {
            Err(Failure::usage("get", format!("unknown output format {other:?}; known are wide, json, yaml, name")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::wire::put_bytes;

    fn pod(namespace: &str, name: &str) -> PodBytes {
        let mut metadata = Vec::new();
        put_bytes(&mut metadata, 1, name.as_bytes());
        put_bytes(&mut metadata, 3, namespace.as_bytes());
        put_bytes(&mut metadata, 5, format!("uid-{name}").as_bytes());
        PodBytes::from_sections(&metadata, b"", b"\x0a\x07Running", b"")
    }

    #[test]
    fn forms() {
        let pods = [pod("web", "a"), pod("web", "b")];
        let render = |pods: &[PodBytes], words: &[&str], format: Option<&str>| {
            let get = Get { names: words.iter().map(ToString::to_string).collect(), ..Get::default() };
            let selection = Selection::read("get", get.words()).unwrap();
            get.render(pods, &selection, output(format).unwrap(), 0).unwrap()
        };
        assert_eq!(render(&pods, &[], Some("name")), "pod/a\npod/b\n");
        assert!(render(&pods, &[], None).starts_with("NAMESPACE   NAME"));
        assert!(render(&pods, &[], Some("wide")).contains("READINESS GATES"));
        assert!(render(&pods[..1], &["a"], Some("yaml")).contains("kind: Pod\n"));
        assert!(render(&pods[..1], &[], Some("yaml")).ends_with("kind: List\nmetadata:\n  resourceVersion: \"\"\n"));
        assert!(render(&[], &[], Some("json")).contains("\"items\": []"));
        assert_eq!(render(&[], &["x"], Some("json")), "");
        assert_eq!(output(Some("xml")).unwrap_err().exit, Exit::Usage);
    }
}
