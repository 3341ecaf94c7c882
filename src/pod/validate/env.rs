//! Environment variables and the downward API.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/validation/validation.go` (ValidateEnv, ValidateEnvFrom,
//! validateObjectFieldSelector, validateContainerResourceFieldSelector), `pkg/apis/core/pods/helpers.go`.

use std::collections::BTreeMap;

use super::place::Place;
use super::report::Report;
use super::resources::quantity;
use crate::pod::names;

const SOURCES: [&str; 5] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
const ENV_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const MEMORY_DIVISORS: [&str; 13] = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/// Checks `env` and `envFrom` of a container.
pub fn check(container: &Place<'_>, volumes: &BTreeMap<&str, Place<'_>>, out: &mut Report) {
    for variable in container.at("env").items() {
        let name = variable.at("name");
        if name.is_empty() {
            out.required(&name, "an environment variable needs a name");
        } else {
            out.invalid_all(&name, "InvalidEnvName", names::env_name(name.text()));
        }
        if let Some(from) = variable.at("valueFrom").some() {
            value_from(&from, !variable.at("value").is_empty(), volumes, out);
        }
    }
    for source in container.at("envFrom").items() {
        let prefix = source.at("prefix");
        if !prefix.is_empty() {
            out.invalid_all(&prefix, "InvalidEnvName", names::env_name(prefix.text()));
        }
        match ["configMapRef", "secretRef"].into_iter().filter(|s| source.at(s).present()).count() {
            0 => out.invalid(&source, "InvalidEnvSource", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => out.invalid(&source, "InvalidEnvSource", "may not have more than one field specified at a time"),
        }
        for reference in ["configMapRef", "secretRef"] {
            if let Some(place) = source.at(reference).some() {
                reference_name(&place, out);
            }
        }
    }
}

fn reference_name(place: &Place<'_>, out: &mut Report) {
    let name = place.at("name");
    if name.is_empty() {
        out.required(&name, "name the object that is referred to");
    } else {
        out.invalid_all(&name, "InvalidName", names::dns_subdomain(name.text()));
    }
}

fn value_from(from: &Place<'_>, has_value: bool, volumes: &BTreeMap<&str, Place<'_>>, out: &mut Report) {
    let found = SOURCES.iter().filter(|s| from.at(s).present()).count();
    if found == 0 {
        let detail =
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
        out.invalid(from, "InvalidEnvSource", detail);
    } else if has_value {
        out.invalid(from, "InvalidEnvSource", "may not be specified when `value` is not empty");
    } else if found > 1 {
        out.invalid(from, "InvalidEnvSource", "may not have more than one field specified at a time");
    }
    if let Some(place) = from.at("fieldRef").some() {
        field_ref(&place, &ENV_FIELDS, out);
    }
    if let Some(place) = from.at("resourceFieldRef").some() {
        resource_field_ref(&place, false, out);
    }
    for selector in ["configMapKeyRef", "secretKeyRef"] {
        if let Some(place) = from.at(selector).some() {
            if place.at("key").is_empty() {
                out.required(&place.at("key"), "name the key to take the value from");
            }
        }
    }
    if let Some(file) = from.at("fileKeyRef").some() {
        for field in ["key", "path", "volumeName"] {
            if file.at(field).is_empty() {
                out.required(&file.at(field), &format!("a reference to a file's key needs its {field}"));
            }
        }
        let volume = file.at("volumeName");
        if !volume.is_empty() && !volumes.contains_key(volume.text()) {
            out.not_found(&volume, "UnknownVolume", "declare the volume under spec.volumes");
        }
    }
}

/// Checks a reference to a field of the pod itself. `fields` are those that may be referred to as a whole.
pub fn field_ref(place: &Place<'_>, fields: &[&str], out: &mut Report) {
    let path = place.at("fieldPath");
    let version = place.at("apiVersion");
    if path.is_empty() {
        out.required(&path, &format!("name the field: one of {}", fields.join(", ")));
        return;
    }
    if version.text() != "v1" && !version.is_empty() {
        let detail = format!("error converting fieldPath: unsupported pod version: {}", version.text());
        out.invalid(&path, "InvalidFieldRef", &detail);
        return;
    }
    let text = path.text();
    match subscript(text) {
        Some(("metadata.annotations", key)) => {
            out.invalid_all(place, "InvalidFieldRef", names::qualified_name(&key.to_lowercase()));
        }
        Some(("metadata.labels", key)) => out.invalid_all(place, "InvalidFieldRef", names::qualified_name(key)),
        Some(_) => out.invalid(&path, "InvalidFieldRef", "does not support subscript"),
        None if fields.contains(&text) || (text == "spec.host" && fields.contains(&"spec.nodeName")) => {}
        None => out.unsupported(&path, fields),
    }
}

/// Splits `metadata.labels['key']` into the field and the key, which may be empty (`kubernetes/kubernetes
/// pkg/fieldpath/fieldpath.go`, SplitMaybeSubscriptedPath).
#[must_use]
pub fn subscript(path: &str) -> Option<(&str, &str)> {
    path.strip_suffix("']")?.split_once("['").filter(|(field, _)| !field.is_empty())
}

/// Checks a reference to a container's limits and requests. In a volume the container must be named.
pub fn resource_field_ref(place: &Place<'_>, volume: bool, out: &mut Report) {
    let resource = place.at("resource");
    let name = resource.text();
    let huge = name.starts_with("limits.hugepages-") || name.starts_with("requests.hugepages-");
    if volume && place.at("containerName").is_empty() {
        out.required(&place.at("containerName"), "name the container whose resources are meant");
    } else if name.is_empty() {
        out.required(&resource, &format!("name the resource: one of {}", RESOURCES.join(", ")));
    } else if !RESOURCES.contains(&name) && !huge {
        out.unsupported(&resource, &RESOURCES);
    }
    let divisor = place.at("divisor");
    let Some(amount) = quantity(&divisor).filter(|q| !q.is_zero()) else { return };
    let (allowed, of): (&[&str], &str) = if name.ends_with(".cpu") {
        (&["1m", "1"], "the cpu resource")
    } else if name.ends_with(".memory") {
        (&MEMORY_DIVISORS, "the memory resource")
    } else if name.ends_with(".ephemeral-storage") {
        (&MEMORY_DIVISORS, "the local ephemeral storage resource")
    } else if huge {
        (&MEMORY_DIVISORS, "the hugepages resource")
    } else {
        return;
    };
    if !allowed.contains(&amount.as_str()) {
        let listed = if allowed.len() == 2 { "1m and 1".to_owned() } else { allowed.join(", ") };
        let detail = format!("only divisor's values {listed} are supported with {of}");
        out.invalid(&divisor, "InvalidResource", &detail);
    }
}
