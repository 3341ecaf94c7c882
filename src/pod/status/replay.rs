//! Replays recorded nodes: what a real kubelet said about its pods, against what is derived from the runtime's raw
//! answers of the same moment and the kubelet's own specs. The rules for what manifests and the runtime cannot tell
//! are those of the comparison of whole answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::admission::NodeFacts;
use super::{derive, PodKind, StatusInput};
use crate::codec::json;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::id;
use crate::codec::wire::{self, Value as Wire};
use crate::pod::observed::{Container, ContainerState, LinuxResources, LinuxUser, Mount, Sandbox};
use crate::pod::spec::PodSpecView;

type Fields<'a> = Vec<(u32, Wire<'a>)>;
type Flat = BTreeMap<String, Value>;

fn fields(bytes: &[u8]) -> Fields<'_> {
    wire::fields(bytes).map(|f| f.map(|f| (f.number, f.value)).unwrap()).collect()
}

fn bytes<'a>(of: &Fields<'a>, number: u32) -> &'a [u8] {
    let found = of.iter().rev().find_map(|(n, v)| match v {
        Wire::Bytes(b) if *n == number => Some(*b),
        _ => None,
    });
    found.unwrap_or_default()
}

fn text(of: &Fields<'_>, number: u32) -> String {
    String::from_utf8_lossy(bytes(of, number)).into_owned()
}

fn int(of: &Fields<'_>, number: u32) -> i64 {
    let found = of.iter().rev().find_map(|(n, v)| match v {
        Wire::Varint(v) if *n == number => Some(*v as i64),
        _ => None,
    });
    found.unwrap_or_default()
}

fn each<'a>(of: &Fields<'a>, number: u32) -> Vec<&'a [u8]> {
    let all = of.iter().filter(|(n, _)| *n == number);
    all.filter_map(|(_, v)| if let Wire::Bytes(b) = v { Some(*b) } else { None }).collect()
}

fn map(of: &Fields<'_>, number: u32) -> BTreeMap<String, String> {
    each(of, number).into_iter().map(|entry| (text(&fields(entry), 1), text(&fields(entry), 2))).collect()
}

fn sandbox(status_response: &[u8]) -> Sandbox {
    let response = fields(status_response);
    let s = fields(bytes(&response, 1));
    let (metadata, network) = (fields(bytes(&s, 2)), fields(bytes(&s, 5)));
    let (linux, more) = (fields(bytes(&s, 6)), each(&network, 2));
    let namespaces = fields(bytes(&linux, 1));
    let ips = std::iter::once(text(&network, 1)).chain(more.into_iter().map(|ip| text(&fields(ip), 1)));
    Sandbox {
        id: text(&s, 1),
        name: text(&metadata, 1),
        uid: text(&metadata, 2),
        namespace: text(&metadata, 3),
        attempt: int(&metadata, 4) as u32,
        ready: int(&s, 3) == 0,
        created_at: int(&s, 4),
        labels: map(&s, 7),
        annotations: map(&s, 8),
        ips: ips.filter(|ip| !ip.is_empty()).collect(),
        host_network: int(&fields(bytes(&namespaces, 2)), 1) == 2 || int(&fields(bytes(&namespaces, 1)), 1) == 2,
        runtime_handler: text(&s, 9),
    }
}

fn container(status_response: &[u8], sandbox_id: String) -> Container {
    let response = fields(status_response);
    let s = fields(bytes(&response, 1));
    let metadata = fields(bytes(&s, 2));
    let (resources, user) = (fields(bytes(&s, 16)), fields(bytes(&s, 18)));
    let (linux, linux_user) = (fields(bytes(&resources, 1)), fields(bytes(&user, 1)));
    let states = [ContainerState::Created, ContainerState::Running, ContainerState::Exited, ContainerState::Unknown];
    let mount = |m: &[u8]| {
        let m = fields(m);
        Mount { container_path: text(&m, 1), host_path: text(&m, 2), readonly: int(&m, 3) == 1, ..Default::default() }
    };
    Container {
        id: text(&s, 1),
        sandbox_id,
        name: text(&metadata, 1),
        attempt: int(&metadata, 2) as u32,
        state: states[int(&s, 3) as usize],
        created_at: int(&s, 4),
        started_at: int(&s, 5),
        finished_at: int(&s, 6),
        exit_code: int(&s, 7) as i32,
        end_unknown: false,
        image: text(&fields(bytes(&s, 8)), 1),
        image_ref: text(&s, 9),
        image_id: text(&s, 17),
        reason: text(&s, 10),
        message: text(&s, 11),
        labels: map(&s, 12),
        annotations: map(&s, 13),
        mounts: each(&s, 14).into_iter().map(mount).collect(),
        log_path: text(&s, 15),
        resources: (!linux.is_empty()).then(|| LinuxResources {
            cpu_period: int(&linux, 1),
            cpu_quota: int(&linux, 2),
            cpu_shares: int(&linux, 3),
            memory_limit_in_bytes: int(&linux, 4),
        }),
        user: (!linux_user.is_empty()).then(|| LinuxUser {
            uid: int(&linux_user, 1),
            gid: int(&linux_user, 2),
            supplemental_groups: Vec::new(),
        }),
        stop_signal: String::new(),
        termination_log: Vec::new(),
    }
}

