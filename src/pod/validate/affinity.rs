//! Where the pod may run. The kubelet acts on little of it, but refuses a manifest in which it is wrong.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/validation/validation.go` (validateAffinity,
//! ValidateNodeSelectorRequirement, validatePodAffinityTerm, validateTopologySpreadConstraints),
//! `kubernetes/apimachinery pkg/apis/meta/v1/validation/validation.go` (ValidateLabelSelector).

use std::collections::BTreeSet;

use super::place::Place;
use super::report::Report;
use crate::pod::names;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Checks `spec.affinity` and `spec.topologySpreadConstraints`.
pub fn check(spec: &Place<'_>, out: &mut Report) {
    let affinity = spec.at("affinity");
    node_affinity(&affinity.at("nodeAffinity"), out);
    for kind in ["podAffinity", "podAntiAffinity"] {
        let place = affinity.at(kind);
        for term in place.at(REQUIRED).items() {
            pod_term(&term, out);
        }
        for weighted in place.at(PREFERRED).items() {
            weight(&weighted, out);
            pod_term(&weighted.at("podAffinityTerm"), out);
        }
    }
    spread(&spec.at("topologySpreadConstraints"), out);
}

fn node_affinity(affinity: &Place<'_>, out: &mut Report) {
    if let Some(selector) = affinity.at(REQUIRED).some() {
        let terms = selector.at("nodeSelectorTerms");
        if terms.is_empty() {
            out.required(&terms, "must have at least one node selector term");
        }
        for term in terms.items() {
            node_term(&term, out);
        }
    }
    for preferred in affinity.at(PREFERRED).items() {
        weight(&preferred, out);
        node_term(&preferred.at("preference"), out);
    }
}

fn weight(place: &Place<'_>, out: &mut Report) {
    let weight = place.at("weight");
    if !(1..=100).contains(&weight.number().unwrap_or_default()) {
        out.invalid(&weight, "OutOfRange", "must be in the range 1-100");
    }
}

fn node_term(term: &Place<'_>, out: &mut Report) {
    for requirement in term.at("matchExpressions").items() {
        expression(&requirement, Operators::Node, out);
    }
    for requirement in term.at("matchFields").items() {
        let (key, operator) = (requirement.at("key"), requirement.at("operator"));
        if !matches!(operator.text(), "In" | "NotIn") {
            out.invalid(&operator, "InvalidSelector", "not a valid selector operator");
        } else if requirement.at("values").items().count() != 1 {
            let advice = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            out.required(&requirement.at("values"), advice);
        }
        if key.text() != "metadata.name" {
            out.invalid(&key, "InvalidSelector", "not a valid field selector key");
        }
        for value in requirement.at("values").items() {
            out.invalid_all(&value, "InvalidName", names::dns_subdomain(value.text()));
        }
    }
}

/// Which operators a requirement may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operators {
    /// Those of label selectors.
    Labels,
    /// These, and comparisons.
    Node,
}

fn expression(requirement: &Place<'_>, operators: Operators, out: &mut Report) {
    let [key, operator, values] = ["key", "operator", "values"].map(|f| requirement.at(f));
    match operator.text() {
        "In" | "NotIn" if values.is_empty() => {
            out.required(&values, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            out.forbidden(&values, "InvalidSelector", detail);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        "Gt" | "Lt" if operators == Operators::Node => {
            if values.items().count() != 1 {
                out.required(&values, "must be specified single value when `operator` is 'Lt' or 'Gt'");
            }
        }
        _ => out.invalid(&operator, "InvalidSelector", "not a valid selector operator"),
    }
    out.invalid_all(&key, "InvalidLabel", names::qualified_name(key.text()));
    for value in values.items() {
        out.invalid_all(&value, "InvalidLabel", names::label_value(value.text()));
    }
}

fn pod_term(term: &Place<'_>, out: &mut Report) {
    label_selector(&term.at("labelSelector"), out);
    label_selector(&term.at("namespaceSelector"), out);
    for namespace in term.at("namespaces").items() {
        out.invalid_all(&namespace, "InvalidNamespace", names::dns_label(namespace.text()));
    }
    topology_key(&term.at("topologyKey"), out);
}

fn topology_key(key: &Place<'_>, out: &mut Report) {
    if key.is_empty() {
        out.required(key, "can not be empty");
    } else {
        out.invalid_all(key, "InvalidLabel", names::qualified_name(key.text()));
    }
}

fn label_selector(selector: &Place<'_>, out: &mut Report) {
    super::metadata::labels(&selector.at("matchLabels"), out);
    for requirement in selector.at("matchExpressions").items() {
        expression(&requirement, Operators::Labels, out);
    }
}

fn spread(constraints: &Place<'_>, out: &mut Report) {
    let mut seen = BTreeSet::new();
    for constraint in constraints.items() {
        let [skew, key, unsatisfiable, domains] =
            ["maxSkew", "topologyKey", "whenUnsatisfiable", "minDomains"].map(|f| constraint.at(f));
        if skew.number().unwrap_or_default() <= 0 {
            out.invalid(&skew, "OutOfRange", "must be greater than zero");
        }
        topology_key(&key, out);
        if matches!(unsatisfiable.text(), "DoNotSchedule" | "ScheduleAnyway") {
            if !seen.insert((key.text(), unsatisfiable.text())) {
                let advice = "the pair of topologyKey and whenUnsatisfiable must be unique";
                out.duplicate(&key, "DuplicateConstraint", advice);
            }
        } else {
            out.unsupported(&unsatisfiable, &["DoNotSchedule", "ScheduleAnyway"]);
        }
        if domains.number().is_some_and(|n| n <= 0) {
            out.invalid(&domains, "OutOfRange", "must be greater than zero");
        } else if domains.present() && unsatisfiable.text() != "DoNotSchedule" {
            let detail = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not another";
            out.invalid(&domains, "InvalidConstraint", detail);
        }
        for policy in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            out.one_of(&constraint.at(policy), &["Honor", "Ignore"]);
        }
        label_selector(&constraint.at("labelSelector"), out);
    }
}
