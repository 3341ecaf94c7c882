//! Everything the runtime holds, kept from poll to poll, so that only what is new or changed is asked about.

mod round;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protobuf::Message;

use self::round::{Asked, Known, Round};
use super::client::{CallError, Client};
use super::convert;
use super::digest::{Digester, Item};
use super::termination;
use crate::codec::wire::WireError;
use crate::pod::observed::{Container, ContainerState, RuntimeCondition, RuntimeState, Sandbox};
use crate::proto::runtime as cri;

/// Status calls are begun for this long in one poll. A runtime that is slow to answer them must not keep back what it
/// has answered already, nor the next lists.
const BUDGET: Duration = Duration::from_secs(1);

/// The state of the runtime as it was last seen.
#[derive(Debug)]
pub struct Inventory {
    budget: Duration,
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

impl Default for Inventory {
    fn default() -> Self {
        Self::within(BUDGET)
    }
}

impl Inventory {
    /// Nothing is known yet. In each poll, status calls are begun within `budget`.
    #[must_use]
    pub fn within(budget: Duration) -> Self {
        Self {
            budget,
            digester: Digester::default(),
            lists: None,
            vanished: false,
            sandboxes: HashMap::new(),
            containers: HashMap::new(),
            complaints: Vec::new(),
        }
    }

    /// Whether the last poll left out objects, for want of time: the next one should come soon and begins with them.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.sandboxes.values().any(|k| k.unreached) || self.containers.values().any(|k| k.unreached)
    }

    /// Asks for both lists, and for the status of what is new or changed, as far as the budget goes. True when anything differs from the last
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
        let over = |c: &Container| c.state == ContainerState::Exited && c.finished_at != 0;
        let mut sandboxes = Round::new(sandboxes, &self.sandboxes, now, |_| false);
        let mut containers = Round::new(containers, &self.containers, now, over);
        let budget = self.budget;
        let in_time = || now.elapsed() < budget;
        for first in [true, false] {
            sandboxes.ask(first, in_time, |item, known| ask_sandbox(client, item, known), listed_sandbox)?;
            containers.ask(first, in_time, |item, known| ask_container(client, item, known), listed_container)?;
        }
        let (next_s, next_c) = (sandboxes.now, containers.now);
        let complaints: Vec<_> = sandboxes.complaints.into_iter().chain(containers.complaints).collect();
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

fn listed_sandbox(item: &Item<'_>) -> Result<Sandbox, String> {
    let listed = cri::PodSandbox::parse_from_bytes(item.bytes).map_err(|e| e.to_string());
    let sandbox = listed.and_then(|p| convert::sandbox(p).map_err(String::from));
    sandbox.map_err(|e| format!("ListPodSandbox: sandbox {}: {e}", item.id))
}

fn listed_container(item: &Item<'_>) -> Result<Container, String> {
    let listed = cri::Container::parse_from_bytes(item.bytes).map_err(|e| e.to_string());
    let container = listed.and_then(|c| convert::container(c).map_err(String::from));
    container.map_err(|e| format!("ListContainers: container {}: {e}", item.id))
}

fn ask_sandbox(client: &Client, item: &Item<'_>, known: Option<&Sandbox>) -> Result<Asked<Sandbox>, CallError> {
    let mut sandbox = match listed_sandbox(item) {
        Ok(s) => s,
        Err(complaint) => return Ok(Asked::broken(known.cloned(), complaint)),
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
    let mut container = match listed_container(item) {
        Ok(c) => c,
        Err(complaint) => return Ok(Asked::broken(known.cloned(), complaint)),
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
            let value = match known {
                Some(k) if k.state == container.state => k.clone(),
                // What was known of its beginning still holds.
                Some(k) if container.end_unknown => {
                    Container { state: container.state, end_unknown: true, ..k.clone() }
                }
                _ => container,
            };
            Ok(Asked::broken(Some(value), e.to_string()))
        }
    }
}
