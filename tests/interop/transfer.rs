//! Transfers by REFER: of sipp with a referHook, of baresip and PJSUA2 by their own function.

use media::Codec;
use serde_json::{Value, json};

use crate::support::application::Answer;
use crate::support::baresip::{Account, Baresip};
use crate::support::pair::{self, OF_CALLEE, OF_CALLER, Pair};
use crate::support::phone::Phone;
use crate::support::pjsua::Pjsua;
use crate::support::scene::{CALLEE, CALLER, Config, Scene, dial};
use crate::support::sipp::Run;
use crate::support::steps::Steps;
use crate::support::switch::Switch;
use crate::support::wait_for;

/// Address of the phone that a call is transferred to, and what it says.
const THIRD: u8 = 5;
const OF_THIRD: f64 = 1500.0;

const HOOKED: &str = "/refer";

fn hooked() -> Value {
    json!({ "referHook": HOOKED })
}

fn refer_to(uri: &str) -> String {
    format!("Refer-To: <{uri}>")
}

/// A callee that sends REFER once it is let, and wants this status.
fn referrer(headers: &[&str], status: u16) -> Steps {
    Steps::of_callee().rings().answers().waits().asks("REFER", headers, "", status)
}

#[allow(clippy::wrong_self_convention)] // A step says what is done to the phone.
trait Notified {
    /// It is told that the transfer is tried, and that it is done.
    fn is_notified(self) -> Self;
}

impl Notified for Steps {
    fn is_notified(self) -> Steps {
        self.is_asked("NOTIFY", "200 OK", &[]).is_asked("NOTIFY", "200 OK", &[])
    }
}

/// What a phone was told of its REFER: the state of the subscription, and the news.
fn notified(runs: &Run) -> Vec<(String, String)> {
    let ladder = runs.ladder();
    let told = ladder.received("NOTIFY").into_iter().map(|notify| {
        let header = |name: &str| notify.header(name).unwrap_or_default().to_owned();
        assert!(header("Event").starts_with("refer"), "{}", notify.text);
        assert!(header("Content-Type").starts_with("message/sipfrag"), "{}", notify.text);
        (
            header("Subscription-State"),
            notify.body().first().map(|s| (*s).to_owned()).unwrap_or_default(),
        )
    });
    told.collect()
}

fn assert_accepted(runs: &Run) {
    let told = notified(runs);
    let [(active, trying), (terminated, done)] = &told[..] else { panic!("{told:?}") };
    assert!(active.starts_with("active") && terminated.starts_with("terminated"), "{told:?}");
    assert_eq!((trying.as_str(), done.as_str()), ("SIP/2.0 100 Trying", "SIP/2.0 200 OK"));
}

#[test]
fn the_application_hears_of_it_and_where_it_answers_nothing_all_stays_as_it_is() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let headers = [
        "Refer-To: <sip:anna@sales.example>",
        "Referred-By: <sip:bert@desk.example>",
        "X-Ticket: 7",
    ];
    let steps = referrer(&headers, 202).is_notified().is_hung_up();
    let pair = Pair::talking(&scene, &switch, (pair::caller(), steps), &hooked());
    pair.callee_runs.proceeds();
    let asked = scene.app.is_asked(HOOKED).json;
    let details = &asked["refer_details"];
    assert_eq!(asked["call_sid"], Value::from(pair::child(&scene)), "{asked}");
    assert_eq!(
        (&details["refer_to_user"], &details["referred_by_user"], &details["x_ticket"]),
        (&json!("anna"), &json!("bert"), &json!("7")),
        "{asked}"
    );
    assert_eq!(details["referring_call_sid"], Value::from(pair::child(&scene)), "{asked}");
    assert_eq!(details["referred_call_sid"], Value::from(pair::parent(&scene)), "{asked}");
    wait_for("both notices", || (notified(&pair.callee_runs).len() == 2).then_some(()));
    assert_accepted(&pair.callee_runs);
    pair.both_hear();
    pair.ends();
    switch.ends();
}

