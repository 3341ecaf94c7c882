//! A kubelet's read-only port: `GET /pods`, polled (`kubernetes/kubernetes pkg/kubelet/server/server.go`).
//!
//! For clusters whose kubelets serve no Pods API. The page has every pod that the kubelet wants, with the kubelet's own
//! status for static pods and that of the API server for the others (`pkg/kubelet/kubelet_getters.go`, GetPods).

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crossbeam_channel::{after, select};

use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire::{self, Value};
use crate::heartbeat;
use crate::source::apiserver::pods_in_json;
use crate::source::http::abort::Abort;
use crate::source::http::client::{Client, Patience};
use crate::source::http::errand;
use crate::source::http::error::HttpError;
use crate::source::http::url::Url;
use crate::source::reporter::{Reporter, Stopped};
use crate::store::update::{HealthState, SourceId, Update};

/// From the connection to the last byte.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A page may be this large: some 5,000 pods.
const MAX_BYTES: usize = 32 << 20;
/// Failures in a row that are logged as warnings; later ones show with -v only.
const LOUD: u32 = 3;
/// What our own pods carry: `nodepods proxy` behind the address would feed us with ourselves.
const OURS: &[u8] = b"nodepods.io/sources";

/// What is asked for, and how often.
pub struct PageOptions {
    /// The address of the port; `/pods` is added where no path stands.
    pub url: Url,
    /// From the end of one request to the begin of the next.
    pub every: Duration,
    /// Told whenever a kubelet begins (true) or ceases to answer, so that others can rest meanwhile.
    pub answers: Box<dyn Fn(bool) + Send>,
}

/// Runs the source until the reporter's stop.
pub fn run(reporter: Reporter, options: PageOptions) {
    let url = if options.url.target() == "/" { options.url.below("/pods", "") } else { options.url.clone() };
    let target = url.to_string();
    let page = Page { reporter, options, url, target, digest: RandomState::new(), last: None, failures: 0 };
    let Stopped = page.work();
}

/// The source's state; owned by its thread.
struct Page {
    reporter: Reporter,
    options: PageOptions,
    url: Url,
    target: String,
    digest: RandomState,
    /// Length and digest of the last answer; `None` before the first.
    last: Option<(usize, u64)>,
    /// In a row.
    failures: u32,
}

