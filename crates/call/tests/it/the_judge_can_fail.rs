//! What a dial looked like at the boundary of the switch, and the same forged: the judge passes
//! the one and names what is wrong with each of the others. An invariant that no forgery breaks
//! would prove nothing. Transfers are in `the_judge_knows_transfers.rs`.

use std::net::SocketAddr;

use call::{Effect, HookFailure, Input, LegId, Media};
use serde_json::json;
use testkit::{Judge, Seen, World};

use crate::scene::{
    CALLER, Scene, answers, callee_address, finish, hangs_up, patient, s, talks, text,
};

/// Callees 1 and 2 answer at the same moment, callee 3 rings on.
fn race() -> Vec<Seen> {
    let callees = vec![answers(1.0), answers(1.0), talks(9.0, 1.0)];
    let scene = Scene::dialling(callees, &json!({})).caller(hangs_up(2.0));
    let mut world: World = scene.before_the_call();
    world.judge = Judge::with_log();
    world.call("A");
    finish(&mut world);
    world.judge.at_rest().unwrap();
    world.judge.log().to_vec()
}

/// What the judge says of a trace.
pub(crate) fn judged(trace: &[Seen]) -> Result<(), String> {
    let mut judge = Judge::default();
    trace.iter().for_each(|seen| judge.see(seen.fact()));
    judge.at_rest()
}

pub(crate) fn begins(message: &[u8], with: &str) -> bool {
    message.starts_with(with.as_bytes())
}

/// The trace without what `is` finds.
pub(crate) fn without(trace: &[Seen], is: impl Fn(&Seen) -> bool) -> Vec<Seen> {
    let left: Vec<Seen> = trace.iter().filter(|seen| !is(seen)).cloned().collect();
    assert!(left.len() < trace.len(), "the forgery forges nothing");
    left
}

/// The trace with `more` after the first thing that `is` finds.
pub(crate) fn with(
    trace: &[Seen],
    is: impl Fn(&Seen) -> bool,
    more: impl Fn(&Seen) -> Seen,
) -> Vec<Seen> {
    let place = trace.iter().position(is).expect("the forgery has a place");
    let mut forged = trace.to_vec();
    forged.insert(place + 1, more(&trace[place]));
    forged
}

#[track_caller]
pub(crate) fn assert_names(trace: &[Seen], what: &str) {
    let broken = judged(trace).expect_err("a forgery was passed");
    assert!(broken.contains(what), "expected {what:?}, got {broken:?}");
}

pub(crate) fn said_to(number: u8, method: &'static str) -> impl Fn(&Seen) -> bool {
    let address = callee_address(number);
    move |seen| matches!(seen, Seen::Said(to, message) if *to == address && begins(message, method))
}

fn is_event(seen: &Seen, status: &str, of_child: bool) -> bool {
    let Seen::Wanted(_, effect) = seen else { return false };
    let Effect::Status(request) = &**effect else { return false };
    let payload = &request.payload;
    payload["call_status"] == status && payload.get("parent_call_sid").is_some() == of_child
}

fn is_result(seen: &Seen) -> bool {
    let Seen::Wanted(_, effect) = seen else { return false };
    matches!(&**effect, Effect::Hook { request, .. }
        if request.payload.get("dial_call_status").is_some())
}

#[test]
fn the_truth_is_passed() {
    judged(&race()).unwrap();
}

#[test]
fn a_cancel_that_never_left_is_missed() {
    let from_third = |seen: &Seen| {
        matches!(seen, Seen::Heard(from, message) if *from == callee_address(3)
            && begins(message, "SIP/2.0 487"))
    };
    let forged = without(&race(), said_to(3, "CANCEL"));
    assert_names(&without(&forged, from_third), "was left ringing");
}

#[test]
fn a_bye_that_never_left_is_missed() {
    assert_names(&without(&race(), said_to(2, "BYE")), "answered and was never hung up");
}

#[test]
fn an_ack_that_never_left_is_missed() {
    assert_names(&without(&race(), said_to(1, "ACK")), "answered and got no ACK");
}

/// The trace, in which callee 2 is connected too as soon as it has answered.
fn with_second_winner(trace: &[Seen]) -> Vec<Seen> {
    let answer = |seen: &Seen| {
        matches!(seen, Seen::Heard(from, message) if *from == callee_address(2)
            && begins(message, "SIP/2.0 200"))
    };
    with(trace, answer, |_| {
        let bridge = Media::Bridge(LegId::CALLER, LegId(2));
        Seen::Wanted(call::CallKey(1), Box::new(Effect::Media(bridge)))
    })
}

#[test]
fn a_second_winner_is_seen() {
    let trace = race();
    assert_names(&with_second_winner(&trace), "was cancelled or hung up before");
    let trace = without(&trace, said_to(2, "CANCEL"));
    assert_names(&with_second_winner(&trace), "wins too");
}

