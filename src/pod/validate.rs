//! What the kubelet's validation would refuse in a static pod.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/validation/validation.go` (ValidatePodCreate) at 1.36, with the
//! feature gates as they are by default. Rules for what a static pod cannot have anyway are left out (volumes that
//! need the API server are refused as references), and so are rules for Windows. Where versions differ, the milder one
//! holds: a false refusal is worse than a miss.

mod affinity;
mod container;
mod env;
mod metadata;
mod mount;
pub mod place;
mod probe;
pub mod report;
mod resources;
mod security;
mod spec;
mod volume;

pub use env::subscript;
pub use resources::quantity;
pub use volume::kinds as volume_kinds;

use place::Place;
use report::Report;

/// Checks a pod whose types have been checked and whose defaults have been set.
pub fn check(pod: &Place<'_>, out: &mut Report) {
    metadata::check(&pod.at("metadata"), out);
    spec::check(&pod.at("spec"), out);
}
