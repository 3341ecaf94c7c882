//! Which socket for HTTP the daemon has.

use std::env;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exit::{Exit, Failure};
use super::socket;
use crate::config::file;
use crate::config::settings::HTTP_SOCKET;
use crate::source::http::error::HttpError;
use crate::source::http::local;

/// How long the daemon may take to say that it lives.
const PATIENCE: Duration = Duration::from_secs(5);
/// The name of the socket for HTTP where nobody gave it another one.
const NAME: &str = "http.sock";

/// The socket that is named, by option or by `NODEPODS_HTTP_SOCKET`; else the one beside the socket that is `asked`
/// because of its name; else the one of the configuration file, or the default one. Somebody must listen there and
/// speak HTTP: who takes a socket for gRPC for this one would wait for kubectl's patience to end.
///
/// # Errors
/// Nobody does, or we may not connect.
pub fn find(named: Option<&Path>, asked: &[PathBuf]) -> Result<PathBuf, Failure> {
    let path = place(named, asked);
    match UnixStream::connect(&path) {
        Ok(_) => match local::get(&path, ("/livez", ""), "*/*", Some(PATIENCE)) {
            Err(HttpError::Broken(_) | HttpError::Malformed(_)) if socket::turns_away(&path) => {
                Err(socket::turned_away(&path))
            }
            Err(HttpError::Broken(_) | HttpError::Malformed(_)) => Err(Failure::new(
                Exit::Unavailable,
                format!(
                    "error: what answers on {} does not speak HTTP\nName the daemon's socket for HTTP with --http-socket \
                     or NODEPODS_HTTP_SOCKET; it has another one for gRPC.",
                    path.display()
                ),
            )),
            _ => Ok(path),
        },
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            Err(socket::not_allowed(&path, &socket::why(&path, &e)))
        }
        Err(e) => Err(Failure::new(
            Exit::Unavailable,
            format!(
                "error: no nodepods daemon answers on {}: {}\nStart it with 'systemctl start nodepods' or 'nodepods \
                 serve', or name its socket for HTTP with --http-socket or NODEPODS_HTTP_SOCKET.",
                path.display(),
                socket::why(&path, &e)
            ),
        )),
    }
}

fn place(named: Option<&Path>, asked: &[PathBuf]) -> PathBuf {
    let variable = |name| env::var_os(name).filter(|s| !s.is_empty()).map(PathBuf::from);
    let beside = || Some(socket::named(asked)?.with_file_name(NAME));
    named
        .map(Path::to_path_buf)
        .or_else(|| variable("NODEPODS_HTTP_SOCKET"))
        .or_else(beside)
        .or_else(file::first_http_socket)
        .unwrap_or_else(|| HTTP_SOCKET.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_the_socket_that_is_named() {
        let asked = [PathBuf::from("/srv/test/pods.sock")];
        assert_eq!(place(Some(Path::new("/x.sock")), &asked), Path::new("/x.sock"));
        assert_eq!(place(None, &asked), Path::new("/srv/test/http.sock"));
    }
}
