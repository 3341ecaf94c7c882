//! What the daemon counts, and the page that Prometheus reads.
//!
//! The names under `kubelet_` and their labels are a kubelet's (`kubernetes/kubernetes pkg/kubelet/metrics`), so that
//! its dashboards work. `server_api_version` is the first part of the service's name, as there: `v1alpha1`. The
//! documented `Pods` has no package; its value is `documented`.

mod http;
mod own;
mod page;
mod process;
mod text;
mod textfile;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use self::http::HttpRequests;
pub use self::own::Own;
use self::own::OwnCalls;
pub use self::page::Page;
use self::text::Text;
pub use self::textfile::Textfile;
use crate::pod::finding::Severity;
use crate::store::snapshot::Snapshot;
use crate::store::update::HealthState;

/// gRPC's status codes by their number, as Go prints them.
const CODES: [&str; 17] = [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];
const VERSIONS: [&str; 2] = ["v1alpha1", "documented"];
const METHODS: [[&str; 3]; 2] = [
    ["/v1alpha1.Pods/ListPods", "/v1alpha1.Pods/GetPod", "/v1alpha1.Pods/WatchPods"],
    ["/Pods/ListPods", "/Pods/GetPod", "/Pods/WatchPods"],
];
const EVENTS: [&str; 4] = ["ADDED", "MODIFIED", "DELETED", "INITIAL_SYNC_COMPLETE"];

/// One of the two Pods services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `v1alpha1.Pods`
    V1Alpha1 = 0,
    /// `Pods`
    Documented = 1,
}

/// A method of a Pods service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `ListPods`
    List = 0,
    /// `GetPod`
    Get = 1,
    /// `WatchPods`
    Watch = 2,
}

/// What a watch sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// ADDED
    Added = 0,
    /// MODIFIED
    Modified = 1,
    /// DELETED
    Deleted = 2,
    /// INITIAL_SYNC_COMPLETE
    InitialSyncComplete = 3,
}

/// The daemon's counters. They only grow; each is exact, and a page is no moment's picture.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By service, method and status code.
    requests: [[[AtomicU64; CODES.len()]; 3]; 2],
    /// By service and method.
    sent_bytes: [[AtomicU64; 3]; 2],
    own: OwnCalls,
    http: HttpRequests,
    events: [AtomicU64; EVENTS.len()],
    coalesced: AtomicU64,
    suppressed: AtomicU64,
    rate_limited: AtomicU64,
}

