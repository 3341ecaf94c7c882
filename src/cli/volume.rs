//! `nodepods volume`: the files of downward API and projected volumes, as the kubelet writes them.

mod place;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::command::Command;
use super::env::allocatable;
use super::exit::{Exit, Failure};
use super::one_pod;
use super::output::{print, print_bytes, warn};
use super::pods_now;
use super::socket;
use crate::codec::pod_bytes::PodBytes;
use crate::downward::facts::is_file_name;
use crate::downward::volume::{File, Volume, VolumeError};
use crate::downward::{DownwardPod, Unknown};
use crate::files::atomic_writer::{AtomicWriter, FileContent, Payload};
use crate::pod::spec::ResourceList;
use crate::sys::process;

/// Print or write the files of a pod's downward API volumes. They are byte for byte the kubelet's, permission bits
/// too; of a projected volume those whose content is known here. Without NAME all such volumes are meant.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "volume",
    help_triggers("-h", "--help"),
    example = "nodepods volume web\nnodepods volume web podinfo labels\nnodepods volume web podinfo --to /run/web --follow"
)]
pub struct VolumeFiles {
    /// namespace of the pod
    #[argh(option, short = 'n', arg_name = "namespace")]
    namespace: Option<String>,
    /// write the files into this directory, new or empty, and swap them in one step as the kubelet does; without NAME
    /// each volume into a directory of its own below it
    #[argh(option, arg_name = "dir")]
    to: Option<PathBuf>,
    /// with --to: keep the files current until stopped
    #[argh(switch)]
    follow: bool,
    /// what the node can give, such as cpu=4,memory=7Gi, for limits that are not set
    #[argh(option, arg_name = "amounts")]
    allocatable: Option<String>,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "path")]
    socket: Vec<PathBuf>,
    /// pod: NAME, NAMESPACE/NAME or a UID
    #[argh(positional, arg_name = "POD")]
    pod: String,
    /// volume, by its name in the spec; then one of its files, which is printed as it is
    #[argh(positional, arg_name = "NAME|FILE")]
    name_and_file: Vec<String>,
}

impl Command for VolumeFiles {
    fn run(self) -> Result<(), Failure> {
        let wrong = |problem: &str| Err(Failure::usage("volume", problem));
        let (name, file) = match self.name_and_file.as_slice() {
            [] => (None, None),
            [name] => (Some(name), None),
            [name, file] => (Some(name), Some(file)),
            [_, _, more, ..] => return wrong(&format!("{more:?} is one word too many: POD, NAME and FILE are known")),
        };
        if self.to.is_none() && self.follow {
            return wrong("--follow keeps files current: say with --to where they are");
        }
        if self.to.is_some() && file.is_some() {
            return wrong("--to writes whole volumes: leave the file out");
        }
        let wanted = Wanted { allocatable: allocatable("volume", self.allocatable.as_deref())?, name: name.cloned() };
        if let (Some(top), true) = (&self.to, self.follow) {
            return self.follow(top, &wanted);
        }
        let (pods, warnings) = PodsClient::new(&socket::find("volume", &self.socket)?).list()?;
        warnings.iter().for_each(|warning| warn(warning));
        let volumes = wanted.of(&self.pick(pods)?)?;
        match (&self.to, file) {
            (Some(top), _) => self.write(top, &volumes),
            (None, Some(path)) => print_bytes(content(&volumes, path)?),
            (None, None) => print(&listing(&volumes)),
        }
    }
}

impl VolumeFiles {
    fn pick(&self, pods: Vec<PodBytes>) -> Result<PodBytes, Failure> {
        one_pod::pick("volume", pods, self.namespace.as_deref(), &self.pod)
    }

