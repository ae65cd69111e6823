//! `updateCall`: one change to a call that is up.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{http_hook, properties};
use crate::application;
use crate::fault::{Fault, Finding, Findings};
use crate::fields::{Fields, FromJson, Object};
use crate::headers::{HeaderMap, Headers};
use crate::hook::Hook;
use crate::json::{self, Kind, Node, Path};
use crate::values::{Boost, Keys, Millis, words};
use crate::verb::{Loop, Play, Verb, sip_method};

words! {
    /// `call_status`: how a leg is ended.
    pub enum CallEnd {
        /// At any moment: CANCEL, a refusal or BYE, as its state asks.
        Completed => "completed",
        /// Only a leg that is not answered.
        NoAnswer => "no-answer",
    }
}

words! {
    /// `mute_status`.
    pub enum MuteStatus {
        /// Nobody hears the leg, nor its keys.
        Mute => "mute",
        /// Everybody does again.
        Unmute => "unmute",
    }
}

/// A request inside the dialog of a leg.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SipRequestOrder {
    /// `INFO`, `MESSAGE`, `NOTIFY` or another one that does not change the dialog.
    pub method: String,
    /// Content-Type of the body.
    pub content_type: Option<String>,
    /// The body.
    pub content: Option<String>,
    /// Further headers.
    pub headers: Headers,
}

/// A change to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// Ends the leg.
    CallStatus(CallEnd),
    /// Asks other hooks, whose verbs replace whatever runs; at least one of the two.
    CallHook {
        /// For the caller: an http(s) URL, or a path on the origin of the call's application.
        call_hook: Option<Hook>,
        /// Told of every change of status from now on.
        call_status_hook: Option<Hook>,
        /// For the callee that is connected, which becomes a call of its own.
        child_call_hook: Option<Hook>,
    },
    /// Whether the leg is heard.
    Mute(MuteStatus),
    /// In dB: how much louder the leg hears the one it is connected to.
    Boost(f64),
    /// Played to the leg, over the one it is connected to, which hears nothing meanwhile.
    Whisper(Vec<Play>),
    /// Sent to the peer of the leg.
    SipRequest(SipRequestOrder),
    /// Keys for the peer of the leg.
    Dtmf {
        /// `0-9A-D*#`, with `w` and `W` for pauses.
        digits: String,
        /// Of each.
        duration: Duration,
    },
    /// `customerData` of the leg from now on.
    Tag(Map<String, Value>),
    /// A change, and a whisper once it is made; never one that ends what is whispered over.
    Whispering {
        /// The change.
        change: Box<Update>,
        /// Played to the leg.
        plays: Vec<Play>,
    },
    /// A valid request that this version cannot carry out.
    NotYet {
        /// The property, as it was written.
        property: String,
    },
}

/// Reads the body of an `updateCall`: exactly one change, and no property beside it that does not
/// belong to it.
///
/// # Errors
///
/// Every fault, sorted by position.
pub fn parse_update_call(text: &str) -> Result<Update, Vec<Fault>> {
    let mut findings = Findings::new(true);
    let body = json::read(text, &mut findings).and_then(|root| properties(root, &mut findings));
    let update = body.and_then(|(offset, members)| {
        Fields::read::<Asked>(&members, offset, &Path::ROOT, &mut findings).0
    });
    let faulty = findings.is_faulty();
    let (faults, _) = findings.locate(text);
    match update {
        Some(update) if !faulty => Ok(update),
        _ => Err(faults),
    }
}

/// The changes, with what may only stand beside each.
const CHANGES: &[(&str, &[&str])] = &[
    ("call_hook", &["call_status_hook", "child_call_hook"]),
    ("call_status", &[]),
    ("child_call_hook", &["call_hook"]),
    ("listen_status", &[]),
    ("stream_status", &[]),
    ("transcribe_status", &[]),
    ("mute_status", &[]),
    ("conf_mute_status", &[]),
    ("conf_hold_status", &["wait_hook", "waitHook"]),
    ("conferenceParticipantAction", &[]),
    ("sip_request", &[]),
    ("record", &[]),
    ("dtmf", &[]),
    ("tag", &[]),
    ("dub", &[]),
    ("boostAudioSignal", &[]),
    ("media_path", &[]),
    ("whisper", &[]),
    ("llm_tool_output", &["tool_call_id"]),
    ("llm_update", &[]),
    ("agent_update", &[]),
    ("noise_isolation_status", NOISE_ISOLATION),
    ("transfer", &[]),
    ("llm_status", &[]),
    ("room_say", &[]),
    ("room_play", &[]),
];

const NOISE_ISOLATION: &[&str] =
    &["noise_isolation_vendor", "noise_isolation_level", "noise_isolation_model"];

/// What a body asks for; `None` comes with a fault.
struct Asked(Option<Update>);

impl Object for Asked {
    const WHAT: &'static str = "updateCall";

