//! Sessions that expire unless somebody refreshes them (RFC 4028).

use std::time::Duration;

use sip::{Builder, Config, EndCause, Event, InDialog, InviteId, Message, Method, Respond};

use crate::{
    by_hand::{of_alice, of_bob},
    link::{ALICE, BOB, Net, Weather, address, answer, invite_to},
};

fn every(seconds: u64) -> Config {
    Config { session_expires: Some(Duration::from_secs(seconds)), ..Config::default() }
}

fn never() -> Config {
    Config { session_expires: None, ..Config::default() }
}

/// Alice and Bob with their own wishes.
fn pair(alice: Config, bob: Config) -> Net {
    let mut net = Net::new(Weather::FAIR, 1);
    net.join(ALICE, alice);
    net.join(BOB, bob);
    net
}

/// Session-Expires of the last message of that kind.
fn said(net: &Net, from: &str, what: &str) -> Option<String> {
    net.last(from, what).header_text("Session-Expires").map(std::borrow::Cow::into_owned)
}

/// Lets time pass while both cores answer what they are asked about.
fn live(net: &mut Net, seconds: u64) -> Vec<(&'static str, &'static str)> {
    let until = net.now + Duration::from_secs(seconds);
    let mut heard = Vec::new();
    while net.now < until {
        net.millis(100);
        for at in [ALICE, BOB] {
            while let Some(event) = net.events.get_mut(&address(at)).unwrap().pop_front() {
                heard.push((at, crate::link::name(&event)));
                net.at(at, |endpoint, now| match event {
                    Event::Request { request_id, .. } => {
                        endpoint.reply(now, request_id, Respond::status(200));
                    }
                    Event::Reinvite { id, .. } => endpoint.respond_reinvite(now, id, answer()),
                    _ => {}
                });
            }
        }
    }
    heard
}

fn hang_up(net: &mut Net, alice: InviteId) {
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    live(net, 1);
    net.assert_idle();
}

#[test]
fn the_caller_asks_and_refreshes_by_update_at_half_the_time() {
    let mut net = pair(every(600), never());
    let (alice, _) = net.connected();
    let invite = net.last(ALICE, "INVITE");
    assert_eq!(invite.header_text("Session-Expires").unwrap(), "600");
    assert_eq!(invite.header_text("Min-SE").unwrap(), "90");
    assert!(invite.header_text("Supported").unwrap().contains("timer"));
    let accepted = net.last(BOB, "200 INVITE");
    assert_eq!(accepted.header_text("Session-Expires").unwrap(), "600;refresher=uac");
    assert_eq!(accepted.header_text("Require").unwrap(), "timer");
    let heard = live(&mut net, 2_500);
    assert!(heard.iter().all(|event| *event == (BOB, "Request")), "{heard:?}");
    let times = net.times(ALICE, "UPDATE");
    let seconds: Vec<u64> = times.iter().map(|at| at / 1000).collect();
    assert_eq!(seconds, [300, 600, 900, 1200, 1500, 1800, 2100, 2400]);
    let update = net.last(ALICE, "UPDATE");
    assert_eq!(update.header_text("Session-Expires").unwrap(), "600;refresher=uac");
    assert!(update.body().is_empty() && update.header("Contact").is_some());
    assert_eq!(said(&net, BOB, "200 UPDATE").unwrap(), "600;refresher=uac");
    hang_up(&mut net, alice);
}

#[test]
fn the_callee_refreshes_where_the_caller_cannot_or_does_not_want_to() {
    for (lines, wanted, required) in [
        ("", "1800;refresher=uas", false),
        ("Session-Expires: 600;refresher=uas\nSupported: timer\n", "600;refresher=uas", true),
        ("Supported: timer\n", "1800;refresher=uac", true),
        ("Supported: timer\nMin-SE: 2000\n", "2000;refresher=uac", true),
    ] {
        let mut net = Net::alone();
        let invite = format!(
            "INVITE sip:alice@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP {BOB};branch=z9hG4bKi\n\
             From: <sip:bob@b.example>;tag=b\nTo: <sip:alice@a.example>\nCall-ID: c\n\
             CSeq: 1 INVITE\nContact: <sip:bob@{BOB}>\n{lines}\nv=0"
        );
        net.write(BOB, ALICE, &invite);
        net.millis(100);
        let Event::Invite { id, .. } = net.event(ALICE) else { panic!() };
        net.at(ALICE, |endpoint, now| endpoint.respond(now, id, answer()));
        let response = net.last(ALICE, "200 INVITE");
        assert_eq!(response.header_text("Session-Expires").unwrap(), wanted);
        assert_eq!(response.header("Require").is_some(), required, "{lines}");
    }
}

