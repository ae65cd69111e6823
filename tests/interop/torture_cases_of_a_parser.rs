//! The cases that another SIP parser is tested with: none harms ours, in process or over UDP, and
//! what it refuses and we take is a documented leniency.

use std::time::{Duration, Instant};

use call::{Output, Switch};
use sip::{Config, Endpoint, Flow, Message, Transport};

use crate::support::corpus::{Corpus, Opinion};
use crate::support::scene::Scene;
use crate::support::source::Source;

/// What is lenient, and why.
const LENIENCY: &str = include_str!("../../docs/leniency.md");

/// Cases that the other parser refuses and we take, and the leniency that each of them meets.
const TAKEN: &[(u64, &str)] = &[
    (3, "lwsstart"),
    (5, "escruri"),
    (372, "lwsstart"),
    (374, "escruri"),
    (375, "baddate"),
    (377, "badaspec"),
    (378, "baddn"),
];

/// With both line ends.
fn texts(case: &Opinion) -> [String; 2] {
    [case.text.clone(), case.text.replace('\n', "\r\n")]
}

fn flow() -> Flow {
    let address = |text: &str| text.parse().expect("an address");
    Flow {
        transport: Transport::Udp,
        local: address("10.0.0.1:5060"),
        remote: address("10.0.1.1:5060"),
    }
}

/// The first status that an endpoint answers with; `None` where it is silent.
fn answered(text: &str) -> Option<u16> {
    let mut endpoint = Endpoint::new(Config::default(), 1);
    endpoint.handle_datagram(Instant::now(), flow(), text.as_bytes());
    let transmit = endpoint.poll_transmit()?;
    Message::parse(&transmit.bytes).expect("what we write can be read").status()
}

/// Whether it is a message that we take as it is.
fn is_taken(text: &str) -> bool {
    let Ok(message) = Message::parse(text.as_bytes()) else { return false };
    let refused = matches!(answered(text), Some(400 | 405 | 413 | 416 | 420 | 481 | 501 | 505));
    message.check().is_ok() && !refused
}

#[test]
fn what_another_parser_refuses_is_refused_or_a_documented_leniency() {
    let Some(corpus) = Corpus::find() else { return };
    let refused: Vec<Opinion> = corpus.opinions().into_iter().filter(|case| case.refused).collect();
    assert_eq!(refused.len(), 30);
    let taken: Vec<u64> = refused
        .iter()
        .filter(|case| texts(case).iter().any(|text| is_taken(text)))
        .map(|case| case.number)
        .collect();
    let documented: Vec<u64> = TAKEN.iter().map(|(number, _)| *number).collect();
    assert_eq!(taken, documented);
    for (number, leniency) in TAKEN {
        assert!(LENIENCY.contains(&format!("`{leniency}`")), "{number}: {leniency}");
    }
}

/// Everything that can be read of a message is read.
fn touch(message: &Message) {
    let _ = (message.check(), message.uri(), message.contact(), format!("{message:?}"));
    for (name, _) in message.headers() {
        let _ = (message.address(&name), message.route_set(&name));
    }
    let _ = media::sdp::Description::parse(message.body());
}

#[test]
fn no_case_of_another_parser_harms_the_switch_in_process() {
    let Some(corpus) = Corpus::find() else { return };
    let cases = corpus.opinions();
    assert_eq!(cases.len(), 368);
    let remote = flow().remote;
    let settings = testkit::carrier_settings(remote.ip(), "10.0.2.1:5060".parse().expect("one"));
    let mut switch = Switch::new(settings.into(), Config::default(), [7; 32]);
    let mut now = Instant::now();
    for text in cases.iter().flat_map(texts) {
        match Message::parse(text.as_bytes()) {
            Ok(message) => touch(&message),
            Err(fault) => fault.request.iter().for_each(|request| touch(request)),
        }
        switch.handle_datagram(now, flow(), text.as_bytes());
        while let Some(output) = switch.poll() {
            if let Output::Transmit(transmit) = output {
                assert_eq!(transmit.flow.remote, remote, "answers go where the request came from");
            }
        }
    }
    // Every call ends, and then nothing is left.
    for _ in 0..600 {
        switch.end_all(now);
        now += Duration::from_secs(1);
        switch.handle_timeout(now);
        while switch.poll().is_some() {}
    }
    assert!(switch.is_quiet(), "{:?}", switch.alive());
}

#[test]
fn no_case_of_another_parser_harms_the_running_switch() {
    let Some(corpus) = Corpus::find() else { return };
    let scene = Scene::new();
    let mut config = scene.config();
    config.sip = "t1_ms = 50".to_owned();
    let switch = scene.starts(&config);
    // So many that none is taken for a flood.
    let sources: Vec<Source> =
        (30..230).map(|host| Source::open(scene.network.ip(host), switch.sip)).collect();
    let cases = corpus.opinions();
    for (text, source) in cases.iter().flat_map(texts).zip(sources.iter().cycle()) {
        source.sends(text.as_bytes());
        source.asks();
    }
    switch.ends();
}
