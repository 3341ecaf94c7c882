//! Where pods come from: one named thread a source.

pub mod manifests;
pub mod reporter;
#[cfg(test)]
mod testdir;
