//! The configuration, `switchhook.toml`.
//!
//! In: the text of the file, the files that it names, and the environment. Out: a [`Config`]
//! that the rest of the program takes as it is, or every fault of all of them in one pass, with
//! file, line, column and pointer. Nothing is opened, bound or resolved here; whether ports and
//! file descriptors suffice is asked separately ([`fit_capacity`]), where the limits of the
//! process are known.
//!
//! `reader` reads typed values with places, one module for each kind of section says what may
//! stand there, `fault` collects.

mod app_json;
mod application;
mod capacity;
mod carrier;
mod environment;
mod fault;
mod names;
mod people;
mod plain;
mod reader;
mod sounds;
mod value;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use call::settings::{Client, ReferPolicy, Settings};
use hooks::Secret;
use ipnet::IpNet;
use toml::de::DeTable;

pub(crate) use app_json::in_file;
pub use capacity::{
    DESCRIPTORS_OF_CONNECTIONS, DESCRIPTORS_RESERVED, SOCKETS_PER_CALL, fit_capacity,
};
pub use environment::PREFIX;
pub use fault::{Fault, Place};
pub(crate) use fault::{Report, nearest};
pub(crate) use names::sid;
pub(crate) use reader::{Entry, Section};
pub(crate) use value::is_sip_user;

use carrier::Carriers;
use environment::{Override, overrides};

/// The account of every installation.
pub const ACCOUNT_SID: &str = "9351f46a-678c-43f5-b8a6-d4eb58d131af";
/// The service provider of every installation.
pub const SERVICE_PROVIDER_SID: &str = "2708b1b3-2736-40ea-b502-c53d8396247f";

/// Letters of generated secrets: 32, none that is mistaken for another when read out.
const SECRET_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of one generated secret, five bits each.
const SECRET_LENGTH: usize = 24;

/// What the bearer token of REST is called.
const ADMIN_TOKEN: &str = "[http] admin_token";

/// What the key of webhook signatures is called.
const WEBHOOK_SECRET: &str = "[http] webhook_secret";

fn password_of(client: &str) -> String {
    format!("password of client {client}")
}

/// How lines of the log are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Everything that the file and the environment say.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file, to be read again.
    pub path: PathBuf,
    /// `[sip]`.
    pub sip: SipConfig,
    /// `[media]`.
    pub media: MediaConfig,
    /// `[http]`.
    pub http: HttpConfig,
    /// `[store] url`; without it everything is forgotten at the end.
    pub store_url: Option<String>,
    /// `[log] format`.
    pub log_format: LogFormat,
    /// What calls go by: applications, carriers, numbers, users, limits.
    pub settings: Settings,
    /// Users of the file without a password; they are in `settings` once they have one.
    clients_without_password: Vec<String>,
    /// Names in `settings.clients` whose password was generated.
    clients_generated: Vec<String>,
    /// `http.webhook_secret` was generated.
    webhook_secret_generated: bool,
    /// `http.admin_token` was generated.
    admin_token_generated: bool,
    /// Where `[limits] calls` stands, for [`fit_capacity`].
    calls_place: Place,
    /// It stands there.
    calls_given: bool,
}

/// `[sip]`.
#[derive(Clone, Debug)]
pub struct SipConfig {
    /// Where SIP over UDP is received; port 0 takes a free one. `None`: there is none, but TCP.
    pub udp: Option<SocketAddr>,
    /// Where SIP over TCP is received, as `udp`.
    pub tcp: Option<SocketAddr>,
    /// What Via, Contact and SDP advertise instead of the interface's own address.
    pub external_address: Option<IpAddr>,
    /// The domain users register to; without it each of our own addresses is one.
    pub realm: Option<String>,
    /// RFC 3261 §17.1.1.1: T1, of which the other timers are multiples.
    pub t1: Duration,
    /// Expiry granted to a registration over UDP.
    pub udp_registration_expires: Duration,
    /// What becomes of a REFER where no `referHook` says it.
    pub refer: ReferPolicy,
    /// RFC 4028 §4: the Session-Expires that is asked for, at least 90 s; `None` = none is.
    pub session_expires: Option<Duration>,
}

