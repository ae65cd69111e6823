//! Where a target is called: which carrier and gateway, which contacts of a user, which host of a
//! SIP URI; and what the INVITE looks like.
//!
//! A pure choice from the settings and the table of registrations. Names are resolved later, by
//! the driver.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use sip::registrar::Registrar;
use sip::{Flow, Invite, Login, NameAddr, Scheme, Transport, Uri};
use verbs::status::LostBecause;
use verbs::{Endpoint, Target};

use crate::call::Call;
use crate::leg::LegId;
use crate::proxy::Proxy;
use crate::random::Random;
use crate::settings::{Carrier, Credentials, Gateway, GatewayHost, Settings};

/// SIP's own port (RFC 3261 §19.1.2).
pub(crate) const SIP_PORT: u16 = 5060;

/// One way to call a target.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// Request-URI, also the URI of To.
    pub(crate) uri: String,
    /// Where to send it.
    pub(crate) next_hop: NextHop,
    /// The gateway as the operator wrote it, for reports.
    pub(crate) gateway: Option<String>,
    /// Whom it reaches, which decides what may be told to it.
    pub(crate) reaches: Reaches,
    /// The carrier, whose limits count.
    pub(crate) carrier: Option<Arc<Carrier>>,
    /// User of the Diversion header, and the host that names the carrier.
    pub(crate) diversion: Option<(String, String)>,
    /// What answers a challenge of the next hop, and of nobody else: a redirection drops it.
    pub(crate) credentials: Option<Credentials>,
    /// Route of the INVITE, where the application names its next hop.
    pub(crate) proxy: Option<String>,
    /// The user whose device it is.
    pub(crate) user: Option<String>,
    /// A 3xx from there named it, which bounds where it may lead.
    pub(crate) redirected_by: Option<IpAddr>,
}

/// The ways to call one target.
#[derive(Clone, Debug)]
pub(crate) enum Ways {
    /// All of them together: the contacts of a user.
    AtOnce(Vec<Attempt>),
    /// The next where the one before fails: the gateways of a carrier.
    InTurn(VecDeque<Attempt>),
}

/// Gateways that asked to be left alone, by `host:port`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resting {
    until: BTreeMap<String, Instant>,
}

impl Resting {
    /// Leaves this gateway alone until then.
    pub(crate) fn rest(&mut self, now: Instant, gateway: String, until: Instant) {
        self.until.retain(|_, until| *until > now);
        self.until.insert(gateway, until);
    }

    fn rests(&self, now: Instant, gateway: &str) -> bool {
        self.until.get(gateway).is_some_and(|until| *until > now)
    }
}

impl Attempt {
    /// What answers the challenges of one address of the next hop.
    pub(crate) fn login(&self) -> Option<Login> {
        let Credentials { username, password, realm } = self.credentials.clone()?;
        Some(Login::new(username, password, realm))
    }
}

/// Where an INVITE goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NextHop {
    /// Somewhere to resolve.
    Host {
        /// An IP literal or a name.
        host: String,
        /// Where one was named.
        port: Option<u16>,
        /// Where one was named.
        transport: Option<Transport>,
    },
    /// The way a registration came.
    Flow(Flow),
}

/// Whom an INVITE reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaches {
    /// A carrier; `true` where it is told our call_sid.
    Carrier(bool),
    /// A registered device of ours.
    Device,
    /// Whoever a SIP URI names.
    Address,
}

/// A target that cannot be called at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unroutable {
    /// What stands for the SIP status it never got.
    pub(crate) status: u16,
    /// Reason phrase.
    pub(crate) reason: String,
    /// Word for `dial_targets`.
    pub(crate) because: LostBecause,
    /// Alert to raise.
    pub(crate) alert: Option<&'static str>,
}

