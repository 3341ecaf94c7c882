//! Every rule by a manifest that breaks it, and the near misses that must pass.

mod any_input;
mod container;
mod spec;

use super::{read, read_list, ManifestFile};
use crate::pod::finding::Severity;

/// Lines 1 to 5; the spec begins in line 6.
const HEAD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n";

/// Lines 6 to 8; a further line of the container is line 9.
const CONTAINER: &str = "  containers:\n  - name: a\n    image: i\n";

fn text(file: &ManifestFile) -> String {
    let lines: Vec<String> = file.findings.iter().map(|f| format!("{:?} {} {f}", f.severity, f.reason)).collect();
    lines.join("\n")
}

fn refused(yaml: &str, reason: &str, field: &str, line: u32) {
    let file = read("web.yaml", yaml.as_bytes());
    assert!(file.pod.is_none(), "accepted:\n{yaml}");
    let errors: Vec<_> = file.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    let found = errors.iter().any(|f| f.reason == reason && f.field == field && f.line == line);
    assert!(found, "want {reason} at {field}, line {line}, in\n{yaml}\ngot\n{}", text(&file));
    for finding in &errors {
        assert!(!finding.message.is_empty() && finding.file == "web.yaml" && finding.line > 0, "{finding:?}");
    }
}

fn accepted(yaml: &str) {
    let file = read("web.yaml", yaml.as_bytes());
    assert!(file.pod.is_some() && file.findings.is_empty(), "{yaml}\n{}", text(&file));
}

/// A line of the container.
fn in_container(line: &str) -> String {
    format!("{HEAD}{CONTAINER}    {line}\n")
}

/// A line of the spec, before its containers.
fn in_spec(line: &str) -> String {
    format!("{HEAD}  {line}\n{CONTAINER}")
}

/// A line of an init container.
fn in_init(line: &str) -> String {
    format!("{HEAD}{CONTAINER}  initContainers:\n  - name: b\n    image: i\n    {line}\n")
}

#[test]
fn metadata_rules() {
    let with = |metadata: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {metadata}\nspec:\n{CONTAINER}");
    for (metadata, reason, field) in [
        ("{}", "Required", "metadata.name"),
        ("{name: ''}", "Required", "metadata.name"),
        ("{name: Bad_Name}", "InvalidName", "metadata.name"),
        ("{name: a.}", "InvalidName", "metadata.name"),
        ("{name: a, namespace: A}", "InvalidNamespace", "metadata.namespace"),
        ("{name: a, namespace: a.b}", "InvalidNamespace", "metadata.namespace"),
        ("{name: a, labels: {a b: c}}", "InvalidLabel", "metadata.labels[a b]"),
        ("{name: a, labels: {a: b c}}", "InvalidLabel", "metadata.labels[a]"),
        ("{name: a, labels: {a: 1}}", "WrongType", "metadata.labels[a]"),
        ("{name: a, annotations: {a b: c}}", "InvalidAnnotation", "metadata.annotations[a b]"),
        ("{name: a, finalizers: ['-']}", "InvalidName", "metadata.finalizers[0]"),
        (
            "{name: a, ownerReferences: [{apiVersion: v1, kind: K, name: o}]}",
            "Required",
            "metadata.ownerReferences[0].uid",
        ),
        ("{name: n, generation: -1}", "WrongType", "metadata.name"),
        ("{name: m, generation: -1}", "OutOfRange", "metadata.generation"),
    ] {
        refused(&with(metadata), reason, field, 3);
    }
    for metadata in [
        "{name: a-}",
        "{name: a.b}",
        "{name: a, uid: b}",
        "{name: a, namespace: ''}",
        "{name: a, annotations: {Example.com/A: b}}",
        "{name: a, labels: {a: }}",
    ] {
        accepted(&with(metadata));
    }
    let long = with(&format!("{{name: a, annotations: {{a: {}}}}}", "x".repeat(256 * 1024)));
    refused(&long, "TooLong", "metadata.annotations", 3);
    let missing = format!("apiVersion: v1\nkind: Pod\nspec:\n{CONTAINER}");
    refused(&missing, "Required", "metadata.name", 1);
}

