//! Static pods from a manifest URL, asked for every `--http-check-frequency`.
//!
//! Rules: `kubernetes/kubernetes pkg/kubelet/config/http.go`.

mod answer;
mod header;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::select;

use self::answer::{Answers, News};
pub use self::header::Header;
use super::http::abort::Abort;
use super::http::client::{Client, Patience};
use super::http::errand;
use super::http::error::HttpError;
use super::http::url::Url;
use super::reporter::{Reporter, Stopped};
use crate::heartbeat;
use crate::pod::finding::MAX_FILE_BYTES;
use crate::pod::manifest::{Manifest, ManifestFile};
use crate::store::update::{HealthState, SourceId, Update};

/// The kubelet's limit for one request, from the connection to the last byte.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Failures in a row that are logged as warnings; later ones show with -v only.
const LOUD: u32 = 3;
/// Lines in the log about what is wrong in one answer; the rest is data all the same.
const MOST_LINES: usize = 10;

/// What is asked for, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The address.
    pub url: Url,
    /// Sent with each request.
    pub headers: Vec<Header>,
    /// From the end of one request to the begin of the next.
    pub every: Duration,
}

/// Understands an answer: one entry a pod, or one without a pod where the answer is refused.
pub type Reader = fn(origin: &str, bytes: &[u8]) -> Vec<ManifestFile>;

/// Runs the source until the reporter's stop. `remembered` are the last good manifests of a former run with the URL
/// that they came from: they stand in while the answers are broken.
pub fn run(reporter: Reporter, options: Options, reader: Reader, remembered: Vec<(String, Arc<Manifest>)>) {
    let headers = options.headers.iter().map(|h| (h.name.clone(), h.value.clone())).collect();
    let target = options.url.to_string();
    let mut source = Source {
        reporter,
        client: Client { headers, ..Client::default() },
        answers: Answers::new(target.clone(), reader, remembered),
        target,
        failures: 0,
        answered: false,
    };
    let Stopped = source.work(&options);
}

/// The source's state; owned by its thread.
struct Source {
    reporter: Reporter,
    client: Client,
    answers: Answers,
    target: String,
    /// In a row.
    failures: u32,
    /// Whether there was ever an answer.
    answered: bool,
}

impl Source {
    fn work(&mut self, options: &Options) -> Stopped {
        // An answer may take its time. Until then, what is known of a former run stands in for it.
        if let Err(stopped) = self.reporter.health(HealthState::Starting, "", &self.target) {
            return stopped;
        }
        loop {
            let (client, url) = (self.client.clone(), options.url.clone());
            let asked = errand::run("url-get", self.reporter.stop(), move |abort| get(&client, &url, abort));
            let done = match asked {
                Ok(answer) => self.take(answer),
                Err(stopped) => Err(stopped),
            };
            if let Err(stopped) = done {
                return stopped;
            }
            let rest = heartbeat::rest(Some(Instant::now() + options.every));
            select! {
                recv(self.reporter.stop()) -> _ => return Stopped,
                recv(crossbeam_channel::after(options.every)) -> _ => {}
            }
            drop(rest);
        }
    }

    /// Tells what became of a request, if it is news.
    fn take(&mut self, answer: Result<Vec<u8>, String>) -> Result<(), Stopped> {
        match answer {
            Ok(bytes) => {
                self.answered = true;
                self.failures = 0;
                let news = self.answers.take(bytes);
                if self.reporter.health(HealthState::Up, "", &self.target)? {
                    log::info!("url: {} answers", self.target);
                }
                match news {
                    News::Same => Ok(()),
                    News::Files(files) => {
                        let mut findings = files.iter().flat_map(|f| &f.findings);
                        for finding in findings.by_ref().take(MOST_LINES) {
                            log::warn!("url: {finding}");
                        }
                        match findings.count() {
                            0 => {}
                            more => log::warn!("url: {}: {more} more; `nodepods sources` shows them", self.target),
                        }
                        self.reporter.send(Update::Manifests { source: SourceId::Http, files })
                    }
                }
            }
            Err(problem) => {
                self.failures = self.failures.saturating_add(1);
                let state = if self.answered { HealthState::Down } else { HealthState::Starting };
                let changed = self.reporter.health(state, &problem, &self.target)?;
                let kept = if self.answered { "; its last pods are kept" } else { "" };
                if changed || self.failures <= LOUD {
                    log::warn!("url: {}: {problem}{kept}", self.target);
                } else {
                    log::debug!("url: {}: {problem}", self.target);
                }
                Ok(())
            }
        }
    }
}

/// One request; its body if the status is 200. The error is for a person and holds nothing secret.
fn get(client: &Client, url: &Url, abort: &Abort) -> Result<Vec<u8>, String> {
    let patience = Patience { connect: TIMEOUT, silence: TIMEOUT, whole: Some(TIMEOUT) };
    let mut response = client.get(url, "*/*", patience, abort).map_err(|e| e.to_string())?;
    match response.status() {
        200 => {}
        status @ 300..=399 => {
            let to = response.header("location").and_then(|l| l.parse::<Url>().ok());
            let to = to.map_or_else(|| "another address".to_owned(), |url| url.to_string());
            return Err(format!(
                "the server answers {status} and points to {to}; redirects are not followed, name the final address"
            ));
        }
        status @ (401 | 403) => {
            return Err(format!("the server refuses with status {status}; check --manifest-url-header and the address"))
        }
        status => return Err(format!("the server answers with status {status}, and 200 is expected")),
    }
    let limit = usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX);
    response.bytes(limit).map_err(|e| match e {
        HttpError::TooLarge(_) => "the answer is larger than 10 MiB".into(),
        other => other.to_string(),
    })
}
