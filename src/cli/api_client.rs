//! A small client of the daemon's reads over HTTP: of what the Pods API does not have, which is logs and events, and of
//! pods for those who are let in there alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::exit::{Exit, Failure};
use super::http_socket;
use super::progress::Progress;
use super::socket::{not_allowed, turned_away, turns_away};
use crate::codec::json::to_wire;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::{id, MessageId};
use crate::pod::lookup::text;
use crate::source::http::client::Response;
use crate::source::http::error::HttpError;
use crate::source::http::local;
use crate::source::http::url::escape;

/// How long an answer may take that comes at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of one answer that are taken at most: the pods of a full node are some megabytes.
const MOST: usize = 64 << 20;

/// A client of one socket; each read has a connection of its own.
#[derive(Debug)]
pub struct ApiClient {
    socket: PathBuf,
}

impl ApiClient {
    /// A client of the daemon's socket for HTTP, see [`http_socket::find`].
    ///
    /// # Errors
    /// Nobody listens there, or we may not connect.
    pub fn find(named: Option<&Path>, asked: &[PathBuf]) -> Result<Self, Failure> {
        Ok(Self { socket: http_socket::find(named, asked)? })
    }

    /// All pods.
    ///
    /// # Errors
    /// The daemon does not give them, or the answer cannot be read.
    pub fn pods(&self) -> Result<Vec<PodBytes>, Failure> {
        let list = self.list("/api/v1/pods", "")?;
        let section = |pod: &Value, key, message: MessageId| {
            let value = pod.get(key).unwrap_or(&Value::Null);
            to_wire(message, value).map(|encoded| encoded.bytes).map_err(|e| self.unreadable(&e))
        };
        let pod = |pod: &Value| {
            Ok(PodBytes::from_sections(
                &section(pod, "metadata", id::OBJECT_META)?,
                &section(pod, "spec", id::POD_SPEC)?,
                &section(pod, "status", id::POD_STATUS)?,
                b"",
            ))
        };
        list.iter().map(pod).collect()
    }

    /// The events of one pod as objects (`core/v1 Event`), in the order of the daemon.
    ///
    /// # Errors
    /// The daemon does not give them, or the answer cannot be read.
    pub fn events(&self, pod: &PodBytes) -> Result<Vec<Value>, Failure> {
        let [namespace, uid] = ["metadata.namespace", "metadata.uid"].map(|path| escape(&text(pod, path)));
        let path = format!("/api/v1/namespaces/{namespace}/events");
        self.list(&path, &format!("fieldSelector=involvedObject.uid%3D{uid}"))
    }

    /// The log of a container, which is read from the answer as it comes. `options` are those of the API
    /// (`PodLogOptions`).
    ///
    /// # Errors
    /// There is none ([`Exit::NotFound`]), or the daemon does not give it.
    pub fn log(&self, namespace: &str, pod: &str, options: &[(&str, String)]) -> Result<Response, Failure> {
        let query: Vec<_> = options.iter().map(|(key, value)| format!("{key}={}", escape(value))).collect();
        let path = format!("/api/v1/namespaces/{}/pods/{}/log", escape(namespace), escape(pod));
        // A log that goes on is silent for as long as nothing is written.
        let goes_on = options.iter().any(|(key, _)| *key == "follow");
        match self.get(&path, &query.join("&"), "*/*", (!goes_on).then_some(PATIENCE)) {
            // All that can be wrong with such a request is that there is no such log.
            Err(failure) if failure.exit == Exit::Usage => Err(Failure { exit: Exit::NotFound, ..failure }),
            other => other,
        }
    }

    fn list(&self, path: &str, query: &str) -> Result<Vec<Value>, Failure> {
        let _progress = Progress::start("asking the daemon");
        let mut answer = self.get(path, query, "application/json", Some(PATIENCE))?;
        let body = answer.bytes(MOST).map_err(|e| self.broken(&e))?;
        let mut list: Value = serde_json::from_slice(&body).map_err(|e| self.unreadable(&e))?;
        match list.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(self.unreadable(&"it is no list")),
        }
    }

    fn get(&self, path: &str, query: &str, accept: &str, silence: Option<Duration>) -> Result<Response, Failure> {
        let mut answer = local::get(&self.socket, (path, query), accept, silence).map_err(|e| self.broken(&e))?;
        match answer.status() {
            200 => Ok(answer),
            code => {
                let status: Value =
                    answer.bytes(MOST).ok().and_then(|b| serde_json::from_slice(&b).ok()).unwrap_or_default();
                Err(self.refused(code, status.get("message").and_then(Value::as_str).unwrap_or("no reason is given")))
            }
        }
    }

    /// What to say of an answer that makes no sense.
    fn unreadable(&self, why: &dyn std::fmt::Display) -> Failure {
        let socket = self.socket.display();
        let hint = "Name the daemon's socket for HTTP with --http-socket.";
        Failure::new(Exit::Failure, format!("error: what answers on {socket} is no nodepods daemon: {why}\n{hint}"))
    }

    /// What to say where no (whole) answer came.
    pub fn broken(&self, e: &HttpError) -> Failure {
        if matches!(e, HttpError::Broken(_)) && turns_away(&self.socket) {
            return turned_away(&self.socket);
        }
        let hint = "Is the daemon being restarted? 'systemctl status nodepods' says.";
        Failure::new(Exit::Unavailable, format!("error: {}: {e}\n{hint}", self.socket.display()))
    }

    fn refused(&self, code: u16, message: &str) -> Failure {
        let (exit, hint) = match code {
            400 => (Exit::Usage, "'nodepods why' says more about a pod that does not run."),
            401 | 403 => return not_allowed(&self.socket, message),
            404 => (Exit::NotFound, "'nodepods get pods' shows those that are there."),
            408 | 429 | 503 => (Exit::Unavailable, "Try again in a moment; the daemon's log says what it waits for."),
            _ => (Exit::Failure, "The daemon's log says more: journalctl -u nodepods"),
        };
        Failure::new(exit, format!("error: {message}\n{hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_become_exit_codes() {
        let client = ApiClient { socket: "/run/x.sock".into() };
        for (code, exit) in [(400, 2), (403, 77), (404, 3), (429, 69), (503, 69), (500, 1)] {
            let failure = client.refused(code, "because");
            assert_eq!(failure.exit as u8, exit, "{code}");
            assert!(failure.message.contains("because") && failure.message.lines().count() > 1, "{failure}");
        }
    }
}