/// What the choice depends on.
pub(crate) struct Directory<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) registrar: &'a Registrar,
    /// Number the callee sees: picks the carrier that owns it.
    pub(crate) caller_id: &'a str,
    /// The carrier that the caller came in on.
    pub(crate) inbound: Option<&'a Arc<Carrier>>,
    /// The device that calls, where it is one of ours: it is not called back by its own call.
    pub(crate) calling_device: Option<SocketAddr>,
    pub(crate) resting: &'a Resting,
    /// Next hop of all targets that name none.
    pub(crate) proxy: Option<&'a str>,
    pub(crate) now: Instant,
}

impl Directory<'_> {
    /// The ways to call `target`; never none.
    pub(crate) fn ways(&self, target: &Target, random: &mut Random) -> Result<Ways, Unroutable> {
        let ways = self.direct_ways(target, random)?;
        let Some(proxy) = target.proxy.as_deref().or(self.proxy) else { return Ok(ways) };
        let proxy = Proxy::read(proxy)?;
        let through = |way| proxy.before(way);
        Ok(match ways {
            Ways::AtOnce(ways) => Ways::AtOnce(ways.into_iter().map(through).collect()),
            Ways::InTurn(ways) => Ways::InTurn(ways.into_iter().map(through).collect()),
        })
    }

    fn direct_ways(&self, target: &Target, random: &mut Random) -> Result<Ways, Unroutable> {
        match &target.endpoint {
            Endpoint::Phone { number, trunk } => self.phone(number, trunk.as_deref(), random),
            Endpoint::User { name, override_to } => {
                self.user(name, override_to.as_deref()).map(Ways::AtOnce)
            }
            Endpoint::Sip { sip_uri, auth } => {
                let mut attempt = sip_uri_attempt(sip_uri)?;
                attempt.credentials = auth.as_ref().map(|auth| Credentials {
                    username: auth.username.clone(),
                    password: auth.password.clone(),
                    realm: None,
                });
                Ok(Ways::AtOnce(vec![attempt]))
            }
            Endpoint::Teams { .. } => Err(Unroutable {
                status: 501,
                reason: "Teams targets are not supported".to_owned(),
                because: LostBecause::Unreachable,
                alert: Some("not-supported"),
            }),
        }
    }

    /// The carrier's gateways: lower priority first, within one by chance as heavy as they are.
    /// Gateways that asked for rest are left out, unless there are no others.
    fn phone(
        &self,
        number: &str,
        trunk: Option<&str>,
        random: &mut Random,
    ) -> Result<Ways, Unroutable> {
        let carrier = self.carrier(trunk)?;
        let outbound = carrier.gateways.iter().filter(|gateway| gateway.outbound);
        let mut gateways: Vec<(&Gateway, String)> = outbound
            .filter_map(|gateway| gateway_host(gateway).map(|host| (gateway, host)))
            .collect();
        let awake = |(gateway, host): &(&Gateway, String)| {
            !self.resting.rests(self.now, &place_of(host, gateway.port))
        };
        if gateways.iter().any(awake) {
            gateways.retain(awake);
        }
        let attempts: VecDeque<Attempt> = by_preference(gateways, random)
            .into_iter()
            .map(|(gateway, host)| gateway_attempt(carrier, gateway, host, number))
            .collect();
        if attempts.is_empty() {
            let reason = format!("carrier {} has no outbound gateway", carrier.name);
            return Err(no_carrier(603, reason));
        }
        Ok(Ways::InTurn(attempts))
    }

    /// The trunk by name; else the carrier that owns the caller's number, the one the call came
    /// in on, the first that has an outbound gateway.
    fn carrier(&self, trunk: Option<&str>) -> Result<&Arc<Carrier>, Unroutable> {
        let settings = self.settings;
        if let Some(trunk) = trunk {
            // why: never another carrier in place of the one that was named.
            return settings.carrier(trunk).ok_or_else(|| Unroutable {
                status: 404,
                reason: "no such trunk".to_owned(),
                because: LostBecause::NoSuchTrunk,
                alert: Some("no-carrier"),
            });
        }
        let number = self.caller_id.trim_start_matches('+');
        let owner = settings
            .phone_numbers
            .iter()
            .filter(|known| known.number == number)
            .find_map(|known| known.carrier.as_deref().and_then(|name| settings.carrier(name)));
        let outbound = |carrier: &&Arc<Carrier>| carrier.gateways.iter().any(|g| g.outbound);
        owner
            .filter(outbound)
            .or_else(|| self.inbound.and_then(|c| settings.carrier(&c.name)).filter(outbound))
            .or_else(|| settings.carriers.iter().find(outbound))
            .ok_or_else(|| no_carrier(603, "no carrier has an outbound gateway".to_owned()))
    }

    fn user(&self, name: &str, override_to: Option<&str>) -> Result<Vec<Attempt>, Unroutable> {
        let user = name.split('@').next().unwrap_or(name);
        let bindings = self.registrar.lookup(self.now, user);
        let registered = !bindings.is_empty();
        let attempts: Vec<Attempt> = bindings
            .into_iter()
            .filter(|binding| Some(binding.flow.remote) != self.calling_device)
            .map(|binding| {
                let mut uri = binding.contact.uri.clone();
                if let Some(user) = override_to {
                    uri.user = Some(escape_user(user));
                }
                Attempt {
                    uri: uri.to_string(),
                    next_hop: NextHop::Flow(binding.flow),
                    gateway: None,
                    carrier: None,
                    reaches: Reaches::Device,
                    diversion: None,
                    credentials: None,
                    proxy: None,
                    user: Some(user.to_owned()),
                    redirected_by: None,
                }
            })
            .collect();
        if attempts.is_empty() && registered {
            return Err(Unroutable {
                status: 482,
                reason: "the caller's own phone".to_owned(),
                because: LostBecause::Rejected,
                alert: None,
            });
        }
        if attempts.is_empty() {
            return Err(Unroutable {
                status: 404,
                reason: format!("{user} is not registered"),
                because: LostBecause::NotRegistered,
                alert: None,
            });
        }
        Ok(attempts)
    }
}

