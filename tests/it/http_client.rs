//! A server over a store that the test fills, and a client that speaks HTTP/1.1 by hand.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use nodepods::codec::json;
use nodepods::codec::pod_bytes::PodBytes;
use nodepods::codec::schema::id;
use nodepods::serve::http::{HttpOptions, HttpServer};
use nodepods::serve::metrics::Page;
use nodepods::serve::Peer;
use nodepods::store::events::Events;
use nodepods::store::snapshot::{PodEntry, PodId, Snapshot};
use nodepods::store::Store;
use nodepods::sys::peer::PeerCred;
use serde_json::{json, Value};

/// What `kubectl get` accepts.
pub const TABLE: &str = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json\r\n";

/// A pod from its JSON form.
pub fn pod(revision: u64, value: Value) -> Arc<PodEntry> {
    let bytes = PodBytes::from_wire(&json::to_wire(id::POD, &value).unwrap().bytes).unwrap();
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = PodId { uid: text("/metadata/uid"), namespace: text("/metadata/namespace"), name: text("/metadata/name") };
    let phase = text("/status/phase");
    Arc::new(PodEntry { id: Arc::new(id), phase, container_ids: Vec::new(), ips: Vec::new(), revision, bytes })
}

/// A running pod with one container. Its UID is its name with `uid-` in front.
pub fn running(revision: u64, namespace: &str, name: &str, labels: Value) -> Arc<PodEntry> {
    let value = json!({
        "metadata": {
            "name": name, "namespace": namespace, "uid": format!("uid-{name}"), "labels": labels,
            "resourceVersion": "source-77", "creationTimestamp": "2024-01-02T03:04:05Z",
        },
        "spec": {"containers": [{"name": "main", "image": "example.com/web:1"}], "nodeName": "node-1"},
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.7",
            "podIPs": [{"ip": "10.0.0.7"}],
            "containerStatuses": [{
                "name": "main", "ready": true, "restartCount": 0, "image": "example.com/web:1", "imageID": "",
                "state": {"running": {"startedAt": "2024-01-02T03:04:06Z"}},
            }],
        },
    });
    pod(revision, value)
}

/// A known node with these pods.
pub fn snapshot(revision: u64, pods: &[Arc<PodEntry>]) -> Snapshot {
    let mut pods = pods.to_vec();
    pods.sort_by(|a, b| a.id.cmp(&b.id));
    Snapshot { initialized: true, node_name: "node-1".into(), pods, ..Snapshot::empty(revision) }
}

/// A running server.
pub struct Server {
    pub store: Arc<Store>,
    pub events: Arc<Events>,
    http: Option<HttpServer>,
}

impl Server {
    pub fn new(first: Snapshot) -> Self {
        Self::with_options(first, HttpOptions::default())
    }

    pub fn with_options(first: Snapshot, options: HttpOptions) -> Self {
        let store = Store::new(first);
        let events = Events::new(1);
        let page = Page::new(Arc::clone(&store), Arc::default(), || (3, 2));
        let http = HttpServer::start(Arc::clone(&store), page, Arc::clone(&events), options).unwrap();
        Self { store, events, http: Some(http) }
    }

    pub fn publish(&self, snapshot: Snapshot) {
        self.store.publish(Arc::new(snapshot));
    }

    pub fn http(&self) -> &HttpServer {
        self.http.as_ref().unwrap()
    }

    pub fn connect(&self) -> Client {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let peer = Peer { cred: PeerCred { pid: 1, uid: 0, gid: 0 }, listener: "test".into() };
        self.http().entrance()(theirs, peer);
        Client(BufReader::new(ours))
    }

    /// One request on a connection of its own. `fields` are whole header lines.
    pub fn get(&self, target: &str, fields: &str) -> Answer {
        let mut client = self.connect();
        client.ask("GET", target, fields);
        client.answer()
    }

    /// The JSON body of an answer that must be 200.
    pub fn json(&self, target: &str, fields: &str) -> Value {
        let answer = self.get(target, fields);
        assert_eq!(answer.code, 200, "{target}: {}", answer.text());
        answer.json()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.http.take().unwrap().stop(Duration::from_secs(5));
    }
}

/// The client's end of a connection.
pub struct Client(pub BufReader<UnixStream>);

impl Client {
    pub fn ask(&mut self, method: &str, target: &str, fields: &str) {
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: node\r\n{fields}\r\n").as_bytes());
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// The next answer, its body included.
    pub fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        answer.body = match (answer.header("transfer-encoding"), answer.header("content-length")) {
            (Some("chunked"), _) => {
                let mut body = Vec::new();
                while let Some(chunk) = self.chunk() {
                    body.extend(chunk);
                }
                body
            }
            (_, Some(length)) => {
                let mut body = vec![0; length.parse().unwrap()];
                self.0.read_exact(&mut body).unwrap();
                body
            }
            _ => Vec::new(),
        };
        answer
    }

    /// The head of the next answer alone.
    pub fn head(&mut self) -> Answer {
        let line = self.line();
        let code = line.split(' ').nth(1).unwrap_or_else(|| panic!("no status line: {line:?}")).parse().unwrap();
        let mut fields = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(':') else { break };
            fields.push((name.to_lowercase(), value.trim_start().to_owned()));
        }
        Answer { code, fields, body: Vec::new() }
    }

    /// The next chunk of a body; `None` at its end.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let length = usize::from_str_radix(&self.line(), 16).unwrap();
        let mut chunk = vec![0; length + 2];
        self.0.read_exact(&mut chunk).unwrap();
        assert!(chunk.ends_with(b"\r\n"));
        chunk.truncate(length);
        (length > 0).then_some(chunk)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Whether the server has closed the connection; waits for what comes.
    pub fn is_closed(&mut self) -> bool {
        self.0.read(&mut [0]).map_or(true, |n| n == 0)
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// Code, reason and message of a Status.
    pub fn status(&self) -> (u16, String, String) {
        let status = self.json();
        assert_eq!((status["kind"].as_str(), status["code"].as_u64()), (Some("Status"), Some(self.code.into())));
        let text = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
        (self.code, text("reason"), text("message"))
    }
}
