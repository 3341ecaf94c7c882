//! What stands in for TLS in a build without it.

use super::error::HttpError;
use super::socket::Socket;
use super::trust::Trust;

/// Refuses.
pub(super) fn wrap(_socket: Socket, host: &str, _trust: &Trust) -> Result<Socket, HttpError> {
    let problem = format!("this build speaks no https ({host}): it was made without the cargo feature `tls`");
    Err(HttpError::Tls(problem))
}
