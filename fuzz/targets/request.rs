//! Any bytes as the head of an HTTP request: it is one that makes sense, or it is refused.
//!
//! The parser belongs to the server, which is not part of the pure core. It needs nothing but these files.
#![no_main]
#![allow(dead_code)]

#[path = "../../src/serve/http/query.rs"]
mod query;
#[path = "../../src/serve/http/refusal.rs"]
mod refusal;
#[path = "../../src/serve/http/request.rs"]
mod request;

use libfuzzer_sys::fuzz_target;
use request::{head_end, parse, MAX_BODY};

fuzz_target!(|data: &[u8]| {
    let end = head_end(data, 0);
    for from in [1, data.len() / 2] {
        assert!(from >= end.unwrap_or(usize::MAX) || head_end(data, from) == end, "wherever the search goes on");
    }
    // Without an end, as it stands: the parser has to find out for itself.
    match parse(data.get(..end.unwrap_or(data.len())).unwrap_or_default()) {
        Ok((request, framing)) => {
            assert!(end.is_some(), "a head without an end is none");
            assert!(request.path.iter().all(|part| !part.chars().any(char::is_control)));
            assert!(request.query.pairs().all(|(_, value)| !value.chars().any(char::is_control)));
            assert!(!framing.keep_alive || framing.body <= MAX_BODY, "what is not read over ends the connection");
        }
        Err(refusal) => assert!((400..=505).contains(&refusal.code())),
    }
});
