//! Messages that lie about their length, are far too large, or would put lines of their own into
//! what is sent on; requests that come round again; answers that would hit somebody else.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;
use sip::Message;

use crate::support::scene::{CALLEE, CALLER, Config, STRANGER, SWITCH, Scene};
use crate::support::source::{Source, invite, options};
use crate::support::switch::Switch;
use crate::support::{PATIENCE, wait_for};

/// What memory may grow by while hostile things come.
const GROWTH_MAX: usize = 48 * 1024 * 1024;

/// A session description that everybody can answer.
const DESCRIPTION: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n\
     t=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";

/// With TCP beside UDP.
fn with_tcp(scene: &Scene) -> Config {
    let mut config = scene.config();
    config.sip = format!("tcp = \"{}:0\"\nt1_ms = 50", scene.network.ip(SWITCH));
    config
}

fn connect(switch: &Switch) -> TcpStream {
    let stream = TcpStream::connect(switch.sip_tcp.expect("tcp is on")).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time above zero");
    stream
}

/// Everything until the switch closes the connection, and how long that took.
fn until_closed(mut stream: TcpStream) -> (String, Duration) {
    let (begun, mut bytes) = (Instant::now(), Vec::new());
    if let Err(error) = stream.read_to_end(&mut bytes) {
        let reset = error.kind() == std::io::ErrorKind::ConnectionReset;
        assert!(reset, "the connection is not closed: {error}");
    }
    (String::from_utf8_lossy(&bytes).into_owned(), begun.elapsed())
}

/// An OPTIONS over TCP with these lines in the place of its Content-Length, and this body.
fn over_tcp(lines: &str, body: &str) -> String {
    format!(
        "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx\r\n\
         Max-Forwards: 70\r\nFrom: <sip:t@h>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\n\
         CSeq: 1 OPTIONS\r\n{lines}\r\n{body}"
    )
}

#[test]
fn a_length_that_lies_is_refused_and_a_connection_ends() {
    let scene = Scene::new();
    let switch = scene.starts(&with_tcp(&scene));
    let source = Source::open(scene.network.ip(STRANGER), switch.sip);
    let lies = [
        ("Content-Length: -1\r\n", 400),
        ("Content-Length: 99999999999\r\n", 400),
        ("Content-Length: x\r\n", 400),
        ("Content-Length: 5\r\nl: 6\r\n", 400),
        ("Content-Length: 1000000\r\n", 413),
        ("", 400),
    ];
    for (lines, status) in lies {
        let mut stream = connect(&switch);
        stream.write_all(over_tcp(lines, "hello").as_bytes()).expect("taken");
        let (answer, _) = until_closed(stream);
        assert!(answer.starts_with(&format!("SIP/2.0 {status} ")), "{lines:?}: {answer}");
    }
    // In a datagram the end is known: what is longer than that, or no number, is a lie.
    for lines in ["Content-Length: -1\r\n", "l: 6\r\n", "l: 5\r\nContent-Length: 4\r\n", "l:\r\n"] {
        source.sends(over_tcp(lines, "hello").as_bytes());
        let answers = source.asks();
        let statuses: Vec<_> = answers.iter().filter_map(Message::status).collect();
        assert_eq!(statuses, [400], "{lines:?}");
    }
    switch.ends();
}

