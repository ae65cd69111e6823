//! The sections that stand for themselves: `[sip]`, `[media]`, `[http]`, `[limits]`, and those
//! of later versions, which are checked, named and ignored.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use call::settings::{Limits, ReferPolicy};
use hooks::Secret;
use ipnet::IpNet;
use media::tone;

use super::fault::Place;
use super::reader::{Entry, Section};
use super::{HttpConfig, LogFormat, MediaConfig, SipConfig, sounds, value};

/// RFC 3261 §17.1.1.1.
const T1: Duration = Duration::from_millis(500);
/// Long enough for a phone that registers every 30 s to be found between two registrations.
const UDP_REGISTRATION_EXPIRES: Duration = Duration::from_secs(30);
/// Below the ephemeral range of Linux.
const PORTS: RangeInclusive<u16> = 12000..=31999;
/// First port of Linux's default ephemeral range.
const EPHEMERAL_FIRST: u16 = 32768;
/// No RTP for this long ends a call.
const MEDIA_TIMEOUT: Duration = Duration::from_secs(60);
/// RFC 4028 §4.2: the value that it recommends.
const SESSION_EXPIRES: Duration = Duration::from_secs(1800);
/// RFC 4028 §4: no Session-Expires is shorter.
const SESSION_EXPIRES_MIN: Duration = Duration::from_secs(90);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

const UNSUPPORTED: &str = "is not supported yet by this version and is ignored";
const ADDRESS_AND_PORT: &str = "an IP address and a port such as \"0.0.0.0:5060\"";
const ADDRESS: &str = "an IP address such as \"203.0.113.5\"";

/// Says that a key of a later version does nothing.
pub(super) fn ignored(entry: &Entry<'_>) {
    let key = entry.pointer.rsplit('/').next().unwrap_or_default();
    entry.warn(&format!("{key} {UNSUPPORTED}"));
}

/// Refuses a key of a later version that nobody may believe in.
pub(super) fn refused(entry: &Entry<'_>, remedy: &str) {
    let key = entry.pointer.rsplit('/').next().unwrap_or_default();
    entry.fault(&format!("{key} is not supported yet by this version"), remedy);
}

fn socket_address(entry: &Entry<'_>) -> Option<SocketAddr> {
    entry.parsed("not an address and port", ADDRESS_AND_PORT)
}

pub(super) fn sip(section: Section<'_>) -> Option<SipConfig> {
    let (udp, tcp) = (section.entry("udp"), section.entry("tcp"));
    if udp.is_none() && tcp.is_none() {
        let expected = "the address to listen on, udp = \"0.0.0.0:5060\"";
        section.missing("udp", "udp is missing", expected);
    }
    let udp = udp.and_then(|entry| socket_address(&entry));
    let tcp = tcp.and_then(|entry| socket_address(&entry));
    if let Some(entry) = section.entry("ws")
        && socket_address(&entry).is_some()
    {
        ignored(&entry);
    }
    for key in ["tls", "wss"] {
        if let Some(entry) = section.entry(key)
            && socket_address(&entry).is_some()
        {
            refused(&entry, "udp or tcp, through a VPN where calls must be private");
        }
    }
    for key in ["tls_certificate", "tls_key"] {
        if let Some(entry) = section.entry(key)
            && entry.text().is_some()
        {
            ignored(&entry);
        }
    }
    let external_address = section.entry("external_address").and_then(|entry| {
        let address: IpAddr = entry.parsed("not an address", ADDRESS)?;
        if address.is_unspecified() || address.is_multicast() {
            entry.fault("an address nobody can send to", ADDRESS);
            return None;
        }
        Some(address)
    });
    let realm = section.entry("realm").and_then(|entry| {
        let realm = entry.text()?;
        if !value::is_dns_name(realm) && realm.parse::<IpAddr>().is_err() {
            entry.fault("not a domain", "a domain such as \"sip.example.com\"");
            return None;
        }
        Some(realm.to_owned())
    });
    let refer = section.entry("refer").map_or(ReferPolicy::Refuse, |entry| refer(&entry));
    let t1 = section.entry("t1_ms").and_then(|entry| entry.integer(10..=10_000));
    let expires = section.entry("udp_registration_expires");
    let expires = expires.and_then(|entry| entry.duration(SECOND..=HOUR));
    let session_expires = section.entry("session_expires");
    let session_expires = session_expires.and_then(|entry| session_expiry(&entry));
    section.finish();
    if udp.is_none() && tcp.is_none() {
        return None;
    }
    Some(SipConfig {
        udp,
        tcp,
        external_address,
        realm,
        t1: t1.map_or(T1, |t1| Duration::from_millis(t1.unsigned_abs())),
        udp_registration_expires: expires.unwrap_or(UDP_REGISTRATION_EXPIRES),
        refer,
        session_expires: Some(session_expires.unwrap_or(SESSION_EXPIRES))
            .filter(|expires| !expires.is_zero()),
    })
}

