//! Session descriptions of the caller and of its callees: what is offered, refused, and answered
//! late.

use serde_json::json;
use sip::Method;
use testkit::{Note, World};

use crate::events::{event, parent, parent_history};
use crate::raw::{Raw, Request, description};
use crate::scene::{
    CALLER, Scene, answers, callee_address, dial, finish, hangs_up, heard, result, s,
};
use crate::sent::{methods_to, request_to, requests_to, response_to, responses_to, statuses_to};

const PEER: Raw = Raw(CALLER);

/// A caller that the test plays has sent this INVITE; callee 1 answers after a second.
fn invited(lines: &str, body: &str) -> World {
    let scene = Scene::running(&json!([dial(1, &json!({}))])).callees(vec![answers(1.0)]);
    let mut world = scene.without_caller();
    PEER.invite(&mut world, lines, body);
    world
}

#[test]
fn no_common_codec_is_488() {
    for body in [
        "v=0\r\no=- 1 1 IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.1.1\r\nt=0 0\r\n\
         m=audio 41000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n",
        "v=0\r\no=- 1 1 IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.1.1\r\nt=0 0\r\n\
         m=video 41000 RTP/AVP 96\r\n",
        "this is no description",
    ] {
        let mut world = invited("", body);
        finish(&mut world);
        assert!(statuses_to(&world, CALLER).starts_with(&[100, 488]), "{body}");
        assert!(response_to(&world, CALLER, 488).header("X-Reason").is_some());
        assert_eq!(parent_history(&world), ["trying/100", "failed/488"]);
        assert!(methods_to(&world, callee_address(1)).is_empty());
    }
}

#[test]
fn a_body_that_is_no_description_is_415() {
    let text = "INVITE sip:+4930999888@10.0.0.1 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK-raw-415\r\n\
        From: <sip:raw@10.0.1.1>;tag=415\r\nTo: <sip:+4930999888@10.0.0.1>\r\n\
        Call-ID: raw-415\r\nCSeq: 1 INVITE\r\nContact: <sip:raw@10.0.1.1:5060>\r\n\
        Content-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\r\n<html>";
    let mut world = Scene::running(&json!([dial(1, &json!({}))])).without_caller();
    world.say(CALLER, text);
    finish(&mut world);
    let refusal = response_to(&world, CALLER, 415);
    assert_eq!(refusal.header("Accept").as_deref(), Some("application/sdp"));
    assert!(world.application.asked.is_empty());
}

#[test]
fn the_callee_is_offered_what_the_caller_speaks_first() {
    for (codecs, expected) in
        [(vec![0, 8], "0 8 101"), (vec![8, 0], "8 0 101"), (vec![8], "8 0 101")]
    {
        let scene = Scene::dialling(vec![answers(0.5)], &json!({})).caller(hangs_up(1.0));
        let mut world = scene.before_the_call();
        world.with_phone("A", |phone, _| phone.codecs = codecs);
        world.call("A");
        finish(&mut world);
        let offer = request_to(&world, callee_address(1), &Method::Invite).body();
        assert!(offer.contains(&format!(" RTP/AVP {expected}\r\n")), "{offer}");
        assert!(offer.contains("telephone-event/8000"));
        assert!(offer.contains("c=IN IP4 10.0.0.1"));
    }
}

#[test]
fn callees_of_one_call_have_ports_of_their_own() {
    let scene = Scene::dialling(vec![answers(0.5), answers(0.6)], &json!({}));
    let world = scene.caller(hangs_up(1.0)).play();
    let port = |number: u8| {
        let offer = request_to(&world, callee_address(number), &Method::Invite).body();
        offer.split("m=audio ").nth(1).unwrap().split(' ').next().unwrap().to_owned()
    };
    assert_ne!(port(1), port(2));
}

/// Ends the call of a peer that does not play along.
fn finish_unacknowledged(world: &mut World) {
    world.run_for(s(40.0));
    for bye in requests_to(world, CALLER, &Method::Bye) {
        PEER.respond(world, &bye, "200 OK", "", "");
    }
    finish(world);
}

#[test]
fn an_invite_without_an_offer_gets_ours_and_answers_in_its_ack() {
    let mut world = invited("", "");
    world.run_for(s(1.5));
    let answer = &responses_to(&world, CALLER, 200)[0];
    assert!(answer.body().contains("m=audio 20000 RTP/AVP 0 8 101"), "{}", answer.body());
    assert!(statuses_to(&world, CALLER).starts_with(&[100, 180, 200]), "no early media");
    let body = description(PEER, 1, "a=sendrecv\r\n");
    let ack = Request { body: &body, ..Request::new("ACK", 1) };
    PEER.request_as_caller(&mut world, &answer.message, &ack);
    world.run_for(s(1.0));
    let remotes: Vec<String> = remotes_of_caller(&world);
    assert_eq!(remotes, ["10.0.1.1:41000 SendRecv"]);
    PEER.request_as_caller(&mut world, &answer.message, &Request::new("BYE", 2));
    finish(&mut world);
    assert_eq!(heard(&world), ["callee 1", "nothing"]);
    assert_eq!(result(&world)["dial_call_status"], "completed");
}

/// Where the media of the caller was sent, each time it was said.
fn remotes_of_caller(world: &World) -> Vec<String> {
    let facts = world.media.iter().filter_map(|fact| match fact {
        testkit::MediaFact::Remote(_, call::LegId::CALLER, to, direction) => {
            Some(format!("{to} {direction:?}"))
        }
        _ => None,
    });
    facts.collect()
}

