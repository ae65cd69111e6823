//! `[[carrier]]` and its gateways.

use std::sync::Arc;

use call::settings::{Carrier, Credentials, Gateway, GatewayHost, PhoneNumber};
use ipnet::IpNet;
use sip::Transport;

use super::SipConfig;
use super::names::{Names, sid};
use super::plain::refused;
use super::reader::{Entry, Section};
use super::value;

/// Longest tech prefix and longest Diversion user, as carriers' tables have them.
const TECH_PREFIX_MAX: usize = 16;
const DIVERSION_MAX: usize = 32;

const HOST: &str = "an IP address, a network such as \"203.0.113.0/24\", or a DNS name such as \
                    \"sip.example.com\"";

/// An inbound gateway, as the check for ambiguous sources wants it.
struct Source<'a> {
    net: IpNet,
    carrier: &'a str,
    host: Entry<'a>,
}

/// The carriers of the file while it is walked.
pub(super) struct Carriers<'a> {
    pub(super) carriers: Vec<Arc<Carrier>>,
    pub(super) names: Names<'a>,
    sources: Vec<Source<'a>>,
    /// What `[sip]` listens on; empty where it is faulty itself.
    transports: Vec<Transport>,
}

impl<'a> Carriers<'a> {
    pub(super) fn read(
        sections: Vec<Section<'a>>,
        applications: &Names<'a>,
        sip: Option<&SipConfig>,
    ) -> Carriers<'a> {
        let names = Names::new("carrier");
        let udp = sip.and_then(|sip| sip.udp).map(|_| Transport::Udp);
        let tcp = sip.and_then(|sip| sip.tcp).map(|_| Transport::Tcp);
        let transports = udp.into_iter().chain(tcp).collect();
        let mut all = Carriers { carriers: Vec::new(), names, sources: Vec::new(), transports };
        for section in sections {
            let carrier = all.carrier(section, applications);
            all.carriers.extend(carrier.map(Arc::new));
        }
        all
    }

    fn carrier(&mut self, section: Section<'a>, applications: &Names<'a>) -> Option<Carrier> {
        let name = section.required("name", "the name that a target's trunk gives");
        let name = name.and_then(|entry| self.names.declare(&entry));
        let application = section.entry("application");
        let application = application.and_then(|entry| applications.refer(&entry));
        let flag = |key| section.entry(key).and_then(|entry| entry.boolean()).unwrap_or(false);
        let (e164_leading_plus, send_call_sid) = (flag("e164_leading_plus"), flag("send_call_sid"));
        let follow_redirects = flag("follow_redirects");
        let dtmf_type = section.entry("dtmf_type");
        let dtmf_type = dtmf_type.and_then(|entry| entry.word(&["rfc2833", "tones"]));
        let has_tones = dtmf_type == Some("tones");
        let tech_prefix = section.entry("tech_prefix").and_then(|entry| {
            let is_dialled = |c: char| c.is_ascii_digit() || "+*#".contains(c);
            short(&entry, TECH_PREFIX_MAX, is_dialled, "digits, * and #")
        });
        let diversion = section.entry("diversion").and_then(|entry| {
            short(
                &entry,
                DIVERSION_MAX,
                |c| value::is_sip_user(c.encode_utf8(&mut [0; 4])),
                "a SIP user",
            )
        });
        let credentials = section.entry("register").and_then(|entry| credentials(&entry));
        if let Some(entry) = section.entry("inbound_auth")
            && entry.table().is_some()
        {
            refused(&entry, "no such key: a call is the carrier's by the address of a gateway");
        }
        let limit = |key| {
            let number = section.entry(key).and_then(|entry| entry.integer(1..=1_000_000));
            number.and_then(|number| u32::try_from(number).ok())
        };
        let (max_calls, max_cps) = (limit("max_calls"), limit("max_cps"));
        let gateways = section.list("gateway");
        if gateways.is_empty() {
            section.missing("gateway", "the carrier has no gateway", "a [[carrier.gateway]]");
        }
        let gateways =
            gateways.into_iter().filter_map(|gateway| self.gateway(gateway, name)).collect();
        section.finish();
        let name = name?.to_owned();
        Some(Carrier {
            sid: sid("carrier", &name),
            name,
            application,
            e164_leading_plus,
            tech_prefix,
            diversion,
            send_call_sid,
            max_calls,
            max_cps,
            has_tones,
            follow_redirects,
            credentials,
            gateways,
        })
    }

    fn gateway(&mut self, section: Section<'a>, carrier: Option<&'a str>) -> Option<Gateway> {
        let host_entry = section.required("host", HOST);
        let host = host_entry.as_ref().and_then(host);
        let port = section.entry("port").and_then(|entry| entry.integer(1..=65535));
        let transport = section.entry("transport").and_then(|entry| self.transport(&entry));
        let inbound = section.entry("inbound");
        let outbound = section.entry("outbound");
        let wanted = |entry: &Option<Entry<'a>>| entry.as_ref().and_then(Entry::boolean);
        let (wants_in, wants_out) = (wanted(&inbound), wanted(&outbound));
        let (can_in, can_out) = match &host {
            Some(GatewayHost::Net(net)) => (true, net.prefix_len() == net.max_prefix_len()),
            Some(GatewayHost::Name(_)) => (false, true),
            None => (true, true),
        };
        if let (Some(entry), Some(true), false) = (&inbound, wants_in, can_in) {
            entry.fault("a DNS name is outbound only", "false, and the addresses as gateways");
        }
        if let (Some(entry), Some(true), false) = (&outbound, wants_out, can_out) {
            entry.fault("a network is inbound only", "false, and one address as a gateway");
        }
        let order = |key| {
            let number = section.entry(key).and_then(|entry| entry.integer(0..=65_535));
            number.and_then(|number| u32::try_from(number).ok())
        };
        let gateway = host.map(|host| Gateway {
            host,
            port: port.and_then(|port| u16::try_from(port).ok()),
            transport,
            inbound: wants_in.unwrap_or(can_in),
            outbound: wants_out.unwrap_or(can_out),
            priority: order("priority").unwrap_or(0),
            weight: order("weight").unwrap_or(1),
        });
        if let (Some(gateway), Some(host)) = (&gateway, host_entry) {
            self.remember(gateway, host, carrier);
        }
        section.finish();
        gateway
    }

    fn transport(&self, entry: &Entry<'_>) -> Option<Transport> {
        let transport = match entry.word(&["udp", "tcp", "tls"])? {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            _ => {
                refused(entry, "\"udp\" or \"tcp\"");
                return None;
            }
        };
        if !self.transports.is_empty() && !self.transports.contains(&transport) {
            let word = transport.uri_parameter();
            let expected = format!("{word} = \"0.0.0.0:5060\" in [sip] as well");
            entry.unresolved(&format!("SIP over {word} is not configured"), &expected, None);
        }
        Some(transport)
    }

    fn remember(&mut self, gateway: &Gateway, host: Entry<'a>, carrier: Option<&'a str>) {
        if !gateway.inbound && !gateway.outbound {
            host.unresolved("neither inbound nor outbound", "one of them to be true", None);
        }
        let GatewayHost::Net(net) = gateway.host else { return };
        if gateway.inbound && net.prefix_len() == 0 {
            host.warn("every address is this carrier; no caller is ever asked for a password");
        }
        if let (true, Some(carrier)) = (gateway.inbound, carrier) {
            self.sources.push(Source { net, carrier, host });
        }
    }

    /// Two carriers with the same network are told apart by the number that is called; a fault
    /// where no number does.
    pub(super) fn check_sources(&self, numbers: &[PhoneNumber]) {
        let decides =
            |carrier: &str| numbers.iter().any(|number| number.carrier.as_deref() == Some(carrier));
        for (index, source) in self.sources.iter().enumerate() {
            let earlier = self.sources.iter().take(index);
            let rival = earlier
                .filter(|rival| rival.net == source.net && rival.carrier != source.carrier)
                .find(|rival| !decides(rival.carrier) && !decides(source.carrier));
            if let Some(rival) = rival {
                let what = format!("carrier {} has the same source", rival.carrier);
                let expected = "one carrier for a source, or a [[phone_number]] with its carrier";
                source.host.unresolved(&what, expected, None);
            }
        }
    }
}

