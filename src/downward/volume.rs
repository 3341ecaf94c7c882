//! The files of downward API and projected volumes.
//!
//! Source: `kubernetes/kubernetes pkg/volume/downwardapi/downwardapi.go` (CollectData), `pkg/volume/projected/projected.go`.

use serde_json::Value;

use super::field::{self, Target};
use super::pod::DownwardPod;
use super::resource;
use super::unknown::{Key, Unknown, Whole};
use crate::pod::spec::ResourceList;

/// Mode of a file for which the pod names none.
pub const DEFAULT_MODE: u32 = 0o644;
/// What `fsGroup` adds to the mode of a file: its group may read it. Source: `kubernetes/kubernetes
/// pkg/volume/volume_linux.go`.
const GROUP_MODE: u32 = 0o440;
/// Longest path of a file, in bytes (`kubernetes/kubernetes pkg/volume/util/atomic_writer.go`).
const MOST_PATH: usize = 4096;
/// Longest part of one, in bytes.
const MOST_NAME: usize = 255;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it stands below the volume's directory: relative, clean, never upwards.
    pub path: String,
    /// Its permission bits, with those that the volume's group adds.
    pub mode: u32,
    /// Its bytes, or why they are not known here.
    pub content: Result<Vec<u8>, Unknown>,
}

/// What a volume holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// The files whose paths are known, sorted by path.
    pub files: Vec<File>,
    /// Sources of more files, not even whose paths are known.
    pub sources: Vec<Unknown>,
    /// The group that files and directories belong to (`spec.securityContext.fsGroup`); `None` for that of whoever
    /// writes them.
    pub group: Option<u32>,
}

/// Why a volume has no files here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeError {
    /// The pod declares no volume of this name.
    Missing,
    /// The volume is of another kind, which is named.
    Kind(String),
    /// The path of an item is one that no kubelet writes; says what is wrong.
    Path(String, &'static str),
}

impl std::fmt::Display for VolumeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("the pod has no volume of this name"),
            Self::Kind(kind) => write!(f, "the volume is of the kind {kind}, which the downward API does not fill"),
            Self::Path(path, problem) => write!(f, "the path {path:?} of an item {problem}"),
        }
    }
}

impl std::error::Error for VolumeError {}

impl Volume {
    /// The files of the volume with this name. `allocatable` is what the node can give, as far as it is known.
    ///
    /// # Errors
    /// There is no such volume, it is of another kind, or the path of an item leads out of it.
    pub fn of(pod: &DownwardPod, name: &str, allocatable: &ResourceList) -> Result<Self, VolumeError> {
        let volumes = pod.spec.get("volumes").and_then(Value::as_array).into_iter().flatten();
        let volume = volumes.into_iter().find(|v| v["name"] == name).ok_or(VolumeError::Missing)?;
        let group = pod.spec.pointer("/securityContext/fsGroup").and_then(Value::as_u64);
        let group = group.and_then(|gid| u32::try_from(gid).ok());
        let volume_of_group = Self { group, ..Self::default() };
        let mut filler = Filler { pod, allocatable, default_mode: DEFAULT_MODE, volume: volume_of_group };
        let mode_of = |source: &Value| mode(&source["defaultMode"]).unwrap_or(DEFAULT_MODE);
        if let Some(source) = volume.get("downwardAPI").filter(|s| s.is_object()) {
            filler.default_mode = mode_of(source);
            filler.downward(source)?;
        } else if let Some(source) = volume.get("projected").filter(|s| s.is_object()) {
            filler.default_mode = mode_of(source);
            items(source, "sources").try_for_each(|part| filler.part(part))?;
        } else {
            let kinds = volume.as_object().into_iter().flatten();
            let kind = kinds.map(|(key, _)| key.as_str()).find(|key| *key != "name").unwrap_or("emptyDir");
            return Err(VolumeError::Kind(kind.into()));
        }
        filler.volume.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(filler.volume)
    }
}

struct Filler<'a> {
    pod: &'a DownwardPod,
    allocatable: &'a ResourceList,
    default_mode: u32,
    volume: Volume,
}