#[test]
fn documents() {
    let pod = format!("{HEAD}{CONTAINER}");
    accepted(&pod);
    accepted(&format!("\u{feff}{pod}"));
    let utf16: Vec<u8> = format!("\u{feff}{pod}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read("a", &utf16).pod, read("a", pod.as_bytes()).pod);
    assert_eq!(read("a", utf16.split_last().unwrap().1).findings[0].reason, "NotUTF8");
    accepted(&format!("{pod}---\nnot: {{a pod\n"));
    let json = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"name":"a","image":"i"}]}}"#;
    accepted(json);
    assert_eq!(read("a", json.as_bytes()).pod, read("a", pod.as_bytes()).pod);
    for (yaml, reason, field, line) in [
        (pod.replace("kind: Pod", "kind: PodList"), "NotAPod", "kind", 2),
        (pod.replace("kind: Pod", "kind: List"), "NotAPod", "kind", 2),
        (pod.replace("kind: Pod", "kind: Deployment"), "NotAPod", "kind", 2),
        (pod.replace("kind: Pod\n", ""), "NotAPod", "kind", 1),
        (pod.replace("apiVersion: v1\n", ""), "WrongVersion", "apiVersion", 1),
        (pod.replace("apiVersion: v1", "apiVersion: v2"), "WrongVersion", "apiVersion", 1),
        ("- a\n".to_owned(), "NotAPod", "", 1),
        (pod.replace("name: web", "name: [web"), "InvalidYAML", "", 5),
        ("{\"kind\": \"Pod\",\n}".into(), "InvalidJSON", "", 2),
        (pod.replace("spec:\n", "spec:\n  hostNetwork: 'yes'\n"), "WrongType", "spec.hostNetwork", 6),
        (pod.replace("image: i", "image: 1"), "WrongType", "spec.containers[0].image", 8),
    ] {
        let file = read("web.yaml", yaml.as_bytes());
        let errors: Vec<_> = file.findings.iter().filter(|f| f.severity == Severity::Error).collect();
        let found = errors.iter().any(|f| (f.reason, f.field.as_str(), f.line) == (reason, field, line));
        assert!(file.pod.is_none() && found, "want {reason} {field} {line} in\n{yaml}\n{}", text(&file));
    }
    for bytes in [&b""[..], b"\n", b"# nothing\n", b"a: \xff\n"] {
        let file = read("web.yaml", bytes);
        assert!(file.pod.is_none() && !file.findings.is_empty(), "{bytes:?}");
    }
    let not_text = read("web.yaml", b"a: 1\nb: \xff\n");
    assert_eq!((not_text.findings[0].reason, not_text.findings[0].line), ("NotUTF8", 2));
}

/// As kubeadm writes its control plane, with what older and newer versions do differently.
#[test]
fn control_plane_manifests_are_accepted() {
    let written = r"
apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: 10.0.0.1:6443
  creationTimestamp: null
  labels: {component: kube-apiserver, tier: control-plane}
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command: [kube-apiserver, --advertise-address=10.0.0.1, '--secure-port=6443']
    image: registry.k8s.io/kube-apiserver:v1.36.0
    imagePullPolicy: IfNotPresent
    livenessProbe:
      failureThreshold: 8
      httpGet: {host: 10.0.0.1, path: /livez, port: probe-port, scheme: HTTPS}
      initialDelaySeconds: 10
      periodSeconds: 10
      timeoutSeconds: 15
    name: kube-apiserver
    ports:
    - {containerPort: 6443, name: probe-port, protocol: TCP}
    readinessProbe:
      httpGet: {host: 10.0.0.1, path: /readyz, port: 6443, scheme: HTTPS}
      periodSeconds: 1
    resources:
      requests: {cpu: 250m}
    startupProbe:
      failureThreshold: 24
      httpGet: {host: 10.0.0.1, path: /livez, port: 6443, scheme: HTTPS}
    volumeMounts:
    - {mountPath: /etc/ssl/certs, name: ca-certs, readOnly: true}
    - {mountPath: /etc/kubernetes/pki, name: k8s-certs, readOnly: true}
  hostNetwork: true
  priority: 2000001000
  priorityClassName: system-node-critical
  securityContext:
    seccompProfile: {type: RuntimeDefault}
  volumes:
  - hostPath: {path: /etc/ssl/certs, type: DirectoryOrCreate}
    name: ca-certs
  - hostPath: {path: /etc/kubernetes/pki, type: DirectoryOrCreate}
    name: k8s-certs
status: {}
";
    accepted(written);
    accepted(&written.replace(
        "  name: kube-apiserver\n  namespace",
        "  uid: 6c1ae9ea3b1b6e6f\n  name: kube-apiserver\n  namespace",
    ));
}

