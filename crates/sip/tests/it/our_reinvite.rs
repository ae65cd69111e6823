//! INVITEs of ours within a dialog, and what may be in their way (RFC 3261 §14.1).

use std::collections::BTreeSet;

use sip::{Builder, EndCause, Event, InDialog, InviteId, Method, RejectCause, Respond};

use crate::{
    by_hand::{of_alice, of_bob},
    link::{ALICE, BOB, Net, address, answer},
};

const HOLD: &[u8] = b"v=0\r\na=sendonly\r\n";

fn reinvite(net: &mut Net, at: &str, id: InviteId) -> bool {
    let headers = [("X-Test".to_owned(), "hold".to_owned())];
    net.at(at, |endpoint, now| endpoint.reinvite(now, id, HOLD, "application/sdp", &headers))
}

/// How many INVITEs somebody has sent, repetitions not counted.
fn invites(net: &Net, from: &str) -> usize {
    let sent = net.log.iter().filter(|sent| sent.from == address(from) && sent.what() == "INVITE");
    sent.map(|sent| sent.message.cseq().unwrap().0).collect::<BTreeSet<u32>>().len()
}

#[track_caller]
fn asked(net: &mut Net, at: &str) -> InviteId {
    match net.event(at) {
        Event::Reinvite { id, request } => {
            assert_eq!((request.body(), request.header_text("X-Test").as_deref()), {
                (HOLD, Some("hold"))
            });
            id
        }
        event => panic!("{event:?}"),
    }
}

#[track_caller]
fn not_modified(net: &mut Net, at: &str) -> (u16, RejectCause) {
    match net.event(at) {
        Event::NotModified { status, cause, response, .. } => {
            assert_eq!(response.is_some(), cause == RejectCause::Peer);
            (status, cause)
        }
        event => panic!("{event:?}"),
    }
}

#[test]
fn both_sides_change_the_session() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    for (from, id, to, peer) in [(ALICE, alice, BOB, bob), (BOB, bob, ALICE, alice)] {
        assert!(reinvite(&mut net, from, id));
        assert!(!reinvite(&mut net, from, id), "one at a time");
        net.millis(100);
        assert_eq!(asked(&mut net, to), peer);
        net.at(to, |endpoint, now| endpoint.respond_reinvite(now, peer, answer()));
        net.millis(100);
        assert_eq!((net.names(from), net.names(to)), (vec!["Modified"], vec!["Acked"]));
        net.seconds(40);
        assert_eq!((net.names(from), net.names(to)), (vec![], vec![]));
    }
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn a_refusal_leaves_the_session_as_it_was() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    for status in [488, 401, 603] {
        assert!(reinvite(&mut net, ALICE, alice));
        net.millis(100);
        asked(&mut net, BOB);
        net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, Respond::status(status)));
        net.millis(100);
        assert_eq!(not_modified(&mut net, ALICE), (status, RejectCause::Peer));
    }
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn a_lost_ack_is_sent_again_for_each_repeated_2xx() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    reinvite(&mut net, ALICE, alice);
    net.millis(100);
    asked(&mut net, BOB);
    net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, answer()));
    net.weather.lost = 1000;
    net.seconds(2);
    net.weather.lost = 0;
    net.seconds(5);
    assert_eq!(net.names(ALICE), ["Modified"]);
    assert_eq!(net.names(BOB), ["Acked"]);
    let acks: Vec<_> = net.log.iter().filter(|sent| sent.what() == "ACK").collect();
    assert!(acks.len() > 2);
    assert!(acks[1..].iter().all(|ack| ack.message == acks[1].message));
    assert_eq!(acks[1].message.cseq().unwrap().0, 2);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
}

#[test]
fn two_that_meet_are_both_tried_again() {
    for seed in 0..20 {
        let mut net = Net::pair();
        net.dice.0 = seed;
        net.join(ALICE, sip::Config::default());
        net.join(BOB, sip::Config::default());
        let (alice, bob) = net.connected();
        let before = net.clock();
        assert!(reinvite(&mut net, ALICE, alice) && reinvite(&mut net, BOB, bob));
        let mut modified = [None, None];
        for _ in 0..2_000 {
            net.millis(10);
            for (which, (at, id)) in [(ALICE, alice), (BOB, bob)].into_iter().enumerate() {
                while let Some(event) = net.events.get_mut(&address(at)).unwrap().pop_front() {
                    match event {
                        Event::Reinvite { .. } => {
                            net.at(at, |endpoint, now| {
                                endpoint.respond_reinvite(now, id, answer());
                            });
                        }
                        Event::Modified { .. } => modified[which] = Some(net.clock() - before),
                        Event::Acked { .. } => {}
                        event => panic!("{event:?}"),
                    }
                }
            }
        }
        let [Some(hers), Some(his)] = modified else { panic!("seed {seed}: {modified:?}") };
        assert_eq!(net.times(ALICE, "491 INVITE").len(), 1);
        assert!(hers.as_millis() >= 2_100 && hers.as_millis() < 4_500, "{hers:?}: her Call-ID");
        assert!(his.as_millis() < 2_500, "{his:?}: not his");
        net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
        net.assert_idle();
    }
}

