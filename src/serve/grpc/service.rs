//! The handlers. They run on the thread of the completion queue, hold no state and wait for nothing.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use grpcio::{Metadata, RpcContext, RpcStatusCode, ServerStreamingSink, Service, ServiceBuilder, UnarySink};
use parking_lot::Mutex;

use super::ask::Ask;
use super::encode::{self, Contract, Serving};
use super::feed::{self, Feed, HealthFeed, PodFeed};
use super::headers;
use super::refusal::Refusal;
use super::reply::{self, PodsMethods, Reply, Request};
use super::shared::{self, MaskedLists, SharedEvents, SharedList};
use super::stream::Streams;
use crate::serve::connections::{Connections, Kind};
use crate::serve::metrics::{Method, Metrics, Own};
use crate::store::masked::MaskCache;
use crate::store::paging::Pages;
use crate::store::snapshot::Snapshot;
use crate::store::watch::View;
use crate::store::Store;

/// What all handlers share.
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) streams: Streams,
    pub(crate) connections: Arc<Connections>,
    pub(crate) list: Arc<SharedList>,
    pub(crate) masked: MaskedLists,
    pub(crate) masks: MaskCache,
    pub(crate) pages: Mutex<Pages>,
    pub(crate) events: Arc<SharedEvents>,
    pub(crate) metrics: Arc<Metrics>,
    /// When this server was started, by the machine's clock.
    pub(crate) started: SystemTime,
}

/// [`Shared`], as handlers hold it.
pub(crate) type Handle = Arc<Shared>;

/// One of the two Pods services.
pub(crate) fn pods(shared: &Handle, methods: &PodsMethods, contract: Contract) -> Service {
    let (list, get, watch) = (Arc::clone(shared), Arc::clone(shared), Arc::clone(shared));
    ServiceBuilder::new()
        .add_unary_handler(&methods.list, move |ctx, _, sink| {
            let snapshot = list.store.current();
            let reply = list.asked(&ctx, Kind::Unary, &snapshot).and_then(|ask| list.pods(&snapshot, &ask));
            list.count(contract, Method::List, &reply);
            answer(&ctx, sink, reply);
        })
        .add_unary_handler(&methods.get, move |ctx, request, sink| {
            let snapshot = get.store.current();
            let reply = get.asked(&ctx, Kind::Unary, &snapshot).and_then(|ask| one_pod(&snapshot, &request, &ask));
            get.count(contract, Method::Get, &reply);
            answer(&ctx, sink, reply);
        })
        .add_server_streaming_handler(&methods.watch, move |ctx, _, sink| {
            let ask = watch.asked(&ctx, Kind::Watch, &watch.store.current());
            let (events, metrics) = (&watch.events, &watch.metrics);
            let feed = ask.map(|ask| PodFeed::new(contract, Arc::clone(events), ask.view, Arc::clone(metrics)));
            if let Err(refusal) = stream(&ctx, sink, &watch, feed) {
                metrics.ended(contract.into(), Method::Watch, refusal.code().into());
            }
        })
        .build()
}

impl Shared {
    /// What the client asks for, if it may ask at all.
    fn asked(&self, ctx: &RpcContext<'_>, kind: Kind, snapshot: &Snapshot) -> Result<Ask, Refusal> {
        self.admitted(ctx, kind)?;
        let ask = Ask::read(ctx.request_headers(), &self.masks)?;
        Refusal::unless_initialized(snapshot)?;
        Ok(ask)
    }

    /// Whether the client may ask now: it must not ask too often.
    pub(crate) fn admitted(&self, ctx: &RpcContext<'_>, kind: Kind) -> Result<(), Refusal> {
        self.connections.take(&ctx.peer(), kind, Instant::now()).map_err(|wait| {
            self.metrics.rate_limited();
            Refusal::TooOften(wait)
        })
    }

    /// Counts a unary call by its outcome.
    fn count(&self, contract: Contract, method: Method, reply: &Result<Answer, Refusal>) {
        let code = reply.as_ref().err().map_or(RpcStatusCode::OK, Refusal::code);
        self.metrics.ended(contract.into(), method, code.into());
        if let Ok(answer) = reply {
            self.metrics.sent(contract.into(), method, answer.reply.as_ref().len());
        }
    }

    /// Counts a unary call of a service that a kubelet does not have.
    pub(crate) fn count_own(&self, method: Own, reply: &Result<Answer, Refusal>) {
        let code = reply.as_ref().err().map_or(RpcStatusCode::OK, Refusal::code);
        self.metrics.own_ended(method, code.into());
        if let Ok(answer) = reply {
            self.metrics.own_sent(method, answer.reply.as_ref().len());
        }
    }

