//! Pods as files, for programs that read nothing else.

pub mod atomic_writer;
pub mod tree;
