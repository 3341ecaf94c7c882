//! How a pod looks on the wire, in JSON and in YAML. Pure: functions over values.

pub mod base64;
pub mod canonical;
#[cfg(test)]
mod golden;
pub mod json;
pub mod mask;
mod members;
pub mod pod_bytes;
#[cfg(test)]
mod properties;
pub mod quantity;
pub mod schema;
pub mod special;
pub mod time;
pub mod wire;
pub mod yaml;
pub mod yaml_print;
