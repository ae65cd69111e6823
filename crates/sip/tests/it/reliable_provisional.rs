//! Provisional responses that are acknowledged, of both sides (RFC 3262).

use sip::{Builder, EndCause, Event, InviteId, Respond};

use crate::{
    by_hand::of_alice,
    link::{ALICE, BOB, Net, address, answer, invite_to},
};

/// 183 with a session description.
fn early_media() -> Respond {
    Respond { status: 183, ..answer() }
}

fn respond(net: &mut Net, id: InviteId, response: Respond) {
    net.at(BOB, |endpoint, now| endpoint.respond(now, id, response));
}

/// Alice calls Bob and requires each provisional response to be reliable.
#[track_caller]
fn demanding_call(net: &mut Net) -> (InviteId, InviteId) {
    let mut invite = invite_to(BOB);
    invite.headers.push(("Require".to_owned(), "100rel".to_owned()));
    let alice = net.at(ALICE, |endpoint, now| endpoint.invite(now, invite));
    net.millis(100);
    let Event::Invite { id, .. } = net.event(BOB) else { panic!() };
    (alice, id)
}

/// RSeq of each response of that kind that Bob has sent.
fn rseqs(net: &Net, what: &str) -> Vec<u32> {
    let sent = net.log.iter().filter(|sent| sent.from == address(BOB) && sent.what() == what);
    sent.map(|sent| sent.message.header_text("RSeq").unwrap().parse().unwrap()).collect()
}

#[test]
fn a_description_while_it_rings_is_acknowledged_and_plain_ringing_is_not() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    respond(&mut net, bob, Respond::status(180));
    respond(&mut net, bob, early_media());
    net.millis(100);
    assert!(net.last(BOB, "180 INVITE").header("RSeq").is_none());
    let reliable = net.last(BOB, "183 INVITE");
    assert_eq!(reliable.header_text("Require").as_deref(), Some("100rel"));
    let prack = net.last(ALICE, "PRACK");
    let rseq = rseqs(&net, "183 INVITE")[0];
    assert_eq!(prack.header_text("RAck").unwrap(), format!("{rseq} 1 INVITE"));
    assert_eq!(prack.cseq().unwrap().0, 2);
    assert_eq!(net.times(BOB, "200 PRACK").len(), 1);
    assert_eq!(net.names(ALICE), ["Progress", "Progress"]);
    assert_eq!(net.names(BOB), [""; 0], "the PRACK is no event");
    respond(&mut net, bob, answer());
    net.seconds(40);
    assert_eq!(net.times(BOB, "183 INVITE").len(), 1, "acknowledged, so not repeated");
    assert_eq!((net.names(ALICE), net.names(BOB)), (vec!["Answered"], vec!["Acked"]));
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    assert_eq!(net.last(ALICE, "BYE").cseq().unwrap().0, 3);
    net.assert_idle();
}

#[test]
fn one_that_nobody_acknowledges_is_repeated_and_refuses_the_invite() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.weather.lost = 1000;
    respond(&mut net, bob, early_media());
    net.seconds(31);
    let since = net.times(BOB, "183 INVITE");
    let pauses: Vec<u64> = since.iter().map(|at| at - since[0]).collect();
    assert_eq!(pauses, [0, 500, 1_500, 3_500, 7_500, 15_500]);
    net.seconds(1);
    let Event::Ended { cause, request, .. } = net.event(BOB) else { panic!() };
    assert_eq!((cause, request), (EndCause::NoPrack, None));
    net.weather.lost = 0;
    net.seconds(3);
    let Event::Rejected { status, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(status, 504);
    respond(&mut net, bob, answer());
    net.assert_idle();
    assert_eq!((net.names(ALICE), net.names(BOB)), (vec!["Released"], vec!["Released"]));
    assert_eq!(net.times(BOB, "200 INVITE").len(), 0);
}