fn place_of(host: &str, port: Option<u16>) -> String {
    match port {
        Some(port) if port != SIP_PORT => format!("{host}:{port}"),
        _ => host.to_owned(),
    }
}

fn gateway_attempt(
    carrier: &Arc<Carrier>,
    gateway: &Gateway,
    host: String,
    number: &str,
) -> Attempt {
    let place = place_of(&host, gateway.port);
    Attempt {
        uri: format!("sip:{}@{place}", format_number(carrier, number)),
        next_hop: NextHop::Host { host, port: gateway.port, transport: gateway.transport },
        diversion: carrier.diversion.clone().map(|user| (user, place.clone())),
        gateway: Some(place),
        carrier: Some(Arc::clone(carrier)),
        reaches: Reaches::Carrier(carrier.send_call_sid),
        credentials: carrier.credentials.clone(),
        proxy: None,
        user: None,
        redirected_by: None,
    }
}

/// Lower priority first; within one priority each next gateway is drawn by weight, as RFC 2782
/// draws servers, so that all are in the order and the heavy ones mostly first.
fn by_preference<'a>(
    mut gateways: Vec<(&'a Gateway, String)>,
    random: &mut Random,
) -> Vec<(&'a Gateway, String)> {
    let mut ordered = Vec::with_capacity(gateways.len());
    while let Some(lowest) = gateways.iter().map(|(gateway, _)| gateway.priority).min() {
        let share = |gateway: &Gateway| match gateway.priority == lowest {
            true => u64::from(gateway.weight).max(1),
            false => 0,
        };
        let total: u64 = gateways.iter().map(|(gateway, _)| share(gateway)).sum();
        let mut drawn = random.next_u64() % total.max(1);
        let index = gateways.iter().position(|(gateway, _)| {
            let share = share(gateway);
            let found = drawn < share;
            drawn = drawn.saturating_sub(share);
            found
        });
        ordered.push(gateways.remove(index.unwrap_or(0)));
    }
    ordered
}

