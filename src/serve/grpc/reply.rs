//! Messages as bytes, and the methods that carry them.
//!
//! Replies are encoded by us and shared: the gRPC core takes them by reference count, so one encoding serves any
//! number of clients. Requests are read from their bytes, too; they hold one string at most.

use grpcio::{GrpcSlice, Marshaller, MessageReader, Method, MethodType};

use crate::codec::wire::{self, Value};
use crate::raw_message;

/// An encoded message to be sent. Cloning it copies nothing.
#[derive(Clone, Debug)]
pub(crate) struct Reply(GrpcSlice);

impl From<Vec<u8>> for Reply {
    /// Takes the vector over without a copy where its capacity is its length.
    fn from(bytes: Vec<u8>) -> Self {
        Self(GrpcSlice::from(bytes))
    }
}

impl AsRef<[u8]> for Reply {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// An encoded message that was received, at most as long as the server's receive limit.
#[derive(Debug, Default)]
pub(crate) struct Request(Vec<u8>);

impl AsRef<[u8]> for Request {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Request {
    /// The string in field 1, empty where there is none. The last one counts, as protobuf has it.
    ///
    /// # Errors
    /// The message is no protobuf or the string is not UTF-8; says which.
    pub(crate) fn string(&self) -> Result<String, String> {
        let mut last: &[u8] = &[];
        for field in wire::fields(&self.0) {
            let field = field.map_err(|e| e.to_string())?;
            if let (1, Value::Bytes(bytes)) = (field.number, field.value) {
                last = bytes;
            }
        }
        String::from_utf8(last.to_vec()).map_err(|_| "field 1 is not UTF-8".into())
    }
}

const fn method(ty: MethodType, name: &'static str) -> Method<Request, Reply> {
    Method {
        ty,
        name,
        req_mar: Marshaller { ser: write, de: read },
        resp_mar: Marshaller {
            ser: |reply, slice| {
                *slice = reply.0.clone();
                Ok(())
            },
            de: |reader| read(reader).map(|r| Reply::from(r.0)),
        },
    }
}

/// Only calls to ourselves have requests to write.
fn write(request: &Request, slice: &mut GrpcSlice) -> grpcio::Result<()> {
    *slice = request.0.clone().into();
    Ok(())
}

fn read(reader: MessageReader) -> grpcio::Result<Request> {
    raw_message::read(reader).map(Request)
}

/// The three methods of one of the two Pods services.
pub(crate) struct PodsMethods {
    pub(crate) list: Method<Request, Reply>,
    pub(crate) watch: Method<Request, Reply>,
    pub(crate) get: Method<Request, Reply>,
}

/// `v1alpha1.Pods`, as kubelets serve it (`kubernetes/kubelet pkg/apis/pods/v1alpha1/api.proto`).
pub(crate) const KUBELET: PodsMethods = PodsMethods {
    list: method(MethodType::Unary, "/v1alpha1.Pods/ListPods"),
    watch: method(MethodType::ServerStreaming, "/v1alpha1.Pods/WatchPods"),
    get: method(MethodType::Unary, "/v1alpha1.Pods/GetPod"),
};

/// `Pods` without a package, as the Kubernetes documentation prints it.
pub(crate) const DOCUMENTED: PodsMethods = PodsMethods {
    list: method(MethodType::Unary, "/Pods/ListPods"),
    watch: method(MethodType::ServerStreaming, "/Pods/WatchPods"),
    get: method(MethodType::Unary, "/Pods/GetPod"),
};

/// `nodepods.v1.Lookup/Find`
pub(crate) const LOOKUP_FIND: Method<Request, Reply> = method(MethodType::Unary, "/nodepods.v1.Lookup/Find");

/// `nodepods.v1.Node/GetSources`
pub(crate) const GET_SOURCES: Method<Request, Reply> = method(MethodType::Unary, "/nodepods.v1.Node/GetSources");
/// `v1.PodService/GetPods` (`stackrox/stackrox proto/api/v1/pod_service.proto`)
pub(crate) const GET_PODS: Method<Request, Reply> = method(MethodType::Unary, "/v1.PodService/GetPods");
/// `v1.PodService/ExportPods`
pub(crate) const EXPORT_PODS: Method<Request, Reply> = method(MethodType::ServerStreaming, "/v1.PodService/ExportPods");

/// `grpc.health.v1.Health/Check`
pub(crate) const HEALTH_CHECK: Method<Request, Reply> = method(MethodType::Unary, "/grpc.health.v1.Health/Check");
/// `grpc.health.v1.Health/Watch`
pub(crate) const HEALTH_WATCH: Method<Request, Reply> =
    method(MethodType::ServerStreaming, "/grpc.health.v1.Health/Watch");

/// `grpc.reflection.v1` and `grpc.reflection.v1alpha`.
pub(crate) const REFLECTION: [Method<Request, Reply>; 2] = [
    method(MethodType::Duplex, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
    method(MethodType::Duplex, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_string_of_a_request() {
        let read = |bytes: &[u8]| Request(bytes.to_vec()).string();
        assert_eq!(read(b"").unwrap(), "");
        assert_eq!(read(b"\x10\x05\x0a\x01a\x0a\x02bc").unwrap(), "bc");
        assert!(read(b"\x0a\x05a").is_err());
        assert!(read(b"\x0a\x01\xff").is_err());
    }
}
