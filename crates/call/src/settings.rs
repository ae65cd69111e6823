//! What an operator configured, as the call reads it: applications, carriers, numbers, users,
//! limits. A value of plain data, shared by reference and replaced whole when the configuration
//! is read again; calls that are up keep the one they began with.
//!
//! It does not say where the settings came from (file or store), and nothing here is looked up
//! over a network.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use sip::Transport;
use verbs::Hook;

/// Everything that routing and running a call depends on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// UUID of the one account of this installation.
    pub account_sid: String,
    /// UUID of the one service provider of this installation.
    pub service_provider_sid: String,
    /// `[[application]]`, in the order of the file.
    pub applications: Vec<Arc<Application>>,
    /// `[[carrier]]`, in the order of the file.
    pub carriers: Vec<Arc<Carrier>>,
    /// `[[phone_number]]`.
    pub phone_numbers: Vec<PhoneNumber>,
    /// `[[client]]`: SIP users that may register and call.
    pub clients: Vec<Client>,
    /// Name of the application that runs when a registered user dials (`[device_calls]`).
    pub device_application: Option<String>,
    /// `[sip] realm`: the domain users register to; without it each of our own addresses is one.
    pub realm: Option<String>,
    /// Our own addresses, each of which is a realm where none is configured.
    pub own_addresses: Vec<IpAddr>,
    /// Expiry granted to a registration over UDP (`[sip] udp_registration_expires`).
    pub udp_registration_expires: Duration,
    /// `[limits]`.
    pub limits: Limits,
    /// `[media] timeout`: no RTP for this long from a peer that should send ends the call;
    /// `None` = off.
    pub media_timeout: Option<Duration>,
    /// `[media] ringback`: country code of the tone an answered caller hears while callees ring.
    pub ringback: String,
    /// `[media] hold_music`: http or https URL or absolute path of what a held party hears where
    /// nothing else is said; none: nothing.
    pub hold_music: Option<String>,
    /// `[sip] refer`.
    pub refer: ReferPolicy,
}

/// What becomes of a REFER where no `referHook` says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReferPolicy {
    /// 501.
    #[default]
    Refuse,
    /// The switch transfers by itself.
    Transfer,
}

/// One `[[application]]`.
#[derive(Clone, Debug)]
pub struct Application {
    /// UUIDv5 of kind and name, stable over restarts.
    pub sid: String,
    /// Its name, unique.
    pub name: String,
    /// Asked when a call comes in, unless `app_json` is given.
    pub call_hook: Option<Hook>,
    /// Told of every change of status.
    pub call_status_hook: Option<Hook>,
    /// A fixed list of verbs, as the JSON text of the file, run instead of asking `call_hook`.
    pub app_json: Option<String>,
    /// Unknown properties reject the list instead of raising an alert.
    pub strict: bool,
    /// A `dial` without `actionHook` asks `dial`, an `amd` without one asks `amd`.
    pub default_hooks: bool,
    /// What an unanswered caller gets when the list ends.
    pub decline: Decline,
}

/// Status for a caller whose list of verbs ended before anything answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decline {
    /// The final SIP status of the last failed dial, 603 where no dial ran.
    Last,
    /// Always 603.
    Always603,
}

/// One `[[carrier]]`.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// UUIDv5 of kind and name.
    pub sid: String,
    /// What a target's `trunk` names.
    pub name: String,
    /// Name of the application of calls that come in on it.
    pub application: Option<String>,
    /// Dialled numbers that begin with 1 to 9 get a leading `+`.
    pub e164_leading_plus: bool,
    /// Digits put before every dialled number.
    pub tech_prefix: Option<String>,
    /// User of a Diversion header on outbound calls.
    pub diversion: Option<String>,
    /// Send `X-Call-Sid` to this carrier.
    pub send_call_sid: bool,
    /// Calls in both directions at the same time, all there may be; none = no limit.
    pub max_calls: Option<u32>,
    /// New calls a second in both directions; none = no limit.
    pub max_cps: Option<u32>,
    /// Whoever is called or calls over it presses keys as tones in the audio.
    pub has_tones: bool,
    /// Contacts of its 3xx are called, up to four for a target.
    pub follow_redirects: bool,
    /// What answers its challenges on outbound calls.
    pub credentials: Option<Credentials>,
    /// Its addresses.
    pub gateways: Vec<Gateway>,
}