impl Filler<'_> {
    /// Adds a file in the place of an earlier one with the same path.
    fn add(&mut self, path: &str, own_mode: &Value, content: Result<Vec<u8>, Unknown>) -> Result<(), VolumeError> {
        let path = clean(path).map_err(|problem| VolumeError::Path(path.into(), problem))?;
        self.volume.files.retain(|f| f.path != path);
        let added = self.volume.group.map_or(0, |_| GROUP_MODE);
        let mode = mode(own_mode).unwrap_or(self.default_mode) | added;
        self.volume.files.push(File { path, mode, content });
        Ok(())
    }

    fn downward(&mut self, source: &Value) -> Result<(), VolumeError> {
        for item in items(source, "items") {
            let (field, selector) = (&item["fieldRef"], &item["resourceFieldRef"]);
            let content = if field.is_object() {
                field::value(self.pod, text(field, "apiVersion"), text(field, "fieldPath"), Target::File)
            } else if selector.is_object() {
                resource::value(self.pod, selector, None, self.allocatable)
            } else {
                Ok(String::new())
            };
            self.add(text(item, "path"), &item["mode"], content.map(String::into_bytes))?;
        }
        Ok(())
    }

    /// One source of a projected volume.
    fn part(&mut self, part: &Value) -> Result<(), VolumeError> {
        let set = |kind: &str| part.get(kind).filter(|v| v.is_object());
        if let Some(source) = set("downwardAPI") {
            self.downward(source)
        } else if let Some(source) = set("secret") {
            self.object(source, Unknown::Secret, Unknown::WholeSecret)
        } else if let Some(source) = set("configMap") {
            self.object(source, Unknown::ConfigMap, Unknown::WholeConfigMap)
        } else if let Some(source) = set("serviceAccountToken") {
            self.add(text(source, "path"), &Value::Null, Err(Unknown::Token))
        } else if let Some(source) = set("clusterTrustBundle") {
            self.add(text(source, "path"), &Value::Null, Err(Unknown::Certificates("a trust bundle")))
        } else if let Some(source) = set("podCertificate") {
            let paths = ["credentialBundlePath", "keyPath", "certificateChainPath"].map(|key| text(source, key));
            let mut paths = paths.into_iter().filter(|p| !p.is_empty());
            paths.try_for_each(|p| self.add(p, &Value::Null, Err(Unknown::Certificates("a pod certificate"))))
        } else {
            Ok(())
        }
    }

    /// A secret or config map: the named keys, or all of them.
    fn object(
        &mut self,
        source: &Value,
        key: fn(Key) -> Unknown,
        all: fn(Whole) -> Unknown,
    ) -> Result<(), VolumeError> {
        let (name, optional) = (text(source, "name"), source["optional"] == true);
        if items(source, "items").next().is_none() {
            let whole = Whole { name: name.into(), prefix: String::new(), optional };
            self.volume.sources.push(all(whole));
        }
        for item in items(source, "items") {
            let what = key(Key { name: name.into(), key: text(item, "key").into(), optional });
            self.add(text(item, "path"), &item["mode"], Err(what))?;
        }
        Ok(())
    }
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The permission bits of a mode; anything above them is not for us to set.
fn mode(value: &Value) -> Option<u32> {
    Some(u32::try_from(value.as_u64()?).unwrap_or_default() & 0o777)
}

