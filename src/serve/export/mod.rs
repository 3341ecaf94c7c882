//! What the pod export says the same way over gRPC and over HTTP: why there is no answer, and JSON around pods.

mod error;
mod frame;

pub(crate) use error::{deadline, ExportError};
pub(crate) use frame::{error_frame, result_frame, unary_error};