#[test]
fn a_callee_that_is_rung_after_the_race_is_seen() {
    let trace = race();
    let invite = trace.iter().find(|seen| said_to(3, "INVITE")(seen)).unwrap();
    let Seen::Said(to, message) = invite else { unreachable!() };
    let text = String::from_utf8(message.to_vec()).unwrap();
    let again = Seen::Said(*to, text.replace("Call-ID: ", "Call-ID: forged").into());
    let forged = with(&trace, said_to(3, "CANCEL"), |_| again.clone());
    assert_names(&forged, "gets an INVITE");
}

#[test]
fn a_leg_that_ends_twice_is_seen() {
    let forged = with(&race(), |seen| is_event(seen, "no-answer", true), Seen::clone);
    assert_names(&forged, "no-answer follows");
}

#[test]
fn a_leg_that_never_ends_is_missed() {
    let trace = race();
    let forged = without(&trace, |seen| is_event(seen, "completed", false));
    assert_names(&forged, "is not what was told");
}

#[test]
fn a_result_that_is_told_twice_or_never_is_seen() {
    let trace = race();
    assert_names(&without(&trace, is_result), "is in no result");
    assert_names(&with(&trace, is_result, Seen::clone), "the result is");
}

#[test]
fn a_caller_that_gets_two_final_responses_is_seen() {
    let is_answer = |seen: &Seen| {
        matches!(seen, Seen::Said(_, message) if begins(message, "SIP/2.0 200")
            && String::from_utf8_lossy(message).contains("CSeq: 1 INVITE"))
    };
    let forged = with(&race(), is_answer, |seen| {
        let Seen::Said(to, message) = seen else { unreachable!() };
        let text = String::from_utf8(message.to_vec()).unwrap();
        Seen::Said(*to, text.replacen("200 OK", "486 Busy Here", 1).into())
    });
    assert_names(&forged, "486 after 200");
}

/// The callee of this scene answers, and hears a list for a second before it is connected.
fn screening() -> Vec<Seen> {
    let scene = Scene::dialling(
        vec![answers(1.0), talks(9.0, 1.0)],
        &json!({
            "confirmHook": CONFIRM, "dialMusic": "http://sounds.test/music.wav"
        }),
    );
    let list = json!([{ "verb": "pause", "length": 1 }]);
    let scene = scene.answering(CONFIRM, text(&list)).caller(hangs_up(2.0));
    let mut world: World = scene.before_the_call();
    world.sounds.insert("http://sounds.test/music.wav".to_owned(), s(2.0));
    world.judge = Judge::with_log().screened_by(&[CONFIRM.to_owned()], true);
    world.call("A");
    finish(&mut world);
    world.judge.at_rest().unwrap();
    world.judge.log().to_vec()
}

const CONFIRM: &str = "/confirm";

#[track_caller]
fn assert_names_screened(trace: &[Seen], what: &str) {
    let mut judge = Judge::default().screened_by(&[CONFIRM.to_owned()], true);
    trace.iter().for_each(|seen| judge.see(seen.fact()));
    let broken = judge.at_rest().expect_err("a forgery was passed");
    assert!(broken.contains(what), "expected {what:?}, got {broken:?}");
}

/// The request of the confirmHook.
fn is_confirm(seen: &Seen) -> bool {
    let Seen::Wanted(_, effect) = seen else { return false };
    matches!(&**effect, Effect::Hook { request, .. } if request.hook.url == CONFIRM)
}

fn is_pause(seen: &Seen) -> bool {
    let Seen::Told(_, input) = seen else { return false };
    matches!(&**input, Input::HookReply(_, Ok(Some(list))) if list.contains("pause"))
}

fn is_media(seen: &Seen, is: impl Fn(&Media) -> bool) -> bool {
    let Seen::Wanted(_, effect) = seen else { return false };
    matches!(&**effect, Effect::Media(media) if is(media))
}

fn wanted(media: Media) -> Seen {
    Seen::Wanted(call::CallKey(1), Box::new(Effect::Media(media)))
}

/// The trace, in which the confirmHook got this answer instead, and something happens after it.
fn confirmed(trace: &[Seen], reply: &Result<Option<String>, HookFailure>) -> Vec<Seen> {
    let key = Box::new(Input::Key(LegId::CALLER, '1', s(0.1)));
    let trace = with(trace, is_pause, |_| Seen::Told(call::CallKey(1), key.clone()));
    let answer = |seen: &Seen| match seen {
        Seen::Told(key, input) if is_pause(seen) => {
            let Input::HookReply(hook, _) = **input else { unreachable!() };
            Seen::Told(*key, Box::new(Input::HookReply(hook, reply.clone())))
        }
        other => other.clone(),
    };
    trace.iter().map(answer).collect()
}

#[test]
fn a_callee_that_is_connected_unasked_or_undecided_is_seen() {
    let trace = screening();
    assert_names_screened(&without(&trace, is_confirm), "its confirmHook was not asked");
    assert_names_screened(&without(&trace, is_pause), "its screening is Asked");
    let early = |_: &Seen| wanted(Media::Bridge(LegId::CALLER, LegId(1)));
    assert_names_screened(&with(&trace, is_confirm, early), "its screening is Asked");
}

