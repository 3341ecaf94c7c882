//! What a container mounts.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/validation/validation.go` (ValidateVolumeMounts,
//! ValidateVolumeDevices, validateMountPropagation, validateMountRecursiveReadOnly).

use std::collections::{BTreeMap, BTreeSet};

use super::place::Place;
use super::report::Report;
use crate::pod::names;

/// Checks `volumeMounts` and `volumeDevices` of a container. `volumes` are the pod's volumes by name.
pub fn check(container: &Place<'_>, volumes: &BTreeMap<&str, Place<'_>>, out: &mut Report) {
    let mut paths = BTreeSet::new();
    let privileged = container.at("securityContext").at("privileged").truth();
    for mount in container.at("volumeMounts").items() {
        mount_name(&mount, volumes, out);
        let path = mount.at("mountPath");
        if path.is_empty() {
            out.required(&path, "say where in the container the volume is mounted");
        }
        if !paths.insert(path.text()) {
            out.invalid(&path, "DuplicatePath", "must be unique");
        }
        sub_path(&mount, volumes, out);
        propagation(&mount.at("mountPropagation"), privileged, out);
        recursive_read_only(&mount, out);
    }
    for device in container.at("volumeDevices").items() {
        let name = device.at("name");
        if volumes.contains_key(name.text()) {
            let detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
            out.invalid(&name, "InvalidVolume", detail);
        } else {
            out.not_found(&name, "UnknownVolume", "declare the volume under spec.volumes");
        }
    }
}

fn mount_name(mount: &Place<'_>, volumes: &BTreeMap<&str, Place<'_>>, out: &mut Report) {
    let name = mount.at("name");
    if name.is_empty() {
        out.required(&name, "name the volume under spec.volumes that is mounted");
    } else if !volumes.contains_key(name.text()) {
        out.not_found(&name, "UnknownVolume", "declare the volume under spec.volumes or correct its name here");
    }
}

fn sub_path(mount: &Place<'_>, volumes: &BTreeMap<&str, Place<'_>>, out: &mut Report) {
    let of_image = volumes.get(mount.at("name").text()).is_some_and(|v| v.at("image").present());
    let (plain, expression) = (mount.at("subPath"), mount.at("subPathExpr"));
    for place in [&plain, &expression] {
        if place.is_empty() {
            continue;
        }
        // Kubernetes 1.33 and newer mount a path of an image too; refusing it would refuse good manifests.
        if !of_image {
            out.invalid_all(place, "InvalidPath", names::descending_path(place.text()));
        }
    }
    if !plain.is_empty() && !expression.is_empty() {
        out.invalid(&expression, "InvalidPath", "subPathExpr and subPath are mutually exclusive");
    }
}

fn propagation(place: &Place<'_>, privileged: bool, out: &mut Report) {
    out.one_of(place, &["Bidirectional", "HostToContainer", "None"]);
    if place.text() == "Bidirectional" && !privileged {
        let detail = "Bidirectional mount propagation is available only to privileged containers";
        out.forbidden(place, "NotPrivileged", detail);
    }
}

fn recursive_read_only(mount: &Place<'_>, out: &mut Report) {
    let place = mount.at("recursiveReadOnly");
    out.one_of(&place, &["Disabled", "Enabled", "IfPossible"]);
    if !matches!(place.text(), "Enabled" | "IfPossible") {
        return;
    }
    if !mount.at("readOnly").truth() {
        out.forbidden(&place, "InvalidMount", "may only be specified when readOnly is true");
    }
    if !matches!(mount.at("mountPropagation").text(), "" | "None") {
        out.forbidden(&place, "InvalidMount", "may only be specified when mountPropagation is None or not specified");
    }
}
