//! Which sockets are served on: those that systemd passed on, those that were named, else the default ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::DaemonError;
use super::narrow::Bound;
use crate::config::settings::{Settings, DEFAULT_SOCKETS, HTTP_SOCKET};
use crate::serve::accept::{AcceptOptions, Acceptor};
use crate::serve::grpc::GrpcServer;
use crate::serve::http::HttpServer;
use crate::serve::{OwnedSocket, Protocol, SocketOptions};
use crate::sys::inherited::{self, Inherited};

/// What a socket unit calls the socket for HTTP (`FileDescriptorName=http`); any other name is for gRPC.
const HTTP: &str = "http";

/// Listening sockets that serve nobody yet.
pub struct Sockets {
    owned: Vec<OwnedSocket>,
    http: Vec<OwnedSocket>,
    narrow: Vec<Bound>,
    inherited: Vec<Inherited>,
}

impl Sockets {
    /// Binds them all. The ones that were bound are removed again where a later one fails.
    ///
    /// # Errors
    /// One of them cannot be had.
    pub fn bind(settings: &Settings) -> Result<Self, DaemonError> {
        let inherited = inherited::listeners().map_err(|source| DaemonError::Inherited { source })?;
        let (http, grpc): (Vec<_>, Vec<_>) = inherited.iter().partition(|socket| socket.name == HTTP);
        let paths = match settings.sockets.as_slice() {
            [] if grpc.is_empty() => DEFAULT_SOCKETS.map(Into::into).to_vec(),
            named => named.to_vec(),
        };
        // A socket for HTTP that was passed on stands for the default one, as with gRPC.
        let wanted = |path: &&PathBuf| http.is_empty() || path.as_path() != Path::new(HTTP_SOCKET);
        let bind = |path| OwnedSocket::bind(SocketOptions { path, mode: settings.socket_mode, group: None });
        let owned = paths.into_iter().map(bind).collect::<Result<_, _>>()?;
        let http = settings.http_sockets.iter().filter(wanted).cloned().map(bind).collect::<Result<_, _>>()?;
        let narrow = settings.narrow_sockets.iter().map(Bound::bind).collect::<Result<_, _>>()?;
        Ok(Self { owned, http, narrow, inherited })
    }

    /// Their paths, for messages.
    pub fn names(&self) -> Vec<String> {
        let owned = self.owned.iter().chain(&self.http).map(|s| s.path().display().to_string());
        let narrow = self.narrow.iter().map(Bound::name);
        owned.chain(narrow).chain(self.inherited.iter().map(|socket| socket.path.clone())).collect()
    }

    /// The narrow sockets, which have servers of their own.
    pub fn take_narrow(&mut self) -> Vec<Bound> {
        std::mem::take(&mut self.narrow)
    }

    /// Starts an accept thread for each of the others, which hands connections to `server`, or to `http`.
    ///
    /// # Errors
    /// A thread cannot be started; those that were are stopped.
    pub fn accept(
        self,
        server: &Arc<GrpcServer>,
        http: &HttpServer,
        options: &AcceptOptions,
    ) -> Result<Vec<Acceptor>, DaemonError> {
        let mut acceptors = Vec::new();
        for socket in self.http {
            let options = AcceptOptions { protocol: Protocol::Http1, ..options.clone() };
            acceptors.push(Acceptor::start(socket, options, http.entrance())?);
        }
        for socket in self.owned {
            let server = Arc::clone(server);
            acceptors.push(Acceptor::start(socket, options.clone(), move |stream, peer| server.adopt(stream, &peer))?);
        }
        for Inherited { listener, path, name } in self.inherited {
            if name == HTTP {
                let options = AcceptOptions { protocol: Protocol::Http1, ..options.clone() };
                acceptors.push(Acceptor::start_inherited(listener, &path, options, http.entrance())?);
                continue;
            }
            let server = Arc::clone(server);
            let adopt = move |stream, peer: crate::serve::Peer| server.adopt(stream, &peer);
            acceptors.push(Acceptor::start_inherited(listener, &path, options.clone(), adopt)?);
        }
        Ok(acceptors)
    }
}
