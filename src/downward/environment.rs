//! The environment of a container as the kubelet builds it.
//!
//! Source: `kubernetes/kubernetes pkg/kubelet/kubelet_pods.go` (makeEnvironmentVariables). Variables that the image
//! and the runtime set (`PATH`, `HOME`, `HOSTNAME`) are no part of it.

use serde_json::Value;

use super::expand::expand;
use super::field::{self, Target};
use super::pod::DownwardPod;
use super::resource;
use super::unknown::{Key, Unknown, Whole};
use crate::pod::spec::ResourceList;

/// Most bytes of a value that is put together from others: what Linux takes for one variable (`MAX_ARG_STRLEN`, with the
/// name). Values that refer to each other twice over double with each step, and would take all memory.
const LONGEST: usize = 128 * 1024;

/// One variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, or why that is not known here.
    pub value: Result<String, Unknown>,
}

/// The environment of one container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The variables whose names are known, in declared order; one that is declared twice stands where it was last
    /// declared.
    pub variables: Vec<Variable>,
    /// Sources of more variables, not even whose names are known.
    pub sources: Vec<Unknown>,
    /// Whether a kubelet with an API server sets variables for every service of the namespace; for the service
    /// `kubernetes` it does so in any case.
    pub service_links: bool,
}

impl Environment {
    /// Builds the environment of the container with this name; `None` where the pod has none of this name.
    /// `allocatable` is what the node can give, as far as it is known.
    #[must_use]
    pub fn of(pod: &DownwardPod, container: &str, allocatable: &ResourceList) -> Option<Self> {
        let json = pod.container_json(container)?;
        let mut environment = Self {
            service_links: pod.spec.get("enableServiceLinks").and_then(Value::as_bool).unwrap_or(true),
            sources: items(json, "envFrom").filter_map(whole_source).collect(),
            variables: Vec::new(),
        };
        for variable in items(json, "env") {
            let name = text(variable, "name").to_string();
            let literal = text(variable, "value");
            let value = match variable.get("valueFrom").filter(|from| from.is_object()) {
                _ if !literal.is_empty() => environment.expanded(literal),
                Some(from) => value_from(pod, from, container, allocatable),
                None => Ok(String::new()),
            };
            environment.variables.retain(|v| v.name != name);
            environment.variables.push(Variable { name, value });
        }
        Some(environment)
    }

    /// A literal value with what its references stand for.
    fn expanded(&self, literal: &str) -> Result<String, Unknown> {
        let mut left = LONGEST.saturating_sub(literal.len());
        expand(literal, |name| {
            let value = self.lookup(name)?;
            let length = value.as_ref().map_or(0, String::len);
            left = left.checked_sub(length).ok_or(Unknown::TooLong)?;
            Ok(value)
        })
    }

