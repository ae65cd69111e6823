//! `createCall`: a call that the switch places itself, and what runs once it is answered.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{http_hook, properties};
use crate::application::parse_application;
use crate::fault::{Fault, Findings};
use crate::fields::{Fields, Object};
use crate::headers::{HeaderMap, Headers};
use crate::hook::Hook;
use crate::json::{self, Kind, Path};
use crate::verb::{Amd, Endpoint, Record, Target, host, nonzero_seconds, number, one_line};

/// Ring time without `timeout`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Longest `from`, in characters.
const FROM_MAX: usize = 256;

/// A call to be placed. Where both are given, a value of the request wins over the one of its
/// application.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateCall {
    /// Who calls: user of From, and the number that picks a carrier.
    pub from: String,
    /// Whom to call; never a Teams user.
    pub to: Target,
    /// The application that runs when the call is answered.
    pub application_sid: Option<String>,
    /// Asked for the verbs; an absolute http(s) URL.
    pub call_hook: Option<Hook>,
    /// Told of every change of status; an absolute http(s) URL.
    pub call_status_hook: Option<Hook>,
    /// The verbs themselves, as the JSON text of a list without faults.
    pub app_json: Option<String>,
    /// Display name of From (`callerName`).
    pub caller_name: Option<String>,
    /// Host of From (`fromHost`).
    pub from_host: Option<String>,
    /// Put into the INVITE.
    pub headers: Headers,
    /// `customerData` from the start; an object.
    pub tag: Option<Value>,
    /// Ring time; default 60 s, as for 0.
    pub timeout: Duration,
    /// Longest time from the answer on (`timeLimit`); 0 or none = no limit.
    pub time_limit: Option<Duration>,
    /// `answerOnBridge`.
    pub answer_on_bridge: bool,
    /// Answering machine detection.
    pub amd: Option<Amd>,
    /// Two audio streams, one for each direction.
    pub dual_streams: bool,
    /// Recording from the start.
    pub record: Option<Record>,
    /// Asked about requests inside the dialog (`sipRequestWithinDialogHook`).
    pub sip_request_within_dialog_hook: Option<Hook>,
    /// Asked about REFER (`referHook`).
    pub refer_hook: Option<Hook>,
    /// Values for the application, in the first payload; an object.
    pub env_vars: Option<Map<String, Value>>,
    /// Who speaks; never required.
    pub speech_synthesis_vendor: Option<String>,
    /// BCP 47 tag of what is spoken.
    pub speech_synthesis_language: Option<String>,
    /// Name of the voice.
    pub speech_synthesis_voice: Option<String>,
    /// Which of several credentials of the vendor.
    pub speech_synthesis_label: Option<String>,
    /// Who understands; never required.
    pub speech_recognizer_vendor: Option<String>,
    /// BCP 47 tag of what is heard.
    pub speech_recognizer_language: Option<String>,
    /// Which of several credentials of the vendor.
    pub speech_recognizer_label: Option<String>,
}

/// Reads the body of a `createCall`. Beside the request stand warnings: unknown properties, of
/// the body and of the list in `app_json`.
///
/// # Errors
///
/// Every fault, sorted by position. A fault of the target begins with `missing or invalid to
/// property: `.
pub fn parse_create_call(text: &str) -> Result<(CreateCall, Vec<Fault>), Vec<Fault>> {
    let mut findings = Findings::new(false);
    let body = json::read(text, &mut findings).and_then(|root| properties(root, &mut findings));
    let create = body.map(|(offset, members)| {
        Fields::read::<CreateCall>(&members, offset, &Path::ROOT, &mut findings)
    });
    let faulty = findings.is_faulty();
    let (mut faults, warnings) = findings.locate(text);
    match create {
        Some(create) if !faulty => {
            let of_list = create.app_json.as_deref().map(warnings_of).unwrap_or_default();
            Ok((create, [warnings, of_list].concat()))
        }
        _ => {
            faults.iter_mut().for_each(name_target);
            Err(faults)
        }
    }
}

