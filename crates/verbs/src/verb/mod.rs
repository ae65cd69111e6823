//! The verbs, one file each. A verb's `read` is the list of its properties; its struct, with the
//! same names in snake case, is what the rest of the switch works with.

mod alert;
mod amd;
mod answer;
mod conference;
mod config;
mod dequeue;
mod dial;
mod dtmf;
mod dub;
mod enqueue;
mod gather;
mod hangup;
mod leave;
mod listen;
mod message;
mod pause;
mod play;
mod record;
mod redirect;
mod rest_dial;
mod say;
mod sip_decline;
mod sip_refer;
mod sip_request;
mod speech;
mod tag;
mod target;
mod transcribe;

pub use alert::Alert;
pub use amd::{Amd, AmdTimers};
pub use answer::Answer;
pub use conference::Conference;
pub use config::{BargeIn, Config};
pub use dequeue::Dequeue;
pub use dial::{
    Dial, DtmfCapture, EarlyMedia, Ringback, SrtpEncryption, Strategy, TimeLimitWarning,
};
pub use dtmf::Dtmf;
pub use dub::{Dub, DubAction};
pub use enqueue::Enqueue;
pub use gather::{Gather, GatherInput};
pub use hangup::Hangup;
pub use leave::Leave;
pub use listen::{BidirectionalAudio, Listen, MixType};
pub use message::Message;
pub use pause::Pause;
pub use play::Play;
pub use record::{Record, RecordAction};
pub use redirect::Redirect;
pub use rest_dial::RestDial;
pub use say::{Loop, Say};
pub use sip_decline::SipDecline;
pub use sip_refer::SipRefer;
pub use sip_request::SipRequest;
pub(crate) use sip_request::method as sip_method;
pub use speech::{Recognizer, Synthesizer};
pub use tag::Tag;
pub use target::{Endpoint, Srtp, Target, TargetFrom};
pub use transcribe::Transcribe;

use std::time::Duration;

use crate::fields::Fields;
use crate::hook::Hook;
use crate::json::Kind;
use crate::values::Seconds;

/// Defines [`Verb`] from the table of verbs: variant, type, and the words that name it, the first
/// of which is the verb's own.
macro_rules! verbs {
    ($($variant:ident($type:ty) = $name:literal $(| $alias:literal)*;)+) => {
        /// One verb of an application.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Verb {
            $(#[doc = concat!("`", $name, "`")] $variant($type),)+
        }

        /// Every word that names a verb, synonyms included.
        pub(crate) const VERB_NAMES: &[&str] = &[$($name, $($alias,)*)+];

        impl Verb {
            /// The verb's word; of synonyms the main one.
            pub fn name(&self) -> &'static str {
                match self { $(Verb::$variant(_) => $name,)+ }
            }

            /// `id`, echoed as `verb_id`.
            pub fn id(&self) -> Option<&str> {
                match self { $(Verb::$variant(verb) => verb.id.as_deref(),)+ }
            }
        }

        /// Reads the verb called `name` out of its properties; `None` for an unknown name.
        pub(crate) fn read(name: &str, source: crate::fields::Source<'_>) -> Option<Verb> {
            match name {
                $($name $(| $alias)* => Some(Verb::$variant(source.read())),)+
                _ => None,
            }
        }

        /// The words that name each verb, and its schema.
        pub(crate) fn schemas(
            generator: &mut schemars::SchemaGenerator,
        ) -> Vec<(Vec<&'static str>, schemars::Schema)> {
            vec![$((vec![$name, $($alias,)*], generator.subschema_for::<$type>()),)+]
        }
    };
}

verbs! {
    Alert(Alert) = "alert";
    Answer(Answer) = "answer";
    Conference(Conference) = "conference" | "room";
    Config(Box<Config>) = "config";
    Dequeue(Dequeue) = "dequeue";
    Dial(Box<Dial>) = "dial";
    Dtmf(Dtmf) = "dtmf";
    Dub(Dub) = "dub";
    Enqueue(Enqueue) = "enqueue";
    Gather(Box<Gather>) = "gather";
    Hangup(Hangup) = "hangup";
    Leave(Leave) = "leave";
    Listen(Box<Listen>) = "listen" | "stream";
    Message(Message) = "message";
    Pause(Pause) = "pause";
    Play(Play) = "play";
    Redirect(Redirect) = "redirect";
    RestDial(Box<RestDial>) = "rest:dial";
    Say(Box<Say>) = "say";
    SipDecline(SipDecline) = "sip:decline";
    SipRefer(SipRefer) = "sip:refer";
    SipRequest(SipRequest) = "sip:request";
    Tag(Tag) = "tag";
    Transcribe(Box<Transcribe>) = "transcribe";
}

impl Verb {
    /// May stand in the list that a callee hears before it is connected (confirmHook). Any other
    /// verb there declines the callee.
    pub fn allowed_in_screening(&self) -> bool {
        matches!(
            self,
            Verb::Say(_)
                | Verb::Play(_)
                | Verb::Gather(_)
                | Verb::Pause(_)
                | Verb::Hangup(_)
                | Verb::Tag(_)
                | Verb::Config(_)
                | Verb::Dtmf(_)
                | Verb::SipRequest(_)
                | Verb::Listen(_)
                | Verb::Transcribe(_)
        )
    }
}

