//! CRI messages into the plain values that status derivation takes.

use std::collections::{BTreeMap, HashMap};

use protobuf::EnumOrUnknown;

use crate::pod::observed::{Container, ContainerState, LinuxResources, LinuxUser, Mount, RuntimeCondition, Sandbox};
use crate::proto::runtime as cri;

/// A sandbox as the list shows it; what only its status knows is empty.
///
/// # Errors
/// What is missing, as the kubelet's verifySandboxStatus asks for it.
pub fn sandbox(p: cri::PodSandbox) -> Result<Sandbox, &'static str> {
    let m = p.metadata.into_option().ok_or("no metadata")?;
    if m.name.is_empty() || m.namespace.is_empty() || m.uid.is_empty() {
        return Err("metadata without name, namespace or uid");
    }
    Ok(Sandbox {
        id: p.id,
        name: m.name,
        namespace: m.namespace,
        uid: m.uid,
        attempt: m.attempt,
        ready: p.state == EnumOrUnknown::new(cri::PodSandboxState::SANDBOX_READY),
        created_at: p.created_at,
        labels: sorted(p.labels),
        annotations: sorted(p.annotations),
        ips: Vec::new(),
        host_network: false,
        runtime_handler: p.runtime_handler,
    })
}

/// Adds what the status of a sandbox knows beyond the list.
pub fn add_sandbox_status(sandbox: &mut Sandbox, s: cri::PodSandboxStatus) {
    sandbox.ready = s.state == EnumOrUnknown::new(cri::PodSandboxState::SANDBOX_READY);
    if let Some(net) = s.network.into_option() {
        let all = std::iter::once(net.ip).chain(net.additional_ips.into_iter().map(|a| a.ip));
        sandbox.ips = all.filter(|ip| !ip.is_empty()).collect();
    }
    let network = s.linux.into_option().and_then(|l| l.namespaces.into_option()).and_then(|n| n.options.into_option());
    sandbox.host_network = network.is_some_and(|o| o.network == EnumOrUnknown::new(cri::NamespaceMode::NODE));
    if !s.runtime_handler.is_empty() {
        sandbox.runtime_handler = s.runtime_handler;
    }
}

/// A container as the list shows it; times, exit code, mounts and the rest are in its status only.
///
/// # Errors
/// What is missing.
pub fn container(c: cri::Container) -> Result<Container, &'static str> {
    let m = c.metadata.into_option().ok_or("no metadata")?;
    if m.name.is_empty() || c.pod_sandbox_id.is_empty() {
        return Err("no name or no sandbox id");
    }
    let state = state(c.state);
    Ok(Container {
        id: c.id,
        sandbox_id: c.pod_sandbox_id,
        name: m.name,
        attempt: m.attempt,
        state,
        end_unknown: state == ContainerState::Exited,
        created_at: c.created_at,
        image: c.image.into_option().map(|i| i.image).unwrap_or_default(),
        image_ref: c.image_ref,
        image_id: c.image_id,
        labels: sorted(c.labels),
        annotations: sorted(c.annotations),
        ..Container::default()
    })
}

/// Adds what the status of a container knows beyond the list.
pub fn add_container_status(container: &mut Container, s: cri::ContainerStatus) {
    container.state = state(s.state);
    container.end_unknown = false;
    container.started_at = s.started_at;
    container.finished_at = s.finished_at;
    container.exit_code = s.exit_code;
    if let Some(image) = s.image.into_option().map(|i| i.image).filter(|i| !i.is_empty()) {
        container.image = image;
    }
    if !s.image_ref.is_empty() {
        container.image_ref = s.image_ref;
    }
    if !s.image_id.is_empty() {
        container.image_id = s.image_id;
    }
    container.reason = s.reason;
    container.message = s.message;
    container.mounts = s.mounts.into_iter().map(mount).collect();
    container.log_path = s.log_path;
    container.resources = s.resources.into_option().and_then(|r| r.linux.into_option()).map(|l| LinuxResources {
        cpu_period: l.cpu_period,
        cpu_quota: l.cpu_quota,
        cpu_shares: l.cpu_shares,
        memory_limit_in_bytes: l.memory_limit_in_bytes,
    });
    container.user = s.user.into_option().and_then(|u| u.linux.into_option()).map(|u| LinuxUser {
        uid: u.uid,
        gid: u.gid,
        supplemental_groups: u.supplemental_groups,
    });
    container.stop_signal = stop_signal(s.stop_signal);
}

/// `SIGTERM` for `SIGNAL_SIGTERM`; empty for the runtime's default and for signals this version does not know.
fn stop_signal(s: EnumOrUnknown<cri::Signal>) -> String {
    let name = s.enum_value().map(|s| format!("{s:?}")).unwrap_or_default();
    name.strip_prefix("SIGNAL_").filter(|n| n.starts_with("SIG")).unwrap_or_default().to_string()
}

fn mount(m: cri::Mount) -> Mount {
    Mount {
        container_path: m.container_path,
        host_path: m.host_path,
        readonly: m.readonly,
        recursive_read_only: m.recursive_read_only,
    }
}

fn state(s: EnumOrUnknown<cri::ContainerState>) -> ContainerState {
    match s.enum_value() {
        Ok(cri::ContainerState::CONTAINER_CREATED) => ContainerState::Created,
        Ok(cri::ContainerState::CONTAINER_RUNNING) => ContainerState::Running,
        Ok(cri::ContainerState::CONTAINER_EXITED) => ContainerState::Exited,
        Ok(cri::ContainerState::CONTAINER_UNKNOWN) | Err(_) => ContainerState::Unknown,
    }
}

/// The conditions of a runtime status, by name.
#[must_use]
pub fn conditions(s: cri::StatusResponse) -> Vec<RuntimeCondition> {
    let all = s.status.into_option().map(|s| s.conditions).unwrap_or_default();
    let mut all: Vec<_> = all
        .into_iter()
        .map(|c| RuntimeCondition { kind: c.type_, status: c.status, reason: c.reason, message: c.message })
        .collect();
    all.sort_unstable_by(|a, b| a.kind.cmp(&b.kind));
    all
}

fn sorted(map: HashMap<String, String>) -> BTreeMap<String, String> {
    map.into_iter().collect()
}
