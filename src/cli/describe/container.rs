//! The containers of a pod.

use serde_json::Value;

use super::lines::Lines;
use super::value::{list, moment, text};
use crate::downward::field::{self, Target};
use crate::downward::{resource, DownwardPod, Unknown};
use crate::pod::spec::ResourceList;

/// One of the three lists of containers.
pub struct Kind {
    heading: &'static str,
    spec: &'static str,
    status: &'static str,
    /// Shown even without containers.
    always: bool,
}

/// In the order in which they are shown.
pub const KINDS: [Kind; 3] = [
    Kind {
        heading: "Init Containers",
        spec: "/spec/initContainers",
        status: "/status/initContainerStatuses",
        always: false,
    },
    Kind { heading: "Containers", spec: "/spec/containers", status: "/status/containerStatuses", always: true },
    Kind {
        heading: "Ephemeral Containers",
        spec: "/spec/ephemeralContainers",
        status: "/status/ephemeralContainerStatuses",
        always: false,
    },
];

/// All containers of one kind.
pub fn describe(lines: &mut Lines, pod: &Value, kind: &Kind) {
    if list(pod, kind.spec).next().is_none() && !kind.always {
        return;
    }
    lines.line(0, &format!("{}:", kind.heading));
    let section = |pointer| pod.pointer(pointer).unwrap_or(&Value::Null);
    let told = DownwardPod::from_json(section("/metadata"), section("/spec"), section("/status"));
    for container in list(pod, kind.spec) {
        let name = text(container, "/name");
        let status = list(pod, kind.status).find(|status| text(status, "/name") == name);
        lines.line(1, &format!("{name}:"));
        basics(lines, container, status);
        for (heading, pointer) in [("Command", "/command"), ("Args", "/args")] {
            let words: Vec<_> = list(container, pointer).map(|word| text(word, "")).collect();
            if !words.is_empty() {
                lines.line(2, &format!("{heading}:"));
                words.iter().flat_map(|word| word.split('\n')).for_each(|line| lines.line(3, line));
            }
        }
        if let Some(status) = status {
            state(lines, "State", status.pointer("/state"));
            if status.pointer("/lastState/terminated").is_some() {
                state(lines, "Last State", status.pointer("/lastState"));
            }
            lines.field(2, "Ready", if text(status, "/ready") == "true" { "True" } else { "False" });
            lines.field(2, "Restart Count", &text(status, "/restartCount"));
        }
        for (heading, pointer) in [("Limits", "/resources/limits"), ("Requests", "/resources/requests")] {
            let amounts = container.pointer(pointer).and_then(Value::as_object).filter(|amounts| !amounts.is_empty());
            if let Some(amounts) = amounts {
                lines.line(2, &format!("{heading}:"));
                amounts.iter().for_each(|(name, amount)| lines.field(3, name, amount.as_str().unwrap_or_default()));
            }
        }
        for (heading, pointer) in
            [("Liveness", "/livenessProbe"), ("Readiness", "/readinessProbe"), ("Startup", "/startupProbe")]
        {
            if let Some(found) = container.pointer(pointer) {
                lines.field(2, heading, &probe(found));
            }
        }
        environment(lines, container, &told);
        mounts(lines, container);
    }
}

fn basics(lines: &mut Lines, container: &Value, status: Option<&Value>) {
    if let Some(status) = status {
        lines.field(2, "Container ID", &text(status, "/containerID"));
    }
    lines.field(2, "Image", &text(container, "/image"));
    if let Some(status) = status {
        lines.field(2, "Image ID", &text(status, "/imageID"));
    }
    for (heading, pointer) in [("Port", "/containerPort"), ("Host Port", "/hostPort")] {
        let port = |p: &Value| {
            let number = text(p, pointer);
            let name = text(p, "/name");
            let number = if number.is_empty() { "0".into() } else { number };
            match name.is_empty() || pointer == "/hostPort" {
                true => format!("{number}/{}", text(p, "/protocol")),
                false => format!("{number}/{} ({name})", text(p, "/protocol")),
            }
        };
        let ports: Vec<_> = list(container, "/ports").map(port).collect();
        let s = if ports.len() > 1 { "s" } else { "" };
        lines.field(2, &format!("{heading}{s}"), &or_none(&ports.join(", ")));
    }
    lines.given(2, "SeccompProfile", &text(container, "/securityContext/seccompProfile/type"));
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "<none>" } else { text }.to_string()
}

fn state(lines: &mut Lines, heading: &str, state: Option<&Value>) {
    let of = |kind: &str| state.and_then(|state| state.get(kind));
    if let Some(running) = of("running") {
        lines.field(2, heading, "Running");
        lines.field(3, "Started", &moment(running, "/startedAt"));
    } else if let Some(end) = of("terminated") {
        lines.field(2, heading, "Terminated");
        lines.given(3, "Reason", &text(end, "/reason"));
        lines.given(3, "Message", &text(end, "/message").replace('\n', " "));
        lines.field(3, "Exit Code", &text(end, "/exitCode"));
        lines.given(3, "Signal", &text(end, "/signal"));
        lines.field(3, "Started", &moment(end, "/startedAt"));
        lines.field(3, "Finished", &moment(end, "/finishedAt"));
    } else {
        lines.field(2, heading, "Waiting");
        let waiting = of("waiting").unwrap_or(&Value::Null);
        lines.given(3, "Reason", &text(waiting, "/reason"));
        // kubectl leaves this to the events, which do not exist here.
        lines.given(3, "Message", &text(waiting, "/message").replace('\n', " "));
    }
}

