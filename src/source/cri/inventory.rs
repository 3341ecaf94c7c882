//! Everything the runtime holds, kept from poll to poll, so that only what is new or changed is asked about.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protobuf::Message;

use super::client::{CallError, Client};
use super::convert;
use super::digest::{Digester, Item};
use super::termination;
use crate::codec::wire::WireError;
use crate::pod::observed::{Container, ContainerState, RuntimeCondition, RuntimeState, Sandbox};
use crate::proto::runtime as cri;

/// An answer that lacked something is asked for again after this long, and then twice as long each time.
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_LAST: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Known<T> {
    /// Of the list entry.
    digest: u64,
    value: Arc<T>,
    /// Its status has to be asked for again then, and the wait before that.
    retry: Option<(Instant, Duration)>,
    /// What in the last answer about it made no sense.
    complaint: Option<String>,
}

impl<T> Known<T> {
    fn is_due(&self, now: Instant) -> bool {
        self.retry.is_some_and(|(at, _)| at <= now)
    }
}

/// What asking about one object brought.
struct Asked<T> {
    /// `None`: nothing is known about it, or it is gone.
    value: Option<T>,
    /// That is all there is to know.
    complete: bool,
    complaint: Option<String>,
}

impl<T> Asked<T> {
    const GONE: Self = Self { value: None, complete: true, complaint: None };

    fn broken(value: Option<T>, complaint: String) -> Self {
        Self { value, complete: false, complaint: Some(complaint) }
    }
}

/// The state of the runtime as it was last seen.
#[derive(Debug, Default)]
pub struct Inventory {
    digester: Digester,
    /// Digests of the two lists; `None` before the first poll.
    lists: Option<(u64, u64)>,
    /// Something was listed and then not found. It may be in the next list, which may look the same: look again.
    vanished: bool,
    sandboxes: HashMap<String, Known<Sandbox>>,
    containers: HashMap<String, Known<Container>>,
    /// About objects of which nothing is known.
    complaints: Vec<String>,
}

impl Inventory {
    /// Asks for both lists, and for the status of what is new or changed. True when anything differs from the last
    /// poll. On an error all stays as it was.
    ///
    /// # Errors
    /// [`CallError`] of a list, or of a connection that broke meanwhile.
    pub fn poll(&mut self, client: &Client) -> Result<bool, CallError> {
        let sandboxes = client.list_sandboxes()?;
        let containers = client.list_containers()?;
        let broken = |method| move |e: WireError| CallError::Garbage { method, problem: e.to_string() };
        let (sandboxes, sum_s) = self.digester.items(&sandboxes).map_err(broken("ListPodSandbox"))?;
        let (containers, sum_c) = self.digester.items(&containers).map_err(broken("ListContainers"))?;
        let now = Instant::now();
        let due = self.sandboxes.values().any(|k| k.is_due(now)) || self.containers.values().any(|k| k.is_due(now));
        if self.lists == Some((sum_s, sum_c)) && !due && !self.vanished {
            return Ok(false);
        }
        let listed = sandboxes.len() + containers.len();
        let mut complaints = Vec::new();
        let mut next_s = HashMap::with_capacity(sandboxes.len());
        for item in sandboxes {
            let known = self.sandboxes.get(item.id);
            let kept = take_over(known, &item, now, |_| false, |k| ask_sandbox(client, &item, k), &mut complaints)?;
            next_s.extend(kept.map(|k| (item.id.to_string(), k)));
        }
        let mut next_c = HashMap::with_capacity(containers.len());
        let over = |c: &Container| c.state == ContainerState::Exited && c.finished_at != 0;
        for item in containers {
            let known = self.containers.get(item.id);
            let kept = take_over(known, &item, now, over, |k| ask_container(client, &item, k), &mut complaints)?;
            next_c.extend(kept.map(|k| (item.id.to_string(), k)));
        }
        let first = self.lists.is_none();
        self.vanished = next_s.len() + next_c.len() + complaints.len() < listed;
        let changed = first || differs(&self.sandboxes, &next_s) || differs(&self.containers, &next_c);
        self.lists = Some((sum_s, sum_c));
        self.sandboxes = next_s;
        self.containers = next_c;
        self.complaints = complaints;
        Ok(changed)
    }

