//! Pods as StackRox's `PodService` knows them: a query language over pods, paging and sorting, and the pod in the
//! form that its clients read. Pure: no clock, no file system, no socket.
//!
//! Language and shapes: `stackrox/stackrox pkg/search`, `proto/api/v1/pod_service.proto`, `proto/storage/deployment.proto`.

pub mod error;
pub mod export;
pub mod json;
pub mod label;
mod matching;
pub mod page;
pub mod parse;
pub mod pod;
pub mod request;
mod sha1;
pub mod uuid;
pub mod value;
pub mod view;
pub mod wire;

pub use error::QueryError;
pub use export::Export;
pub use label::Label;
pub use page::{Page, PageError, Pagination, SortOption};
pub use parse::{Condition, Query};
pub use pod::Pod;
