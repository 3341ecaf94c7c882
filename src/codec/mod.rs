//! How a pod looks on the wire, in JSON and in YAML. Pure: functions over values.

pub mod pod_bytes;
pub mod schema;
pub mod wire;
