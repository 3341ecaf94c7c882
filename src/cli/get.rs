//! `nodepods get`: the pods as they are now.

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::exit::{Exit, Failure};
use super::objects::{self, Format};
use super::resource::{self, PodName, Wanted};
use super::table::{Shape, Table};
use super::{print, socket};
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup::text;
use crate::pod::selector::Selector;

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

/// Asks the daemon and prints.
///
/// # Errors
/// Wrong usage, no daemon, or a named pod that does not exist.
pub fn run(get: &Get) -> Result<(), Failure> {
    if get.watch {
        return super::watch::run(&get.into());
    }
    let output = output(get.output.as_deref())?;
    let wanted = resource::wanted("get", &get.names)?;
    let selector = selector("get", get.selector.as_deref(), get.field_selector.as_deref())?;
    if !wanted.is_empty() && !selector.is_everything() {
        return Err(Failure::usage("get", "names and selectors exclude each other"));
    }
    let (pods, warnings) = PodsClient::new(&socket::find("get", &get.socket)?).list()?;
    warnings.iter().for_each(|warning| eprintln!("Warning: {warning}"));
    let (chosen, missing) = choose(pods, get, &wanted, &selector);
    if chosen.is_empty() && missing.is_empty() && matches!(output, Output::Table { .. }) {
        eprintln!(
            "No resources found{}",
            get.namespace.as_ref().map_or(String::new(), |n| format!(" in {n} namespace."))
        );
        return Ok(());
    }
    print(&render(&chosen, get, &wanted, output, now())?)?;
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(Exit::NotFound, missing.join("\n"))),
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

/// The selector that the options come to.
pub(super) fn selector(verb: &str, labels: Option<&str>, fields: Option<&str>) -> Result<Selector, Failure> {
    let wrong = |option: &str, e: &dyn std::fmt::Display| Failure::usage(verb, format!("{option}: {e}"));
    let mut selector = Selector::default();
    if let Some(labels) = labels {
        selector.labels = crate::pod::selector::LabelSelector::parse(labels).map_err(|e| wrong("--selector", &e))?;
    }
    if let Some(fields) = fields {
        selector.fields =
            crate::pod::selector::FieldSelector::parse(fields).map_err(|e| wrong("--field-selector", &e))?;
    }
    Ok(selector)
}

/// The pods that are asked for, sorted by namespace and name, and kubectl's words for the names that mean none.
fn choose(pods: Vec<PodBytes>, get: &Get, wanted: &[Wanted], selector: &Selector) -> (Vec<PodBytes>, Vec<String>) {
    let namespace = get.namespace.as_deref().filter(|_| !get.all_namespaces);
    let mut named: Vec<(String, String, PodBytes)> = pods
        .into_iter()
        .map(|pod| (text(&pod, "metadata.namespace").into_owned(), text(&pod, "metadata.name").into_owned(), pod))
        .collect();
    named.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let means = |w: &Wanted, (ns, name, pod): &(String, String, PodBytes)| {
        let uid = text(pod, "metadata.uid");
        w.means(&PodName { namespace: ns, name, uid: &uid }, namespace)
    };
    if wanted.is_empty() {
        let fits = |ns: &str, pod: &PodBytes| namespace.is_none_or(|n| n == ns) && selector.selects(ns, pod);
        return (named.into_iter().filter(|(ns, _, pod)| fits(ns, pod)).map(|(_, _, pod)| pod).collect(), Vec::new());
    }
    let (mut chosen, mut missing) = (Vec::new(), Vec::new());
    for want in wanted {
        let before = chosen.len();
        chosen.extend(named.iter().filter(|pod| means(want, pod)).map(|(_, _, pod)| pod.clone()));
        if chosen.len() == before {
            missing.push(format!("Error from server (NotFound): pods {:?} not found", want.name));
        }
    }
    (chosen, missing)
}

fn render(pods: &[PodBytes], get: &Get, wanted: &[Wanted], output: Output, now: i64) -> Result<String, Failure> {
    match (output, pods) {
        (Output::Table { .. }, []) => Ok(String::new()),
        (Output::Table { wide }, _) => {
            let one = get.namespace.is_some() && !get.all_namespaces;
            let mut table = Table::new(Shape { namespace: !one, wide, no_headers: get.no_headers, event: false });
            pods.iter().for_each(|pod| table.pod("", pod, now));
            Ok(table.take())
        }
        (Output::Name, _) => Ok(pods.iter().map(|pod| format!("pod/{}\n", text(pod, "metadata.name"))).collect()),
        (Output::Object(format), [pod]) if wanted.len() == 1 => objects::single(pod, format),
        (Output::Object(_), []) if !wanted.is_empty() => Ok(String::new()),
        (Output::Object(format), _) => objects::list(pods, format),
    }
}

/// Seconds since the epoch.
pub(super) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
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

    fn names(get: &Get) -> (Vec<String>, Vec<String>) {
        let pods = vec![pod("web", "b"), pod("kube-system", "z"), pod("web", "a"), pod("db", "a")];
        let wanted = resource::wanted("get", &get.names).unwrap();
        let selector = selector("get", get.selector.as_deref(), get.field_selector.as_deref()).unwrap();
        let (chosen, missing) = choose(pods, get, &wanted, &selector);
        let name = |p: &PodBytes| format!("{}/{}", text(p, "metadata.namespace"), text(p, "metadata.name"));
        (chosen.iter().map(name).collect(), missing)
    }

    fn get(names: &[&str], namespace: Option<&str>) -> Get {
        let names = names.iter().map(ToString::to_string).collect();
        Get { names, namespace: namespace.map(str::to_string), ..Get::default() }
    }

    #[test]
    fn which_pods() {
        let all = ["db/a", "kube-system/z", "web/a", "web/b"];
        let table: [(&[&str], Option<&str>, &[&str]); 8] = [
            (&["pods"], None, &all),
            (&[], None, &all),
            (&["pods"], Some("web"), &["web/a", "web/b"]),
            (&["pods"], Some("none"), &[]),
            (&["pods", "a"], None, &["db/a", "web/a"]),
            (&["pods", "a"], Some("web"), &["web/a"]),
            (&["pod/b", "kube-system/z"], None, &["web/b", "kube-system/z"]),
            (&["uid-z"], None, &["kube-system/z"]),
        ];
        for (words, namespace, want) in table {
            assert_eq!(names(&get(words, namespace)), (want.iter().map(ToString::to_string).collect(), vec![]));
        }
        let (found, missing) = names(&get(&["b", "x"], None));
        assert_eq!(
            (found, missing),
            (vec!["web/b".into()], vec!["Error from server (NotFound): pods \"x\" not found".to_string()])
        );
        let running = Get { field_selector: Some("metadata.name=z".into()), ..Get::default() };
        assert_eq!(names(&running).0, ["kube-system/z"]);
    }

    #[test]
    fn forms() {
        let pods = [pod("web", "a"), pod("web", "b")];
        let render = |pods: &[PodBytes], words: &[&str], format: Option<&str>| {
            let get = Get { output: format.map(str::to_string), ..get(words, None) };
            let wanted = resource::wanted("get", &get.names).unwrap();
            render(pods, &get, &wanted, output(format).unwrap(), 0).unwrap()
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
