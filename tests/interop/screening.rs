//! Callees that hear something and press a key before they are connected: by sipp and its audio,
//! with a sound that the application serves.

use media::Codec;
use serde_json::{Value, json};

use crate::support::application::{Answer, Application};
use crate::support::phone::Phone;
use crate::support::scene::{CALLEE, CALLER, Scene, dial};
use crate::support::sipp::Run;
use crate::support::steps::Steps;
use crate::support::switch::Switch;
use crate::support::wait_for;

/// What a callee hears before it decides.
const PROMPT: f64 = 900.0;
const ANOTHER: u8 = 4;

/// The list of a screening: a sound, and a key within ten seconds, which `/key` is told of.
fn prompt_for_a_key(app: &Application) -> Value {
    app.answers("/prompt.wav", Answer::tone(PROMPT, 3000));
    json!([
        {
            "verb": "gather", "numDigits": 1, "timeout": 10, "actionHook": "/key",
            "play": { "verb": "play", "url": app.url("/prompt.wav") },
        },
        { "verb": "hangup" }
    ])
}

fn caller_of(scene: &Scene) -> Phone {
    let steps = Steps::of_caller().is_answered().waits().hangs_up();
    scene.phone(CALLER).with("steps", steps)
}

/// A key of a callee, as RFC 4733 has it.
fn presses_one(callee: &Phone, runs: &Run) {
    callee.audio.presses(runs.audio_of_switch(), 101, 1);
}

/// Both talk, and each hears the other.
fn both_hear(caller: (&Phone, &Run), callee: (&Phone, &Run)) {
    caller.0.audio.says(caller.1.audio_of_switch(), Codec::Pcmu, 700.0);
    callee.0.audio.says(callee.1.audio_of_switch(), Codec::Pcmu, 1100.0);
    callee.0.audio.hears(Codec::Pcmu, 700.0);
    caller.0.audio.hears(Codec::Pcmu, 1100.0);
}

/// Starts a call whose only callee is screened by a prompt and a key, and waits for the prompt.
fn prompted<'a>(
    scene: &'a Scene,
    switch: &Switch,
    callee: &'a Phone,
    caller: &'a Phone,
) -> (Run, Run) {
    let more = json!({ "answerOnBridge": true, "confirmHook": "/confirm" });
    scene.app.runs("/incoming", &dial(&[callee], &more));
    scene.app.runs("/confirm", &prompt_for_a_key(&scene.app));
    let callee_runs = callee.plays("callee_by_steps", switch);
    let caller_runs = caller.plays("caller_by_steps", switch);
    callee.audio.hears(Codec::Pcmu, PROMPT);
    assert_eq!(caller_runs.ladder().received_kinds(), ["100", "180"], "nobody is connected yet");
    (caller_runs, callee_runs)
}

#[test]
fn a_callee_hears_its_prompt_and_takes_the_call_by_a_key_while_the_caller_rings() {
    let scene = Scene::new();
    let caller = caller_of(&scene);
    let steps = Steps::of_callee().rings().answers().is_hung_up();
    let callee = scene.phone(CALLEE).with("steps", steps);
    let switch = scene.starts_usual();
    // The hook of the key decides; what would follow hangs up.
    scene.app.runs("/key", &json!([{ "verb": "tag", "data": { "took": "it" } }]));
    let (caller_runs, callee_runs) = prompted(&scene, &switch, &callee, &caller);
    presses_one(&callee, &callee_runs);
    caller_runs.receives("200");
    both_hear((&caller, &caller_runs), (&callee, &callee_runs));
    caller_runs.proceeds();
    caller_runs.finishes();
    callee_runs.finishes();
    let (asked, pressed) = (scene.app.is_asked("/confirm").json, scene.app.is_asked("/key").json);
    assert_eq!(
        (&asked["direction"], &asked["call_status"]),
        (&json!("outbound"), &json!("in-progress"))
    );
    assert_eq!(asked["parent_call_sid"], scene.app.is_asked("/incoming").json["call_sid"]);
    assert_eq!((&pressed["reason"], &pressed["digits"]), (&json!("dtmfDetected"), &json!("1")));
    assert_eq!(pressed["call_sid"], asked["call_sid"]);
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_call_status"], "completed", "{result}");
    switch.ends();
}

#[test]
fn a_key_in_an_info_takes_the_call_too() {
    let scene = Scene::new();
    let caller = caller_of(&scene);
    let relay = ["Content-Type: application/dtmf-relay"];
    let steps = Steps::of_callee()
        .rings()
        .answers()
        .waits()
        .asks("INFO", &relay, "Signal=1\nDuration=160", 200)
        .is_hung_up();
    let callee = scene.phone(CALLEE).with("steps", steps);
    let switch = scene.starts_usual();
    scene.app.runs("/key", &json!([{ "verb": "pause", "length": 0.1 }]));
    let (caller_runs, callee_runs) = prompted(&scene, &switch, &callee, &caller);
    callee_runs.proceeds();
    caller_runs.receives("200");
    both_hear((&caller, &caller_runs), (&callee, &callee_runs));
    caller_runs.proceeds();
    caller_runs.finishes();
    callee_runs.finishes();
    assert_eq!(scene.app.is_asked("/key").json["digits"], "1");
    switch.ends();
}