#[test]
fn what_is_far_too_large_is_refused_and_costs_no_memory() {
    let scene = Scene::new();
    let switch = scene.starts(&with_tcp(&scene));
    let source = Source::open(scene.network.ip(CALLER), switch.sip);
    let before = switch.memory();
    let large = [
        (format!("X-Long: {}\r\n", "x".repeat(60_000)), &[413][..]),
        ("a:b\r\n".repeat(10_000), &[413]),
        (format!("Contact: {}<sip:a@b>\r\n", "<sip:a@b>,".repeat(5_000)), &[413]),
        // An answer would repeat each of these, and be too large itself: there is none.
        ("Via: SIP/2.0/UDP h\r\n".repeat(2_500), &[]),
    ];
    for (lines, expected) in large.iter().cycle().take(200) {
        let sound = options(source.address(), switch.sip, "large");
        let text = sound.replacen("Content-Length", &format!("{lines}Content-Length"), 1);
        source.sends(text.as_bytes());
        let answers = source.asks();
        let statuses: Vec<_> = answers.iter().filter_map(Message::status).collect();
        assert_eq!(statuses, *expected, "{}", &lines[..20]);
    }
    for _ in 0..20 {
        let mut stream = connect(&switch);
        // Headers without end: there is nothing to answer.
        let _refused = stream.write_all("X: y\r\n".repeat(12_000).as_bytes());
        assert_eq!(until_closed(stream).0, "");
        let mut stream = connect(&switch);
        let body = "x".repeat(1_000_000);
        let _refused = stream.write_all(over_tcp("l: 1000000\r\n", &body).as_bytes());
        let (answer, _) = until_closed(stream);
        assert!(answer.is_empty() || answer.starts_with("SIP/2.0 413 "), "{answer}");
    }
    let after = switch.memory();
    assert!(after < before + GROWTH_MAX, "{before} bytes became {after}");
    switch.ends();
}

#[test]
fn bodies_of_many_parts_are_not_looked_into() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.sip = "t1_ms = 50".to_owned();
    let switch = scene.starts(&config);
    let source = Source::open(scene.network.ip(CALLER), switch.sip);
    let nested: String = (0..1_000)
        .map(|depth| format!("--b{depth}\r\nContent-Type: multipart/mixed;boundary=b{depth}\r\n"))
        .collect();
    let boundary = "b".repeat(3_000);
    let bodies = [("multipart/mixed;boundary=b0", nested.as_str())].into_iter();
    let long = format!("multipart/mixed;boundary={boundary}");
    for (index, (kind, body)) in bodies.chain([(long.as_str(), "--b")]).enumerate() {
        let call_id = format!("parts-{index}");
        let invite = invite(source.address(), switch.sip, &call_id, "", body);
        let answer = source.calls(&invite.replace("application/sdp", kind));
        assert_eq!(answer.status(), Some(415), "{kind}");
    }
    source.asks();
    switch.ends();
}

#[test]
fn doubled_headers_are_refused_and_short_names_are_as_good_as_long_ones() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let source = Source::open(scene.network.ip(STRANGER), switch.sip);
    let statuses = |text: &str| {
        source.sends(text.as_bytes());
        source.asks().iter().filter_map(Message::status).collect::<Vec<_>>()
    };
    let sound = || options(source.address(), switch.sip, "doubled");
    for line in [
        "To: <sip:x@y>",
        "t: <sip:x@y>",
        "From: <sip:x@y>;tag=2",
        "CSeq: 2 OPTIONS",
        "i: another",
        "Max-Forwards: 5",
        "Contact\u{1}: <sip:x@y>",
        "Con tact: <sip:x@y>",
        "no colon",
        "X-Null: a\0b",
        "X-Return: a\rX-Evil: b",
    ] {
        let text = sound().replacen("Content-Length", &format!("{line}\r\nContent-Length"), 1);
        assert_eq!(statuses(&text), [400], "{line:?}");
    }
    let short = sound()
        .replace("Via:", "v:")
        .replace("From:", "f:")
        .replace("To:", "t:")
        .replace("Call-ID:", "i:")
        .replace("Content-Length:", "l:");
    assert_eq!(statuses(&short), [200]);
    for branch in ["branch=1", "branch=z9hG4bK", "x=y"] {
        let old = sound().replace("branch=z9hG4bKdoubled", branch);
        assert_eq!(statuses(&old), [200], "RFC 2543: {branch}");
    }
    switch.ends();
}

