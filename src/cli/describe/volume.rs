//! The volumes of a pod.

use serde_json::Value;

use super::lines::Lines;
use super::value::{list, text};

/// The name of a line, where its value is, and what stands there otherwise.
type Member = (&'static str, &'static str, &'static str);

/// Kinds of volumes, their words, and their members.
const KINDS: &[(&str, &str, &[Member])] = &[
    ("hostPath", "HostPath (bare host directory volume)", &[("Path", "/path", ""), ("HostPathType", "/type", "")]),
    (
        "emptyDir",
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        &[("Medium", "/medium", ""), ("SizeLimit", "/sizeLimit", "<unset>")],
    ),
    (
        "secret",
        "Secret (a volume populated by a Secret)",
        &[("SecretName", "/secretName", ""), ("Optional", "/optional", "false")],
    ),
    (
        "configMap",
        "ConfigMap (a volume populated by a ConfigMap)",
        &[("Name", "/name", ""), ("Optional", "/optional", "false")],
    ),
    (
        "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        &[("ClaimName", "/claimName", ""), ("ReadOnly", "/readOnly", "false")],
    ),
    (
        "nfs",
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        &[("Server", "/server", ""), ("Path", "/path", ""), ("ReadOnly", "/readOnly", "false")],
    ),
    (
        "csi",
        "CSI (a Container Storage Interface (CSI) volume source)",
        &[("Driver", "/driver", ""), ("FSType", "/fsType", ""), ("ReadOnly", "/readOnly", "false")],
    ),
    (
        "image",
        "Image (a container image or OCI artifact)",
        &[("Reference", "/reference", ""), ("PullPolicy", "/pullPolicy", "")],
    ),
    ("downwardAPI", "DownwardAPI (a volume populated by information about the pod)", &[]),
    ("projected", "Projected (a volume that contains injected data from multiple sources)", &[]),
];

/// All of them.
pub fn describe(lines: &mut Lines, pod: &Value) {
    if list(pod, "/spec/volumes").next().is_none() {
        return lines.field(0, "Volumes", "<none>");
    }
    lines.line(0, "Volumes:");
    for volume in list(pod, "/spec/volumes") {
        lines.line(1, &format!("{}:", text(volume, "/name")));
        let known = KINDS.iter().find_map(|kind| volume.get(kind.0).map(|source| (kind, source)));
        match known {
            Some(((kind, words, members), source)) => {
                lines.field(2, "Type", words);
                for (name, pointer, default) in *members {
                    let value = text(source, pointer);
                    lines.field(2, name, if value.is_empty() { default } else { &value });
                }
                match *kind {
                    "downwardAPI" => items(lines, source),
                    "projected" => list(source, "/sources").for_each(|source| projected(lines, source)),
                    _ => {}
                }
            }
            None => {
                let kind = volume.as_object().into_iter().flatten().find(|(key, _)| *key != "name");
                lines.field(2, "Type", kind.map_or("<unknown>", |(key, _)| key));
            }
        }
    }
}

fn items(lines: &mut Lines, source: &Value) {
    lines.line(2, "Items:");
    for item in list(source, "/items") {
        let field = match text(item, "/fieldRef/fieldPath") {
            path if path.is_empty() => text(item, "/resourceFieldRef/resource"),
            path => path,
        };
        lines.line(3, &format!("{field} -> {}", text(item, "/path")));
    }
}

fn projected(lines: &mut Lines, source: &Value) {
    let optional = |value: &Value| if text(value, "/optional") == "true" { "true" } else { "false" };
    if let Some(secret) = source.get("secret") {
        lines.field(2, "SecretName", &text(secret, "/name"));
        lines.field(2, "Optional", optional(secret));
    } else if source.get("downwardAPI").is_some() {
        lines.field(2, "DownwardAPI", "true");
    } else if let Some(map) = source.get("configMap") {
        lines.field(2, "ConfigMapName", &text(map, "/name"));
        lines.field(2, "Optional", optional(map));
    } else if let Some(token) = source.get("serviceAccountToken") {
        lines.field(2, "TokenExpirationSeconds", &text(token, "/expirationSeconds"));
    }
}