/// The account at the carrier. REGISTER is of a later version, its challenges are answered.
fn credentials(entry: &Entry<'_>) -> Option<Credentials> {
    let section = entry.table()?;
    let username = section.required("username", "the user name that the carrier gave out");
    let username = username.and_then(|entry| entry.text());
    let password = section.secret("password");
    if password.is_none() {
        section.missing("password", "password is missing", "the password of that user");
    }
    let password = password.and_then(|entry| entry.text());
    let realm = section.entry("realm").map(|entry| entry.text());
    section.finish();
    entry.warn(
        "this version does not register at the carrier: username and password answer its \
         challenges to calls, and calls from it are told by the addresses of its gateways",
    );
    let realm = match realm {
        None => None,
        // why: a realm that cannot be read must not become any realm.
        Some(realm) => Some(realm?.to_owned()),
    };
    Some(Credentials { username: username?.to_owned(), password: password?.to_owned(), realm })
}

fn short(
    entry: &Entry<'_>,
    max: usize,
    allowed: impl Fn(char) -> bool,
    what: &str,
) -> Option<String> {
    let text = entry.text()?;
    if text.chars().count() > max || !text.chars().all(allowed) {
        entry.fault("wrong text", &format!("{what}, at most {max} characters"));
        return None;
    }
    Some(text.to_owned())
}

fn host(entry: &Entry<'_>) -> Option<GatewayHost> {
    let text = entry.text()?;
    let Some(net) = value::network(text) else {
        if value::is_dns_name(text) {
            return Some(GatewayHost::Name(text.trim_end_matches('.').to_owned()));
        }
        entry.fault("not a host", HOST);
        return None;
    };
    if net.trunc() != net {
        let guess = format!("\"{}\"", net.trunc());
        entry.fault_with("bits beyond the mask", "a network", Some(guess));
        return None;
    }
    let address = net.addr();
    let is_host = net.prefix_len() == net.max_prefix_len();
    if is_host && (address.is_unspecified() || address.is_multicast()) {
        entry.fault("an address nobody has", HOST);
        return None;
    }
    Some(GatewayHost::Net(net))
}
