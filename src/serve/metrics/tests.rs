use super::*;
use crate::serve::grpc::testing::{entry, snapshot};
use crate::store::update::{Health, SourceId};
use std::collections::HashSet;

/// A strict reading of the text format: every sample belongs to the family above it, and none is there twice.
fn parse(page: &str) -> BTreeMap<String, f64> {
    let (mut family, mut typed, mut families) = ("", "", HashSet::new());
    let mut samples = BTreeMap::new();
    assert!(page.ends_with('\n'));
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && families.insert(name), "{line}");
            family = name;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, family);
            assert_eq!(kind, if name.ends_with("_total") { "counter" } else { "gauge" }, "{line}");
            typed = name;
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').map_or((series, None), |(n, l)| (n, Some(l)));
            assert_eq!((name, typed), (family, family), "{line}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit()), "{line}");
            for pair in labels.iter().flat_map(|l| l.strip_suffix('}').unwrap().split("\",")) {
                let (label, text) = pair.split_once("=\"").unwrap();
                assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
                assert!(!text.trim_end_matches('"').contains(['"', '\\']), "{line}");
            }
            assert!(samples.insert(series.to_string(), value.parse().unwrap()).is_none(), "{line}");
        }
    }
    samples
}

#[test]
fn a_page_counts_what_happened() {
    let metrics = Metrics::default();
    metrics.ended(Service::V1Alpha1, Method::List, 0);
    metrics.ended(Service::V1Alpha1, Method::Get, 5);
    metrics.ended(Service::V1Alpha1, Method::Get, 5);
    metrics.ended(Service::Documented, Method::Watch, 1);
    metrics.ended(Service::Documented, Method::Watch, 99);
    metrics.sent(Service::Documented, Method::Get, 6000);
    metrics.own_ended(Own::Find, 5);
    metrics.own_ended(Own::ExportPods, 0);
    metrics.own_sent(Own::ExportPods, 700);
    metrics.http_answered("/api/v1/pods", 200);
    metrics.http_answered("/api/v1/pods", 200);
    metrics.http_answered("/api/v1/namespaces/{namespace}/pods", 404);
    metrics.event(Event::Modified);
    metrics.coalesced(3);
    metrics.suppressed(2);
    metrics.rate_limited();
    let (a, b) = (entry("a", 1), entry("b", 2));
    let mut now = snapshot(42, &[&a, &b]);
    let since = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1500);
    let health = |state| Health { state, since, error: String::new(), target: String::new() };
    now.sources = vec![
        (SourceId::File, health(HealthState::Up)),
        (SourceId::Runtime, health(HealthState::Down)),
        (SourceId::Kubelet, health(HealthState::Absent)),
    ];
    let page = parse(&render(&metrics, &now, 7, 5, Process::Shown));
    for (series, want) in [
        ("kubelet_pod_requests_total{server_api_version=\"v1alpha1\",status_code=\"OK\"}", 1.0),
        ("kubelet_pod_requests_total{server_api_version=\"v1alpha1\",status_code=\"NotFound\"}", 2.0),
        ("kubelet_pod_requests_list_total{server_api_version=\"v1alpha1\",status_code=\"OK\"}", 1.0),
        ("kubelet_pod_requests_get_total{server_api_version=\"v1alpha1\",status_code=\"NotFound\"}", 2.0),
        ("kubelet_pod_requests_watch_total{server_api_version=\"documented\",status_code=\"Canceled\"}", 1.0),
        ("kubelet_pod_requests_watch_total{server_api_version=\"documented\",status_code=\"Unknown\"}", 1.0),
        ("kubelet_pod_watch_events_dropped_total", 0.0),
        ("nodepods_sent_bytes_total{method=\"/Pods/GetPod\"}", 6000.0),
        ("nodepods_sent_bytes_total{method=\"/v1.PodService/ExportPods\"}", 700.0),
        ("nodepods_grpc_requests_total{method=\"/nodepods.v1.Lookup/Find\",status_code=\"NotFound\"}", 1.0),
        ("nodepods_grpc_requests_total{method=\"/v1.PodService/ExportPods\",status_code=\"OK\"}", 1.0),
        ("nodepods_http_requests_total{path=\"/api/v1/pods\",code=\"200\"}", 2.0),
        ("nodepods_http_requests_total{path=\"/api/v1/namespaces/{namespace}/pods\",code=\"404\"}", 1.0),
        ("nodepods_watch_events_total{type=\"MODIFIED\"}", 1.0),
        ("nodepods_watch_events_total{type=\"DELETED\"}", 0.0),
        ("nodepods_watch_events_coalesced_total", 3.0),
        ("nodepods_watch_events_suppressed_total", 2.0),
        ("nodepods_rate_limited_total", 1.0),
        ("nodepods_connections", 7.0),
        ("nodepods_watchers", 5.0),
        ("nodepods_snapshot_revision", 42.0),
        ("nodepods_pods{phase=\"Running\"}", 2.0),
        ("nodepods_pods{phase=\"Failed\"}", 0.0),
        ("nodepods_manifest_findings{severity=\"error\"}", 0.0),
        ("nodepods_source_up{source=\"file\"}", 1.0),
        ("nodepods_source_up{source=\"cri\"}", 0.0),
        ("nodepods_source_last_change_timestamp_seconds{source=\"cri\"}", 1.5),
    ] {
        assert_eq!(page.get(series), Some(&want), "{series}");
    }
    assert!(!page.contains_key("nodepods_source_up{source=\"kubelet\"}"));
    for series in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_threads"]
    {
        assert!(page.get(series).is_some_and(|n| *n >= 0.0), "{series}");
    }
    assert!(page["process_start_time_seconds"] > 1e9);
}
