//! A refresh of the session whose sender the peer wants to know: the core hears of it, and its
//! answer goes with the same refresh.

use sip::{Builder, Event, Message, Method};

use crate::link::{ALICE, BOB, Net, address};
use crate::session_timer::{accept, called_by_hand};

/// Refuses a refresh with 401.
fn challenge(net: &mut Net, refresh: &Message) {
    let asks = Builder::response_to(refresh, 401, None)
        .header("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\"");
    net.send(address(BOB), address(ALICE), asks.build().unwrap().as_bytes());
    net.millis(50);
}

#[test]
fn a_refresh_that_is_challenged_is_repeated_with_the_answer() {
    for (allow, method) in [("INVITE, UPDATE", Method::Update), ("INVITE", Method::Invite)] {
        let (mut net, alice) =
            called_by_hand(&[("Session-Expires", "200;refresher=uac"), ("Allow", allow)]);
        let name = method.as_str();
        for round in 0..3 {
            net.seconds(100);
            let refresh = net.last(ALICE, name);
            assert!(refresh.header("Authorization").is_none(), "{name}: only once it is asked for");
            challenge(&mut net, &refresh);
            let Event::RefreshChallenged { id, method: of, answered, response } = net.event(ALICE)
            else {
                panic!("{name}")
            };
            assert_eq!((id, &of, answered, response.status()), (alice, &method, false, Some(401)));
            let headers = [("Authorization".to_owned(), format!("Digest {round}"))];
            assert!(net.at(ALICE, |endpoint, now| endpoint.refresh_again(now, id, &headers)));
            net.millis(50);
            let again = net.last(ALICE, name);
            assert_eq!(again.header_text("Authorization").unwrap(), format!("Digest {round}"));
            assert_eq!(again.cseq().unwrap().0, refresh.cseq().unwrap().0 + 1);
            assert_eq!(again.header_text("Session-Expires").unwrap(), "200;refresher=uac");
            assert_eq!(again.body(), refresh.body());
            accept(&mut net, &again, &[("Session-Expires", "200;refresher=uac")]);
            if method == Method::Invite {
                let ack = net.last(ALICE, "ACK");
                assert_eq!(ack.header("Authorization"), again.header("Authorization"));
            }
            assert_eq!(net.names(ALICE), [""; 0], "{name}");
        }
        net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
        net.assert_idle();
    }
}

#[test]
fn an_answer_that_is_refused_or_not_given_is_a_failure_and_none_is_sent_unasked() {
    for (allow, name) in [("INVITE, UPDATE", "UPDATE"), ("INVITE", "INVITE")] {
        let (mut net, alice) =
            called_by_hand(&[("Session-Expires", "400;refresher=uac"), ("Allow", allow)]);
        let headers = [("Authorization".to_owned(), "Digest x".to_owned())];
        net.seconds(200);
        let refresh = net.last(ALICE, name);
        let at = |net: &Net| net.last(ALICE, name).cseq().unwrap().0;
        assert!(!net.at(ALICE, |endpoint, now| endpoint.refresh_again(now, alice, &headers)));
        challenge(&mut net, &refresh);
        net.event(ALICE);
        assert!(net.at(ALICE, |endpoint, now| endpoint.refresh_again(now, alice, &headers)));
        net.millis(50);
        let again = net.last(ALICE, name);
        challenge(&mut net, &again);
        let Event::RefreshChallenged { answered: true, .. } = net.event(ALICE) else { panic!() };
        net.seconds(49);
        assert_eq!(at(&net), again.cseq().unwrap().0, "{name}: nobody has answered");
        net.seconds(2);
        let later = net.last(ALICE, name);
        assert_eq!(later.cseq().unwrap().0, again.cseq().unwrap().0 + 1);
        assert!(later.header("Authorization").is_none());
        accept(&mut net, &later, &[("Session-Expires", "400;refresher=uas")]);
        assert!(!net.at(ALICE, |endpoint, now| endpoint.refresh_again(now, alice, &headers)));
        net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
        assert!(!net.at(ALICE, |endpoint, now| endpoint.refresh_again(now, alice, &headers)));
        net.assert_idle();
    }
}
