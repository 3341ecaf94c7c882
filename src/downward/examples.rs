//! The examples of the Kubernetes documentation (`kubernetes/website content/en/examples/pods/inject`), byte for byte.

use serde_json::{json, Value};

use super::environment::Environment;
use super::pod::DownwardPod;
use super::volume::Volume;
use crate::pod::spec::ResourceList;

fn field(path: &str) -> Value {
    json!({"fieldRef": {"apiVersion": "v1", "fieldPath": path}})
}

fn resource(container: &str, resource: &str, divisor: &str) -> Value {
    json!({"resourceFieldRef": {"containerName": container, "resource": resource, "divisor": divisor}})
}

fn variables(pod: &DownwardPod, container: &str) -> Vec<(String, String)> {
    let built = Environment::of(pod, container, &ResourceList::new()).unwrap();
    assert!(built.sources.is_empty() && built.service_links);
    built.variables.into_iter().map(|v| (v.name, v.value.unwrap())).collect()
}

fn file(pod: &DownwardPod, path: &str) -> String {
    let volume = Volume::of(pod, "podinfo", &ResourceList::new()).unwrap();
    let file = volume.files.into_iter().find(|f| f.path == path).unwrap();
    assert_eq!(file.mode, 0o644);
    String::from_utf8(file.content.unwrap()).unwrap()
}

/// dapi-envars-pod.yaml and dapi-envars-container.yaml in one.
#[test]
fn pod_and_container_fields_as_variables() {
    let env = [
        ("POD_NAME", field("metadata.name")),
        ("POD_NAMESPACE", field("metadata.namespace")),
        ("POD_IP", field("status.podIP")),
        ("NODE_NAME", field("spec.nodeName")),
        ("SERVICE_ACCOUNT", field("spec.serviceAccountName")),
        ("CONTAINER_CPU_REQUEST_MILLICORES", resource("main", "requests.cpu", "1m")),
        ("CONTAINER_MEMORY_LIMIT_KIBIBYTES", resource("", "limits.memory", "1Ki")),
    ];
    let env: Vec<_> = env.into_iter().map(|(name, from)| json!({"name": name, "valueFrom": from})).collect();
    let limits = json!({"requests": {"cpu": "15m", "memory": "100Ki"}, "limits": {"cpu": "100m", "memory": "4Mi"}});
    let pod = DownwardPod::from_json(
        &json!({"name": "env-metadata", "namespace": "default"}),
        &json!({"nodeName": "k8s-node1", "serviceAccountName": "default",
            "containers": [{"name": "main", "resources": limits, "env": env}]}),
        &json!({"podIP": "10.244.1.38", "podIPs": [{"ip": "10.244.1.38"}]}),
    );
    let want = [
        ("POD_NAME", "env-metadata"),
        ("POD_NAMESPACE", "default"),
        ("POD_IP", "10.244.1.38"),
        ("NODE_NAME", "k8s-node1"),
        ("SERVICE_ACCOUNT", "default"),
        ("CONTAINER_CPU_REQUEST_MILLICORES", "15"),
        ("CONTAINER_MEMORY_LIMIT_KIBIBYTES", "4096"),
    ];
    assert_eq!(variables(&pod, "main"), want.map(|(name, value)| (name.to_string(), value.to_string())));
}

/// dapi-envars-container.yaml as it stands: divisors left to their default.
#[test]
fn container_resources_as_variables() {
    let env: Vec<_> = ["requests.cpu", "limits.cpu", "requests.memory", "limits.memory"]
        .map(|r| json!({"name": r, "valueFrom": resource("test-container", r, "0")}))
        .into();
    let resources = json!({"requests": {"memory": "32Mi", "cpu": "125m"}, "limits": {"memory": "64Mi", "cpu": "250m"}});
    let spec = json!({"containers": [{"name": "test-container", "resources": resources, "env": env}]});
    let pod = DownwardPod::from_json(&json!({}), &spec, &json!({}));
    let got: Vec<_> = variables(&pod, "test-container").into_iter().map(|(_, value)| value).collect();
    assert_eq!(got, ["1", "1", "33554432", "67108864"]);
}

