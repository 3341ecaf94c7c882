//! Lists of pods: the state they come from, pages, entity tags.

use std::io;
use std::sync::Arc;

use super::print::{content_type, ListPrinter};
use crate::codec::wire::WireError;
use crate::pod::selector::Selector;
use crate::serve::http::etag::Tag;
use crate::serve::http::list_options::{pod_selector, too_old, ListOptions, Version};
use crate::serve::http::negotiate::{self, Form, Offer, Shape};
use crate::serve::http::outgoing::Outgoing;
use crate::serve::http::refusal::Refusal;
use crate::serve::http::rendered::Rendered;
use crate::serve::http::reply::{Produce, Reply};
use crate::serve::http::request::Request;
use crate::serve::http::row_object::RowObject;
use crate::serve::http::shared::{self, Shared};
use crate::serve::http::warning;
use crate::store::snapshot::{PodEntry, Snapshot};

/// About as much as a socket takes at once: a smaller answer is made in one piece, a larger one while it is sent.
const IN_ONE_PIECE: usize = 96 * 1024;

const EXPIRED: &str = "The provided continue parameter is too old to display a consistent list result. \
                       You can start a new list without the continue parameter.";

/// One page of a list.
struct Page {
    /// Where it comes from.
    snapshot: Arc<Snapshot>,
    pods: Vec<Arc<PodEntry>>,
    /// Where the next one begins.
    next: Option<String>,
}

/// Answers with a list.
pub(super) fn answer(shared: &Shared, request: &Request, namespace: Option<&str>) -> Result<Reply, Refusal> {
    let current = shared.known()?;
    let options = ListOptions::read(&request.query)?;
    let selector = pod_selector(&request.query, namespace)?;
    let form = negotiate::form(request, Offer::LIST)?;
    let beside = RowObject::read(&request.query)?;
    let page = page(shared, &current, &options, &selector)?;
    shared.show(&page.snapshot);
    shared.rendered.look(&current);
    // A table has no tag: the ages in it change with the time.
    let tagged = !matches!(form.shape, Shape::Table(_));
    let tag = tagged.then(|| Tag::of(request, form, page.snapshot.revision));
    let mut reply = match &tag {
        Some(tag) if tag.is_known(request) => Reply::not_modified(),
        _ => reply(page, form, beside, &shared.rendered).map_err(|e| Refusal::Internal(e.to_string()))?,
    };
    if let Some(tag) = tag {
        tag.add(&mut reply);
    }
    reply.add("Vary", "Accept".into());
    warning::add(&mut reply, &current);
    Ok(reply)
}

fn page(shared: &Shared, current: &Arc<Snapshot>, options: &ListOptions, selector: &Selector) -> Result<Page, Refusal> {
    let (snapshot, start) = match (&options.token, options.version) {
        (Some(token), _) => {
            let wrong = || Refusal::BadRequest(format!("continue key is not valid: {token:?}"));
            let (revision, start) = read_token(token).ok_or_else(wrong)?;
            let then = state(shared, current, revision).ok_or_else(|| Refusal::Expired(EXPIRED.into()))?;
            (then, start)
        }
        (None, Version::NotOlderThan(wanted) | Version::Exactly(wanted)) if wanted > current.revision => {
            return Err(Refusal::TooNew(wanted, current.revision));
        }
        (None, Version::NotOlderThan(_)) => (Arc::clone(current), 0),
        (None, Version::Exactly(wanted)) => (state(shared, current, wanted).ok_or_else(|| too_old(wanted))?, 0),
    };
    // An API server lists by namespace and name, and kubectl prints in the order of the list.
    let mut pods: Vec<&Arc<PodEntry>> = snapshot.pods.iter().collect();
    pods.sort_by(|a, b| (&a.id.namespace, &a.id.name, &a.id.uid).cmp(&(&b.id.namespace, &b.id.name, &b.id.uid)));
    let limit = if options.limit == 0 { usize::MAX } else { options.limit };
    let selected = |pod: &PodEntry| selector.is_everything() || selector.selects(&pod.id.namespace, &pod.bytes);
    let mut chosen = Vec::new();
    let mut next = None;
    for (at, pod) in pods.into_iter().enumerate().skip(start).filter(|(_, pod)| selected(pod)) {
        if chosen.len() == limit {
            next = Some(token(snapshot.revision, at));
            break;
        }
        chosen.push(Arc::clone(pod));
    }
    Ok(Page { snapshot, pods: chosen, next })
}

fn state(shared: &Shared, current: &Arc<Snapshot>, revision: u64) -> Option<Arc<Snapshot>> {
    if revision == current.revision {
        return Some(Arc::clone(current));
    }
    shared.past.lock().exactly(revision).cloned()
}

/// Revision of the list and place of the next pod, in hexadecimal.
fn token(revision: u64, place: usize) -> String {
    format!("{revision:x}.{place:x}")
}

fn read_token(token: &str) -> Option<(u64, usize)> {
    let (revision, place) = token.split_once('.')?;
    Some((u64::from_str_radix(revision, 16).ok()?, usize::from_str_radix(place, 16).ok()?))
}

fn reply(page: Page, form: Form, beside: RowObject, rendered: &Arc<Rendered>) -> Result<Reply, WireError> {
    let size = |pod: &Arc<PodEntry>| match (form.shape, beside) {
        (Shape::Whole, _) | (_, RowObject::Whole) => pod.bytes.as_bytes().len(),
        _ => 256 + pod.bytes.metadata().len(),
    };
    let size: usize = page.pods.iter().map(size).sum();
    let printer =
        ListPrinter::new((form, beside), shared::now(), page.snapshot.revision, page.next, Arc::clone(rendered));
    let mut body = ListBody { printer, pods: page.pods };
    if size > IN_ONE_PIECE {
        return Ok(Reply::produced(content_type(form.media), body));
    }
    let mut out = Vec::with_capacity(2 * size + 1024);
    body.printer.begin(body.pods.iter().map(Arc::as_ref), &mut out);
    for pod in &body.pods {
        body.printer.item(pod, &mut out)?;
    }
    body.printer.end(&mut out);
    Ok(Reply::bytes(content_type(form.media), out))
}

/// A list that is printed while it is sent: one pod at a time is in memory in its printed form.
struct ListBody {
    printer: ListPrinter,
    pods: Vec<Arc<PodEntry>>,
}

impl Produce for ListBody {
    fn produce(&mut self, out: &mut Outgoing<'_>) -> io::Result<()> {
        let mut piece = Vec::new();
        self.printer.begin(self.pods.iter().map(Arc::as_ref), &mut piece);
        out.write(&piece)?;
        for pod in std::mem::take(&mut self.pods) {
            piece.clear();
            self.printer.item(&pod, &mut piece).map_err(io::Error::other)?;
            out.write(&piece)?;
        }
        piece.clear();
        self.printer.end(&mut piece);
        out.write(&piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        assert_eq!(read_token(&token(1_800_000_000_000, 17)), Some((1_800_000_000_000, 17)));
        for bad in ["", ".", "1", "x.1", "1.x", "1.-1"] {
            assert_eq!(read_token(bad), None, "{bad}");
        }
    }
}