/// A finding as a person sees it.
#[test]
fn messages_name_the_place_and_the_remedy() {
    let lines = |yaml: &str| {
        let file = read("/etc/kubernetes/manifests/web.yaml", yaml.as_bytes());
        file.findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        lines(&in_container("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]")),
        ["/etc/kubernetes/manifests/web.yaml:9:48: spec.containers[0].env[0].valueFrom.secretKeyRef.name: static pods \
          may not reference secrets; write the value into the manifest, or keep it in a file on the node and mount that"]
    );
    assert_eq!(
        lines(&in_spec("restartPolicy: Sometimes")),
        ["/etc/kubernetes/manifests/web.yaml:6:3: spec.restartPolicy: Unsupported value: \"Sometimes\": supported \
          values: \"Always\", \"Never\", \"OnFailure\""]
    );
    let broken = lines("kind: Pod\nspec: {\n");
    let start = "/etc/kubernetes/manifests/web.yaml:3:1: not valid YAML: ";
    assert!(broken.len() == 1 && broken[0].starts_with(start), "{broken:?}");
    let start = "/etc/kubernetes/manifests/web.yaml:2:1: not valid JSON: trailing comma (a text that begins with {";
    let broken = lines(" {\"kind\": \"Pod\",\n}");
    assert!(broken.len() == 1 && broken[0].starts_with(start), "{broken:?}");
}

/// A file that is wrong from end to end gets a bounded list, and is refused all the same.
#[test]
fn findings_are_bounded() {
    let unknown: String = (0..5000).map(|i| format!("  x{i}: 1\n")).collect();
    let file = read("f", format!("{HEAD}{unknown}{CONTAINER}").as_bytes());
    assert!(file.pod.is_some() && file.findings.len() == 101, "{}", file.findings.len());
    let containers: String = (0..5000).map(|_| "  - {}\n").collect();
    let file = read("f", format!("{HEAD}{unknown}  containers:\n{containers}").as_bytes());
    assert!(file.pod.is_none() && file.findings.len() == 201, "{}", file.findings.len());
    assert!(text(&file).contains("TooManyFindings"));
}

/// A list, which may have as many items as fit into an answer, too.
#[test]
fn findings_of_a_list_are_bounded() {
    let items = "{},".repeat(50_000);
    let list = format!("{{\"apiVersion\": \"v1\", \"kind\": \"PodList\", \"items\": [{items}{{}}]}}");
    let [file] = read_list("u", list.as_bytes()).try_into().unwrap();
    assert!(file.pod.is_none() && file.findings.len() == 51, "{}", file.findings.len());
    assert!(text(&file).contains("more problems are not listed"), "{}", text(&file));
}

/// Values and keys may be as long as the file, and many findings may tell of one.
#[test]
fn findings_are_short() {
    let long = "\u{e4}".repeat(100_000);
    let key = format!("{{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"{long}\": {{\"a\": 1, \"a\": 2}}}}");
    let value = format!("{HEAD}  restartPolicy: {long}\n{CONTAINER}");
    for manifest in [key, value] {
        let file = read("f", manifest.as_bytes());
        assert!(file.findings.iter().any(|f| f.field.len() + f.message.len() > 1000), "the case is one");
        assert!(file.findings.iter().all(|f| f.field.len().max(f.message.len()) < 1100));
    }
}

#[test]
fn warnings_do_not_refuse() {
    for (yaml, reason, field, line) in [
        (in_container("imagePullPolice: Never"), "UnknownField", "spec.containers[0].imagePullPolice", 9),
        (in_spec("hostnetwork: true"), "UnknownField", "spec.hostnetwork", 6),
        (in_container("image: j"), "DuplicateKey", "spec.containers[0].image", 9),
    ] {
        let file = read("web.yaml", yaml.as_bytes());
        let got: Vec<_> = file.findings.iter().map(|f| (f.severity, f.reason, f.field.as_str(), f.line)).collect();
        assert_eq!(got, [(Severity::Warning, reason, field, line)], "{yaml}");
        assert!(file.pod.is_some());
    }
}

#[test]
fn answers_of_a_url() {
    let pod = format!("{HEAD}{CONTAINER}");
    assert_eq!(read_list("u", pod.as_bytes()).len(), 1);
    let item = |name: &str| format!("- metadata: {{name: {name}}}\n  spec: {{containers: [{{name: a, image: i}}]}}\n");
    let list = |items: &str| format!("apiVersion: v1\nkind: PodList\nitems:\n{items}");
    let good = read_list("u", list(&(item("b") + &item("a"))).as_bytes());
    let names: Vec<_> = good.iter().map(|f| f.pod.as_ref().map(|p| p.name.clone()).unwrap_or_default()).collect();
    assert_eq!(names, ["b", "a"]);
    assert!(read_list("u", list("").as_bytes()).is_empty());
    let bad = read_list("u", list(&(item("b") + &item("A"))).as_bytes());
    assert_eq!(bad.len(), 1);
    assert!(bad[0].pod.is_none());
    assert_eq!((bad[0].findings[0].field.as_str(), bad[0].findings[0].line), ("items[1].metadata.name", 6));
    for refused in ["", "kind: List\napiVersion: v1\nitems: []", "a: ["] {
        let got = read_list("u", refused.as_bytes());
        assert!(got.len() == 1 && got[0].pod.is_none() && !got[0].findings.is_empty(), "{refused}");
    }
}
