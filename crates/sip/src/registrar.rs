//! Who is reachable where: the bindings of addresses of record (RFC 3261 §10.3).
//!
//! Owns the table and the answer to a REGISTER that its caller has authenticated already; it
//! neither challenges nor knows realms, and an address of record is whatever text the caller
//! makes of To. A REGISTER and `now` go in, a [`Respond`] comes out; [`Registrar::lookup`]
//! gives where to send an INVITE. A request changes all of its bindings or none.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::endpoint::{Flow, Respond, Transport};
use crate::headers::NameAddr;
use crate::hop::reachable;
use crate::lex;
use crate::message::{Message, decimal};

/// Most contacts of one address of record.
pub const CONTACTS_MAX: usize = 10;

/// RFC 3261 §10.2.1.1: what an expiry that cannot be read counts as.
const EXPIRES_UNREADABLE: Duration = Duration::from_secs(3600);

/// What the registrar grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrarConfig {
    /// A request for less is answered 423 (§10.2.8). Default 10 s.
    pub expires_min: Duration,
    /// The longest that is granted. Default 3,600 s.
    pub expires_max: Duration,
    /// The longest that is granted over UDP: short, so that phones behind a NAT keep their
    /// mapping open. Default 30 s.
    pub udp_expires_max: Duration,
    /// Granted where the phone asks for nothing. Default 3,600 s, subject to the maxima.
    pub expires_default: Duration,
}

impl Default for RegistrarConfig {
    fn default() -> RegistrarConfig {
        RegistrarConfig {
            expires_min: Duration::from_secs(10),
            expires_max: Duration::from_secs(3600),
            udp_expires_max: Duration::from_secs(30),
            expires_default: Duration::from_secs(3600),
        }
    }
}

impl RegistrarConfig {
    /// The longest that is granted to what came over this transport.
    fn longest(&self, transport: Transport) -> Duration {
        match transport {
            Transport::Udp => self.expires_max.min(self.udp_expires_max),
            Transport::Tcp => self.expires_max,
        }
    }
}

/// One place where an address of record is reachable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The Contact as registered: its URI is the Request-URI of calls to it, its parameters
    /// (`q`, `+sip.instance`, …) go back in responses.
    pub contact: NameAddr,
    /// The path that the REGISTER came by; calls go back along it, whatever the Contact says.
    pub flow: Flow,
    /// The first moment at which it no longer counts.
    pub expires_at: Instant,
    /// When it was made or last refreshed; of a restored one, when it was restored.
    pub registered_at: Instant,
    /// Call-ID and CSeq of the REGISTER that set it, which order updates.
    call_id: String,
    cseq: u32,
}

/// A binding as it is kept outside the process: texts and spans, no moments of a clock that ends
/// with the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedBinding {
    /// [`Binding::contact`], as it is written.
    pub contact: String,
    /// [`Binding::flow`].
    pub flow: Flow,
    /// Call-ID of the REGISTER that set it.
    pub call_id: String,
    /// CSeq of that REGISTER.
    pub cseq: u32,
    /// For how long it has stood.
    pub age: Duration,
    /// For how long it will still count.
    pub remains: Duration,
}

impl Binding {
    fn saved(&self, now: Instant) -> SavedBinding {
        SavedBinding {
            contact: self.contact.to_string(),
            flow: self.flow,
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            age: now.saturating_duration_since(self.registered_at),
            remains: self.expires_at.saturating_duration_since(now),
        }
    }

    /// Whether `update` speaks of this binding.
    fn is_updated_by(&self, update: &Update<'_>) -> bool {
        let identity = |contact: &NameAddr| {
            let instance = contact.params.unquoted("+sip.instance")?.into_owned();
            Some((instance, contact.params.get("reg-id")?.to_owned()))
        };
        // RFC 5626 §6: instance and reg-id tell flows apart, the URI may change.
        if let (Some(ours), Some(theirs)) = (identity(&self.contact), identity(&update.contact)) {
            return ours == theirs;
        }
        // why: private addresses are not unique. Two phones behind two NATs register the same
        // URI and must not replace each other.
        let reachable = self.contact.uri.host_ip().is_none_or(|host| !is_private(host))
            || self.flow.remote.ip() == update.flow.remote.ip()
            || self.call_id == update.call_id;
        reachable && self.contact.uri.matches(&update.contact.uri)
    }
}

