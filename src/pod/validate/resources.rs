//! Requests and limits.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/validation/validation.go` (ValidateContainerResourceRequirements,
//! validateContainerResourceName, validatePodResources), `pkg/apis/core/helper/helpers.go`.

use super::place::Place;
use super::report::Report;
use crate::codec::quantity::Quantity;
use crate::pod::names;

/// What the resources belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A container.
    Container,
    /// The pod as a whole (`spec.resources`), which may have only cpu, memory and huge pages.
    Pod,
}

/// The quantity at a place, if there is one. Its syntax has been checked with the types.
#[must_use]
pub fn quantity(place: &Place<'_>) -> Option<Quantity> {
    let text = match place.value() {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Quantity::parse(&text).ok()
}

/// Whether a quantity is below zero.
#[must_use]
pub fn is_negative(amount: &Quantity) -> bool {
    amount.value() < 0
}

/// Checks `resources`.
pub fn check(resources: &Place<'_>, owner: Owner, out: &mut Report) {
    let (limits, requests) = (resources.at("limits"), resources.at("requests"));
    for list in [&limits, &requests] {
        let mut huge_pages = false;
        let mut base = false;
        for (name, place) in list.entries() {
            huge_pages |= is_huge_page(name);
            base |= matches!(name, "cpu" | "memory");
            // A request that was made from the limit would only be told twice.
            let copy = limits.find(name).filter(|l| l.path() != place.path() && l.value() == place.value());
            if copy.is_none() {
                resource_name(name, &place, owner, out);
                amount(name, &place, out);
            }
        }
        if huge_pages && !base && owner == Owner::Container {
            out.forbidden(list, "InvalidResource", "HugePages require cpu or memory");
        }
    }
    for (name, request) in requests.entries() {
        compare(name, &request, limits.find(name).as_ref(), &limits, out);
    }
    for claim in resources.at("claims").items() {
        let advice = "must be one of the names in pod.spec.resourceClaims, which a static pod cannot have";
        out.not_found(&claim.at("name"), "ResourceClaimReference", advice);
    }
}

fn compare(name: &str, request: &Place<'_>, limit: Option<&Place<'_>>, limits: &Place<'_>, out: &mut Report) {
    let Some(limit) = limit else {
        if !may_overcommit(name) {
            let advice = format!("Limit must be set for non overcommitable resources; set the limit of {name}");
            out.required(limits, &advice);
        }
        return;
    };
    let (Some(asked), Some(most)) = (quantity(request), quantity(limit)) else { return };
    if asked != most && !may_overcommit(name) {
        out.invalid(request, "InvalidResource", &format!("must be equal to {name} limit of {most}"));
    } else if asked > most {
        out.invalid(request, "InvalidResource", &format!("must be less than or equal to {name} limit of {most}"));
    }
}

fn amount(name: &str, place: &Place<'_>, out: &mut Report) {
    let Some(amount) = quantity(place) else { return };
    if is_negative(&amount) {
        out.invalid(place, "InvalidResource", "must be greater than or equal to 0");
    } else if (is_extended(name) || is_huge_page(name))
        && amount.milli_value() % 1000 != 0
        && amount.milli_value() != i64::MAX
    {
        out.invalid(place, "InvalidResource", "must be an integer");
    }
}

fn resource_name(name: &str, place: &Place<'_>, owner: Owner, out: &mut Report) {
    let problems = names::qualified_name(name);
    if !problems.is_empty() {
        out.invalid_key(place, name, "InvalidResource", problems);
        return;
    }
    let standard = matches!(name, "cpu" | "memory") || is_huge_page(name);
    let detail = match owner {
        Owner::Pod if !standard => "must be cpu, memory or hugepages-SIZE at the level of the pod",
        Owner::Container if !name.contains('/') && !standard && name != "ephemeral-storage" => {
            "must be a standard resource for containers"
        }
        Owner::Container if !is_native(name) && !is_extended(name) => "doesn't follow extended resource name standard",
        _ => return,
    };
    out.invalid_key(place, name, "InvalidResource", vec![detail.to_owned()]);
}

/// Checks `spec.overhead`.
pub fn overhead(map: &Place<'_>, out: &mut Report) {
    for (name, place) in map.entries() {
        resource_name(name, &place, Owner::Container, out);
        amount(name, &place, out);
    }
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.") && names::qualified_name(&format!("requests.{name}")).is_empty()
}

fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}