fn no_carrier(status: u16, reason: String) -> Unroutable {
    Unroutable { status, reason, because: LostBecause::Unreachable, alert: Some("no-carrier") }
}

fn sip_uri_attempt(sip_uri: &str) -> Result<Attempt, Unroutable> {
    let uri = read_uri(sip_uri, "request-uri")?;
    let transport = transport_of(&uri)?;
    Ok(Attempt {
        uri: sip_uri.to_owned(),
        next_hop: NextHop::Host { host: uri.host.clone(), port: uri.port, transport },
        gateway: None,
        carrier: None,
        reaches: Reaches::Address,
        diversion: None,
        credentials: None,
        proxy: None,
        user: None,
        redirected_by: None,
    })
}

pub(crate) fn read_uri(text: &str, what: &str) -> Result<Uri, Unroutable> {
    Uri::parse(text).map_err(|fault| Unroutable {
        status: 400,
        reason: format!("invalid {what}: {fault}"),
        because: LostBecause::Unreachable,
        alert: None,
    })
}

/// What a URI says of the transport (RFC 3261 §19.1.1). One that is not supported is no reason to
/// take another: `sips:` and `transport=tls` ask for a call that nobody overhears.
pub(crate) fn transport_of(uri: &Uri) -> Result<Option<Transport>, Unroutable> {
    let wanted = match uri.params.get("transport") {
        _ if uri.scheme == Scheme::Sips => "tls",
        None => return Ok(None),
        Some(transport) => transport,
    };
    let known = [Transport::Udp, Transport::Tcp].into_iter();
    let found = known.into_iter().find(|known| wanted.eq_ignore_ascii_case(known.uri_parameter()));
    found.map(Some).ok_or_else(|| Unroutable {
        status: 503,
        reason: format!("transport {wanted} is not supported; expected udp or tcp"),
        because: LostBecause::Unreachable,
        alert: Some("not-supported"),
    })
}

/// A URI as it stands in To. RFC 3261 §19.1.1: a transport has no place there.
fn addressed(uri: &str) -> String {
    match Uri::parse(uri) {
        Ok(mut parsed) if parsed.params.has("transport") => {
            parsed.params.remove("transport");
            parsed.to_string()
        }
        _ => uri.to_owned(),
    }
}

fn gateway_host(gateway: &Gateway) -> Option<String> {
    match &gateway.host {
        GatewayHost::Name(name) => Some(name.clone()),
        GatewayHost::Net(net) if net.prefix_len() == net.max_prefix_len() => {
            Some(host_text(net.addr()))
        }
        GatewayHost::Net(_) => None,
    }
}

/// A number as the carrier wants it: prefix, `+` where it asks for one, digits.
fn format_number(carrier: &Carrier, number: &str) -> String {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let international = digits.starts_with(|first: char| ('1'..='9').contains(&first));
    let plus = if carrier.e164_leading_plus && international { "+" } else { "" };
    let prefix = carrier.tech_prefix.as_deref().unwrap_or_default();
    format!("{prefix}{plus}{}", escape_user(digits))
}

