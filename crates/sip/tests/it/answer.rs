//! RFC 3261 §13: the 2xx and its ACK, on both sides.

use std::time::Duration;

use sip::{EndCause, Event, Message, RejectCause, Respond};

use crate::link::{ALICE, BOB, Net, address, answer, invite_to};

const T1_DOUBLED_TO_T2: [u64; 11] =
    [100, 600, 1600, 3600, 7600, 11600, 15600, 19600, 23600, 27600, 31600];

#[test]
fn a_call_is_answered_and_ended_by_the_caller() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    for status in [180, 183] {
        net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(status)));
        net.millis(100);
        let Event::Progress { id, response } = net.event(ALICE) else { panic!() };
        assert_eq!((id, response.status()), (alice, Some(status)));
    }
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.millis(100);
    let Event::Answered { response, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(response.body(), b"v=0\r\n");
    assert_eq!(response.contact().unwrap().uri.to_string(), "sip:bob@198.51.100.2:5060");
    assert!(response.header_text("Allow").unwrap().contains("INVITE"));
    assert!(matches!(net.event(BOB), Event::Acked { id, .. } if id == bob));
    for at in [ALICE, BOB] {
        assert_eq!(net.peers[&address(at)].counts().dialogs, 1);
    }
    let call_id = net.peers[&address(ALICE)].call_id(alice);
    assert_eq!(call_id, net.peers[&address(BOB)].call_id(bob));
    net.at(ALICE, |endpoint, now| {
        endpoint.bye(now, alice, &[("X-Why".to_owned(), "done".to_owned())]);
    });
    net.millis(100);
    let Event::Ended { cause, request, .. } = net.event(BOB) else { panic!() };
    assert_eq!(cause, EndCause::Bye);
    assert_eq!(request.unwrap().header_text("X-Why").unwrap(), "done");
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
    assert_eq!(net.names(BOB), ["Released"]);
    assert_eq!(net.peers[&address(ALICE)].call_id(alice), None);
}

#[test]
fn trying_goes_out_at_once_and_without_a_tag() {
    let mut net = Net::pair();
    net.call();
    assert_eq!(net.times(BOB, "100 INVITE"), [10]);
    let trying = net.last(BOB, "100 INVITE");
    assert_eq!(trying.to().unwrap().tag(), None);
    assert_eq!(net.names(ALICE), [""; 0], "100 Trying makes no event");
    assert_eq!(net.times(ALICE, "INVITE").len(), 1);
}

#[test]
fn an_unacknowledged_answer_is_repeated_and_then_ended_with_bye() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.peers.remove(&address(ALICE));
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.seconds(32);
    assert_eq!(net.times(BOB, "200 INVITE"), T1_DOUBLED_TO_T2);
    assert_eq!(net.times(BOB, "BYE").first(), Some(&32_100));
    let Event::Ended { cause, .. } = net.event(BOB) else { panic!() };
    assert_eq!(cause, EndCause::NoAck);
    net.assert_idle();
    assert_eq!(net.names(BOB), ["Released"]);
}

#[test]
fn a_bye_of_the_callee_waits_for_the_ack() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.weather.lost = 1000;
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.millis(100);
    net.weather.lost = 0;
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.millis(300);
    assert!(net.times(BOB, "BYE").is_empty());
    net.millis(300);
    assert_eq!(net.times(BOB, "200 INVITE"), [100, 600]);
    assert_eq!(net.times(ALICE, "ACK"), [610]);
    assert_eq!(net.times(BOB, "BYE"), [620]);
    assert_eq!(net.names(ALICE), ["Answered", "Ended"]);
    net.assert_idle();
    assert_eq!(net.names(BOB), ["Released"]);
    assert_eq!(net.names(ALICE), ["Released"]);
}

#[test]
fn a_bye_that_waited_in_vain_for_the_ack_goes_out_after_64_t1() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.peers.remove(&address(ALICE));
    net.at(BOB, |endpoint, now| {
        endpoint.respond(now, bob, answer());
        endpoint.bye(now, bob, &[]);
    });
    net.seconds(31);
    assert!(net.times(BOB, "BYE").is_empty());
    net.seconds(2);
    assert_eq!(net.times(BOB, "BYE").first(), Some(&32_100));
    net.assert_idle();
    assert_eq!(net.names(BOB), ["Released"], "who hung up is not told that it ended");
}

#[test]
fn each_repeated_answer_is_acknowledged_again_and_reported_once() {
    let mut net = Net::alone();
    net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    let ok = response(&net, 200, "b");
    for _ in 0..3 {
        net.send(address(BOB), address(ALICE), ok.as_bytes());
        net.millis(500);
    }
    assert_eq!(net.times(ALICE, "ACK"), [10, 510, 1010]);
    assert_eq!(net.names(ALICE), ["Answered"]);
    let acks: Vec<_> =
        net.log.iter().filter(|sent| sent.what() == "ACK").map(|sent| &sent.message).collect();
    assert!(acks.windows(2).all(|pair| pair[0] == pair[1]));
    let (ack, invite) = (acks[0], net.last(ALICE, "INVITE"));
    assert_eq!(ack.cseq().unwrap().0, invite.cseq().unwrap().0);
    assert_ne!(ack.top_via().unwrap().branch(), invite.top_via().unwrap().branch());
    assert_eq!(ack.request_uri().unwrap(), "sip:bob@198.51.100.2");
}

