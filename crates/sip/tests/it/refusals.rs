//! RFC 3261 §8.2: what is refused before anybody is asked, and what is not even answered.

use sip::{Config, Event, Respond};

use crate::link::{ALICE, BOB, Net, Weather, address};

/// A request of Bob outside a dialog; a header line of `more` stands in place of the usual one.
fn request(method: &str, uri: &str, more: &[&str]) -> String {
    let usual = [
        "Via: SIP/2.0/UDP 198.51.100.2:5060;rport;branch=z9hG4bKr".to_owned(),
        "Max-Forwards: 70".to_owned(),
        "From: <sip:bob@b.example>;tag=b1".to_owned(),
        "To: <sip:alice@a.example>".to_owned(),
        "Call-ID: c1".to_owned(),
        format!("CSeq: 1 {method}"),
        "Contact: <sip:bob@198.51.100.2>".to_owned(),
    ];
    let name = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let kept = usual.iter().filter(|line| more.iter().all(|other| name(other) != name(line)));
    let mut text = format!("{method} {uri} SIP/2.0\n");
    for line in kept.map(String::as_str).chain(more.iter().copied()) {
        if !line.ends_with(": -") {
            text += &format!("{line}\n");
        }
    }
    text + "\n"
}

#[test]
fn each_fault_has_its_status() {
    let us = "sip:alice@192.0.2.1";
    for (method, uri, more, status) in [
        ("INVITE", us, vec!["Require: replaces, x"], 420),
        ("INVITE", us, vec!["Max-Forwards: 0"], 483),
        ("INVITE", "http:x", vec![], 416),
        ("INVITE", us, vec!["Contact: -"], 400),
        ("INVITE", us, vec!["Max-Forwards: many"], 400),
        ("INVITE", us, vec!["To: <sip:alice@a.example>;tag=none"], 481),
        ("INVITE", us, vec!["To: <sip:alice@a.example>;tag=0123456789abcdef"], 481),
        ("BYE", us, vec![], 481),
        ("BYE", us, vec!["To: <sip:alice@a.example>;tag=none"], 481),
        ("INFO", us, vec!["To: <sip:alice@a.example>;tag=none"], 481),
        ("PRACK", us, vec![], 481),
        ("DANCE", us, vec![], 501),
        ("OPTIONS", us, vec![], 200),
        ("OPTIONS", us, vec!["Max-Forwards: 0"], 200),
        ("MESSAGE", us, vec!["CSeq: 1 INFO"], 400),
        ("MESSAGE", us, vec!["Require: x"], 420),
        ("MESSAGE", us, vec!["From: <sip:bob"], 400),
    ] {
        let mut net = Net::alone();
        net.write(BOB, ALICE, &request(method, uri, &more));
        net.millis(100);
        let answered: Vec<String> = net.sent_by(ALICE).into_iter().map(|(_, what)| what).collect();
        let cseq = if more == ["CSeq: 1 INFO"] { "INFO" } else { method };
        assert_eq!(answered, [format!("{status} {cseq}")], "{method} {uri} {more:?}");
        let response = &net.last(ALICE, &answered[0]);
        assert!(response.to().unwrap().tag().is_some());
        match status {
            420 => assert!(response.header("Unsupported").is_some()),
            405 | 501 => assert!(response.header("Allow").is_some()),
            _ => {}
        }
        assert_eq!(net.names(ALICE), [""; 0]);
        assert!(net.peers[&address(ALICE)].is_idle());
        net.write(BOB, ALICE, &request(method, uri, &more));
        net.millis(100);
        let again = net.last(ALICE, &answered[0]);
        assert_eq!(again.as_bytes(), response.as_bytes(), "a repeated request, the same answer");
        assert_eq!(net.peers[&address(ALICE)].dropped(), 0);
    }
}

#[test]
fn the_unsupported_are_named() {
    let mut net = Net::alone();
    net.write(BOB, ALICE, &request("INVITE", "sip:a@x", &["Require: a, x", "Require: TIMER, y"]));
    net.millis(100);
    assert_eq!(net.last(ALICE, "420 INVITE").header_text("Unsupported").unwrap(), "a, x, y");
    net.write(BOB, ALICE, &request("INVITE", "sip:a@x", &["Require: norefersub, 100rel"]));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Invite"], "what is implemented may be required");
}

