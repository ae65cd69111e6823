//! `switchhook serve`: one gateway, started, announced, and ended by signals.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;

use store::Store;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::cli;
use crate::config::{self, Config, Generated, LoadError, LogFormat};
use crate::gateway::{Control, Gateway, fill_random};
use crate::provision::Provisioner;

/// Controls that may wait for the loop: a person sends them.
const CONTROLS_MAX: usize = 16;

/// The store of a configuration without one.
const FORGETFUL: &str = "sqlite::memory:";

/// Runs the gateway until it is told to end: signalling on this thread alone, so that a message is
/// read, decided and answered without a change of threads; the HTTP side and the store elsewhere.
///
/// # Errors
/// A sentence for the operator: the gateway could not start, or its SIP socket failed.
pub fn run(mut config: Config) -> Result<(), String> {
    start_log(config.log_format);
    let open_files = net::raise_open_files().map_err(|error| format!("open files: {error}"))?;
    let fewer = config::fit_capacity(&mut config, open_files).map_err(|fault| fault.to_string())?;
    if let Some(fewer) = fewer {
        tracing::warn!("{fewer}");
    }
    let threads = |error| format!("threads: {error}");
    let mut office = tokio::runtime::Builder::new_multi_thread();
    let office = office.worker_threads(1).thread_name("office").enable_all().build();
    let office = office.map_err(threads)?;
    let signalling = tokio::runtime::Builder::new_current_thread().enable_all().build();
    signalling.map_err(threads)?.block_on(serve(config, office.handle()))
}

async fn serve(mut config: Config, office: &Handle) -> Result<(), String> {
    let store = Store::open(config.store_url.as_deref().unwrap_or(FORGETFUL)).await;
    let store = store.map_err(|error| error.to_string())?;
    let generated = generate(&mut config, &store).await?;
    let gateway = Gateway::start(&config, store.clone(), office).await?;
    // why: before anybody knows that it is up, or an early signal kills it.
    let signals = Signals::new().map_err(|error| format!("signals: {error}"))?;
    println!("{}", announcement(&config, &gateway, &generated));
    let (controls, told) = mpsc::channel(CONTROLS_MAX);
    office.spawn(signals.watch(gateway.provisioner(), store, controls));
    let result = gateway.run(told).await;
    if result.is_ok() {
        println!("Switchhook has ended.");
    }
    result
}

/// What a person needs to make a first call.
fn announcement(config: &Config, gateway: &Gateway, generated: &[Generated]) -> String {
    let sip = gateway.reached_at();
    let sockets = gateway.sip_sockets().into_iter();
    let sockets: Vec<String> = sockets.map(|(what, at)| format!("{what} {at}")).collect();
    let mut lines = vec![
        "Switchhook is up.".to_owned(),
        format!("  SIP       sip:{sip} ({})", sockets.join(", ")),
        format!("  web       http://{}", gateway.http_address()),
    ];
    if !config.settings.clients.is_empty() {
        let at = config.sip.realm.clone().unwrap_or_else(|| sip.to_string());
        lines.push(format!("  register  as sip:USER@{at}"));
    }
    for made in generated {
        lines.push(format!("  {}: {}", made.purpose, made.secret.0));
    }
    if let (true, Some(url)) = (generated.is_empty(), &config.store_url) {
        lines.push(format!("  secrets that were made at the first start are kept in {url}"));
    }
    lines.join("\n")
}

/// Secrets that the file left out: those of an earlier start as they were, the rest made now and
/// kept.
async fn generate(config: &mut Config, store: &Store) -> Result<Vec<Generated>, String> {
    let mut known = BTreeMap::new();
    for purpose in config.missing_secrets() {
        let secret = store.secret(&purpose).await.map_err(|error| error.to_string())?;
        known.extend(secret.map(|secret| (purpose, secret.expose().to_owned())));
    }
    let mut failed = None;
    let generated = config.fill_secrets(&known, |bytes| {
        if let Err(error) = fill_random(bytes) {
            failed = Some(format!("/dev/urandom: {error}"));
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    for made in &generated {
        let secret = store::Secret::new(made.secret.0.clone());
        store.keep_secret(&made.purpose, &secret).await.map_err(|error| error.to_string())?;
    }
    Ok(generated)
}

/// Lines on stderr; `RUST_LOG` chooses what.
fn start_log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // why: an error means that a test started it before; its log serves as well.
    let _started = match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

/// The signals that an operator sends.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Turns signals into controls until the gateway is gone.
    async fn watch(
        mut self,
        provisioner: Arc<Provisioner>,
        store: Store,
        controls: mpsc::Sender<Control>,
    ) {
        loop {
            let control = tokio::select! {
                _ = self.terminate.recv() => Control::End,
                _ = self.interrupt.recv() => Control::End,
                _ = self.hangup.recv() => {
                    read_again(&provisioner, &store).await;
                    continue;
                }
            };
            eprintln!("Ending: no new calls; live ones end by themselves. Again: at once.");
            if controls.send(control).await.is_err() {
                return;
            }
        }
    }
}

/// Goes by the configuration as the file now has it; on any fault the old one stays.
async fn read_again(provisioner: &Provisioner, store: &Store) {
    const STAYS: &str = "The configuration stays as it was.";
    let previous = provisioner.config().await;
    let mut loaded = match config::load(&previous.path, cli::environment()) {
        Ok(loaded) => loaded,
        Err(LoadError::Unreadable { path, error }) => {
            cli::print_unreadable(&path, &error);
            return eprintln!("{STAYS}");
        }
        Err(LoadError::Faulty { faults, .. }) => {
            cli::print_faults(&faults);
            return eprintln!("{STAYS}");
        }
    };
    loaded.config.keep_generated(&previous);
    let generated = match generate(&mut loaded.config, store).await {
        Ok(generated) => generated,
        Err(error) => return eprintln!("{error}\n{STAYS}"),
    };
    for made in generated {
        println!("  {}: {}", made.purpose, made.secret.0);
    }
    cli::print_warnings(&loaded.warnings);
    match provisioner.replace(loaded.config).await {
        Ok(()) => eprintln!("The configuration was read again; sockets stay as they were."),
        Err(error) => eprintln!("{error}\n{STAYS}"),
    }
}
