//! `updateCall`: one change to a call that is up.

use super::{http_hook, properties};
use crate::fault::{Fault, Findings};
use crate::fields::{Fields, Object};
use crate::hook::Hook;
use crate::json::{self, Path};
use crate::values::words;

words! {
    /// `call_status`: how a leg is ended.
    pub enum CallEnd {
        /// At any moment: CANCEL, a refusal or BYE, as its state asks.
        Completed => "completed",
        /// Only a leg that is not answered.
        NoAnswer => "no-answer",
    }
}

/// A change to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// Ends the leg.
    CallStatus(CallEnd),
    /// Asks another hook, whose verbs replace whatever runs.
    CallHook {
        /// An http(s) URL, or a path on the origin of the call's application.
        call_hook: Hook,
        /// Told of every change of status from now on.
        call_status_hook: Option<Hook>,
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

fn change(fields: &mut Fields<'_>, given: &[&(&'static str, &[&'static str])]) -> Option<Update> {
    let built = |name: &str| matches!(name, "call_hook" | "call_status");
    if let Some((property, _)) = given.iter().find(|(name, _)| !built(name)) {
        return Some(Update::NotYet { property: (*property).to_owned() });
    }
    if let Some(end) = fields.optional("call_status") {
        return Some(Update::CallStatus(end));
    }
    let call_status_hook = http_hook(fields, "call_status_hook", false);
    match http_hook(fields, "call_hook", false) {
        Some(call_hook) => Some(Update::CallHook { call_hook, call_status_hook }),
        None => {
            if let Some(member) = fields.take(&"call_hook") {
                fields.fault(member, "no URL", "a URL or an object with `url`");
            }
            None
        }
    }
}