fn refer(entry: &Entry<'_>) -> ReferPolicy {
    if entry.word(&["refuse", "transfer"]) != Some("transfer") {
        return ReferPolicy::Refuse;
    }
    ReferPolicy::Transfer
}

/// Zero, or at least what RFC 4028 allows.
fn session_expiry(entry: &Entry<'_>) -> Option<Duration> {
    let expires = entry.duration(Duration::ZERO..=DAY)?;
    if !expires.is_zero() && expires < SESSION_EXPIRES_MIN {
        entry.fault("out of range", "a duration from 90s to 86400s, or 0 for none");
        return None;
    }
    Some(expires)
}

/// Paths are relative to `directory`.
pub(super) fn media(section: Section<'_>, directory: &Path) -> MediaConfig {
    let address =
        section.entry("address").and_then(|entry| entry.parsed("not an address", ADDRESS));
    let address = address.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let ports = section.entry("ports").and_then(|entry| ports(&entry));
    let timeout = section.entry("timeout").and_then(|entry| entry.duration(Duration::ZERO..=DAY));
    let timeout = timeout.unwrap_or(MEDIA_TIMEOUT);
    let ringback = section.entry("ringback").and_then(|entry| {
        let code = entry.text()?;
        if tone::country(code).is_none() {
            let known: Vec<&str> = tone::countries().collect();
            entry.fault("no tone of that country", &format!("one of {}", known.join(", ")));
            return None;
        }
        Some(code.to_owned())
    });
    let open = section.entry("sounds").map(|entry| sounds::directories(&entry, directory));
    let hold_music =
        section.entry("hold_music").and_then(|entry| sounds::hold_music(&entry, directory));
    section.finish();
    MediaConfig {
        address,
        ports: ports.unwrap_or(PORTS),
        timeout: Some(timeout).filter(|timeout| !timeout.is_zero()),
        ringback: ringback.unwrap_or_else(|| "us".to_owned()),
        sounds: open.unwrap_or_default(),
        hold_music,
    }
}

fn ports(entry: &Entry<'_>) -> Option<RangeInclusive<u16>> {
    let expected = "two ports such as \"12000-31999\", from 1024 on, the lower one first";
    let Some(range) = value::ports(entry.text()?) else {
        entry.fault("not a range of ports", expected);
        return None;
    };
    let (low, high) = (*range.start(), *range.end());
    // RFC 3550 §11: RTP takes the even port, RTCP the odd one after it.
    if low < 1024 || low > high || high - (low + low % 2).min(high) < 1 {
        entry.fault("not a range with room for one stream", expected);
        return None;
    }
    if high >= EPHEMERAL_FIRST {
        entry.warn(&format!(
            "the range reaches into the ports that Linux gives to others, {EPHEMERAL_FIRST} and \
             up; a call skips a port that is taken"
        ));
    }
    Some(range)
}

