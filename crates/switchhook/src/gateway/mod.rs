//! A running gateway: sockets, media threads, webhooks and the HTTP side around one
//! [`call::Switch`].
//!
//! Wiring and one loop, `run.rs`; what a call wants done outside is carried out in `carry.rs`.
//! Nothing about telephony is decided here.

mod call_list;
mod carry;
mod desk;
mod keep;
mod meter;
mod registrations;
mod rest;
mod run;
mod shutdown;
mod sounds;
mod ways;

use std::collections::VecDeque;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use call::{CallKey, Input, Settings, Switch};
use store::{Journal, Store};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::provision::{self, Provisioner};
use desk::Asked;
use ways::Ways;

pub(crate) use desk::Desk;
pub use shutdown::Control;

/// Answers of hooks and look-ups that may wait for the loop. Full, their senders wait.
const INPUTS_MAX: usize = 4096;

/// An address of the documentation range (RFC 5737), to ask which interface leads outside. Nothing
/// is ever sent to it.
const SOMEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);

/// What the HTTP side may know of the gateway.
pub(crate) struct State {
    live_calls: AtomicUsize,
    draining: AtomicBool,
    journal: Journal,
    provisioner: Arc<Provisioner>,
    desk: Desk,
}

/// See the module.
pub struct Gateway {
    switch: Switch,
    udp: Option<Arc<net::sip::Udp>>,
    tcp: Option<net::sip::Tcp>,
    ways: Ways,
    resolver: Arc<net::sip::Resolver>,
    ports: net::rtp::Ports,
    workers: net::rtp::Workers,
    media: net::rtp::Handle,
    media_events: net::rtp::EventReceiver,
    /// Media commands that found their thread's queue full, in order.
    unsent: VecDeque<net::rtp::Command>,
    /// Address in session descriptions; `None` = the one that SIP advertises to that peer.
    media_address: Option<IpAddr>,
    hooks: hooks::Client,
    player: sounds::Player,
    status_queue: hooks::StatusQueue,
    inputs: mpsc::Receiver<(CallKey, Input)>,
    answers: mpsc::Sender<(CallKey, Input)>,
    asks: mpsc::Receiver<Asked>,
    waiting: desk::Waiting,
    call_list: call_list::CallList,
    state: Arc<State>,
    keeper: keep::Keeper,
    meter: meter::Meter,
    http_address: SocketAddr,
    http_stop: CancellationToken,
    drain: std::time::Duration,
}

impl Gateway {
    /// Binds every socket, writes the entries of the file to the store, and starts the media
    /// threads and the HTTP side. The secrets of `config` are filled.
    ///
    /// Signalling and the requests to applications belong to the runtime that this is called in;
    /// what no call waits for, the HTTP side and the journal, to the runtime `office`.
    ///
    /// # Errors
    /// A sentence for the operator: what could not be had, and the remedy.
    pub async fn start(config: &Config, store: Store, office: &Handle) -> Result<Gateway, String> {
        let (udp, tcp) = sockets(config).map_err(|error| error.to_string())?;
        let ways = Ways { udp: udp.clone(), tcp: tcp.as_ref().map(net::sip::Tcp::advertised) };
        let (listener, http_address) = listen(config.http.listen, office)?;
        let media_config = net::rtp::Config { inactivity: config.media.timeout };
        let count = net::rtp::Workers::default_count();
        let (workers, media_events) = net::rtp::Workers::start(count, media_config)
            .map_err(|error| format!("media threads: {error}"))?;
        let provisioned = provision::provision(config, &store).await?;
        let journal = {
            let _of_office = office.enter();
            Journal::start(store.clone())
        };
        let hooks = hooks::Client::new(hooks::Config {
            webhook_secret: provisioned.webhook_secret,
            allow_private: config.http.allow_private.clone(),
            ..hooks::Config::default()
        });
        let (desk, asks) = Desk::new();
        let provisioner =
            Provisioner::new(config.clone(), store.clone(), desk.clone(), hooks.clone());
        let state = Arc::new(State {
            live_calls: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            journal: journal.clone(),
            provisioner: Arc::new(provisioner),
            desk,
        });
        let http_stop = serve_http(listener, &state, store.clone(), config, office);
        let status_queue = hooks::StatusQueue::new(hooks.clone());
        keep::recover(&store, &status_queue).await?;
        let keeper = keep::Keeper::new(journal, &config.settings);
        let settings = Arc::new(with_own_addresses(provisioned.settings));
        let (answers, inputs) = mpsc::channel(INPUTS_MAX);
        let mut switch = Switch::new(settings, endpoint(config), secret()?);
        let to = |remote| udp.as_ref().map(|udp: &Arc<net::sip::Udp>| udp.flow_to(remote));
        let restored = registrations::restore(&store, &mut switch, to).await?;
        if restored > 0 {
            tracing::info!(restored, "registrations of an earlier run count again");
        }
        Ok(Gateway {
            switch,
            resolver: Arc::new(ways.resolver()),
            ways,
            udp,
            tcp,
            ports: net::rtp::Ports::new(config.media.address, config.media.ports.clone()),
            media: workers.handle(),
            workers,
            media_events,
            unsent: VecDeque::new(),
            media_address: advertised_media(config),
            status_queue,
            keeper,
            meter: meter::Meter::new()?,
            player: sounds::Player::new(config, hooks.clone()),
            hooks,
            inputs,
            answers,
            asks,
            waiting: desk::Waiting::default(),
            call_list: call_list::CallList::new(config.settings.service_provider_sid.clone()),
            state,
            http_address,
            http_stop,
            drain: config.settings.limits.drain,
        })
    }

