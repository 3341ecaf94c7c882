//! A gRPC client with typed messages: what it understands was not encoded by the code under test.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::StreamExt;
use grpcio::{
    CallOption, ChannelBuilder, Client, ClientSStreamReceiver, EnvBuilder, GrpcSlice, Marshaller, Method, MethodType,
    RpcStatus, RpcStatusCode,
};
use nodepods::proto::health::{HealthCheckRequest, HealthCheckResponse};
use nodepods::proto::pods_v1alpha1::{
    EventType, GetPodRequest, GetPodResponse, ListPodsRequest, ListPodsResponse, WatchPodsEvent, WatchPodsRequest,
};
use protobuf::Message;

const LONG: Duration = Duration::from_secs(20);

const fn method<Q: Message, R: Message>(ty: MethodType, name: &'static str) -> Method<Q, R> {
    Method {
        ty,
        name,
        req_mar: Marshaller { ser: grpcio::pb_ser, de: grpcio::pb_de },
        resp_mar: Marshaller { ser: grpcio::pb_ser, de: grpcio::pb_de },
    }
}

/// A method whose messages are left encoded.
const fn raw(ty: MethodType, name: &'static str) -> Method<Vec<u8>, Vec<u8>> {
    const BYTES: Marshaller<Vec<u8>> = Marshaller {
        ser: |message, slice| {
            *slice = GrpcSlice::from(message.clone());
            Ok(())
        },
        de: |mut reader| {
            let mut message = Vec::new();
            reader.read_to_end(&mut message).map_err(|e| grpcio::Error::Codec(e.into()))?;
            Ok(message)
        },
    };
    Method { ty, name, req_mar: BYTES, resp_mar: BYTES }
}

pub struct PodsClient {
    client: Client,
}

pub type Failure = (RpcStatusCode, String);

impl PodsClient {
    /// A connection of its own to the socket.
    pub fn connect(socket: &Path) -> Self {
        let env = Arc::new(EnvBuilder::new().cq_count(1).build());
        let channel = ChannelBuilder::new(env)
            .use_local_subchannel_pool(true)
            .max_receive_message_len(-1)
            .connect(&format!("unix:{}", socket.display()));
        Self { client: Client::new(channel) }
    }

    fn unary<Q: Message, R: Message + Unpin>(&self, name: &'static str, request: &Q) -> Result<R, Failure> {
        let options = CallOption::default().timeout(LONG).wait_for_ready(true);
        self.client.unary_call(&method(MethodType::Unary, name), request, options).map_err(failure)
    }

    fn stream<Q: Message, R: Message>(&self, name: &'static str, request: &Q) -> ClientSStreamReceiver<R> {
        let options = CallOption::default().timeout(LONG).wait_for_ready(true);
        self.client.server_streaming(&method(MethodType::ServerStreaming, name), request, options).unwrap()
    }

    pub fn list(&self) -> Result<Vec<Vec<u8>>, Failure> {
        self.unary("/v1alpha1.Pods/ListPods", &ListPodsRequest::new()).map(|r: ListPodsResponse| r.pods)
    }

    pub fn list_documented(&self) -> Result<Vec<Vec<u8>>, Failure> {
        // The same bytes: a repeated message is a repeated bytes field.
        self.unary("/Pods/ListPods", &ListPodsRequest::new()).map(|r: ListPodsResponse| r.pods)
    }

    pub fn get(&self, uid: &str) -> Result<Vec<u8>, Failure> {
        let request = GetPodRequest { podUID: uid.into(), ..GetPodRequest::new() };
        self.unary("/v1alpha1.Pods/GetPod", &request).map(|r: GetPodResponse| r.pod)
    }

    pub fn watch(&self) -> Events<WatchPodsEvent> {
        Events(self.stream("/v1alpha1.Pods/WatchPods", &WatchPodsRequest::new()))
    }

    /// `PodWatchResponse` and `GetPodResponse` have the same bytes.
    pub fn watch_documented(&self) -> Events<GetPodResponse> {
        Events(self.stream("/Pods/WatchPods", &WatchPodsRequest::new()))
    }

    /// `v1.PodService/GetPods` with an encoded request.
    pub fn get_pods(&self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        let options = CallOption::default().timeout(LONG).wait_for_ready(true);
        let method = raw(MethodType::Unary, "/v1.PodService/GetPods");
        self.client.unary_call(&method, &request.to_vec(), options).map_err(failure)
    }

    /// `nodepods.v1.Lookup/Find` of the pod with this UID.
    pub fn find_pod(&self, uid: &str) -> Result<Vec<u8>, Failure> {
        let options = CallOption::default().timeout(LONG).wait_for_ready(true);
        let method = raw(MethodType::Unary, "/nodepods.v1.Lookup/Find");
        let mut request = Vec::new();
        nodepods::codec::wire::put_bytes(&mut request, 4, uid.as_bytes()); // pod_uid
        self.client.unary_call(&method, &request, options).map_err(failure)
    }

    /// `v1.PodService/ExportPods` with an encoded request: all messages, and why there are no more.
    pub fn export_pods(&self, request: &[u8]) -> (Vec<Vec<u8>>, Option<Failure>) {
        let options = CallOption::default().timeout(LONG).wait_for_ready(true);
        let method = raw(MethodType::ServerStreaming, "/v1.PodService/ExportPods");
        let mut stream = Events(self.client.server_streaming(&method, &request.to_vec(), options).unwrap());
        let mut messages = Vec::new();
        loop {
            match stream.next() {
                Ok(message) => messages.push(message),
                Err((RpcStatusCode::OK, _)) => return (messages, None),
                Err(end) => return (messages, Some(end)),
            }
        }
    }

    pub fn health(&self, service: &str) -> Result<i32, Failure> {
        let request = HealthCheckRequest { service: service.into(), ..HealthCheckRequest::new() };
        self.unary("/grpc.health.v1.Health/Check", &request).map(|r: HealthCheckResponse| r.status.value())
    }

    pub fn watch_health(&self, service: &str) -> Events<HealthCheckResponse> {
        let request = HealthCheckRequest { service: service.into(), ..HealthCheckRequest::new() };
        Events(self.stream("/grpc.health.v1.Health/Watch", &request))
    }
}

/// The messages of a stream.
pub struct Events<T>(ClientSStreamReceiver<T>);

impl<T> Events<T> {
    /// The next message, or how the stream ended.
    pub fn next(&mut self) -> Result<T, Failure> {
        match block_on(self.0.next()) {
            Some(message) => message.map_err(failure),
            None => Err((RpcStatusCode::OK, String::new())),
        }
    }

    /// How the stream ends, whatever comes before.
    pub fn end(&mut self) -> Failure {
        loop {
            if let Err(end) = self.next() {
                return end;
            }
        }
    }

    pub fn cancel(&mut self) {
        self.0.cancel();
    }
}

impl Events<WatchPodsEvent> {
    pub fn expect(&mut self, kind: EventType) -> Vec<u8> {
        let event = self.next().unwrap();
        assert_eq!(event.type_.enum_value(), Ok(kind), "{event:?}");
        event.pod
    }
}

fn failure(error: grpcio::Error) -> Failure {
    match error {
        grpcio::Error::RpcFailure(status) | grpcio::Error::RpcFinished(Some(status)) => told(&status),
        other => panic!("not an answer: {other}"),
    }
}

fn told(status: &RpcStatus) -> Failure {
    (status.code(), status.message().to_string())
}