/// The path without empty and `.` parts. Validation lets nothing else through; but a pod may come from a runtime or a
/// file that nobody validated, and these paths are written to.
fn clean(path: &str) -> Result<String, &'static str> {
    if path.starts_with('/') {
        return Err("is not relative");
    }
    if path.len() > MOST_PATH {
        return Err("is longer than 4096 bytes");
    }
    let parts: Vec<_> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.is_empty() {
        return Err("names no file");
    }
    if parts.contains(&"..") {
        return Err("leads upwards");
    }
    if parts.first().is_some_and(|first| first.starts_with("..")) {
        return Err("begins with \"..\", which the kubelet keeps for itself");
    }
    if parts.iter().any(|part| part.len() > MOST_NAME) {
        return Err("has a part longer than 255 bytes");
    }
    if path.contains('\0') {
        return Err("has a NUL byte in it");
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(volume: Value) -> Result<Volume, VolumeError> {
        let spec = json!({"volumes": [{"name": "e"}, volume]});
        let pod = DownwardPod::from_json(&json!({"name": "web", "labels": {"b": "2", "a": "1"}}), &spec, &json!({}));
        Volume::of(&pod, "v", &ResourceList::new())
    }

    fn item(path: &str) -> Value {
        json!({"path": path, "fieldRef": {"fieldPath": "metadata.name"}})
    }

    #[test]
    fn modes_and_order() {
        let mut own = item("z");
        own["mode"] = json!(0o400);
        let items = json!([item("b/c"), own, item("a")]);
        for (source, default) in [
            (json!({"items": items}), 0o644),
            (json!({"items": items, "defaultMode": 0o440}), 0o440),
            (json!({"items": items, "defaultMode": 0}), 0),
        ] {
            let got = of(json!({"name": "v", "downwardAPI": source})).unwrap();
            let files: Vec<_> = got.files.iter().map(|f| (f.path.as_str(), f.mode)).collect();
            assert_eq!(files, [("a", default), ("b/c", default), ("z", 0o400)]);
            assert!(got.files.iter().all(|f| f.content.as_deref() == Ok(b"web")));
        }
    }

    #[test]
    fn a_group_may_read() {
        let mut secret = item("b");
        secret["mode"] = json!(0o400);
        let volumes = json!([{"name": "v", "downwardAPI": {"items": [item("a"), secret], "defaultMode": 0o600}}]);
        let spec = json!({"volumes": volumes, "securityContext": {"fsGroup": 2000}});
        let pod = DownwardPod::from_json(&json!({}), &spec, &json!({}));
        let volume = Volume::of(&pod, "v", &ResourceList::new()).unwrap();
        assert_eq!((volume.group, volume.files[0].mode, volume.files[1].mode), (Some(2000), 0o640, 0o440));
    }

    #[test]
    fn a_projected_volume_names_what_it_cannot_know() {
        // the volume that the API server adds to every pod, and some more
        let got = of(json!({"name": "v", "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
            {"secret": {"name": "db", "optional": true}},
            {"clusterTrustBundle": {"name": "x", "path": "bundle.pem"}},
            {"podCertificate": {"keyPath": "k.pem", "certificateChainPath": "c.pem"}},
        ]}}))
        .unwrap();
        let line = |f: &File| match &f.content {
            Ok(bytes) => format!("{} {}", f.path, String::from_utf8_lossy(bytes)),
            Err(why) => format!("{} ? {why}", f.path),
        };
        assert_eq!(
            got.files.iter().map(line).collect::<Vec<_>>(),
            [
                "bundle.pem ? a trust bundle, which the API server has",
                "c.pem ? a pod certificate, which the API server has",
                "ca.crt ? key ca.crt of config map kube-root-ca.crt",
                "k.pem ? a pod certificate, which the API server has",
                "labels a=\"1\"\nb=\"2\"",
                "token ? a service account token, which the API server issues",
            ]
        );
        assert_eq!(
            got.sources.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["all keys of secret db (optional)"]
        );
    }

    #[test]
    fn paths_stay_below_the_volume() {
        let path = |path: &str| of(json!({"name": "v", "downwardAPI": {"items": [item(path)]}}));
        for (given, want) in [("a", "a"), ("a/b", "a/b"), ("./a//b/.", "a/b"), ("a/..b", "a/..b"), ("...a", "")] {
            match path(given) {
                Ok(volume) => assert_eq!(volume.files[0].path, want),
                Err(e) => assert!(want.is_empty(), "{given}: {e}"),
            }
        }
        for bad in ["", ".", "/etc/passwd", "..", "../x", "a/../../x", "..data", "a/../b", &"x".repeat(256), "a\0b"] {
            assert!(matches!(path(bad), Err(VolumeError::Path(..))), "{bad}");
        }
    }

    #[test]
    fn other_volumes() {
        assert_eq!(of(json!({"name": "x"})), Err(VolumeError::Missing));
        assert_eq!(of(json!({"name": "v", "hostPath": {"path": "/"}})), Err(VolumeError::Kind("hostPath".into())));
        let twice = of(json!({"name": "v", "downwardAPI": {"items": [item("a"), item("./a")]}})).unwrap();
        assert_eq!(twice.files.len(), 1);
    }
}
