//! A transfer meets something else: the REFER of the other party, the end of the bridge, the end of
//! who asked for it. Random dials found each of these.

use serde_json::json;
use testkit::{MediaFact, Refer, ReferTo, World};

use crate::scene::{
    CALLER, Scene, answers, callee_address, dial, finish, hangs_up, patient, s, talks, target, text,
};

const HOOK: &str = "/refer";

fn refers(after: f64, is_early: bool) -> Vec<Refer> {
    let to = ReferTo::Address(format!("<sip:b2@{}>", callee_address(2)));
    vec![Refer { after: s(after), is_early, to, headers: Vec::new(), leaves: false }]
}

/// Callees 1 and 2, of which the first is dialled; what the hook answers, and after how long.
fn scene(thinks: f64) -> World {
    let onward = json!([dial(0, &json!({ "target": [target(2)] }))]);
    let list = json!([dial(1, &json!({ "referHook": HOOK })), { "verb": "pause", "length": 9 }]);
    let scene = Scene::running(&list)
        .callees(vec![talks(0.5, 20.0), talks(3.0, 5.0)])
        .caller(hangs_up(30.0))
        .answering(HOOK, text(&onward));
    let mut world = scene.before_the_call();
    world.application.thinks_at.insert(HOOK.to_owned(), s(thinks));
    world
}

fn refer(world: &mut World, caller: bool, refers: Vec<Refer>) {
    let who = if caller { CALLER } else { callee_address(1) };
    world.phones.get_mut(&who).unwrap().refers = refers;
}

fn play(world: &mut World) {
    world.call("A");
    finish(world);
    world.judge.at_rest().unwrap();
}

fn goes_alone(world: &World) -> bool {
    world.media.iter().any(|fact| matches!(fact, MediaFact::Adopted(..)))
}

#[test]
fn of_two_that_cross_the_second_is_refused_when_its_party_is_transferred() {
    let mut world = scene(0.2);
    refer(&mut world, true, refers(1.0, false));
    refer(&mut world, false, refers(1.0, false));
    play(&mut world);
    assert!(goes_alone(&world));
    let statuses =
        |name: &str| world.phone(name).referred.iter().map(|of| of.1).collect::<Vec<_>>();
    assert_eq!((statuses("A"), statuses("B1")), (vec![202], vec![491]));
}

#[test]
fn an_answer_is_about_the_party_of_its_refer_and_nobody_else() {
    let mut world = scene(9.0);
    refer(&mut world, true, refers(1.0, false));
    let again = json!([dial(0, &json!({ "target": [target(2)], "timeLimit": 15 }))]);
    world.application = world.application.clone().answering("/done", text(&again));
    let done = testkit::Answer::Empty;
    world.application = world.application.clone().answering("/done", done);
    let phone = world.phones.get_mut(&callee_address(1)).unwrap();
    phone.script = testkit::Script::Callee(talks(0.5, 2.0));
    let other = world.phones.get_mut(&callee_address(2)).unwrap();
    other.script = testkit::Script::Callee(talks(1.0, 20.0));
    play(&mut world);
    assert_eq!(world.phone("A").referred.iter().map(|of| of.1).collect::<Vec<_>>(), [202]);
    assert!(!goes_alone(&world), "callee 2 came after the REFER");
}

#[test]
fn who_asked_for_it_and_is_ended_hears_that_first() {
    for by_caller in [true, false] {
        let mut world = scene(0.1);
        refer(&mut world, by_caller, refers(1.0, false));
        world.call("A");
        world.run_for(s(3.0));
        let sid = world.application.calls(!by_caller)[0].clone();
        let update = verbs::rest::parse_update_call(r#"{"call_status":"completed"}"#).unwrap();
        let update = Box::new(update);
        world.command(call::Command::Update { call_sid: sid, update });
        finish(&mut world);
        world.judge.at_rest().unwrap();
        let told = &world.phone(if by_caller { "A" } else { "B1" }).notified;
        let told: Vec<(u16, bool)> = told.iter().map(|of| (of.1, of.2)).collect();
        assert_eq!(told, [(100, false), (487, true)]);
    }
}

#[test]
fn before_the_answer_too_who_is_accepted_hears_how_it_goes() {
    let config = json!({ "verb": "config", "referHook": HOOK });
    let scene = Scene::running(&json!([config, dial(1, &json!({}))]));
    let mut world = scene.callees(vec![answers(3.0)]).caller(patient()).before_the_call();
    refer(&mut world, false, refers(1.0, true));
    world.call("A");
    world.run_for(s(2.0));
    let told: Vec<(u16, bool)> = world.phone("B1").notified.iter().map(|of| (of.1, of.2)).collect();
    assert_eq!(told, [(100, false), (200, true)]);
    world.with_switch(|switch, now| switch.end_all(now));
    finish(&mut world);
}
