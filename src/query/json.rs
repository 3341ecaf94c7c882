//! `storage.Pod` as JSON, as `protojson` prints it with zero values: keys in the order in which the proto file
//! declares them, enums by name, absent messages as null.
//!
//! Options: `stackrox/stackrox pkg/grpc/server.go` (EmitUnpopulated).

use std::fmt::Write as _;

use super::pod::{ContainerInstance, Pod};
use crate::codec::time::Time;

/// Appends the pod, in one line.
pub fn write(pod: &Pod, out: &mut String) {
    let mut object = Object::begin(out);
    object.text("id", &pod.id);
    object.text("name", &pod.name);
    object.text("deploymentId", &pod.deployment_id);
    object.text("namespace", &pod.namespace);
    object.text("clusterId", &pod.cluster_id);
    list(object.key("liveInstances"), &pod.live_instances, instance);
    list(object.key("terminatedInstances"), &pod.terminated_instances, |instances, out| {
        let mut object = Object::begin(out);
        list(object.key("instances"), instances, instance);
        object.end();
    });
    object.time("started", pod.started);
    object.end();
}

fn instance(instance: &ContainerInstance, out: &mut String) {
    let mut object = Object::begin(out);
    let mut id = Object::begin(object.key("instanceId"));
    id.text("containerRuntime", instance.instance_id.container_runtime.name());
    id.text("id", &instance.instance_id.id);
    id.text("node", &instance.instance_id.node);
    id.end();
    object.text("containingPodId", &instance.containing_pod_id);
    object.text("containerName", &instance.container_name);
    list(object.key("containerIps"), &instance.container_ips, |ip, out| text(ip, out));
    object.time("started", instance.started);
    object.text("imageDigest", &instance.image_digest);
    object.time("finished", instance.finished);
    let _ = write!(object.key("exitCode"), "{}", instance.exit_code); // a String takes everything
    object.text("terminationReason", &instance.termination_reason);
    object.end();
}

fn list<T>(out: &mut String, items: &[T], write: impl Fn(&T, &mut String)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

/// Appends a JSON string, with what must be escaped escaped and nothing else.
pub fn text(value: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(value).to_string());
}

/// An object that is being written.
struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    /// Writes a key; the value follows.
    fn key(&mut self, key: &str) -> &mut String {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        let _ = write!(self.out, "\"{key}\":"); // a String takes everything
        self.out
    }

    fn text(&mut self, key: &str, value: &str) {
        text(value, self.key(key));
    }

    fn time(&mut self, key: &str, time: Option<Time>) {
        let out = self.key(key);
        match time {
            Some(time) => text(&time.rfc3339_nano(), out),
            None => out.push_str("null"),
        }
    }

    fn end(self) {
        self.out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{entry, replica};
    use serde_json::{json, Value};

    /// The sample of the reference: what a pod of the Kubernetes in Action book comes to.
    const SAMPLE: &str = r#"{"id":"89a6ec52-b9b6-55ad-bdc8-781c33653c45","name":"kubia-manual","deploymentId":"1d591f87-c631-49c3-9398-aafcfd709636","namespace":"default","clusterId":"","liveInstances":[{"instanceId":{"containerRuntime":"DOCKER_CONTAINER_RUNTIME","id":"0b9739ef89fca670c75f4c7c18ca4d3e6bc82a3a8e188065a545a6c4783b87b7","node":"k8s-node2"},"containingPodId":"kubia-manual.default@1d591f87-c631-49c3-9398-aafcfd709636","containerName":"kubia","containerIps":["10.244.2.35"],"started":"2021-01-11T07:47:04Z","imageDigest":"sha256:47f34b621acf54fb3cfeea1c17ade6a293b6bc2349a5c4c48277a4371a3185af","finished":null,"exitCode":0,"terminationReason":""}],"terminatedInstances":[],"started":"2021-01-11T07:47:02Z"}"#;

    fn print(pod: &Pod) -> String {
        let mut out = String::new();
        write(pod, &mut out);
        out
    }

    #[test]
    fn the_sample_of_the_reference() {
        let entry = entry(&json!({
            "metadata": {"name": "kubia-manual", "namespace": "default", "uid": "1d591f87-c631-49c3-9398-aafcfd709636",
                "creationTimestamp": "2021-01-11T07:47:02Z"},
            "spec": {"nodeName": "k8s-node2"},
            "status": {"podIP": "10.244.2.35", "startTime": "2021-01-11T07:47:02Z", "containerStatuses": [{
                "name": "kubia", "state": {"running": {"startedAt": "2021-01-11T07:47:04Z"}},
                "imageID": "docker://sha256:47f34b621acf54fb3cfeea1c17ade6a293b6bc2349a5c4c48277a4371a3185af",
                "containerID": "docker://0b9739ef89fca670c75f4c7c18ca4d3e6bc82a3a8e188065a545a6c4783b87b7"}]},
        }));
        assert_eq!(print(&Pod::of(&entry, &[])), SAMPLE);
    }

    #[test]
    fn ended_instances_stand_in_lists_of_lists() {
        let printed: Value = serde_json::from_str(&print(&Pod::of(&replica(), &[]))).unwrap();
        assert_eq!(printed["terminatedInstances"][0]["instances"][0]["exitCode"], 137);
        assert_eq!(printed["terminatedInstances"][1]["instances"][0]["finished"], "2021-01-11T07:47:05Z");
    }

    #[test]
    fn nothing_but_what_json_demands_is_escaped() {
        let pod = Pod { name: "<&>\"\n\u{2028}".into(), ..Pod::default() };
        assert!(print(&pod).contains("\"name\":\"<&>\\\"\\n\u{2028}\""), "{}", print(&pod));
    }
}