#[test]
fn a_peer_that_is_always_busy_is_asked_four_times() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    reinvite(&mut net, ALICE, alice);
    for _ in 0..4 {
        net.millis(100);
        asked(&mut net, BOB);
        assert_eq!(net.names(ALICE), [""; 0]);
        net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, Respond::status(491)));
        net.millis(100);
        if net.names(ALICE) == ["NotModified"] {
            break;
        }
        net.events.get_mut(&address(ALICE)).unwrap().clear();
        for _ in 0..400 {
            if !net.events[&address(BOB)].is_empty() {
                break;
            }
            net.millis(10);
        }
    }
    assert_eq!(net.times(BOB, "491 INVITE").len(), 4);
    assert!(reinvite(&mut net, ALICE, alice), "the next one may try");
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn it_waits_while_something_of_the_peer_or_of_ours_is_open() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    let theirs = of_bob(&net, "INVITE", 7, "", "v=0");
    net.write(BOB, ALICE, &theirs);
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Reinvite"]);
    assert!(reinvite(&mut net, ALICE, alice));
    net.seconds(3);
    assert_eq!(invites(&net, ALICE), 1, "only the first");
    net.at(ALICE, |endpoint, now| endpoint.respond_reinvite(now, alice, Respond::status(488)));
    net.seconds(5);
    asked(&mut net, BOB);
    net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, answer()));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Modified"]);
    // An UPDATE of ours with an offer that has no answer.
    let update = InDialog {
        content_type: Some("application/sdp".to_owned()),
        body: HOLD.to_vec(),
        ..InDialog::method(Method::Update)
    };
    net.at(ALICE, |endpoint, now| endpoint.request(now, alice, update));
    assert!(reinvite(&mut net, ALICE, alice));
    net.millis(1_500);
    assert_eq!(invites(&net, ALICE), 2);
    net.seconds(60);
    assert_eq!(invites(&net, ALICE), 2, "nobody answered the UPDATE");
    assert_eq!(net.names(ALICE)[..3], ["NotModified", "Responded", "Ended"]);
    net.assert_idle();
}

#[test]
fn while_ours_is_going_on_the_peers_is_glare() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    reinvite(&mut net, BOB, bob);
    net.millis(100);
    asked(&mut net, ALICE);
    for (cseq, method, body) in [(2, "INVITE", "v=0"), (3, "INVITE", ""), (4, "UPDATE", "v=0")] {
        let text = of_alice(&net, method, cseq, "", body);
        net.write(ALICE, BOB, &text);
        net.millis(100);
    }
    assert_eq!((net.times(BOB, "491 INVITE").len(), net.times(BOB, "491 UPDATE").len()), (2, 1));
    assert_eq!(net.names(BOB), [""; 0]);
    net.at(ALICE, |endpoint, now| endpoint.respond_reinvite(now, alice, answer()));
    net.millis(100);
    assert_eq!(net.names(BOB), ["Modified"]);
    let later = of_alice(&net, "INVITE", 5, "", "v=0");
    net.write(ALICE, BOB, &later);
    net.millis(100);
    assert_eq!(net.names(BOB), ["Reinvite"]);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
}

#[test]
fn the_2xx_moves_the_remote_target() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    reinvite(&mut net, ALICE, alice);
    net.millis(100);
    asked(&mut net, BOB);
    let headers = vec![("Contact".to_owned(), "<sip:bob@198.51.100.2:5099>".to_owned())];
    net.at(BOB, |endpoint, now| {
        endpoint.respond_reinvite(now, bob, Respond { headers, ..answer() });
    });
    net.millis(100);
    let ack = net.log.iter().rfind(|sent| sent.what() == "ACK").unwrap();
    assert_eq!(ack.to, address("198.51.100.2:5099"));
    assert_eq!(ack.message.request_uri().unwrap(), "sip:bob@198.51.100.2:5099");
}

#[test]
fn a_peer_that_has_forgotten_the_dialog_or_is_silent_ends_it() {
    for status in [Some(481), Some(408), None] {
        let mut net = Net::pair();
        let (alice, bob) = net.connected();
        reinvite(&mut net, ALICE, alice);
        match status {
            Some(status) => {
                net.millis(100);
                let response = Respond::status(status);
                net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, response));
                net.millis(100);
                assert_eq!(not_modified(&mut net, ALICE), (status, RejectCause::Peer));
            }
            None => {
                net.peers.remove(&address(BOB));
                net.seconds(33);
                assert_eq!(not_modified(&mut net, ALICE), (408, RejectCause::Timeout));
            }
        }
        let Event::Ended { cause: EndCause::Gone, .. } = net.event(ALICE) else { panic!() };
        assert!(!net.times(ALICE, "BYE").is_empty());
        net.assert_idle();
    }
}

