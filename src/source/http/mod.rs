//! A blocking HTTP/1.1 client for what sources need: GET, over TCP or TLS, whole or as a stream.
//!
//! Every connection carries one request. Redirects are not followed and proxies from the environment are ignored:
//! what a person wrote is what is asked.

pub mod abort;
pub mod body;
pub mod client;
pub mod errand;
pub mod error;
mod head;
pub mod local;
mod request;
pub mod secret;
mod socket;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
pub mod trust;
pub mod url;

#[cfg(test)]
#[cfg(feature = "tls")]
mod tls_tests;