#[test]
fn without_a_wish_of_anybody_nothing_expires() {
    let mut net = pair(never(), never());
    let (alice, _) = net.connected();
    assert!(net.last(ALICE, "INVITE").header("Session-Expires").is_none());
    assert!(net.last(BOB, "200 INVITE").header("Session-Expires").is_none());
    assert_eq!(live(&mut net, 100_000), []);
    hang_up(&mut net, alice);
}

/// A 200 to Alice's INVITE, or to another request of hers, that the test sends for Bob.
pub(crate) fn accept(net: &mut Net, request: &Message, lines: &[(&str, &str)]) {
    let mut response = Builder::response_to(request, 200, None)
        .to_tag("bobs")
        .header("Contact", format_args!("<sip:bob@{BOB}>"));
    for (name, value) in lines {
        response = response.header(name, value);
    }
    let body: &[u8] = if request.body().is_empty() { b"" } else { b"v=0\r\n" };
    let response = response.body("application/sdp", body).build().unwrap();
    net.send(address(BOB), address(ALICE), response.as_bytes());
    net.millis(50);
}

/// A refusal of Alice's request that the test sends for Bob; it names a least interval.
fn refuse(net: &mut Net, request: &Message, status: u16) {
    let refused = Builder::response_to(request, status, None).header("Min-SE", "1000");
    let refused = refused.build().unwrap();
    net.send(address(BOB), address(ALICE), refused.as_bytes());
    net.millis(50);
}

/// Alice in a call with a Bob who is the test; he says this in his 200.
pub(crate) fn called_by_hand(lines: &[(&str, &str)]) -> (Net, InviteId) {
    let mut net = Net::alone();
    let alice = net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    net.millis(50);
    let invite = net.last(ALICE, "INVITE");
    accept(&mut net, &invite, lines);
    assert_eq!(net.names(ALICE), ["Answered"]);
    (net, alice)
}

