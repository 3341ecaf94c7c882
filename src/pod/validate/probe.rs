//! Probes, lifecycle hooks and what they run.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/validation/validation.go` (validateProbe, validateHandler,
//! validateLifecycle).

use super::place::Place;
use super::report::Report;
use crate::pod::names;

/// Checks the three probes and the lifecycle of a container that may have them. `grace` is the pod's
/// `terminationGracePeriodSeconds`.
pub fn check(container: &Place<'_>, grace: i64, out: &mut Report) {
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(place) = container.at(name).some() else { continue };
        probe(&place, grace, out);
        if name == "readinessProbe" {
            let own_grace = place.at("terminationGracePeriodSeconds");
            if own_grace.present() {
                out.invalid(&own_grace, "InvalidProbe", "must not be set for readinessProbes");
            }
        } else if place.at("successThreshold").number().is_some_and(|n| n != 1) {
            out.invalid(&place.at("successThreshold"), "InvalidProbe", "must be 1");
        }
    }
    let lifecycle = container.at("lifecycle");
    for hook in ["postStart", "preStop"] {
        if let Some(place) = lifecycle.at(hook).some() {
            handler(&place, &["exec", "httpGet", "tcpSocket", "sleep"], grace, out);
        }
    }
}

fn probe(place: &Place<'_>, grace: i64, out: &mut Report) {
    handler(place, &["exec", "httpGet", "tcpSocket", "grpc"], grace, out);
    for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        out.non_negative(&place.at(field));
    }
    let own_grace = place.at("terminationGracePeriodSeconds");
    if own_grace.number().is_some_and(|n| n <= 0) {
        out.invalid(&own_grace, "OutOfRange", "must be greater than 0");
    }
}

fn handler(place: &Place<'_>, kinds: &[&str], grace: i64, out: &mut Report) {
    let mut found = false;
    for kind in kinds {
        let Some(action) = place.at(kind).some() else { continue };
        if found {
            out.forbidden(&action, "TooManyHandlers", "may not specify more than 1 handler type");
            continue;
        }
        found = true;
        match *kind {
            "exec" => {
                if action.at("command").is_empty() {
                    out.required(&action.at("command"), "give the command to run");
                }
            }
            "httpGet" => http_get(&action, out),
            "sleep" => {
                let seconds = action.at("seconds").number().unwrap_or_default();
                if !(0..=grace).contains(&seconds) {
                    let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                    out.invalid(&action.at("seconds"), "OutOfRange", &detail);
                }
            }
            _ => port(&action.at("port"), out),
        }
    }
    if !found {
        let advice = format!("must specify a handler type: one of {}", kinds.join(", "));
        out.required(place, &advice);
    }
}

fn http_get(action: &Place<'_>, out: &mut Report) {
    port(&action.at("port"), out);
    out.one_of(&action.at("scheme"), &["HTTP", "HTTPS"]);
    for header in action.at("httpHeaders").items() {
        let name = header.at("name");
        out.invalid_all(&name, "InvalidName", names::header_name(name.text()));
    }
}

/// A port given as a number or as the name of a container port.
fn port(place: &Place<'_>, out: &mut Report) {
    let details = match place.number() {
        Some(n) => names::port_number(n),
        None if place.present() => names::port_name(place.text()),
        None => names::port_number(0),
    };
    out.invalid_all(place, "InvalidPort", details);
}
