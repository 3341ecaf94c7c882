//! An event as Kubernetes shows it (`kubernetes/api core/v1/types.go`, Event), and its cells in a table
//! (`kubernetes/kubernetes pkg/printers/internalversion/printers.go`, printEvent).

use serde_json::{json, Value};

use crate::codec::time::Time;
use crate::pod::columns::age;
use crate::serve::http::listed::{Column, Kind};
use crate::store::events::PodEvent;

/// Who says so.
const COMPONENT: &str = "nodepods";

pub(super) const KIND: Kind = Kind {
    name: "Event",
    resource: "events",
    columns: &[
        Column { name: "Last Seen", wide: false },
        Column { name: "Type", wide: false },
        Column { name: "Reason", wide: false },
        Column { name: "Object", wide: false },
        Column { name: "Subobject", wide: true },
        Column { name: "Source", wide: true },
        Column { name: "Message", wide: false },
        Column { name: "First Seen", wide: true },
        Column { name: "Count", wide: true },
        Column { name: "Name", wide: true },
    ],
    cells,
};

/// Unique among the events: a pod's name and the revision at which the event was made.
pub(super) fn name(event: &PodEvent) -> String {
    format!("{}.{:016x}", event.pod.name, event.number)
}

/// The whole object.
pub(super) fn value(event: &PodEvent, node: &str) -> Value {
    let pod = &event.pod;
    let mut involved = json!({
        "kind": "Pod", "apiVersion": "v1", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid,
    });
    if let (false, Value::Object(involved)) = (event.field_path.is_empty(), &mut involved) {
        involved.insert("fieldPath".into(), event.field_path.as_str().into());
    }
    let [first, last] = [event.first, event.last].map(|at| Time::from_unix(at).to_string());
    json!({
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {
            "name": name(event),
            "namespace": pod.namespace,
            "resourceVersion": event.revision.to_string(),
            "creationTimestamp": first,
        },
        "involvedObject": involved,
        "reason": event.reason,
        "message": event.message,
        "source": {"component": COMPONENT, "host": node},
        "firstTimestamp": first,
        "lastTimestamp": last,
        "count": event.count,
        "type": kind(event),
        "eventTime": null,
        "reportingComponent": COMPONENT,
        "reportingInstance": node,
    })
}

fn kind(event: &PodEvent) -> &'static str {
    if event.warning {
        "Warning"
    } else {
        "Normal"
    }
}

/// The text of a field that selects.
pub(super) fn field(event: &PodEvent, field: &str) -> String {
    match field {
        "metadata.name" => name(event),
        "metadata.namespace" | "involvedObject.namespace" => event.pod.namespace.clone(),
        "involvedObject.kind" => "Pod".into(),
        "involvedObject.name" => event.pod.name.clone(),
        "involvedObject.uid" => event.pod.uid.clone(),
        "involvedObject.apiVersion" => "v1".into(),
        "involvedObject.fieldPath" => event.field_path.clone(),
        "reason" => event.reason.clone(),
        "reportingComponent" | "reportingController" | "source" => COMPONENT.into(),
        "type" => kind(event).into(),
        _ => String::new(),
    }
}

fn cells(event: &Value, now: i64) -> Vec<String> {
    let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let ago = |path: &str| Time::parse(text(path)).map_or_else(|| "<unknown>".into(), |at| age(now - at.unix()));
    vec![
        ago("/lastTimestamp"),
        text("/type").into(),
        text("/reason").into(),
        format!("pod/{}", text("/involvedObject/name")),
        text("/involvedObject/fieldPath").into(),
        format!("{}, {}", text("/source/component"), text("/source/host")),
        text("/message").into(),
        ago("/firstTimestamp"),
        event.get("count").and_then(Value::as_u64).unwrap_or(1).to_string(),
        text("/metadata/name").into(),
    ]
}