/// jambonz: what is wrong with the target is said in these words.
fn name_target(fault: &mut Fault) {
    if fault.pointer == "/to" || fault.pointer.starts_with("/to/") {
        fault.what = format!("missing or invalid to property: {}", fault.what);
    }
}

/// Warnings about the list in `app_json`; lines and columns are those of the list.
fn warnings_of(list: &str) -> Vec<Fault> {
    let mut warnings = parse_application(list, false).map_or_else(|f| f, |list| list.warnings);
    for warning in &mut warnings {
        warning.pointer.insert_str(0, "/app_json");
    }
    warnings
}

impl Object for CreateCall {
    const WHAT: &'static str = "createCall";

    fn read(fields: &mut Fields<'_>) -> CreateCall {
        let create = CreateCall {
            from: from(fields),
            to: to(fields),
            application_sid: one_line(fields, "application_sid"),
            call_hook: http_hook(fields, "call_hook", true),
            call_status_hook: http_hook(fields, "call_status_hook", true),
            app_json: app_json(fields),
            caller_name: one_line(fields, "callerName"),
            from_host: host(fields, "fromHost"),
            headers: fields.or_default::<HeaderMap>("headers").0,
            tag: fields.optional("tag").map(Value::Object),
            timeout: nonzero_seconds(fields, "timeout").unwrap_or(TIMEOUT),
            time_limit: nonzero_seconds(fields, "timeLimit"),
            answer_on_bridge: fields.or_default("answerOnBridge"),
            amd: fields.optional("amd"),
            dual_streams: fields.or_default("dual_streams"),
            record: fields.optional("record"),
            sip_request_within_dialog_hook: fields.optional("sipRequestWithinDialogHook"),
            refer_hook: fields.optional("referHook"),
            env_vars: fields.optional("env_vars"),
            speech_synthesis_vendor: fields.optional("speech_synthesis_vendor"),
            speech_synthesis_language: fields.optional("speech_synthesis_language"),
            speech_synthesis_voice: fields.optional("speech_synthesis_voice"),
            speech_synthesis_label: fields.optional("speech_synthesis_label"),
            speech_recognizer_vendor: fields.optional("speech_recognizer_vendor"),
            speech_recognizer_language: fields.optional("speech_recognizer_language"),
            speech_recognizer_label: fields.optional("speech_recognizer_label"),
        };
        let named = ["application_sid", "call_hook", "app_json"];
        if !named.iter().any(|name| fields.take(name).is_some()) {
            let what = "either call_hook or application_sid required";
            fields.lacks(what, "`call_hook`, `application_sid` or `app_json`");
        }
        create
    }
}

fn from(fields: &mut Fields<'_>) -> String {
    let from = number(fields, "from");
    match fields.take(&"from") {
        None => fields.lacks("missing from parameter", "`from`, who calls"),
        Some(member) => {
            if from.as_ref().is_some_and(|from| from.chars().count() > FROM_MAX) {
                fields.fault(member, "out of range", "at most 256 characters");
            }
        }
    }
    from.unwrap_or_default()
}

fn to(fields: &mut Fields<'_>) -> Target {
    let to: Option<Target> = fields.optional("to");
    match fields.take(&"to") {
        None => {
            let what = "missing or invalid to property: it is not there";
            fields.lacks(what, "`to`, whom to call");
        }
        Some(member) => {
            if to.as_ref().is_some_and(|to| matches!(to.endpoint, Endpoint::Teams { .. })) {
                let what = "Teams targets are not supported by this version";
                fields.fault(member, what, "a target of type `phone`, `user` or `sip`");
            }
        }
    }
    to.unwrap_or_else(Target::nobody)
}

/// `app_json`, read once so that a list that cannot run is refused before anybody is called.
fn app_json(fields: &mut Fields<'_>) -> Option<String> {
    let text: String = fields.optional("app_json")?;
    let member = fields.take(&"app_json")?;
    if let Kind::String(_) = member.value.kind
        && let Err(faults) = parse_application(&text, false)
    {
        for fault in faults {
            fields.fault(member, &format!("in the list: {fault}"), "a list of verbs");
        }
    }
    Some(text)
}