    fn read(fields: &mut Fields<'_>) -> Asked {
        let given: Vec<&(&'static str, &[&'static str])> =
            CHANGES.iter().filter(|(name, _)| fields.take(name).is_some()).collect();
        for (_, beside) in CHANGES {
            for name in *beside {
                let belongs = given.iter().any(|(_, beside)| beside.contains(name));
                if let Some(member) = fields.take(name)
                    && !belongs
                    && !CHANGES.iter().any(|(change, _)| change == name)
                {
                    fields.fault(member, "property of another change", "it beside its change");
                }
            }
        }
        if given.is_empty() {
            fields.lacks("no change", "exactly one property, such as `call_hook` or `call_status`");
            return Asked(None);
        }
        // jambonz: a whisper may accompany any other change.
        let mut others = given.iter().filter(|(name, _)| *name != "whisper");
        if let (Some((first, beside)), Some((second, _))) = (others.next(), others.next())
            && (!beside.contains(second) || others.next().is_some())
            && let Some(member) = fields.take(second)
        {
            let expected = format!("exactly one change, and `{first}` is one");
            fields.fault(member, "more than one change", &expected);
        }
        Asked(change(fields, &given))
    }
}

/// Changes that are carried out; the others are valid, and refused.
const BUILT: &[&str] = &[
    "boostAudioSignal",
    "call_hook",
    "call_status",
    "child_call_hook",
    "mute_status",
    "sip_request",
    "dtmf",
    "tag",
    "whisper",
];

fn change(fields: &mut Fields<'_>, given: &[&(&'static str, &[&'static str])]) -> Option<Update> {
    if let Some((property, _)) = given.iter().find(|(name, _)| !BUILT.contains(name)) {
        return Some(Update::NotYet { property: (*property).to_owned() });
    }
    let others: Vec<&str> =
        given.iter().map(|(name, _)| *name).filter(|name| *name != "whisper").collect();
    let Some(first) = others.first() else { return one_change(fields, "whisper") };
    let change = one_change(fields, first)?;
    let Some(member) = fields.take(&"whisper") else { return Some(change) };
    if matches!(change, Update::CallHook { .. } | Update::CallStatus(_)) {
        let expected = format!("no whisper beside `{first}`, which ends the bridge");
        fields.fault(member, "more than one change", &expected);
        return None;
    }
    match one_change(fields, "whisper")? {
        Update::Whisper(plays) => Some(Update::Whispering { change: Box::new(change), plays }),
        other => Some(other),
    }
}

fn one_change(fields: &mut Fields<'_>, name: &str) -> Option<Update> {
    match name {
        "call_status" => fields.optional("call_status").map(Update::CallStatus),
        "boostAudioSignal" => {
            fields.optional("boostAudioSignal").map(|Boost(decibels)| Update::Boost(decibels))
        }
        "mute_status" => fields.optional("mute_status").map(Update::Mute),
        "whisper" => fields.optional("whisper").map(Whispered::update),
        "sip_request" => fields.optional("sip_request").map(Update::SipRequest),
        "tag" => fields.optional("tag").map(Update::Tag),
        "dtmf" => fields
            .optional("dtmf")
            .map(|Pressed { digits, duration }| Update::Dtmf { digits, duration }),
        _ => hooks(fields),
    }
}

fn hooks(fields: &mut Fields<'_>) -> Option<Update> {
    let call_status_hook = http_hook(fields, "call_status_hook", false);
    let call_hook = http_hook(fields, "call_hook", false);
    let child_call_hook = http_hook(fields, "child_call_hook", false);
    for (name, hook) in [("call_hook", &call_hook), ("child_call_hook", &child_call_hook)] {
        if let Some(member) = fields.take(&name)
            && hook.is_none()
        {
            fields.fault(member, "no URL", "a URL or an object with `url`");
            return None;
        }
    }
    Some(Update::CallHook { call_hook, call_status_hook, child_call_hook })
}

impl Object for SipRequestOrder {
    const WHAT: &'static str = "`sip_request`";

    fn read(fields: &mut Fields<'_>) -> SipRequestOrder {
        SipRequestOrder {
            method: sip_method(fields),
            content_type: crate::verb::one_line(fields, "content_type"),
            content: fields.optional("content"),
            headers: fields.or_default::<HeaderMap>("headers").0,
        }
    }
}

/// `dtmf`.
struct Pressed {
    digits: String,
    duration: Duration,
}

impl Object for Pressed {
    const WHAT: &'static str = "`dtmf`";

    fn read(fields: &mut Fields<'_>) -> Pressed {
        let length = fields.optional("duration").map(|Millis(length)| length);
        Pressed {
            digits: fields.required::<Keys>("digit").0,
            duration: length.unwrap_or(Duration::from_millis(250)),
        }
    }
}

/// `whisper`: a play, or several. Speech is for a later version.
struct Whispered {
    plays: Vec<Play>,
    says: bool,
}

impl Whispered {
    fn update(self) -> Update {
        match self.says {
            true => Update::NotYet { property: "say in whisper".to_owned() },
            false => Update::Whisper(self.plays),
        }
    }
}

impl FromJson for Whispered {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Whispered> {
        let nodes = match &node.kind {
            Kind::Array(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut whispered = Whispered { plays: Vec::new(), says: false };
        for (index, node) in nodes.iter().enumerate() {
            match application::element(node, &path.index(index), findings)? {
                // why: nothing ends a whisper but its end, and meanwhile the party is not heard.
                Verb::Play(play) => {
                    whispered.plays.push(Play { repeat: Loop::Times(1), ..play });
                }
                Verb::Say(_) => whispered.says = true,
                other => {
                    let (what, expected) = ("a verb that is not whispered", "`play` or `say`");
                    let got = format!("`{}`", other.name());
                    findings.fault(Finding::new(node.offset, path, what, expected, got));
                    return None;
                }
            }
        }
        Some(whispered)
    }
}
