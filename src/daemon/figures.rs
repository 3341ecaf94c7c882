//! Metrics where they are wanted beside the HTTP socket: on a TCP port, in a file.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use super::error::DaemonError;
use crate::config::settings::Settings;
use crate::heartbeat::Heartbeats;
use crate::serve::http::{HttpOptions, HttpServer};
use crate::serve::metrics::{Page, Textfile};
use crate::serve::tcp::TcpAcceptor;
use crate::store::events::Events;
use crate::store::Store;

/// How long clients may take for their last answer.
const WITHIN: Duration = Duration::from_millis(500);

/// What shows metrics. Nothing of it runs unless it was asked for.
pub struct Figures {
    port: Option<(TcpAcceptor, HttpServer)>,
    file: Option<Textfile>,
}

impl Figures {
    /// Starts what the settings ask for.
    ///
    /// # Errors
    /// The port is taken, or a thread cannot be started.
    pub fn start(
        settings: &Settings,
        store: &Arc<Store>,
        page: &Arc<Page>,
        beats: &Heartbeats,
    ) -> Result<Self, DaemonError> {
        let port = match settings.metrics_listen {
            None => None,
            Some(address) => {
                let failed = |source| DaemonError::MetricsListen { address, source };
                let listener = TcpListener::bind(address).map_err(failed)?;
                let bound = listener.local_addr().map_err(failed)?;
                let options = HttpOptions { heartbeats: beats.clone(), ..HttpOptions::figures() };
                let http = HttpServer::start(Arc::clone(store), Arc::clone(page), Events::new(0), options)?;
                let acceptor = TcpAcceptor::start("metrics", listener, http.tcp_entrance()).map_err(failed)?;
                log::info!("metrics on http://{bound}/metrics");
                Some((acceptor, http))
            }
        };
        let file = settings.metrics_textfile.clone().map(|path| Textfile::start(path, Arc::clone(page)));
        let file = file.transpose().map_err(|source| DaemonError::Thread { name: "metrics-file", source })?;
        Ok(Self { port, file })
    }

    /// Ends it all; the file is removed.
    pub fn stop(self) {
        drop(self.file);
        if let Some((acceptor, http)) = self.port {
            drop(acceptor);
            http.stop(WITHIN);
        }
    }
}

/// Most files that it has open at a time.
pub fn files(settings: &Settings) -> u64 {
    settings.metrics_listen.map_or(0, |_| HttpOptions::figures().files() + 1)
}