#[test]
fn a_hook_that_refuses_decides_the_status_and_the_call_goes_on() {
    for (hook, status) in [(Some(403), 403), (None, 501)] {
        let scene = Scene::new();
        let switch = scene.starts_usual();
        let steps = referrer(&["Refer-To: <sip:anna@sales.example>"], status).is_hung_up();
        let more = if hook.is_some() { hooked() } else { json!({}) };
        if let Some(hook) = hook {
            scene.app.answers(HOOKED, Answer::status(hook));
        }
        let pair = Pair::talking(&scene, &switch, (pair::caller(), steps), &more);
        pair.callee_runs.proceeds();
        pair.callee_runs.receives(&status.to_string());
        pair.both_hear();
        assert!(notified(&pair.callee_runs).is_empty());
        pair.ends();
        switch.ends();
    }
}

/// A third phone, and the list that rings it.
fn third(scene: &Scene, switch: &Switch) -> (Phone, Run) {
    let phone = scene.phone(THIRD).with("steps", pair::callee());
    let onward = dial(&[&phone], &json!({ "actionHook": "/onward" }));
    scene.app.runs(HOOKED, &onward);
    let runs = phone.plays("callee_by_steps", switch);
    (phone, runs)
}

#[test]
fn a_callee_sends_the_caller_to_a_third_phone() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let (third, third_runs) = third(&scene, &switch);
    let refer = refer_to("sip:third@sales.example");
    let steps = referrer(&[&refer], 202).is_notified().is_hung_up();
    let pair = Pair::talking(&scene, &switch, (pair::caller(), steps), &hooked());
    pair.callee_runs.proceeds();
    third_runs.receives("ACK");
    third.audio.says(third_runs.audio_of_switch(), Codec::Pcmu, OF_THIRD);
    pair.caller.audio.hears(Codec::Pcmu, OF_THIRD);
    third.audio.hears(Codec::Pcmu, OF_CALLER);
    let Pair { caller_runs, callee_runs, .. } = pair;
    assert_accepted(&callee_runs);
    callee_runs.finishes();
    caller_runs.proceeds();
    caller_runs.finishes();
    third_runs.finishes();
    let first = scene.app.is_asked("/dialled").json;
    assert_eq!(first["dial_call_status"], "completed", "{first}");
    let second = scene.app.is_asked("/onward").json;
    assert_eq!(second["call_sid"], first["call_sid"], "{second}");
    switch.ends();
}

#[test]
fn a_caller_sends_the_callee_to_a_third_phone_and_leaves() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let (third, third_runs) = third(&scene, &switch);
    let steps = Steps::of_caller()
        .is_answered()
        .waits()
        .asks("REFER", &["Refer-To: <sip:third@sales.example>"], "", 202)
        .is_notified()
        .is_hung_up();
    let callee = Steps::of_callee().rings().answers().waits().hangs_up();
    let pair = Pair::talking(&scene, &switch, (steps, callee), &hooked());
    let (child, before) = (pair::child(&scene), pair.callee_runs.audio_of_switch());
    pair.caller_runs.proceeds();
    third_runs.receives("ACK");
    third.audio.says(third_runs.audio_of_switch(), Codec::Pcmu, OF_THIRD);
    // It moved with its sockets: nobody told it to send elsewhere.
    pair.callee.audio.hears(Codec::Pcmu, OF_THIRD);
    third.audio.hears(Codec::Pcmu, OF_CALLEE);
    assert_eq!(pair.callee_runs.audio_of_switch(), before);
    let Pair { caller_runs, callee_runs, .. } = pair;
    assert_accepted(&caller_runs);
    caller_runs.finishes();
    callee_runs.proceeds();
    let ladder = callee_runs.finishes();
    assert_eq!(ladder.received("INVITE").len(), 1, "{}", ladder.summary());
    third_runs.finishes();
    let onward = scene.app.is_asked("/onward").json;
    assert_eq!(onward["call_sid"], Value::from(child), "{onward}");
    switch.ends();
}

/// With users that may transfer, and the application for their calls.
fn config(scene: &Scene) -> Config {
    let mut config = scene.config();
    config.sip = "refer = \"transfer\"".to_owned();
    for user in ["demo", "jane"] {
        config.rest += &format!("[[client]]\nusername = \"{user}\"\npassword = \"secret\"\n");
    }
    config.rest += "[device_calls]\napplication = \"main\"\n";
    config
}

