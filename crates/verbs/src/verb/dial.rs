//! `dial`: call others, and connect the first who answers.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{Amd, Dub, Listen, Target, Transcribe};
use crate::fault::{Finding, Findings};
use crate::fields::{Fields, FromJson, Object};
use crate::headers::{HeaderMap, Headers};
use crate::hook::Hook;
use crate::json::{Kind, Node, Path};
use crate::values::{Boost, Keys, OneOrMany, Seconds, is_key, words};

/// Ring time without `timeout`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Calls every target and connects the caller to one of them.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(transform = crate::schema::alias_of("listen", "stream"))]
pub struct Dial {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Asked once, when the dial has ended.
    pub action_hook: Option<Hook>,
    /// Answering machine detection on whoever is connected.
    pub amd: Option<Amd>,
    /// Keep media on the switch even where nothing needs it.
    #[schemars(with = "Option<bool>")]
    pub anchor_media: bool,
    /// Answer the caller only when a callee is connected; else before any callee is called.
    #[schemars(with = "Option<bool>")]
    pub answer_on_bridge: bool,
    /// In dB, from -20 to 20: how much louder the callee hears the caller; default 0.
    #[schemars(with = "Option<Boost>")]
    pub boost_audio_signal: f64,
    /// User of From; default the caller's own number.
    pub caller_id: Option<String>,
    /// Display name of From.
    pub caller_name: Option<String>,
    /// Asked for a list of verbs that a callee hears before it is connected.
    pub confirm_hook: Option<Hook>,
    /// URL the caller hears, again and again, while callees ring.
    pub dial_music: Option<String>,
    /// Keys that `dtmfHook` is told of.
    #[schemars(with = "Option<DtmfCapture>")]
    pub dtmf_capture: DtmfCapture,
    /// Told of the keys in `dtmfCapture`; its answer is ignored.
    pub dtmf_hook: Option<Hook>,
    /// Tracks that the callee hears, in order; one object or several.
    #[schemars(with = "Option<OneOrMany<Dub>>")]
    pub dub: Vec<Dub>,
    /// Once connected, let media go past the switch.
    #[schemars(with = "Option<bool>")]
    pub exit_media_path: bool,
    /// Pass on P-Asserted-Identity and Privacy; default true.
    #[schemars(rename = "forwardPAI")]
    pub forward_pai: Option<bool>,
    /// Put into every INVITE.
    #[schemars(with = "Option<HeaderMap>")]
    pub headers: Headers,
    /// Streaming of the connected call; also written `stream`.
    pub listen: Option<Box<Listen>>,
    /// Asked for what a party on hold hears.
    pub on_hold_hook: Option<Hook>,
    /// Next hop of every INVITE: `host`, `host:port` or a SIP URI; kept as a SIP URI.
    pub proxy: Option<String>,
    /// Asked when a party sends REFER.
    pub refer_hook: Option<Hook>,
    /// Encrypted media to `sip` targets.
    pub srtp_encryption: Option<SrtpEncryption>,
    /// `customerData` of the callees; an object.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub tag: Option<Value>,
    /// Whom to call, at least one; those beyond the switch's limit are skipped, not refused.
    #[schemars(length(min = 1))]
    pub target: Vec<Target>,
    /// Longest time connected; 0 or none = no limit.
    #[schemars(with = "Option<Seconds>")]
    pub time_limit: Option<Duration>,
    /// Ring time of the whole dial; default 60, as for 0.
    #[schemars(with = "Option<Seconds>")]
    pub timeout: Duration,
    /// Transcription of the connected call.
    pub transcribe: Option<Box<Transcribe>>,
    /// All at once or one after the other. Not in jambonz.
    #[schemars(with = "Option<Strategy>")]
    pub strategy: Strategy,
    /// What an answered caller hears while callees ring. Not in jambonz.
    #[schemars(with = "Option<String>")]
    pub ringback: Option<Ringback>,
    /// Whose early media the caller hears. Not in jambonz.
    #[schemars(with = "Option<EarlyMedia>")]
    pub early_media: EarlyMedia,
    /// Give a callee up that has not rung for so long. Not in jambonz.
    #[schemars(with = "Option<Seconds>")]
    pub progress_timeout: Option<Duration>,
    /// Warn both parties before `timeLimit`. Not in jambonz.
    pub time_limit_warning: Option<TimeLimitWarning>,
    /// Keys sent to the callee once it answers. Not in jambonz.
    #[schemars(with = "Option<Keys>")]
    pub send_digits: Option<String>,
    /// Told of each callee as it goes; its answer is ignored. Not in jambonz.
    pub progress_hook: Option<Hook>,
}