/// What the runtime of one snapshot held, and all its bytes.
struct Runtime {
    sandboxes: Vec<Sandbox>,
    containers: Vec<Container>,
    raw: Vec<u8>,
}

fn runtime(cri: &Path) -> Runtime {
    let index: Value = serde_json::from_slice(&fs::read(cri.join("index.json")).unwrap()).unwrap();
    let mut out = Runtime { sandboxes: Vec::new(), containers: Vec::new(), raw: Vec::new() };
    let listed = fs::read(cri.join("ListContainers.pb")).unwrap();
    let listed = fields(&listed);
    let owner: BTreeMap<String, String> =
        each(&listed, 1).into_iter().map(|c| (text(&fields(c), 1), text(&fields(c), 2))).collect();
    for entry in index.as_array().unwrap() {
        let raw = fs::read(cri.join(entry["file"].as_str().unwrap())).unwrap();
        match entry["rpc"].as_str().unwrap() {
            "PodSandboxStatus" => out.sandboxes.push(sandbox(&raw)),
            "ContainerStatus" => {
                let id = entry["id"].as_str().unwrap();
                out.containers.push(container(&raw, owner.get(id).cloned().unwrap_or_default()));
            }
            _ => {}
        }
        out.raw.extend(raw);
    }
    out
}

/// Every leaf that is not empty or zero, by path. List items go by their name, type or mount path.
fn flat(value: &Value, path: &str, out: &mut Flat) {
    match value {
        Value::Null | Value::Bool(false) => {}
        Value::String(s) if s.is_empty() => {}
        Value::Number(n) if n.as_i64() == Some(0) => {}
        Value::Object(fields) => {
            let join = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
            fields.iter().for_each(|(key, value)| flat(value, &join(key), out));
        }
        Value::Array(items) => {
            let tag = |(i, item): (usize, &Value)| {
                let named = ["name", "type", "mountPath", "ip"].iter().find_map(|key| item.get(key)?.as_str());
                named.map_or_else(|| i.to_string(), ToString::to_string)
            };
            let tags: Vec<String> = items.iter().enumerate().map(tag).collect();
            items.iter().zip(&tags).for_each(|(item, tag)| flat(item, &format!("{path}[{tag}]"), out));
            if tags.len() > 1 {
                out.insert(format!("{path}[order]"), tags.join(",").into());
            }
        }
        _ => {
            out.insert(path.to_string(), value.clone());
        }
    }
}

const BACK_OFF: [&str; 10] = [
    "CrashLoopBackOff",
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PostStartHookError",
    "ImageInspectError",
];
const DECISIONS: [&str; 6] =
    ["UnexpectedAdmissionError", "NodeAffinity", "OutOfcpu", "OutOfmemory", "DeadlineExceeded", "Evicted"];

/// Whether manifests and the runtime cannot tell this field of the kubelet's status.
fn unknowable(path: &str, spec: &Value, theirs: &Value, ours: &Value, raw: &[u8]) -> bool {
    let holds = |needle: &str| raw.windows(needle.len().max(1)).any(|w| w == needle.as_bytes());
    if path.starts_with("startTime") || path.contains(".lastTransitionTime") {
        return true;
    }
    let containers = || {
        let lists = ["initContainers", "containers"].into_iter().filter_map(|key| spec.get(key)?.as_array());
        lists.flatten()
    };
    let has = |c: &Value, pointer: &str| c.pointer(pointer).is_some_and(|v| !v.is_null());
    let gated = |c: &Value| has(c, "/startupProbe") || has(c, "/lifecycle/postStart");
    for list in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
        let Some((name, rest)) = path.strip_prefix(list).and_then(|p| p.strip_prefix('[')?.split_once(']')) else {
            continue;
        };
        let rest = rest.trim_start_matches('.');
        let status = theirs[list].as_array().into_iter().flatten().find(|s| s["name"] == name).unwrap_or(&Value::Null);
        let container = containers().find(|c| c["name"] == name).unwrap_or(&Value::Null);
        let last = status.pointer("/lastState/terminated/containerID").and_then(Value::as_str).unwrap_or_default();
        let last = last.rsplit('/').next().unwrap_or_default();
        if rest.starts_with("lastState") && !last.is_empty() && !holds(last) {
            return true;
        }
        let waiting = status.pointer("/state/waiting/reason").and_then(Value::as_str).unwrap_or_default();
        let probed = rest == "ready" && has(container, "/readinessProbe");
        if BACK_OFF.contains(&waiting) || probed || ["started", "ready"].contains(&rest) && gated(container) {
            return true;
        }
        if rest.ends_with(".message") || rest.starts_with("resources") || rest.starts_with("allocatedResources") {
            return true;
        }
    }
    let probe_dependent = ["conditions[Ready]", "conditions[ContainersReady]", "conditions[Initialized]"];
    if probe_dependent.iter().any(|c| path.starts_with(c))
        && containers().any(|c| gated(c) || has(c, "/readinessProbe"))
    {
        return true;
    }
    if theirs["reason"].as_str().is_some_and(|r| DECISIONS.contains(&r)) {
        return true;
    }
    path.starts_with("resources")
        || path.starts_with("allocatedResources")
        || path.starts_with("podIP") && ours.get("podIP").is_none() && theirs["phase"] != "Running"
}

