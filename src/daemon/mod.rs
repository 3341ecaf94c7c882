//! The daemon behind `nodepods serve`: its parts, put together.
//!
//! The order of a start, and why it is this one:
//! 1. umask 0077, before any file can be made; signals blocked, before any thread can be hit by one ([`prepare`]);
//! 2. configuration and log (`cli::serve`), so that everything after can speak;
//! 3. privileges given up, before the first thread ([`crate::harden`]);
//! 4. our sockets, bound and locked: a second daemon ends here, before it touches anything else;
//! 5. the directories that we keep; files and system calls confined, before gRPC has threads; the revision to start
//!    from;
//! 6. what the checkpoint kept, the sources, whose channel holds what they say, the writer of the checkpoint, and the
//!    thread that owns the store;
//! 7. the directory of all pods, the gRPC and the HTTP server, metrics, then the accept threads, which let clients in;
//! 8. READY=1: the sockets answer (with FAILED_PRECONDITION until the node is known).
//!
//! A stop goes the other way: no new clients and the sockets gone, watches ended with UNAVAILABLE, sources stopped,
//! the checkpoint written, the owner last.

mod downward_dir;
mod error;
mod feeds;
mod figures;
mod narrow;
mod notes;
mod orders;
mod owner;
mod places;
mod sockets;
mod state_dir;
mod systemd;
mod watchdog;

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{after, at, never, select, tick, Receiver};
use sd_notify::NotifyState;

use crate::checkpoint::{self, Restored, Saver};
use crate::config::settings::{Allowance, Settings};
use crate::harden;
use crate::heartbeat::{Heartbeat, Heartbeats};
use crate::machine;
use crate::serve::accept::AcceptOptions;
use crate::serve::bucket::Rate;
use crate::serve::connections::Rates;
use crate::serve::grpc::{GrpcOptions, GrpcServer};
use crate::serve::http::{HttpOptions, HttpServer};
use crate::serve::metrics::Page;
use crate::store::events::Events;
use crate::store::reconcile::{Expectations, Reconciler, ReconcilerConfig};
use crate::store::revision::Revision;
use crate::store::snapshot::Snapshot;
use crate::store::Store;
use crate::sys::process;
use crate::sys::signal::{self, Signal};

use downward_dir::DownwardDir;
pub use error::DaemonError;
use feeds::Feeds;
use figures::Figures;
use narrow::Narrow;
use notes::Notes;
use orders::Order;
use owner::Clock;
use sockets::Sockets;
use watchdog::Watchdog;

/// How long a stop may take, all in all.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long all clients together may take of it: the rest is for the sources and the checkpoint.
const CLIENTS_WITHIN: Duration = Duration::from_secs(3);
/// How long clients of a narrow socket may take of it.
const NARROW_WITHIN: Duration = Duration::from_millis(200);
/// How long clients of HTTP may take of it.
const HTTP_WITHIN: Duration = Duration::from_secs(1);
/// Files for what is not connections: sockets, inotify, epoll, the runtime, state.
const OWN_FILES: u64 = 64;

/// What has to be done before anything else in the process: call it first of all, before any thread.
///
/// # Errors
/// The signals cannot be blocked.
pub fn prepare() -> Result<(), DaemonError> {
    process::set_umask(0o077);
    signal::block().map_err(|source| DaemonError::Signals { source })
}