/// `dtmfCapture`: an array of sequences for both parties, or one array each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DtmfCapture {
    /// Sequences of the callee.
    pub child_call: Vec<String>,
    /// Sequences of the caller.
    pub parent_call: Vec<String>,
}

words! {
    /// `srtpEncryption`.
    pub enum SrtpEncryption {
        /// RFC 4568.
        Sdes => "sdes",
        /// RFC 5763.
        Dtls => "dtls",
    }
}

words! {
    /// `strategy`.
    #[derive(Default)]
    pub enum Strategy {
        /// All targets at once, but for their `delay` and `priority`.
        #[default]
        Simring => "simring",
        /// In the order of `target`, each for its `timeout`.
        Hunt => "hunt",
    }
}

words! {
    /// `earlyMedia`.
    #[derive(Default)]
    pub enum EarlyMedia {
        /// That of the callee if there is exactly one and no screening.
        #[default]
        Auto => "auto",
        /// That of the first callee to send any.
        First => "first",
        /// That of the callee first in `target`.
        Priority => "priority",
        /// Nobody's.
        None => "none",
    }
}

/// `ringback`: a country code, `none`, or a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ringback {
    /// ISO 3166 code of the country whose tone is generated, in lower case.
    Country(String),
    /// Silence.
    None,
    /// Audio to play.
    Url(String),
}

/// `timeLimitWarning`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct TimeLimitWarning {
    /// How long before the end.
    #[schemars(with = "Seconds")]
    pub before: Duration,
    /// URL of audio; default a tone.
    pub play: Option<String>,
}

impl Object for TimeLimitWarning {
    const WHAT: &'static str = "`timeLimitWarning`";

    fn read(fields: &mut Fields<'_>) -> TimeLimitWarning {
        TimeLimitWarning {
            before: fields.required::<Seconds>("before").0,
            play: fields.optional("play"),
        }
    }
}

impl Dial {
    /// A dial with nothing but its targets.
    pub fn of(target: Vec<Target>) -> Dial {
        Dial {
            id: None,
            action_hook: None,
            amd: None,
            anchor_media: false,
            answer_on_bridge: false,
            boost_audio_signal: 0.0,
            caller_id: None,
            caller_name: None,
            confirm_hook: None,
            dial_music: None,
            dtmf_capture: DtmfCapture::default(),
            dtmf_hook: None,
            dub: Vec::new(),
            exit_media_path: false,
            forward_pai: None,
            headers: Headers::new(),
            listen: None,
            on_hold_hook: None,
            proxy: None,
            refer_hook: None,
            srtp_encryption: None,
            tag: None,
            target,
            time_limit: None,
            timeout: TIMEOUT,
            transcribe: None,
            strategy: Strategy::default(),
            ringback: None,
            early_media: EarlyMedia::default(),
            progress_timeout: None,
            time_limit_warning: None,
            send_digits: None,
            progress_hook: None,
        }
    }
}

