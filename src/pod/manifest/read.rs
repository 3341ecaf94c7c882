//! From the bytes of a file or an answer to a manifest and its findings.
//!
//! Source: `kubernetes/kubernetes pkg/kubelet/config/common.go` (tryDecodeSinglePod, tryDecodePodList).

use std::sync::Arc;

use serde_json::Value;

use super::bound::Room;
use super::{Manifest, ManifestFile};
use crate::codec::schema::id;
use crate::codec::{json, yaml};
use crate::pod::finding::{self, Finding, Severity};
use crate::pod::validate::place::Place;
use crate::pod::validate::report::{Problem, Report};
use crate::pod::{defaults, references, validate};

/// Reads a file of the static pod directory: one Pod, as YAML or JSON. Where the kubelet would refuse it, there is no
/// pod and at least one finding of [`Severity::Error`]; what it accepts with a loss is a warning.
#[must_use]
pub fn read(origin: &str, bytes: &[u8]) -> ManifestFile {
    let document = match parse(origin, bytes) {
        Ok(document) => document,
        Err(finding) => return refused(origin, vec![*finding]),
    };
    let root = Place::new("", &document.value);
    let mut report = Report::default();
    let pod = match kind(&root, &mut report) {
        Some("Pod") => pod(&root, &mut report),
        Some(list @ ("List" | "PodList")) => {
            let message = format!("a {list} is not read from a file; write one Pod in each file");
            report.error(&root.at("kind"), "NotAPod", message);
            None
        }
        Some(other) => {
            let message =
                format!("the static pod directory holds Pods only, and this is a {other:?}; move it elsewhere");
            report.error(&root.at("kind"), "NotAPod", message);
            None
        }
        None => None,
    };
    let mut file = finish(origin, pod, report, &document);
    file.findings.extend(duplicate_keys(origin, &document));
    let asked = named(&root);
    file.findings.iter_mut().for_each(|f| f.pod.clone_from(&asked));
    file.findings.sort_by_key(|f| (f.line, f.column));
    file
}

/// Reads the answer of a manifest URL: one Pod or a PodList, with one entry for each pod. One bad item rejects the
/// whole list: then there is a single entry, without a pod. No entry at all means an empty list.
#[must_use]
pub fn read_list(origin: &str, bytes: &[u8]) -> Vec<ManifestFile> {
    let document = match parse(origin, bytes) {
        Ok(document) => document,
        Err(finding) => return vec![refused(origin, vec![*finding])],
    };
    let root = Place::new("", &document.value);
    let mut report = Report::default();
    let items: Vec<Place<'_>> = match kind(&root, &mut report) {
        Some("Pod") => vec![root],
        Some("PodList") => root.at("items").items().collect(),
        Some(other) => {
            let message = format!("a manifest URL serves a Pod or a PodList, and this is a {other:?}");
            report.error(&root.at("kind"), "NotAPod", message);
            Vec::new()
        }
        None => Vec::new(),
    };
    let mut files = vec![finish(origin, None, report, &document)];
    let mut room = Room::default();
    for item in items {
        let mut report = Report::default();
        let pod = pod(&item, &mut report);
        let mut file = finish(origin, pod, report, &document);
        let asked = named(&item);
        file.findings.iter_mut().for_each(|f| f.pod.clone_from(&asked));
        room.keep(&mut file);
        let refused = file.pod.is_none();
        files.push(file);
        if refused && room.is_over() {
            break; // enough is known to refuse all of it
        }
    }
    let is_good = |file: &ManifestFile| file.findings.iter().all(|f| f.severity < Severity::Error);
    if files.iter().all(is_good) {
        files.remove(0);
        if let Some(first) = files.first_mut() {
            first.findings.extend(duplicate_keys(origin, &document));
        }
        return files;
    }
    let mut whole = refused(origin, files.into_iter().flat_map(|f| f.findings).collect());
    Room::default().keep(&mut whole);
    vec![whole]
}

/// Namespace and name of the pod that is asked for, however wrong the rest may be.
fn named(written: &Place<'_>) -> Option<(String, String)> {
    let metadata = written.at("metadata");
    let (name, namespace) = (metadata.at("name"), metadata.at("namespace"));
    let namespace = if namespace.text().is_empty() { "default" } else { namespace.text() };
    (!name.text().is_empty()).then(|| (namespace.to_owned(), name.text().to_owned()))
}

fn refused(origin: &str, findings: Vec<Finding>) -> ManifestFile {
    ManifestFile { origin: origin.to_owned(), pod: None, stale: false, findings }
}

fn parse(origin: &str, bytes: &[u8]) -> Result<yaml::Document, Box<Finding>> {
    let decoded = yaml::encoding::to_utf8(bytes);
    let bytes = decoded.as_deref().unwrap_or(bytes);
    if let Err(error) = std::str::from_utf8(bytes) {
        let line = bytes.iter().take(error.valid_up_to()).filter(|&&b| b == b'\n').count() + 1;
        let message = "file is not UTF-8 text; save it as UTF-8, or move it elsewhere if it is no manifest";
        let finding = Finding::file_error(origin, "NotUTF8", message.to_owned());
        return Err(Finding { line: u32::try_from(line).unwrap_or(u32::MAX), ..finding }.into());
    }
    yaml::parse(bytes).map_err(|error| {
        let (form, reason) =
            if yaml::begins_with_brace(bytes) { ("JSON", "InvalidJSON") } else { ("YAML", "InvalidYAML") };
        let finding = Finding::file_error(origin, reason, format!("not valid {form}: {}", error.problem));
        Finding { line: error.line, column: error.column, ..finding }.into()
    })
}

