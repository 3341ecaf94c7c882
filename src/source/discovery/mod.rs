//! Finding the node's parts: first which distribution this is, then that distribution's places and no others.
//!
//! Nothing is remembered between two looks, so a part that appears, moves or goes is noticed at the next one.

pub mod certificate;
pub mod distribution;
pub mod node;
pub mod node_name;
mod settings;
