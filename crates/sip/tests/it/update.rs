//! UPDATE of the peer and of ours: which one has to wait, and what a 2xx changes (RFC 3311).

use sip::{Event, InDialog, InviteId, Method, RejectCause, RequestId, Respond};

use crate::{
    by_hand::{of_alice, of_bob},
    link::{ALICE, BOB, Net, address, answer},
};

const OFFER: &str = "v=0";

fn update(offer: bool) -> InDialog {
    let plain = InDialog::method(Method::Update);
    match offer {
        true => InDialog {
            content_type: Some("application/sdp".to_owned()),
            body: OFFER.as_bytes().to_vec(),
            ..plain
        },
        false => plain,
    }
}

#[track_caller]
fn handed_up(net: &mut Net, at: &str) -> (Option<InviteId>, RequestId) {
    match net.event(at) {
        Event::Request { id, request_id, .. } => (id, request_id),
        event => panic!("{event:?}"),
    }
}

#[track_caller]
fn responded(net: &mut Net, at: &str) -> (u16, RejectCause) {
    match net.event(at) {
        Event::Responded { status, cause, .. } => (status, cause),
        event => panic!("{event:?}"),
    }
}

#[test]
fn an_update_moves_the_remote_target_of_both() {
    let mut net = Net::pair();
    let (alice, bob) = net.connected();
    let moved = of_alice(&net, "UPDATE", 2, "Contact: <sip:alice@192.0.2.1:5099>\n", OFFER);
    net.write(ALICE, BOB, &moved);
    net.millis(100);
    let (id, request) = handed_up(&mut net, BOB);
    assert_eq!(id, Some(bob));
    net.at(BOB, |endpoint, now| {
        let headers = vec![("Contact".to_owned(), "<sip:bob@198.51.100.2:5098>".to_owned())];
        endpoint.reply(now, request, Respond { headers, ..answer() });
        endpoint.bye(now, bob, &[]);
    });
    assert_eq!(net.last(BOB, "BYE").request_uri().unwrap(), "sip:alice@192.0.2.1:5099");
    net.millis(100);

    let mut net = Net::pair();
    let (alice_again, _) = net.connected();
    assert_eq!(alice, alice_again);
    net.at(ALICE, |endpoint, now| endpoint.request(now, alice, update(true)));
    net.millis(100);
    let ours = net.last(ALICE, "UPDATE");
    assert!(ours.contact().is_ok() && ours.header("Allow").is_some());
    let (_, request) = handed_up(&mut net, BOB);
    net.at(BOB, |endpoint, now| {
        let headers = vec![("Contact".to_owned(), "<sip:bob@198.51.100.2:5098>".to_owned())];
        endpoint.reply(now, request, Respond { headers, ..answer() });
    });
    net.millis(100);
    assert_eq!(responded(&mut net, ALICE), (200, RejectCause::Peer));
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    let bye = net.log.iter().rfind(|sent| sent.what() == "BYE").unwrap();
    assert_eq!(bye.to, address("198.51.100.2:5098"));
}

#[test]
fn a_2xx_to_update_has_our_contact_and_a_failure_moves_nothing() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    for (cseq, status) in [(2, 488), (3, 200)] {
        let moved = of_alice(&net, "UPDATE", cseq, "Contact: <sip:a@192.0.2.1:5099>\n", "");
        net.write(ALICE, BOB, &moved);
        net.millis(100);
        let (_, request) = handed_up(&mut net, BOB);
        net.at(BOB, |endpoint, now| endpoint.reply(now, request, Respond::status(status)));
        let response = net.last(BOB, &format!("{status} UPDATE"));
        assert_eq!(response.header("Contact").is_some(), status == 200);
        let target = net.at(BOB, |endpoint, _| endpoint.request_uri(bob)).unwrap();
        assert_eq!(target.ends_with("5099"), status == 200, "{target}");
    }
}

#[test]
fn one_update_of_the_peer_at_a_time() {
    let mut net = Net::pair();
    net.connected();
    for (cseq, body) in [(2, OFFER), (3, OFFER), (4, "")] {
        let text = of_alice(&net, "UPDATE", cseq, "", body);
        net.write(ALICE, BOB, &text);
        net.millis(100);
    }
    let (_, request) = handed_up(&mut net, BOB);
    let busy = net.last(BOB, "500 UPDATE");
    let seconds: u32 = busy.header_text("Retry-After").unwrap().parse().unwrap();
    assert!(busy.cseq().unwrap().0 == 4 && seconds <= 10);
    assert_eq!(net.times(BOB, "500 UPDATE").len(), 2);
    let reinvite = of_alice(&net, "INVITE", 5, "", OFFER);
    net.write(ALICE, BOB, &reinvite);
    net.millis(100);
    assert_eq!(net.times(BOB, "500 INVITE").len(), 1, "its own offer is still open");
    net.at(BOB, |endpoint, now| endpoint.reply(now, request, answer()));
    let next = of_alice(&net, "UPDATE", 6, "", OFFER);
    net.write(ALICE, BOB, &next);
    net.millis(100);
    assert_eq!(net.names(BOB), ["Request"]);
}

