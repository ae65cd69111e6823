//! Transfers as they looked at the boundary of the switch, and the same forged: the judge passes
//! the one and names what is wrong with each of the others.

use call::{Effect, Input};
use serde_json::json;
use testkit::{Answer, Judge, Refer, ReferTo, Seen, World};

use crate::scene::{CALLER, Scene, callee_address, dial, finish, hangs_up, s, talks, target, text};
use crate::the_judge_can_fail::{assert_names, begins, judged, said_to, with, without};

const HOOK: &str = "/refer";

/// A REFER to callee 2, one second after the answer.
fn refers(headers: &[(&str, &str)]) -> Vec<Refer> {
    let header = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    vec![Refer {
        after: s(1.0),
        is_early: false,
        to: ReferTo::Address(format!("<sip:b2@{}>", callee_address(2))),
        headers: headers.iter().map(header).collect(),
        leaves: false,
    }]
}

/// Callee 1, or the caller, sends REFER; this is what the hook answers.
fn transfer(by_caller: bool, headers: &[(&str, &str)], answer: Answer) -> Vec<Seen> {
    let pause = json!({ "verb": "pause", "length": 9 });
    let list = json!([dial(1, &json!({ "referHook": HOOK })), pause]);
    let scene = Scene::running(&list)
        .callees(vec![talks(0.5, 4.0), talks(0.5, 9.0)])
        .caller(hangs_up(3.0))
        .answering(HOOK, answer);
    let mut world: World = scene.before_the_call();
    world.judge = Judge::with_log();
    let who = if by_caller { CALLER } else { callee_address(1) };
    world.phones.get_mut(&who).unwrap().refers = refers(headers);
    world.call("A");
    finish(&mut world);
    world.judge.at_rest().unwrap();
    world.judge.log().to_vec()
}

/// The hook allows it, and nothing follows.
fn allowed() -> Vec<Seen> {
    transfer(false, &[], Answer::Empty)
}

fn onward() -> Answer {
    text(&json!([dial(0, &json!({ "target": [target(2)] }))]))
}

fn is_of_refer(message: &[u8]) -> bool {
    String::from_utf8_lossy(message).contains(" REFER\r\n")
}

fn is_reply(seen: &Seen) -> bool {
    matches!(seen, Seen::Said(_, message) if begins(message, "SIP/2.0") && is_of_refer(message))
}

fn is_end(seen: &Seen) -> bool {
    let ends = |message: &[u8]| String::from_utf8_lossy(message).contains("terminated");
    matches!(seen, Seen::Said(_, message) if begins(message, "NOTIFY") && ends(message))
}

fn is_hook(seen: &Seen) -> bool {
    let Seen::Wanted(_, effect) = seen else { return false };
    matches!(&**effect, Effect::Hook { request, .. } if request.hook.url == HOOK)
}

/// The answer of the referHook: that which came between the REFER and its response.
fn answer_of(trace: &[Seen]) -> usize {
    let reply = trace.iter().position(is_reply).expect("a response");
    let is_answer = |seen: &Seen| {
        let Seen::Told(_, input) = seen else { return false };
        matches!(**input, Input::HookReply(..))
    };
    trace[..reply].iter().rposition(is_answer).expect("an answer")
}

fn without_answer(trace: &[Seen]) -> Vec<Seen> {
    let place = answer_of(trace);
    let mut forged = trace.to_vec();
    forged[place] = Seen::Woken;
    forged
}

/// The trace, whose messages that `is` finds have other words.
fn rewritten(trace: &[Seen], is: impl Fn(&Seen) -> bool, from: &str, to: &str) -> Vec<Seen> {
    let mut changed = false;
    let mut write = |message: &[u8]| {
        let before = String::from_utf8_lossy(message).into_owned();
        let after = before.replace(from, to);
        changed |= before != after;
        after.into()
    };
    let forged = trace.iter().map(|seen| match seen {
        Seen::Said(who, message) if is(seen) => Seen::Said(*who, write(message)),
        Seen::Heard(who, message) if is(seen) => Seen::Heard(*who, write(message)),
        other => other.clone(),
    });
    let forged = forged.collect();
    assert!(changed, "the forgery forges nothing");
    forged
}

/// The last NOTIFY, as another one.
fn another(seen: &Seen) -> Seen {
    rewritten(std::slice::from_ref(seen), |_| true, "\r\nCSeq: ", "\r\nCSeq: 9").remove(0)
}

