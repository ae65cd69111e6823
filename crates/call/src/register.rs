//! REGISTER, and the proof of who a user is. A REGISTER is always challenged, also from an address
//! that a carrier calls from: over UDP a source address proves nothing.

use std::net::IpAddr;
use std::time::Instant;

use sip::auth::challenge::Verdict;
use sip::{Flow, Message, Method, NameAddr, Respond, SavedBinding, Uri};

use crate::route::SIP_PORT;
use crate::switch::Switch;

impl Switch {
    /// Answers a REGISTER: a challenge, a refusal, or the bindings as they now are.
    pub(crate) fn register(&mut self, now: Instant, request: &Message, flow: Flow) -> Respond {
        let is_ours = |uri: &Uri| self.is_our_host(&uri.host, flow);
        let ours = request.to().is_ok_and(|to| is_ours(&to.uri))
            && request.uri().is_ok_and(|uri| is_ours(&uri));
        if !ours {
            return Respond::status(404);
        }
        match self.authenticate(now, request, flow) {
            Err(challenge) => challenge,
            Ok(_) if self.names_us_as_contact(request, flow) => Respond::status(403),
            Ok(user) if address_of_record(request).as_deref() == Some(&user) => {
                self.registrar.handle_register(now, &user, request, flow)
            }
            // why: a user may say where it is itself, not where another one is.
            Ok(_) => Respond::status(403),
        }
    }

    /// Puts back the bindings of an address of record that [`Output::Bound`](crate::Output::Bound)
    /// told of in an earlier run, and says how many count again. Those of a user who is not
    /// configured any more, or of another realm, are left out.
    pub fn restore(&mut self, now: Instant, aor: &str, bindings: &[SavedBinding]) -> usize {
        let user = match &self.settings.realm {
            Some(realm) => aor.strip_suffix(realm).and_then(|user| user.strip_suffix('@')),
            None => Some(aor),
        };
        let Some(user) = user.filter(|user| self.settings.client(user).is_some()) else {
            return 0;
        };
        // why: they proved themselves to the process before; all the phones of an office register
        // again at the same moment and must not be taken for a flood.
        for binding in bindings {
            self.standing.proved(now, binding.flow.remote.ip(), user);
        }
        self.registrar.restore(now, user, bindings)
    }

    /// How the bindings of a user are named outside.
    pub(crate) fn aor(&self, user: &str) -> String {
        match &self.settings.realm {
            Some(realm) => format!("{user}@{realm}"),
            None => user.to_owned(),
        }
    }

    /// The user that a request proves to come from, else what it is answered: a challenge, or
    /// 403. An unknown user and a wrong password get the same.
    pub(crate) fn authenticate(
        &mut self,
        now: Instant,
        request: &Message,
        flow: Flow,
    ) -> Result<String, Respond> {
        let source = flow.remote.ip();
        let realm = self.realm(request);
        let method = request.method().unwrap_or(Method::Invite);
        let settings = &self.settings;
        let mut user = String::new();
        let given = request.header_text("Authorization");
        let verdict = given.as_ref().map(|text| {
            self.challenger.verify(now, source, &method, text, |credentials| {
                user.clone_from(&credentials.username);
                let client = settings.client(&credentials.username);
                // why: a response made for another realm must not open this one.
                client.filter(|_| credentials.realm == realm).map(|client| client.password.clone())
            })
        });
        // why: whatever a guess would be worth, one that is made while locked out looks wrong.
        if self.standing.is_locked(now, source, &user)
            && given.is_some_and(|given| self.challenger.gave(now, source, &given))
        {
            return Err(Respond::status(403));
        }
        match verdict {
            Some(Verdict::Ok) => {
                self.standing.proved(now, source, &user);
                Ok(user)
            }
            Some(Verdict::Wrong) => {
                self.standing.failed(now, source, &user);
                Err(Respond::status(403))
            }
            Some(Verdict::Unreadable) => Err(Respond::status(403)),
            None | Some(Verdict::Stale) => {
                let challenges = self.challenger.challenge(now, source, &realm, verdict.is_some());
                // why: MD5 alone, the last of them. Phones in wide use (baresip 1.0 among them)
                // give up at a challenge of any other algorithm, wherever it stands.
                let named = |value| ("WWW-Authenticate".to_owned(), value);
                let headers = challenges.into_iter().next_back().map(named).into_iter().collect();
                Err(Respond { headers, ..Respond::status(401) })
            }
        }
    }

    /// Whether a Contact leads back to the switch: whoever calls that user would be called by us,
    /// at our own door, over and over.
    fn names_us_as_contact(&self, request: &Message, flow: Flow) -> bool {
        let own = |ip: &IpAddr| *ip == flow.local.ip() || self.settings.own_addresses.contains(ip);
        request.header_values("Contact").any(|value| {
            let contact = NameAddr::parse(&String::from_utf8_lossy(value));
            contact.is_ok_and(|contact| {
                let port = contact.uri.port.unwrap_or(SIP_PORT);
                contact.uri.host_ip().is_some_and(|ip| own(&ip)) && port == flow.local.port()
            })
        })
    }

    /// The realm that a request is for: the configured one, or the address of ours that it names.
    fn realm(&self, request: &Message) -> String {
        let named = || request.uri().map(|uri| uri.host).unwrap_or_default();
        self.settings.realm.clone().unwrap_or_else(named)
    }

    /// The host is the realm; without a configured one, any address of ours is.
    pub(crate) fn is_our_host(&self, host: &str, flow: Flow) -> bool {
        if let Some(realm) = &self.settings.realm {
            return host.eq_ignore_ascii_case(realm);
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.parse().is_ok_and(|ip: IpAddr| {
            ip == flow.local.ip() || self.settings.own_addresses.contains(&ip)
        })
    }
}

/// The user of To.
fn address_of_record(request: &Message) -> Option<String> {
    let to = request.to().ok()?;
    to.uri.user_decoded().map(|user| user.into_owned())
}