#[test]
fn a_repeated_one_is_one_event_and_gets_one_prack() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    respond(&mut net, bob, early_media());
    net.weather.lost = 1000;
    net.seconds(2);
    net.weather.lost = 0;
    net.seconds(2);
    assert!(net.times(BOB, "183 INVITE").len() > 1);
    let pracks: Vec<_> = net
        .log
        .iter()
        .filter(|sent| sent.what() == "PRACK")
        .map(|sent| sent.message.as_bytes().to_vec())
        .collect();
    assert!(pracks.len() > 1 && pracks.iter().all(|prack| *prack == pracks[0]), "a repetition");
    assert_eq!(net.names(ALICE), ["Progress"]);
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, None));
    net.assert_idle();
}

#[test]
fn the_next_one_waits_for_the_prack_of_the_one_before() {
    let mut net = Net::pair();
    let (alice, bob) = demanding_call(&mut net);
    respond(&mut net, bob, Respond::status(180));
    respond(&mut net, bob, early_media());
    respond(&mut net, bob, Respond::status(182));
    assert_eq!(net.times(BOB, "180 INVITE").len(), 1);
    assert_eq!(net.times(BOB, "183 INVITE").len() + net.times(BOB, "182 INVITE").len(), 0);
    net.millis(200);
    let [first, second, third] =
        ["180 INVITE", "183 INVITE", "182 INVITE"].map(|what| rseqs(&net, what)[0]);
    assert_eq!((second, third), (first + 1, first + 2));
    let statuses: Vec<u16> =
        std::iter::from_fn(|| match net.events.get_mut(&address(ALICE)).unwrap().pop_front()? {
            Event::Progress { response, .. } => response.status(),
            event => panic!("{event:?}"),
        })
        .collect();
    assert_eq!(statuses, [180, 183, 182]);
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, None));
    net.assert_idle();
}

#[test]
fn more_than_the_queue_holds_are_not_sent() {
    let mut net = Net::pair();
    let (alice, bob) = demanding_call(&mut net);
    for _ in 0..20 {
        respond(&mut net, bob, Respond::status(180));
    }
    net.seconds(3);
    assert_eq!(net.times(BOB, "180 INVITE").len(), 9, "one is out, eight wait");
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, None));
    net.assert_idle();
}

#[test]
fn an_answer_waits_for_the_prack_of_a_description() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    respond(&mut net, bob, early_media());
    respond(&mut net, bob, answer());
    respond(&mut net, bob, Respond::status(486));
    assert_eq!(net.times(BOB, "200 INVITE").len(), 0);
    assert!(net.at(BOB, |endpoint, _| endpoint.answer_waits(bob)));
    net.millis(100);
    assert!(!net.at(BOB, |endpoint, _| endpoint.answer_waits(bob)));
    let order: Vec<String> = net.sent_by(BOB).into_iter().map(|(_, what)| what).collect();
    assert_eq!(order, ["100 INVITE", "183 INVITE", "200 PRACK", "200 INVITE"]);
    assert_eq!(net.names(ALICE), ["Progress", "Answered"]);
    assert_eq!(net.names(BOB), ["Accepted", "Acked"]);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
}

#[test]
fn an_answer_waits_for_nothing_else_and_a_refusal_never() {
    for (response, sent) in [(answer(), "200 INVITE"), (Respond::status(486), "486 INVITE")] {
        let mut net = Net::pair();
        let (_, bob) = demanding_call(&mut net);
        respond(&mut net, bob, Respond::status(180));
        respond(&mut net, bob, response);
        assert_eq!(net.times(BOB, sent).len(), 1);
        net.seconds(10);
        assert_eq!(net.times(BOB, "180 INVITE").len(), 1);
        net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
        net.assert_idle();
    }
    let mut net = Net::pair();
    let (_, bob) = net.call();
    respond(&mut net, bob, early_media());
    respond(&mut net, bob, Respond::status(603));
    assert_eq!(net.times(BOB, "603 INVITE").len(), 1);
    net.assert_idle();
}