    /// What `$(name)` stands for, judged by the variables built so far. `None` leaves it as it is.
    ///
    /// # Errors
    /// The variable exists, or may exist, and its value is not known.
    pub fn lookup(&self, name: &str) -> Result<Option<String>, Unknown> {
        match self.variables.iter().find(|v| v.name == name).map(|v| &v.value) {
            Some(Ok(value)) => Ok(Some(value.clone())),
            Some(Err(_)) => Err(Unknown::Refers(name.into())),
            None if self.sources.iter().any(|s| may_set(s, name)) => Err(Unknown::MayRefer(name.into())),
            None if is_of_a_service(name, self.service_links) => Err(Unknown::Service(name.into())),
            None => Ok(None),
        }
    }
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn key_of(reference: &Value) -> Key {
    Key {
        name: text(reference, "name").into(),
        key: text(reference, "key").into(),
        optional: reference["optional"] == true,
    }
}

fn whole_source(source: &Value) -> Option<Unknown> {
    let whole = |reference: &Value| Whole {
        name: text(reference, "name").into(),
        prefix: text(source, "prefix").into(),
        optional: reference["optional"] == true,
    };
    match (&source["configMapRef"], &source["secretRef"]) {
        (map, _) if map.is_object() => Some(Unknown::WholeConfigMap(whole(map))),
        (_, secret) if secret.is_object() => Some(Unknown::WholeSecret(whole(secret))),
        _ => None,
    }
}

fn value_from(pod: &DownwardPod, from: &Value, container: &str, allocatable: &ResourceList) -> Result<String, Unknown> {
    let set = |kind: &str| from.get(kind).filter(|v| v.is_object());
    if let Some(field) = set("fieldRef") {
        return field::value(pod, text(field, "apiVersion"), text(field, "fieldPath"), Target::Variable);
    }
    if let Some(selector) = set("resourceFieldRef") {
        return resource::value(pod, selector, Some(container), allocatable);
    }
    Err(if let Some(reference) = set("configMapKeyRef") {
        Unknown::ConfigMap(key_of(reference))
    } else if let Some(reference) = set("secretKeyRef") {
        Unknown::Secret(key_of(reference))
    } else if let Some(file) = set("fileKeyRef") {
        let (key, path, volume) = (text(file, "key"), text(file, "path"), text(file, "volumeName"));
        Unknown::EnvFile(format!("key {key} of file {path} in volume {volume}"))
    } else {
        return Ok(String::new()); // a source that is newer than this program: the kubelet that knows it decides
    })
}

/// Whether one of these keys may be the variable `name`.
fn may_set(source: &Unknown, name: &str) -> bool {
    match source {
        Unknown::WholeSecret(all) | Unknown::WholeConfigMap(all) => {
            name.strip_prefix(all.prefix.as_str()).is_some_and(|key| !key.is_empty())
        }
        _ => false,
    }
}

/// Whether a kubelet with an API server may set `name` for a service (`kubernetes/kubernetes
/// pkg/kubelet/envvars/envvars.go`): `X_SERVICE_HOST`, `X_SERVICE_PORT`, `X_SERVICE_PORT_NAME`, `X_PORT`, and
/// `X_PORT_80_TCP` with `_PROTO`, `_PORT` and `_ADDR`.
fn is_of_a_service(name: &str, links: bool) -> bool {
    if !links && !name.starts_with("KUBERNETES_") {
        return false;
    }
    let service = |s: &str| !s.is_empty() && s.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    let of_a_port = |tail: &str| {
        let tail = ["_PROTO", "_PORT", "_ADDR"].iter().find_map(|end| tail.strip_suffix(end)).unwrap_or(tail);
        let port = tail.split_once('_').filter(|(_, protocol)| ["TCP", "UDP", "SCTP"].contains(protocol));
        port.is_some_and(|(number, _)| number.parse::<u16>().is_ok())
    };
    let ends = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"];
    service(name)
        && (ends.iter().any(|end| name.strip_suffix(end).is_some_and(service))
            || name.split_once("_SERVICE_PORT_").is_some_and(|(before, port)| service(before) && service(port))
            || name.match_indices("_PORT_").any(|(at, mark)| {
                let (before, after) = name.split_at(at);
                service(before) && after.strip_prefix(mark).is_some_and(of_a_port)
            }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(container: &Value) -> Environment {
        let spec = json!({"containers": [container], "nodeName": "n1"});
        let pod = DownwardPod::from_json(&json!({"name": "web"}), &spec, &json!({}));
        Environment::of(&pod, "main", &ResourceList::new()).unwrap()
    }

    /// `NAME=value`, or `NAME?why`.
    fn lines(env: &Value) -> Vec<String> {
        let built = of(&json!({"name": "main", "env": env}));
        let line = |v: &Variable| match &v.value {
            Ok(value) => format!("{}={value}", v.name),
            Err(why) => format!("{}?{why}", v.name),
        };
        built.variables.iter().map(line).collect()
    }

    #[test]
    fn declared_order_and_expansion() {
        let env = json!([
            {"name": "LATER", "value": "$(A)"},
            {"name": "A", "value": "1"},
            {"name": "B", "value": "$(A)2 $$(A) $(NONE) $A $("},
            {"name": "EMPTY"},
            {"name": "C", "value": "[$(EMPTY)]"},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "D", "value": "$(NODE)/$(B)"},
            {"name": "RAW", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['$(A)']"}}},
        ]);
        let want =
            ["LATER=$(A)", "A=1", "B=12 $(A) $(NONE) $A $(", "EMPTY=", "C=[]", "NODE=n1", "D=n1/12 $(A) $(NONE) $A $("];
        assert_eq!(lines(&env)[..7], want);
        assert!(lines(&env)[7].starts_with("RAW?a kubelet refuses it: invalid key"), "{:?}", lines(&env));
    }

    #[test]
    fn the_last_of_one_name_wins() {
        let env = json!([{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}, {"name": "A", "value": "$(A)2"}]);
        assert_eq!(lines(&env), ["B=1", "A=12"]);
    }

    #[test]
    fn values_that_double_with_each_step_take_no_more_than_a_kernel_would() {
        let double = |n: usize| json!({"name": format!("V{n}"), "value": format!("$(V{0})$(V{0})", n - 1)});
        let env: Vec<Value> = std::iter::once(json!({"name": "V0", "value": "x"})).chain((1..64).map(double)).collect();
        let built = of(&json!({"name": "main", "env": env})).variables;
        assert_eq!(built[16].value.as_ref().map(String::len), Ok(1 << 16));
        assert_eq!(built[17].value, Err(Unknown::TooLong), "with the references themselves it is too much");
        assert_eq!(built[63].value, Err(Unknown::Refers("V62".into())));
    }

    #[test]
    fn what_is_elsewhere_is_named() {
        let env = json!([
            {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
            {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "mode", "optional": true}}},
            {"name": "F", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "a/env", "key": "K"}}},
            {"name": "URL", "value": "db://x:$(PW)@h"},
            {"name": "API", "value": "$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)"},
        ]);
        assert_eq!(
            lines(&env),
            [
                "PW?key password of secret db",
                "MODE?key mode of config map app (optional)",
                "F?key K of file a/env in volume v",
                "URL?refers to PW, which is not known",
                "API?refers to KUBERNETES_SERVICE_HOST, a variable of a service, which the API server knows",
            ]
        );
    }

