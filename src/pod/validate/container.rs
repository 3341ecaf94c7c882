//! Containers and init containers.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/validation/validation.go` (validateContainers,
//! validateInitContainers, validateContainerCommon, validateContainerPorts, checkHostPortConflicts).

use std::collections::{BTreeMap, BTreeSet};

use super::place::Place;
use super::report::Report;
use super::{env, mount, probe, resources, security};
use crate::pod::names;

/// What a container's rules depend on in the rest of the pod.
pub struct Pod<'a> {
    /// The volumes of `spec.volumes` by name.
    pub volumes: BTreeMap<&'a str, Place<'a>>,
    /// `spec.restartPolicy`.
    pub restart_policy: &'a str,
    /// `spec.terminationGracePeriodSeconds`.
    pub grace: i64,
    /// False where the pod has a user namespace of its own.
    pub host_users: bool,
}

/// Checks `spec.containers` and `spec.initContainers`.
pub fn check(containers: &Place<'_>, init: &Place<'_>, pod: &Pod<'_>, out: &mut Report) {
    if containers.is_empty() {
        out.required(containers, "a pod needs at least one container");
    }
    let mut seen = BTreeSet::new();
    let mut host_ports = BTreeSet::new();
    for container in containers.items() {
        common(&container, pod, &mut seen, out);
        probe::check(&container, pod.grace, out);
        host_port_conflicts(&container, &mut host_ports, out);
    }
    for container in init.items() {
        common(&container, pod, &mut seen, out);
        host_port_conflicts(&container, &mut BTreeSet::new(), out);
        if container.at("restartPolicy").text() == "Always" {
            probe::check(&container, pod.grace, out);
            continue;
        }
        for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if container.at(field).present() {
                let detail = "may not be set for init containers without restartPolicy=Always";
                out.forbidden(&container.at(field), "NotForInitContainers", detail);
            }
        }
    }
}

fn common<'a>(container: &Place<'a>, pod: &Pod<'_>, seen: &mut BTreeSet<&'a str>, out: &mut Report) {
    let name = container.at("name");
    if name.is_empty() {
        out.required(&name, "a container needs a name");
    } else {
        out.invalid_all(&name, "InvalidName", names::dns_label(name.text()));
        if !seen.insert(name.text()) {
            let advice = "container names must be unique in the pod, init containers included; rename one of them";
            out.duplicate(&name, "DuplicateName", advice);
        }
    }
    image(&container.at("image"), out);
    out.one_of(&container.at("imagePullPolicy"), &["Always", "IfNotPresent", "Never"]);
    out.one_of(&container.at("terminationMessagePolicy"), &["FallbackToLogsOnError", "File"]);
    restart(container, out);
    ports(&container.at("ports"), out);
    env::check(container, &pod.volumes, out);
    mount::check(container, &pod.volumes, out);
    resources::check(&container.at("resources"), resources::Owner::Container, out);
    resize_policy(&container.at("resizePolicy"), pod.restart_policy, out);
    security::container(&container.at("securityContext"), pod.host_users, out);
}

fn image(place: &Place<'_>, out: &mut Report) {
    if place.is_empty() {
        out.required(place, "name the image to run");
    } else if place.text().trim() != place.text() {
        out.invalid(place, "InvalidImage", "must not have leading or trailing whitespace");
    }
}

/// The container's own restart policy and rules (gate ContainerRestartRules, on by default since 1.35; before that
/// only `Always` on an init container was accepted).
fn restart(container: &Place<'_>, out: &mut Report) {
    let policy = container.at("restartPolicy");
    out.one_of(&policy, &["Always", "Never", "OnFailure"]);
    let rules = container.at("restartPolicyRules");
    if !rules.is_empty() && !policy.present() {
        out.required(&policy, "must specify restartPolicy when restart rules are used");
    }
    for rule in rules.items() {
        if rule.at("action").is_empty() {
            out.required(&rule.at("action"), "say what to do, such as Restart");
        }
        if !rule.at("exitCodes").present() {
            out.required(&rule.at("exitCodes"), "must be specified");
        }
    }
}

fn ports(list: &Place<'_>, out: &mut Report) {
    let mut seen = BTreeSet::new();
    for port in list.items() {
        let name = port.at("name");
        if !name.is_empty() {
            let problems = names::port_name(name.text());
            if problems.is_empty() && !seen.insert(name.text()) {
                out.duplicate(&name, "DuplicateName", "port names must be unique in the container");
            }
            out.invalid_all(&name, "InvalidName", problems);
        }
        let number = port.at("containerPort");
        match number.number().unwrap_or_default() {
            0 => out.required(&number, "name the port that the container listens on"),
            n => out.invalid_all(&number, "InvalidPort", names::port_number(n)),
        }
        let host = port.at("hostPort");
        if let Some(n) = host.number().filter(|n| *n != 0) {
            out.invalid_all(&host, "InvalidPort", names::port_number(n));
        }
        out.one_of(&port.at("protocol"), &["SCTP", "TCP", "UDP"]);
    }
}

/// Two ports of the pod may not take the same port of the node.
fn host_port_conflicts<'a>(container: &Place<'a>, taken: &mut BTreeSet<(&'a str, &'a str, i64)>, out: &mut Report) {
    for port in container.at("ports").items() {
        let host = port.at("hostPort");
        let number = host.number().unwrap_or_default();
        if number != 0 && !taken.insert((port.at("protocol").text(), port.at("hostIP").text(), number)) {
            // Where the defaults made the port of the node, the manifest has only the port of the container.
            out.duplicate(&host, "PortConflict", "another port of this pod takes the same port of the node");
        }
    }
}

fn resize_policy(list: &Place<'_>, restart_policy: &str, out: &mut Report) {
    let mut seen = BTreeSet::new();
    for item in list.items() {
        let (name, policy) = (item.at("resourceName"), item.at("restartPolicy"));
        for (place, allowed) in [(&name, ["cpu", "memory"]), (&policy, ["NotRequired", "RestartContainer"])] {
            if place.is_empty() {
                out.required(place, &format!("one of {}", allowed.join(", ")));
            } else {
                out.one_of(place, &allowed);
            }
        }
        if !seen.insert(name.text()) {
            out.duplicate(&name, "DuplicateName", "name each resource once");
        }
        if restart_policy == "Never" && policy.text() == "RestartContainer" {
            out.invalid(&policy, "InvalidResource", "must be 'NotRequired' when `restartPolicy` is 'Never'");
        }
    }
}