/// `[media]`.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Where RTP is received.
    pub address: IpAddr,
    /// Ports of RTP and RTCP; holds at least one even port with the odd one after it.
    pub ports: RangeInclusive<u16>,
    /// No RTP for this long from a peer that should send ends the call; `None` = never.
    pub timeout: Option<Duration>,
    /// Country of the ringback tone, one that `media::tone::country` knows.
    pub ringback: String,
    /// Absolute paths of the directories below which applications may name files; they were
    /// directories when the file was read.
    pub sounds: Vec<PathBuf>,
    /// What a held party hears where nothing else is said: an http or https URL, or the absolute
    /// path of a file that was there.
    pub hold_music: Option<String>,
}

/// `[http]`.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Where REST, health and the schema are served.
    pub listen: SocketAddr,
    /// Bearer token of REST.
    pub admin_token: Option<Secret>,
    /// Key of the signature on every request to an application.
    pub webhook_secret: Option<Secret>,
    /// Networks that URLs of applications may point to besides public addresses.
    pub allow_private: Vec<IpNet>,
}

/// A configuration without faults.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// What the operator should know all the same, by position.
    pub warnings: Vec<Fault>,
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum LoadError {
    /// The file cannot be read, or is no text.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file was read and is wrong.
    Faulty {
        /// At least one, by position.
        faults: Vec<Fault>,
        /// By position.
        warnings: Vec<Fault>,
    },
}

/// A secret that was not in the file, to be shown to the operator once.
#[derive(Clone, Debug)]
pub struct Generated {
    /// What it is for, "password of client jane".
    pub purpose: String,
    /// The secret.
    pub secret: Secret,
}

/// Reads the configuration in `path`, overridden by those of `variables` that begin with
/// [`PREFIX`].
///
/// # Errors
/// The file cannot be read, or anything in it, in the applications it names or in the variables
/// is wrong.
pub fn load(
    path: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, LoadError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| LoadError::Unreadable { path: path.to_owned(), error })?;
    parse(path, &text, variables)
}

/// As [`load`], for a text that is, or would be, in `path`. Files that it names are relative to
/// the directory of `path`.
///
/// # Errors
/// Never [`LoadError::Unreadable`].
pub fn parse(
    path: &Path,
    text: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, LoadError> {
    let report = Report::new(&path.display().to_string(), text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        report.syntax(error.span(), error.message());
    }
    let overrides = overrides(&report, variables);
    let config = walk(path, Section::root(&report, table.get_ref()), &overrides);
    let (faults, warnings) = report.sorted();
    match config {
        Some(config) if faults.is_empty() => Ok(Loaded { config, warnings }),
        _ => Err(LoadError::Faulty { faults, warnings }),
    }
}

fn walk<'a>(path: &Path, root: Section<'a>, overrides: &'a [Override]) -> Option<Config> {
    let section = |name| root.section(name, overrides);
    let sip = plain::sip(section("sip"));
    let directory = path.parent().unwrap_or(Path::new(""));
    let media = plain::media(section("media"), directory);
    let http = plain::http(section("http"));
    let (limits, calls_place, calls_given) = plain::limits(section("limits"));
    let store_url = plain::store(section("store"));
    let log_format = plain::log(section("log"));
    plain::later(section("cluster"), "redis", &["redis://", "rediss://"]);

    let (applications, application_names) =
        application::applications(root.list("application"), directory);
    let carriers = Carriers::read(root.list("carrier"), &application_names, sip.as_ref());
    let phone_numbers =
        people::phone_numbers(root.list("phone_number"), &application_names, &carriers.names);
    carriers.check_sources(&phone_numbers);
    let (clients, clients_without_password) = people::clients(root.list("client"));
    let device_application = people::device_calls(section("device_calls"), &application_names);
    root.finish();

    let sip = sip?;
    let settings = Settings {
        account_sid: ACCOUNT_SID.to_owned(),
        service_provider_sid: SERVICE_PROVIDER_SID.to_owned(),
        applications,
        carriers: carriers.carriers,
        phone_numbers,
        clients,
        device_application,
        realm: sip.realm.clone(),
        own_addresses: sip.external_address.into_iter().collect(),
        udp_registration_expires: sip.udp_registration_expires,
        limits,
        media_timeout: media.timeout,
        ringback: media.ringback.clone(),
        hold_music: media.hold_music.clone(),
        refer: sip.refer,
    };
    Some(Config {
        path: path.to_owned(),
        sip,
        media,
        http,
        store_url,
        log_format,
        settings,
        clients_without_password,
        clients_generated: Vec::new(),
        webhook_secret_generated: false,
        admin_token_generated: false,
        calls_place,
        calls_given,
    })
}

