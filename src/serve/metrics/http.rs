//! Requests over HTTP.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::text::Text;

/// Answers by the name of the path and the status code. Both are this program's own words, whatever clients ask for, so
/// that there are only so many of them.
#[derive(Debug, Default)]
pub(super) struct HttpRequests(Mutex<BTreeMap<(&'static str, u16), u64>>);

impl HttpRequests {
    pub(super) fn answered(&self, path: &'static str, code: u16) {
        *self.0.lock().entry((path, code)).or_default() += 1;
    }

    /// Appends the family.
    pub(super) fn render(&self, text: &mut Text) {
        let help = "HTTP requests by path and status code, counted when they are answered: a watch when it begins.";
        text.family("nodepods_http_requests_total", "counter", help);
        for ((path, code), n) in &*self.0.lock() {
            text.sample(&[("path", path), ("code", &code.to_string())], n);
        }
    }
}
