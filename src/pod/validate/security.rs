//! Security contexts of a pod and of its containers.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/validation/validation.go` (ValidateSecurityContext,
//! validatePodSpecSecurityContext, validateSeccompProfileField, ValidateAppArmorProfileField, validateSysctls).

use std::collections::BTreeSet;

use super::place::Place;
use super::report::Report;
use crate::pod::names;

const ID_MAX: i64 = i32::MAX as i64;

/// Checks `securityContext` of a container. `host_users` is false where the pod has a user namespace of its own.
pub fn container(context: &Place<'_>, host_users: bool, out: &mut Report) {
    for id in ["runAsUser", "runAsGroup"] {
        out.range(&context.at(id), 0, ID_MAX);
    }
    let proc_mount = context.at("procMount");
    out.one_of(&proc_mount, &["Default", "Unmasked"]);
    if proc_mount.text() == "Unmasked" && host_users {
        out.invalid(&proc_mount, "InvalidSecurity", "`hostUsers` must be false to use `Unmasked`");
    }
    profiles(context, out);
    if context.at("allowPrivilegeEscalation").value().as_bool() == Some(false) {
        let place = context.at("allowPrivilegeEscalation");
        if context.at("privileged").truth() {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            out.invalid(&place, "InvalidSecurity", detail);
        }
        if context.at("capabilities").at("add").items().any(|c| c.text() == "CAP_SYS_ADMIN") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            out.invalid(&place, "InvalidSecurity", detail);
        }
    }
}

/// Checks `spec.securityContext` and what stands beside it in the spec but belongs to it.
pub fn pod(spec: &Place<'_>, out: &mut Report) {
    let context = spec.at("securityContext");
    for id in ["runAsUser", "runAsGroup", "fsGroup"] {
        out.range(&context.at(id), 0, ID_MAX);
    }
    for group in context.at("supplementalGroups").items() {
        out.range(&group, 0, ID_MAX);
    }
    out.one_of(&context.at("fsGroupChangePolicy"), &["Always", "OnRootMismatch"]);
    out.one_of(&context.at("supplementalGroupsPolicy"), &["Merge", "Strict"]);
    out.one_of(&context.at("seLinuxChangePolicy"), &["MountOption", "Recursive"]);
    profiles(&context, out);
    sysctls(spec, &context.at("sysctls"), out);
    if spec.at("shareProcessNamespace").truth() && spec.at("hostPID").truth() {
        let place = spec.at("shareProcessNamespace");
        out.invalid(&place, "InvalidSecurity", "ShareProcessNamespace and HostPID cannot both be enabled");
    }
    if spec.at("hostUsers").value().as_bool() == Some(false) {
        // hostNetwork beside it became possible later (gate UserNamespacesHostNetworkSupport), so it is let through.
        for field in ["hostPID", "hostIPC"] {
            if spec.at(field).truth() {
                out.forbidden(&spec.at(field), "InvalidSecurity", "when `pod.Spec.HostUsers` is false");
            }
        }
    }
}

fn profiles(context: &Place<'_>, out: &mut Report) {
    let kinds = ["Localhost", "RuntimeDefault", "Unconfined"];
    for name in ["seccompProfile", "appArmorProfile"] {
        let Some(profile) = context.at(name).some() else { continue };
        let (kind, local) = (profile.at("type"), profile.at("localhostProfile"));
        if kind.is_empty() {
            out.required(&kind, "type is required: Localhost, RuntimeDefault or Unconfined");
            continue;
        }
        out.one_of(&kind, &kinds);
        if kind.text() == "Localhost" {
            if local.text().trim().is_empty() {
                out.required(&local, "must be set when the type of the profile is Localhost");
            } else if name == "seccompProfile" {
                out.invalid_all(&local, "InvalidPath", names::descending_path(local.text()));
            }
        } else if local.present() {
            out.invalid(&local, "InvalidSecurity", "can only be set when the type of the profile is Localhost");
        }
    }
}

fn sysctls(spec: &Place<'_>, list: &Place<'_>, out: &mut Report) {
    let mut seen = BTreeSet::new();
    for sysctl in list.items() {
        let name = sysctl.at("name");
        if name.is_empty() {
            out.required(&name, "name the sysctl");
        } else if !is_sysctl(name.text()) {
            out.invalid(&name, "InvalidName", "must have at most 253 characters and match the form a.b-c/d_e");
        } else if !seen.insert(name.text()) {
            out.duplicate(&name, "DuplicateName", "name each sysctl once");
        }
        let dotted = name.text().replace('/', ".");
        if spec.at("hostNetwork").truth() && dotted.starts_with("net.") {
            out.invalid(&name, "InvalidSecurity", "may not be specified when 'hostNetwork' is true");
        }
        let ipc = ["kernel.shm", "kernel.msg", "fs.mqueue."].iter().any(|p| dotted.starts_with(p));
        if spec.at("hostIPC").truth() && (ipc || dotted == "kernel.sem") {
            out.invalid(&name, "InvalidSecurity", "may not be specified when 'hostIPC' is true");
        }
    }
}

fn is_sysctl(name: &str) -> bool {
    let word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.split(['.', '/']).all(|segment| {
            let b = segment.as_bytes();
            b.first().is_some_and(|&c| word(c))
                && b.last().is_some_and(|&c| word(c))
                && b.iter().all(|&c| word(c) || matches!(c, b'-' | b'_'))
        })
}