#[test]
fn a_prack_that_comes_after_the_answer_is_still_answered() {
    let mut net = Net::pair();
    let (alice, bob) = demanding_call(&mut net);
    net.weather.delay = std::time::Duration::from_millis(100);
    respond(&mut net, bob, Respond::status(180));
    net.millis(50);
    respond(&mut net, bob, answer());
    net.seconds(1);
    assert_eq!(net.times(BOB, "200 PRACK").len(), 1);
    assert_eq!(net.times(BOB, "481 PRACK").len(), 0);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn a_prack_that_names_nothing_gets_481() {
    let mut net = Net::pair();
    let (alice, bob) = net.call();
    respond(&mut net, bob, Respond::status(180));
    let none = of_alice(&net, "PRACK", 2, "RAck: 1 1 INVITE\n", "");
    net.write(ALICE, BOB, &none);
    net.millis(100);
    assert_eq!(net.times(BOB, "481 PRACK").len(), 1, "nothing is reliable here");
    net.weather.lost = 1000;
    respond(&mut net, bob, early_media());
    net.weather.lost = 0;
    let rseq = rseqs(&net, "183 INVITE")[0];
    let wrong = [
        format!("RAck: {} 1 INVITE\n", rseq + 1),
        format!("RAck: {rseq} 2 INVITE\n"),
        format!("RAck: {rseq} 1 UPDATE\n"),
        String::new(),
    ];
    for (cseq, line) in (3..).zip(&wrong) {
        let prack = of_alice(&net, "PRACK", cseq, line, "");
        net.write(ALICE, BOB, &prack);
    }
    net.millis(100);
    assert_eq!(net.times(BOB, "481 PRACK").len(), 1 + wrong.len());
    let right = format!("RAck: {rseq} 1 INVITE\n");
    for cseq in [10, 11] {
        let prack = of_alice(&net, "PRACK", cseq, &right, "");
        net.write(ALICE, BOB, &prack);
        net.write(ALICE, BOB, &prack);
        net.millis(100);
    }
    assert_eq!(net.times(BOB, "200 PRACK").len(), 2, "and its repetition");
    assert_eq!(net.times(BOB, "481 PRACK").len(), 1 + wrong.len() + 2, "but no second one");
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, None));
    net.assert_idle();
}

#[test]
fn a_prack_with_an_offer_is_the_cores() {
    let mut net = Net::pair();
    let (_, bob) = net.call();
    net.weather.lost = 1000;
    respond(&mut net, bob, early_media());
    net.weather.lost = 0;
    respond(&mut net, bob, answer());
    let rack = format!("RAck: {} 1 INVITE\n", rseqs(&net, "183 INVITE")[0]);
    let prack = of_alice(&net, "PRACK", 2, &rack, "v=0");
    net.write(ALICE, BOB, &prack);
    net.millis(100);
    let Event::Request { id, request_id, request, .. } = net.event(BOB) else { panic!() };
    assert_eq!((id, request.body()), (Some(bob), &b"v=0"[..]));
    let update = of_alice(&net, "UPDATE", 3, "", "v=0");
    net.write(ALICE, BOB, &update);
    net.millis(100);
    assert_eq!(net.times(BOB, "500 UPDATE").len(), 1, "the offer in the PRACK is open");
    net.at(BOB, |endpoint, now| endpoint.reply(now, request_id, answer()));
    assert_eq!(net.last(BOB, "200 PRACK").body(), b"v=0\r\n");
    assert_eq!(net.times(BOB, "200 INVITE").len(), 1, "it has waited for the PRACK");
    assert_eq!(net.names(BOB)[0], "Accepted");
    net.millis(100);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    net.assert_idle();
}