fn is_private(host: IpAddr) -> bool {
    match host {
        IpAddr::V4(ip) => {
            // RFC 6598: 100.64.0.0/10 is the carriers' own private range.
            let [first, second, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// One Contact of a REGISTER.
struct Update<'a> {
    contact: NameAddr,
    expires: Duration,
    flow: Flow,
    call_id: &'a str,
    cseq: u32,
}

/// The bindings of every address of record.
#[derive(Clone, Debug, Default)]
pub struct Registrar {
    config: RegistrarConfig,
    bindings: BTreeMap<String, Vec<Binding>>,
    /// When each address of record loses a binding next.
    deadlines: BTreeSet<(Instant, String)>,
    /// Addresses of record whose change was not polled yet.
    changed: BTreeSet<String>,
}

impl Registrar {
    /// An empty table.
    pub fn new(config: RegistrarConfig) -> Registrar {
        Registrar { config, ..Registrar::default() }
    }

    /// Carries an authenticated REGISTER for `aor` out and gives its response.
    ///
    /// 200 with all bindings; 400 for what cannot be read or comes out of order; 423 with
    /// Min-Expires; 503 over [`CONTACTS_MAX`]. Anything but 200 changes nothing.
    pub fn handle_register(
        &mut self,
        now: Instant,
        aor: &str,
        request: &Message,
        flow: Flow,
    ) -> Respond {
        self.handle_timeout(now);
        let current = self.bindings.get(aor).map(Vec::as_slice).unwrap_or_default();
        match updated(&self.config, now, current, request, flow) {
            Ok(bindings) => {
                let response = granted(now, request, &bindings);
                if bindings != current {
                    self.replace(aor, bindings);
                }
                response
            }
            Err(refusal) => refusal,
        }
    }

    /// Where `aor` is reachable now: by preference, then the latest registration first.
    pub fn lookup(&self, now: Instant, aor: &str) -> Vec<Binding> {
        let bindings = self.bindings.get(aor).map(Vec::as_slice).unwrap_or_default();
        let mut alive: Vec<Binding> =
            bindings.iter().filter(|binding| binding.expires_at > now).cloned().collect();
        alive.sort_by_key(|binding| {
            std::cmp::Reverse((binding.contact.preference(), binding.expires_at))
        });
        alive
    }

    /// Every address of record that is reachable now, in alphabetical order.
    pub fn registered(&self, now: Instant) -> impl Iterator<Item = &str> {
        let alive = move |binding: &Binding| binding.expires_at > now;
        self.bindings
            .iter()
            .filter(move |(_, bindings)| bindings.iter().any(alive))
            .map(|(aor, _)| aor.as_str())
    }

    /// Forgets an address of record, for a user that was deleted.
    pub fn remove(&mut self, aor: &str) {
        if self.bindings.contains_key(aor) {
            self.replace(aor, Vec::new());
        }
    }

    /// Forgets the addresses of record of which this says no.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let gone: Vec<String> = self.bindings.keys().filter(|aor| !keep(aor)).cloned().collect();
        gone.iter().for_each(|aor| self.remove(aor));
    }

    /// An address of record whose bindings have changed since it was polled last, and what they
    /// are now; none of them where it has unregistered or expired. What [`Registrar::restore`]
    /// puts in is no change.
    pub fn poll_changed(&mut self, now: Instant) -> Option<(String, Vec<SavedBinding>)> {
        let aor = self.changed.pop_first()?;
        let bindings = self.bindings.get(&aor).map(Vec::as_slice).unwrap_or_default();
        let saved = bindings.iter().map(|binding| binding.saved(now)).collect();
        Some((aor, saved))
    }

    /// Puts back what an earlier process kept of an address of record, and says how many bindings
    /// count again. Those that are over or cannot be read are left out, and none outlives what a
    /// REGISTER would be granted now, so that a clock that was set back keeps nobody forever.
    pub fn restore(&mut self, now: Instant, aor: &str, saved: &[SavedBinding]) -> usize {
        let mut bindings = Vec::new();
        for one in saved.iter().filter(|one| !one.remains.is_zero()).take(CONTACTS_MAX) {
            let Ok(contact) = NameAddr::parse(&one.contact) else { continue };
            let remains = one.remains.min(self.config.longest(one.flow.transport));
            bindings.push(Binding {
                contact,
                flow: one.flow,
                expires_at: now + remains,
                registered_at: now,
                call_id: one.call_id.clone(),
                cseq: one.cseq,
            });
        }
        let count = bindings.len();
        if count > 0 {
            let told = self.changed.contains(aor);
            self.replace(aor, bindings);
            if !told {
                self.changed.remove(aor);
            }
        }
        count
    }

    /// The connection of `flow` is gone, and with it the bindings that were made over it: nobody
    /// is called where nobody listens. A binding stays if its Contact is an address at which the
    /// phone can be reached without that connection.
    ///
    /// Nothing happens to bindings over UDP, where a failure may be of the moment.
    pub fn connection_lost(&mut self, flow: Flow) {
        let lost = |binding: &Binding| {
            binding.flow.transport == flow.transport
                && binding.flow.remote == flow.remote
                && reachable(&binding.contact.uri, flow)
                    .is_none_or(|address| address == flow.remote)
        };
        if !flow.transport.is_reliable() {
            return;
        }
        let affected: Vec<String> = self
            .bindings
            .iter()
            .filter(|(_, bindings)| bindings.iter().any(lost))
            .map(|(aor, _)| aor.clone())
            .collect();
        for aor in affected {
            let mut bindings = self.bindings.get(&aor).cloned().unwrap_or_default();
            bindings.retain(|binding| !lost(binding));
            self.replace(&aor, bindings);
        }
    }

    /// Drops what has expired.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((_, aor)) = self.deadlines.first().filter(|(at, _)| *at <= now).cloned() {
            let mut bindings = self.bindings.get(&aor).cloned().unwrap_or_default();
            bindings.retain(|binding| binding.expires_at > now);
            self.replace(&aor, bindings);
        }
    }

    /// When [`Registrar::handle_timeout`] has something to drop.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    fn replace(&mut self, aor: &str, bindings: Vec<Binding>) {
        self.changed.insert(aor.to_owned());
        let first = |bindings: &[Binding]| bindings.iter().map(|b| b.expires_at).min();
        if let Some(at) = self.bindings.get(aor).and_then(|bindings| first(bindings)) {
            self.deadlines.remove(&(at, aor.to_owned()));
        }
        match first(&bindings) {
            Some(at) => {
                self.deadlines.insert((at, aor.to_owned()));
                self.bindings.insert(aor.to_owned(), bindings);
            }
            None => {
                self.bindings.remove(aor);
            }
        }
    }
}

