//! What Kubernetes says about a pod. Pure: no clock, no file system, no socket.

pub mod cgroup;
pub mod columns;
pub mod container_log;
pub mod container_names;
pub mod defaults;
pub mod finding;
pub mod instance;
pub mod jsonpath;
pub mod log_line;
pub mod lookup;
pub mod manifest;
pub mod names;
pub mod observed;
pub mod own_uid;
pub mod qos;
pub mod redact;
pub mod references;
pub mod runtime_pod;
pub mod selector;
pub mod source;
pub mod spec;
pub mod static_pod;
pub mod status;
pub mod successor;
pub mod validate;
