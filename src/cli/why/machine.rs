//! What this machine says of itself: processors, memory, disks.

use std::path::Path;

use super::kubelet;
use crate::cli::disks;
use crate::diagnosis::NodeFacts;
use crate::machine;

/// The facts, with those of the machine added. What cannot be found out stays absent.
#[must_use]
pub fn with_machine(facts: NodeFacts) -> NodeFacts {
    NodeFacts {
        cpus: machine::cpus(),
        architecture: machine::architecture(),
        memory_total: machine::memory("MemTotal"),
        memory_available: machine::memory("MemAvailable"),
        kubelet_runs: kubelet::runs(Path::new("/proc")),
        disks: disks::of_kubelet(Path::new("/")),
        ..facts
    }
}
