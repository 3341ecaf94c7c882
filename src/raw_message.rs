//! gRPC messages that stay bytes: what they mean is read and written by [`crate::codec::wire`].

use std::io::Read;

use grpcio::{GrpcSlice, Marshaller, MessageReader, Method, MethodType};

/// A method whose messages stay bytes.
pub type RawMethod = Method<Vec<u8>, Vec<u8>>;

/// The method of this name, such as `/v1alpha1.Pods/ListPods`.
#[must_use]
pub const fn method(ty: MethodType, name: &'static str) -> RawMethod {
    const RAW: Marshaller<Vec<u8>> = Marshaller { ser: write, de: read };
    Method { ty, name, req_mar: RAW, resp_mar: RAW }
}

#[allow(clippy::ptr_arg)] // the signature is grpcio's
fn write(message: &Vec<u8>, slice: &mut GrpcSlice) -> grpcio::Result<()> {
    *slice = GrpcSlice::from(message.clone());
    Ok(())
}

/// The bytes of a message that has arrived.
///
/// # Errors
/// gRPC's core cannot give them.
pub fn read(mut reader: MessageReader) -> grpcio::Result<Vec<u8>> {
    let mut message = Vec::with_capacity(reader.len());
    reader.read_to_end(&mut message).map_err(|e| grpcio::Error::Codec(e.into()))?;
    Ok(message)
}