#[test]
fn while_an_offer_of_ours_is_open_the_peers_is_glare() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    net.weather.lost = 1000;
    net.at(BOB, |endpoint, now| endpoint.request(now, bob, update(true)));
    let second = net.at(BOB, |endpoint, now| endpoint.request(now, bob, update(true)));
    net.weather.lost = 0;
    let Event::Responded { sent, status: 491, cause, .. } = net.event(BOB) else { panic!() };
    assert_eq!((Some(sent), cause), (second, RejectCause::Transport), "no two offers of ours");
    for (cseq, method, body, status) in
        [(2, "UPDATE", OFFER, Some(491)), (3, "INVITE", OFFER, Some(491)), (4, "UPDATE", "", None)]
    {
        let text = of_alice(&net, method, cseq, "", body);
        net.write(ALICE, BOB, &text);
        net.millis(20);
        match status {
            Some(status) => assert_eq!(net.times(BOB, &format!("{status} {method}")).len(), 1),
            None => drop(handed_up(&mut net, BOB)),
        }
    }
    net.seconds(1);
    let (_, request) = handed_up(&mut net, ALICE);
    net.at(ALICE, |endpoint, now| endpoint.reply(now, request, Respond::status(488)));
    net.millis(100);
    assert_eq!(responded(&mut net, BOB), (488, RejectCause::Peer));
    let reinvite = of_alice(&net, "INVITE", 5, "", OFFER);
    net.write(ALICE, BOB, &reinvite);
    net.millis(100);
    assert_eq!(net.names(BOB), ["Reinvite"]);
}

#[test]
fn a_reinvite_that_waits_for_its_answer_holds_an_offer_back() {
    let mut net = Net::pair();
    let (_, bob) = net.connected();
    let reinvite = of_alice(&net, "INVITE", 2, "", OFFER);
    let early = of_alice(&net, "UPDATE", 3, "", OFFER);
    let plain = of_alice(&net, "UPDATE", 4, "", "");
    for text in [&reinvite, &early, &plain] {
        net.write(ALICE, BOB, text);
        net.millis(100);
    }
    assert_eq!(net.times(BOB, "500 UPDATE").len(), 1);
    assert_eq!(net.names(BOB), ["Reinvite", "Request"]);
    // With none in the re-INVITE the offer is ours, until the ACK answers it.
    net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, Respond::status(488)));
    net.seconds(33);
    let empty = of_alice(&net, "INVITE", 5, "", "");
    net.write(ALICE, BOB, &empty);
    net.millis(100);
    net.at(BOB, |endpoint, now| endpoint.respond_reinvite(now, bob, answer()));
    for (cseq, what) in [(6, "491 UPDATE"), (7, "Request")] {
        let offer = of_alice(&net, "UPDATE", cseq, "", OFFER);
        net.write(ALICE, BOB, &offer);
        net.millis(100);
        if cseq == 6 {
            assert_eq!(net.times(BOB, what).len(), 1);
            let ack = of_alice(&net, "ACK", 5, "", OFFER);
            net.write(ALICE, BOB, &ack);
            net.millis(100);
            assert_eq!(net.names(BOB), ["Reinvite", "Acked"]);
        } else {
            assert_eq!(net.names(BOB), [what]);
        }
    }
}

#[test]
fn while_it_rings_an_offer_waits_for_the_first_answer() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(180)));
    net.millis(100);
    let of_caller = of_alice(&net, "UPDATE", 2, "", OFFER);
    net.write(ALICE, BOB, &of_caller);
    let of_callee = of_bob(&net, "UPDATE", 2, "", OFFER);
    net.write(BOB, ALICE, &of_callee);
    let plain = of_bob(&net, "UPDATE", 3, "", "");
    net.write(BOB, ALICE, &plain);
    net.millis(100);
    assert_eq!(net.times(BOB, "500 UPDATE").len(), 1, "the INVITE's offer is the caller's own");
    assert_eq!(net.times(ALICE, "491 UPDATE").len(), 1, "the INVITE's offer is open");
    assert_eq!(net.names(ALICE), ["Progress", "Request"]);
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, None));
    net.assert_idle();
}