fn add(counter: Option<&AtomicU64>, n: u64) {
    if let Some(counter) = counter {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

/// The place of a gRPC code; what is none counts as Unknown.
fn place(code: i32) -> usize {
    usize::try_from(code).ok().filter(|c| *c < CODES.len()).unwrap_or(2)
}

impl Metrics {
    /// A call ended with this gRPC code; a watch counts when its stream ends.
    pub fn ended(&self, service: Service, method: Method, code: i32) {
        let code = place(code);
        let [v1alpha1, documented] = &self.requests;
        let of = if service == Service::V1Alpha1 { v1alpha1 } else { documented };
        add(of.get(method as usize).and_then(|codes| codes.get(code)), 1);
    }

    /// A message of so many bytes went to a client.
    pub fn sent(&self, service: Service, method: Method, bytes: usize) {
        add(self.sent_bytes.get(service as usize).and_then(|m| m.get(method as usize)), bytes as u64);
    }

    /// A call of another service ended with this gRPC code.
    pub fn own_ended(&self, method: Own, code: i32) {
        self.own.ended(method, place(code));
    }

    /// A message of so many bytes went to a client of another service.
    pub fn own_sent(&self, method: Own, bytes: usize) {
        self.own.sent(method, bytes);
    }

    /// An HTTP request was answered with this status code. `path` names what was asked for, not how.
    pub fn http_answered(&self, path: &'static str, code: u16) {
        self.http.answered(path, code);
    }

    /// A watch sent an event.
    pub fn event(&self, event: Event) {
        add(self.events.get(event as usize), 1);
    }

    /// A watch passed over so many snapshots, since newer ones came first.
    pub fn coalesced(&self, snapshots: u64) {
        add(Some(&self.coalesced), snapshots);
    }

    /// A watch did not send so many changes, since its mask hides them.
    pub fn suppressed(&self, changes: u64) {
        add(Some(&self.suppressed), changes);
    }

    /// A call was refused because its connection asked too often.
    pub fn rate_limited(&self) {
        add(Some(&self.rate_limited), 1);
    }
}

/// Whether the figures of the process stand on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// They do.
    Shown,
    /// Somebody else shows figures under these names.
    LeftOut,
}

/// The page in Prometheus' text format. `connections` and `watchers` are those that are open now.
#[must_use]
pub fn render(metrics: &Metrics, snapshot: &Snapshot, connections: usize, watchers: usize, process: Process) -> String {
    let mut text = Text::default();
    requests(&mut text, metrics);
    own(&mut text, metrics, connections, watchers);
    state(&mut text, snapshot);
    if process == Process::Shown {
        process::render(&mut text);
    }
    text.finish()
}

fn requests(text: &mut Text, metrics: &Metrics) {
    let families = [
        ("kubelet_pod_requests_total", "Requests to the Pods API.", None),
        ("kubelet_pod_requests_list_total", "ListPods requests.", Some(Method::List)),
        ("kubelet_pod_requests_get_total", "GetPod requests.", Some(Method::Get)),
        ("kubelet_pod_requests_watch_total", "WatchPods requests, counted when the stream ends.", Some(Method::Watch)),
    ];
    for (name, help, only) in families {
        text.family(name, "counter", help);
        for (version, methods) in VERSIONS.iter().zip(&metrics.requests) {
            for (at, code) in CODES.iter().enumerate() {
                let counted = methods.iter().enumerate().filter(|(m, _)| only.is_none_or(|only| only as usize == *m));
                let n: u64 = counted.filter_map(|(_, codes)| Some(codes.get(at)?.load(Ordering::Relaxed))).sum();
                if n > 0 {
                    text.sample(&[("server_api_version", version), ("status_code", code)], n);
                }
            }
        }
    }
    let help = "Events that a watcher missed. Always 0: watchers have no queue that could overflow.";
    text.family("kubelet_pod_watch_events_dropped_total", "counter", help).sample(&[], 0);
}

fn own(text: &mut Text, metrics: &Metrics, connections: usize, watchers: usize) {
    let load = |n: &AtomicU64| n.load(Ordering::Relaxed);
    let build = [("version", env!("CARGO_PKG_VERSION")), ("commit", env!("NODEPODS_COMMIT"))];
    text.family("nodepods_build_info", "gauge", "Which nodepods this is; always 1.").sample(&build, 1);
    text.family("nodepods_connections", "gauge", "Open gRPC connections.").sample(&[], connections);
    text.family("nodepods_watchers", "gauge", "Running gRPC streams.").sample(&[], watchers);
    text.family("nodepods_watch_events_total", "counter", "Events that watches sent.");
    for (name, n) in EVENTS.iter().zip(&metrics.events) {
        text.sample(&[("type", name)], load(n));
    }
    let help = "Snapshots that a watch passed over, since newer ones came before its client had taken the last event.";
    text.family("nodepods_watch_events_coalesced_total", "counter", help).sample(&[], load(&metrics.coalesced));
    let help = "Changes of pods that a watch did not send, since its field mask hides them.";
    text.family("nodepods_watch_events_suppressed_total", "counter", help).sample(&[], load(&metrics.suppressed));
    text.family("nodepods_sent_bytes_total", "counter", "Bytes of messages, before framing.");
    for (name, n) in METHODS.as_flattened().iter().zip(metrics.sent_bytes.as_flattened()) {
        text.sample(&[("method", name)], load(n));
    }
    metrics.own.render_sent(text);
    metrics.own.render(text);
    metrics.http.render(text);
    let help = "Calls that were refused because their connection asked too often.";
    text.family("nodepods_rate_limited_total", "counter", help).sample(&[], load(&metrics.rate_limited));
}

fn state(text: &mut Text, snapshot: &Snapshot) {
    text.family("nodepods_source_up", "gauge", "1 where the source answers, 0 where it does not.");
    let expected = || snapshot.sources.iter().filter(|(_, h)| h.state != HealthState::Absent);
    for (id, health) in expected() {
        text.sample(&[("source", &id.to_string())], u8::from(health.state == HealthState::Up));
    }
    let help = "When the source last changed its state (came up, went down), in seconds since 1970.";
    text.family("nodepods_source_last_change_timestamp_seconds", "gauge", help);
    for (id, health) in expected() {
        let since = health.since.duration_since(std::time::UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
        text.sample(&[("source", &id.to_string())], since);
    }
    let help = "Revision of the last change of a pod; only grows.";
    text.family("nodepods_snapshot_revision", "gauge", help).sample(&[], snapshot.revision);
    let mut phases: BTreeMap<&str, usize> =
        ["Pending", "Running", "Succeeded", "Failed", "Unknown"].map(|phase| (phase, 0)).into();
    for pod in &snapshot.pods {
        *phases.entry(if pod.phase.is_empty() { "Unknown" } else { &pod.phase }).or_default() += 1;
    }
    text.family("nodepods_pods", "gauge", "Pods on this node by their phase.");
    for (phase, n) in phases {
        text.sample(&[("phase", phase)], n);
    }
    text.family("nodepods_manifest_findings", "gauge", "What is wrong or questionable in the manifests.");
    for (name, severity) in [("error", Severity::Error), ("warning", Severity::Warning)] {
        let n = snapshot.findings.iter().filter(|f| f.severity == severity).count();
        text.sample(&[("severity", name)], n);
    }
}

#[cfg(test)]
mod tests;
