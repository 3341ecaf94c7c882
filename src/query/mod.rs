//! Pods as StackRox's `PodService` knows them: a query language over pods, paging and sorting, and the pod in the
//! form that its clients read. Pure: no clock, no file system, no socket.
//!
//! Language and shapes: `stackrox/stackrox pkg/search`, `proto/api/v1/pod_service.proto`, `proto/storage/deployment.proto`.

pub mod error;
pub mod label;
pub mod parse;
mod sha1;
pub mod uuid;
pub mod value;

pub use error::QueryError;
pub use label::Label;
pub use parse::{Condition, Query};
