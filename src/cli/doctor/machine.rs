//! What the machine itself shows.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::SystemTime;

use super::check::Check;
use super::disk;
use crate::cli::disks::below;
use crate::codec::time::Time;
use crate::config::file;
use crate::config::options::ServeOptions;
use crate::config::settings::{Settings, POD_LOGS_DIR};
use crate::config::values::Endpoint;
use crate::source::discovery::node::{Decided, Node};

/// How a place is known that the configuration names.
const BY_CONFIGURATION: &str = "set in the configuration";

/// Fewer inotify instances for a user than this are soon used up.
const INSTANCES: u64 = 64;

/// Everything that can be seen without a daemon. `root` is `/` but for tests.
pub fn checks(root: &Path) -> Vec<Check> {
    let node = Node::new(root).decide();
    let (config, settings) = configuration();
    let named = settings.as_ref().and_then(|s| s.pod_manifest_path.as_deref());
    let mut checks = vec![user(), config, system(&node), manifests(&node, named)];
    checks.extend(runtime(&node, settings.as_ref().and_then(|s| s.runtime.as_ref())));
    checks.push(logs(&match &settings {
        Some(settings) => below(root, &settings.pod_logs_dir),
        None => below(root, Path::new(POD_LOGS_DIR)),
    }));
    checks.extend(match settings {
        Some(settings) => disk::checks(root, settings.state_dir.as_deref(), &settings.pod_logs_dir),
        None => disk::with_defaults(root),
    });
    checks.extend([cgroups(root), inotify(root), clock()]);
    checks
}

/// Where more could be learnt of pods than the daemon was told to ask.
pub fn unasked(root: &Path, asked: &[&str]) -> Option<Check> {
    let kubeconfig = Node::new(root).decide().kubeconfigs().into_iter().find(|path| path.exists())?;
    (!asked.contains(&"apiserver")).then(|| {
        Check::note(
            "apiserver",
            format!("is not asked, so pods of the API server lack their spec; {} is there", kubeconfig.display()),
            "nodepods serve --kubeconfig auto asks it with the kubelet's credentials",
        )
    })
}

fn user() -> Check {
    // Whose process this is, is whose /proc/self it is.
    match fs::metadata("/proc/self").map(|m| m.uid()) {
        Ok(0) => Check::ok("user", "root"),
        Ok(uid) => Check::note(
            "user",
            format!("uid {uid}; sockets, manifests, logs and the runtime are for root alone"),
            "sudo nodepods doctor sees more; for commands without root see --allow-uid in nodepods(8)",
        ),
        Err(e) => Check::bad("user", format!("/proc cannot be read: {e}"), "mount /proc"),
    }
}

/// The configuration file, and what it comes to where it is right.
fn configuration() -> (Check, Option<Settings>) {
    let mut options = ServeOptions::default();
    let problem = match file::fill(&mut options) {
        Ok(read) => match Settings::resolve(options) {
            Ok(settings) => {
                let seen =
                    read.map_or_else(|| "no configuration file, which is fine".into(), |p| p.display().to_string());
                return (Check::ok("config", seen), Some(settings));
            }
            Err(e) => e.to_string(),
        },
        Err(e) => e.to_string(),
    };
    (Check::bad("config", problem, "correct it; nodepods check-config says whether it will do"), None)
}

fn system(node: &Decided) -> Check {
    Check::ok("system", format!("{}: {}", node.distribution.name, node.why()))
}

/// The manifest directory: the one `named` in the configuration, else the distribution's.
fn manifests(node: &Decided, named: Option<&Path>) -> Check {
    let (path, from) = match (named, node.manifests()) {
        (Some(named), _) => (named.to_path_buf(), BY_CONFIGURATION.to_string()),
        (None, Some(path)) => (path, node.manifests_from()),
        (None, None) => return Check::ok("manifests", "this distribution has no static pod manifests"),
    };
    let place = path.display();
    match fs::read_dir(&path) {
        Ok(files) => {
            let count =
                files.filter_map(Result::ok).filter(|f| !f.file_name().to_string_lossy().starts_with('.')).count();
            Check::ok("manifests", format!("{place} holds {count} file{} ({from})", if count == 1 { "" } else { "s" }))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Check::note(
            "manifests",
            format!("{place} does not exist ({from})"),
            "fine without static pods, and noticed when it is made; another place: --pod-manifest-path",
        ),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => Check::ok("manifests", format!("{place} is a file")),
        Err(e) => Check::bad("manifests", format!("{place}: {e}"), "the daemon has to read it: run as root"),
    }
}

/// The runtime's sockets: the one `named` in the configuration, else those that were found.
fn runtime(node: &Decided, named: Option<&Endpoint>) -> Vec<Check> {
    let sockets = match named {
        Some(Endpoint::None) => return vec![Check::ok("runtime", format!("none is asked ({BY_CONFIGURATION})"))],
        Some(Endpoint::Unix(path)) => return vec![answers(path, BY_CONFIGURATION)],
        None => node.runtime(),
    };
    if sockets.candidates.is_empty() {
        let seen = "no container runtime socket was found";
        let advice = "start containerd or CRI-O, or name its socket with --container-runtime-endpoint; \
                      without a runtime: --container-runtime-endpoint none";
        return vec![match sockets.expected {
            true => Check::bad("runtime", seen, advice),
            false => Check::note("runtime", seen, advice),
        }];
    }
    sockets.candidates.iter().map(|path| answers(path, &node.runtime_from())).collect()
}

/// Whether a runtime takes connections at `path`, which is known `from` somewhere.
fn answers(path: &Path, from: &str) -> Check {
    let place = path.display();
    match UnixStream::connect(path) {
        Ok(_) => Check::ok("runtime", format!("{place} answers ({from})")),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            Check::note("runtime", format!("{place}: {e}"), "only root may ask the runtime: run as root")
        }
        Err(e) => Check::bad("runtime", format!("{place}: {e}"), "is the runtime running? systemctl status containerd"),
    }
}

