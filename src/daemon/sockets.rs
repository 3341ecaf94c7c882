//! Which sockets are served on: those that systemd passed on, those that were named, else the default ones.

use std::os::unix::net::UnixListener;
use std::sync::Arc;

use super::error::DaemonError;
use crate::config::settings::{Settings, DEFAULT_SOCKETS};
use crate::serve::accept::{AcceptOptions, Acceptor};
use crate::serve::grpc::GrpcServer;
use crate::serve::http::HttpServer;
use crate::serve::{OwnedSocket, Protocol, SocketOptions};
use crate::sys::inherited;

/// Listening sockets that serve nobody yet.
pub struct Sockets {
    owned: Vec<OwnedSocket>,
    http: Vec<OwnedSocket>,
    inherited: Vec<(UnixListener, String)>,
}

impl Sockets {
    /// Binds them all. The ones that were bound are removed again where a later one fails.
    ///
    /// # Errors
    /// One of them cannot be had.
    pub fn bind(settings: &Settings) -> Result<Self, DaemonError> {
        let inherited = inherited::listeners().map_err(|source| DaemonError::Inherited { source })?;
        let paths = match settings.sockets.as_slice() {
            [] if inherited.is_empty() => DEFAULT_SOCKETS.map(Into::into).to_vec(),
            named => named.to_vec(),
        };
        let bind = |path| OwnedSocket::bind(SocketOptions { path, mode: settings.socket_mode });
        let owned = paths.into_iter().map(bind).collect::<Result<_, _>>()?;
        let http = settings.http_sockets.iter().cloned().map(bind).collect::<Result<_, _>>()?;
        Ok(Self { owned, http, inherited })
    }

    /// Their paths, for messages.
    pub fn names(&self) -> Vec<String> {
        let owned = self.owned.iter().chain(&self.http).map(|s| s.path().display().to_string());
        owned.chain(self.inherited.iter().map(|(_, name)| name.clone())).collect()
    }

    /// Starts an accept thread for each, which hands connections to `server`, or to `http`.
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
        for (listener, name) in self.inherited {
            let server = Arc::clone(server);
            let adopt = move |stream, peer: crate::serve::Peer| server.adopt(stream, &peer);
            acceptors.push(Acceptor::start_inherited(listener, &name, options.clone(), adopt)?);
        }
        Ok(acceptors)
    }
}