    /// What in the last answers made no sense, in a person's words; empty when all did.
    #[must_use]
    pub fn complaint(&self) -> String {
        let sandboxes = self.sandboxes.values().filter_map(|k| k.complaint.as_ref());
        let containers = self.containers.values().filter_map(|k| k.complaint.as_ref());
        let mut all: Vec<&String> = self.complaints.iter().chain(sandboxes).chain(containers).collect();
        all.sort_unstable();
        match all.as_slice() {
            [] => String::new(),
            [one] => (*one).clone(),
            [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
        }
    }

    /// All of it, sorted by id. Unchanged objects are the same `Arc` as in the state before.
    #[must_use]
    pub fn state(&self, version: &cri::VersionResponse, conditions: &[RuntimeCondition]) -> RuntimeState {
        let mut sandboxes: Vec<_> = self.sandboxes.values().map(|k| Arc::clone(&k.value)).collect();
        sandboxes.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut containers: Vec<_> = self.containers.values().map(|k| Arc::clone(&k.value)).collect();
        containers.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        RuntimeState {
            runtime_name: version.runtime_name.clone(),
            runtime_version: version.runtime_version.clone(),
            conditions: conditions.to_vec(),
            sandboxes,
            containers,
        }
    }
}

fn differs<T>(old: &HashMap<String, Known<T>>, new: &HashMap<String, Known<T>>) -> bool {
    let same = |(id, k): (&String, &Known<T>)| old.get(id).is_some_and(|o| Arc::ptr_eq(&o.value, &k.value));
    old.len() != new.len() || !new.iter().all(same)
}

/// Keeps a known object whose list entry is unchanged (or that is `over` and never changes again), asks about the
/// others. `None`: there is nothing to keep.
fn take_over<T: PartialEq>(
    known: Option<&Known<T>>,
    item: &Item<'_>,
    now: Instant,
    over: impl Fn(&T) -> bool,
    ask: impl FnOnce(Option<&T>) -> Result<Asked<T>, CallError>,
    complaints: &mut Vec<String>,
) -> Result<Option<Known<T>>, CallError> {
    let same = |k: &&Known<T>| k.digest == item.digest && !k.is_due(now);
    if let Some(k) = known.filter(|k| same(k) || (k.retry.is_none() && over(&k.value))) {
        let (value, complaint) = (Arc::clone(&k.value), k.complaint.clone());
        return Ok(Some(Known { digest: item.digest, value, retry: k.retry, complaint }));
    }
    let Asked { value, complete, complaint } = ask(known.map(|k| &*k.value))?;
    let Some(value) = value else {
        complaints.extend(complaint);
        return Ok(None);
    };
    let wait = match known.and_then(|k| k.retry) {
        Some((_, wait)) => (wait * 2).min(RETRY_LAST),
        None => RETRY_FIRST,
    };
    let value = match known {
        Some(k) if *k.value == value => Arc::clone(&k.value),
        _ => Arc::new(value),
    };
    let retry = (!complete).then(|| (Instant::now() + wait, wait));
    Ok(Some(Known { digest: item.digest, value, retry, complaint }))
}

fn ask_sandbox(client: &Client, item: &Item<'_>, known: Option<&Sandbox>) -> Result<Asked<Sandbox>, CallError> {
    let listed = cri::PodSandbox::parse_from_bytes(item.bytes).map_err(|e| e.to_string());
    let mut sandbox = match listed.and_then(|p| convert::sandbox(p).map_err(String::from)) {
        Ok(s) => s,
        Err(e) => return Ok(Asked::broken(known.cloned(), format!("ListPodSandbox: sandbox {}: {e}", item.id))),
    };
    match client.sandbox_status(item.id) {
        Ok(s) => {
            convert::add_sandbox_status(&mut sandbox, s);
            let complete = !sandbox.ready || sandbox.host_network || !sandbox.ips.is_empty();
            Ok(Asked { value: Some(sandbox), complete, complaint: None })
        }
        Err(CallError::NotFound) => Ok(Asked::GONE),
        Err(e @ (CallError::Stopped | CallError::Away(_) | CallError::Starting)) => Err(e),
        Err(e) => {
            if let Some(k) = known.filter(|_| sandbox.ready) {
                sandbox.ips.clone_from(&k.ips);
                sandbox.host_network = k.host_network;
            }
            Ok(Asked::broken(Some(sandbox), e.to_string()))
        }
    }
}

fn ask_container(client: &Client, item: &Item<'_>, known: Option<&Container>) -> Result<Asked<Container>, CallError> {
    let listed = cri::Container::parse_from_bytes(item.bytes).map_err(|e| e.to_string());
    let mut container = match listed.and_then(|c| convert::container(c).map_err(String::from)) {
        Ok(c) => c,
        Err(e) => return Ok(Asked::broken(known.cloned(), format!("ListContainers: container {}: {e}", item.id))),
    };
    match client.container_status(item.id) {
        Ok(s) => {
            convert::add_container_status(&mut container, s);
            let exited = container.state == ContainerState::Exited;
            if exited {
                container.termination_log = termination::message(&container);
            }
            let complete = !exited || container.finished_at != 0;
            Ok(Asked { value: Some(container), complete, complaint: None })
        }
        Err(CallError::NotFound) => Ok(Asked::GONE),
        Err(e @ (CallError::Stopped | CallError::Away(_) | CallError::Starting)) => Err(e),
        Err(e) => {
            let value = known.filter(|k| k.state == container.state).cloned().unwrap_or(container);
            Ok(Asked::broken(Some(value), e.to_string()))
        }
    }
}
