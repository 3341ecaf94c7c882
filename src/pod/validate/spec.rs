//! The pod's spec beside its containers and volumes.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/validation/validation.go` (ValidatePodSpec, ValidatePodCreate,
//! ValidateTolerations, validatePodDNSConfig, ValidateHostAliases, validatePodHostNetworkDeps).

use super::place::Place;
use super::report::Report;
use super::{affinity, container, metadata, resources, security, volume};
use crate::pod::names;

/// Checks the spec of a static pod.
pub fn check(spec: &Place<'_>, out: &mut Report) {
    volume::check(&spec.at("volumes"), out);
    let pod = container::Pod {
        volumes: spec.at("volumes").items().map(|v| (v.at("name").text(), v)).collect(),
        restart_policy: spec.at("restartPolicy").text(),
        grace: spec.at("terminationGracePeriodSeconds").number().unwrap_or_default(),
        host_users: spec.at("hostUsers").value().as_bool() != Some(false),
    };
    container::check(&spec.at("containers"), &spec.at("initContainers"), &pod, out);
    not_in_static_pods(spec, out);
    host_network(spec, out);
    resources::check(&spec.at("resources"), resources::Owner::Pod, out);
    resources::overhead(&spec.at("overhead"), out);
    security::pod(spec, out);
    affinity::check(spec, out);
    dns(spec, out);
    tolerations(&spec.at("tolerations"), out);
    host_aliases(&spec.at("hostAliases"), out);
    metadata::labels(&spec.at("nodeSelector"), out);
    out.one_of(&spec.at("restartPolicy"), &["Always", "Never", "OnFailure"]);
    out.one_of(&spec.at("preemptionPolicy"), &["Never", "PreemptLowerPriority"]);
    out.range(&spec.at("activeDeadlineSeconds"), 1, i64::from(i32::MAX));
    for field in ["hostname", "subdomain"] {
        let place = spec.at(field);
        if !place.is_empty() {
            out.invalid_all(&place, "InvalidName", names::dns_label(place.text()));
        }
    }
    for field in ["priorityClassName", "runtimeClassName"] {
        let place = spec.at(field);
        if place.present() && (field == "runtimeClassName" || !place.is_empty()) {
            out.invalid_all(&place, "InvalidName", names::dns_subdomain(place.text()));
        }
    }
    for gate in spec.at("readinessGates").items() {
        let kind = gate.at("conditionType");
        out.invalid_all(&kind, "InvalidName", names::qualified_name(kind.text()));
    }
    if let Some(os) = spec.at("os").some() {
        if os.at("name").is_empty() {
            out.required(&os.at("name"), "linux or windows");
        } else {
            out.one_of(&os.at("name"), &["linux", "windows"]);
        }
    }
}

/// A static pod is bound to its node from the start and made in one go.
fn not_in_static_pods(spec: &Place<'_>, out: &mut Report) {
    let ephemeral = spec.at("ephemeralContainers");
    if !ephemeral.is_empty() {
        let detail = "cannot be set on create; static pods cannot have ephemeral containers";
        out.forbidden(&ephemeral, "EphemeralContainers", detail);
    }
    let gates = spec.at("schedulingGates");
    if !gates.is_empty() {
        let detail = "nodeName cannot be set until all schedulingGates have been cleared, and a static pod always has \
            one; remove them";
        out.forbidden(&gates, "SchedulingGates", detail);
    }
}

fn host_network(spec: &Place<'_>, out: &mut Report) {
    if !spec.at("hostNetwork").truth() {
        return;
    }
    for container in spec.at("containers").items() {
        for port in container.at("ports").items() {
            let host = port.at("hostPort");
            if host.number() != port.at("containerPort").number() {
                out.invalid(&host, "InvalidPort", "must match `containerPort` when `hostNetwork` is true");
            }
        }
    }
}

fn dns(spec: &Place<'_>, out: &mut Report) {
    let (policy, config) = (spec.at("dnsPolicy"), spec.at("dnsConfig"));
    out.one_of(&policy, &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]);
    let servers = config.at("nameservers");
    if policy.text() == "None" {
        if !config.present() {
            out.required(&config, "must provide `dnsConfig` when `dnsPolicy` is None");
            return;
        }
        if servers.is_empty() {
            out.required(&servers, "must provide at least one DNS nameserver when `dnsPolicy` is None");
            return;
        }
    }
    if servers.items().count() > 3 {
        out.invalid(&servers, "InvalidDNS", "must not have more than 3 nameservers");
    }
    for server in servers.items() {
        out.invalid_all(&server, "InvalidAddress", names::ip(server.text()));
    }
    let searches = config.at("searches");
    let texts: Vec<&str> = searches.items().map(|s| s.text()).collect();
    if texts.len() > 32 {
        out.invalid(&searches, "InvalidDNS", "must not have more than 32 search paths");
    }
    if texts.join(" ").len() > 2048 {
        let detail = "must not have more than 2048 characters (including spaces) in the search list";
        out.invalid(&searches, "InvalidDNS", detail);
    }
    for search in searches.items().filter(|s| s.text() != ".") {
        let text = search.text();
        let problems = names::dns_search(text.strip_suffix('.').unwrap_or(text));
        out.invalid_all(&search, "InvalidDNS", problems);
    }
    for option in config.at("options").items() {
        if option.at("name").is_empty() {
            out.required(&option.at("name"), "must not be empty");
        }
    }
}

fn tolerations(list: &Place<'_>, out: &mut Report) {
    for toleration in list.items() {
        let [key, operator, value, effect] = ["key", "operator", "value", "effect"].map(|f| toleration.at(f));
        if key.is_empty() {
            if operator.text() != "Exists" {
                let detail =
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
                out.invalid(&operator, "InvalidToleration", detail);
            }
        } else {
            out.invalid_all(&key, "InvalidLabel", names::qualified_name(key.text()));
        }
        if toleration.at("tolerationSeconds").present() && effect.text() != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            out.invalid(&effect, "InvalidToleration", detail);
        }
        match operator.text() {
            "Equal" | "" => out.invalid_all(&value, "InvalidToleration", names::label_value(value.text())),
            "Exists" if !value.is_empty() => {
                out.invalid(&value, "InvalidToleration", "value must be empty when `operator` is 'Exists'");
            }
            // Numeric comparison has a gate of its own; what it accepts depends on the kubelet.
            "Exists" | "Lt" | "Gt" => {}
            _ => out.unsupported(&operator, &["Equal", "Exists"]),
        }
        if !effect.is_empty() {
            out.one_of(&effect, &["NoExecute", "NoSchedule", "PreferNoSchedule"]);
        }
    }
}

fn host_aliases(list: &Place<'_>, out: &mut Report) {
    for alias in list.items() {
        let ip = alias.at("ip");
        out.invalid_all(&ip, "InvalidAddress", names::ip(ip.text()));
        for hostname in alias.at("hostnames").items() {
            out.invalid_all(&hostname, "InvalidName", names::dns_subdomain(hostname.text()));
        }
    }
}