    /// Writes the volumes below `top`, one that was named into `top` itself.
    fn write(&self, top: &Path, volumes: &[(String, Volume)]) -> Result<(), Failure> {
        for (name, volume) in volumes {
            if !is_file_name(name) {
                return Err(Failure::new(
                    Exit::Failure,
                    format!("error: volume {name:?}: its name cannot be a file's"),
                ));
            }
            let dir = if self.name_and_file.is_empty() { top.join(name) } else { top.to_path_buf() };
            place::claim(top, &dir)?;
            let (payload, unknown) = payload(volume);
            let writer = AtomicWriter::new(&dir, place::DIR_MODE);
            let writer = match volume.group {
                Some(group) if process::effective_uid() == 0 => writer.of_group(group),
                _ => writer, // the mode lets the group read; which group it is takes root to say
            };
            let changed = writer.write(&payload).map_err(|e| place::failure(&e))?;
            if changed {
                unknown.iter().for_each(|what| warn(&format!("not written: {name}/{what}")));
            }
        }
        Ok(())
    }

    /// Writes the files again whenever the pod has changed. One that goes away leaves its files, and is taken up
    /// again when a pod of this name is back.
    fn follow(&self, top: &Path, wanted: &Wanted) -> Result<(), Failure> {
        let (mut last, mut began) = (None, false);
        pods_now::follow("volume", &self.socket, |pods: &BTreeMap<String, PodBytes>| {
            let pod = match self.pick(pods.values().cloned().collect()) {
                Ok(pod) => pod,
                Err(failure) if failure.exit == Exit::NotFound && began => {
                    if last.take().is_some() {
                        warn(&format!("pod {} is gone; its files stay", self.pod));
                    }
                    return Ok(());
                }
                Err(failure) => return Err(failure),
            };
            began = true;
            if last.as_ref() != Some(&pod) {
                self.write(top, &wanted.of(&pod)?)?;
                last = Some(pod);
            }
            Ok(())
        })
    }
}

/// Which volumes are meant, and what fills them.
struct Wanted {
    allocatable: ResourceList,
    name: Option<String>,
}

impl Wanted {
    /// The volumes of a pod with their names.
    fn of(&self, pod: &PodBytes) -> Result<Vec<(String, Volume)>, Failure> {
        let pod = one_pod::complete(pod)?;
        let names = match &self.name {
            Some(name) => vec![name.as_str()],
            None => pod.volume_names(),
        };
        if names.is_empty() {
            let text = format!(
                "error: pod {}/{} has no downward API or projected volume\n'nodepods describe' shows its volumes.",
                pod.namespace, pod.name
            );
            return Err(Failure::new(Exit::NotFound, text));
        }
        let of = |name: &str| match Volume::of(&pod, name, &self.allocatable) {
            Ok(volume) => Ok((name.to_string(), volume)),
            Err(e) => Err(failure(&pod, name, &e)),
        };
        names.into_iter().map(of).collect()
    }
}

fn failure(pod: &DownwardPod, name: &str, e: &VolumeError) -> Failure {
    let exit = if *e == VolumeError::Missing { Exit::NotFound } else { Exit::Failure };
    let known = match pod.volume_names().join(", ") {
        known if known.is_empty() => "It has no downward API or projected volume.".to_string(),
        known => format!("It has: {known}."),
    };
    Failure::new(exit, format!("error: volume {name:?} of pod {}/{}: {e}\n{known}", pod.namespace, pod.name))
}

/// Every file with its content; what is not known is named.
fn listing(volumes: &[(String, Volume)]) -> String {
    let mut out = String::new();
    for (name, volume) in volumes {
        for File { path, mode, content } in &volume.files {
            match content {
                Ok(bytes) => {
                    out.push_str(&format!("==> {name}/{path} ({mode:04o}) <==\n"));
                    out.push_str(&String::from_utf8_lossy(bytes));
                    out.push_str("\n\n");
                }
                Err(why) => out.push_str(&format!("==> {name}/{path} ({mode:04o}): not known here: {why} <==\n\n")),
            }
        }
        for what in &volume.sources {
            out.push_str(&format!("==> {name}: more files are not known here: {what} <==\n\n"));
        }
    }
    out.truncate(out.trim_end_matches('\n').len());
    out.push('\n');
    out
}