/// Runs the daemon until SIGTERM or SIGINT.
///
/// # Errors
/// It cannot be started; what was started by then is stopped.
pub fn run(settings: &Settings) -> Result<(), DaemonError> {
    let gives_files_away = settings.narrow_sockets.iter().any(|socket| socket.group.is_some());
    harden::renounce(&settings.hardening, gives_files_away).map_err(DaemonError::Harden)?;
    let orders = orders::start()?;
    grpcio::redirect_log();
    let beats = Heartbeats::default();
    let http_options = http_options(settings, &beats);
    let limit = process::raise_open_files(
        (settings.max_connections as u64).saturating_add(http_options.files() + figures::files(settings) + OWN_FILES),
    );
    if let Err(e) = limit {
        log::debug!("cannot raise the limit of open files: {e}");
    }
    let mut sockets = Sockets::bind(settings)?;
    let state_dir = match settings.state_dir.as_deref() {
        Some(dir) => state_dir::prepare(dir)?.then_some(dir),
        None => None,
    };
    let tree = settings.downward_dir.as_deref().map(downward_dir::claim).transpose()?;
    let confined = harden::confine(&settings.hardening, &places::of(settings)).map_err(DaemonError::Harden)?;
    log::info!("{confined}");
    let Core { store, events, reconciler, feeds, saver } = start_core(settings, state_dir, &beats)?;
    let tree = tree.map(|tree| DownwardDir::start(tree, &store, &beats)).transpose()?;
    let server = Arc::new(GrpcServer::start(Arc::clone(&store), &grpc_options(settings, &beats))?);
    let page = page(&store, &server);
    let http = HttpServer::start(Arc::clone(&store), Arc::clone(&page), events, http_options)?;
    let figures = Figures::start(settings, &store, &page, &beats)?;
    let names = sockets.names().join(", ");
    let narrow = sockets.take_narrow().into_iter().map(|bound| {
        Narrow::start(bound, &store, &grpc_options(settings, &beats), &accept_options(settings, &beats), &beats)
    });
    let narrow = narrow.collect::<Result<Vec<_>, _>>()?;
    let acceptors = sockets.accept(&server, &http, &accept_options(settings, &beats))?;
    log::info!("version {}, serving on {names}", env!("CARGO_PKG_VERSION"));
    systemd::tell(&[NotifyState::Ready]);

    let signal = oversee(&store, &feeds, &orders, &beats, &server);

    log::info!("{signal}: stopping");
    systemd::tell(&[NotifyState::Stopping, NotifyState::Status("Stopping")]);
    guard_the_stop();
    drop(acceptors);
    store.close();
    let patience = Instant::now() + CLIENTS_WITHIN;
    let left = || patience.saturating_duration_since(Instant::now());
    figures.stop();
    http.stop(left().min(HTTP_WITHIN));
    server.shutdown(left());
    for narrow in narrow {
        narrow.stop(left().min(NARROW_WITHIN));
    }
    feeds.stop();
    drop((saver, tree));
    if reconciler.join().is_err() {
        log::error!("the reconciler ended in a panic");
    }
    Ok(())
}

/// The store, the thread that owns what is in it, the sources that feed it, and what writes it down.
struct Core {
    store: Arc<Store>,
    events: Arc<Events>,
    reconciler: JoinHandle<()>,
    feeds: Feeds,
    saver: Option<Saver>,
}

fn start_core(settings: &Settings, state_dir: Option<&Path>, beats: &Heartbeats) -> Result<Core, DaemonError> {
    let clock = Clock::start();
    let now = clock.now();
    let mut restored = state_dir.map(checkpoint::restore);
    let revision = Revision::start(restored.as_ref().and_then(|r| r.revision), now.unix_ms);
    if let Some(restored) = &restored {
        restored.starts_from(revision.get());
    }
    let store = Store::new(Snapshot::empty(revision.get()));
    let config = ReconcilerConfig { expectations: expectations(settings), node: machine::facts(), revision };
    let mut reconciler = Reconciler::new(config, now);
    reconciler.remember(restored.as_mut().map(|r| std::mem::take(&mut r.ended)).unwrap_or_default());
    // Before any source speaks: whatever they say is newer.
    for update in restored.iter_mut().flat_map(Restored::updates) {
        reconciler.apply(update, now);
    }
    let remembered = restored.as_ref().map(|r| r.manifests.clone()).unwrap_or_default();
    let (feeds, updates) = Feeds::start(settings, remembered, store.contacts(), beats)?;
    let save = restored.map(|restored| Saver::start(Arc::clone(&store), restored, feeds.updates(), beats));
    let saver = save.transpose().map_err(|source| DaemonError::Thread { name: "checkpoint", source })?;
    let manifests = saver.as_ref().map(Saver::manifests).unwrap_or_default();
    let events = Events::new(store.current().revision);
    let notes = Notes { manifests, events: Arc::clone(&events) };
    let reconciler = owner::start(reconciler, clock, Arc::clone(&store), updates, beats, notes)
        .map_err(|source| DaemonError::Thread { name: "reconciler", source })?;
    Ok(Core { store, events, reconciler, feeds, saver })
}