#[test]
fn the_first_answer_of_several_wins_and_the_others_are_ended() {
    let mut net = Net::alone();
    let id = net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    for tag in ["one", "two", "three"] {
        let ringing = response(&net, 180, tag);
        net.send(address(BOB), address(ALICE), ringing.as_bytes());
    }
    net.millis(100);
    assert_eq!(net.peers[&address(ALICE)].counts().dialogs, 3);
    for tag in ["two", "one", "four"] {
        let ok = response(&net, 200, tag);
        net.send(address(BOB), address(ALICE), ok.as_bytes());
        net.millis(100);
    }
    assert_eq!(net.names(ALICE), ["Progress", "Progress", "Progress", "Answered"]);
    let to = |what: &str| -> Vec<String> {
        let sent = net.log.iter().filter(|sent| sent.what() == what);
        sent.map(|sent| sent.message.to().unwrap().tag().unwrap().to_owned()).collect()
    };
    assert_eq!(to("ACK"), ["two", "one", "four"]);
    assert_eq!(to("BYE")[..2], ["one", "four"]);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, id, &[]));
    net.millis(100);
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
}

#[test]
fn the_answer_of_another_fork_after_bye_is_ended_too() {
    let mut net = Net::alone();
    let id = net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    let ok = response(&net, 200, "one");
    net.send(address(BOB), address(ALICE), ok.as_bytes());
    net.millis(100);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, id, &[]));
    let bye = net.last(ALICE, "BYE");
    let done = sip::Builder::response_to(&bye, 200, None).build().unwrap();
    net.send(address(BOB), address(ALICE), done.as_bytes());
    net.millis(100);
    let late = response(&net, 200, "two");
    net.send(address(BOB), address(ALICE), late.as_bytes());
    net.millis(100);
    assert_eq!(net.last(ALICE, "BYE").to().unwrap().tag(), Some("two"));
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Answered", "Released"]);
}

#[test]
fn silence_is_a_408_of_timer_b() {
    let mut net = Net::alone();
    net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    net.seconds(33);
    assert_eq!(net.times(ALICE, "INVITE"), [0, 500, 1500, 3500, 7500, 15500, 31500]);
    let Event::Rejected { status, cause, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((status, cause), (408, RejectCause::Timeout));
    net.assert_idle();
}

#[test]
fn a_refused_datagram_is_a_503_at_once() {
    let mut net = Net::alone();
    net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    net.at(ALICE, |endpoint, now| {
        endpoint.handle_transport_error(now, crate::link::flow(ALICE, "198.51.100.9:5060"));
    });
    assert_eq!(net.names(ALICE), [""; 0], "another address was refused");
    net.at(ALICE, |endpoint, now| {
        endpoint.handle_transport_error(now, crate::link::flow(ALICE, BOB));
    });
    let Event::Rejected { status, cause, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((status, cause), (503, RejectCause::Transport));
    assert_eq!(net.names(ALICE), ["Released"]);
    assert!(net.peers[&address(ALICE)].is_idle());
}

#[test]
fn an_invite_that_cannot_be_written_is_rejected_at_once() {
    let mut net = Net::alone();
    let mut invite = invite_to(BOB);
    invite.headers.push(("X-Evil".to_owned(), "1\r\nVia: me".to_owned()));
    net.at(ALICE, |endpoint, now| endpoint.invite(now, invite));
    let Event::Rejected { status, cause, reason, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((status, cause), (500, RejectCause::Transport));
    assert!(reason.contains("X-Evil"), "{reason}");
    assert_eq!(net.names(ALICE), ["Released"]);
    assert!(net.log.is_empty() && net.peers[&address(ALICE)].is_idle());
}

#[test]
fn an_answer_that_cannot_be_written_fails_on_both_sides() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    let mut response = answer();
    response.headers.push(("X-Evil".to_owned(), "1\r\nVia: me".to_owned()));
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, response));
    net.millis(100);
    let Event::Ended { cause, .. } = net.event(BOB) else { panic!() };
    assert_eq!(cause, EndCause::Failed);
    let Event::Rejected { status, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(status, 500);
    net.assert_idle();
}

#[test]
fn a_provisional_is_repeated_every_minute() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(180)));
    net.seconds(130);
    assert_eq!(net.times(BOB, "180 INVITE"), [100, 60_100, 120_100]);
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(486)));
    net.run(Duration::from_secs(200));
    assert_eq!(net.times(BOB, "180 INVITE").len(), 3);
    net.assert_idle();
}

#[test]
fn a_rejection_is_repeated_until_its_ack() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.at(BOB, |endpoint, now| {
        let response = Respond {
            status: 486,
            reason: Some("On Holiday".to_owned()),
            headers: vec![("X-Until".to_owned(), "Monday".to_owned())],
            ..Respond::default()
        };
        endpoint.respond(now, bob, response);
    });
    net.millis(100);
    let Event::Rejected { status, reason, response, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((status, reason.as_str()), (486, "On Holiday"));
    assert_eq!(response.unwrap().header_text("X-Until").unwrap(), "Monday");
    assert_eq!(net.times(BOB, "486 INVITE").len(), 1);
    net.assert_idle();
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.peers.remove(&address(ALICE));
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(486)));
    net.seconds(60);
    assert_eq!(net.times(BOB, "486 INVITE"), T1_DOUBLED_TO_T2);
    net.assert_idle();
}

/// A response of Bob, played by the test, to Alice's INVITE.
fn response(net: &Net, status: u16, tag: &str) -> Message {
    let invite = net.last(ALICE, "INVITE");
    let builder = sip::Builder::response_to(&invite, status, None).to_tag(tag);
    builder.header("Contact", "<sip:bob@198.51.100.2>").build().unwrap()
}