/// RFC 3261 §10.3 steps 6 and 7: the bindings after the request, or why it is refused.
fn updated(
    config: &RegistrarConfig,
    now: Instant,
    current: &[Binding],
    request: &Message,
    flow: Flow,
) -> Result<Vec<Binding>, Respond> {
    let bad = |_| refusal(400, "Bad Request");
    let (call_id, (cseq, _)) = (request.call_id().map_err(bad)?, request.cseq().map_err(bad)?);
    let in_order = |binding: &Binding| binding.call_id != call_id || cseq > binding.cseq;
    let out_of_order = || refusal(400, "CSeq Out Of Order");
    // why: ten contacts may each replace another one, more cannot be meant.
    let values: Vec<&[u8]> = request.header_values("Contact").take(2 * CONTACTS_MAX + 1).collect();
    if values.len() > 2 * CONTACTS_MAX {
        return Err(refusal(503, "Max Devices Registered"));
    }
    if values.contains(&b"*".as_slice()) {
        let expires = request.header_text("Expires");
        if values.len() > 1 || expires.as_deref().and_then(decimal) != Some(0) {
            return Err(refusal(400, "Contact * Needs Expires 0"));
        }
        return if current.iter().all(in_order) { Ok(Vec::new()) } else { Err(out_of_order()) };
    }
    let mut bindings = current.to_vec();
    for value in values {
        let contact = NameAddr::parse(&lex::text(value)).map_err(bad)?;
        if contact.uri.host.is_empty() {
            return Err(refusal(400, "Contact Is No SIP URI"));
        }
        let expires = expiry(config, request, &contact, flow.transport)?;
        let update = Update { contact, expires, flow, call_id: &call_id, cseq };
        if !current.iter().filter(|binding| binding.is_updated_by(&update)).all(in_order) {
            return Err(out_of_order());
        }
        apply(now, &mut bindings, update);
    }
    if bindings.len() > CONTACTS_MAX {
        return Err(refusal(503, "Max Devices Registered"));
    }
    Ok(bindings)
}

