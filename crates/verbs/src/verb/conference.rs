//! `conference`, also called `room`: many callers together.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::hook::Hook;

/// Puts the caller into a conference. Read so that lists holding it are accepted.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Conference {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Name of the conference, made on first use.
    pub name: String,
    /// A tone when somebody comes or goes.
    #[schemars(with = "Option<bool>")]
    pub beep: bool,
    /// Others wait until this one comes; default true.
    pub start_conference_on_enter: Option<bool>,
    /// Over when this one goes.
    #[schemars(with = "Option<bool>")]
    pub end_conference_on_exit: bool,
    /// Most participants.
    pub max_participants: Option<u32>,
    /// Silent at first.
    #[schemars(with = "Option<bool>")]
    pub join_muted: bool,
    /// Asked for what is heard while waiting.
    pub wait_hook: Option<Hook>,
    /// Asked for what is heard on entering.
    pub enter_hook: Option<Hook>,
    /// Told who comes and goes.
    pub status_hook: Option<Hook>,
    /// Events `statusHook` is told of.
    #[schemars(with = "Option<Vec<String>>")]
    pub status_events: Vec<String>,
    /// Tag of this participant.
    pub member_tag: Option<String>,
    /// Heard only by participants with this tag.
    pub speak_only_to: Option<String>,
    /// Asked when the caller has left.
    pub action_hook: Option<Hook>,
}

impl Object for Conference {
    const WHAT: &'static str = "`conference`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Conference {
        Conference {
            id: fields.optional("id"),
            name: fields.required("name"),
            beep: fields.or_default("beep"),
            start_conference_on_enter: fields.optional("startConferenceOnEnter"),
            end_conference_on_exit: fields.or_default("endConferenceOnExit"),
            max_participants: fields.optional("maxParticipants"),
            join_muted: fields.or_default("joinMuted"),
            wait_hook: fields.optional("waitHook"),
            enter_hook: fields.optional("enterHook"),
            status_hook: fields.optional("statusHook"),
            status_events: fields.or_default("statusEvents"),
            member_tag: fields.optional("memberTag"),
            speak_only_to: fields.optional("speakOnlyTo"),
            action_hook: fields.optional("actionHook"),
        }
    }
}