pub(super) fn http(section: Section<'_>) -> HttpConfig {
    let listen = section.entry("listen").and_then(|entry| socket_address(&entry));
    let admin_token = section.secret("admin_token").and_then(|entry| entry.text());
    let webhook_secret = section.secret("webhook_secret").and_then(|entry| entry.text());
    let mut allow_private: Vec<IpNet> = Vec::new();
    for entry in section.entry("allow_private").iter().flat_map(Entry::elements) {
        let Some(text) = entry.text() else { continue };
        match value::network(text) {
            Some(network) => allow_private.push(network.trunc()),
            None => entry.fault("not a network", "a network such as \"10.0.0.0/8\""),
        }
    }
    section.finish();
    HttpConfig {
        listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3000))),
        admin_token: admin_token.map(|token| Secret(token.to_owned())),
        webhook_secret: webhook_secret.map(|secret| Secret(secret.to_owned())),
        allow_private,
    }
}

/// The limits, where `calls` stands, and whether it does.
pub(super) fn limits(section: Section<'_>) -> (Limits, Place, bool) {
    let defaults = Limits::default();
    let (calls_place, calls_given) = (section.place_of("calls"), section.entry("calls").is_some());
    let integer = |key, high| {
        let number = section.entry(key).and_then(|entry| entry.integer(1..=high));
        number.map(i64::unsigned_abs)
    };
    let limits = Limits {
        dial_targets: integer("dial_targets", 100).map_or(defaults.dial_targets, to_size),
        calls: integer("calls", 100_000).map_or(defaults.calls, to_size),
        calls_per_second: integer("calls_per_second", 10_000)
            .and_then(|number| number.try_into().ok())
            .unwrap_or(defaults.calls_per_second),
        stranger_requests_per_second: integer("stranger_requests_per_second", 10_000)
            .and_then(|number| number.try_into().ok())
            .unwrap_or(defaults.stranger_requests_per_second),
        confirm: section
            .entry("confirm")
            .and_then(|entry| entry.duration(SECOND..=HOUR))
            .unwrap_or(defaults.confirm),
        gateway_progress: section
            .entry("gateway_progress")
            .and_then(|entry| entry.duration(SECOND..=HOUR))
            .unwrap_or(defaults.gateway_progress),
        drain: section
            .entry("drain")
            .and_then(|entry| entry.duration(Duration::ZERO..=DAY))
            .unwrap_or(defaults.drain),
    };
    section.finish();
    (limits, calls_place, calls_given)
}

fn to_size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// `[log]`.
pub(super) fn log(section: Section<'_>) -> LogFormat {
    let word = section.entry("format").and_then(|entry| entry.word(&["text", "json"]));
    section.finish();
    if word == Some("json") { LogFormat::Json } else { LogFormat::Text }
}

/// `[store]`: where call records, alerts and generated secrets are kept.
pub(super) fn store(section: Section<'_>) -> Option<String> {
    // why: such a URL may hold a password.
    let url = section.secret("url").and_then(|entry| {
        let text = entry.text()?;
        if text.starts_with("sqlite:") {
            return Some(text.to_owned());
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            refused(&entry, "\"sqlite:switchhook.db\"");
        } else {
            entry.fault("not a store", "\"sqlite:\" and a file");
        }
        None
    });
    section.finish();
    url
}

/// `[cluster]`: checked, named and ignored.
pub(super) fn later(section: Section<'_>, key: &'static str, schemes: &[&str]) {
    // why: such a URL may hold a password.
    if let Some(entry) = section.secret(key)
        && let Some(url) = entry.text()
    {
        if schemes.iter().any(|scheme| url.starts_with(scheme)) {
            ignored(&entry);
        } else {
            entry.fault("unknown kind of URL", &format!("one of {}", schemes.join(", ")));
        }
    }
    section.finish();
}