/// Name and password for somebody else's digest. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// The only realm they are meant for; any where there is none.
    pub realm: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

/// One `[[carrier.gateway]]`.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// IP address, network, or (outbound only) DNS name.
    pub host: GatewayHost,
    /// Port calls are sent to; without one the DNS may name it, else it is 5060.
    pub port: Option<u16>,
    /// How calls are sent; without it the DNS may say it, else it is UDP where there is UDP. Calls
    /// from it are told by their source address, whatever they come over.
    pub transport: Option<Transport>,
    /// Calls from this address belong to the carrier.
    pub inbound: bool,
    /// Calls may be sent to it.
    pub outbound: bool,
    /// Lower is tried first.
    pub priority: u32,
    /// Share of the calls among gateways of the same priority.
    pub weight: u32,
}

/// Address of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayHost {
    /// An address or a network; outbound only with a full mask.
    Net(IpNet),
    /// A name to resolve; outbound only.
    Name(String),
}

/// One `[[phone_number]]`.
#[derive(Clone, Debug)]
pub struct PhoneNumber {
    /// Digits without a leading `+`; a trailing `*` matches any rest.
    pub number: String,
    /// Carrier it must come in on, any when absent.
    pub carrier: Option<String>,
    /// Application that it runs.
    pub application: String,
}

/// One `[[client]]`: a SIP user.
#[derive(Clone)]
pub struct Client {
    /// User part of its address.
    pub username: String,
    /// Secret of its digest.
    pub password: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("username", &self.username).finish_non_exhaustive()
    }
}

/// `[limits]`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Targets of one dial that are called; the rest are skipped.
    pub dial_targets: usize,
    /// Longest screening.
    pub confirm: Duration,
    /// Callers at the same time; over it 503 with Retry-After.
    pub calls: usize,
    /// New callers a second; over it 503 with Retry-After.
    pub calls_per_second: u32,
    /// Requests a second of an address that has proved nothing; ten times as many at once. Above
    /// it the address is not answered for a minute.
    pub stranger_requests_per_second: u32,
    /// A gateway that has not rung the callee for this long gives way to the carrier's next one.
    pub gateway_progress: Duration,
    /// How long SIGTERM waits for live calls.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            dial_targets: 10,
            confirm: Duration::from_secs(60),
            calls: 2500,
            calls_per_second: 200,
            stranger_requests_per_second: 10,
            gateway_progress: Duration::from_secs(5),
            drain: Duration::from_secs(600),
        }
    }
}

impl Settings {
    /// The application of that name.
    pub fn application(&self, name: &str) -> Option<&Arc<Application>> {
        self.applications.iter().find(|application| application.name == name)
    }

    /// The carrier of that name.
    pub fn carrier(&self, name: &str) -> Option<&Arc<Carrier>> {
        self.carriers.iter().find(|carrier| carrier.name == name)
    }

    /// The SIP user of that name.
    pub fn client(&self, username: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.username == username)
    }

    /// The carrier whose inbound gateway holds `source`, by the longest mask; with the same mask
    /// in several carriers, all of them, for a phone number to decide.
    pub fn carriers_of_source(&self, source: IpAddr) -> Vec<&Arc<Carrier>> {
        let mut longest = 0;
        let mut found: Vec<&Arc<Carrier>> = Vec::new();
        for carrier in &self.carriers {
            for gateway in carrier.gateways.iter().filter(|gateway| gateway.inbound) {
                let GatewayHost::Net(net) = &gateway.host else { continue };
                if !net.contains(&source) || (net.prefix_len() < longest && !found.is_empty()) {
                    continue;
                }
                if net.prefix_len() > longest {
                    found.clear();
                    longest = net.prefix_len();
                }
                if !found.iter().any(|known| known.name == carrier.name) {
                    found.push(carrier);
                }
            }
        }
        found
    }
}
