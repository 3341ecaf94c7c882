//! Calls of the services that a kubelet does not have.

use std::sync::atomic::{AtomicU64, Ordering};

use super::text::Text;
use super::{add, CODES};

/// A method of one of these services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// `v1.PodService/GetPods`
    GetPods = 0,
    /// `v1.PodService/ExportPods`
    ExportPods = 1,
    /// `nodepods.v1.Lookup/Find`
    Find = 2,
    /// `nodepods.v1.Node/GetSources`
    GetSources = 3,
}

const METHODS: [&str; 4] =
    ["/v1.PodService/GetPods", "/v1.PodService/ExportPods", "/nodepods.v1.Lookup/Find", "/nodepods.v1.Node/GetSources"];

/// How often they were called, and what they were answered.
#[derive(Debug, Default)]
pub(super) struct OwnCalls {
    /// By method and status code.
    ended: [[AtomicU64; CODES.len()]; METHODS.len()],
    /// By method.
    sent_bytes: [AtomicU64; METHODS.len()],
}

impl OwnCalls {
    pub(super) fn ended(&self, method: Own, code: usize) {
        add(self.ended.get(method as usize).and_then(|codes| codes.get(code)), 1);
    }

    pub(super) fn sent(&self, method: Own, bytes: usize) {
        add(self.sent_bytes.get(method as usize), bytes as u64);
    }

    /// Appends the family of calls.
    pub(super) fn render(&self, text: &mut Text) {
        let help = "Calls of the services that a kubelet does not have, counted when they end.";
        text.family("nodepods_grpc_requests_total", "counter", help);
        for (method, codes) in METHODS.iter().zip(&self.ended) {
            for (code, n) in CODES.iter().zip(codes).map(|(code, n)| (code, n.load(Ordering::Relaxed))) {
                if n > 0 {
                    text.sample(&[("method", method), ("status_code", code)], n);
                }
            }
        }
    }

    /// Appends their samples to the family of sent bytes.
    pub(super) fn render_sent(&self, text: &mut Text) {
        for (method, n) in METHODS.iter().zip(&self.sent_bytes) {
            text.sample(&[("method", method)], n.load(Ordering::Relaxed));
        }
    }
}
