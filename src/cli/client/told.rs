//! What a server says beside its answers, and in place of one.

use std::path::Path;

use grpcio::RpcStatusCode;

use super::PATIENCE;
use crate::cli::exit::{Exit, Failure};
use crate::cli::socket::not_allowed;

/// What a line of the initial metadata means for a reader.
pub fn warning(key: &str, value: &str) -> Option<String> {
    match key {
        "x-nodepods-incomplete" => Some(format!("pods may be missing: {value} has not answered")),
        "x-nodepods-stale" => {
            let (source, since) = value.split_once(" since=").unwrap_or((value, "an unknown time"));
            Some(format!("pods may be out of date: {source} has not answered since {since}"))
        }
        _ => None,
    }
}

/// gRPC status codes as exit codes, with what to do next.
pub fn refused(socket: &Path, service: &str, code: RpcStatusCode, message: &str) -> Failure {
    let at = socket.display();
    let (exit, text) = match code {
        RpcStatusCode::FAILED_PRECONDITION => (
            Exit::Unavailable,
            format!("error: the daemon does not know this node yet: {message}\nTry again in a moment; its log says what it waits for."),
        ),
        RpcStatusCode::UNAVAILABLE if message.contains("http1.x server") => (
            Exit::Failure,
            format!(
                "error: {at} is a socket for HTTP\nCommands ask another one of the daemon: name it with --socket. This one \
                 is for curl --unix-socket, kubectl and --http-socket."
            ),
        ),
        RpcStatusCode::UNAVAILABLE => (
            Exit::Unavailable,
            format!("error: the daemon behind {at} went away: {message}\nIs it being restarted? 'systemctl status nodepods' says."),
        ),
        RpcStatusCode::DEADLINE_EXCEEDED => (
            Exit::Unavailable,
            format!(
                "error: no answer from {at} within {} s\nIs the machine out of memory or time? The daemon's log says \
                 more: journalctl -u nodepods",
                PATIENCE.as_secs()
            ),
        ),
        RpcStatusCode::PERMISSION_DENIED | RpcStatusCode::UNAUTHENTICATED => return not_allowed(socket, message),
        RpcStatusCode::INVALID_ARGUMENT => (Exit::Usage, format!("error: {message}")),
        RpcStatusCode::NOT_FOUND => (Exit::NotFound, format!("Error from server (NotFound): {message}")),
        RpcStatusCode::UNIMPLEMENTED => {
            (Exit::Failure, format!(
                "error: what answers on {at} does not serve {service}: {message}\nName the socket of a nodepods daemon with --socket."
            ))
        }
        RpcStatusCode::RESOURCE_EXHAUSTED => {
            (Exit::Unavailable, format!("error: the daemon is too busy: {message}\nTry again in a moment."))
        }
        code => (
            Exit::Internal,
            format!("error: {at} answered {code}: {message}\nThe daemon's log says more: journalctl -u nodepods"),
        ),
    };
    Failure::new(exit, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_become_exit_codes() {
        let table = [
            (RpcStatusCode::FAILED_PRECONDITION, 69),
            (RpcStatusCode::UNAVAILABLE, 69),
            (RpcStatusCode::DEADLINE_EXCEEDED, 69),
            (RpcStatusCode::PERMISSION_DENIED, 77),
            (RpcStatusCode::UNAUTHENTICATED, 77),
            (RpcStatusCode::NOT_FOUND, 3),
            (RpcStatusCode::INVALID_ARGUMENT, 2),
            (RpcStatusCode::UNIMPLEMENTED, 1),
            (RpcStatusCode::RESOURCE_EXHAUSTED, 69),
            (RpcStatusCode::INTERNAL, 70),
        ];
        for (code, exit) in table {
            let failure = refused(Path::new("/run/x.sock"), "v1.PodService", code, "why");
            assert_eq!(failure.exit as u8, exit, "{code}");
            assert!(code == RpcStatusCode::DEADLINE_EXCEEDED || failure.message.contains("why"), "{failure}");
        }
    }

    #[test]
    fn only_our_own_metadata_warns() {
        assert_eq!(warning("x-nodepods-incomplete", "cri").unwrap(), "pods may be missing: cri has not answered");
        let stale = warning("x-nodepods-stale", "cri since=2026-01-02T03:04:05Z").unwrap();
        assert_eq!(stale, "pods may be out of date: cri has not answered since 2026-01-02T03:04:05Z");
        assert_eq!(warning("date", "today"), None);
    }
}
