//! `nodepods env`: a container's environment as the kubelet builds it.

mod form;

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::one_pod;
use super::output::{print, warn};
use super::printable::printable;
use super::socket;
use crate::codec::quantity::Quantity;
use crate::downward::environment::Environment;
use crate::downward::DownwardPod;
use crate::pod::spec::ResourceList;
use form::Form;

/// Print a container's environment as the kubelet builds it. What the image and the runtime set (PATH, HOME, HOSTNAME)
/// is no part of it; values of secrets, config maps and services are named, since only the API server has them.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "env",
    help_triggers("-h", "--help"),
    example = "nodepods env web\nnodepods env kube-system/etcd-n1 -c etcd -o json\neval \"$(nodepods env web -o shell)\""
)]
pub struct Env {
    /// namespace of the pod
    #[argh(option, short = 'n', arg_name = "namespace")]
    namespace: Option<String>,
    /// container; default: the one that an annotation names for kubectl, or the first
    #[argh(option, short = 'c', arg_name = "name")]
    container: Option<String>,
    /// env for lines of NAME=value (default), shell for a script, json for programs
    #[argh(option, short = 'o', arg_name = "env|shell|json")]
    output: Option<String>,
    /// what the node can give, such as cpu=4,memory=7Gi, for limits that are not set
    #[argh(option, arg_name = "amounts")]
    allocatable: Option<String>,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "path")]
    socket: Vec<PathBuf>,
    /// pod: NAME, NAMESPACE/NAME or a UID
    #[argh(positional, arg_name = "POD")]
    pod: String,
}

impl Command for Env {
    fn run(self) -> Result<(), Failure> {
        let form = Form::read(self.output.as_deref())?;
        let allocatable = allocatable("env", self.allocatable.as_deref())?;
        let (pods, warnings) = PodsClient::new(&socket::find("env", &self.socket)?).list()?;
        warnings.iter().for_each(|warning| warn(warning));
        let pod = one_pod::complete(&one_pod::pick("env", pods, self.namespace.as_deref(), &self.pod)?)?;
        let container = container(&pod, self.container.as_deref())?;
        let environment = Environment::of(&pod, &container, &allocatable).unwrap_or_default();
        let text = form.print(&pod, &container, &environment);
        text.warnings.iter().for_each(|warning| warn(warning));
        print(&text.text)
    }
}

/// The container that is meant.
fn container(pod: &DownwardPod, named: Option<&str>) -> Result<String, Failure> {
    let names = pod.containers();
    let absent =
        |what: String| Failure::new(Exit::NotFound, format!("error: pod {}/{} {what}", pod.namespace, pod.name));
    match named {
        Some(name) if names.has(name) => Ok(name.into()),
        Some(name) => Err(absent(format!("has no container {name:?}; it has {names}"))),
        None => {
            let chosen = names.meant().ok_or_else(|| absent("has a spec that names no container".into()))?;
            if names.is_guess() {
                eprintln!("Defaulted container {chosen:?} out of: {}", printable(&names.to_string()));
            }
            Ok(chosen.into())
        }
    }
}

/// Reads `cpu=4,memory=7Gi`.
///
/// # Errors
/// It cannot be read: a usage error.
pub fn allocatable(verb: &str, text: Option<&str>) -> Result<ResourceList, Failure> {
    let entry = |entry: &str| {
        let wrong = |why: &dyn std::fmt::Display| Failure::usage(verb, format!("--allocatable: {entry:?}: {why}"));
        let (name, amount) = entry.split_once('=').ok_or_else(|| wrong(&"want NAME=AMOUNT, such as memory=7Gi"))?;
        Ok((name.trim().to_string(), Quantity::parse(amount).map_err(|e| wrong(&e))?))
    };
    text.unwrap_or_default().split(',').filter(|e| !e.trim().is_empty()).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::container_names::DEFAULT_CONTAINER;
    use serde_json::{json, Value};

    fn pod(annotation: Option<&str>) -> DownwardPod {
        let annotations = annotation.map_or(Value::Null, |name| json!({DEFAULT_CONTAINER: name}));
        let spec = json!({"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]});
        DownwardPod::from_json(&json!({"name": "web", "annotations": annotations}), &spec, &json!({}))
    }

    #[test]
    fn which_container() {
        assert_eq!(container(&pod(None), None).as_deref(), Ok("a"));
        assert_eq!(container(&pod(Some("b")), None).as_deref(), Ok("b"));
        assert_eq!(container(&pod(Some("gone")), None).as_deref(), Ok("a"));
        assert_eq!(container(&pod(Some("b")), Some("i")).as_deref(), Ok("i"));
        let failure = container(&pod(None), Some("x")).unwrap_err();
        assert_eq!(failure.exit, Exit::NotFound);
        assert!(failure.message.ends_with("it has a, b, i (init)"), "{failure}");
        assert!(container(&DownwardPod::default(), None).is_err());
    }

    #[test]
    fn amounts_of_the_node() {
        let read = |text| allocatable("env", Some(text));
        let list = read("cpu=3920m, memory=7Gi").unwrap();
        assert_eq!((list["cpu"].as_str(), list["memory"].as_str()), ("3920m", "7Gi"));
        assert!(read("").unwrap().is_empty() && allocatable("env", None).unwrap().is_empty());
        for bad in ["cpu", "cpu=much", "=,"] {
            assert_eq!(read(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }
}