fn apply(now: Instant, bindings: &mut Vec<Binding>, update: Update<'_>) {
    bindings.retain(|binding| !binding.is_updated_by(&update));
    if update.expires.is_zero() {
        return;
    }
    let mut contact = update.contact;
    contact.params.remove("expires");
    bindings.push(Binding {
        contact,
        flow: update.flow,
        expires_at: now + update.expires,
        registered_at: now,
        call_id: update.call_id.to_owned(),
        cseq: update.cseq,
    });
}

/// RFC 3261 §10.3 step 7: the parameter, else the header, else the default; zero removes.
fn expiry(
    config: &RegistrarConfig,
    request: &Message,
    contact: &NameAddr,
    transport: Transport,
) -> Result<Duration, Respond> {
    let seconds = |text: &str| {
        decimal(text.trim())
            .map_or(EXPIRES_UNREADABLE, |seconds| Duration::from_secs(u64::from(seconds)))
    };
    let asked = contact
        .params
        .get("expires")
        .map(seconds)
        .or_else(|| request.header_text("Expires").as_deref().map(seconds))
        .unwrap_or(config.expires_default);
    if !asked.is_zero() && asked < config.expires_min {
        return Err(interval_too_brief(config.expires_min));
    }
    Ok(asked.min(config.longest(transport)))
}

/// RFC 3261 §10.2.8: 423 with the shortest expiry that would be granted.
pub fn interval_too_brief(shortest: Duration) -> Respond {
    let mut response = Respond::status(423);
    response.headers.push(("Min-Expires".to_owned(), whole_seconds(shortest).to_string()));
    response
}

fn refusal(status: u16, reason: &str) -> Respond {
    Respond { reason: Some(reason.to_owned()), ..Respond::status(status) }
}

/// RFC 3261 §10.3 step 8: 200 with every binding and what remains of it.
fn granted(now: Instant, request: &Message, bindings: &[Binding]) -> Respond {
    let mut response = Respond::status(200);
    for binding in bindings {
        let mut contact = binding.contact.clone();
        let remains = whole_seconds(binding.expires_at.saturating_duration_since(now));
        contact.params.set("expires", Some(&remains.to_string()));
        response.headers.push(("Contact".to_owned(), contact.to_string()));
    }
    // jambonz: an Expires header as well, with what this request was granted.
    if request.header("Contact").is_some() {
        let call_id = request.call_id().unwrap_or_default();
        let cseq = request.cseq().map(|(cseq, _)| cseq).unwrap_or_default();
        let longest = bindings
            .iter()
            .filter(|binding| binding.call_id == call_id && binding.cseq == cseq)
            .map(|binding| whole_seconds(binding.expires_at.saturating_duration_since(now)))
            .max();
        let expires = longest.unwrap_or_default().to_string();
        response.headers.push(("Expires".to_owned(), expires));
    }
    response
}

/// Rounded up: half a second of life is not none.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
