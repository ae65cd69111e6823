//! RFC 3261 §22.2: an INVITE of ours is challenged and sent again with credentials.

use sip::{Event, InviteId, Login, Message, Method, RejectCause, Respond};

use crate::link::{ALICE, BOB, Net, answer};

const CHALLENGE: &str = "Digest realm=\"b\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";

/// Bob refuses Alice's call with a challenge; her call and the response.
#[track_caller]
fn challenged(net: &mut Net, status: u16, header: &str) -> (InviteId, Message) {
    let (alice, bob) = net.call();
    let headers = vec![(header.to_owned(), CHALLENGE.to_owned())];
    let refusal = Respond { headers, ..Respond::status(status) };
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, refusal));
    net.millis(100);
    let Event::Rejected { id, cause, response, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((id, cause), (alice, RejectCause::Peer));
    (alice, response.unwrap())
}

/// Alice's answer to it.
fn proof(response: &Message) -> Vec<(String, String)> {
    proofs(&mut login(), response)
}

fn login() -> Login {
    Login::new("alice".to_owned(), "secret".to_owned(), None)
}

fn proofs(login: &mut Login, response: &Message) -> Vec<(String, String)> {
    let uri = format!("sip:bob@{BOB}");
    let proofs = login.answer(response, &Method::Invite, &uri, "c").unwrap();
    proofs.into_iter().map(Into::into).collect()
}

/// Alice sends her INVITE again; Bob's name of the call.
#[track_caller]
fn again(net: &mut Net, alice: InviteId, response: &Message) -> InviteId {
    let headers = proof(response);
    net.at(ALICE, |endpoint, now| endpoint.invite_again(now, alice, &headers));
    net.millis(100);
    let Event::Invite { id, .. } = net.event(BOB) else { panic!("no second INVITE") };
    id
}

fn text(message: &Message, name: &str) -> String {
    message.header_text(name).unwrap_or_default().into_owned()
}

#[test]
fn the_second_invite_differs_from_the_first_where_it_must() {
    for (status, asks, answers) in [
        (401, "WWW-Authenticate", "Authorization"),
        (407, "Proxy-Authenticate", "Proxy-Authorization"),
    ] {
        let mut net = Net::pair();
        let (alice, response) = challenged(&mut net, status, asks);
        let first = net.last(ALICE, "INVITE");
        again(&mut net, alice, &response);
        let second = net.last(ALICE, "INVITE");
        for name in ["Call-ID", "From", "To", "Contact", "Max-Forwards", "X-Test", "Content-Type"] {
            assert_eq!(text(&first, name), text(&second, name), "{name}");
        }
        assert_eq!(second.cseq().unwrap().0, first.cseq().unwrap().0 + 1);
        assert_ne!(text(&second, "Via"), text(&first, "Via"), "a transaction of its own");
        assert_eq!(second.header_all("Via").count(), 1);
        assert_eq!(second.body(), first.body());
        assert!(text(&second, answers).starts_with("Digest username=\"alice\""));
        assert_eq!(net.times(ALICE, "ACK").len(), 1, "the refusal is acknowledged");
    }
}

#[test]
fn ack_and_bye_of_the_call_go_on_from_the_second_invite() {
    let mut net = Net::pair();
    let (alice, response) = challenged(&mut net, 407, "Proxy-Authenticate");
    let bob = again(&mut net, alice, &response);
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Answered"]);
    let (invite, ack) = (net.last(ALICE, "INVITE"), net.last(ALICE, "ACK"));
    assert_eq!(ack.cseq().unwrap().0, 2);
    // RFC 3261 §13.2.2.4: the ACK has the credentials of its INVITE.
    assert_eq!(text(&ack, "Proxy-Authorization"), text(&invite, "Proxy-Authorization"));
    let uri = net.at(ALICE, |endpoint, _| endpoint.request_uri(alice));
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.millis(100);
    let bye = net.last(ALICE, "BYE");
    assert_eq!(bye.cseq().unwrap().0, 3);
    assert_eq!(bye.request_uri().as_deref(), uri.as_deref());
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"], "once for both INVITEs");
}

