//! Server reflection, v1 and v1alpha: tools such as grpcurl work without our proto files.

mod answer;
mod files;

use std::sync::Arc;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use grpcio::{DuplexSink, Method, RequestStream, RpcContext, Service, ServiceBuilder, WriteFlags};

use self::files::Files;
use super::offer::Offer;
use super::refusal::Refusal;
use super::reply::{Reply, Request};
use super::service::Shared;
use crate::serve::connections::Kind;

/// The encoded `google.protobuf.FileDescriptorSet` of every contract that is served, with all imports. Written by
/// `build.rs` from `proto/`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/nodepods.protoset"));

/// The full names of all services.
#[must_use]
pub fn services() -> Vec<String> {
    let mut names: Vec<_> = Files::of(DESCRIPTORS, Offer::WholeNode).services().collect();
    names.sort();
    names
}

/// One version of the service.
pub(crate) fn service(shared: &Arc<Shared>, method: &Method<Request, Reply>) -> Service {
    let shared = Arc::clone(shared);
    let handler = move |ctx: RpcContext<'_>, requests, sink| {
        let (shared, peer) = (Arc::clone(&shared), ctx.peer());
        // On the thread of the completion queue, like all handlers: an answer takes some 0.1 ms, and each question
        // costs its connection as much as a unary call.
        ctx.spawn(async move { converse(&shared, &peer, requests, sink).await });
    };
    ServiceBuilder::new().add_duplex_streaming_handler(method, handler).build()
}

/// Answers questions until the client has no more. Errors mean that it has gone.
async fn converse(shared: &Shared, peer: &str, mut requests: RequestStream<Request>, mut sink: DuplexSink<Reply>) {
    let files = Files::of(DESCRIPTORS, Offer::of(&shared.store.current()));
    while let Some(Ok(request)) = requests.next().await {
        if let Err(wait) = shared.connections.take(peer, Kind::Unary, Instant::now()) {
            shared.metrics.rate_limited();
            let _ = sink.fail(Refusal::TooOften(wait).status()).await;
            return;
        }
        let answer = answer::answer(files, request.as_ref());
        if sink.send((answer.into(), WriteFlags::default())).await.is_err() {
            return;
        }
    }
    let _ = sink.close().await;
}
