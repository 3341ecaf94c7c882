//! The downward API: what a pod is told about itself, in environment variables and in files. Pure.
//!
//! Everything here gives what a kubelet would give, byte for byte, from a pod that is known here. What only an API
//! server knows (secrets, config maps, services, tokens) is named as [`Unknown`], never invented.

pub mod environment;
pub mod expand;
pub mod facts;
pub mod field;
pub mod pod;
pub mod quote;
pub mod resource;
pub mod unknown;
pub mod volume;

#[cfg(test)]
mod examples;

pub use pod::DownwardPod;
pub use unknown::Unknown;
