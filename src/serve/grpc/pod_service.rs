//! `v1.PodService`: the pod query and export of StackRox.

use std::sync::Arc;
use std::time::Instant;

use grpcio::{RpcContext, RpcStatusCode, Service, ServiceBuilder};

use super::feed::Feed;
use super::refusal::Refusal;
use super::reply::{self, Reply, Request};
use super::service::{self, Handle};
use crate::codec::wire;
use crate::query::request::{ExportRequest, RawQuery};
use crate::query::{wire as pod_wire, Export, Page, Pod, Query};
use crate::serve::connections::Kind;
use crate::serve::export::{self, ExportError};
use crate::serve::metrics::{Metrics, Own};
use crate::store::snapshot::Snapshot;

/// The service.
pub(crate) fn service(shared: &Handle) -> Service {
    let (get, export) = (Arc::clone(shared), Arc::clone(shared));
    ServiceBuilder::new()
        // For a client a call that streams one message is a unary call. It gets a thread of its own that way: regular
        // expressions over many pods would keep everybody waiting on that of the completion queue.
        .add_server_streaming_handler(&reply::GET_PODS, move |ctx, request, sink| {
            let feed = page(&get, &ctx, &request);
            if let Err(refusal) = service::stream(&ctx, sink, &get, feed) {
                get.metrics.own_ended(Own::GetPods, refusal.code().into());
            }
        })
        .add_server_streaming_handler(&reply::EXPORT_PODS, move |ctx, request, sink| {
            let feed = exported(&export, &ctx, &request);
            if let Err(refusal) = service::stream(&ctx, sink, &export, feed) {
                export.metrics.own_ended(Own::ExportPods, refusal.code().into());
            }
        })
        .build()
}

fn page(shared: &Handle, ctx: &RpcContext<'_>, request: &Request) -> Result<PageFeed, Refusal> {
    shared.admitted(ctx, Kind::Unary)?;
    Refusal::unless_initialized(&shared.store.current())?;
    let request = RawQuery::decode(request.as_ref()).map_err(|e| ExportError::Message(e.to_string()));
    request.and_then(|request| PageFeed::new(&request, &shared.metrics)).map_err(Refusal::Export)
}

fn exported(shared: &Handle, ctx: &RpcContext<'_>, request: &Request) -> Result<ExportFeed, Refusal> {
    let snapshot = shared.store.current();
    shared.admitted(ctx, Kind::Watch)?;
    Refusal::unless_initialized(&snapshot)?;
    let request = ExportRequest::decode(request.as_ref()).map_err(|e| ExportError::Message(e.to_string()));
    request.and_then(|request| ExportFeed::new(snapshot, &request, &shared.metrics)).map_err(Refusal::Export)
}

/// One page of pods, as `v1.PodsResponse`: one message, and the end.
struct PageFeed {
    query: Query,
    page: Page,
    sent: bool,
    metrics: Arc<Metrics>,
}

impl PageFeed {
    fn new(request: &RawQuery, metrics: &Arc<Metrics>) -> Result<Self, ExportError> {
        let (query, page) = (Query::parse(&request.query)?, Page::new(&request.pagination)?);
        Ok(Self { query, page, sent: false, metrics: Arc::clone(metrics) })
    }
}

impl Feed for PageFeed {
    fn next(&mut self, current: &Snapshot) -> Option<Reply> {
        if std::mem::replace(&mut self.sent, true) {
            return None;
        }
        let mut message = Vec::new();
        for entry in self.page.of(&current.pods, &self.query) {
            wire::put_bytes(&mut message, 1, &pod_wire::encode(&Pod::of(&entry, current.ended(&entry.id.uid))));
        }
        self.metrics.own_sent(Own::GetPods, message.len());
        Some(message.into())
    }

    fn end(&mut self) -> Option<Result<(), Refusal>> {
        self.sent.then_some(Ok(()))
    }

    fn ended(&mut self, code: RpcStatusCode) {
        self.metrics.own_ended(Own::GetPods, code.into());
    }
}

/// One export. It holds the snapshot in which it began: its pods are those of one moment.
struct ExportFeed {
    pods: Export,
    seconds: i32,
    deadline: Option<Instant>,
    end: Option<Result<(), Refusal>>,
    metrics: Arc<Metrics>,
}

impl ExportFeed {
    fn new(snapshot: Arc<Snapshot>, request: &ExportRequest, metrics: &Arc<Metrics>) -> Result<Self, ExportError> {
        let seconds = request.timeout;
        let deadline = export::deadline(seconds, Instant::now())?;
        let pods = Export::new(snapshot, Query::parse(&request.query)?);
        Ok(Self { pods, seconds, deadline, end: None, metrics: Arc::clone(metrics) })
    }
}

impl Feed for ExportFeed {
    fn next(&mut self, _: &Snapshot) -> Option<Reply> {
        if self.deadline.is_some_and(|end| end <= Instant::now()) {
            self.end = Some(Err(Refusal::Export(ExportError::Timeout(self.seconds))));
            return None;
        }
        let Some(pod) = self.pods.next() else {
            self.end = Some(Ok(()));
            return None;
        };
        let mut message = Vec::new();
        wire::put_bytes(&mut message, 1, &pod_wire::encode(&pod));
        self.metrics.own_sent(Own::ExportPods, message.len());
        Some(message.into())
    }

    fn end(&mut self) -> Option<Result<(), Refusal>> {
        self.end.take()
    }

    fn ended(&mut self, code: RpcStatusCode) {
        self.metrics.own_ended(Own::ExportPods, code.into());
    }
}
