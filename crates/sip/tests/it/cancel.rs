//! RFC 3261 §9: taking an INVITE back, in time, too early, too late and in vain.

use sip::{Event, RejectCause, Respond};

use crate::link::{ALICE, BOB, Net, address, answer, invite_to};

#[test]
fn a_ringing_call_is_cancelled() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(180)));
    net.millis(100);
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, Some("SIP;cause=200")));
    net.millis(100);
    assert!(matches!(net.event(BOB), Event::Cancelled { id, .. } if id == bob));
    assert!(matches!(net.event(ALICE), Event::Progress { .. }));
    let Event::Rejected { status, cause, response, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((status, cause), (487, RejectCause::Peer));
    assert!(response.is_some());
    assert_eq!(net.last(ALICE, "CANCEL").header_text("Reason").unwrap(), "SIP;cause=200");
    assert_eq!(net.times(BOB, "200 CANCEL").len(), 1);
    assert_eq!(net.times(ALICE, "ACK").len(), 1, "the 487 is acknowledged");
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, None));
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.assert_idle();
    assert_eq!(net.times(ALICE, "CANCEL").len(), 1);
    assert_eq!(net.names(ALICE), ["Released"]);
    assert_eq!(net.names(BOB), ["Released"]);
}

#[test]
fn cancel_waits_for_a_provisional() {
    let mut net = Net::alone();
    let id = net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, id, None));
    net.millis(700);
    assert_eq!(net.times(ALICE, "INVITE"), [0, 500]);
    assert!(net.times(ALICE, "CANCEL").is_empty());
    respond(&mut net, 100, "");
    net.millis(20);
    assert_eq!(net.times(ALICE, "CANCEL"), [710]);
    let (invite, cancel) = (net.last(ALICE, "INVITE"), net.last(ALICE, "CANCEL"));
    for name in ["Via", "From", "To", "Call-ID"] {
        assert_eq!(cancel.header(name), invite.header(name), "{name}");
    }
    assert_eq!(cancel.request_uri(), invite.request_uri());
    assert_eq!(cancel.cseq().unwrap().0, invite.cseq().unwrap().0);
    respond(&mut net, 487, "b");
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Rejected", "Released"]);
}

#[test]
fn no_cancel_is_sent_once_the_final_response_came_first() {
    for (status, events, sent) in
        [(486, vec!["Rejected", "Released"], "ACK"), (200, vec!["Answered"], "ACK")]
    {
        let mut net = Net::alone();
        let id = net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
        net.at(ALICE, |endpoint, now| endpoint.cancel(now, id, None));
        respond(&mut net, status, "b");
        net.seconds(60);
        assert_eq!(net.names(ALICE), events);
        let sent_by_alice: Vec<String> =
            net.sent_by(ALICE).into_iter().map(|(_, what)| what).collect();
        assert_eq!(sent_by_alice, ["INVITE", sent]);
    }
}

#[test]
fn a_cancelled_invite_without_a_final_response_is_given_up_after_64_t1() {
    let mut net = Net::alone();
    let id = net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    respond(&mut net, 180, "b");
    net.millis(1000);
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, id, None));
    net.millis(20);
    let cancel = net.last(ALICE, "CANCEL");
    let ok = sip::Builder::response_to(&cancel, 200, None).build().unwrap();
    net.send(address(BOB), address(ALICE), ok.as_bytes());
    net.millis(31_900);
    assert_eq!(net.names(ALICE), ["Progress"]);
    net.millis(100);
    let Event::Rejected { status, cause, response, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((status, cause, response), (487, RejectCause::Timeout, None));
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
}

#[test]
fn an_answer_that_crosses_the_cancel_is_an_answer() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, None));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Answered"]);
    assert_eq!(net.names(BOB), ["Acked"], "CANCEL after the final response changes nothing");
    assert_eq!(net.times(BOB, "200 CANCEL").len(), 1);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
    assert_eq!(net.names(BOB), ["Ended", "Released"]);
}

#[test]
fn a_cancel_without_its_invite_gets_481() {
    let mut net = Net::alone();
    net.write(
        BOB,
        ALICE,
        "CANCEL sip:x@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKnone\n\
         From: <sip:b@b>;tag=1\nTo: <sip:x@a>\nCall-ID: c\nCSeq: 1 CANCEL\n\n",
    );
    net.millis(100);
    assert_eq!(net.times(ALICE, "481 CANCEL").len(), 1);
    net.assert_idle();
}

/// Bob, played by the test, answers Alice's INVITE.
fn respond(net: &mut Net, status: u16, tag: &str) {
    let invite = net.last(ALICE, "INVITE");
    let mut builder = sip::Builder::response_to(&invite, status, None);
    if !tag.is_empty() {
        builder = builder.to_tag(tag).header("Contact", "<sip:bob@198.51.100.2>");
    }
    let response = builder.build().unwrap();
    net.send(address(BOB), address(ALICE), response.as_bytes());
}
