//! An application: the list of verbs that a hook returns or a file holds, from text to types.

use crate::fault::{Fault, Finding, Findings};
use crate::fields::Source;
use crate::json::{self, Kind, Member, Node, Path};
use crate::suggest;
use crate::verb::{self, VERB_NAMES, Verb};

/// Most verbs of one list.
pub const VERBS_MAX: usize = 1000;

/// Verbs of jambonz that this switch does not run; named so that the fault can say so.
const NOT_RUN: &[&str] = &[
    "agent",
    "deepgram_s2s",
    "dialogflow",
    "elevenlabs_s2s",
    "google_s2s",
    "gptlive_s2s",
    "lex",
    "llm",
    "openai_s2s",
    "qwen_s2s",
    "rasa",
    "s2s",
    "transfer",
    "ultravox_s2s",
];

/// A list of verbs without faults.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// In the order of the text; may be empty.
    pub verbs: Vec<Verb>,
    /// What does no harm: unknown properties, and under `strict` numbers that are not E.164.
    /// Sorted by position.
    pub warnings: Vec<Fault>,
}

/// Reads an application: a JSON array of `{"verb": "dial", …}` or `{"dial": {…}}`.
///
/// Every fault is reported, sorted by position, and any fault rejects the whole list. Where the
/// text is not JSON, only its syntax is reported. With `strict`, unknown properties are faults.
pub fn parse_application(text: &str, strict: bool) -> Result<Application, Vec<Fault>> {
    let mut findings = Findings::new(strict);
    let root = json::read(text, &mut findings);
    let verbs = root.map(|root| list(&root, &mut findings)).unwrap_or_default();
    let faulty = findings.is_faulty();
    let (faults, warnings) = findings.locate(text);
    if faulty { Err(faults) } else { Ok(Application { verbs, warnings }) }
}

fn list(root: &Node, findings: &mut Findings) -> Vec<Verb> {
    let Kind::Array(nodes) = &root.kind else {
        let expected = "an array of verbs";
        let fix = matches!(root.kind, Kind::Object(_)).then_some("`[` before it and `]` after it");
        let finding = Finding::new(root.offset, &Path::ROOT, "no list", expected, root.describe());
        findings.fault(finding.did_you_mean(fix));
        return Vec::new();
    };
    if let Some(node) = nodes.get(VERBS_MAX) {
        let expected = format!("at most {VERBS_MAX}");
        let got = format!("{}", nodes.len());
        let path = Path::ROOT.index(VERBS_MAX);
        findings.fault(Finding::new(node.offset, &path, "too many verbs", expected, got));
        return Vec::new();
    }
    let elements = nodes.iter().enumerate();
    elements.filter_map(|(n, node)| element(node, &Path::ROOT.index(n), findings)).collect()
}

/// One verb in either envelope.
pub(crate) fn element(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Verb> {
    let Kind::Object(members) = &node.kind else {
        let expected = "an object with `verb`";
        let finding = Finding::new(node.offset, path, "no verb", expected, node.describe());
        findings.fault(finding);
        return None;
    };
    if let Some(verb) = members.iter().find(|member| member.key == "verb") {
        return flat(verb, members, node.offset, path, findings);
    }
    match members.as_slice() {
        [Member { offset, key, value }] => wrapped(key, *offset, value, path, findings),
        _ => {
            let slip = members.iter().map(|member| member.key.as_str());
            let slip = suggest::nearest("verb", slip).map(|key| format!("`verb` for `{key}`"));
            let got = if members.is_empty() { "an empty object" } else { "no such property" };
            let expected = "`verb` with the name of the verb";
            let finding = Finding::new(node.offset, path, "missing `verb`", expected, got);
            findings.fault(finding.did_you_mean(slip));
            None
        }
    }
}

/// `{"verb": "dial", …}`.
fn flat(
    verb: &Member,
    members: &[Member],
    offset: usize,
    parent: &Path<'_>,
    findings: &mut Findings,
) -> Option<Verb> {
    let Kind::String(name) = &verb.value.kind else {
        let path = parent.key("verb");
        let got = verb.value.describe();
        let finding = Finding::new(verb.value.offset, &path, "wrong type", "a string", got);
        findings.fault(finding);
        return None;
    };
    let source = Source { members, offset, path: parent, findings };
    let found = verb::read(name, source);
    if found.is_none() {
        unknown(name, verb.value.offset, &parent.key("verb"), findings);
    }
    found
}

/// `{"dial": {…}}`.
fn wrapped(
    name: &str,
    offset: usize,
    value: &Node,
    parent: &Path<'_>,
    findings: &mut Findings,
) -> Option<Verb> {
    let path = parent.key(name);
    if !VERB_NAMES.contains(&name) {
        unknown(name, offset, &path, findings);
        return None;
    }
    let members = match &value.kind {
        Kind::Object(members) => members.as_slice(),
        Kind::Null => &[],
        _ => {
            let expected = format!("an object with the properties of `{name}`");
            let got = value.describe();
            findings.fault(Finding::new(value.offset, &path, "wrong type", expected, got));
            return None;
        }
    };
    verb::read(name, Source { members, offset: value.offset, path: &path, findings })
}

fn unknown(name: &str, offset: usize, path: &Path<'_>, findings: &mut Findings) {
    let (what, fix) = if NOT_RUN.contains(&name) {
        ("verb that this switch does not run", None)
    } else {
        ("unknown verb", suggest::nearest(name, VERB_NAMES.iter().copied()))
    };
    let finding = Finding::new(offset, path, what, "the name of a verb", json::shown(name));
    findings.fault(finding.did_you_mean(fix.map(|name| format!("`{name}`"))));
}