#[test]
fn only_an_invite_may_replace_a_dialog() {
    let replaces = "Replaces: id;to-tag=1;from-tag=2";
    let mut net = Net::alone();
    for method in ["OPTIONS", "REGISTER", "MESSAGE"] {
        net.write(BOB, ALICE, &request(method, "sip:192.0.2.1", &[replaces]));
        net.millis(100);
        assert_eq!(net.times(ALICE, &format!("400 {method}")).len(), 1, "{method}");
    }
    net.write(BOB, ALICE, &request("INVITE", "sip:a@192.0.2.1", &[replaces]));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Invite"], "what it names is the core's business");
}

#[test]
fn another_version_gets_505() {
    let mut net = Net::alone();
    net.write(BOB, ALICE, &request("INVITE", "sip:a@x", &[]).replacen("SIP/2.0", "SIP/3.0", 1));
    net.millis(100);
    assert_eq!(net.times(ALICE, "505 INVITE").len(), 1);
}

#[test]
fn a_request_that_came_on_two_ways_is_merged() {
    let mut net = Net::alone();
    net.write(BOB, ALICE, &request("INVITE", "sip:a@x", &[]));
    let other = "Via: SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bKother";
    net.write(BOB, ALICE, &request("INVITE", "sip:a@x", &[other]));
    net.millis(100);
    assert_eq!(net.times(ALICE, "482 INVITE").len(), 1);
    let Event::Invite { id, .. } = net.event(ALICE) else { panic!() };
    net.at(ALICE, |endpoint, now| endpoint.respond(now, id, Respond::status(404)));
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
}