#[test]
fn a_called_baresip_transfers_the_caller_to_another_user() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    let target = json!([{ "type": "user", "name": "demo" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    let mut demo = Baresip::registered(&scene, &switch, &Account::over_udp("demo", OF_CALLEE));
    let jane = Account::over_udp("jane", OF_THIRD);
    let mut jane = Pjsua::registered(&scene, THIRD, &switch, &jane);
    let caller = scene.phone(CALLER).with("steps", pair::caller());
    let caller_runs = caller.plays("caller_by_steps", &switch);
    demo.accepts();
    caller_runs.receives("200");
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, OF_CALLER);
    demo.hears(OF_CALLER);
    caller.audio.hears(Codec::Pcmu, OF_CALLEE);
    demo.transfers(&format!("sip:jane@{}", switch.sip));
    jane.accepts();
    caller.audio.hears(Codec::Pcmu, OF_THIRD);
    jane.hears(OF_CALLER);
    demo.tells("CALL_CLOSED");
    caller_runs.proceeds();
    caller_runs.finishes();
    jane.tells("over");
    switch.ends();
}

#[test]
fn a_calling_pjsua_transfers_the_callee_to_a_number() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    let steps = Steps::of_callee().rings().answers().waits().hangs_up();
    let callee = scene.phone(CALLEE).with("steps", steps);
    let third = scene.phone(THIRD).with("steps", pair::callee());
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let third_runs = third.plays("callee_by_steps", &switch);
    let jane = Account::over_udp("jane", OF_CALLER);
    let mut jane = Pjsua::registered(&scene, THIRD + 1, &switch, &jane);
    jane.dials("4930123");
    jane.tells("confirmed");
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, OF_CALLEE);
    callee.audio.hears(Codec::Pcmu, OF_CALLER);
    jane.transfers(&format!("sip:third@{}", third.address));
    third_runs.receives("ACK");
    third.audio.says(third_runs.audio_of_switch(), Codec::Pcmu, OF_THIRD);
    callee.audio.hears(Codec::Pcmu, OF_THIRD);
    third.audio.hears(Codec::Pcmu, OF_CALLEE);
    let told = wait_for("the end of the transfer", || {
        let told = jane.events("transferred");
        told.iter().any(|event| event["final"] == true).then_some(told)
    });
    assert_eq!(told.last().expect("there is one")["status"], 200, "{told:?}");
    jane.tells("over");
    callee_runs.proceeds();
    callee_runs.finishes();
    third_runs.finishes();
    switch.ends();
}

#[test]
fn a_called_pjsua_asks_another_user_first_and_then_connects_the_two() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene));
    let target = json!([{ "type": "user", "name": "jane" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    let mut demo = Baresip::registered(&scene, &switch, &Account::over_udp("demo", OF_THIRD));
    let jane = Account::over_udp("jane", OF_CALLEE);
    let mut jane = Pjsua::registered(&scene, THIRD, &switch, &jane);
    let caller = scene.phone(CALLER).with("steps", pair::caller());
    let caller_runs = caller.plays("caller_by_steps", &switch);
    jane.accepts();
    caller_runs.receives("200");
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, OF_CALLER);
    jane.hears(OF_CALLER);
    caller.audio.hears(Codec::Pcmu, OF_CALLEE);
    jane.does("hold");
    caller.audio.hears_nothing(Codec::Pcmu);
    // The calls of devices run another list from now on.
    let target = json!([{ "type": "user", "name": "demo" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    jane.dials("4930124");
    demo.accepts();
    demo.hears(OF_CALLEE);
    jane.does("join");
    caller.audio.hears(Codec::Pcmu, OF_THIRD);
    demo.hears(OF_CALLER);
    wait_for("the end of both calls of jane", || (jane.events("over").len() == 2).then_some(()));
    caller_runs.proceeds();
    caller_runs.finishes();
    demo.tells("CALL_CLOSED");
    switch.ends();
}