/// dapi-volume.yaml: what the page prints.
#[test]
fn labels_and_annotations_as_files() {
    let items = json!([
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "annotations", "fieldRef": {"fieldPath": "metadata.annotations"}},
    ]);
    let metadata = json!({"name": "kubernetes-downwardapi-volume-example",
        "labels": {"zone": "us-est-coast", "cluster": "test-cluster1", "rack": "rack-22"},
        "annotations": {"build": "two", "builder": "john-doe", "nodepods.io/sources": "file"}});
    let spec = json!({"volumes": [{"name": "podinfo", "downwardAPI": {"items": items}}]});
    let pod = DownwardPod::from_json(&metadata, &spec, &json!({}));
    assert_eq!(file(&pod, "labels"), "cluster=\"test-cluster1\"\nrack=\"rack-22\"\nzone=\"us-est-coast\"");
    assert_eq!(file(&pod, "annotations"), "build=\"two\"\nbuilder=\"john-doe\"");
}

/// A pod that was seen in a cluster: single values raw, maps quoted, the kubelet's own annotations among them.
#[test]
fn a_volume_of_a_running_pod() {
    let items = json!([
        {"path": "podName", "fieldRef": {"fieldPath": "metadata.name"}},
        {"path": "podNamespace", "fieldRef": {"fieldPath": "metadata.namespace"}},
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "annotations", "fieldRef": {"fieldPath": "metadata.annotations"}},
        {"path": "containerCpuRequestMilliCores",
            "resourceFieldRef": {"containerName": "main", "resource": "requests.cpu", "divisor": "1m"}},
        {"path": "containerMemoryLimitBytes",
            "resourceFieldRef": {"containerName": "main", "resource": "limits.memory", "divisor": 1}},
    ]);
    let annotations = json!({"key1": "value1", "key2": "multi\nline\nvalue\n",
        "kubectl.kubernetes.io/last-applied-configuration": "{\"apiVersion\":\"v1\",\"key2\":\"multi\\nline\"}\n",
        "kubernetes.io/config.seen": "2021-01-10T23:13:40.094361262-08:00", "kubernetes.io/config.source": "api",
        "nodepods.io/spec": "complete"});
    let resources = json!({"requests": {"cpu": "15m", "memory": "100Ki"}, "limits": {"cpu": "100m", "memory": "4Mi"}});
    let spec = json!({"containers": [{"name": "main", "resources": resources}],
        "volumes": [{"name": "podinfo", "downwardAPI": {"items": items}}]});
    let metadata =
        |foo| json!({"name": "downward", "namespace": "default", "labels": {"foo": foo}, "annotations": annotations});
    let pod = DownwardPod::from_json(&metadata("bar"), &spec, &json!({}));
    for (path, want) in [
        ("podName", "downward"),
        ("podNamespace", "default"),
        ("labels", "foo=\"bar\""),
        ("containerCpuRequestMilliCores", "15"),
        ("containerMemoryLimitBytes", "4194304"),
    ] {
        assert_eq!(file(&pod, path), want, "{path}");
    }
    let lines = [
        r#"key1="value1""#,
        r#"key2="multi\nline\nvalue\n""#,
        r#"kubectl.kubernetes.io/last-applied-configuration="{\"apiVersion\":\"v1\",\"key2\":\"multi\\nline\"}\n""#,
        r#"kubernetes.io/config.seen="2021-01-10T23:13:40.094361262-08:00""#,
        r#"kubernetes.io/config.source="api""#,
    ];
    assert_eq!(file(&pod, "annotations"), lines.join("\n"));
    let changed = DownwardPod::from_json(&metadata("test"), &spec, &json!({}));
    assert_eq!(file(&changed, "labels"), "foo=\"test\"");
}
