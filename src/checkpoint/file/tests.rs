use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use super::*;
use crate::codec::pod_bytes::PodBytes;
use crate::store::checkpoint::CheckpointError;
use crate::testdir::TestDir;

fn checkpoint(revision: u64) -> Checkpoint {
    // Big enough for a write to take a while, different in every byte.
    let status = vec![revision as u8; 4096];
    let pods = (0..64).map(|_| PodBytes::from_sections(&[], &[], &status, &[])).collect();
    Checkpoint { revision, pods, ..Checkpoint::default() }
}

fn save(file: &CheckpointFile, revision: u64) -> Result<(), FileError> {
    file.save(&checkpoint(revision).encode().bytes)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn saved_and_loaded_again() {
    let dir = TestDir::new();
    let file = CheckpointFile::in_dir(&dir.path(""));
    assert!(file.load().unwrap().is_none());
    fs::write(file.draft(), "of a writer that was killed").unwrap();
    for revision in [1, 2] {
        save(&file, revision).unwrap();
        assert_eq!(file.load().unwrap(), Some(checkpoint(revision)));
    }
    assert_eq!(mode(&file.path()), 0o600);
    assert!(!file.draft().exists());
}

#[test]
fn what_cannot_be_understood_is_put_aside() {
    let dir = TestDir::new();
    let file = CheckpointFile::in_dir(&dir.path(""));
    save(&file, 1).unwrap();
    let mut bytes = fs::read(file.path()).unwrap();
    bytes[100] ^= 1;
    save(&file, 1).unwrap();
    fs::write(file.path(), &bytes).unwrap();
    let error = file.load().unwrap_err();
    assert!(matches!(error, FileError::Content { source: CheckpointError::Checksum, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("checkpoint: not used: its checksum is wrong"), "{text}");
    assert!(text.ends_with("checkpoint.bad"), "{text}");
    assert_eq!(fs::read(dir.path("checkpoint.bad")).unwrap(), bytes);
    assert!(file.load().unwrap().is_none());
}

#[test]
fn only_our_own_file_is_trusted() {
    let dir = TestDir::new();
    let file = CheckpointFile::in_dir(&dir.path(""));
    save(&file, 1).unwrap();
    fs::set_permissions(file.path(), Permissions::from_mode(0o644)).unwrap();
    assert!(file.load().unwrap().is_some());
    assert_eq!(mode(&file.path()), 0o600);
    fs::set_permissions(file.path(), Permissions::from_mode(0o620)).unwrap();
    let text = file.load().unwrap_err().to_string();
    assert!(text.contains("its mode 0620 lets others write it"), "{text}");
    fs::rename(file.path(), dir.path("other")).unwrap();
    symlink(dir.path("other"), file.path()).unwrap();
    let text = file.load().unwrap_err().to_string();
    assert!(text.contains("it is a symbolic link; remove it"), "{text}");
    fs::remove_file(file.path()).unwrap();
    fs::create_dir(file.path()).unwrap();
    assert!(matches!(file.load(), Err(FileError::Untrusted { .. })));
    // A file of zeros and no size on disk.
    fs::remove_dir(file.path()).unwrap();
    let sparse = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file.path()).unwrap();
    sparse.set_len(MAX_BYTES as u64 + 1).unwrap();
    let text = file.load().unwrap_err().to_string();
    assert!(text.ends_with("it is larger than 16 MiB; remove it"), "{text}");
}

#[test]
fn a_failed_save_leaves_the_old_one() {
    let dir = TestDir::new();
    let file = CheckpointFile::in_dir(&dir.path("gone"));
    let error = save(&file, 1).unwrap_err();
    assert!(matches!(error, FileError::Write { step: "create", .. }), "{error}");
    let file = CheckpointFile::in_dir(&dir.path(""));
    save(&file, 1).unwrap();
    fs::create_dir_all(file.draft().join("in the way")).unwrap();
    assert!(matches!(save(&file, 2), Err(FileError::Write { step: "create", .. })));
    assert_eq!(file.load().unwrap(), Some(checkpoint(1)));
}

#[test]
fn write_errors_say_what_to_do() {
    let text = |errno| {
        let source = io::Error::from_raw_os_error(errno);
        FileError::Write { path: "/var/lib/nodepods/checkpoint".into(), step: "write", source }.to_string()
    };
    assert!(text(libc::ENOSPC).starts_with("/var/lib/nodepods/checkpoint: cannot write it: No space left on device"));
    assert!(text(libc::ENOSPC).ends_with("free some space there, or name another --state-dir, or none"));
    assert!(text(libc::EROFS).contains("the file system is read-only"));
    assert!(text(libc::EACCES).contains("make its directory writable"));
}

const CHILD_DIR: &str = "NODEPODS_TEST_CHECKPOINT_DIR";

/// Not a test of its own: what the child process of the next test runs.
#[test]
#[ignore = "runs for ever; started by kill_9_leaves_a_whole_checkpoint"]
fn child_that_saves_for_ever() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let file = CheckpointFile::in_dir(Path::new(&dir));
    let first = file.load().unwrap().map_or(1, |c| c.revision + 1);
    for revision in first.. {
        save(&file, revision).unwrap();
        println!("saved {revision}");
    }
}

#[test]
fn kill_9_leaves_a_whole_checkpoint() {
    let dir = TestDir::new();
    let file = CheckpointFile::in_dir(&dir.path(""));
    for round in 1..=20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "checkpoint::file::tests::child_that_saves_for_ever", "--ignored", "--nocapture"])
            .env(CHILD_DIR, dir.path(""))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let saved = lines.map_while(Result::ok).filter_map(|l| l.rsplit_once("saved ")?.1.parse::<u64>().ok());
        // The kill lands somewhere in the save after this one.
        let told = saved.take(1 + round % 3).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let loaded = file.load().unwrap().expect("a checkpoint was saved before");
        assert!(loaded.revision >= told, "{} was saved, {} is there", told, loaded.revision);
        assert_eq!(loaded, checkpoint(loaded.revision));
    }
    save(&file, 1).unwrap();
    assert!(!file.draft().exists(), "what the killed writers left is cleared away");
}