#[test]
fn a_peer_without_update_gets_the_same_description_again() {
    let (mut net, alice) = called_by_hand(&[
        ("Session-Expires", "200;refresher=uac"),
        ("Allow", "INVITE, ACK, BYE, CANCEL"),
    ]);
    let first = net.last(ALICE, "INVITE");
    net.seconds(100);
    let refresh = net.last(ALICE, "INVITE");
    assert_eq!(refresh.cseq().unwrap().0, 2);
    assert_eq!(refresh.body(), first.body());
    assert_eq!(refresh.header_text("Content-Type"), first.header_text("Content-Type"));
    assert_eq!(refresh.header_text("Session-Expires").unwrap(), "200;refresher=uac");
    accept(&mut net, &refresh, &[("Session-Expires", "200;refresher=uac")]);
    assert_eq!(net.last(ALICE, "ACK").cseq().unwrap().0, 2);
    assert_eq!(net.names(ALICE), [""; 0], "no event");
    net.seconds(100);
    assert_eq!(net.last(ALICE, "INVITE").cseq().unwrap().0, 3);
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn a_peer_that_only_claims_to_have_update_gets_a_reinvite() {
    let (mut net, alice) =
        called_by_hand(&[("Session-Expires", "200;refresher=uac"), ("Allow", "INVITE, UPDATE")]);
    net.seconds(100);
    let update = net.last(ALICE, "UPDATE");
    let refused = Builder::response_to(&update, 405, None).build().unwrap();
    net.send(address(BOB), address(ALICE), refused.as_bytes());
    net.millis(50);
    let refresh = net.last(ALICE, "INVITE");
    assert_eq!(refresh.cseq().unwrap().0, 3);
    accept(&mut net, &refresh, &[]);
    net.seconds(3_000);
    assert_eq!(net.names(ALICE), [""; 0], "without Session-Expires in the 200 it is over");
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn the_outcome_of_a_refresh_decides() {
    for (status, next, ends) in [
        (491, "UPDATE", false),
        (500, "UPDATE", false),
        (501, "INVITE", false),
        (422, "UPDATE", false),
        (481, "BYE", true),
        (408, "BYE", true),
        (0, "BYE", true),
    ] {
        let (mut net, alice) = called_by_hand(&[
            ("Session-Expires", "300;refresher=uac"),
            ("Allow", "INVITE, UPDATE"),
        ]);
        net.seconds(150);
        let update = net.last(ALICE, "UPDATE");
        let before = net.log.len();
        if status == 0 {
            net.seconds(32);
        } else {
            let refused = Builder::response_to(&update, status, None).header("Min-SE", "1000");
            let refused = refused.build().unwrap();
            net.send(address(BOB), address(ALICE), refused.as_bytes());
            net.seconds(if status == 500 { 40 } else { 5 });
        }
        let ours = net.log[before..].iter().find(|sent| {
            let repeated = sent.message.as_bytes() == update.as_bytes();
            sent.from == address(ALICE) && !repeated
        });
        let ours = ours.unwrap_or_else(|| panic!("nothing after {status}"));
        assert_eq!(ours.what(), next, "{status}");
        if status == 422 {
            let raised = ours.message.header_text("Session-Expires").unwrap();
            assert_eq!(raised, "1000;refresher=uac");
        }
        if status == 491 {
            let after = ours.at.as_millis() - 150_060;
            assert!((2_050..4_100).contains(&after), "{after}: the Call-ID is ours");
        }
        if ends {
            let Event::Ended { cause: EndCause::Gone, .. } = net.event(ALICE) else { panic!() };
        } else {
            assert_eq!(net.names(ALICE), [""; 0]);
            net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
        }
        net.assert_idle();
    }
}

#[test]
fn the_outcome_of_a_refresh_by_reinvite_decides_as_well() {
    for (status, next, ends) in [
        (491, "INVITE", false),
        (500, "INVITE", false),
        (422, "INVITE", false),
        (481, "BYE", true),
        (408, "BYE", true),
        (0, "BYE", true),
    ] {
        let (mut net, alice) = called_by_hand(&[("Session-Expires", "300;refresher=uac")]);
        net.seconds(150);
        let refresh = net.last(ALICE, "INVITE");
        assert_eq!(refresh.cseq().unwrap().0, 2);
        let before = net.log.len();
        if status == 0 {
            net.seconds(32);
        } else {
            refuse(&mut net, &refresh, status);
            net.seconds(if status == 500 { 40 } else { 5 });
        }
        let new = |sent: &&crate::link::Sent| {
            let cseq = sent.message.cseq().unwrap().0;
            sent.from == address(ALICE) && cseq > 2
        };
        let ours = net.log[before..].iter().find(new);
        let ours = ours.unwrap_or_else(|| panic!("nothing after {status}")).clone();
        assert_eq!((ours.what(), ours.message.cseq().unwrap().0), (next.to_owned(), 3), "{status}");
        match status {
            422 => {
                let raised = ours.message.header_text("Session-Expires").unwrap();
                assert_eq!(raised, "1000;refresher=uac");
                accept(&mut net, &ours.message, &[("Session-Expires", "1000;refresher=uac")]);
                net.seconds(490);
                assert_eq!(net.last(ALICE, "INVITE").cseq().unwrap().0, 3);
                net.seconds(10);
                assert_eq!(net.last(ALICE, "INVITE").cseq().unwrap().0, 4, "half of 1000 s");
            }
            491 => {
                let after = ours.at.as_millis() - 150_060;
                assert!((2_050..4_100).contains(&after), "{after}: the Call-ID is ours");
            }
            _ => {}
        }
        if ends {
            let Event::Ended { cause: EndCause::Gone, .. } = net.event(ALICE) else { panic!() };
        } else {
            assert_eq!(net.names(ALICE), [""; 0]);
            net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
        }
        net.assert_idle();
    }
}

#[test]
fn a_peer_that_no_interval_of_a_refresh_contents_is_asked_twice_and_then_as_after_any_failure() {
    for (allow, method) in [("INVITE, UPDATE", "UPDATE"), ("INVITE", "INVITE")] {
        let (mut net, _) =
            called_by_hand(&[("Session-Expires", "300;refresher=uac"), ("Allow", allow)]);
        let mut refused = Vec::new();
        for _ in 0..2_700 {
            net.millis(100);
            let last = net
                .log
                .iter()
                .rfind(|sent| sent.what() == method && sent.message.cseq().unwrap().0 > 1);
            if let Some(refresh) = last.map(|sent| sent.message.clone())
                && !refused.iter().any(|(_, known)| *known == refresh)
            {
                refuse(&mut net, &refresh, 422);
                refused.push((net.clock().as_secs(), refresh));
            }
        }
        let at: Vec<u64> = refused.iter().map(|(at, _)| *at).collect();
        assert_eq!(at, [150, 150, 187, 225, 262], "{method}");
        let Event::Ended { cause: EndCause::Expired, .. } = net.event(ALICE) else { panic!() };
        assert_eq!(net.times(ALICE, "BYE")[0] / 1000, 268, "when the interval expires");
    }
}

#[test]
fn a_change_of_the_core_with_too_short_an_interval_is_sent_again() {
    let (mut net, alice) = called_by_hand(&[("Session-Expires", "300;refresher=uac")]);
    net.at(ALICE, |endpoint, now| {
        assert!(endpoint.reinvite(now, alice, b"v=1\r\n", "application/sdp", &[]));
    });
    let change = net.last(ALICE, "INVITE");
    refuse(&mut net, &change, 422);
    let again = net.last(ALICE, "INVITE");
    assert_eq!((again.cseq().unwrap().0, again.body()), (3, &b"v=1\r\n"[..]));
    assert_eq!(again.header_text("Session-Expires").unwrap(), "1000;refresher=uac");
    assert_eq!(net.names(ALICE), [""; 0]);
    refuse(&mut net, &again, 422);
    assert_eq!(net.names(ALICE), ["NotModified"], "once");
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn what_a_refresh_is_answered_with_holds_from_then_on() {
    let update = ("Allow", "INVITE, UPDATE");
    for (said, then) in [
        (Some("600;refresher=uac"), Some((300, "UPDATE"))),
        (Some("200;refresher=uas"), Some((168, "BYE"))),
        (None, None),
    ] {
        let (mut net, alice) = called_by_hand(&[("Session-Expires", "300;refresher=uac"), update]);
        net.seconds(150);
        let refresh = net.last(ALICE, "UPDATE");
        let lines: Vec<_> = said.map(|said| ("Session-Expires", said)).into_iter().collect();
        accept(&mut net, &refresh, &lines);
        let (before, at) = (net.log.len(), net.clock());
        net.seconds(400);
        let next = net.log[before..].iter().find(|sent| sent.from == address(ALICE));
        let next = next.map(|sent| ((sent.at - at).as_secs_f64().round(), sent.what()));
        assert_eq!(next, then.map(|(after, what)| (f64::from(after), what.to_owned())), "{said:?}");
        net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    }
}

#[test]
fn a_refresh_that_always_fails_ends_with_the_session() {
    let (mut net, _) =
        called_by_hand(&[("Session-Expires", "300;refresher=uac"), ("Allow", "INVITE, UPDATE")]);
    let (mut refused, mut events) = (0, Vec::new());
    for _ in 0..4_000 {
        net.millis(100);
        let count = net.times(ALICE, "UPDATE").len();
        if count > refused {
            refused = count;
            let update = net.last(ALICE, "UPDATE");
            let response = Builder::response_to(&update, 503, None).build().unwrap();
            net.send(address(BOB), address(ALICE), response.as_bytes());
        }
        events.extend(net.events.get_mut(&address(ALICE)).unwrap().drain(..));
    }
    assert!((3..6).contains(&refused), "{refused}");
    let Some(Event::Ended { cause: EndCause::Expired, .. }) = events.first() else { panic!() };
    let bye = net.times(ALICE, "BYE")[0];
    assert_eq!(bye / 1000, 268, "32 s before the end");
    net.assert_idle();
}

#[test]
fn a_peer_that_does_not_refresh_is_hung_up() {
    for (interval, ends) in [("300;refresher=uas", 268), ("90;refresher=uas", 60)] {
        let (mut net, _) = called_by_hand(&[("Session-Expires", interval)]);
        net.seconds(ends - 1);
        assert_eq!(net.names(ALICE), [""; 0]);
        net.seconds(1);
        let Event::Ended { cause: EndCause::Expired, .. } = net.event(ALICE) else { panic!() };
        assert_eq!(net.times(ALICE, "BYE")[0] / 1000, ends);
        net.assert_idle();
    }
}

#[test]
fn each_refresh_of_the_peer_starts_the_time_again() {
    let (mut net, _) = called_by_hand(&[("Session-Expires", "300;refresher=uas")]);
    for (cseq, method) in (2..).zip(["UPDATE", "INVITE", "UPDATE"]) {
        net.seconds(250);
        let lines = "Supported: timer\nSession-Expires: 300;refresher=uac\n";
        let refresh = of_bob(&net, method, cseq, lines, "");
        net.write(BOB, ALICE, &refresh);
        net.millis(50);
        match net.event(ALICE) {
            Event::Request { request_id, .. } => net.at(ALICE, |endpoint, now| {
                endpoint.reply(now, request_id, Respond::status(200));
            }),
            Event::Reinvite { id, .. } => {
                net.at(ALICE, |endpoint, now| endpoint.respond_reinvite(now, id, answer()));
                let ack = of_bob(&net, "ACK", cseq, "", "v=0");
                net.write(BOB, ALICE, &ack);
                net.millis(50);
                assert_eq!(net.names(ALICE), ["Acked"]);
            }
            event => panic!("{event:?}"),
        }
        let response = net.last(ALICE, &format!("200 {method}"));
        assert_eq!(response.header_text("Session-Expires").unwrap(), "300;refresher=uac");
        assert_eq!(response.header_text("Require").unwrap(), "timer");
    }
    net.seconds(267);
    assert_eq!(net.names(ALICE), [""; 0]);
    net.seconds(2);
    assert_eq!(net.names(ALICE), ["Ended"]);
    net.assert_idle();
}

#[test]
fn an_interval_that_is_too_short_is_raised_once_and_nobody_hears_of_it() {
    let least = Config { min_se: Duration::from_secs(1_000), ..never() };
    let mut net = pair(every(600), least);
    let (alice, bob) = net.call();
    assert_eq!(net.last(BOB, "422 INVITE").header_text("Min-SE").unwrap(), "1000");
    let again = net.last(ALICE, "INVITE");
    assert_eq!(again.cseq().unwrap().0, 2);
    assert_eq!(again.header_all("Session-Expires").collect::<Vec<_>>(), [b"1000"]);
    assert_eq!(again.header_all("Min-SE").collect::<Vec<_>>(), [b"1000"]);
    assert_eq!(net.names(ALICE), [""; 0]);
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    live(&mut net, 1);
    assert_eq!(said(&net, BOB, "200 INVITE").unwrap(), "1000;refresher=uac");
    hang_up(&mut net, alice);
}

#[test]
fn a_peer_that_is_never_content_is_a_refusal() {
    for (status, headers, events) in [
        (422, vec![("Min-SE", "2000")], vec![2, 1]),
        (422, vec![], vec![1, 1]),
        (422, vec![("Min-SE", "90000")], vec![1, 1]),
        (423, vec![("Min-SE", "2000")], vec![1, 1]),
    ] {
        let mut net = Net::alone();
        net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
        for _ in 0..3 {
            net.millis(50);
            let invite = net.last(ALICE, "INVITE");
            let mut refused = Builder::response_to(&invite, status, None).to_tag("b");
            for (name, value) in &headers {
                refused = refused.header(name, value);
            }
            let refused = refused.build().unwrap();
            net.send(address(BOB), address(ALICE), refused.as_bytes());
            net.millis(50);
        }
        let sent = net.times(ALICE, "INVITE").len();
        let heard = net.names(ALICE);
        assert_eq!(vec![sent, heard.len()], events, "{status} {headers:?}: {heard:?}");
        assert_eq!(heard, ["Rejected"]);
        net.assert_idle();
    }
}

#[test]
fn a_cancelled_invite_is_not_sent_again() {
    let mut net = Net::alone();
    let alice = net.at(ALICE, |endpoint, now| endpoint.invite(now, invite_to(BOB)));
    net.at(ALICE, |endpoint, now| endpoint.cancel(now, alice, None));
    net.millis(50);
    let invite = net.last(ALICE, "INVITE");
    let refused = Builder::response_to(&invite, 422, None).to_tag("b").header("Min-SE", "2000");
    net.send(address(BOB), address(ALICE), refused.build().unwrap().as_bytes());
    net.millis(50);
    assert_eq!(net.names(ALICE), ["Rejected"]);
    assert_eq!(net.times(ALICE, "INVITE").len(), 1);
    net.assert_idle();
}

#[test]
fn what_the_core_changes_refreshes_the_session_too() {
    let mut net = pair(every(600), never());
    let (alice, _) = net.connected();
    live(&mut net, 200);
    net.at(ALICE, |endpoint, now| {
        assert!(endpoint.reinvite(now, alice, b"v=0\r\n", "application/sdp", &[]));
    });
    assert_eq!(said(&net, ALICE, "INVITE").unwrap(), "600;refresher=uac");
    let heard = live(&mut net, 250);
    assert!(heard.contains(&(ALICE, "Modified")));
    assert_eq!(net.times(ALICE, "UPDATE").len(), 0, "not at 300 s");
    net.at(ALICE, |endpoint, now| {
        assert!(endpoint.request(now, alice, InDialog::method(Method::Update)).is_some());
    });
    assert_eq!(said(&net, ALICE, "UPDATE").unwrap(), "600;refresher=uac");
    let heard = live(&mut net, 290);
    assert_eq!(heard, [(BOB, "Request"), (ALICE, "Responded")]);
    assert_eq!(net.times(ALICE, "UPDATE").len(), 1);
    live(&mut net, 20);
    assert_eq!(net.times(ALICE, "UPDATE").len(), 2, "at 450 + 300 s");
    hang_up(&mut net, alice);
}

#[test]
fn a_change_of_the_core_waits_for_a_refresh() {
    let (mut net, alice) = called_by_hand(&[("Session-Expires", "200;refresher=uac")]);
    net.seconds(100);
    let refresh = net.last(ALICE, "INVITE");
    assert_eq!(refresh.cseq().unwrap().0, 2);
    let change = |net: &mut Net| {
        net.at(ALICE, |endpoint, now| {
            endpoint.reinvite(now, alice, b"v=1\r\n", "application/sdp", &[])
        })
    };
    assert!(change(&mut net));
    assert!(!change(&mut net), "one at a time");
    assert_eq!(net.last(ALICE, "INVITE").cseq().unwrap().0, 2);
    accept(&mut net, &refresh, &[("Session-Expires", "200;refresher=uac")]);
    let changed = net.last(ALICE, "INVITE");
    assert_eq!((changed.cseq().unwrap().0, changed.body()), (3, &b"v=1\r\n"[..]));
    accept(&mut net, &changed, &[("Session-Expires", "200;refresher=uac")]);
    assert_eq!(net.names(ALICE), ["Modified"]);
    net.seconds(100);
    assert_eq!(net.last(ALICE, "INVITE").body(), b"v=1\r\n", "what was sent last");
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn a_refresh_that_had_to_wait_says_what_was_described_last() {
    let (mut net, alice) = called_by_hand(&[("Session-Expires", "200;refresher=uac")]);
    net.seconds(100);
    let refresh = net.last(ALICE, "INVITE");
    refuse(&mut net, &refresh, 491);
    let invite = of_bob(&net, "INVITE", 7, "", "v=0");
    net.write(BOB, ALICE, &invite);
    net.millis(50);
    assert_eq!(net.names(ALICE), ["Reinvite"]);
    let other = Respond { body: b"v=2\r\n".to_vec(), ..answer() };
    net.at(ALICE, |endpoint, now| endpoint.respond_reinvite(now, alice, other));
    net.millis(50);
    let ack = of_bob(&net, "ACK", 7, "", "");
    net.write(BOB, ALICE, &ack);
    net.seconds(5);
    let again = net.last(ALICE, "INVITE");
    assert!(again.cseq().unwrap().0 > refresh.cseq().unwrap().0);
    assert_eq!(again.body(), b"v=2\r\n", "not what was described before");
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
}

#[test]
fn a_refresh_within_a_call_may_be_too_short_as_well() {
    let mut net = pair(never(), never());
    let (_, bob) = net.connected();
    for (cseq, method) in [(2, "UPDATE"), (3, "INVITE")] {
        let lines = "Supported: timer\nSession-Expires: 30\n";
        let short = of_alice(&net, method, cseq, lines, "v=0");
        net.write(ALICE, BOB, &short);
        net.millis(50);
        let refused = net.last(BOB, &format!("422 {method}"));
        assert_eq!(refused.header_text("Min-SE").unwrap(), "90");
    }
    assert_eq!(net.names(BOB), [""; 0]);
    net.at(BOB, |endpoint, now| endpoint.bye(now, bob, &[]));
    live(&mut net, 1);
    net.assert_idle();
}