#[test]
fn options_tells_what_is_implemented() {
    let mut net = Net::pair();
    net.write(BOB, ALICE, &request("OPTIONS", "sip:192.0.2.1", &[]));
    net.millis(100);
    let response = net.last(ALICE, "200 OPTIONS");
    for (name, value) in [
        ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY, MESSAGE"),
        ("Accept", "application/sdp"),
        ("Supported", "100rel, timer, replaces, norefersub"),
    ] {
        assert_eq!(response.header_text(name).unwrap(), value);
    }
    let (alice, _) = net.connected();
    let ack = net.last(ALICE, "ACK");
    let within = String::from_utf8_lossy(ack.as_bytes()).replace("1 ACK", "2 OPTIONS");
    let within = within.replace("ACK", "OPTIONS").replace("z9hG4bK", "z9hG4bKo");
    net.send(address(ALICE), address(BOB), within.as_bytes());
    net.millis(100);
    assert_eq!(net.times(BOB, "200 OPTIONS").len(), 1);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn responses_go_back_to_the_source_and_say_so() {
    let mut net = Net::alone();
    let via = "Via: SIP/2.0/UDP 10.9.9.9:5555;rport;branch=z9hG4bKn, SIP/2.0/UDP 1.1.1.1;branch=z";
    net.write(
        "198.51.100.7:40000",
        ALICE,
        &request("INVITE", "sip:a@x", &[via, "Record-Route: <sip:p1;lr>, <sip:p2;lr>"]),
    );
    net.millis(100);
    let Event::Invite { id, flow, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(flow.remote, address("198.51.100.7:40000"));
    net.at(ALICE, |endpoint, now| endpoint.respond(now, id, Respond::status(180)));
    for what in ["100 INVITE", "180 INVITE"] {
        let sent = net.log.iter().find(|sent| sent.what() == what).unwrap();
        assert_eq!(sent.to, address("198.51.100.7:40000"));
        let top = sent.message.top_via().unwrap();
        assert_eq!(top.received(), Some("198.51.100.7".parse().unwrap()));
        assert_eq!(top.rport(), Some(Some(40_000)));
        assert_eq!(sent.message.header_values("Via").count(), 2);
    }
    let ringing = net.last(ALICE, "180 INVITE");
    let routes: Vec<_> = ringing.header_values("Record-Route").collect();
    assert_eq!(routes, [&b"<sip:p1;lr>"[..], b"<sip:p2;lr>"]);
    net.at(ALICE, |endpoint, now| endpoint.respond(now, id, Respond::status(404)));
    net.assert_idle();
}

#[test]
fn a_peer_older_than_rfc_3261_completes_a_call() {
    let mut net = Net::alone();
    let old = ["Via: SIP/2.0/UDP 198.51.100.2", "From: <sip:bob@b.example>"];
    let invite = request("INVITE", "sip:a@x", &old);
    net.write(BOB, ALICE, &invite);
    net.write(BOB, ALICE, &invite);
    net.millis(100);
    let Event::Invite { id, .. } = net.event(ALICE) else { panic!() };
    net.at(ALICE, |endpoint, now| endpoint.respond(now, id, Respond::status(200)));
    let to = net.last(ALICE, "200 INVITE");
    let to = format!("To: {}", to.header_text("To").unwrap());
    net.write(BOB, ALICE, &request("ACK", "sip:a@x", &[old[0], old[1], &to]));
    net.millis(100);
    let bye = request("BYE", "sip:a@x", &[old[0], old[1], &to, "CSeq: 2 BYE"]);
    net.write(BOB, ALICE, &bye);
    net.millis(100);
    assert_eq!(net.times(ALICE, "200 BYE").len(), 1);
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Acked", "Ended", "Released"]);
}

#[test]
fn beyond_its_bound_an_endpoint_refuses_what_is_new_and_serves_what_is_there() {
    let mut net = Net::new(Weather::FAIR, 1);
    net.join(ALICE, Config::default());
    net.join(BOB, Config { max_transactions: 1, ..Config::default() });
    let (alice, bob) = net.connected();
    assert_eq!(net.peers[&address(BOB)].counts().transactions, 1);
    net.write("203.0.113.9:5060", BOB, &request("INVITE", "sip:b@x", &["Call-ID: c9"]));
    net.millis(100);
    assert_eq!(net.last(BOB, "503 INVITE").header_text("Retry-After").unwrap(), "5");
    assert_eq!(net.names(BOB), [""; 0]);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.millis(100);
    assert_eq!(net.times(BOB, "200 BYE").len(), 1);
    assert!(matches!(net.event(BOB), Event::Ended { id, .. } if id == bob));
    net.assert_idle();
}

#[test]
fn a_request_for_the_core_is_answered_by_its_reply_and_not_forever() {
    let mut net = Net::alone();
    net.write(BOB, ALICE, &request("REGISTER", "sip:a.example", &[]));
    net.millis(100);
    let Event::Request { id: None, request_id, .. } = net.event(ALICE) else { panic!() };
    let challenge = Respond {
        status: 401,
        headers: vec![("WWW-Authenticate".to_owned(), "Digest realm=\"x\"".to_owned())],
        ..Respond::default()
    };
    net.at(ALICE, |endpoint, now| endpoint.reply(now, request_id, challenge));
    net.write(BOB, ALICE, &request("REGISTER", "sip:a.example", &[]));
    net.millis(100);
    assert_eq!(net.times(ALICE, "401 REGISTER").len(), 2);
    assert!(net.last(ALICE, "401 REGISTER").header("WWW-Authenticate").is_some());
    net.assert_idle();
    net.write(BOB, ALICE, &request("REGISTER", "sip:a.example", &["CSeq: 2 REGISTER"]));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Request"]);
    net.assert_idle();
}

#[test]
fn what_cannot_be_answered_is_dropped_and_counted() {
    let mut net = Net::alone();
    let mut junk = vec![
        "hello".to_owned(),
        "INVITE sip:a@x SIP/2.0\n\n".to_owned(),
        request("INVITE", "sip:a@x", &["Via: -"]),
        request("ACK", "sip:a@x", &["Call-ID: -"]),
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\nFrom: <sip:a@x>;tag=1\n\
         To: <sip:b@x>;tag=2\nCall-ID: c\nCSeq: 1 INVITE\n\n"
            .to_owned(),
    ];
    let count = junk.len() as u64;
    junk.push("\n\n".to_owned());
    junk.push("\0".to_owned());
    junk.push(request("ACK", "sip:a@x", &[]));
    for text in &junk {
        net.write(BOB, ALICE, text);
    }
    net.millis(100);
    assert_eq!(net.sent_by(ALICE), []);
    assert_eq!(net.peers[&address(ALICE)].dropped(), count);
    assert!(net.peers[&address(ALICE)].is_idle());
}