#[test]
fn a_refused_datagram_and_an_unwritable_header_only_fail_the_change() {
    let mut net = Net::pair();
    let (alice, _) = net.connected();
    net.at(ALICE, |endpoint, now| {
        assert!(endpoint.reinvite(now, alice, HOLD, "application/sdp", &[]));
        endpoint.handle_transport_error(now, crate::link::flow(ALICE, BOB));
    });
    assert_eq!(not_modified(&mut net, ALICE), (503, RejectCause::Transport));
    let broken = [("X".to_owned(), "a\r\nb".to_owned())];
    net.at(ALICE, |endpoint, now| {
        assert!(endpoint.reinvite(now, alice, HOLD, "application/sdp", &broken));
    });
    assert_eq!(not_modified(&mut net, ALICE), (500, RejectCause::Transport));
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

/// 183 to Alice's re-INVITE, which no endpoint sends: the test does, for Bob.
fn progress(net: &mut Net) {
    let response = Builder::response_to(&net.last(ALICE, "INVITE"), 183, None).build().unwrap();
    net.send(address(BOB), address(ALICE), response.as_bytes());
}

#[test]
fn one_without_a_final_answer_is_cancelled() {
    for crosses in [false, true] {
        let mut net = Net::pair();
        let (alice, bob) = net.connected();
        reinvite(&mut net, ALICE, alice);
        net.millis(100);
        asked(&mut net, BOB);
        progress(&mut net);
        net.seconds(179);
        assert_eq!(net.names(ALICE), [""; 0]);
        if crosses {
            net.millis(895);
            net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, answer()));
        }
        net.seconds(2);
        assert_eq!(net.times(ALICE, "CANCEL").len(), 1);
        match crosses {
            true => assert_eq!(net.names(ALICE), ["Modified"]),
            false => assert_eq!(not_modified(&mut net, ALICE), (408, RejectCause::Timeout)),
        }
        net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
        net.assert_idle();
    }
}

#[test]
fn a_peer_that_does_not_even_answer_the_cancel_is_gone() {
    let mut net = Net::pair();
    let (alice, _) = net.connected();
    reinvite(&mut net, ALICE, alice);
    net.millis(100);
    progress(&mut net);
    net.millis(100);
    net.peers.remove(&address(BOB));
    net.seconds(213);
    assert_eq!(not_modified(&mut net, ALICE), (408, RejectCause::Timeout));
    assert_eq!(net.names(ALICE), ["Ended"]);
    net.assert_idle();
}

#[test]
fn the_end_of_the_dialog_ends_the_change_without_a_word() {
    for (who, waits) in [(ALICE, false), (BOB, false), (ALICE, true), (BOB, true)] {
        let mut net = Net::pair();
        let (alice, bob) = net.connected();
        if waits {
            let theirs = of_bob(&net, "INVITE", 7, "", "v=0");
            net.write(BOB, ALICE, &theirs);
            net.millis(100);
            assert_eq!(net.names(ALICE), ["Reinvite"]);
        }
        assert!(reinvite(&mut net, ALICE, alice));
        net.millis(100);
        let id = if who == ALICE { alice } else { bob };
        if waits && who == BOB {
            let bye = of_bob(&net, "BYE", 8, "", "");
            net.write(BOB, ALICE, &bye);
        } else {
            net.at(who, |endpoint, now| endpoint.bye(now, id, &[]));
        }
        net.millis(100);
        assert!(!reinvite(&mut net, ALICE, alice), "the session is over");
        net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
        net.assert_idle();
        let heard = net.names(ALICE);
        let after: Vec<_> = heard.iter().skip_while(|event| **event != "Ended").collect();
        assert!(!heard.contains(&"Modified") && !after.contains(&&"NotModified"), "{heard:?}");
        // A 487 of the peer may come before its BYE.
        assert!(who == BOB && !waits || !heard.contains(&"NotModified"), "{heard:?}");
    }
}

#[test]
fn a_2xx_that_crosses_our_bye_is_acknowledged() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    reinvite(&mut net, ALICE, alice);
    net.millis(100);
    asked(&mut net, BOB);
    net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, answer()));
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.millis(100);
    assert_eq!(net.times(ALICE, "ACK").len(), 2);
    assert_eq!(net.names(ALICE), [""; 0]);
    net.assert_idle();
}

#[test]
fn before_the_answer_and_after_the_end_there_is_nothing_to_change() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(180)));
    net.millis(100);
    assert!(!reinvite(&mut net, ALICE, alice) && !reinvite(&mut net, BOB, bob));
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    assert!(reinvite(&mut net, BOB, bob), "it waits for the ACK");
    assert_eq!(invites(&net, BOB), 0);
    net.seconds(3);
    assert_eq!(invites(&net, BOB), 1);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
    assert!(!reinvite(&mut net, BOB, bob));
}
