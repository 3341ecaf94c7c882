//! Volumes of a pod, as far as a static pod may have them. Volumes that need the API server are refused as
//! references (see [`crate::pod::references`]) and not looked into here.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/validation/validation.go` (ValidateVolumes, validateVolumeSource).

use std::collections::BTreeSet;

use super::env::{field_ref, resource_field_ref};
use super::place::Place;
use super::report::Report;
use super::resources::{is_negative, quantity};
use crate::codec::schema::id;
use crate::pod::names;

const DOWNWARD_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const HOST_PATH_TYPES: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
/// Text fields that a source must have, where nothing else is to be said about it.
const REQUIRED: [(&str, &[&str]); 14] = [
    ("gitRepo", &["repository"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("rbd", &["monitors", "image"]),
    ("cinder", &["volumeID"]),
    ("cephfs", &["monitors"]),
    ("quobyte", &["registry", "volume"]),
    ("flexVolume", &["driver"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
];

/// The kinds of volumes that the schema knows.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    id::VOLUME_SOURCE.message().fields.iter().map(|f| f.name)
}

/// Checks `spec.volumes`.
pub fn check(volumes: &Place<'_>, out: &mut Report) {
    let mut seen = BTreeSet::new();
    for volume in volumes.items() {
        let name = volume.at("name");
        if name.is_empty() {
            out.required(&name, "a volume needs a name by which containers mount it");
        } else {
            out.invalid_all(&name, "InvalidName", names::dns_label(name.text()));
            if !seen.insert(name.text()) {
                out.duplicate(&name, "DuplicateName", "volume names must be unique; rename one of them");
            }
        }
        let mut first = None;
        for kind in kinds() {
            let Some(source) = volume.at(kind).some() else { continue };
            if let Some(first) = first {
                let detail = format!("may not specify more than 1 volume type; {first} is there already");
                out.forbidden(&source, "TooManySources", &detail);
                continue;
            }
            first = Some(kind);
            check_source(kind, &source, out);
        }
        // Without any source the defaults made it an emptyDir, so one is always there.
    }
}

fn check_source(kind: &str, source: &Place<'_>, out: &mut Report) {
    match kind {
        "hostPath" => host_path(source, out),
        "emptyDir" => {
            if quantity(&source.at("sizeLimit")).is_some_and(|q| is_negative(&q)) {
                let detail = "SizeLimit field must be a valid resource quantity";
                out.forbidden(&source.at("sizeLimit"), "InvalidResource", detail);
            }
        }
        "nfs" => nfs(source, out),
        "downwardAPI" => {
            mode(&source.at("defaultMode"), out);
            downward_items(&source.at("items"), out);
        }
        "projected" => {
            mode(&source.at("defaultMode"), out);
            for part in source.at("sources").items() {
                downward_items(&part.at("downwardAPI").at("items"), out);
            }
        }
        "image" => {
            let reference = source.at("reference");
            if reference.is_empty() {
                out.required(&reference, "name the image to mount");
            }
            out.one_of(&source.at("pullPolicy"), &["Always", "IfNotPresent", "Never"]);
        }
        "fc" => {
            if source.at("targetWWNs").is_empty() == source.at("wwids").is_empty() {
                out.invalid(source, "InvalidVolume", "exactly one of targetWWNs and wwids must be specified");
            }
        }
        _ => {
            let fields = REQUIRED.iter().find(|(k, _)| *k == kind).map(|(_, f)| *f).unwrap_or_default();
            for field in fields {
                let place = source.at(field);
                if place.is_empty() {
                    out.required(&place, &format!("a volume of type {kind} needs its {field}"));
                }
            }
        }
    }
}

fn host_path(source: &Place<'_>, out: &mut Report) {
    let path = source.at("path");
    if path.is_empty() {
        out.required(&path, "name the path on the node");
        return;
    }
    out.invalid_all(&path, "InvalidPath", names::no_backsteps(path.text()));
    out.one_of(&source.at("type"), &HOST_PATH_TYPES);
}

fn nfs(source: &Place<'_>, out: &mut Report) {
    if source.at("server").is_empty() {
        out.required(&source.at("server"), "name the NFS server");
    }
    let path = source.at("path");
    if path.is_empty() {
        out.required(&path, "name the path on the NFS server");
    } else if !path.text().starts_with('/') {
        out.invalid(&path, "InvalidPath", "must be an absolute path");
    }
}

/// A file mode, in octal at most 0777.
fn mode(place: &Place<'_>, out: &mut Report) {
    if place.number().is_some_and(|n| !(0..=0o777).contains(&n)) {
        out.invalid(place, "InvalidMode", "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

fn downward_items(items: &Place<'_>, out: &mut Report) {
    for item in items.items() {
        let path = item.at("path");
        if path.is_empty() {
            out.required(&path, "name the file to write");
        } else {
            out.invalid_all(&path, "InvalidPath", names::non_reserved_path(path.text()));
        }
        mode(&item.at("mode"), out);
        match (item.at("fieldRef").some(), item.at("resourceFieldRef").some()) {
            (Some(field), resource) => {
                if resource.is_some() {
                    let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                    out.invalid(&item, "TooManySources", detail);
                }
                field_ref(&field, &DOWNWARD_FIELDS, out);
            }
            (None, Some(resource)) => resource_field_ref(&resource, true, out),
            (None, None) => out.required(&item, "one of fieldRef and resourceFieldRef is required"),
        }
    }
}
