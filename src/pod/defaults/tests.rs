//! Defaults by what is written and what comes of it.

use serde_json::{json, Value};

use super::apply;

fn defaulted(spec: &Value) -> Value {
    let mut pod = json!({"metadata": {"name": "a"}, "spec": spec});
    apply(&mut pod);
    pod["spec"].clone()
}

#[test]
fn spec() {
    let got = defaulted(&json!({}));
    let want = json!({
        "dnsPolicy": "ClusterFirst", "enableServiceLinks": true, "restartPolicy": "Always",
        "schedulerName": "default-scheduler", "securityContext": {}, "terminationGracePeriodSeconds": 30,
    });
    assert_eq!(got, want);
    let written = json!({
        "dnsPolicy": "Default", "enableServiceLinks": false, "restartPolicy": "Never", "schedulerName": "mine",
        "securityContext": {"runAsUser": 0}, "terminationGracePeriodSeconds": 0,
    });
    assert_eq!(defaulted(&written), written);
    // Text that is empty takes its default, a number that may be absent only where it is null.
    let nulls = json!({"dnsPolicy": "", "terminationGracePeriodSeconds": null, "restartPolicy": null});
    assert_eq!(defaulted(&nulls), want);
    let mut nothing = json!({"metadata": {"name": "a"}});
    apply(&mut nothing);
    assert_eq!(nothing["spec"], want);
}

/// Every case: a container as written, and the fields that were added or changed.
#[test]
fn containers() {
    let always = json!({"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"});
    for (written, added) in [
        (json!({"image": "i"}), json!({"imagePullPolicy": "Always"})),
        (json!({"image": "i:1"}), json!({"imagePullPolicy": "IfNotPresent"})),
        (json!({"imagePullPolicy": "Never", "terminationMessagePath": "/t"}), json!({"terminationMessagePath": "/t"})),
        (
            json!({"image": "i:1", "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]}),
            json!({"imagePullPolicy": "IfNotPresent", "ports": [
                {"containerPort": 80, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]}),
        ),
        (
            json!({"image": "i:1", "resources": {"limits": {"cpu": "0.1", "memory": "1Gi"}, "requests": {"cpu": 0.0501}}}),
            json!({"imagePullPolicy": "IfNotPresent", "resources": {
                "limits": {"cpu": "100m", "memory": "1Gi"}, "requests": {"cpu": "51m", "memory": "1Gi"}}}),
        ),
        (json!({"image": "i:1", "resources": {"limits": {}}}), json!({"imagePullPolicy": "IfNotPresent"})),
        (
            json!({"image": "i:1", "livenessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5, "timeoutSeconds": 0}}),
            json!({"imagePullPolicy": "IfNotPresent", "livenessProbe": {
                "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
                "periodSeconds": 5, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}}),
        ),
        (
            json!({"image": "i:1", "startupProbe": {"grpc": {"port": 80}}}),
            json!({"imagePullPolicy": "IfNotPresent", "startupProbe": {"grpc": {"port": 80, "service": ""},
                "periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}}),
        ),
        (
            json!({"image": "i:1", "lifecycle": {"preStop": {"httpGet": {"port": 1, "path": "/x"}}}}),
            json!({"imagePullPolicy": "IfNotPresent", "lifecycle": {
                "preStop": {"httpGet": {"port": 1, "path": "/x", "scheme": "HTTP"}}}}),
        ),
        (
            json!({"image": "i:1", "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "p"}}}]}),
            json!({"imagePullPolicy": "IfNotPresent", "env": [
                {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "p", "apiVersion": "v1"}}}]}),
        ),
    ] {
        let mut want = written.clone();
        for part in [&always, &added] {
            for (key, value) in part.as_object().into_iter().flatten() {
                want[key] = value.clone();
            }
        }
        for list in ["containers", "initContainers"] {
            let got = defaulted(&json!({list: [written.clone()]}));
            assert_eq!(got[list][0], want, "{list}: {written}");
        }
    }
}

#[test]
fn volumes() {
    for (written, want) in [
        (json!({}), json!({"emptyDir": {}})),
        (json!({"emptyDir": null}), json!({"emptyDir": {}})),
        (json!({"hostPath": {"path": "/a"}}), json!({"hostPath": {"path": "/a", "type": ""}})),
        (
            json!({"downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "f"}}]}}),
            json!({"downwardAPI": {"defaultMode": 420, "items": [
                {"path": "p", "fieldRef": {"fieldPath": "f", "apiVersion": "v1"}}]}}),
        ),
        (
            json!({"projected": {"defaultMode": 0, "sources": [{"downwardAPI": {"items": [{"fieldRef": {}}]}}]}}),
            json!({"projected": {"defaultMode": 0, "sources": [
                {"downwardAPI": {"items": [{"fieldRef": {"apiVersion": "v1"}}]}}]}}),
        ),
        (json!({"image": {"reference": "i"}}), json!({"image": {"reference": "i", "pullPolicy": "Always"}})),
        (json!({"iscsi": {"lun": 0}}), json!({"iscsi": {"lun": 0, "iscsiInterface": "default"}})),
    ] {
        assert_eq!(defaulted(&json!({"volumes": [written]}))["volumes"][0], want, "{written}");
    }
}

#[test]
fn host_network_ports() {
    let ports = |host: bool| {
        let port = json!([{"containerPort": 80}, {"containerPort": 81, "hostPort": 82}]);
        let got = defaulted(&json!({"hostNetwork": host, "containers": [{"image": "i", "ports": port}]}));
        let ports = got["containers"][0]["ports"].as_array().unwrap().clone();
        ports.iter().map(|p| p["hostPort"].as_i64()).collect::<Vec<_>>()
    };
    assert_eq!(ports(true), [Some(80), Some(82)]);
    assert_eq!(ports(false), [None, Some(82)]);
}

/// Requests of the pod as a whole come from its containers, else from its limits.
#[test]
fn pod_level_requests() {
    let container = |cpu: &str| json!({"image": "i", "resources": {"requests": {"cpu": cpu}}});
    let mut sidecar = container("30m");
    sidecar["restartPolicy"] = json!("Always");
    let got = defaulted(&json!({
        "resources": {"limits": {"cpu": "2", "memory": "1Gi"}},
        "containers": [container("100m"), container("0.1")],
        "initContainers": [sidecar, container("150m")],
    }));
    assert_eq!(got["resources"]["requests"], json!({"cpu": "230m", "memory": "1Gi"}));
    let one = defaulted(&json!({
        "resources": {"limits": {"cpu": "2"}},
        "containers": [container("100m")],
        "initContainers": [container("500m")],
    }));
    assert_eq!(one["resources"]["requests"], json!({"cpu": "500m"}));
    let written = json!({"requests": {"cpu": "1"}});
    assert_eq!(defaulted(&json!({"resources": written, "containers": []}))["resources"], written);
}
