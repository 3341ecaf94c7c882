//! `nodepods lint` as people and workflows call it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::daemon::Scratch;

const GOOD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: a\n    image: i:1\n";
const MISTYPED: &str =
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: typo\nspec:\n  hostNetwrok: true\n  containers:\n  - name: a\n    image: i:1\n";
const SECRET: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: db\nspec:\n  containers:\n  - name: a\n    image: i:1\n    envFrom:\n    - secretRef:\n        name: s\n";

/// Exit code, standard output, standard error. The node is called n1.
fn lint(words: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nodepods"));
    command.args(["lint", "--hostname-override", "n1"]).args(words);
    // no daemon: a socket that cannot be must not matter
    command.env("NODEPODS_SOCKET", "/nonexistent/pods.sock");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn put(scratch: &Scratch, name: &str, text: &str) -> PathBuf {
    let path = scratch.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn exit_codes_for_workflows() {
    let good = "<stdin>: good: becomes pod default/web-n1\n1 file: 1 good, 0 refused; 0 warnings\n";
    assert_eq!(lint(&["-"], GOOD), (0, good.into(), String::new()));
    assert_eq!(lint(&["-"], MISTYPED).0, 0, "a kubelet takes it");
    assert_eq!(lint(&["--strict", "-"], MISTYPED).0, 1);
    let (code, out, err) = lint(&["-"], SECRET);
    assert_eq!((code, err.as_str()), (1, ""));
    let line = out.lines().next().unwrap();
    assert!(
        line.starts_with("<stdin>:11:9: error: spec.containers[0].envFrom[0].secretRef.name: static pods"),
        "{out}"
    );
    assert_eq!(lint(&["/nonexistent.yaml"], "").0, 1);
    let (code, out, err) = lint(&[], "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("name manifests"), "{err}");
    assert_eq!(lint(&["-o", "xml", "-"], GOOD).0, 2);
    assert_eq!(lint(&["--stict", "-"], GOOD).0, 2);
}

#[test]
fn a_directory_is_read_as_a_kubelet_reads_it() {
    let scratch = Scratch::new();
    put(&scratch, "1.yaml", GOOD);
    put(&scratch, "2.yaml", GOOD);
    put(&scratch, "3.yaml.bak", SECRET);
    put(&scratch, ".hidden", SECRET);
    std::fs::create_dir(scratch.path().join("sub")).unwrap();
    let (code, out, _) = lint(&["-o", "json", word(scratch.path())], "");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 1);
    let files: Vec<_> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            let reasons: Vec<_> =
                f["findings"].as_array().unwrap().iter().map(|f| f["reason"].as_str().unwrap()).collect();
            (
                f["file"].as_str().unwrap().rsplit('/').next().unwrap(),
                f["accepted"].as_bool().unwrap(),
                reasons.join(" "),
            )
        })
        .collect();
    let want = [
        ("1.yaml", false, "DuplicatePod".to_owned()), // the other one wins
        ("2.yaml", true, "DuplicatePod".to_owned()),
        ("3.yaml.bak", false, "Leftover SecretReference".to_owned()),
    ];
    assert_eq!(files, want);
    assert_eq!(report["passedOver"].as_array().unwrap().len(), 2, "{out}");
    let finding = &report["files"][2]["findings"][1];
    assert_eq!((&finding["line"], &finding["column"]), (&11.into(), &9.into()));
    assert_eq!(finding["hint"], "write the value into the manifest, or keep it in a file on the node and mount that");
}

#[test]
fn annotations_of_a_workflow() {
    let (_, out, _) = lint(&["-o", "github", "-"], MISTYPED);
    let want = "::warning file=<stdin>,line=6,col=3,title=UnknownField::spec.hostNetwrok: unknown field; the kubelet \
                ignores it: correct its name or remove it (did you mean hostNetwork?)\n";
    assert_eq!(out, want);
    let scratch = Scratch::new();
    let odd = put(&scratch, "a,b%.yaml", SECRET);
    assert!(lint(&["-o", "github", word(&odd)], "").1.contains("/a%2Cb%25.yaml,line=11,col=9,title=SecretReference::"));
}

#[test]
fn the_pod_as_it_would_be() {
    let (code, out, err) = lint(&["-o", "yaml", "-"], GOOD);
    assert_eq!(code, 0);
    for line in ["  name: web-n1", "  namespace: default", "  nodeName: n1", "    imagePullPolicy: IfNotPresent"] {
        assert!(out.lines().any(|l| l == line), "{line} is missing:\n{out}");
    }
    assert!(!out.contains("uid"), "only a kubelet knows it:\n{out}");
    assert!(err.ends_with("1 file: 1 good, 0 refused; 0 warnings\n"), "{err}");
    // it is a manifest again
    assert_eq!(lint(&["--strict", "-"], &out).0, 0);
    assert_eq!(lint(&["-o", "yaml", "-"], SECRET).1, "");
}

#[test]
fn what_a_file_says_does_not_reach_the_terminal_raw() {
    let (_, out, _) = lint(&["-"], &GOOD.replace("name: web", "name: \"\\e[31mweb\""));
    assert!(out.contains("error") && !out.contains('\u{1b}'), "{out:?}");
}