#[test]
fn nobody_puts_a_header_into_what_is_sent_on() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.sip = "t1_ms = 50".to_owned();
    let switch = scene.starts(&config);
    let source = Source::open(scene.network.ip(CALLER), switch.sip);
    let callee = Source::open(scene.network.ip(CALLEE), switch.sip);
    let uri = format!("sip:callee@{}", callee.address());
    let evil = "1\r\nX-Evil: 1";
    let dials = [
        json!({}),
        json!({ "callerId": evil }),
        json!({ "callerName": evil }),
        json!({ "headers": { "X-Fine": evil } }),
        json!({ "headers": { "X-Fine: 1\r\nX-Evil": "1" } }),
    ];
    let mut reached = 0;
    for (index, more) in dials.into_iter().enumerate() {
        let target = json!([{ "type": "sip", "sipUri": uri.clone() }]);
        let mut dial =
            json!({ "verb": "dial", "answerOnBridge": true, "timeout": 1, "target": target });
        for (name, value) in more.as_object().into_iter().flatten() {
            dial[name] = value.clone();
        }
        scene.app.runs("/incoming", &json!([dial]));
        let text = invite(source.address(), switch.sip, &format!("evil-{index}"), "", DESCRIPTION);
        let from = "From: \"a%0d%0aX-Evil: 1\" <sip:b%0d%0aX-Evil:%201@h;x=%0aX-Evil:1>;tag=1";
        let old = format!("From: <sip:tester@{}>;tag=1", source.address());
        let answer = source.calls(&text.replace(&old, from));
        assert!(answer.status() >= Some(400), "{answer:?}");
        while let Some(sent) = callee.hears(Duration::from_millis(300)) {
            reached += 1;
            assert_eq!(sent.header("X-Evil"), None, "{index}: {sent:?}");
        }
    }
    assert!(reached > 0, "the first one is sent on, as it is");
    switch.ends();
}

#[test]
fn a_call_that_comes_round_again_is_found_and_refused() {
    let scene = Scene::new();
    let mut config = scene.config();
    let own = scene.network.ip(SWITCH);
    config.sip = "t1_ms = 50".to_owned();
    config.rest = format!(
        "[[carrier]]\nname = \"self\"\napplication = \"main\"\n\
         [[carrier.gateway]]\nhost = \"{own}\"\noutbound = false\n"
    );
    let switch = scene.starts(&config);
    let uri = format!("sip:again@{}", switch.sip);
    let target = json!([{ "type": "sip", "sipUri": uri }]);
    scene
        .app
        .runs("/incoming", &json!([{ "verb": "dial", "answerOnBridge": true, "target": target }]));
    let source = Source::open(scene.network.ip(CALLER), switch.sip);
    let text = invite(source.address(), switch.sip, "round", "", DESCRIPTION);
    let answer = source.calls(&text);
    assert_eq!(answer.status(), Some(482), "{answer:?}");
    // The call, what it called, which is another number of ours, and that again.
    assert_eq!(scene.app.requests("/incoming").len(), 2);
    switch.ends();
}

#[test]
fn a_request_that_comes_by_two_ways_is_taken_once() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.sip = "t1_ms = 50".to_owned();
    let switch = scene.starts(&config);
    let silent = Source::open(scene.network.ip(CALLEE), switch.sip);
    let target = json!([{ "type": "sip", "sipUri": format!("sip:x@{}", silent.address()) }]);
    let dial = json!({ "verb": "dial", "answerOnBridge": true, "timeout": 1, "target": target });
    scene.app.runs("/incoming", &json!([dial]));
    let source = Source::open(scene.network.ip(CALLER), switch.sip);
    let text = invite(source.address(), switch.sip, "twice", "", DESCRIPTION);
    source.sends(text.as_bytes());
    wait_for("the call", || (switch.figure("switchhook_calls") > 0.0).then_some(()));
    let answer = source.calls(&text.replace("z9hG4bKtwice", "z9hG4bKother"));
    assert_eq!(answer.status(), Some(482), "{answer:?}");
    // And a loop of Via, Route and Record-Route is only text to whoever is no proxy.
    let via = format!("Via: SIP/2.0/UDP {};branch=z9hG4bKours\r\n", switch.sip);
    let route = format!("Route: <sip:{};lr>\r\n", switch.sip);
    let record = route.replace("Route", "Record-Route");
    let lines = via.repeat(50) + &route.repeat(50) + &record.repeat(50);
    let looping = options(source.address(), switch.sip, "vias");
    source.sends(looping.replacen("Max-Forwards", &format!("{lines}Max-Forwards"), 1).as_bytes());
    source.asks();
    switch.ends();
}

