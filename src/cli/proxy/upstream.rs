//! Which socket for HTTP the daemon has.

use std::env;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::cli::exit::{Exit, Failure};
use crate::cli::socket;
use crate::config::file;
use crate::config::settings::HTTP_SOCKET;

/// The socket that is named, by option, by `NODEPODS_HTTP_SOCKET` or by the configuration file, else the default one;
/// somebody must listen there.
///
/// # Errors
/// Nobody does, or we may not connect.
pub fn find(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = named
        .map(Path::to_path_buf)
        .or_else(|| env::var_os("NODEPODS_HTTP_SOCKET").filter(|s| !s.is_empty()).map(PathBuf::from))
        .or_else(file::first_http_socket)
        .unwrap_or_else(|| HTTP_SOCKET.into());
    match UnixStream::connect(&path) {
        Ok(_) => Ok(path),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Err(socket::not_allowed(&path, &e.to_string())),
        Err(e) => Err(Failure::new(
            Exit::Unavailable,
            format!(
                "error: no nodepods daemon answers on {}: {e}\nStart it with 'systemctl start nodepods' or 'nodepods \
                 serve', or name its socket for HTTP with --http-socket or NODEPODS_HTTP_SOCKET.",
                path.display()
            ),
        )),
    }
}