fn probe(probe: &Value) -> String {
    let n = |pointer: &str| match text(probe, pointer) {
        number if number.is_empty() => "0".to_string(),
        number => number,
    };
    let t = |pointer: &str| text(probe, pointer);
    let what = if probe.get("exec").is_some() {
        let words: Vec<_> = list(probe, "/exec/command").map(|word| text(word, "")).collect();
        format!("exec [{}]", words.join(" "))
    } else if probe.get("httpGet").is_some() {
        let scheme = t("/httpGet/scheme").to_lowercase();
        format!("http-get {scheme}://{}:{}{}", t("/httpGet/host"), t("/httpGet/port"), t("/httpGet/path"))
    } else if probe.get("tcpSocket").is_some() {
        format!("tcp-socket {}:{}", t("/tcpSocket/host"), t("/tcpSocket/port"))
    } else if probe.get("grpc").is_some() {
        format!("grpc <pod>:{} {}", t("/grpc/port"), t("/grpc/service"))
    } else {
        "unknown".into()
    };
    format!(
        "{what} delay={}s timeout={}s period={}s #success={} #failure={}",
        n("/initialDelaySeconds"),
        n("/timeoutSeconds"),
        n("/periodSeconds"),
        n("/successThreshold"),
        n("/failureThreshold")
    )
}

fn environment(lines: &mut Lines, container: &Value, pod: &DownwardPod) {
    if list(container, "/envFrom").next().is_some() {
        lines.line(2, "Environment Variables from:");
        for source in list(container, "/envFrom") {
            let (kind, key) = if source.get("secretRef").is_some() {
                ("Secret", "/secretRef")
            } else {
                ("ConfigMap", "/configMapRef")
            };
            let prefix = match text(source, "/prefix") {
                prefix if prefix.is_empty() => prefix,
                prefix => format!(" with prefix '{prefix}'"),
            };
            let optional = optional(source, &format!("{key}/optional"));
            lines.line(3, &format!("{}\t{kind}{prefix}\tOptional: {optional}", text(source, &format!("{key}/name"))));
        }
    }
    if list(container, "/env").next().is_none() {
        return lines.field(2, "Environment", "<none>");
    }
    lines.line(2, "Environment:");
    for variable in list(container, "/env") {
        let t = |pointer: &str| text(variable, pointer);
        let name = t("/name");
        match variable.get("valueFrom") {
            None => {
                let value = t("/value");
                let mut values = value.split('\n');
                lines.field(3, &name, values.next().unwrap_or_default());
                values.for_each(|line| lines.line(3, &format!("\t{line}")));
            }
            Some(from) if from.get("fieldRef").is_some() => {
                let (version, path) = (t("/valueFrom/fieldRef/apiVersion"), t("/valueFrom/fieldRef/fieldPath"));
                // kubectl looks at metadata alone.
                let known = path.starts_with("metadata.").then(|| field::value(pod, &version, &path, Target::Variable));
                let value = known.and_then(Result::ok).unwrap_or_default();
                lines.field(3, &name, &format!("{value} ({version}:{path})"));
            }
            Some(from) if from.get("resourceFieldRef").is_some() => {
                let reference = from.get("resourceFieldRef").unwrap_or(&Value::Null);
                let value = match resource::value(pod, reference, Some(&text(container, "/name")), &ResourceList::new())
                {
                    Err(Unknown::NodeAllocatable(_)) => "node allocatable".to_owned(),
                    other => other.unwrap_or_default(),
                };
                lines.field(3, &name, &format!("{value} ({})", text(reference, "/resource")));
            }
            Some(from) if from.get("secretKeyRef").is_some() => {
                let (key, of) = (t("/valueFrom/secretKeyRef/key"), t("/valueFrom/secretKeyRef/name"));
                let optional = optional(from, "/secretKeyRef/optional");
                lines.field(3, &name, &format!("<set to the key '{key}' in secret '{of}'>\tOptional: {optional}"));
            }
            Some(from) => {
                let (key, of) = (t("/valueFrom/configMapKeyRef/key"), t("/valueFrom/configMapKeyRef/name"));
                let optional = optional(from, "/configMapKeyRef/optional");
                lines.field(3, &name, &format!("<set to the key '{key}' of config map '{of}'>\tOptional: {optional}"));
            }
        }
    }
}

fn optional(value: &Value, pointer: &str) -> bool {
    text(value, pointer) == "true"
}

fn mounts(lines: &mut Lines, container: &Value) {
    let mut mounts: Vec<_> = list(container, "/volumeMounts").collect();
    if mounts.is_empty() {
        return lines.field(2, "Mounts", "<none>");
    }
    mounts.sort_by_key(|mount| text(mount, "/mountPath"));
    lines.line(2, "Mounts:");
    for mount in mounts {
        let access = if text(mount, "/readOnly") == "true" { "ro" } else { "rw" };
        let part = match text(mount, "/subPath") {
            path if path.is_empty() => path,
            path => format!(",path={path:?}"),
        };
        lines.line(3, &format!("{} from {} ({access}{part})", text(mount, "/mountPath"), text(mount, "/name")));
    }
}