#[test]
fn a_callee_that_is_connected_although_it_was_declined_is_seen() {
    let trace = screening();
    let failure =
        HookFailure { alert_type: "webhook-failure", message: String::new(), status: None };
    assert_names_screened(&confirmed(&trace, &Err(failure)), "is declined and not hung up");
    let forbidden = r#"[{"verb":"redirect","actionHook":"/x"}]"#.to_owned();
    assert_names_screened(&confirmed(&trace, &Ok(Some(forbidden))), "is declined and not hung up");
    let hangup = r#"[{"verb":"pause"},{"verb":"hangup"}]"#.to_owned();
    assert_names_screened(&confirmed(&trace, &Ok(Some(hangup))), "its screening is Runs");
}

#[test]
fn a_callee_that_is_accepted_and_not_connected_is_missed() {
    assert_names_screened(&confirmed(&screening(), &Ok(None)), "is accepted and not connected");
}

#[test]
fn a_callee_that_is_heard_while_it_is_screened_is_seen() {
    let trace = screening();
    let rings = |seen: &Seen| {
        matches!(seen, Seen::Heard(from, message) if *from == callee_address(1)
            && begins(message, "SIP/2.0 180"))
    };
    let early = |_: &Seen| wanted(Media::Bridge(LegId::CALLER, LegId(1)));
    assert_names_screened(&with(&trace, rings, early), "is screened, and caller hears it");
}

#[test]
fn a_winner_that_is_not_heard_and_a_loser_that_is_are_seen() {
    let trace = race();
    let bridge = |seen: &Seen| is_media(seen, |media| matches!(media, Media::Bridge(..)));
    let silence = |_: &Seen| wanted(Media::Silence(LegId(1)));
    assert_names(&with(&trace, bridge, silence), "and the winner None");
    let loser = |_: &Seen| wanted(Media::Bridge(LegId::CALLER, LegId(3)));
    assert_names(&with(&trace, bridge, loser), "has won, and callee 3 is heard");
}

#[test]
fn music_that_sounds_on_over_the_bridge_is_seen() {
    let stop = |seen: &Seen| is_media(seen, |media| matches!(media, Media::StopPlay(..)));
    assert_names_screened(&without(&screening(), stop), "sounds on");
    assert_names_screened(&with(&screening(), stop, Seen::clone), "which does not hear it");
}

#[test]
fn audio_for_a_port_that_is_not_open_is_seen() {
    let trace = screening();
    let play = trace
        .iter()
        .find(|seen| is_media(seen, |media| matches!(media, Media::Play { .. })))
        .expect("music");
    let close = |seen: &Seen| is_media(seen, |media| matches!(media, Media::Close(LegId::CALLER)));
    let forged = with(&trace, close, |_| play.clone());
    assert_names_screened(&forged, "whose port is not open");
    assert_names_screened(&with(&trace, |seen| std::ptr::eq(seen, play), Seen::clone), "twice");
}

/// Two parties whose audio passes the switch by, until the callee hangs up.
fn past_the_switch() -> Vec<Seen> {
    let more = json!({ "exitMediaPath": true });
    let scene = Scene::dialling(vec![talks(0.5, 2.0)], &more).caller(patient());
    let mut world: World = scene.before_the_call();
    world.judge = Judge::with_log();
    world.call("A");
    finish(&mut world);
    world.judge.at_rest().unwrap();
    world.judge.log().to_vec()
}

/// A re-INVITE to this address that has audio received there.
fn points(to: SocketAddr, receiver: &'static str) -> impl Fn(&Seen) -> bool {
    move |seen| {
        let Seen::Said(address, message) = seen else { return false };
        let text = String::from_utf8_lossy(message);
        let is_here = text.contains(&format!("\r\nc=IN IP4 {receiver}\r\n"));
        *address == to && text.starts_with("INVITE") && is_here
    }
}

#[test]
fn audio_that_passes_the_switch_by_is_passed() {
    judged(&past_the_switch()).unwrap();
}

#[test]
fn a_party_that_is_not_told_to_send_past_the_switch_is_missed() {
    let forged = without(&past_the_switch(), points(CALLER, "10.0.2.1"));
    assert_names(&forged, "sends past the switch");
}

#[test]
fn a_party_that_sends_to_somebody_else_is_seen() {
    let trace = past_the_switch().into_iter().map(|seen| match &seen {
        Seen::Said(to, message) if points(CALLER, "10.0.2.1")(&seen) => {
            let text = String::from_utf8_lossy(message).replace("IP4 10.0.2.1", "IP4 10.0.2.9");
            Seen::Said(*to, text.into_bytes().into())
        }
        _ => seen,
    });
    assert_names(&trace.collect::<Vec<Seen>>(), "sends to 10.0.2.9, and is connected to");
}

#[test]
fn a_party_that_is_not_brought_back_is_missed() {
    let forged = without(&past_the_switch(), points(CALLER, "10.0.0.1"));
    assert_names(&forged, "is connected to nobody");
}