fn expectations(settings: &Settings) -> Expectations {
    Expectations {
        requires: settings.require.clone(),
        init_timeout_ms: settings.init_timeout.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
        ..Expectations::default()
    }
}

fn grpc_options(settings: &Settings, beats: &Heartbeats) -> GrpcOptions {
    GrpcOptions {
        heartbeats: beats.clone(),
        max_connections: settings.max_connections,
        max_watchers: settings.max_watchers,
        watch_send_timeout: settings.watch_send_timeout,
        rates: Rates { unary: rate(settings.requests), watch: rate(settings.watches) },
        ..GrpcOptions::default()
    }
}

/// What a setting allows; 0 is no limit.
fn rate(allowed: Allowance) -> Rate {
    match allowed.per_second {
        0 => Rate::UNLIMITED,
        per_second => Rate { per_second: per_second.into(), burst: allowed.burst.into() },
    }
}

fn http_options(settings: &Settings, beats: &Heartbeats) -> HttpOptions {
    HttpOptions {
        heartbeats: beats.clone(),
        most_streams: settings.max_watchers.min(HttpOptions::default().most_streams),
        send_timeout: settings.watch_send_timeout,
        log_root: settings.pod_logs_dir.clone(),
        ..HttpOptions::default()
    }
}

fn page(store: &Arc<Store>, server: &Arc<GrpcServer>) -> Arc<Page> {
    let load = Arc::clone(server);
    Page::new(Arc::clone(store), Arc::clone(server.metrics()), move || load.load())
}

fn accept_options(settings: &Settings, beats: &Heartbeats) -> AcceptOptions {
    let mut options = AcceptOptions { heartbeats: beats.clone(), ..AcceptOptions::default() };
    options.allow_uids.extend(&settings.allow_uids);
    options.allow_gids.extend(&settings.allow_gids);
    options
}

/// The main thread's work while all is well: keeps the service manager informed and waits for the order to stop.
fn oversee(
    store: &Arc<Store>,
    feeds: &Feeds,
    orders: &Receiver<Order>,
    beats: &Heartbeats,
    server: &GrpcServer,
) -> Signal {
    let period = sd_notify::watchdog_enabled();
    let due = period.map_or_else(never, |period| tick(period / 2));
    let call = |queue: Heartbeat| server.call_self(move || queue.rest(None));
    let mut watchdog = Watchdog::new(beats, period.unwrap_or_default(), call);
    let news = store.subscribe();
    let mut told = String::new();
    let (mut forget, mut old) = (never(), never());
    loop {
        let status = systemd::status(&store.current());
        if status != told {
            systemd::tell(&[NotifyState::Status(&status)]);
            told = status;
        }
        select! {
            recv(orders) -> order => match order {
                Ok(Order::Stop(signal)) => return signal,
                Ok(Order::Reload) => {
                    log::info!("SIGHUP: reading the manifests again");
                    feeds.look_now();
                }
                Err(_) => return Signal::Terminate, // the signals thread has said why it ended
            },
            // A change makes what was served before it old.
            recv(news.changed()) -> _ => old = server.forget_old(Instant::now()).map_or_else(never, at),
            recv(old) -> _ => old = server.forget_old(Instant::now()).map_or_else(never, at),
            recv(server.list_built()) -> _ => forget = after(Duration::ZERO), // which says when to come back
            recv(forget) -> now => {
                let again = server.forget_list(now.unwrap_or_else(|_| Instant::now()));
                forget = again.map_or_else(never, after);
            }
            recv(due) -> _ => if watchdog.all_alive(Instant::now()) {
                systemd::tell(&[NotifyState::Watchdog]);
            },
        }
    }
}

/// Sees to it that a stop ends, whatever hangs.
fn guard_the_stop() {
    let guard = || {
        thread::sleep(STOP_WITHIN);
        log::error!("the stop took longer than {STOP_WITHIN:?}: leaving without it");
        process::exit_now(70);
    };
    if let Err(e) = thread::Builder::new().name("stop-guard".into()).stack_size(64 * 1024).spawn(guard) {
        log::debug!("a stop without a guard: {e}");
    }
}