/// Claims of something good that the kubelet did not see: never excused.
fn boast(path: &str, theirs: Option<&Value>, ours: Option<&Value>) -> bool {
    let yes = |v: Option<&Value>| v.is_some_and(|v| v == true || v == "True");
    let claim = path.ends_with(".ready") || path.ends_with(".started");
    let condition = path.starts_with("conditions[") && path.ends_with("].status");
    (claim || condition) && yes(ours) && !yes(theirs)
}

fn recordings() -> Vec<PathBuf> {
    let mut snapshots = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    for case in fs::read_dir(root).unwrap() {
        let case = case.unwrap().path();
        let inside = fs::read_dir(&case).unwrap().map(|e| e.unwrap().path());
        snapshots.extend(inside.filter(|d| d.join("ListPodsResponse.pb").is_file()));
    }
    snapshots.sort();
    assert!(!snapshots.is_empty());
    snapshots
}

#[test]
fn says_what_the_kubelet_said() {
    let node = NodeFacts { name: "anchor-node".into(), arch: "amd64".into(), cpu_milli: 2000, memory_bytes: 8 << 30 };
    let (mut wrong, mut same) = (Vec::new(), 0);
    for snapshot in recordings() {
        let seen = runtime(&snapshot.join("cri"));
        let response = fs::read(snapshot.join("ListPodsResponse.pb")).unwrap();
        for pod in each(&fields(&response), 1) {
            let pod = PodBytes::from_wire(pod).unwrap();
            let metadata = json::from_wire(id::OBJECT_META, pod.metadata()).unwrap();
            let spec = json::from_wire(id::POD_SPEC, pod.spec()).unwrap();
            let theirs = json::from_wire(id::POD_STATUS, pod.status()).unwrap();
            let view = PodSpecView::from_wire(pod.metadata(), pod.spec()).unwrap();
            let uid = metadata["uid"].as_str().unwrap();
            let sandboxes: Vec<_> = seen.sandboxes.iter().filter(|s| s.uid == uid).cloned().map(Arc::new).collect();
            let owned = |c: &&Container| sandboxes.iter().any(|s| s.id == c.sandbox_id);
            let containers: Vec<_> = seen.containers.iter().filter(owned).cloned().map(Arc::new).collect();
            let ours = derive(&StatusInput {
                spec: Some(&view),
                kind: PodKind::Static,
                sandboxes: &sandboxes,
                containers: &containers,
                runtime_name: "containerd",
                runtime_seen: true,
                base: None,
                previous: None,
                terminating: false,
                held_back: false,
                node: &node,
                now: 1,
                first_seen: 1,
            });
            let encoded = ours.to_wire().unwrap();
            let ours = json::from_wire(id::POD_STATUS, &encoded).unwrap();
            let (mut a, mut b) = (Flat::new(), Flat::new());
            flat(&theirs, "", &mut a);
            flat(&ours, "", &mut b);
            for path in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let (x, y) = (a.get(path), b.get(path));
                if x == y {
                    same += 1;
                } else if boast(path, x, y) || !unknowable(path, &spec, &theirs, &ours, &seen.raw) {
                    let name = metadata["name"].as_str().unwrap();
                    wrong.push(format!("{}: {name}: {path}: kubelet {x:?}, derived {y:?}", snapshot.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{same} fields the same, {} not:\n{}", wrong.len(), wrong.join("\n"));
    assert!(same > 1000, "only {same} fields were compared");
}
