//! The messages of RFC 4475 and RFC 5118, and those of another parser, sent to the running switch:
//! each gets its verdict, and none of them harms it.

use std::collections::BTreeMap;

use serde_json::json;
use sip::Message;

use crate::support::PATIENCE;
use crate::support::corpus::{Case, Corpus, Verdict};
use crate::support::scene::{Config, Scene};
use crate::support::source::Source;
use crate::support::switch::Switch;

/// What is lenient, and why.
const LENIENCY: &str = include_str!("../../docs/leniency.md");

/// What a message was answered, but for provisional responses.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome(Vec<u16>);

impl Outcome {
    fn is_met(&self, case: &Case) -> bool {
        let Outcome(statuses) = self;
        match (&case.verdict, statuses.as_slice()) {
            (Verdict::Response, []) => true,
            (Verdict::Sound(allowed), [status]) => {
                *status != 400 && (allowed.is_empty() || allowed.contains(status))
            }
            (Verdict::Broken { statuses, .. }, [status]) if statuses.contains(status) => true,
            (Verdict::Broken { may_drop: true, .. }, []) => true,
            (Verdict::Broken { may_accept: true, .. }, [_]) => says_leniency(&case.name),
            _ => false,
        }
    }
}

/// Whether the page of leniencies names this message.
fn says_leniency(name: &str) -> bool {
    LENIENCY.contains(&format!("`{name}`"))
}

/// What the message is answered: each final response once, until OPTIONS is answered as before.
fn outcome(source: &Source, case: &Case, patient: bool) -> Outcome {
    source.sends(&case.bytes);
    let mut answers = source.asks();
    let is_final = |message: &Message| message.status() >= Some(200);
    let awaited = patient && answers.iter().any(|answer| !is_final(answer));
    if awaited && !answers.iter().any(is_final) {
        let waited = std::iter::from_fn(|| source.hears(PATIENCE)).find(is_final);
        answers.push(waited.unwrap_or_else(|| panic!("{}: no final answer", case.name)));
    }
    let finals: Vec<&Message> = answers.iter().filter(|answer| is_final(answer)).collect();
    for answer in &finals {
        source.acknowledges(&case.bytes, answer);
    }
    Outcome(finals.iter().filter_map(|answer| answer.status()).collect())
}

/// All outcomes; every message comes from an address of its own, so that none is taken for a flood.
fn outcomes(scene: &Scene, switch: &Switch, cases: &[Case]) -> BTreeMap<String, Outcome> {
    let sources = (30..).map(|host| scene.network.ip(host));
    let sent = cases.iter().zip(sources).map(|(case, ip)| {
        let source = Source::open(ip, switch.sip);
        (case.name.clone(), outcome(&source, case, true))
    });
    sent.collect()
}

/// Fails with every verdict that is missed.
fn judge(cases: &[Case], outcomes: &BTreeMap<String, Outcome>) {
    let missed: Vec<String> = cases
        .iter()
        .filter(|case| !outcomes[&case.name].is_met(case))
        .map(|case| {
            format!("{}: {:?}, expected {:?}", case.name, outcomes[&case.name], case.verdict)
        })
        .collect();
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), cases.len(), missed.join("\n"));
}

/// Judges all of them under this configuration.
fn each_gets_its_verdict(config: impl FnOnce(&Scene) -> Config) {
    let Some(corpus) = Corpus::find() else { return };
    let scene = Scene::new();
    scene.app.runs("/incoming", &json!([{ "verb": "sip:decline", "status": 480 }]));
    let switch = scene.starts(&config(&scene));
    let cases = corpus.cases();
    assert_eq!(cases.len(), 61);
    let outcomes = outcomes(&scene, &switch, &cases);
    for (name, outcome) in &outcomes {
        println!("{name}: {:?}", outcome.0);
    }
    judge(&cases, &outcomes);
    switch.ends();
}

#[test]
fn each_message_of_a_stranger_gets_its_verdict() {
    each_gets_its_verdict(Scene::config);
}

#[test]
fn each_message_of_a_carrier_gets_its_verdict() {
    each_gets_its_verdict(|scene| {
        let mut config = scene.config();
        config.carrier = None;
        let network = scene.network.ip(0);
        config.rest = format!(
            "[[carrier]]\nname = \"trunk\"\napplication = \"main\"\n\
             [[carrier.gateway]]\nhost = \"{network}/24\"\n"
        );
        config.sip = "t1_ms = 50".to_owned();
        config
    });
}