impl Config {
    /// Key of webhook signatures, where the file or the environment gives it.
    pub fn written_webhook_secret(&self) -> Option<&Secret> {
        self.http.webhook_secret.as_ref().filter(|_| !self.webhook_secret_generated)
    }

    /// Makes every secret that the file left out: passwords of clients, the bearer token of REST
    /// and the key of webhook signatures. `random` fills a slice from the generator of the
    /// operating system.
    ///
    /// Before this a client without a password is not in `settings` and cannot register.
    pub fn fill_generated(&mut self, random: impl FnMut(&mut [u8])) -> Vec<Generated> {
        self.fill_secrets(&BTreeMap::new(), random)
    }

    /// What the secrets that the file left out are for, as [`Generated`] names them.
    pub fn missing_secrets(&self) -> Vec<String> {
        let clients = self.clients_without_password.iter();
        let mut missing: Vec<String> = clients.map(|name| password_of(name)).collect();
        missing.extend(self.http.admin_token.is_none().then(|| ADMIN_TOKEN.to_owned()));
        missing.extend(self.http.webhook_secret.is_none().then(|| WEBHOOK_SECRET.to_owned()));
        missing
    }

    /// As [`Config::fill_generated`], but what is `known` from an earlier start stays as it was.
    pub fn fill_secrets(
        &mut self,
        known: &BTreeMap<String, String>,
        mut random: impl FnMut(&mut [u8]),
    ) -> Vec<Generated> {
        let mut generated = Vec::new();
        let mut make = |purpose: String| {
            if let Some(secret) = known.get(&purpose) {
                return secret.clone();
            }
            let mut bytes = [0; SECRET_LENGTH];
            random(&mut bytes);
            let letters = bytes.iter().map(|byte| SECRET_LETTERS[usize::from(byte % 32)]);
            let secret: String = letters.map(char::from).collect();
            generated.push(Generated { purpose, secret: Secret(secret.clone()) });
            secret
        };
        for username in std::mem::take(&mut self.clients_without_password) {
            let password = make(password_of(&username));
            self.clients_generated.push(username.clone());
            self.settings.clients.push(Client { username, password });
        }
        if self.http.admin_token.is_none() {
            self.http.admin_token = Some(Secret(make(ADMIN_TOKEN.to_owned())));
            self.admin_token_generated = true;
        }
        if self.http.webhook_secret.is_none() {
            self.http.webhook_secret = Some(Secret(make(WEBHOOK_SECRET.to_owned())));
            self.webhook_secret_generated = true;
        }
        generated
    }

    /// Takes over what was generated for `previous`, so that reading the file again changes no
    /// password that the file does not give. Before [`Config::fill_generated`].
    pub fn keep_generated(&mut self, previous: &Config) {
        for username in std::mem::take(&mut self.clients_without_password) {
            let generated = previous.clients_generated.contains(&username);
            match previous.settings.client(&username).filter(|_| generated) {
                Some(client) => {
                    self.settings.clients.push(client.clone());
                    self.clients_generated.push(username);
                }
                None => self.clients_without_password.push(username),
            }
        }
        if self.http.admin_token.is_none() && previous.admin_token_generated {
            self.http.admin_token.clone_from(&previous.http.admin_token);
            self.admin_token_generated = true;
        }
        if self.http.webhook_secret.is_none() && previous.webhook_secret_generated {
            self.http.webhook_secret.clone_from(&previous.http.webhook_secret);
            self.webhook_secret_generated = true;
        }
    }
}
