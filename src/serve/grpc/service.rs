//! The handlers. They run on the thread of the completion queue, hold no state and wait for nothing.

use std::sync::Arc;

use grpcio::{RpcContext, ServerStreamingSink, Service, ServiceBuilder, UnarySink};

use super::encode::{self, Contract, Serving};
use super::feed::{self, Feed, HealthFeed, PodFeed};
use super::headers;
use super::refusal::Refusal;
use super::reply::{self, PodsMethods, Reply, Request};
use super::shared::{SharedEvents, SharedList};
use super::stream::Streams;
use crate::serve::connections::Connections;
use crate::store::snapshot::Snapshot;
use crate::store::Store;

/// What all handlers share.
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) list: SharedList,
    pub(crate) events: Arc<SharedEvents>,
}

type Handle = Arc<Shared>;

/// One of the two Pods services.
pub(crate) fn pods(shared: &Handle, methods: &PodsMethods, contract: Contract) -> Service {
    let (list, get, watch) = (Arc::clone(shared), Arc::clone(shared), Arc::clone(shared));
    ServiceBuilder::new()
        .add_unary_handler(&methods.list, move |ctx, _, sink| {
            let snapshot = list.store.current();
            let reply = Refusal::unless_initialized(&snapshot).map(|()| list.list.of(&snapshot));
            answer(&ctx, sink, &snapshot, reply);
        })
        .add_unary_handler(&methods.get, move |ctx, request, sink| {
            let snapshot = get.store.current();
            answer(&ctx, sink, &snapshot, one_pod(&snapshot, &request));
        })
        .add_server_streaming_handler(&methods.watch, move |ctx, _, sink| {
            let ready = Refusal::unless_initialized(&watch.store.current());
            let feed = ready.map(|()| PodFeed::new(contract, Arc::clone(&watch.events)));
            stream(&ctx, sink, &watch, feed);
        })
        .build()
}

/// The health service.
pub(crate) fn health(shared: &Handle) -> Service {
    let (check, watch) = (Arc::clone(shared), Arc::clone(shared));
    ServiceBuilder::new()
        .add_unary_handler(&reply::HEALTH_CHECK, move |ctx, request, sink| {
            let snapshot = check.store.current();
            answer(&ctx, sink, &snapshot, checked(&snapshot, &request));
        })
        .add_server_streaming_handler(&reply::HEALTH_WATCH, move |ctx, request, sink| {
            let feed = request.string().map(HealthFeed::new).map_err(Refusal::BadRequest);
            stream(&ctx, sink, &watch, feed);
        })
        .build()
}

fn one_pod(snapshot: &Snapshot, request: &Request) -> Result<Reply, Refusal> {
    Refusal::unless_initialized(snapshot)?;
    let uid = request.string().map_err(Refusal::BadRequest)?;
    match snapshot.by_uid(&uid) {
        Some(pod) => Ok(encode::pod(pod).into()),
        None => Err(Refusal::NoSuchPod(uid)),
    }
}

fn checked(snapshot: &Snapshot, request: &Request) -> Result<Reply, Refusal> {
    let service = request.string().map_err(Refusal::BadRequest)?;
    match feed::serving(&service, snapshot) {
        Serving::Unknown => Err(Refusal::NoSuchService(service)),
        serving => Ok(encode::health(serving).into()),
    }
}

fn answer(ctx: &RpcContext<'_>, mut sink: UnarySink<Reply>, snapshot: &Snapshot, reply: Result<Reply, Refusal>) {
    let sent = match reply {
        Ok(reply) => {
            if let Some(headers) = headers::of(snapshot) {
                sink.set_headers(headers);
            }
            sink.success(reply)
        }
        Err(refusal) => sink.fail(refusal.status()),
    };
    // An error means that the client did not wait for the answer.
    ctx.spawn(async { drop(sent.await) });
}

fn stream(ctx: &RpcContext<'_>, sink: ServerStreamingSink<Reply>, shared: &Handle, feed: Result<impl Feed, Refusal>) {
    let name = ctx.peer();
    let client = shared.connections.peer(&name).map_or(name, |p| format!("{} on {}", p.cred, p.listener));
    match feed.and_then(|feed| Ok((shared.streams.open(client)?, feed))) {
        Ok((opened, feed)) => opened.start(sink, feed),
        Err(refusal) => {
            let failed = sink.fail(refusal.status());
            ctx.spawn(async { drop(failed.await) });
        }
    }
}
