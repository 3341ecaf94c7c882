//! Which socket a client talks to.

use std::env;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exit::{Exit, Failure};
use crate::config::file;
use crate::config::settings::{DOCUMENTED_SOCKET, OWN_SOCKET};
use crate::sys::process;

/// Where a kubelet with the PodsAPI gate serves (`kubernetes/kubernetes pkg/kubelet/apis/pods/constants.go`).
pub const KUBELET_SOCKET: &str = "/var/lib/kubelet/pods-api/pods-api.sock";

/// Finds a socket that answers: the one of `--socket`, of `NODEPODS_SOCKET` or of the configuration file; with none
/// of these named, the first of our default sockets and the kubelet's own behind which somebody listens.
///
/// # Errors
/// Nobody listens, or we may not connect.
pub fn find(verb: &str, options: &[PathBuf]) -> Result<PathBuf, Failure> {
    if options.len() > 1 {
        return Err(Failure::usage(verb, "--socket: one daemon is asked at a time"));
    }
    let candidates = match named(options).or_else(file::first_socket) {
        Some(path) => vec![path],
        None => [OWN_SOCKET, DOCUMENTED_SOCKET, KUBELET_SOCKET].map(PathBuf::from).to_vec(),
    };
    first_that_answers(&candidates)
}

/// The socket that whoever types the command named: with `--socket` or `NODEPODS_SOCKET`.
#[must_use]
pub fn named(options: &[PathBuf]) -> Option<PathBuf> {
    let variable = || env::var_os("NODEPODS_SOCKET").filter(|s| !s.is_empty()).map(PathBuf::from);
    options.first().cloned().filter(|path| !path.as_os_str().is_empty()).or_else(variable)
}

fn first_that_answers(candidates: &[PathBuf]) -> Result<PathBuf, Failure> {
    let mut failed: Vec<(&Path, io::Error)> = Vec::new();
    for path in candidates {
        match UnixStream::connect(path) {
            Ok(_) => return Ok(path.clone()),
            Err(e) => failed.push((path, e)),
        }
    }
    let denied = failed.iter().find(|(_, e)| e.kind() == io::ErrorKind::PermissionDenied);
    if let Some((path, e)) = denied {
        return Err(not_allowed(path, &why(path, e)));
    }
    let tried: Vec<_> = failed.iter().map(|(path, e)| format!("  {}: {}", path.display(), why(path, e))).collect();
    Err(Failure::new(
        Exit::Unavailable,
        format!(
            "error: no nodepods daemon answers\n{}\nStart it with 'systemctl start nodepods' or 'nodepods serve', or name \
             its socket with --socket.",
            tried.join("\n")
        ),
    ))
}

/// Why nobody could be reached at `path`, without errno's words.
#[must_use]
pub fn why(path: &Path, e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::NotFound => "there is no such socket".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::ConnectionRefused => match path.metadata().map(|m| m.file_type()) {
            Ok(kind) if kind.is_dir() => "this is a directory".into(),
            Ok(kind) if !kind.is_socket() => "this is no socket".into(),
            _ => "nobody listens there any more".into(),
        },
        _ => e.to_string(),
    }
}

/// Whether the daemon behind `path` closes our connections at once, as it does to users whom it does not admit. The mode
/// of a socket may let more users connect than that.
#[must_use]
pub fn turns_away(path: &Path) -> bool {
    let look = |mut stream: UnixStream| {
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.read(&mut [0])
    };
    process::effective_uid() != 0
        && match UnixStream::connect(path).map(look) {
            Ok(Ok(read)) => read == 0,
            Ok(Err(e)) => e.kind() == io::ErrorKind::ConnectionReset,
            Err(_) => false, // nobody is there
        }
}

/// What [`turns_away`] means.
#[must_use]
pub fn turned_away(path: &Path) -> Failure {
    not_allowed(path, &format!("the daemon does not admit user id {}", process::effective_uid()))
}

/// The socket refuses us.
pub fn not_allowed(path: &Path, why: &str) -> Failure {
    Failure::new(
        Exit::Permission,
        format!(
            "error: no access to {}: {why}\nPods may hold secrets, so the socket is for root alone: try sudo, or let the \
             daemon admit you (--allow-uid or --allow-gid, with --socket-mode 0666).",
            path.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_first_socket_with_a_listener() {
        let dir = env::temp_dir().join(format!("nodepods-find-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (dead, live) = (dir.join("dead.sock"), dir.join("live.sock"));
        drop(UnixListener::bind(&dead).unwrap());
        let _listener = UnixListener::bind(&live).unwrap();
        let found = first_that_answers(&[dir.join("missing"), dead.clone(), live.clone()]);
        let none = first_that_answers(&[dir.join("missing"), dead]).unwrap_err();
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(found, Ok(live));
        assert_eq!(none.exit, Exit::Unavailable);
        assert!(
            none.message.contains("missing: there is no such socket")
                && none.message.contains("systemctl start nodepods")
        );
    }
}