    /// The list, or the part of it that was asked for.
    fn pods(&self, snapshot: &Arc<Snapshot>, ask: &Ask) -> Result<Answer, Refusal> {
        if ask.is_everything() {
            return Ok(Answer { reply: self.list.of(snapshot), headers: headers::of(snapshot) });
        }
        let view = &ask.view;
        if ask.limit == 0 && ask.token.is_none() && view.selector.is_everything() {
            if let Some(mask) = &view.mask {
                return Ok(Answer { reply: self.masked.of(mask, snapshot), headers: headers::of(snapshot) });
            }
        }
        let page = self.pages.lock().page(snapshot, ask.token.as_deref(), ask.limit, |p| view.selects(p));
        let page = page.map_err(Refusal::Page)?;
        let reply = shared::masked_list(view.mask.as_ref(), &page.pods);
        Ok(Answer { reply, headers: headers::of_page(snapshot, page.next) })
    }
}

/// A reply with the metadata that goes before it.
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    pub(crate) headers: Option<Metadata>,
}

/// The health service.
pub(crate) fn health(shared: &Handle) -> Service {
    let (check, watch) = (Arc::clone(shared), Arc::clone(shared));
    ServiceBuilder::new()
        .add_unary_handler(&reply::HEALTH_CHECK, move |ctx, request, sink| {
            let snapshot = check.store.current();
            let reply = check.admitted(&ctx, Kind::Unary).and_then(|()| checked(&snapshot, &request));
            answer(&ctx, sink, reply);
        })
        .add_server_streaming_handler(&reply::HEALTH_WATCH, move |ctx, request, sink| {
            let admitted = watch.admitted(&ctx, Kind::Watch);
            let service = admitted.and_then(|()| request.string().map_err(Refusal::BadRequest));
            let _ = stream(&ctx, sink, &watch, service.map(HealthFeed::new));
        })
        .build()
}

/// The pod with the UID that was asked for. One that the selection leaves out is not there for this client.
fn one_pod(snapshot: &Snapshot, request: &Request, ask: &Ask) -> Result<Answer, Refusal> {
    let uid = request.string().map_err(Refusal::BadRequest)?;
    let pod = snapshot.by_uid(&uid).filter(|p| ask.view.selects(p));
    let reply = match (pod, &ask.view.mask) {
        (None, _) => return Err(Refusal::NoSuchPod(uid)),
        (Some(pod), None) => encode::pod(pod.bytes.as_bytes()),
        (Some(pod), Some(mask)) => encode::pod(&mask.of(pod).bytes),
    };
    Ok(Answer { reply: reply.into(), headers: headers::of(snapshot) })
}

fn checked(snapshot: &Snapshot, request: &Request) -> Result<Answer, Refusal> {
    let service = request.string().map_err(Refusal::BadRequest)?;
    match feed::serving(&service, snapshot) {
        Serving::Unknown => Err(Refusal::NoSuchService(service)),
        serving => Ok(Answer { reply: encode::health(serving).into(), headers: headers::of(snapshot) }),
    }
}

/// Sends the answer, or the refusal.
pub(crate) fn answer(ctx: &RpcContext<'_>, mut sink: UnarySink<Reply>, reply: Result<Answer, Refusal>) {
    let sent = match reply {
        Ok(Answer { reply, headers }) => {
            if let Some(headers) = headers {
                sink.set_headers(headers);
            }
            sink.success(reply)
        }
        Err(refusal) => sink.fail(refusal.status()),
    };
    // An error means that the client did not wait for the answer.
    ctx.spawn(async { drop(sent.await) });
}

/// Starts a stream, or refuses it and says why.
pub(crate) fn stream(
    ctx: &RpcContext<'_>,
    sink: ServerStreamingSink<Reply>,
    shared: &Handle,
    feed: Result<impl Feed, Refusal>,
) -> Result<(), Refusal> {
    let name = ctx.peer();
    let client = shared.connections.peer(&name).map_or(name, |p| format!("{} on {}", p.cred, p.listener));
    match feed.and_then(|feed| Ok((shared.streams.open(client)?, feed))) {
        Ok((opened, feed)) => {
            opened.start(sink, feed);
            Ok(())
        }
        Err(refusal) => {
            let failed = sink.fail(refusal.status());
            ctx.spawn(async { drop(failed.await) });
            Err(refusal)
        }
    }
}