#[test]
fn the_truth_is_passed() {
    for by_caller in [false, true] {
        for answer in [Answer::Empty, onward(), Answer::Fails, Answer::Status(403)] {
            judged(&transfer(by_caller, &[], answer)).unwrap();
        }
        judged(&transfer(by_caller, &[("Refer-Sub", "false")], onward())).unwrap();
    }
}

#[test]
fn a_refer_without_one_final_response_is_seen() {
    let trace = allowed();
    assert_names(&without(&without(&trace, is_reply), said_to(1, "NOTIFY")), "no final response");
    assert_names(&rewritten(&trace, is_reply, "202 ", "200 "), "is no answer to it");
    let refusal =
        |seen: &Seen| rewritten(std::slice::from_ref(seen), |_| true, "202 ", "403 ").remove(0);
    assert_names(&with(&trace, is_reply, refusal), "403 after 202");
}

#[test]
fn a_refer_that_is_accepted_and_nobody_allowed_it_is_seen() {
    let trace = allowed();
    assert_names(&without_answer(&trace), "its hook is being asked");
    assert_names(&without(&without_answer(&trace), is_hook), "nobody allowed it");
    let refused = transfer(false, &[], Answer::Status(403));
    assert_names(&rewritten(&refused, is_reply, "403 ", "202 "), "its hook refused it");
    assert_names(&rewritten(&trace, is_reply, "202 ", "403 "), "its hook allowed it");
}

#[test]
fn a_refer_that_is_refused_and_changes_something_is_seen() {
    let trace = transfer(false, &[], Answer::Status(403));
    let bye = trace.iter().find(|seen| said_to(1, "BYE")(seen)).expect("a BYE");
    assert_names(&with(&trace, is_reply, |_| bye.clone()), "is refused, and");
}

#[test]
fn whoever_is_told_too_little_is_seen() {
    let trace = allowed();
    assert_names(&without(&trace, said_to(1, "NOTIFY")), "no NOTIFY says that it is tried");
    assert_names(&without(&trace, is_end), "was not told its end");
    let first = |seen: &Seen| said_to(1, "NOTIFY")(seen) && !is_end(seen);
    assert_names(&without(&trace, first), "before that it is tried");
}

#[test]
fn whoever_is_told_too_much_is_seen() {
    let trace = allowed();
    assert_names(&with(&trace, is_end, another), "after its end");
    let end = trace.iter().find(|seen| is_end(seen)).expect("an end");
    let late = with(&without(&trace, is_end), said_to(1, "BYE"), |_| end.clone());
    assert_names(&late, "was not told its end");
    let wanted = |seen: &Seen| matches!(seen, Seen::Heard(_, message) if begins(message, "REFER"));
    let unwanted = rewritten(&trace, wanted, "\r\nRefer-To", "\r\nRefer-Sub: false\r\nRefer-To");
    assert_names(&unwanted, "for who does not want it");
    let unknown = |seen: &Seen| {
        matches!(seen, Seen::Heard(_, message) if begins(message, "SIP/2.0 200")
            && String::from_utf8_lossy(message).contains(" NOTIFY\r\n"))
    };
    let gone = rewritten(&trace, unknown, "SIP/2.0 200", "SIP/2.0 481");
    let is_gone =
        |seen: &Seen| matches!(seen, Seen::Heard(_, message) if begins(message, "SIP/2.0 481"));
    assert_names(&with(&gone, is_gone, |_| another(end)), "knows of none");
    let bye = |seen: &Seen| matches!(seen, Seen::Heard(_, message) if begins(message, "BYE"));
    assert_names(&with(&trace, bye, |_| another(end)), "after its end");
}

#[test]
fn a_transfer_of_somebody_else_is_seen() {
    let trace = transfer(true, &[], onward());
    let forged = trace.iter().map(|seen| match seen {
        Seen::Wanted(key, effect) if is_hook(seen) => {
            let mut effect = effect.clone();
            if let Effect::Hook { request, .. } = &mut *effect {
                request.payload["refer_details"]["referred_call_sid"] = json!("another");
            }
            Seen::Wanted(*key, effect)
        }
        other => other.clone(),
    });
    assert_names(&forged.collect::<Vec<_>>(), "the REFER was about another");
}

#[test]
fn who_is_transferred_and_then_hung_up_with_the_other_is_seen() {
    let trace = transfer(true, &[], onward());
    let leaves = |seen: &Seen| {
        let Seen::Heard(from, message) = seen else { return false };
        *from == CALLER && begins(message, "BYE")
    };
    let bye = trace.iter().find(|seen| said_to(2, "BYE")(seen)).expect("its BYE");
    assert_names(&with(&trace, leaves, |_| bye.clone()), "who is not its party");
}
