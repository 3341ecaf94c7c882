//! `metadata` of a pod.
//!
//! Source: `kubernetes/apimachinery pkg/api/validation/objectmeta.go`, `kubernetes/kubernetes
//! pkg/kubelet/config/common.go` (the name is required, and is checked with the node's name appended).

use super::place::Place;
use super::report::Report;
use crate::pod::names;

/// Bytes that all annotations together may take up.
const ANNOTATIONS_MAX: usize = 256 * 1024;

/// Checks the metadata of a static pod.
pub fn check(metadata: &Place<'_>, out: &mut Report) {
    name(&metadata.at("name"), out);
    let generate = metadata.at("generateName");
    if !generate.is_empty() {
        // A prefix may end in a hyphen.
        let prefix = generate.text().strip_suffix('-').map_or_else(|| generate.text().to_owned(), |p| format!("{p}a"));
        out.invalid_all(&generate, "InvalidName", names::dns_subdomain(&prefix));
    }
    let namespace = metadata.at("namespace");
    if !namespace.is_empty() {
        out.invalid_all(&namespace, "InvalidNamespace", names::dns_label(namespace.text()));
    }
    out.non_negative(&metadata.at("generation"));
    labels(&metadata.at("labels"), out);
    annotations(&metadata.at("annotations"), out);
    for owner in metadata.at("ownerReferences").items() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            let place = owner.at(field);
            if place.is_empty() {
                out.required(&place, &format!("an owner reference needs its {field}"));
            }
        }
    }
    for finalizer in metadata.at("finalizers").items() {
        out.invalid_all(&finalizer, "InvalidName", names::qualified_name(finalizer.text()));
    }
}

fn name(place: &Place<'_>, out: &mut Report) {
    if place.is_empty() {
        out.required(place, "name is needed for the pod; set metadata.name");
        return;
    }
    // The kubelet checks `<name>-<node>`: a name may end in a hyphen, but not in a dot.
    let details = names::dns_subdomain(&format!("{}-n", place.text()));
    out.invalid_all(place, "InvalidName", details);
}

/// Checks labels, or the node selector, which has the same form (`ValidateLabels`).
pub fn labels(map: &Place<'_>, out: &mut Report) {
    for (key, value) in map.entries() {
        out.invalid_key(&value, key, "InvalidLabel", names::qualified_name(key));
        out.invalid_all(&value, "InvalidLabel", names::label_value(value.text()));
    }
}

fn annotations(map: &Place<'_>, out: &mut Report) {
    let mut size = 0;
    for (key, value) in map.entries() {
        size += key.len() + value.text().len();
        out.invalid_key(&value, key, "InvalidAnnotation", names::qualified_name(&key.to_lowercase()));
    }
    if size > ANNOTATIONS_MAX {
        out.error(map, "TooLong", format!("Too long: may not be more than {ANNOTATIONS_MAX} bytes; it is {size}"));
    }
}
