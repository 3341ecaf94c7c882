//! What a kubelet takes without a word and a person would want to know.

use std::path::Path;

use crate::pod::finding::{Finding, Severity};
use crate::pod::manifest::Manifest;
use crate::pod::names::dns_subdomain;
use crate::pod::static_pod::pod_name;

/// Ends of names that editors and package managers give to what they put aside.
const PUT_ASIDE: [&str; 13] = [
    "~",
    ".bak",
    ".backup",
    ".old",
    ".orig",
    ".save",
    ".swp",
    ".tmp",
    ".rej",
    ".rpmsave",
    ".rpmnew",
    ".dpkg-old",
    ".dpkg-new",
];

/// Other names that lie beside manifests and are read as such.
const NO_MANIFESTS: [&str; 2] = ["README", "4913"];

fn warning(origin: &str, reason: &'static str, message: String) -> Finding {
    Finding { severity: Severity::Warning, ..Finding::file_error(origin, reason, message) }
}

/// A name that says that nobody means this file to be a manifest: a kubelet reads every name without a leading dot
/// (`kubernetes/kubernetes pkg/kubelet/config/file.go`, extractFromDir).
pub fn about_name(origin: &str, path: &Path) -> Option<Finding> {
    let name = path.file_name()?.to_str()?;
    let meant = !PUT_ASIDE.iter().any(|end| name.ends_with(end)) && !NO_MANIFESTS.iter().any(|n| name.starts_with(n));
    let message =
        "a kubelet reads every file of its directory whatever the suffix, this one too; move it elsewhere, or \
                   begin its name with a dot";
    (!meant).then(|| warning(origin, "Leftover", message.to_owned()))
}

/// A second document, which a kubelet does not read.
pub fn about_text(origin: &str, bytes: &[u8]) -> Option<Finding> {
    let text = std::str::from_utf8(bytes).ok().filter(|t| !t.trim_start().starts_with('{'))?;
    let mut begun = false;
    let mut separator = None;
    for (i, line) in text.lines().enumerate() {
        let content = line.split_once(" #").map_or(line, |(before, _)| before).trim_end();
        if content == "---" || content.starts_with("--- ") {
            // the one before the first document separates nothing
            if begun && separator.is_none() {
                separator = Some(i + 1);
            }
        } else if !content.is_empty() && !content.starts_with('#') && content != "..." {
            if let Some(line) = separator {
                let message = "only the first document of a file is read; write one Pod in each file";
                let finding = warning(origin, "SecondDocument", message.to_owned());
                return Some(Finding { line: u32::try_from(line).unwrap_or(0), column: 1, ..finding });
            }
            begun |= !content.starts_with('%');
        }
    }
    None
}

/// A pod whose name is good in the manifest and not with the node's, which a kubelet adds before it validates
/// (`kubernetes/kubernetes pkg/kubelet/config/common.go`, tryDecodeSinglePod).
pub fn about_pod(origin: &str, pod: &Manifest, node: &str) -> Option<Finding> {
    let name = pod_name(&pod.name, node);
    let problem = Some(dns_subdomain(&name).join("; ")).filter(|p| !p.is_empty() && !node.is_empty())?;
    let message = format!("with the node's name the pod is called {name:?}: {problem}");
    Some(Finding { field: "metadata.name".to_owned(), ..Finding::file_error(origin, "InvalidName", message) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_means() {
        let said = |name: &str| about_name(name, Path::new(name)).is_some();
        for name in ["/m/web.yaml~", "/m/web.yaml.bak", "/m/README.md", "/m/4913", "/m/web.yaml.dpkg-old"] {
            assert!(said(name), "{name}");
        }
        for name in ["/m/web.yaml", "/m/web.json", "/m/web", "/m/web.manifest"] {
            assert!(!said(name), "{name}");
        }
    }

    #[test]
    fn documents_beyond_the_first() {
        let line = |text: &str| about_text("f", text.as_bytes()).map(|f| f.line);
        let table = [
            ("a: 1\n", None),
            ("---\na: 1\n", None),
            ("# c\n--- # d\na: 1\n", None),
            ("%YAML 1.1\n---\na: 1\n", None),
            ("a: 1\n---\n", None),
            ("a: 1\n---\n# nothing\n...\n", None),
            ("a: 1\n---\nb: 2\n", Some(2)),
            ("a: 1\n---\n---\nb: 2\n---\nc: 3\n", Some(2)),
            ("---\na: |\n  x\n--- # again\nb: 2\n", Some(4)),
            ("{\"a\":\n1}\n---\nb: 2\n", None),
        ];
        for (text, want) in table {
            assert_eq!(line(text), want, "{text:?}");
        }
    }
}