/// The bytes of one file.
fn content<'a>(volumes: &'a [(String, Volume)], path: &str) -> Result<&'a [u8], Failure> {
    let mut files = volumes.iter().flat_map(|(_, volume)| &volume.files);
    let Some(file) = files.clone().find(|f| f.path == path) else {
        let known: Vec<_> = files.by_ref().map(|f| f.path.as_str()).collect();
        return Err(Failure::new(
            Exit::NotFound,
            format!("error: the volume has no file {path:?}\nIt has: {}.", known.join(", ")),
        ));
    };
    let unknown = |why: &Unknown| Failure::new(Exit::Failure, format!("error: {path} is not known here: {why}"));
    file.content.as_deref().map_err(unknown)
}

/// What can be written, and the names of what cannot.
fn payload(volume: &Volume) -> (Payload, Vec<String>) {
    let (mut payload, mut unknown) = (Payload::new(), Vec::new());
    for File { path, mode, content } in &volume.files {
        match content {
            Ok(data) => drop(payload.insert(path.clone(), FileContent { mode: *mode, data: data.clone() })),
            Err(why) => unknown.push(format!("{path}: {why}")),
        }
    }
    unknown.extend(volume.sources.iter().map(|what| format!("...: {what}")));
    (payload, unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json;
    use crate::codec::schema::id;
    use serde_json::{json, Value};

    fn pod(volumes: &Value) -> PodBytes {
        let wire = |id, v| json::to_wire(id, &v).unwrap().bytes;
        let metadata = json!({"name": "web", "namespace": "shop", "labels": {"app": "x"}});
        PodBytes::from_sections(
            &wire(id::OBJECT_META, metadata),
            &wire(id::POD_SPEC, json!({"volumes": volumes})),
            b"",
            b"",
        )
    }

    fn of(name: Option<&str>) -> Result<Vec<(String, Volume)>, Failure> {
        let labels = json!({"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}, "mode": 256});
        let name_item = json!({"path": "a/name", "fieldRef": {"fieldPath": "metadata.name"}});
        let wanted = Wanted { allocatable: ResourceList::new(), name: name.map(str::to_string) };
        wanted.of(&pod(&json!([
            {"name": "data", "emptyDir": {}},
            {"name": "podinfo", "downwardAPI": {"items": [labels, name_item]}},
            {"name": "all", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}, {"secret": {"name": "db"}}]}},
        ])))
    }

    #[test]
    fn all_or_one() {
        let names = |name| of(name).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(None), ["podinfo", "all"]);
        assert_eq!(names(Some("podinfo")), ["podinfo"]);
        let missing = of(Some("none")).unwrap_err();
        assert_eq!((missing.exit, missing.message.contains("It has: podinfo, all.")), (Exit::NotFound, true));
        assert!(of(Some("data")).unwrap_err().message.contains("of the kind emptyDir"));
        let wanted = Wanted { allocatable: ResourceList::new(), name: None };
        assert_eq!(wanted.of(&pod(&json!([]))).unwrap_err().exit, Exit::NotFound);
    }

    #[test]
    fn forms() {
        let volumes = of(None).unwrap();
        assert_eq!(
            listing(&volumes),
            "==> podinfo/a/name (0644) <==\nweb\n\n==> podinfo/labels (0400) <==\napp=\"x\"\n\n\
             ==> all/token (0644): not known here: a service account token, which the API server issues <==\n\n\
             ==> all: more files are not known here: all keys of secret db <==\n"
        );
        assert_eq!(content(&volumes, "labels"), Ok(&b"app=\"x\""[..]));
        assert_eq!(content(&volumes, "token").unwrap_err().exit, Exit::Failure);
        assert!(content(&volumes, "x").unwrap_err().message.ends_with("It has: a/name, labels, token."));
        let (files, unknown) = payload(&volumes[1].1);
        assert!(files.is_empty());
        assert_eq!(
            unknown,
            ["token: a service account token, which the API server issues", "...: all keys of secret db"]
        );
        assert_eq!(payload(&volumes[0].1).0["labels"].mode, 0o400);
    }
}