impl Object for Dial {
    const WHAT: &'static str = "`dial`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Dial {
        Dial {
            id: fields.optional("id"),
            action_hook: fields.optional("actionHook"),
            amd: fields.optional("amd"),
            anchor_media: fields.or_default("anchorMedia"),
            answer_on_bridge: fields.or_default("answerOnBridge"),
            boost_audio_signal: fields.optional("boostAudioSignal").map_or(0.0, |Boost(db)| db),
            caller_id: super::number(fields, "callerId"),
            caller_name: super::one_line(fields, "callerName"),
            confirm_hook: fields.optional("confirmHook"),
            dial_music: fields.optional("dialMusic"),
            dtmf_capture: fields.or_default("dtmfCapture"),
            dtmf_hook: fields.optional("dtmfHook"),
            dub: fields.or_default::<OneOrMany<Dub>>("dub").0,
            exit_media_path: fields.or_default("exitMediaPath"),
            forward_pai: fields.optional("forwardPAI"),
            headers: fields.or_default::<HeaderMap>("headers").0,
            listen: fields.optional(["listen", "stream"]),
            on_hold_hook: fields.optional("onHoldHook"),
            proxy: super::proxy(fields, "proxy"),
            refer_hook: fields.optional("referHook"),
            srtp_encryption: fields.optional("srtpEncryption"),
            tag: fields.optional("tag").map(Value::Object),
            target: targets(fields),
            time_limit: super::nonzero_seconds(fields, "timeLimit"),
            timeout: super::nonzero_seconds(fields, "timeout").unwrap_or(TIMEOUT),
            transcribe: fields.optional("transcribe"),
            strategy: fields.or_default("strategy"),
            ringback: fields.optional("ringback"),
            early_media: fields.or_default("earlyMedia"),
            progress_timeout: super::nonzero_seconds(fields, "progressTimeout"),
            time_limit_warning: fields.optional("timeLimitWarning"),
            send_digits: fields.optional("sendDigits").map(|Keys(keys)| keys),
            progress_hook: fields.optional("progressHook"),
        }
    }
}

fn targets(fields: &mut Fields<'_>) -> Vec<Target> {
    let targets = fields.required("target");
    if let Some(member) = fields.take(&"target")
        && member.value.is_empty_array()
    {
        fields.fault(member, "nobody to call", "at least one target");
    }
    targets
}

impl FromJson for Ringback {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Ringback> {
        let text = String::from_json(node, path, findings)?;
        if text == "none" {
            return Some(Ringback::None);
        }
        if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Some(Ringback::Country(text.to_ascii_lowercase()));
        }
        if text.contains([':', '/']) && !text.contains(char::is_control) {
            return Some(Ringback::Url(text));
        }
        let expected = "a country code, `none` or a URL";
        let got = node.describe();
        findings.fault(Finding::new(node.offset, path, "out of range", expected, got));
        None
    }
}

/// One sequence of keys.
struct Sequence(String);

impl FromJson for Sequence {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Sequence> {
        let keys = String::from_json(node, path, findings)?;
        if keys.is_empty() || !keys.chars().all(is_key) {
            let expected = "keys 0-9 A-D * #";
            let got = node.describe();
            findings.fault(Finding::new(node.offset, path, "no keys", expected, got));
        }
        Some(Sequence(keys.to_ascii_uppercase()))
    }
}

/// The object form of `dtmfCapture`.
struct ByParty(DtmfCapture);

impl Object for ByParty {
    const WHAT: &'static str = "`dtmfCapture`";

    fn read(fields: &mut Fields<'_>) -> ByParty {
        let child_call = keys(fields.or_default("childCall"));
        ByParty(DtmfCapture { child_call, parent_call: keys(fields.or_default("parentCall")) })
    }
}

fn keys(sequences: Vec<Sequence>) -> Vec<String> {
    sequences.into_iter().map(|Sequence(keys)| keys).collect()
}

impl FromJson for DtmfCapture {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<DtmfCapture> {
        match &node.kind {
            Kind::Array(_) => {
                let both = keys(Vec::from_json(node, path, findings)?);
                Some(DtmfCapture { child_call: both.clone(), parent_call: both })
            }
            Kind::Object(_) => ByParty::from_json(node, path, findings).map(|ByParty(each)| each),
            _ => {
                let expected = "an array of strings, or an object of two";
                let fix = node.is_string().then_some("`[` before it and `]` after it");
                let got = node.describe();
                let finding = Finding::new(node.offset, path, "wrong type", expected, got);
                findings.fault(finding.did_you_mean(fix));
                None
            }
        }
    }
}

impl JsonSchema for DtmfCapture {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DtmfCapture".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let keys = json_schema!({ "type": "string", "pattern": "^[0-9A-Da-d*#]+$" });
        let list = json_schema!({ "type": ["array", "null"], "items": keys });
        json_schema!({
            "description": "Sequences of keys for both parties, or for each.",
            "anyOf": [
                { "type": "array", "items": keys },
                { "type": "object", "properties": { "childCall": list, "parentCall": list } }
            ]
        })
    }
}
