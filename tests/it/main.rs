//! Tests of the parts together: real sockets, real gRPC clients.
#![cfg(feature = "daemon")]
// clippy.toml allows these in test functions; what they call is just as much a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod cli;
mod client;
mod daemon;
mod export;
mod fairness;
mod hardening;
mod http;
mod http_client;
mod http_events;
mod http_log;
mod http_metrics;
mod http_robustness;
mod http_watch;
mod lint;
mod pods_api;
mod shutdown;
mod silence;
mod socket;
mod why;
