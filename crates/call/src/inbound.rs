//! Who is calling, and what runs for it: a carrier by its source address, a registered user by
//! its password; anyone else is refused.

use std::sync::Arc;
use std::time::Instant;

use sip::{Flow, InviteId, Message, Method, RequestId, Respond};

use crate::admission;
use crate::call::{Arrival, Runs};
use crate::settings::{Application, Carrier, Settings};
use crate::switch::Switch;

/// A refusal with an X-Reason: only for those who proved who they are.
fn refusal(status: u16, why: &str) -> Respond {
    let headers = vec![("X-Reason".to_owned(), why.to_owned())];
    Respond { headers, ..Respond::status(status) }
}

impl Switch {
    /// A new INVITE.
    pub(crate) fn invited(&mut self, now: Instant, id: InviteId, request: Message, flow: Flow) {
        let classified = match request.header("Replaces") {
            Some(_) => self.replacing(now, request, flow),
            None => self.classify(now, request, flow),
        };
        let arrival = match classified {
            Ok(arrival) => arrival,
            Err(refusal) => return self.endpoint.refuse(now, id, refusal),
        };
        let live = self.callers();
        let limits = self.settings.limits;
        if self.comes_round(&arrival.request) {
            let loops = refusal(482, "this call was made by a call for the same");
            return self.endpoint.refuse(now, id, loops);
        }
        if let Some(carrier) = &arrival.carrier
            && let Err(why) = self.carriers.admit(now, carrier)
        {
            return self.endpoint.refuse(now, id, admission::refusal(&why));
        }
        match self.admission.admit(now, live, &limits) {
            Ok(()) => {
                if let Some(carrier) = &arrival.carrier {
                    self.carriers.took(id, carrier);
                }
                self.endpoint.trying(now, id);
                self.admit(now, id, arrival);
            }
            Err(why) => self.endpoint.refuse(now, id, admission::refusal(why)),
        }
    }

    fn classify(&mut self, now: Instant, request: Message, flow: Flow) -> Result<Arrival, Respond> {
        let carriers = self.settings.carriers_of_source(flow.remote.ip());
        if !carriers.is_empty() {
            let (carrier, application) =
                application_of_number(&self.settings, &carriers, &called_user(&request))?;
            let runs = Runs::Application(application);
            return Ok(Arrival { request, flow, carrier: Some(carrier), runs });
        }
        self.device_call(now, request, flow)
    }

    /// A caller that wants to take the place of another: it must be one that may call, and then
    /// it is not asked which number it called, which is the name of a dialog.
    fn replacing(
        &mut self,
        now: Instant,
        request: Message,
        flow: Flow,
    ) -> Result<Arrival, Respond> {
        let carriers = self.settings.carriers_of_source(flow.remote.ip());
        let carrier = carriers.first().map(|carrier| Arc::clone(carrier));
        if carrier.is_none() {
            self.prove_user(now, &request, flow)?;
        }
        let replaced = self.replaced(&request).map_err(|(status, why)| refusal(status, &why))?;
        Ok(Arrival { request, flow, carrier, runs: Runs::InPlaceOf(Box::new(replaced)) })
    }

    /// Whoever calls one of our addresses and is no carrier must be one of our users.
    fn prove_user(&mut self, now: Instant, request: &Message, flow: Flow) -> Result<(), Respond> {
        let ours = request.uri().is_ok_and(|uri| self.is_our_host(&uri.host, flow));
        if !ours {
            return Err(Respond::status(404));
        }
        self.authenticate(now, request, flow).map(drop)
    }

    /// A caller that is no carrier.
    fn device_call(
        &mut self,
        now: Instant,
        request: Message,
        flow: Flow,
    ) -> Result<Arrival, Respond> {
        self.prove_user(now, &request, flow)?;
        let user = called_user(&request);
        let settings = &self.settings;
        let runs = if let Some(name) = &settings.device_application {
            let application = settings.application(name).cloned();
            Runs::Application(application.ok_or_else(|| no_application(name))?)
        } else if settings.client(&user).is_none() {
            return Err(refusal(404, "no such user"));
        } else if self.registrar.lookup(now, &user).is_empty() {
            return Err(refusal(480, "the user is not registered"));
        } else {
            Runs::User(user)
        };
        Ok(Arrival { request, flow, carrier: None, runs })
    }

    /// A request outside any dialog that the endpoint does not answer itself.
    pub(crate) fn requested(&mut self, now: Instant, id: RequestId, request: &Message, flow: Flow) {
        let response = match request.method() {
            Some(Method::Register) => self.register(now, request, flow),
            _ => Respond::status(405),
        };
        if response.status < 300 {
            self.endpoint.reply(now, id, response);
        } else {
            self.endpoint.refuse_request(id, response);
        }
    }
}

fn no_application(name: &str) -> Respond {
    refusal(480, &format!("no configured application {name}"))
}

/// The dialled user, as it stands in the Request-URI.
fn called_user(request: &Message) -> String {
    let user = request.uri().ok().and_then(|uri| uri.user_decoded().map(|u| u.into_owned()));
    user.unwrap_or_default()
}

/// The number's application, else the default of the one carrier that has one.
fn application_of_number(
    settings: &Settings,
    carriers: &[&Arc<Carrier>],
    called: &str,
) -> Result<(Arc<Carrier>, Arc<Application>), Respond> {
    let number = match called.strip_prefix('+') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits,
        _ => called,
    };
    if let Some((carrier, name)) = number_of(settings, carriers, number)? {
        let application = settings.application(name).ok_or_else(|| no_application(name))?;
        return Ok((Arc::clone(carrier), Arc::clone(application)));
    }
    let mut defaults = carriers.iter().filter_map(|carrier| {
        carrier.application.as_deref().map(|application| (*carrier, application))
    });
    match (defaults.next(), defaults.next()) {
        (Some((carrier, name)), None) => {
            let application = settings.application(name).ok_or_else(|| no_application(name))?;
            Ok((Arc::clone(carrier), Arc::clone(application)))
        }
        (Some(_), Some(_)) => {
            Err(refusal(503, "several carriers have a default application for this source"))
        }
        (None, _) if settings.phone_numbers.is_empty() => {
            Err(refusal(480, "no configured application"))
        }
        (None, _) => Err(refusal(404, "number not provisioned")),
    }
}

/// The entry of a number: exact first, then the longest pattern with a trailing `*`.
fn number_of<'a>(
    settings: &'a Settings,
    carriers: &[&'a Arc<Carrier>],
    number: &str,
) -> Result<Option<(&'a Arc<Carrier>, &'a str)>, Respond> {
    let mut longest: Option<usize> = None;
    let mut found: Vec<(&Arc<Carrier>, &str)> = Vec::new();
    for known in &settings.phone_numbers {
        let length = match known.number.strip_suffix('*') {
            Some(prefix) if number.starts_with(prefix) => prefix.len(),
            None if known.number == number => usize::MAX,
            _ => continue,
        };
        let allowed = carriers.iter().find(|carrier| match &known.carrier {
            Some(name) => carrier.name == *name,
            None => true,
        });
        let Some(carrier) = allowed else { continue };
        if longest.is_none_or(|best| length > best) {
            longest = Some(length);
            found.clear();
        }
        if longest == Some(length) {
            found.push((*carrier, &known.application));
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(refusal(503, "several entries route the same phone number")),
    }
}