    #[test]
    fn env_from_is_named_as_a_whole() {
        let container = json!({"name": "main", "envFrom": [
            {"configMapRef": {"name": "app"}, "prefix": "APP_"}, {"secretRef": {"name": "db", "optional": true}, "prefix": "DB_"}],
            "env": [{"name": "A", "value": "$(APP_MODE)"}, {"name": "B", "value": "$(MODE)"}, {"name": "APP_X", "value": "1"},
                {"name": "C", "value": "$(APP_X)"}]});
        let built = of(&container);
        let words: Vec<_> = built.sources.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            ["all keys of config map app, each behind APP_", "all keys of secret db, each behind DB_ (optional)"]
        );
        let values: Vec<_> = built.variables.iter().map(|v| v.value.clone()).collect();
        let may = Unknown::MayRefer("APP_MODE".into());
        assert_eq!(values, [Err(may), Ok("$(MODE)".into()), Ok("1".into()), Ok("1".into())]);
    }

    #[test]
    fn names_that_services_have() {
        for name in [
            "KUBERNETES_SERVICE_HOST",
            "WEB_SERVICE_PORT",
            "WEB_SERVICE_PORT_HTTPS",
            "WEB_PORT",
            "WEB_PORT_80_TCP",
            "WEB_PORT_80_TCP_ADDR",
            "MY_PORT_THING_PORT_53_UDP_PROTO",
        ] {
            assert!(is_of_a_service(name, true), "{name}");
        }
        for name in [
            "",
            "HOST",
            "PORT",
            "_PORT",
            "web_PORT",
            "WEB_PORT_X_TCP",
            "WEB_PORT_80",
            "WEB_PORT_80_TCP_X",
            "SERVICE_PORT_",
        ] {
            assert!(!is_of_a_service(name, true), "{name}");
        }
        assert!(is_of_a_service("KUBERNETES_PORT_443_TCP", false) && !is_of_a_service("WEB_SERVICE_HOST", false));
    }

    #[test]
    fn no_such_container() {
        let pod = DownwardPod::from_json(&json!({}), &json!({"initContainers": [{"name": "i"}]}), &json!({}));
        assert!(Environment::of(&pod, "i", &ResourceList::new()).is_some());
        assert_eq!(Environment::of(&pod, "main", &ResourceList::new()), None);
    }
}
