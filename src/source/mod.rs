//! Where pods come from: one named thread a source.

pub mod http;
pub mod manifests;
pub mod reporter;
#[cfg(test)]
mod testdir;
#[cfg(test)]
mod teststand;
pub mod url;
