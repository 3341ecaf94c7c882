//! `nodepods get`: the pods as they are now.

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::clock::now;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::form::Form;
use super::missing;
use super::objects;
use super::output::{print, warn};
use super::screen::Screen;
use super::selection::{Selection, Words};
use super::socket;
use super::sorting;
use super::table::{Shape, Table};
use super::watch::{Follow, Printer};
use crate::codec::pod_bytes::PodBytes;
use crate::pod::jsonpath::Path;

/// Show pods: all of this node, or those that are named. Without -n, those of all namespaces.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "get",
    help_triggers("-h", "--help"),
    example = "nodepods get pods -o wide\nnodepods get pod kube-system/etcd-n1 -o yaml\nnodepods get -n web -o jsonpath='{{.items[*].status.podIP}}'\nnodepods get -o custom-columns=NAME:.metadata.name,IP:.status.podIP\nnodepods get -l app=web --sort-by=.status.startTime -w"
)]
#[allow(clippy::struct_excessive_bools)] // each is a switch of the command line
pub struct Get {
    /// pods of this namespace only
    #[argh(option, short = 'n', arg_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// pods of all namespaces; the default
    #[argh(switch, short = 'A')]
    pub all_namespaces: bool,
    /// pods with these labels, such as app=web,tier!=db
    #[argh(option, short = 'l', arg_name = "LABELS")]
    pub selector: Option<String>,
    /// pods with these fields, such as status.phase=Running
    #[argh(option, arg_name = "FIELDS")]
    pub field_selector: Option<String>,
    /// wide for more columns; json, yaml, name, a JSONPath template or columns of your own
    #[argh(
        option,
        short = 'o',
        arg_name = "wide|json|yaml|name|jsonpath=TEMPLATE|jsonpath-file=PATH|custom-columns=SPEC|custom-columns-file=PATH"
    )]
    pub output: Option<String>,
    /// sort by this field, such as .metadata.name or .status.startTime
    #[argh(option, arg_name = "JSONPATH")]
    pub sort_by: Option<String>,
    /// after that, show what changes
    #[argh(switch, short = 'w')]
    pub watch: bool,
    /// show only what changes, not what is there now
    #[argh(switch)]
    pub watch_only: bool,
    /// name each change: ADDED, MODIFIED or DELETED
    #[argh(switch)]
    pub output_watch_events: bool,
    /// leave out the headings
    #[argh(switch)]
    pub no_headers: bool,
    /// add a column with all labels
    #[argh(switch)]
    pub show_labels: bool,
    /// add a column for each of these labels, separated by commas
    #[argh(option, short = 'L', arg_name = "KEYS")]
    pub label_columns: Option<String>,
    /// no error when a named pod does not exist
    #[argh(switch)]
    pub ignore_not_found: bool,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "PATH")]
    pub socket: Vec<PathBuf>,
    /// NAME, NAMESPACE/NAME or UID; as in kubectl, pod or pods may stand in front
    #[argh(positional, arg_name = "POD")]
    pub names: Vec<String>,
}

impl Command for Get {
    fn run(self) -> Result<(), Failure> {
        let selection = Selection::read("get", self.words())?;
        let form = Form::read("get", self.output.as_deref())?;
        let sort = self.sort_by.as_deref().map(Path::relaxed).transpose();
        let sort = sort.map_err(|e| Failure::usage("get", format!("--sort-by: {e}")))?;
        let screen = Screen::stdout();
        if self.watch || self.watch_only {
            let table = Table::new(self.shape(&selection, &form), screen);
            let printer = Printer::of_form(form, self.output_watch_events, table);
            return Follow { selection, printer, socket: self.socket, news_only: self.watch_only }.run("get");
        }
        let (pods, warnings) = PodsClient::new(&socket::find("get", &self.socket)?).list()?;
        warnings.iter().for_each(|warning| warn(warning));
        let (mut chosen, missing) = selection.choose(&pods);
        if let Some(path) = sort {
            chosen = sorted(chosen, &path)?;
        }
        if chosen.is_empty() && missing.is_empty() && matches!(form, Form::Table { .. }) {
            let within = self.namespace.as_ref().map_or(String::new(), |n| format!(" in {n} namespace."));
            eprintln!("No resources found{within}");
            return Ok(());
        }
        print(&self.render(&chosen, &selection, &form, screen, now())?)?;
        match self.ignore_not_found {
            true => Ok(()),
            false => missing::none(&missing),
        }
    }
}

