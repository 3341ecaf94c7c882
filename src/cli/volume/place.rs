//! The directory that a volume is written to: ours, or not touched.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Component, Path};

use crate::cli::exit::{Exit, Failure};
use crate::files::atomic_writer::DATA;
use crate::sys::process;

/// Permission bits of directories in a kubelet's volume.
pub const DIR_MODE: u32 = 0o755;
/// What the directory of a kubelet's own volume has in its path.
const KUBELETS: &str = "kubernetes.io~";

/// Makes `dir` (and `top` above it) if it is not there. One that is there must be empty or a volume of before.
///
/// # Errors
/// It cannot be made, holds something else, or is a kubelet's.
pub fn claim(top: &Path, dir: &Path) -> Result<(), Failure> {
    for dir in [top, dir] {
        let made = DirBuilder::new().mode(DIR_MODE).create(dir);
        match made.and_then(|()| fs::set_permissions(dir, Permissions::from_mode(DIR_MODE))) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(failed(&e, dir)),
            _ => {}
        }
    }
    let real = dir.canonicalize().map_err(|e| failed(&e, dir))?;
    let kubelets = |part: Component<'_>| part.as_os_str().to_str().is_some_and(|name| name.starts_with(KUBELETS));
    if real.components().any(kubelets) {
        return Err(refused(dir, "it is a kubelet's own volume"));
    }
    // Whoever owns the directory could put links in our way.
    if fs::metadata(&real).map_err(|e| failed(&e, dir))?.uid() != process::effective_uid() {
        return Err(refused(dir, "it belongs to another user"));
    }
    let empty = fs::read_dir(&real).map_err(|e| failed(&e, dir))?.next().is_none();
    if !empty && !real.join(DATA).is_symlink() {
        return Err(refused(dir, "it is not empty, and no volume that was written before"));
    }
    Ok(())
}

fn refused(dir: &Path, why: &str) -> Failure {
    Failure::new(Exit::Failure, format!("error: {}: {why}\nName a new or an empty directory with --to.", dir.display()))
}

fn failed(e: &io::Error, dir: &Path) -> Failure {
    failure(&io::Error::new(e.kind(), format!("{}: {e}", dir.display())))
}

/// An error that names its path, as a failure.
pub fn failure(e: &io::Error) -> Failure {
    match e.kind() {
        ErrorKind::PermissionDenied => Failure::new(Exit::Permission, format!("error: {e}\nTry sudo.")),
        _ => Failure::new(Exit::Failure, format!("error: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_empty_or_a_volume() {
        let top = std::env::temp_dir().join(format!("nodepods-place-{}", std::process::id()));
        let _ = fs::remove_dir_all(&top);
        let dir = top.join("podinfo");
        assert_eq!(claim(&top, &dir), Ok(()));
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(claim(&top, &dir), Ok(()));
        fs::write(dir.join("letter"), "dear").unwrap();
        assert!(claim(&top, &dir).unwrap_err().message.contains("not empty"));
        std::os::unix::fs::symlink("..x", dir.join(DATA)).unwrap();
        assert_eq!(claim(&top, &dir), Ok(()));
        let kubelets = top.join("kubernetes.io~downward-api");
        assert!(claim(&kubelets, &kubelets.join("v")).unwrap_err().message.contains("a kubelet's own volume"));
        assert!(claim(&dir.join("letter"), &dir.join("letter")).is_err());
        fs::remove_dir_all(&top).unwrap();
    }
}