    /// Where SIP is received, by transport.
    pub fn sip_sockets(&self) -> Vec<(&'static str, SocketAddr)> {
        let udp = self.udp.as_ref().map(|udp| ("udp", udp.local_addr()));
        let tcp = self.tcp.as_ref().map(|tcp| ("tcp", tcp.local_addr()));
        udp.into_iter().chain(tcp).collect()
    }

    /// What keeps it to the file and the store.
    pub(crate) fn provisioner(&self) -> Arc<Provisioner> {
        Arc::clone(&self.state.provisioner)
    }

    /// The address that phones beyond this machine would use.
    pub fn reached_at(&self) -> SocketAddr {
        self.ways.reached_at(SOMEWHERE).unwrap_or(SOMEWHERE)
    }

    /// Where HTTP is served.
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }
}

/// How the SIP endpoint behaves.
fn endpoint(config: &Config) -> sip::Config {
    sip::Config {
        t1: config.sip.t1,
        session_expires: config.sip.session_expires,
        ..sip::Config::default()
    }
}

/// A listener of that runtime, and where it really listens.
fn listen(address: SocketAddr, office: &Handle) -> Result<(TcpListener, SocketAddr), String> {
    let bound = || {
        let _of_office = office.enter();
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        Ok((TcpListener::from_std(listener)?, at))
    };
    bound().map_err(|error: std::io::Error| {
        format!("http {address}: {error}; choose another address in [http] listen")
    })
}

/// Starts the HTTP side; cancelled, it ends.
fn serve_http(
    listener: TcpListener,
    state: &Arc<State>,
    store: Store,
    config: &Config,
    office: &Handle,
) -> CancellationToken {
    let http_stop = CancellationToken::new();
    let of_api = api::Config {
        token: state.provisioner.token(),
        gateway: state.clone(),
        store,
        account_sid: config.settings.account_sid.clone(),
        service_provider_sid: config.settings.service_provider_sid.clone(),
    };
    let served = api::serve(listener, of_api, http_stop.clone().cancelled_owned());
    office.spawn(async move {
        if let Err(error) = served.await {
            tracing::error!(%error, "the HTTP side ended");
        }
    });
    http_stop
}

/// The settings of a file, and the addresses that this machine has now.
pub(crate) fn with_own_addresses(mut settings: Settings) -> Settings {
    match net::own_addresses() {
        Ok(addresses) => settings.own_addresses.extend(addresses),
        Err(error) => tracing::warn!(%error, "the addresses of this machine cannot be listed"),
    }
    settings
}

/// The sockets of `[sip]`.
fn sockets(
    config: &Config,
) -> std::io::Result<(Option<Arc<net::sip::Udp>>, Option<net::sip::Tcp>)> {
    let external = config.sip.external_address;
    let udp = config.sip.udp.map(|address| net::sip::Udp::bind(address, external)).transpose()?;
    let limits = net::sip::TcpLimits::default();
    let tcp = config.sip.tcp.map(|address| net::sip::Tcp::bind(address, external, limits));
    Ok((udp.map(Arc::new), tcp.transpose()?))
}

/// A media address of its own is advertised, unless the outside sees another one anyway.
fn advertised_media(config: &Config) -> Option<IpAddr> {
    let own = config.media.address;
    let of_sip = config.sip.external_address.is_some() || own.is_unspecified();
    if of_sip { None } else { Some(own) }
}

/// 32 bytes of the operating system's generator.
fn secret() -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    fill_random(&mut bytes).map_err(|error| format!("/dev/urandom: {error}"))?;
    Ok(bytes)
}

/// Fills a slice from the generator of the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> std::io::Result<()> {
    std::fs::File::open("/dev/urandom")?.read_exact(bytes)
}