impl Get {
    fn words(&self) -> Words<'_> {
        Words::named(&self.names)
            .within(self.namespace.as_deref(), self.all_namespaces)
            .selected(self.selector.as_deref(), self.field_selector.as_deref())
    }

    fn shape(&self, of: &Selection, form: &Form) -> Shape {
        let keys = self.label_columns.as_deref().unwrap_or_default().split(',').filter(|key| !key.is_empty());
        Shape {
            namespace: of.namespace.is_none(),
            wide: matches!(form, Form::Table { wide: true }),
            event: self.output_watch_events,
            no_headers: self.no_headers,
            label_columns: keys.map(str::to_string).collect(),
            show_labels: self.show_labels,
        }
    }

    fn render(
        &self,
        pods: &[PodBytes],
        of: &Selection,
        form: &Form,
        screen: Screen,
        now: i64,
    ) -> Result<String, Failure> {
        match form {
            _ if pods.is_empty() && !of.wanted.is_empty() => Ok(String::new()),
            Form::Table { .. } => {
                let mut table = Table::new(Shape { event: false, ..self.shape(of, form) }, screen);
                pods.iter().for_each(|pod| table.pod("", pod, now));
                Ok(table.take())
            }
            form => form.text(pods, of.wanted.len() == 1, !self.no_headers, screen),
        }
    }
}

fn sorted(pods: Vec<PodBytes>, path: &Path) -> Result<Vec<PodBytes>, Failure> {
    let mut items = Vec::with_capacity(pods.len());
    for pod in pods {
        items.push((objects::value(&pod)?, pod));
    }
    sorting::sort(&mut items, path).map_err(|e| Failure::new(Exit::Failure, format!("error: --sort-by: {e}")))?;
    Ok(items.into_iter().map(|(_, pod)| pod).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::selection::tests::pod;

    #[test]
    fn forms() {
        let pods = [pod("web", "a"), pod("web", "b")];
        let render = |pods: &[PodBytes], words: &[&str], format: Option<&str>| {
            let get = Get { names: words.iter().map(ToString::to_string).collect(), ..Get::default() };
            let selection = Selection::read("get", get.words()).unwrap();
            get.render(pods, &selection, &Form::read("get", format).unwrap(), Screen::default(), 0).unwrap()
        };
        assert_eq!(render(&pods, &[], Some("name")), "pod/a\npod/b\n");
        assert!(render(&pods, &[], None).starts_with("NAMESPACE   NAME"));
        assert!(render(&pods, &[], Some("wide")).contains("READINESS GATES"));
        assert!(render(&pods[..1], &["a"], Some("yaml")).contains("kind: Pod\n"));
        assert!(render(&pods[..1], &[], Some("yaml")).ends_with("kind: List\nmetadata:\n  resourceVersion: \"\"\n"));
        assert!(render(&[], &[], Some("json")).contains("\"items\": []"));
        assert_eq!(render(&[], &["x"], Some("json")), "");
        assert_eq!(render(&pods, &[], Some("jsonpath={.items[*].metadata.name}")), "a b");
        assert_eq!(render(&pods[..1], &["a"], Some("jsonpath={.metadata.name}")), "a");
        assert_eq!(
            render(&pods, &[], Some("custom-columns=N:.metadata.name,P:.status.phase")),
            "N     P\na     Running\nb     Running\n"
        );
    }
}
