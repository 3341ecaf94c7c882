//! What the node's own configuration says: YAML keys of a distribution or kubelet, and kubelet flags in files.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::codec::yaml;

/// The string at top-level `key` of the first of `files` that has it, with that file. A directory stands for its
/// `*.yaml` files; of those the last one by name wins, as for k3s.
pub fn yaml_key(files: &[PathBuf], key: &str) -> Option<(String, PathBuf)> {
    let found = |path: PathBuf| {
        let text = fs::read(&path).ok()?;
        let value = yaml::parse_config(&text).ok()?.value.get(key)?.as_str()?.to_string();
        Some((value, path)).filter(|(v, _)| !v.is_empty())
    };
    let (dirs, plain): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(|f| f.is_dir());
    let dropped_in = dirs.into_iter().flat_map(|d| drop_ins(d)).rev().find_map(found);
    dropped_in.or_else(|| plain.into_iter().cloned().find_map(found))
}

/// The value of kubelet argument `name` in the list `kubelet-arg` of these files.
pub fn kubelet_arg(files: &[PathBuf], name: &str) -> Option<(String, PathBuf)> {
    let all = files.iter().flat_map(|f| if f.is_dir() { drop_ins(f) } else { vec![f.clone()] });
    let mut values = all.filter_map(|path| {
        let document = yaml::parse_config(&fs::read(&path).ok()?).ok()?;
        let args = match document.value.get("kubelet-arg")? {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        let of = |arg: &Value| {
            let (key, value) = arg.as_str()?.trim_start_matches('-').split_once('=')?;
            (key == name).then(|| value.to_string())
        };
        args.iter().rev().find_map(of).map(|value| (value, path))
    });
    values.next_back()
}

/// The value of flag `--name` (`--name=value` or `--name value`) in files of flags or environment files.
pub fn flag(files: &[PathBuf], name: &str) -> Option<(String, PathBuf)> {
    files.iter().find_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        let lines = text.lines().filter(|l| !l.trim_start().starts_with('#'));
        let words: Vec<&str> = lines.flat_map(|l| l.split([' ', '\t', '"', '\''])).filter(|w| !w.is_empty()).collect();
        let value = words.iter().enumerate().rev().find_map(|(i, word)| {
            // `KUBELET_EXTRA_ARGS=--name=value` without quotes.
            let word = word.find("--").and_then(|at| word.get(at + 2..))?;
            match word.strip_prefix(name)? {
                "" => words.get(i + 1).copied(),
                rest => rest.strip_prefix('='),
            }
        })?;
        Some((value.to_string(), path.clone()))
    })
}

/// The value of an environment variable in environment files.
pub fn variable(files: &[PathBuf], name: &str) -> Option<(String, PathBuf)> {
    files.iter().find_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        let value = text.lines().rev().find_map(|l| l.trim().strip_prefix(name)?.strip_prefix('='))?;
        let value = value.trim_matches(['"', '\'']).to_string();
        (!value.is_empty()).then(|| (value, path.clone()))
    })
}

fn drop_ins(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.filter_map(|e| Some(e.ok()?.path()));
    let mut paths: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == "yaml")).collect();
    paths.sort_unstable();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdir::TestDir;

    #[test]
    fn flags_in_all_their_spellings() {
        let cases = [
            ("--hostname-override=n1\n--v=2\n", Some("n1")),
            ("--hostname-override n1", Some("n1")),
            ("KUBELET_KUBEADM_ARGS=\"--v=2 --hostname-override=n1\"", Some("n1")),
            ("KUBELET_EXTRA_ARGS=--hostname-override=n1", Some("n1")),
            ("# --hostname-override=old\n", None),
            ("--hostname-override-not=n2", None),
            ("--hostname-override", None),
        ];
        for (text, want) in cases {
            let t = TestDir::new();
            fs::write(t.path("f"), text).unwrap();
            let got = flag(&[t.path("missing"), t.path("f")], "hostname-override").map(|(v, _)| v);
            assert_eq!(got.as_deref(), want, "{text}");
        }
    }

    #[test]
    fn drop_ins_win_and_broken_files_say_nothing() {
        let t = TestDir::new();
        fs::create_dir(t.path("d")).unwrap();
        fs::write(t.path("c.yaml"), "node-name: base\nkubelet-arg:\n- hostname-override=arg\n- v=3\n").unwrap();
        let files = [t.path("c.yaml"), t.path("d")];
        assert_eq!(yaml_key(&files, "node-name").unwrap().0, "base");
        assert_eq!(kubelet_arg(&files, "hostname-override").unwrap().0, "arg");
        fs::write(t.path("d/1.yaml"), "node-name: one").unwrap();
        fs::write(t.path("d/2.yaml"), "node-name: two").unwrap();
        fs::write(t.path("d/3.yaml"), "node-name: [").unwrap();
        fs::write(t.path("d/4.yml"), "node-name: no").unwrap();
        assert_eq!(yaml_key(&files, "node-name").unwrap().0, "two");
        fs::write(t.path("e"), "A=1\nK3S_NODE_NAME='n9'\n").unwrap();
        assert_eq!(variable(&[t.path("e")], "K3S_NODE_NAME").unwrap().0, "n9");
    }
}