/// The directory of the logs of all pods.
fn logs(path: &Path) -> Check {
    match fs::read_dir(path) {
        Ok(_) => Check::ok("logs", format!("{} can be read", path.display())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            Check::note("logs", format!("{} does not exist", path.display()), "a kubelet makes it with the first pod")
        }
        Err(e) => Check::note("logs", format!("{}: {e}", path.display()), "nodepods logs needs root"),
    }
}

fn cgroups(root: &Path) -> Check {
    let place = root.join("sys/fs/cgroup");
    if place.join("cgroup.controllers").exists() {
        Check::ok("cgroups", "version 2")
    } else if place.join("memory").exists() || place.join("cpu").exists() {
        Check::ok("cgroups", "version 1")
    } else {
        let seen = format!("nothing is mounted on {}", place.display());
        Check::note("cgroups", seen, "containers need cgroups, and nodepods whois finds pods by them: mount them")
    }
}

fn inotify(root: &Path) -> Check {
    let path = root.join("proc/sys/fs/inotify/max_user_instances");
    let limit = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u64>().ok());
    match limit {
        Some(n) if n < INSTANCES => Check::note(
            "inotify",
            format!("a user may have {n} instances alone"),
            "without one, changed manifests are noticed with the next full read (20s): \
             sysctl fs.inotify.max_user_instances=128",
        ),
        Some(n) => Check::ok("inotify", format!("{n} instances for a user")),
        None => Check::note("inotify", format!("{} cannot be read", path.display()), "mount /proc"),
    }
}

/// A clock that is behind breaks certificates and ages.
fn clock() -> Check {
    let now = Time::from_unix(crate::cli::clock::now());
    let installed = fs::metadata("/proc/self/exe").and_then(|m| m.modified());
    if installed.is_ok_and(|installed| installed > SystemTime::now()) {
        return Check::bad(
            "clock",
            format!("it says {now}, and this program was installed later than that"),
            "set it (timedatectl, chronyc makestep): certificates of the API server and ages are wrong otherwise",
        );
    }
    let synchronised = Path::new("/run/systemd/timesync/synchronized").exists();
    Check::ok("clock", format!("{now}{}", if synchronised { ", synchronised" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::check::Verdict;

    #[test]
    fn an_empty_machine_and_one_with_parts() {
        let root = std::env::temp_dir().join(format!("nodepods-doctor-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let of = |checks: &[Check], subject| checks.iter().find(|c| c.subject == subject).map(|c| c.verdict).unwrap();
        let empty = checks(&root);
        for dir in ["etc/kubernetes/manifests", "var/log/pods", "sys/fs/cgroup/memory", "proc/sys/fs/inotify"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        fs::write(root.join("proc/sys/fs/inotify/max_user_instances"), "8\n").unwrap();
        let full = checks(&root);
        fs::remove_dir_all(&root).unwrap();
        for subject in ["manifests", "logs", "cgroups", "inotify", "runtime"] {
            assert_eq!(of(&empty, subject), Verdict::Note, "{subject}");
        }
        for subject in ["manifests", "logs", "cgroups"] {
            assert_eq!(of(&full, subject), Verdict::Ok, "{subject}");
        }
        assert_eq!(of(&full, "inotify"), Verdict::Note);
        assert!(empty.iter().all(|c| c.verdict == Verdict::Ok || !c.advice.is_empty()), "says what to do");
    }

    #[test]
    fn what_the_configuration_names_counts_and_nothing_else() {
        let dir = crate::testdir::TestDir::new();
        let node = Node::new(&dir.path("")).decide();
        let elsewhere = dir.path("elsewhere");
        let verdicts = |named| runtime(&node, named).iter().map(|c| c.verdict).collect::<Vec<_>>();
        assert_eq!(verdicts(None), [Verdict::Note]);
        assert_eq!(verdicts(Some(&Endpoint::None)), [Verdict::Ok]);
        assert_eq!(verdicts(Some(&Endpoint::Unix(elsewhere.clone()))), [Verdict::Bad]);
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("a.yaml"), "").unwrap();
        let check = manifests(&node, Some(&elsewhere));
        assert_eq!(check.verdict, Verdict::Ok);
        assert!(check.seen.contains("elsewhere holds 1 file (set in the configuration)"), "{}", check.seen);
    }
}
