//! Each measure bites: a process that has given up what the daemon gives up is refused what it then tries.
//!
//! The measures hold for good, so each trial runs in a process of its own: this test program again, with one trial.

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};

use nodepods::harden::places::Places;
use nodepods::harden::switches::{Landlock, Seccomp, Switches};
use nodepods::harden::{confine, renounce};

/// Names the trial to the process that runs it.
const TRIAL: &str = "NODEPODS_TEST_TRIAL";

fn only(seccomp: Seccomp, landlock: Landlock) -> Switches {
    Switches { seccomp, landlock, ..Switches::default() }
}

fn places() -> Places {
    Places { read: vec!["/etc".into()], ..Places::default() }
}

/// Runs the trial of this name in a process of its own.
fn trial(name: &str) -> ExitStatus {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hardening::the_trial", "--nocapture"])
        .env(TRIAL, name)
        .status()
        .unwrap()
}

/// Not a test by itself: what the processes of the others run.
#[test]
fn the_trial() {
    let Ok(name) = std::env::var(TRIAL) else { return };
    let with_seccomp = || confine(&only(Seccomp::Enforce, Landlock::Off), &places()).unwrap();
    let with_landlock = || confine(&only(Seccomp::Off, Landlock::Auto), &places()).unwrap();
    match name.as_str() {
        "exec kills" => {
            with_seccomp();
            panic!("{}", Command::new("/bin/true").exec());
        }
        "no processes" => {
            with_seccomp();
            let refused = Command::new("/bin/true").status().unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
        }
        "no seccomp" => {
            confine(&only(Seccomp::Off, Landlock::Off), &places()).unwrap();
            assert!(Command::new("/bin/true").status().unwrap().success());
        }
        "files" => {
            let report = with_landlock();
            if report.contains("not confined") {
                return println!("skipped: this kernel has no Landlock");
            }
            fs::read_dir("/etc").unwrap();
            assert_eq!(fs::read_dir("/usr").unwrap_err().kind(), ErrorKind::PermissionDenied);
            assert_eq!(fs::write("/etc/nodepods-test", "").unwrap_err().kind(), ErrorKind::PermissionDenied);
        }
        "tcp" => {
            let open = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = open.local_addr().unwrap();
            if !with_landlock().starts_with("files confined by Landlock") {
                return println!("skipped: this kernel's Landlock knows no networks");
            }
            assert_eq!(TcpListener::bind("127.0.0.1:0").unwrap_err().kind(), ErrorKind::PermissionDenied);
            assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::PermissionDenied);
        }
        "privileges" => {
            renounce(&Switches::default(), false).unwrap();
            let status = fs::read_to_string("/proc/thread-self/status").unwrap();
            let value = |key: &str| status.lines().find_map(|l| l.strip_prefix(key)).unwrap().trim().to_string();
            assert_eq!(value("NoNewPrivs:"), "1");
            // Nothing but CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, and those only where they were there.
            let effective = u64::from_str_radix(&value("CapEff:"), 16).unwrap();
            assert_eq!(effective & !0b110, 0, "{effective:x}");
            let limits = fs::read_to_string("/proc/thread-self/limits").unwrap();
            let core = limits.lines().find(|l| l.starts_with("Max core file size")).unwrap();
            assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
        }
        other => panic!("no trial {other}"),
    }
}

#[test]
fn running_a_program_kills() {
    assert_eq!(trial("exec kills").signal(), Some(31), "SIGSYS");
}

#[test]
fn what_is_not_on_the_list_fails() {
    assert!(trial("no processes").success());
    assert!(trial("no seccomp").success(), "the same without the filter");
}

#[test]
fn files_elsewhere_cannot_be_opened() {
    assert!(trial("files").success());
}

#[test]
fn tcp_is_shut() {
    assert!(trial("tcp").success());
}

#[test]
fn privileges_are_gone() {
    assert!(trial("privileges").success());
}
