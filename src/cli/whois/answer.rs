//! What the daemon says about the evidence, and how it is printed.

use serde_json::{json, Value};

use protobuf::Message;

use super::evidence::{Clue, Evidence, Lead};
use super::subject::Subject;
use crate::cli::client::PodsClient;
use crate::cli::exit::{Exit, Failure};
use crate::cli::printable::printable;
use crate::codec::json as codec;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::id;
use crate::pod::lookup::text;
use crate::proto::lookup::found_container::Kind;
use crate::proto::lookup::{find_request, FindRequest, FindResponse, FoundContainer, FoundPod};

/// Pods with how each was found.
#[derive(Debug, Default)]
pub struct Answers(Vec<(FoundPod, Vec<String>)>);

impl Answers {
    /// Asks the daemon about each lead. One that leads to nobody is left out.
    ///
    /// # Errors
    /// The daemon does not answer.
    pub fn ask(client: &PodsClient, subject: &Subject, evidence: &Evidence) -> Result<Self, Failure> {
        let mut answers = Self::default();
        for lead in &evidence.leads {
            let Some(bytes) = client.find(&request(lead))? else { continue };
            let response = FindResponse::parse_from_bytes(&bytes)
                .map_err(|e| Failure::new(Exit::Failure, format!("error: the daemon's answer cannot be read: {e}")))?;
            response.pods.into_iter().for_each(|found| answers.add(found, &lead.how));
        }
        if let Subject::Port(_, port) = subject {
            for pod in client.list()?.0 {
                answers.host_port(&pod, *port);
            }
        }
        Ok(answers)
    }

    /// Adds a pod, or another way in which it was found.
    fn add(&mut self, found: FoundPod, how: &str) {
        let same = |m: &FoundPod| m.pod_uid == found.pod_uid && m.container.id == found.container.id;
        match self.0.iter_mut().find(|(known, _)| same(known)) {
            Some((_, hows)) if hows.iter().any(|known| known == how) => {}
            Some((_, hows)) => hows.push(how.into()),
            None => self.0.push((found, vec![how.into()])),
        }
    }

    /// Adds the pod if one of its containers asks for this port of the node.
    fn host_port(&mut self, pod: &PodBytes, port: u16) {
        let Ok(spec) = codec::from_wire(id::POD_SPEC, pod.spec()) else { return };
        for list in ["initContainers", "containers"] {
            for container in spec.get(list).and_then(Value::as_array).into_iter().flatten() {
                let ports = container.get("ports").and_then(Value::as_array).into_iter().flatten();
                for asked in ports.filter(|p| p.get("hostPort").and_then(Value::as_u64) == Some(port.into())) {
                    let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
                    let inner = asked.get("containerPort").and_then(Value::as_u64).unwrap_or_default();
                    let how = format!("hostPort {port} in its spec, for port {inner} of container {name}");
                    self.add(bare(pod), &how);
                }
            }
        }
    }

    /// Whether nobody was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For people: a block for each.
    #[must_use]
    pub fn text(&self) -> String {
        let blocks: Vec<String> = self.0.iter().map(|(found, hows)| block(found, hows)).collect();
        blocks.join("\n")
    }

    /// For programs: an array.
    #[must_use]
    pub fn json(&self) -> String {
        let all: Vec<Value> = self.0.iter().map(|(found, hows)| object(found, hows)).collect();
        format!("{:#}\n", Value::Array(all))
    }
}

fn request(lead: &Lead) -> Vec<u8> {
    let clue = match &lead.clue {
        Clue::ContainerId(id) => find_request::Clue::ContainerId(id.clone()),
        Clue::Cgroup(text) => find_request::Clue::Cgroup(text.clone()),
        Clue::Ip(ip) => find_request::Clue::Ip(ip.to_string()),
        Clue::PodUid(uid) => find_request::Clue::PodUid(uid.clone()),
    };
    FindRequest { clue: Some(clue), ..FindRequest::default() }.write_to_bytes().unwrap_or_default()
}

fn bare(pod: &PodBytes) -> FoundPod {
    let of = |path| text(pod, path).into_owned();
    let ip = of("status.podIP");
    FoundPod {
        pod_uid: of("metadata.uid"),
        namespace: of("metadata.namespace"),
        name: of("metadata.name"),
        phase: of("status.phase"),
        service_account: of("spec.serviceAccountName"),
        node_name: of("spec.nodeName"),
        ips: Some(ip).into_iter().filter(|ip| !ip.is_empty()).collect(),
        ..FoundPod::default()
    }
}