#[test]
fn an_answer_goes_to_where_the_request_came_from_and_nowhere_else() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let source = Source::open(scene.network.ip(STRANGER), switch.sip);
    let victim = Source::open(scene.network.ip(CALLEE), switch.sip);
    let (ip, port) = (victim.address().ip(), victim.address().port());
    let sound = options(source.address(), switch.sip, "elsewhere");
    let via = format!("Via: SIP/2.0/UDP {};rport;", source.address());
    for hop in [
        format!("Via: SIP/2.0/UDP {ip}:{port};"),
        format!("Via: SIP/2.0/UDP {ip}:{port};rport;"),
        format!("{via}maddr={ip};"),
        format!("Via: SIP/2.0/UDP {ip}:{port};rport={port};received={ip};maddr={ip};"),
        format!("Via: SIP/2.0/TCP {ip}:{port};"),
        format!("Via: nonsense {ip}:{port};"),
    ] {
        for text in [sound.clone(), sound.replace("OPTIONS", "REGISTER")] {
            source.sends(text.replace(&via, &hop).as_bytes());
            let answers = source.asks();
            assert_eq!(answers.len(), 1, "{hop}");
        }
    }
    assert_eq!(victim.receives(Duration::from_millis(200)), None);
    switch.ends();
}

/// A request as a phone sends it.
fn as_phones_do(method: &str, from: SocketAddr, to: SocketAddr, number: usize) -> String {
    let agent = "User-Agent: Deskphone 1.2.3\r\nSupported: replaces, outbound\r\n\
         Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REFER, NOTIFY, MESSAGE, UPDATE\r\n";
    let contact = format!("Contact: <sip:tester@{from}>;expires=300\r\n");
    options(from, to, &format!("usual-{method}-{number}")).replace("OPTIONS", method).replacen(
        "Content-Length",
        &format!("{contact}{agent}Content-Length"),
        1,
    )
}

#[test]
fn whoever_forges_an_address_has_hardly_more_sent_there_than_it_sends() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.limits = "calls = 50\nstranger_requests_per_second = 1000".to_owned();
    config.rest += "[[client]]\nusername = \"tester\"\npassword = \"secret\"\n";
    let switch = scene.starts(&config);
    let source = Source::open(scene.network.ip(STRANGER), switch.sip);
    let (from, to) = (source.address(), switch.sip);
    for (number, method) in
        ["OPTIONS", "REGISTER", "INVITE", "MESSAGE", "BYE", "DANCE", "PUBLISH"].iter().enumerate()
    {
        let text = as_phones_do(method, from, to, number);
        source.sends(text.as_bytes());
        let answer = source.receives(PATIENCE).expect("it is answered");
        let shown = String::from_utf8_lossy(&answer);
        assert!(answer.len() <= text.len(), "{} for {}: {shown}", answer.len(), text.len());
    }
    // Requests so short that the shortest answer is longer.
    let source = Source::open(scene.network.ip(STRANGER), switch.sip);
    let begun = Instant::now();
    let (mut sent, mut received) = (0, 0);
    for number in 0..1_000 {
        let text = format!(
            "REGISTER sip:{ip} SIP/2.0\r\nv:SIP/2.0/UDP h;branch=z9hG4bK{number}\r\n\
             f:<sip:a@b>\r\nt:<sip:a@{ip}>\r\ni:{number}\r\nCSeq:1 REGISTER\r\n\r\n",
            ip = to.ip()
        );
        source.sends(text.as_bytes());
        sent += text.len();
    }
    while let Some(answer) = source.receives(Duration::from_millis(300)) {
        received += answer.len();
    }
    let seconds = begun.elapsed().as_secs() as usize + 1;
    let most = call::SURPLUS_BYTES as usize + seconds * call::SURPLUS_BYTES_PER_SECOND as usize;
    assert!(received > 0 && received <= sent + most, "{received} bytes for {sent}");
    assert!(switch.figure("switchhook_answers_withheld_total") > 0.0);
    switch.ends();
}