#[test]
fn an_ack_without_the_answer_that_is_due_ends_the_call() {
    for body in ["", "nonsense"] {
        let mut world = invited("", "");
        world.run_for(s(1.5));
        let answer = response_to(&world, CALLER, 200);
        let ack = Request { body, ..Request::new("ACK", 1) };
        PEER.request_as_caller(&mut world, &answer.message, &ack);
        world.run_for(s(0.1));
        let bye = request_to(&world, CALLER, &Method::Bye);
        PEER.respond(&mut world, &bye, "200 OK", "", "");
        finish(&mut world);
        let reason = bye.header("X-Reason").unwrap();
        assert!(reason.contains("ACK"), "{reason}");
        assert_eq!(methods_to(&world, callee_address(1)), ["INVITE", "ACK", "BYE"]);
        let completed = event(&world, &parent(&world), "completed");
        assert_eq!(completed["call_termination_by"], "jambonz");
    }
}

#[test]
fn a_caller_of_an_offerless_invite_that_never_acknowledges() {
    let mut world = invited("", "");
    finish_unacknowledged(&mut world);
    assert_eq!(parent_history(&world).last().unwrap(), "completed/200");
    assert_eq!(world.phone("B1").saw(&Note::Ended), 1);
}

/// Places to which no audio is sent: a network's worth of listeners, the machine of the switch
/// itself, a port of the call.
const HOSTILE: [(&str, u16); 4] =
    [("224.0.0.1", 41000), ("255.255.255.255", 41000), ("127.0.0.1", 41000), ("10.0.0.1", 20000)];

const CALLEE: Raw = Raw(std::net::SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 2, 1)),
    5060,
));

fn receiving_at((ip, port): (&str, u16)) -> String {
    format!(
        "v=0\r\no=raw 1 9 IN IP4 10.0.2.1\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0\r\n"
    )
}

/// The INVITE to a callee that the test plays.
fn to_callee() -> (World, crate::sent::Sent) {
    let list = json!([dial(1, &json!({}))]);
    let mut world = Scene::running(&list).caller(hangs_up(30.0)).begin();
    world.run_for(s(0.5));
    let invite = request_to(&world, CALLEE.0, &Method::Invite);
    (world, invite)
}

fn is_sent_there(world: &World, (ip, port): (&str, u16)) -> bool {
    let there = format!("{ip}:{port}");
    world.media.iter().any(
        |fact| matches!(fact, testkit::MediaFact::Remote(_, _, to, _) if to.to_string() == there),
    )
}

#[test]
fn a_callee_that_answers_with_a_place_where_no_audio_is_sent_is_hung_up() {
    for place in HOSTILE {
        let (mut world, invite) = to_callee();
        CALLEE.respond(&mut world, &invite, "200 OK", "x", &receiving_at(place));
        world.run_for(s(0.2));
        let bye = request_to(&world, CALLEE.0, &Method::Bye);
        CALLEE.respond(&mut world, &bye, "200 OK", "x", "");
        finish(&mut world);
        let result = result(&world);
        assert_eq!(
            (&result["dial_call_status"], &result["dial_sip_status"]),
            (&json!("failed"), &json!(488)),
            "{place:?}"
        );
        assert!(!is_sent_there(&world, place), "{place:?}");
    }
}

#[test]
fn early_media_from_such_a_place_is_none() {
    for place in HOSTILE {
        let (mut world, invite) = to_callee();
        CALLEE.respond(&mut world, &invite, "183 Session Progress", "x", &receiving_at(place));
        world.run_for(s(0.2));
        assert_eq!(statuses_to(&world, CALLER), [100, 180], "{place:?}: as if it rang");
        assert!(!is_sent_there(&world, place), "{place:?}");
        CALLEE.respond(&mut world, &invite, "486 Busy Here", "x", "");
        finish(&mut world);
        assert_eq!(heard(&world), ["nothing"], "{place:?}");
    }
}

#[test]
fn a_session_is_not_changed_to_such_a_place() {
    for place in HOSTILE {
        for method in ["INVITE", "UPDATE"] {
            let (mut world, invite) = to_callee();
            CALLEE.respond(&mut world, &invite, "200 OK", "x", &description(CALLEE, 1, ""));
            world.run_for(s(0.2));
            let body = receiving_at(place);
            let change = Request { body: &body, ..Request::new(method, 1) };
            CALLEE.request_as_callee(&mut world, &invite.message, "x", &change);
            world.run_for(s(0.2));
            assert!(!responses_to(&world, CALLEE.0, 488).is_empty(), "{method} {place:?}");
            assert!(!is_sent_there(&world, place), "{method} {place:?}");
            CALLEE.request_as_callee(&mut world, &invite.message, "x", &Request::new("ACK", 1));
            CALLEE.request_as_callee(&mut world, &invite.message, "x", &Request::new("BYE", 2));
            finish(&mut world);
        }
    }
}

#[test]
fn an_answer_in_an_ack_that_names_such_a_place_ends_the_call() {
    for place in HOSTILE {
        let mut world = invited("", "");
        world.run_for(s(1.5));
        let answer = response_to(&world, CALLER, 200);
        let body = receiving_at(place);
        let ack = Request { body: &body, ..Request::new("ACK", 1) };
        PEER.request_as_caller(&mut world, &answer.message, &ack);
        world.run_for(s(0.2));
        let bye = request_to(&world, CALLER, &Method::Bye);
        PEER.respond(&mut world, &bye, "200 OK", "", "");
        finish(&mut world);
        assert!(!is_sent_there(&world, place), "{place:?}");
    }
}