fn kind(container: &FoundContainer) -> &'static str {
    match container.kind.enum_value() {
        Ok(Kind::REGULAR) => "container",
        Ok(Kind::INIT) => "init container",
        Ok(Kind::EPHEMERAL) => "ephemeral container",
        Ok(Kind::SANDBOX) => "sandbox",
        _ => "unknown",
    }
}

fn block(found: &FoundPod, hows: &[String]) -> String {
    let mut lines = vec![("pod", format!("{}/{}", found.namespace, found.name)), ("uid", found.pod_uid.clone())];
    if let Some(container) = found.container.as_ref() {
        let name = match kind(container) {
            "container" => container.name.clone(),
            "sandbox" => "the pod's sandbox".into(),
            "unknown" => format!("{} (an earlier instance)", container.name),
            other => format!("{} ({other})", container.name),
        };
        lines.extend([("container", name), ("id", container.id.clone()), ("image", container.image.clone())]);
    }
    lines.extend([
        ("account", found.service_account.clone()),
        ("phase", found.phase.clone()),
        ("ip", found.ips.join(", ")),
    ]);
    lines.extend(hows.iter().map(|how| ("by", how.clone())));
    let line = |(key, value): &(&str, String)| format!("{key:<11}{}\n", printable(value));
    lines.iter().filter(|(_, value)| !value.is_empty()).map(line).collect()
}

fn object(found: &FoundPod, hows: &[String]) -> Value {
    let container = found
        .container
        .as_ref()
        .map(|c| json!({ "name": c.name, "id": c.id, "kind": kind(c), "image": c.image, "imageID": c.image_id }));
    json!({
        "namespace": found.namespace,
        "name": found.name,
        "uid": found.pod_uid,
        "phase": found.phase,
        "serviceAccountName": found.service_account,
        "nodeName": found.node_name,
        "podIPs": found.ips,
        "container": container,
        "by": hows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(id: &str, kind: Kind) -> FoundPod {
        let container =
            FoundContainer { name: "main".into(), id: id.into(), kind: kind.into(), ..FoundContainer::default() };
        FoundPod {
            pod_uid: "u1".into(),
            namespace: "shop".into(),
            name: "web".into(),
            phase: "Running".into(),
            ips: vec!["10.0.0.5".into(), "fd00::5".into()],
            container: Some(container).into(),
            ..FoundPod::default()
        }
    }

    #[test]
    fn one_block_for_each_container() {
        let mut answers = Answers::default();
        answers.add(found("aaaa", Kind::REGULAR), "its id");
        answers.add(found("aaaa", Kind::REGULAR), "its id");
        answers.add(found("aaaa", Kind::REGULAR), "a port");
        answers.add(found("bbbb", Kind::INIT), "its id");
        assert_eq!(
            answers.text(),
            "pod        shop/web\nuid        u1\ncontainer  main\nid         aaaa\nphase      Running\n\
             ip         10.0.0.5, fd00::5\nby         its id\nby         a port\n\n\
             pod        shop/web\nuid        u1\ncontainer  main (init container)\nid         bbbb\nphase      Running\n\
             ip         10.0.0.5, fd00::5\nby         its id\n"
        );
        let json: Value = serde_json::from_str(&answers.json()).unwrap();
        assert_eq!(
            (&json[0]["by"], &json[1]["container"]["kind"]),
            (&json!(["its id", "a port"]), &json!("init container"))
        );
    }

    #[test]
    fn ports_of_the_node_in_specs() {
        let spec = json!({"containers": [{"name": "main", "ports": [{"containerPort": 80, "hostPort": 8080}]}]});
        let spec = codec::to_wire(id::POD_SPEC, &spec).unwrap().bytes;
        let pod = PodBytes::from_sections(b"\x0a\x03web", &spec, b"", b"");
        let mut answers = Answers::default();
        answers.host_port(&pod, 80);
        assert!(answers.is_empty());
        answers.host_port(&pod, 8080);
        assert!(answers.text().ends_with("by         hostPort 8080 in its spec, for port 80 of container main\n"));
        assert!(serde_json::from_str::<Value>(&answers.json()).unwrap()[0]["container"].is_null());
    }
}
