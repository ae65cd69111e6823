//! Where a party of ours may send a call: what a transfer or a redirection of its means, and
//! whether it may call there itself.
//!
//! Owns that rule, and nothing of what becomes of it: `refer.rs` lets the other party dial there,
//! `redirect.rs` calls there in the place of whoever said it.

use std::net::IpAddr;

use serde_json::{Value, json};
use sip::{Scheme, Uri};
use verbs::Endpoint;

use crate::call::Call;
use crate::leg::LegId;
use crate::route::Reaches;

/// Whom a URI means that a party named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// A user of ours, wherever it is registered.
    User(String),
    /// A number, over a carrier.
    Number(String),
    /// A SIP URI of somebody else.
    Address(String),
}

impl Elsewhere {
    /// The same as an element of `target`.
    pub(super) fn target(&self) -> Value {
        match self {
            Elsewhere::User(name) => json!({ "type": "user", "name": name }),
            Elsewhere::Number(number) => json!({ "type": "phone", "number": number }),
            Elsewhere::Address(uri) => json!({ "type": "sip", "sipUri": uri }),
        }
    }

    /// The same as the verbs have it.
    pub(super) fn endpoint(self) -> Endpoint {
        match self {
            Elsewhere::User(name) => Endpoint::User { name, override_to: None },
            Elsewhere::Number(number) => Endpoint::Phone { number, trunk: None },
            Elsewhere::Address(sip_uri) => Endpoint::Sip { sip_uri, auth: None },
        }
    }
}

impl Call {
    /// Whom a URI means, if the party may call there. why: a call to a number or a foreign host
    /// costs somebody money, so only a device of ours that may dial may send others there.
    pub(super) fn elsewhere(&self, party: LegId, uri: &Uri) -> Option<Elsewhere> {
        let user = user_of(uri);
        let host = uri.host.trim_matches(['[', ']']).to_ascii_lowercase();
        let is_own =
            |ip| self.reached_at(party) == Some(ip) || self.settings.own_addresses.contains(&ip);
        let is_ours = self.settings.realm.as_deref().is_some_and(|realm| realm == host)
            || uri.host_ip().is_some_and(is_own);
        let is_tel = uri.scheme == Scheme::Tel;
        if (is_ours || is_tel) && self.settings.client(&user).is_some() {
            return Some(Elsewhere::User(user));
        }
        let may_dial = self.is_device(party) && self.settings.device_application.is_some();
        if !may_dial || user.is_empty() {
            return None;
        }
        let is_number = user.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit());
        match (is_ours || is_tel, is_number) {
            (true, true) => Some(Elsewhere::Number(user)),
            (false, _) if uri.scheme == Scheme::Sip => {
                Some(Elsewhere::Address(requested(uri).to_string()))
            }
            _ => None,
        }
    }

    /// The address of ours that a party talks to.
    fn reached_at(&self, party: LegId) -> Option<IpAddr> {
        let flow = match self.legs.get(&party).filter(|_| party != self.caller.id) {
            Some(leg) => leg.flow,
            None => self.caller.flow,
        };
        flow.map(|flow| flow.local.ip())
    }

    /// A registered device of ours, which has proved who it is.
    fn is_device(&self, party: LegId) -> bool {
        match self.legs.get(&party).filter(|_| party != self.caller.id) {
            Some(leg) => leg.route.reaches == Reaches::Device,
            None => match self.caller.origin.placed() {
                Some(placed) => placed.reaches == Reaches::Device,
                None => self.caller.carrier.is_none(),
            },
        }
    }
}

/// User of a URI; of a `tel:` URI the number.
pub(super) fn user_of(uri: &Uri) -> String {
    uri.user_decoded().map(|user| user.into_owned()).unwrap_or_default()
}

/// A URI that somebody else named, as it may be asked for.
///
/// RFC 3261 §19.1.1, §19.1.5: a method and headers have no place in a Request-URI, and what they
/// ask for would be the other side's wish, not ours.
pub(super) fn requested(uri: &Uri) -> Uri {
    let mut uri = Uri { headers: None, ..uri.clone() };
    uri.params.remove("method");
    uri
}
