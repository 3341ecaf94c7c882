//! The load client: messages stay bytes, windows are generous, each connection is its own.

use std::ffi::CString;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use grpcio::{
    CallOption, Channel, ChannelBuilder, Client, Environment, Marshaller, MessageReader, MetadataBuilder, Method,
    MethodType,
};

pub const LIST: Method<Vec<u8>, Vec<u8>> = method(MethodType::Unary, "/v1alpha1.Pods/ListPods");
pub const GET: Method<Vec<u8>, Vec<u8>> = method(MethodType::Unary, "/v1alpha1.Pods/GetPod");
pub const HEALTH: Method<Vec<u8>, Vec<u8>> = method(MethodType::Unary, "/grpc.health.v1.Health/Check");
pub const FIND: Method<Vec<u8>, Vec<u8>> = method(MethodType::Unary, "/nodepods.v1.Lookup/Find");
pub const WATCH: Method<Vec<u8>, Vec<u8>> = method(MethodType::ServerStreaming, "/v1alpha1.Pods/WatchPods");

const fn method(ty: MethodType, name: &'static str) -> Method<Vec<u8>, Vec<u8>> {
    let bytes = Marshaller { ser: write, de: read };
    Method { ty, name, req_mar: Marshaller { ser: write, de: read }, resp_mar: bytes }
}

#[allow(clippy::ptr_arg)] // the type of grpcio's serializers
fn write(message: &Vec<u8>, slice: &mut grpcio::GrpcSlice) -> grpcio::Result<()> {
    *slice = message.clone().into();
    Ok(())
}

fn read(mut reader: MessageReader) -> grpcio::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(|e| grpcio::Error::Codec(e.into()))?;
    Ok(bytes)
}

pub fn connect(env: &Arc<Environment>, socket: &Path) -> Client {
    Client::new(channel(env, socket))
}

fn channel(env: &Arc<Environment>, socket: &Path) -> Channel {
    ChannelBuilder::new(Arc::clone(env))
        .use_local_subchannel_pool(true)
        .max_receive_message_len(-1)
        .stream_initial_window_size(8 << 20)
        .http2_max_frame_size(1 << 20)
        .raw_cfg_int(CString::from(c"grpc.http2.bdp_probe"), 0)
        .connect(&format!("unix:{}", socket.display()))
}

/// Asks with a field mask, or without where it is empty.
pub fn masked(mask: &str) -> CallOption {
    let mut metadata = MetadataBuilder::new();
    if !mask.is_empty() {
        metadata.add_str("x-kubernetes-fieldmask", mask).expect("a mask is text");
    }
    CallOption::default().headers(metadata.build())
}