/// The kind of the document, if it is an object of version v1.
fn kind<'a>(root: &Place<'a>, out: &mut Report) -> Option<&'a str> {
    if !root.value().is_object() {
        let message = if root.present() {
            "this is no manifest; write a map with apiVersion, kind, metadata and spec"
        } else {
            "there is nothing in it; write a Pod, or remove it"
        };
        out.error(root, "NotAPod", message.to_owned());
        return None;
    }
    let (kind, version) = (root.at("kind"), root.at("apiVersion"));
    if kind.text().is_empty() {
        out.error(&kind, "NotAPod", "Object 'Kind' is missing; write `kind: Pod`".to_owned());
        return None;
    }
    match version.text() {
        "v1" => return Some(kind.text()),
        "" => out.error(&version, "WrongVersion", "Object 'apiVersion' is missing; write `apiVersion: v1`".to_owned()),
        other => {
            let what = format!("no kind {} is registered for version {other:?}", kind.quoted());
            let message = match kind.text() {
                "Pod" => format!("{what}; write `apiVersion: v1`"),
                _ => format!("{what}; only a Pod is run from a manifest: write the pod itself, with `apiVersion: v1` and `kind: Pod`"),
            };
            out.error(&version, "WrongVersion", message);
        }
    }
    None
}

/// Types, references, defaults, validation, encoding, in this order. `written` is the pod as it stands in the
/// document.
fn pod(written: &Place<'_>, out: &mut Report) -> Option<Manifest> {
    match json::to_wire(id::POD, written.value()) {
        Ok(encoded) => {
            for path in encoded.unknown {
                let message = "unknown field; the kubelet ignores it: correct its name or remove it";
                out.warning(&join(written.path(), &path), "UnknownField", message.to_owned());
            }
        }
        Err(error) => {
            let place = Place::new(&join(written.path(), &error.path), &Value::Null);
            out.error(&place, "WrongType", error.problem);
            return None;
        }
    }
    references::check(written, out);
    let mut pod = written.value().clone();
    defaults::apply(&mut pod);
    let defaulted = Place::new(written.path(), &pod);
    validate::check(&defaulted, out);
    let metadata = defaulted.at("metadata");
    let text = |name: &str| Some(metadata.at(name).text()).filter(|t| !t.is_empty()).map(str::to_owned);
    let namespace = text("namespace").unwrap_or_else(|| "default".to_owned());
    let encode = |message, place: Place<'_>| {
        let mut bytes = json::to_wire(message, place.value())?.bytes;
        bytes.shrink_to_fit(); // kept for as long as the pod is; growing left up to twice its size
        Ok::<_, json::JsonError>(bytes)
    };
    let mut named = metadata.value().clone();
    if let Some(object) = named.as_object_mut() {
        object.insert("namespace".to_owned(), Value::String(namespace.clone()));
    }
    Some(Manifest {
        name: text("name")?,
        namespace,
        uid: text("uid"),
        metadata: encode(id::OBJECT_META, Place::new("metadata", &named)).ok()?,
        spec: encode(id::POD_SPEC, defaulted.at("spec")).ok()?,
    })
}

fn join(prefix: &str, path: &str) -> String {
    match (prefix, path) {
        ("", path) | (path, "") => path.to_owned(),
        (prefix, path) => format!("{prefix}.{path}"),
    }
}

fn finish(origin: &str, pod: Option<Manifest>, report: Report, document: &yaml::Document) -> ManifestFile {
    let mut findings: Vec<Finding> =
        report.into_problems().into_iter().map(|problem| placed(origin, problem, document)).collect();
    findings.sort_by_key(|f| (f.line, f.column));
    let refused = findings.iter().any(|f| f.severity == Severity::Error);
    ManifestFile { origin: origin.to_owned(), pod: pod.filter(|_| !refused).map(Arc::new), stale: false, findings }
}

/// The problem with its place: that of the field, or of the nearest one around it that is in the document.
fn placed(origin: &str, problem: Problem, document: &yaml::Document) -> Finding {
    let Problem { field, severity, reason, message } = problem;
    let yaml::Mark { line, column } = document.marks.locate(&field).unwrap_or_default();
    let field = finding::short(field);
    Finding { file: origin.to_owned(), pod: None, line, column, field, severity, reason, message }
}

/// Keys that stand twice.
fn duplicate_keys<'a>(origin: &'a str, document: &'a yaml::Document) -> impl Iterator<Item = Finding> + use<'a> {
    document.duplicates.iter().map(|duplicate| Finding {
        file: origin.to_owned(),
        pod: None,
        line: duplicate.mark.line,
        column: duplicate.mark.column,
        field: finding::short(duplicate.path.clone()),
        severity: Severity::Warning,
        reason: "DuplicateKey",
        message: "this key stands here twice and the last one counts; remove one of them".to_owned(),
    })
}
