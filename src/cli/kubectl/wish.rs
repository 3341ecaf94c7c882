//! What kubectl is asked to do, as far as this node's view has something to say about it.

/// Options of kubectl whose value is the next word.
const WITH_VALUE: &[&str] = &[
    "-n",
    "--namespace",
    "-s",
    "--server",
    "-v",
    "--v",
    "--as",
    "--as-group",
    "--as-uid",
    "--cache-dir",
    "--certificate-authority",
    "--client-certificate",
    "--client-key",
    "--cluster",
    "--context",
    "--kubeconfig",
    "--profile",
    "--request-timeout",
    "--tls-server-name",
    "--token",
    "--user",
    "--vmodule",
    // of get, describe and wait
    "-o",
    "--output",
    "-l",
    "--selector",
    "-L",
    "--label-columns",
    "--field-selector",
    "--sort-by",
    "-f",
    "--filename",
    "-k",
    "--kustomize",
    "--for",
    "--timeout",
    "--template",
    "--chunk-size",
    "--raw",
    "--subresource",
];
/// Verbs that change something, or reach into containers, or want resources that no node knows.
const NOT_HERE: &[&str] = &[
    "annotate",
    "apply",
    "attach",
    "auth",
    "autoscale",
    "certificate",
    "cordon",
    "cp",
    "create",
    "debug",
    "delete",
    "diff",
    "drain",
    "edit",
    "exec",
    "explain",
    "expose",
    "label",
    "patch",
    "port-forward",
    "replace",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "top",
    "uncordon",
];
/// What there is, by every name that kubectl has for it.
const RESOURCES: &[&str] = &[
    "all",
    "ev",
    "event",
    "events",
    "namespace",
    "namespaces",
    "no",
    "node",
    "nodes",
    "ns",
    "po",
    "pod",
    "pods",
    "service",
    "services",
    "svc",
];

/// A command line of kubectl.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a>(&'a [String]);

impl<'a> Wish<'a> {
    pub fn new(arguments: &'a [String]) -> Self {
        Self(arguments)
    }

    /// Whether kubectl answers this by itself, without a server.
    pub fn is_help(self) -> bool {
        let help = |word: &&str| matches!(*word, "-h" | "--help");
        matches!(self.words().next(), None | Some("help" | "completion" | "options"))
            || self.own().any(|word| help(&word))
    }

    /// Whether an editor would be opened, whose text nobody takes.
    pub fn is_edit(self) -> bool {
        self.words().next() == Some("edit")
    }

    /// What to say when kubectl has failed and its own words may not tell why.
    pub fn why_not(self) -> Option<&'static str> {
        let mut words = self.words();
        let verb = words.next()?;
        let unknown = |what: &str| what.split(',').any(|one| !RESOURCES.contains(&kind(one)));
        if NOT_HERE.contains(&verb) {
            return Some(
                "note: nodepods gives kubectl a read-only view of this node: get, describe, logs, wait and events work",
            );
        }
        (matches!(verb, "get" | "describe" | "wait") && words.next().is_some_and(unknown)).then_some(
            "note: a node knows its pods, and their namespaces, events and node; the rest is in the API server",
        )
    }

    /// The words before `--`: what follows is for a container.
    fn own(self) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(String::as_str).take_while(|word| *word != "--")
    }

    /// Those that are no options of kubectl itself, nor their values.
    fn words(self) -> impl Iterator<Item = &'a str> {
        let mut before = "";
        self.own().filter(move |word| {
            let value = WITH_VALUE.contains(&std::mem::replace(&mut before, word));
            !value && !word.starts_with('-')
        })
    }
}

/// The kind in `pods`, `pod/web` or `pods.v1.`.
fn kind(word: &str) -> &str {
    word.split(['/', '.']).next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn help_needs_no_daemon() {
        for line in ["", "--help", "get -h", "help logs", "-v 4", "completion bash", "options"] {
            assert!(Wish::new(&words(line)).is_help(), "{line:?}");
        }
        for line in ["get pods", "exec web -- ls --help", "-n help get pods", "logs help"] {
            assert!(!Wish::new(&words(line)).is_help(), "{line:?}");
        }
    }

    #[test]
    fn what_cannot_be_done_here_is_known() {
        for line in
            ["apply -f x.yaml", "-n web delete pod a", "--context=x scale deploy/a", "get deployments", "get pods,cm"]
        {
            assert!(Wish::new(&words(line)).why_not().is_some(), "{line:?}");
        }
        for line in [
            "get pods",
            "get pod/web",
            "-n delete get po",
            "logs delete",
            "describe no n1",
            "get",
            "version",
            "get -o wide pods x",
            "get --raw /x",
        ] {
            assert!(Wish::new(&words(line)).why_not().is_none(), "{line:?}");
        }
        assert!(Wish::new(&words("-n web edit pod a")).is_edit());
        assert!(!Wish::new(&words("get pod edit")).is_edit());
    }
}