#[test]
fn a_proxy_and_then_the_callee_ask_and_both_are_answered() {
    let mut net = Net::pair();
    let mut login = login();
    let (alice, response) = challenged(&mut net, 407, "Proxy-Authenticate");
    let headers = proofs(&mut login, &response);
    net.at(ALICE, |endpoint, now| endpoint.invite_again(now, alice, &headers));
    net.millis(100);
    let Event::Invite { id: bob, .. } = net.event(BOB) else { panic!("no second INVITE") };
    let headers = vec![("WWW-Authenticate".to_owned(), CHALLENGE.to_owned())];
    let refusal = Respond { headers, ..Respond::status(401) };
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, refusal));
    net.millis(100);
    let Event::Rejected { response, .. } = net.event(ALICE) else { panic!("no second refusal") };
    let headers = proofs(&mut login, &response.unwrap());
    net.at(ALICE, |endpoint, now| endpoint.invite_again(now, alice, &headers));
    net.millis(100);
    let Event::Invite { id: bob, .. } = net.event(BOB) else { panic!("no third INVITE") };
    let third = net.last(ALICE, "INVITE");
    assert!(text(&third, "Proxy-Authorization").contains("nc=00000002"), "counted on");
    assert!(text(&third, "Authorization").contains("nc=00000001"));
    assert_eq!(third.header_all("Proxy-Authorization").count(), 1);
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, answer()));
    net.millis(100);
    assert_eq!(net.names(ALICE), ["Answered"]);
    let ack = net.last(ALICE, "ACK");
    for name in ["Authorization", "Proxy-Authorization"] {
        assert_eq!(text(&ack, name), text(&third, name), "{name}");
    }
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.assert_idle();
}

#[test]
fn a_second_refusal_is_reported_and_acknowledged_with_the_credentials() {
    let mut net = Net::pair();
    let (alice, response) = challenged(&mut net, 401, "WWW-Authenticate");
    let bob = again(&mut net, alice, &response);
    net.at(BOB, |endpoint, now| endpoint.respond(now, bob, Respond::status(403)));
    net.millis(100);
    let Event::Rejected { id, status, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((id, status), (alice, 403));
    let (invite, ack) = (net.last(ALICE, "INVITE"), net.last(ALICE, "ACK"));
    assert_eq!(text(&ack, "Authorization"), text(&invite, "Authorization"));
    assert_eq!(text(&ack, "Via"), text(&invite, "Via"));
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
}

#[test]
fn the_second_invite_can_be_cancelled() {
    let mut net = Net::pair();
    let (alice, response) = challenged(&mut net, 401, "WWW-Authenticate");
    let headers = proof(&response);
    net.at(ALICE, |endpoint, now| {
        endpoint.invite_again(now, alice, &headers);
        endpoint.cancel(now, alice, None);
    });
    assert!(net.times(ALICE, "CANCEL").is_empty(), "it waits for a provisional response");
    net.millis(100);
    let (invite, cancel) = (net.last(ALICE, "INVITE"), net.last(ALICE, "CANCEL"));
    assert_eq!(text(&cancel, "Via"), text(&invite, "Via"));
    assert_eq!(cancel.cseq().unwrap().0, 2);
    assert_eq!(net.names(BOB), ["Invite", "Cancelled"]);
    let Event::Rejected { status, .. } = net.event(ALICE) else { panic!() };
    assert_eq!(status, 487);
    net.assert_idle();
}

#[test]
fn what_was_cancelled_is_not_sent_again() {
    let mut net = Net::pair();
    let (alice, response) = challenged(&mut net, 401, "WWW-Authenticate");
    let headers = proof(&response);
    net.at(ALICE, |endpoint, now| {
        endpoint.cancel(now, alice, None);
        endpoint.invite_again(now, alice, &headers);
    });
    net.millis(100);
    assert_eq!(net.times(ALICE, "INVITE").len(), 1);
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
}

#[test]
fn an_answered_call_is_not_sent_again() {
    let mut net = Net::pair();
    let (alice, _) = net.connected();
    net.at(ALICE, |endpoint, now| endpoint.invite_again(now, alice, &[]));
    net.at(ALICE, |endpoint, now| endpoint.bye(now, alice, &[]));
    net.at(ALICE, |endpoint, now| endpoint.invite_again(now, alice, &[]));
    net.assert_idle();
    assert_eq!(net.times(ALICE, "INVITE").len(), 1);
}

#[test]
fn credentials_that_cannot_be_written_fail_the_call() {
    let mut net = Net::pair();
    let (alice, _) = challenged(&mut net, 401, "WWW-Authenticate");
    let broken = [("Authorization".to_owned(), "x\r\nX-Evil: yes".to_owned())];
    net.at(ALICE, |endpoint, now| endpoint.invite_again(now, alice, &broken));
    let Event::Rejected { status, cause, .. } = net.event(ALICE) else { panic!() };
    assert_eq!((status, cause), (503, RejectCause::Transport));
    assert_eq!(net.times(ALICE, "INVITE").len(), 1);
    net.assert_idle();
    assert_eq!(net.names(ALICE), ["Released"]);
}
