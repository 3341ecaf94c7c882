//! Names that mean no pod, and what was probably meant.

use std::fmt;

use super::exit::{Exit, Failure};
use super::resource::Wanted;
use crate::codec::pod_bytes::PodBytes;
use crate::config::nearest::nearest;
use crate::pod::lookup::text;

/// Suggestions for one name.
const MOST: usize = 3;
/// A shorter name is too near to everything.
const LEAST: usize = 3;
/// Other resources of the Kubernetes API that the daemon serves over HTTP, in kubectl's spellings.
const SERVED: [&str; 9] = ["nodes", "node", "no", "namespaces", "namespace", "ns", "events", "event", "ev"];

/// What people ask an API server for, which no node knows.
const ELSEWHERE: [&str; 22] = [
    "all",
    "configmap",
    "configmaps",
    "cm",
    "cronjobs",
    "daemonset",
    "daemonsets",
    "ds",
    "deployment",
    "deployments",
    "deploy",
    "ingress",
    "jobs",
    "job",
    "replicasets",
    "rs",
    "secret",
    "secrets",
    "services",
    "svc",
    "statefulsets",
    "sts",
];

/// A name that means no pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    name: String,
    /// What was named in front of it: a namespace, or a resource that is none of ours.
    before: String,
    /// Pods that are called much the same, as `NAMESPACE/NAME`.
    near: Vec<String>,
}

impl Missing {
    /// `wanted` means none of `pods`, which are all there are.
    #[must_use]
    pub fn among(wanted: &Wanted, pods: &[PodBytes]) -> Self {
        let names = |pod: &PodBytes| ["metadata.namespace", "metadata.name"].map(|path| text(pod, path).into_owned());
        let all: Vec<[String; 2]> = pods.iter().map(names).collect();
        let is_near = |[_, name]: &&[String; 2]| name.starts_with(&wanted.name);
        let mut near: Vec<&[String; 2]> = all.iter().filter(is_near).collect();
        if near.is_empty() && wanted.name.len() >= LEAST {
            let one = nearest(&wanted.name, all.iter().map(|[_, name]| name.as_str()));
            near.extend(all.iter().filter(|[_, name]| one == Some(name.as_str())));
        }
        near.sort();
        near.dedup();
        let before = wanted.namespace.clone().unwrap_or_default();
        Self { name: wanted.name.clone(), before, near: near.into_iter().take(MOST).map(|pod| pod.join("/")).collect() }
    }
}

/// kubectl's words, and a guess.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error from server (NotFound): pods {:?} not found", self.name)?;
        if !self.near.is_empty() {
            write!(f, "; did you mean {}?", self.near.join(" or "))?;
        }
        Ok(())
    }
}

/// The failure of a command some of whose names mean no pod.
///
/// # Errors
/// That failure, if there are any.
pub fn none(missing: &[Missing]) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = missing.iter().map(ToString::to_string).collect();
    let words = || missing.iter().flat_map(|m| [m.name.as_str(), m.before.as_str()]);
    let one_of = |names: &[&str]| words().find(|word| names.contains(word));
    let hint = match one_of(&SERVED) {
        Some(word) => format!("This command knows pods alone; try 'nodepods kubectl get {word}'."),
        None if one_of(&ELSEWHERE).is_some() => {
            "A node knows its pods alone; other resources are in the API server.".into()
        }
        None => "'nodepods get pods' shows those that are there.".into(),
    };
    Err(Failure::new(Exit::NotFound, format!("{}\n{hint}", lines.join("\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::selection::tests::pod;

    #[test]
    fn what_was_probably_meant() {
        let pods = [
            pod("web", "shop-n1"),
            pod("db", "shop-n1"),
            pod("kube-system", "etcd-n1"),
            pod("a", "proxy"),
            pod("web", "shop-n1"),
        ];
        let said = |name: &str| {
            let wanted = Wanted { namespace: Some("x".into()), name: name.into() };
            Missing::among(&wanted, &pods).to_string()
        };
        assert_eq!(
            said("shop"),
            "Error from server (NotFound): pods \"shop\" not found; did you mean db/shop-n1 or web/shop-n1?"
        );
        assert!(said("etcd-n1").ends_with("did you mean kube-system/etcd-n1?"), "in another namespace");
        assert!(said("porxy").ends_with("did you mean a/proxy?"));
        assert!(said("something").ends_with(" not found"));
    }

    #[test]
    fn the_next_step_fits_what_was_typed() {
        let missing = |before: &str, name: &str| {
            let (name, before) = (name.into(), before.into());
            none(&[Missing { name, before, near: Vec::new() }]).unwrap_err()
        };
        let of = |name: &str| missing("", name);
        assert!(missing("deploy", "web").message.ends_with("other resources are in the API server."));
        assert!(of("nodes").message.ends_with("try 'nodepods kubectl get nodes'."));
        assert!(of("deployments").message.ends_with("other resources are in the API server."));
        assert!(of("web").message.ends_with("'nodepods get pods' shows those that are there."));
        assert_eq!((of("web").exit, none(&[])), (Exit::NotFound, Ok(())));
    }
}