#[test]
fn whoever_leaves_while_the_answer_waits_is_not_answered() {
    for (leaves, status, event) in
        [("CANCEL", 487, "Cancelled"), ("BYE", 487, "Cancelled"), ("", 480, "")]
    {
        let mut net = Net::pair();
        let (_, bob) = net.call();
        net.weather.lost = 1000;
        respond(&mut net, bob, early_media());
        net.weather.lost = 0;
        respond(&mut net, bob, answer());
        match leaves {
            "CANCEL" => {
                let cancel = String::from_utf8_lossy(net.last(ALICE, "INVITE").as_bytes())
                    .replace("INVITE", "CANCEL");
                let head = cancel.split("Content-Type").next().unwrap().to_owned();
                net.send(address(ALICE), address(BOB), (head + "\r\n").as_bytes());
            }
            "BYE" => {
                let bye = of_alice(&net, "BYE", 2, "", "");
                net.write(ALICE, BOB, &bye);
            }
            _ => net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[])),
        }
        net.millis(100);
        assert_eq!(net.times(BOB, &format!("{status} INVITE")).len(), 1, "{leaves}");
        assert!(!net.at(BOB, |endpoint, _| endpoint.answer_waits(bob)), "nor ever will");
        let wanted: Vec<&str> = Some(event).filter(|event| !event.is_empty()).into_iter().collect();
        assert_eq!(net.names(BOB), wanted);
        net.assert_idle();
        assert_eq!(net.times(BOB, "200 INVITE").len(), 0);
        assert_eq!(net.names(BOB), ["Released"]);
    }
}

#[test]
fn what_cannot_be_written_holds_nothing_up() {
    let mut net = Net::pair();
    let (alice, bob) = demanding_call(&mut net);
    let broken = Respond { headers: vec![("X".to_owned(), "a\nb".to_owned())], ..early_media() };
    respond(&mut net, bob, broken);
    respond(&mut net, bob, Respond::status(180));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Progress"]);
    respond(&mut net, bob, answer());
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Answered"]);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

/// A response to Alice's INVITE that the test sends for Bob.
fn provisional(net: &Net, tag: &str, rseq: Option<&str>) -> Vec<u8> {
    let invite = net.last(ALICE, "INVITE");
    let response = Builder::response_to(&invite, 183, None)
        .to_tag(tag)
        .header("Contact", "<sip:bob@198.51.100.2>");
    let response = match rseq {
        Some(rseq) => response.header("Require", "100rel").header("RSeq", rseq),
        None => response,
    };
    response.build().unwrap().as_bytes().to_vec()
}

#[test]
fn a_gap_is_not_acknowledged_until_it_is_filled() {
    let mut net = Net::alone();
    let alice = net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    let hears = |net: &mut Net, tag: &str, rseq: Option<&str>| {
        let bytes = provisional(net, tag, rseq);
        net.send(address(BOB), address(ALICE), &bytes);
        net.millis(20);
        let racks: Vec<String> = net
            .log
            .iter()
            .filter(|sent| sent.what() == "PRACK")
            .map(|sent| sent.message.header_text("RAck").unwrap().into_owned())
            .collect();
        let mut racks: Vec<String> = racks;
        racks.dedup();
        (net.names(ALICE).len(), racks.len())
    };
    net.millis(20);
    assert_eq!(hears(&mut net, "b", Some("7")), (1, 1));
    assert_eq!(hears(&mut net, "b", Some("9")), (0, 1), "8 is missing");
    assert_eq!(hears(&mut net, "b", Some("7")), (0, 1), "a repetition");
    assert_eq!(hears(&mut net, "b", Some("8")), (1, 2));
    assert_eq!(hears(&mut net, "b", Some("9")), (1, 3));
    assert_eq!(hears(&mut net, "c", Some("100")), (1, 4), "another fork counts for itself");
    assert_eq!(hears(&mut net, "c", None), (1, 4), "not reliable");
    assert_eq!(hears(&mut net, "c", Some("none")), (1, 4), "nothing to acknowledge");
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, None));
    assert_eq!(hears(&mut net, "c", Some("101")), (0, 5), "acknowledged also when unwanted");
    net.assert_idle();
}
