//! Requests of ours within a dialog: INFO, NOTIFY, UPDATE and their kin (RFC 3261 §12.2.1).

use sip::{EndCause, Event, InDialog, InviteId, Method, RejectCause, Respond};

use crate::link::{ALICE, BOB, Net, address, answer};

fn info() -> InDialog {
    InDialog {
        headers: vec![("X-Test".to_owned(), "yes".to_owned())],
        content_type: Some("application/dtmf-relay".to_owned()),
        body: b"Signal=1\r\n".to_vec(),
        ..InDialog::method(Method::Info)
    }
}

/// The next event, an outcome: its status and whose it is.
#[track_caller]
fn outcome(net: &mut Net, at: &str) -> (InviteId, u16, RejectCause) {
    match net.event(at) {
        Event::Responded { id, status, cause, response, .. } => {
            assert_eq!(response.is_some(), cause == RejectCause::Peer);
            (id, status, cause)
        }
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_request_of_either_side_is_answered_by_the_core_of_the_other() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    for (from, id, to) in [(ALICE, alice, BOB), (BOB, bob, ALICE), (ALICE, alice, BOB)] {
        let sent = net.at(from, |endpoint, now| endpoint.request(now, id, info())).unwrap();
        net.millis(100);
        let Event::Request { request_id, request, .. } = net.event(to) else { panic!() };
        assert_eq!((request.body(), request.header_text("X-Test").as_deref()), {
            (&b"Signal=1\r\n"[..], Some("yes"))
        });
        net.at(to, |endpoint, now| endpoint.reply(now, request_id, Respond::status(200)));
        net.millis(100);
        let Event::Responded { id: at, sent: of, status, .. } = net.event(from) else { panic!() };
        assert_eq!((at, of, status), (id, sent, 200));
    }
    let numbers: Vec<u32> = net
        .log
        .iter()
        .filter(|sent| sent.what() == "INFO" && sent.from == address(ALICE))
        .map(|sent| sent.message.cseq().unwrap().0)
        .collect();
    assert_eq!(numbers, [2, 3], "after the INVITE's");
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    assert_eq!(net.last(ALICE, "BYE").cseq().unwrap().0, 4);
    net.assert_idle();
}

#[test]
fn where_there_is_no_dialog_nothing_is_sent() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    for (at, id) in [(ALICE, alice), (BOB, bob)] {
        assert_eq!(net.at(at, |endpoint, now| endpoint.request(now, id, info())), None, "{at}");
    }
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.millis(100);
    for method in [Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Prack] {
        let request = InDialog::method(method);
        assert_eq!(net.at(ALICE, |endpoint, now| endpoint.request(now, alice, request)), None);
    }
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    assert_eq!(net.at(ALICE, |endpoint, now| endpoint.request(now, alice, info())), None);
    net.millis(100);
    assert_eq!(net.at(BOB, |endpoint, now| endpoint.request(now, bob, info())), None);
    assert!(net.log.iter().all(|sent| sent.what() != "INFO"));
    net.assert_idle();
}

#[test]
fn while_it_rings_requests_go_to_the_early_dialog() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(180)));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Progress"]);
    for (from, id, to) in [(ALICE, alice, BOB), (BOB, bob, ALICE)] {
        assert!(net.at(from, |endpoint, now| endpoint.request(now, id, info())).is_some());
        net.millis(100);
        let Event::Request { request_id, .. } = net.event(to) else { panic!() };
        net.at(to, |endpoint, now| endpoint.reply(now, request_id, Respond::status(200)));
        net.millis(100);
        assert_eq!(outcome(&mut net, from), (id, 200, RejectCause::Peer));
    }
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Answered"]);
    assert_eq!(net.last(ALICE, "ACK").cseq().unwrap().0, 1, "the INVITE's, not the last one's");
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    assert_eq!(net.last(ALICE, "BYE").cseq().unwrap().0, 3, "the early dialog counts on");
    net.assert_idle();
}

#[test]
fn what_nobody_answers_and_what_cannot_be_sent_have_their_outcome() {
    let mut net = Net::pair();
    let (alice, _) = net.connected();
    net.weather.lost = 1000;
    net.at(ALICE, |endpoint, now| endpoint.request(now, alice, info())).unwrap();
    net.seconds(33);
    assert_eq!(outcome(&mut net, ALICE), (alice, 408, RejectCause::Timeout));
    net.at(ALICE, |endpoint, now| {
        let _ = endpoint.request(now, alice, info());
        endpoint.handle_transport_error(now, crate::link::flow(ALICE, BOB));
    });
    assert_eq!(outcome(&mut net, ALICE), (alice, 503, RejectCause::Transport));
    let broken = InDialog { headers: vec![("X".to_owned(), "a\r\nb".to_owned())], ..info() };
    assert!(net.at(ALICE, |endpoint, now| endpoint.request(now, alice, broken)).is_some());
    assert_eq!(outcome(&mut net, ALICE), (alice, 500, RejectCause::Transport));
    net.weather.lost = 0;
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
}

#[test]
fn an_outcome_comes_also_after_the_end_of_the_dialog() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    net.at(ALICE, |endpoint, now| endpoint.request(now, alice, info()));
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.millis(100);
    let Event::Request { request_id, .. } = net.event(BOB) else { panic!() };
    net.at(BOB, |endpoint, now| endpoint.reply(now, request_id, Respond::status(481)));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Ended", "Responded"]);
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
}

#[test]
fn a_peer_that_has_forgotten_the_dialog_ends_it() {
    for (method, status, ends) in [
        (Method::Info, 481, true),
        (Method::Refer, 481, true),
        (Method::Update, 408, true),
        (Method::Update, 481, true),
        (Method::Notify, 481, false),
        (Method::Info, 408, false),
        (Method::Update, 503, false),
    ] {
        let mut net = Net::pair();
        let (alice, _) = net.connected();
        let request = InDialog::method(method.clone());
        net.at(ALICE, |endpoint, now| endpoint.request(now, alice, request));
        net.millis(100);
        let Event::Request { request_id, .. } = net.event(BOB) else { panic!() };
        net.at(BOB, |endpoint, now| endpoint.reply(now, request_id, Respond::status(status)));
        net.millis(100);
        assert_eq!(outcome(&mut net, ALICE), (alice, status, RejectCause::Peer));
        if ends {
            let Event::Ended { cause, .. } = net.event(ALICE) else { panic!("{method} {status}") };
            assert_eq!(cause, EndCause::Gone);
            assert_eq!(net.names(BOB), ["Ended"], "by the BYE");
        } else {
            assert_eq!(net.names(ALICE), [""; 0], "{method} {status}");
            net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
        }
        net.assert_idle();
    }
}

#[test]
fn an_update_of_ours_that_nobody_answers_ends_the_dialog() {
    let mut net = Net::pair();
    let (alice, _) = net.connected();
    net.weather.lost = 1000;
    let update = InDialog::method(Method::Update);
    net.at(ALICE, |endpoint, now| endpoint.request(now, alice, update));
    net.seconds(33);
    assert_eq!(outcome(&mut net, ALICE), (alice, 408, RejectCause::Timeout));
    let Event::Ended { cause: EndCause::Gone, .. } = net.event(ALICE) else { panic!() };
    assert!(!net.times(ALICE, "BYE").is_empty());
}