/// A property in seconds.
fn seconds(fields: &mut Fields<'_>, name: &'static str) -> Option<Duration> {
    fields.optional::<Seconds>(name).map(|Seconds(duration)| duration)
}

/// A property in seconds whose 0 stands for its absence.
pub(crate) fn nonzero_seconds(fields: &mut Fields<'_>, name: &'static str) -> Option<Duration> {
    seconds(fields, name).filter(|duration| !duration.is_zero())
}

/// A telephone number or whatever else a caller calls itself: any text but an empty one or one
/// with control characters. A strict application hears of what is not E.164.
pub(crate) fn number(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    let text = fields.optional::<String>(name);
    check_number(fields, name);
    text
}

fn required_number(fields: &mut Fields<'_>, name: &'static str) -> String {
    let text = fields.required(name);
    check_number(fields, name);
    text
}

fn check_number(fields: &mut Fields<'_>, name: &'static str) {
    let Some(member) = fields.take(&name) else { return };
    let Kind::String(text) = &member.value.kind else { return };
    if text.is_empty() || text.contains(char::is_control) {
        fields.fault(member, "no number", "text without control characters");
    } else if fields.strict() && !is_e164(text) {
        fields.warn(member, "not an E.164 number", "`+` and 2 to 15 digits");
    }
}

/// ITU-T E.164: a plus and at most 15 digits, the first no zero.
fn is_e164(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else { return false };
    (2..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A hook whose absence, or emptiness, is a fault.
fn required_hook(fields: &mut Fields<'_>, name: &'static str) -> Hook {
    let empty = fields.take(&name).is_some_and(|member| member.value.is_text(""));
    match fields.optional(name) {
        Some(hook) => hook,
        None => {
            if empty || fields.take(&name).is_none() {
                fields.missing(&[name]);
            }
            Hook::post("")
        }
    }
}

/// Text that will stand in a header or a start line.
pub(crate) fn one_line(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    let text: Option<String> = fields.optional(name);
    if let Some(member) = fields.take(&name)
        && text.as_ref().is_some_and(|text| text.contains(char::is_control))
    {
        fields.fault(member, "control character", "one line of text");
    }
    text
}

/// The next hop of an INVITE, as a SIP URI: a bare `host` or `host:port` gets its `sip:`.
pub(crate) fn proxy(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    let text: Option<String> = fields.optional(name);
    let uri = text.as_deref().and_then(next_hop);
    if let Some(member) = fields.take(&name)
        && text.is_some()
        && uri.is_none()
    {
        let expected = "`host`, `host:port` or a SIP URI like `sip:192.0.2.1:5060;transport=tcp`";
        fields.fault(member, "no next hop", expected);
    }
    uri
}

/// RFC 3261 §25.1 `SIP-URI` without password and headers, as far as it takes to send to it and to
/// write it into a Route.
fn next_hop(text: &str) -> Option<String> {
    let schemed =
        |scheme: &str| text.get(..scheme.len()).filter(|t| t.eq_ignore_ascii_case(scheme));
    let scheme = schemed("sip:").or_else(|| schemed("sips:")).unwrap_or_default();
    let rest = text.get(scheme.len()..)?;
    let mut parts = rest.split(';');
    let place = parts.next()?;
    let (user, place) = place.split_once('@').unwrap_or(("-", place));
    let written = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let params = parts.all(|param| {
        let (name, value) = param.split_once('=').unwrap_or((param, "-"));
        written(name, "-_.!~*'%+") && written(value, "-_.!~*'%+[]:/&$")
    });
    let whole = params && written(user, "-_.!~*'()%&=+$/") && is_host_and_port(place);
    whole.then(|| if scheme.is_empty() { format!("sip:{text}") } else { text.to_owned() })
}

/// A name or an address, IPv6 in brackets, and perhaps a port.
fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((literal, port)) if literal.parse::<std::net::Ipv6Addr>().is_ok() => ("-", port),
        Some(_) => return false,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse().is_ok_and(|port: u16| port > 0)
    };
    let named = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    !host.is_empty()
        && host.chars().all(named)
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// The host of an address, perhaps with a port: RFC 3261 §25.1 `hostport`, as far as it takes to be
/// written into one.
pub(crate) fn host(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    let text: Option<String> = fields.optional(name);
    let proper = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    let is_host = |text: &String| !text.is_empty() && text.chars().all(proper);
    if let Some(member) = fields.take(&name)
        && text.as_ref().is_some_and(|text| !is_host(text))
    {
        fields.fault(member, "no host", "a name or an address");
    }
    text
}

/// `channel`: 1 is the caller, 2 the callee.
fn channel(fields: &mut Fields<'_>) -> Option<u32> {
    let channel = fields.optional("channel");
    if let Some(member) = fields.take(&"channel")
        && channel.is_some_and(|channel| !(1..=2).contains(&channel))
    {
        fields.fault(member, "out of range", "1 (caller) or 2 (callee)");
    }
    channel
}
