//! Requests of those who are not in the call: without its tags they reach nothing.

use serde_json::json;
use testkit::{Note, SWITCH, World};

use crate::scene::{CALLER, Scene, answers, finish, hangs_up, s, waits};
use crate::sent::{response_to, sent_to};

const ELSEWHERE: &str = "10.9.9.9:5060";

fn text(method: &str, branch: &str, from: &str, to: &str, call_id: &str, cseq: u32) -> String {
    format!(
        "{method} sip:x@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {branch}\r\nFrom: {from}\r\n\
         To: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n\
         Contact: <sip:eve@10.9.9.9>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Status of the answer to this, sent from there.
fn answered(world: &mut World, from: &str, text: &str) -> Option<u16> {
    let from = from.parse().unwrap();
    let before = sent_to(world, from).len();
    world.say(from, text);
    world.run_for(s(0.05));
    let answers = sent_to(world, from).split_off(before);
    answers.iter().find_map(|sent| sent.message.status())
}

#[test]
fn a_guessed_tag_reaches_no_call() {
    let mut world = Scene::dialling(vec![answers(0.5)], &json!({})).caller(hangs_up(9.0)).begin();
    world.run_for(s(2.0));
    let answer = response_to(&world, CALLER, 200);
    let header = |name: &str| answer.header(name).unwrap();
    let (from, to, call_id) = (header("From"), header("To"), header("Call-ID"));
    let tag = to.split("tag=").nth(1).unwrap().to_owned();
    assert_eq!(tag.len(), 32, "128 bits");
    let mut one_off = tag.clone();
    let last = if tag.ends_with('0') { "1" } else { "0" };
    one_off.replace_range(31.., last);
    let guesses = [one_off, "0".repeat(32), tag[..31].to_owned()];
    for method in ["BYE", "INVITE", "INFO", "UPDATE", "REFER", "MESSAGE"] {
        for (n, guess) in guesses.iter().enumerate() {
            let to = to.replace(&tag, guess);
            let branch = format!("10.9.9.9;branch=z9hG4bK{method}{n}");
            let forged = text(method, &branch, &from, &to, &call_id, 50);
            for place in [ELSEWHERE, "10.0.1.1:5060"] {
                let status = answered(&mut world, place, &forged);
                assert!(matches!(status, Some(481 | 400) | None), "{method} {guess}: {status:?}");
            }
        }
        // The right tag of ours with another tag of the peer is not the dialog either.
        let stranger = "<sip:eve@10.9.9.9>;tag=eve";
        let branch = format!("10.9.9.9;branch=z9hG4bKf{method}");
        let forged = text(method, &branch, stranger, &to, &call_id, 50);
        assert_eq!(answered(&mut world, ELSEWHERE, &forged), Some(481), "{method}");
    }
    assert_eq!((world.phone("A").calls_up(), world.phone("B1").calls_up()), (1, 1));
    finish(&mut world);
    assert_eq!(crate::scene::result(&world)["dial_call_duration"], 9);
}

#[test]
fn a_forged_cancel_takes_no_call_back() {
    let mut world = Scene::dialling(vec![waits()], &json!({})).begin();
    world.run_for(s(1.0));
    let invite = world.wire.iter().find(|(_, sent)| sent.to == SWITCH).unwrap().1.bytes.clone();
    let invite = sip::Message::parse(&invite).unwrap();
    let header = |name: &str| invite.header_text(name).unwrap().into_owned();
    let via = header("Via").replace("SIP/2.0/UDP ", "");
    let (from, to, call_id) = (header("From"), header("To"), header("Call-ID"));
    let forged = |from: &str, call_id: &str| text("CANCEL", &via, from, &to, call_id, 1);
    let right = forged(&from, &call_id);
    for (place, cancel) in [
        ("10.0.1.1:5060", forged("<sip:a@b>;tag=guess", &call_id)),
        ("10.0.1.1:5060", forged(&from, "guess")),
        (ELSEWHERE, right.clone()),
    ] {
        assert_eq!(answered(&mut world, place, &cancel), Some(481), "{cancel}");
    }
    let rejected = |world: &World| {
        world.phone("A").notes.iter().any(|(_, note)| matches!(note, Note::Rejected(..)))
    };
    assert!(!rejected(&world));
    assert_eq!(answered(&mut world, "10.0.1.1:5060", &right), Some(200), "the caller may");
    finish(&mut world);
    assert!(rejected(&world));
}

#[test]
fn who_knows_the_tags_may_come_from_another_address() {
    let mut world = Scene::dialling(vec![answers(0.5)], &json!({})).caller(hangs_up(9.0)).begin();
    world.run_for(s(2.0));
    let answer = response_to(&world, CALLER, 200);
    let header = |name: &str| answer.header(name).unwrap();
    let bye = text(
        "BYE",
        "10.9.9.9;branch=z9hG4bKmoved",
        &header("From"),
        &header("To"),
        &header("Call-ID"),
        50,
    );
    assert_eq!(answered(&mut world, ELSEWHERE, &bye), Some(200), "another node of its cluster");
    world.run_for(s(1.0));
    assert_eq!(world.phone("B1").calls_up(), 0);
}