impl Page {
    fn work(mut self) -> Stopped {
        loop {
            let url = self.url.clone();
            let asked = errand::run("kubelet-get", self.reporter.stop(), move |abort| get(&url, abort));
            let done = match asked {
                Ok(Ok(bytes)) => self.take(&bytes),
                Ok(Err(problem)) => self.failed(&problem),
                Err(stopped) => Err(stopped),
            };
            if let Err(stopped) = done {
                return stopped;
            }
            let rest = heartbeat::rest(Some(Instant::now() + self.options.every));
            select! {
                recv(self.reporter.stop()) -> _ => return Stopped,
                recv(after(self.options.every)) -> _ => {}
            }
            drop(rest);
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        let print = (bytes.len(), self.digest.hash_one(bytes));
        if self.last != Some(print) {
            let pods = match pods_in_json(bytes).and_then(foreign) {
                Ok(pods) => pods,
                Err(problem) => return self.failed(&problem),
            };
            self.reporter.send(Update::Pods { source: SourceId::Kubelet, pods })?;
            self.last = Some(print);
        }
        self.failures = 0;
        let was = self.reporter.state();
        self.reporter.health(HealthState::Up, "", &self.target)?;
        if was != Some(HealthState::Up) {
            log::info!("kubelet: it answers on {}", self.target);
            (self.options.answers)(true);
        }
        Ok(())
    }

    fn failed(&mut self, problem: &str) -> Result<(), Stopped> {
        self.failures = self.failures.saturating_add(1);
        let was = self.reporter.state();
        let known = self.last.is_some();
        let state = if known { HealthState::Down } else { HealthState::Starting };
        let changed = self.reporter.health(state, problem, &self.target)?;
        if was == Some(HealthState::Up) {
            (self.options.answers)(false);
        }
        let kept = if known { "; its last known pods are kept" } else { "" };
        if changed || self.failures <= LOUD {
            log::warn!("kubelet: {}: {problem}{kept}", self.target);
        } else {
            log::debug!("kubelet: {}: {problem}", self.target);
        }
        Ok(())
    }
}

/// One request; its body if the status is 200. The error is for a person.
fn get(url: &Url, abort: &Abort) -> Result<Vec<u8>, String> {
    let patience = Patience { connect: TIMEOUT, silence: TIMEOUT, whole: Some(TIMEOUT) };
    let client = Client::default();
    let mut response = client.get(url, "application/json", patience, abort).map_err(|e| e.to_string())?;
    match response.status() {
        200 => {}
        status @ (401 | 403) => {
            return Err(format!(
            "it refuses with status {status}: this port asks for credentials, and the read-only port (10255) does not"
        ))
        }
        404 => return Err("it has no such page; is this a kubelet?".into()),
        status => return Err(format!("it answers with status {status}, and 200 is expected")),
    }
    response.bytes(MAX_BYTES).map_err(|e| match e {
        HttpError::TooLarge(_) => format!("the answer is larger than {} MiB", MAX_BYTES >> 20),
        other => other.to_string(),
    })
}

/// Refuses pods that have been through nodepods already.
fn foreign(pods: Vec<PodBytes>) -> Result<Vec<PodBytes>, String> {
    if pods.iter().any(|pod| annotated(pod.metadata(), OURS)) {
        return Err("what answers is nodepods, not a kubelet: name the kubelet's own port".into());
    }
    Ok(pods)
}

/// Whether an encoded `ObjectMeta` has this annotation.
fn annotated(metadata: &[u8], key: &[u8]) -> bool {
    const ANNOTATIONS: u32 = 12;
    let is_key = |f: wire::RawField<'_>| matches!((f.number, f.value), (1, Value::Bytes(k)) if k == key);
    let mut entries = wire::fields(metadata).map_while(Result::ok).filter(|f| f.number == ANNOTATIONS);
    entries.any(|entry| match entry.value {
        Value::Bytes(entry) => wire::fields(entry).map_while(Result::ok).any(is_key),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;

    use super::*;
    use crate::pod::lookup;
    use crate::source::teststand::{serve_once, Then};

    const SIX: &str = include_str!("../../../tests/recordings/22-six-pods/00-six/pods.json");

    fn page() -> (Page, crossbeam_channel::Receiver<Update>, crossbeam_channel::Sender<()>) {
        let (tx, rx) = bounded(16);
        let (stop, stopped) = bounded(0);
        let url: Url = "http://127.0.0.1:10255".parse().unwrap();
        let options = PageOptions { url: url.clone(), every: Duration::from_secs(1), answers: Box::new(|_| {}) };
        let page = Page {
            reporter: Reporter::new(SourceId::Kubelet, tx, stopped),
            target: url.to_string(),
            url,
            options,
            digest: RandomState::new(),
            last: None,
            failures: 0,
        };
        (page, rx, stop)
    }

    #[test]
    fn a_recorded_page_is_told_once() {
        let (mut page, rx, _stop) = page();
        for _ in 0..2 {
            page.take(SIX.as_bytes()).unwrap();
        }
        page.failed("gone").unwrap();
        page.take(SIX.as_bytes()).unwrap();
        let told: Vec<_> = rx.try_iter().collect();
        let lists: Vec<_> =
            told.iter().filter_map(|u| if let Update::Pods { pods, .. } = u { Some(pods) } else { None }).collect();
        assert_eq!(lists.len(), 1, "unchanged bytes are no news");
        assert_eq!(lists[0].len(), 6);
        assert_eq!(lookup::text(&lists[0][0], "metadata.name"), "p1-anchor-node");
        let states: Vec<_> =
            told.iter().filter_map(|u| if let Update::Health(_, h) = u { Some(h.state) } else { None }).collect();
        assert_eq!(states, [HealthState::Up, HealthState::Down, HealthState::Up]);
    }

    #[test]
    fn what_is_no_page_keeps_the_last_one() {
        let (mut page, rx, _stop) = page();
        page.take(SIX.as_bytes()).unwrap();
        let ours = SIX.replace("kubernetes.io/config.hash", "nodepods.io/sources");
        for (bytes, word) in [("{", "not valid JSON"), (r#"{"kind":"NodeList"}"#, "NodeList"), (&ours, "is nodepods")] {
            page.take(bytes.as_bytes()).unwrap();
            let told = rx.try_iter().last().unwrap();
            assert!(
                matches!(&told, Update::Health(_, h) if h.state == HealthState::Down && h.error.contains(word)),
                "{told:?}"
            );
        }
    }

    #[test]
    fn refusals_say_what_to_do() {
        for (answer, word) in [
            (&b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"[..], "read-only port"),
            (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "is this a kubelet"),
            (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "status 500"),
        ] {
            let (url, _asked) = serve_once(answer, Then::Close);
            let problem = get(&url, &Abort::default()).unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
    }
}