/// An address as the host of a URI.
pub(crate) fn host_text(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// What cannot stand in the user part of a URI, as `%XX` (RFC 3261 §25.1 `user`).
pub(crate) fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/#".contains(&byte);
        if plain {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The host and port that we advertise on this flow.
pub(crate) fn advertised(flow: Flow) -> String {
    let host = host_text(flow.local.ip());
    match flow.local.port() {
        SIP_PORT => host,
        port => format!("{host}:{port}"),
    }
}

impl Call {
    /// The INVITE of a callee: From as the application asked, the headers it set, and what of the
    /// caller's identity may pass.
    pub(crate) fn build_invite(&self, id: LegId, body: Vec<u8>) -> Option<Invite> {
        let leg = self.legs.get(&id)?;
        let flow = leg.flow?;
        let dial = &self.dial.as_ref()?.verb;
        let target = dial.target.get(leg.target)?;
        let from_host = target.from.as_ref().and_then(|from| from.host.clone());
        let host = from_host.unwrap_or_else(|| advertised(flow));
        let uri = Uri::parse(&format!("sip:{}@{host}", escape_user(&leg.from))).ok()?;
        let from = NameAddr { display: dial.caller_name.clone(), ..NameAddr::new(uri) };
        Some(Invite {
            flow,
            large: leg.large,
            request_uri: leg.route.uri.clone(),
            from: from.to_string(),
            to: format!("<{}>", addressed(&leg.route.uri)),
            contact_user: Some(escape_user(&leg.from)),
            route: leg.route.proxy.iter().cloned().collect(),
            max_forwards: self.caller.origin.hops_left(),
            headers: self.invite_headers(id),
            content_type: "application/sdp",
            body,
        })
    }

    /// Lowest first: what passes from the caller, what the dial sets, what the target sets.
    fn invite_headers(&self, id: LegId) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = Vec::new();
        let (Some(leg), Some(dial)) = (self.legs.get(&id), self.dial.as_ref()) else {
            return headers;
        };
        let arrived = self.caller.origin.request();
        if let Some(request) = arrived.filter(|_| dial.verb.forward_pai != Some(false)) {
            for name in ["P-Asserted-Identity", "Privacy"] {
                for value in request.header_all(name) {
                    set(&mut headers, name, &String::from_utf8_lossy(value), false);
                }
            }
        }
        let tells_sid = matches!(leg.route.reaches, Reaches::Device | Reaches::Carrier(true));
        if tells_sid {
            set(&mut headers, "X-Call-Sid", &leg.call_sid, true);
        }
        if let Some((user, host)) = &leg.route.diversion {
            let user = user.trim_start_matches('+');
            let value = format!("<sip:+{user}@{host}>;reason=unknown;counter=1;privacy=off");
            set(&mut headers, "Diversion", &value, true);
        }
        for (name, value) in &dial.verb.headers {
            set(&mut headers, name, value, true);
        }
        if let Some(target) = dial.verb.target.get(leg.target) {
            for (name, value) in &target.headers {
                set(&mut headers, name, value, true);
            }
        }
        headers
    }
}

fn set(headers: &mut Vec<(String, String)>, name: &str, value: &str, replace: bool) {
    if replace {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }
    headers.push((name.to_owned(), value.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_says_which_transport_it_wants_and_gets_no_other() {
        for (uri, transport) in [
            ("sip:b@192.0.2.1", Ok(None)),
            ("sip:b@192.0.2.1;transport=udp", Ok(Some(Transport::Udp))),
            ("sip:b@192.0.2.1;lr;transport=TCP", Ok(Some(Transport::Tcp))),
            ("sip:b@192.0.2.1;transport=tls", Err("tls")),
            ("sip:b@192.0.2.1;transport=ws", Err("ws")),
            ("sips:b@192.0.2.1", Err("tls")),
            ("sips:b@192.0.2.1;transport=tcp", Err("tls")),
        ] {
            match (sip_uri_attempt(uri), transport) {
                (Ok(attempt), Ok(transport)) => {
                    let host = "192.0.2.1".to_owned();
                    assert_eq!(attempt.next_hop, NextHop::Host { host, port: None, transport });
                    assert_eq!(attempt.uri, uri);
                }
                (Err(why), Err(word)) => {
                    let wanted = format!("transport {word} is not supported; expected udp or tcp");
                    assert_eq!((why.status, why.reason), (503, wanted), "{uri}");
                }
                (attempt, _) => panic!("{uri}: {attempt:?}"),
            }
        }
    }

    #[test]
    fn to_names_no_transport() {
        assert_eq!(addressed("sip:b@192.0.2.1:5070;transport=tcp;x=y"), "sip:b@192.0.2.1:5070;x=y");
        assert_eq!(addressed("sip:*98#@host"), "sip:*98#@host");
        assert_eq!(addressed("tel:+49"), "tel:+49");
    }
}