#[test]
fn a_callee_whose_list_hangs_up_has_declined() {
    let scene = Scene::new();
    let caller = scene.phone(CALLER).with("status", 603);
    let callee =
        scene.phone(CALLEE).with("steps", Steps::of_callee().rings().answers().is_hung_up());
    let more = json!({ "answerOnBridge": true, "confirmHook": "/confirm" });
    scene.app.runs("/incoming", &dial(&[&callee], &more));
    scene.app.runs("/confirm", &prompt_for_a_key(&scene.app));
    scene.app.runs("/key", &json!([{ "verb": "hangup", "headers": { "X-Why": "declined" } }]));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_is_refused", &switch);
    callee.audio.hears(Codec::Pcmu, PROMPT);
    presses_one(&callee, &callee_runs);
    let ladder = callee_runs.finishes();
    assert_eq!(ladder.only("BYE").header("X-Why"), Some("declined"));
    let ladder = caller_runs.finishes();
    assert_eq!(ladder.received_kinds(), ["100", "180", "603"]);
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(
        (&result["dial_call_status"], &result["dial_sip_status"], &result["dial_declined"]),
        (&json!("no-answer"), &json!(200), &json!(true))
    );
    assert_eq!(result["dial_targets"][0]["lost_because"], "screening-declined", "{result}");
    switch.ends();
}

#[test]
fn others_ring_while_one_is_screened_and_are_cancelled_once_it_took_the_call() {
    let scene = Scene::new();
    let caller = caller_of(&scene);
    let steps = Steps::of_callee().rings().answers().is_hung_up();
    let callee = scene.phone(CALLEE).with("steps", steps);
    let another = scene.phone(ANOTHER);
    let more = json!({ "answerOnBridge": true, "confirmHook": "/confirm" });
    scene.app.runs("/incoming", &dial(&[&callee, &another], &more));
    scene.app.runs("/confirm", &prompt_for_a_key(&scene.app));
    scene.app.runs("/key", &json!([{ "verb": "pause", "length": 0.1 }]));
    let switch = scene.starts_usual();
    let another_runs = another.plays("callee_rings", &switch);
    let callee_runs = callee.plays("callee_by_steps", &switch);
    let caller_runs = caller.plays("caller_by_steps", &switch);
    callee.audio.hears(Codec::Pcmu, PROMPT);
    assert!(another_runs.ladder().received("CANCEL").is_empty(), "it may still win");
    presses_one(&callee, &callee_runs);
    caller_runs.receives("200");
    let ladder = another_runs.finishes();
    let reason = ladder.only("CANCEL").header("Reason").unwrap_or_default().to_owned();
    assert!(reason.contains("completed elsewhere"), "{reason}");
    both_hear((&caller, &caller_runs), (&callee, &callee_runs));
    caller_runs.proceeds();
    caller_runs.finishes();
    callee_runs.finishes();
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_targets"][1]["lost_because"], "answered-elsewhere", "{result}");
    switch.ends();
}

#[test]
fn of_two_that_answer_the_first_to_take_the_call_wins_and_the_other_is_hung_up() {
    let scene = Scene::new();
    let caller = caller_of(&scene);
    let steps = || Steps::of_callee().rings().answers().is_hung_up();
    let callees = [CALLEE, ANOTHER].map(|host| scene.phone(host).with("steps", steps()));
    let more = json!({ "answerOnBridge": true, "confirmHook": "/confirm" });
    scene.app.runs("/incoming", &dial(&[&callees[0], &callees[1]], &more));
    scene.app.runs("/confirm", &prompt_for_a_key(&scene.app));
    scene.app.runs("/key", &json!([{ "verb": "pause", "length": 0.1 }]));
    let switch = scene.starts_usual();
    let runs = callees.each_ref().map(|callee| callee.plays("callee_by_steps", &switch));
    let caller_runs = caller.plays("caller_by_steps", &switch);
    callees.iter().for_each(|callee| callee.audio.hears(Codec::Pcmu, PROMPT));
    presses_one(&callees[1], &runs[1]);
    caller_runs.receives("200");
    let [first, second] = runs;
    first.finishes();
    both_hear((&caller, &caller_runs), (&callees[1], &second));
    callees[0].audio.hears_nothing(Codec::Pcmu);
    caller_runs.proceeds();
    caller_runs.finishes();
    second.finishes();
    let result = wait_for("the result", || scene.app.requests("/dialled").pop()).json;
    assert_eq!(result["dial_targets"][0]["lost_because"], "answered-elsewhere", "{result}");
    assert_eq!(result["dial_targets"][1]["call_status"], "completed", "{result}");
    switch.ends();
}
