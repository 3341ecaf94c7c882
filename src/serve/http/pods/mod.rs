//! `/api/v1/pods`: list, get and watch.

mod event;
mod list;
mod print;
mod table;
mod watch;

use std::sync::Arc;

use super::list_options;
use super::negotiate::{self, Offer};
use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::row_object::RowObject;
use super::shared::{self, Shared};
use super::warning;
use crate::pod::successor::succeeds;
use crate::store::snapshot::{PodEntry, Snapshot};

/// Pods of one namespace or of all: a list, or a watch where one is asked for.
pub(crate) fn list(shared: &Shared, request: &Request, namespace: Option<&str>) -> Result<Reply, Refusal> {
    if request.query.switch("watch").unwrap_or(false) {
        watch::answer(shared, request, namespace)
    } else {
        list::answer(shared, request, namespace)
    }
}

/// One pod.
pub(crate) fn get(shared: &Shared, request: &Request, namespace: &str, name: &str) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    let form = negotiate::form(request, Offer::OBJECT)?;
    let beside = RowObject::read(&request.query)?;
    if let Some(wanted) = list_options::revision(&request.query)?.filter(|wanted| *wanted > snapshot.revision) {
        return Err(Refusal::TooNew(wanted, snapshot.revision));
    }
    shared.show(&snapshot);
    let pod = find(&snapshot, namespace, name)?;
    let body = print::single(pod, form, beside, shared::now(), &shared.rendered)
        .map_err(|e| Refusal::Internal(e.to_string()))?;
    let mut reply = Reply::bytes(print::content_type(form.media), body);
    reply.add("Vary", "Accept".into());
    warning::add(&mut reply, &snapshot);
    Ok(reply)
}

/// The pod with this name. While a replaced pod still stops there may be two; its successor is meant.
///
/// # Errors
/// There is none.
pub(crate) fn find<'s>(snapshot: &'s Snapshot, namespace: &str, name: &str) -> Result<&'s Arc<PodEntry>, Refusal> {
    let named = snapshot.pods.iter().filter(|p| p.id.namespace == namespace && p.id.name == name);
    let meant = named.reduce(|a, b| if succeeds(&b.bytes, &a.bytes) { b } else { a });
    meant.ok_or_else(|| Refusal::NotFound("pods", name.to_owned()))
}
