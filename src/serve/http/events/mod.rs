//! `/api/v1/events`: what was seen to happen to the pods of this node. `kubectl describe pod` shows it.

mod object;
mod watch;

use super::list_options::{self, ListOptions, Version};
use super::listed;
use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::shared::Shared;
use crate::pod::selector::{FieldSelector, LabelSelector};
use crate::store::events::PodEvent;
use object::KIND;

/// The fields that select events (`kubernetes/kubernetes pkg/registry/core/event/strategy.go`).
const FIELDS: [&str; 14] = [
    "metadata.name",
    "metadata.namespace",
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "reportingController",
    "source",
    "type",
];

/// Events of one namespace or of all: a list, or a watch where one is asked for.
pub(crate) fn list(shared: &Shared, request: &Request, namespace: Option<&str>) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    let selection = Selection::read(request, namespace)?;
    if request.query.switch("watch").unwrap_or(false) {
        return watch::answer(shared, request, selection, &snapshot);
    }
    let options = ListOptions::read(&request.query)?;
    let view = shared.events.look();
    match options.version {
        Version::NotOlderThan(wanted) | Version::Exactly(wanted) if wanted > view.revision => {
            return Err(Refusal::TooNew(wanted, view.revision));
        }
        Version::Exactly(wanted) if wanted != view.revision => return Err(list_options::too_old(wanted)),
        _ => {}
    }
    if options.token.is_some() {
        return Err(Refusal::Expired("lists of events have no pages: start a new list".into()));
    }
    let objects = view.events.iter().filter(|event| selection.selects(event));
    let objects = objects.map(|event| object::value(event, &snapshot.node_name)).collect();
    listed::list(&KIND, objects, view.revision, request)
}

/// One event.
pub(crate) fn get(shared: &Shared, request: &Request, namespace: &str, name: &str) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    let view = shared.events.look();
    let event = view.events.iter().find(|event| event.pod.namespace == namespace && object::name(event) == name);
    let event = event.ok_or_else(|| Refusal::NotFound(KIND.resource, name.to_owned()))?;
    listed::one(&KIND, object::value(event, &snapshot.node_name), request)
}

/// Which events are wanted.
struct Selection {
    namespace: Option<String>,
    fields: FieldSelector,
    /// Our events have no labels.
    without_labels: bool,
}

impl Selection {
    fn read(request: &Request, namespace: Option<&str>) -> Result<Self, Refusal> {
        let text = |key| request.query.text(key).unwrap_or_default();
        let labels = LabelSelector::parse(text("labelSelector")).map_err(|e| Refusal::BadRequest(e.0))?;
        let fields = FieldSelector::parse_among(text("fieldSelector"), &FIELDS);
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            fields: fields.map_err(|e| Refusal::BadRequest(e.0))?,
            without_labels: labels.matches(|_| None),
        })
    }

    fn selects(&self, event: &PodEvent) -> bool {
        self.without_labels
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == event.pod.namespace)
            && self.fields.matches(|field| object::field(event, field))
    }
}
