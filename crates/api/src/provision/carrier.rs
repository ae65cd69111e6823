//! Carriers over REST.

use serde_json::{Value, json};
use store::{Application, Extra, StoreError, VoipCarrier};

use super::{Resource, others, owners, refers};
use crate::Api;
use crate::asked::Asked;
use crate::fields::{Fields, Kept};
use crate::text;

/// Longest name, description, user, domain.
const NAME_MAX: usize = 64;
const TEXT_MAX: usize = 255;
const SECRET_MAX: usize = 128;
/// Longest tech prefix and longest Diversion user, as carriers' tables have them.
const TECH_PREFIX_MAX: usize = 16;
const DIVERSION_MAX: usize = 32;
/// Largest limit of calls.
const LIMIT_MAX: u64 = 1_000_000;

const KEPT: &[(&str, Kept)] =
    &[("follow_redirects", Kept::Flag), ("register_public_ip_in_contact", Kept::Flag)];

const UNSUPPORTED: &[&str] = &[
    "inbound_auth_password",
    "inbound_auth_username",
    "outbound_sip_proxy",
    "smpp_enquire_link_interval",
    "smpp_inbound_password",
    "smpp_inbound_system_id",
    "smpp_password",
    "smpp_system_id",
];

impl Resource for VoipCarrier {
    fn blank(api: &Api) -> VoipCarrier {
        VoipCarrier {
            voip_carrier_sid: String::new(),
            account_sid: Some(api.config.account_sid.clone()),
            service_provider_sid: api.config.service_provider_sid.clone(),
            name: String::new(),
            description: None,
            application_sid: None,
            e164_leading_plus: false,
            tech_prefix: None,
            diversion: None,
            send_call_sid: false,
            requires_register: false,
            register_username: None,
            register_password: None,
            register_sip_realm: None,
            register_from_user: None,
            register_from_domain: None,
            inbound_auth_username: None,
            inbound_auth_password: None,
            extra: Extra::default(),
            is_active: true,
            declared: false,
        }
    }

    fn read(&mut self, api: &Api, fields: &mut Fields) {
        owners(api, fields);
        let line = |max: usize| format!("a text of 1 to {max} characters");
        let name = line(NAME_MAX);
        fields.text("name", &mut self.name, &name, |text| text::is_line(text, NAME_MAX));
        let is_text = |text: &str| text.is_empty() || text::is_line(text, TEXT_MAX);
        fields.optional("description", &mut self.description, &line(TEXT_MAX), is_text);
        let expected = "the sid of an application";
        fields.optional("application_sid", &mut self.application_sid, expected, |_| true);
        fields.flag("e164_leading_plus", &mut self.e164_leading_plus, false);
        let expected = format!("digits, * and #, at most {TECH_PREFIX_MAX}");
        fields.optional("tech_prefix", &mut self.tech_prefix, &expected, |text| {
            text.len() <= TECH_PREFIX_MAX && text::is_dialled(text)
        });
        let expected = format!("a SIP user, at most {DIVERSION_MAX} characters");
        fields.optional("diversion", &mut self.diversion, &expected, |text| {
            text.is_empty() || (text.len() <= DIVERSION_MAX && text::is_sip_user(text))
        });
        for place in [&mut self.tech_prefix, &mut self.diversion, &mut self.description] {
            *place = place.take().filter(|text| !text.is_empty());
        }
        fields.flag("send_call_sid", &mut self.send_call_sid, false);
        fields.flag("is_active", &mut self.is_active, true);
        self.read_registration(fields);
        self.read_words(fields);
        for key in ["max_calls", "max_cps"] {
            let mut limit = self.extra.0.get(key).and_then(Value::as_u64);
            fields.optional_number(key, &mut limit, 1..=LIMIT_MAX);
            match limit {
                Some(limit) => self.extra.0.insert(key.to_owned(), limit.into()),
                None => self.extra.0.remove(key),
            };
        }
        fields.fixed("register_status", &register_status(self));
        others(fields, &mut self.extra, KEPT, UNSUPPORTED);
    }

    async fn check(&self, api: &Api, fields: &mut Fields) -> Result<(), StoreError> {
        if self.requires_register {
            let given = [
                ("register_username", self.register_username.is_some()),
                ("register_password", self.register_password.is_some()),
            ];
            for (key, is_given) in given {
                if !is_given {
                    let expected = "user and password where requires_register is set";
                    fields.fault(key, "missing", expected, None);
                }
            }
        }
        let application = self.application_sid.as_deref();
        refers::<Application>(api, fields, "application_sid", application).await
    }

    fn is_listed(&self, asked: &Asked) -> bool {
        let account = asked.query("account_sid");
        account.is_none_or(|sid| self.account_sid.as_deref().is_none_or(|own| own == sid))
            && asked.query("name").is_none_or(|name| self.name == name)
    }

    fn shown(&self) -> Value {
        let mut shown = json!(self);
        shown["register_status"] = register_status(self);
        shown
    }
}

trait Reads {
    fn read_registration(&mut self, fields: &mut Fields);
    fn read_words(&mut self, fields: &mut Fields);
}

impl Reads for VoipCarrier {
    /// What answers the carrier's challenges.
    fn read_registration(&mut self, fields: &mut Fields) {
        fields.flag("requires_register", &mut self.requires_register, false);
        let no_space =
            |text: &str| text::is_line(text, TEXT_MAX) && !text.chars().any(char::is_whitespace);
        let expected = "a text without blanks";
        fields.optional("register_username", &mut self.register_username, expected, no_space);
        fields.secret("register_password", &mut self.register_password, SECRET_MAX);
        let blank = |password: &store::Secret| password.expose().contains(char::is_whitespace);
        if self.register_password.as_ref().is_some_and(blank) {
            fields.fault("register_password", "wrong value", expected, None);
        }
        let realm = &mut self.register_sip_realm;
        let expected = "a domain with a dot, or an IPv4 address; null for none";
        fields.optional("register_sip_realm", realm, expected, text::is_realm);
        let user = &mut self.register_from_user;
        fields.optional("register_from_user", user, "a SIP user", text::is_sip_user);
        let domain = &mut self.register_from_domain;
        fields.optional("register_from_domain", domain, "a domain", text::is_realm);
    }

    /// Words of which this version can do some.
    fn read_words(&mut self, fields: &mut Fields) {
        let words: [(&str, &[&str]); 2] =
            [("dtmf_type", &["rfc2833", "tones"]), ("trunk_type", &["static_ip", "reg"])];
        for (key, words) in words {
            let known = self.extra.0.get(key).and_then(Value::as_str);
            let mut word = known.unwrap_or_default().to_owned();
            fields.word(key, &mut word, words);
            if !word.is_empty() {
                self.extra.0.insert(key.to_owned(), word.into());
            }
        }
    }
}

/// What has become of our registration at the carrier.
fn register_status(carrier: &VoipCarrier) -> Value {
    if !carrier.requires_register {
        return json!({});
    }
    let reason = "this version sends no REGISTER; user and password answer challenges to calls";
    json!({ "status": "fail", "reason": reason })
}
