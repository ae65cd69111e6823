//! Users: how they prove who they are, how they are reached, and what runs when they call.

use serde_json::json;

use crate::support::ladder::Message;
use crate::support::phone::Phone;
use crate::support::scene::{CALLEE, CALLER, Config, STRANGER, Scene, dial};
use crate::support::switch::Switch;
use crate::support::wait_for;

/// With two users, and the application for their calls where there is one.
fn config(scene: &Scene, device_calls: bool) -> Config {
    let mut config = scene.config();
    for user in ["demo", "jane"] {
        config.rest += &format!("[[client]]\nusername = \"{user}\"\npassword = \"secret\"\n");
    }
    if device_calls {
        config.rest += "[device_calls]\napplication = \"main\"\n";
    }
    config
}

fn registers(phone: Phone, switch: &Switch) -> Phone {
    let phone = phone.with("status", 200);
    phone.plays("user_registers", switch).finishes();
    phone
}

#[test]
fn a_registered_user_is_rung_where_it_registered() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    let demo = registers(scene.phone(CALLEE).with("user", "demo"), &switch);
    let target = json!([{ "type": "user", "name": "demo" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    let demo_runs = demo.plays("callee_answers", &switch);
    scene.phone(CALLER).plays("caller_hangs_up", &switch).finishes();
    let ladder = demo_runs.finishes();
    let invite = ladder.only("INVITE");
    assert_eq!(invite.first_line(), format!("INVITE sip:demo@{} SIP/2.0", demo.address));
    let sid = scene.app.is_asked("/dialled").json["dial_call_sid"].clone();
    assert_eq!(invite.header("X-Call-Sid").map(|sid| json!(sid)), Some(sid));
    switch.ends();
}

#[test]
fn a_registered_user_is_still_rung_after_the_switch_was_killed() {
    let scene = Scene::new();
    let mut config = config(&scene, false);
    let database = scene.folder.join("switchhook.db");
    config.rest += &format!("[store]\nurl = \"sqlite:{}\"\n", database.display());
    let mut killed = scene.starts(&config);
    let demo = registers(scene.phone(CALLEE).with("user", "demo"), &killed);
    let target = json!([{ "type": "user", "name": "demo" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    let contact = format!("<sip:demo@{}>", demo.address);
    wait_for("the registration to be on the disk", || {
        ["switchhook.db", "switchhook.db-wal"].iter().find(|file| {
            let bytes = std::fs::read(scene.folder.join(file)).unwrap_or_default();
            bytes.windows(contact.len()).any(|window| window == contact.as_bytes())
        })
    });
    killed.signal("KILL");
    killed.ended();
    let switch = scene.starts(&config);
    assert!(switch.log().contains("registrations of an earlier run"), "{}", switch.log());
    let demo_runs = demo.plays("callee_answers", &switch);
    scene.phone(CALLER).plays("caller_hangs_up", &switch).finishes();
    let ladder = demo_runs.finishes();
    let invite = ladder.only("INVITE");
    assert_eq!(invite.first_line(), format!("INVITE sip:demo@{} SIP/2.0", demo.address));
    switch.ends();
}

#[test]
fn a_user_who_is_not_registered_is_not_found() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    let target = json!([{ "type": "user", "name": "demo" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    scene.phone(CALLER).with("status", 404).plays("caller_is_refused", &switch).finishes();
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_targets"][0]["lost_because"], "not-registered", "{result}");
    switch.ends();
}

#[test]
fn a_call_of_a_user_runs_the_application_for_devices() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, true));
    let callee = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let callee_runs = callee.plays("callee_answers", &switch);
    let jane = scene.phone(STRANGER).with("user", "jane");
    let ladder = jane.plays("user_calls", &switch).finishes();
    callee_runs.finishes();
    let first = scene.app.is_asked("/incoming").json;
    assert_eq!((&first["from"], &first["to"]), (&json!("jane"), &json!("4930123")));
    let answer = ladder.received("200")[0];
    assert_eq!(answer.header("X-Call-Sid").map(|sid| json!(sid)), Some(first["call_sid"].clone()));
    switch.ends();
}

#[test]
fn without_an_application_a_user_reaches_the_user_it_dials() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, false));
    let demo = registers(scene.phone(CALLEE).with("user", "demo"), &switch);
    let demo_runs = demo.plays("callee_answers", &switch);
    let jane = scene.phone(STRANGER).with("user", "jane").with_options(&["-s", "demo"]);
    jane.plays("user_calls", &switch).finishes();
    demo_runs.finishes();
    assert!(scene.app.requests("/incoming").is_empty());
    for (called, status) in [("nobody", 404), ("jane", 480)] {
        let jane = scene.phone(STRANGER).with("user", "jane").with_options(&["-s", called]);
        let ladder = jane.with("status", status).plays("user_is_refused", &switch).finishes();
        let refusal = ladder.only(&status.to_string());
        assert!(refusal.header("X-Reason").is_some(), "a user is told why");
    }
    switch.ends();
}

/// The lines of a refusal that do not name the call or the user.
fn same_for_all(refusal: &Message) -> Vec<String> {
    let own = ["via", "from", "to", "call-id"];
    let line = |line: &str| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        (!own.contains(&name.as_str())).then(|| line.to_owned())
    };
    refusal.text.lines().filter_map(line).collect()
}

#[test]
fn a_wrong_password_and_an_unknown_user_get_the_same_refusal() {
    let scene = Scene::new();
    let switch = scene.starts(&config(&scene, true));
    let refusal = |scenario: &str, user: &str, password: &str| {
        let phone = scene.phone(STRANGER).with("user", user).with("password", password);
        let ladder = phone.with("status", 403).plays(scenario, &switch).finishes();
        same_for_all(ladder.only("403"))
    };
    for scenario in ["user_registers", "user_is_refused"] {
        let wrong = refusal(scenario, "demo", "guess");
        let unknown = refusal(scenario, "nobody", "guess");
        assert_eq!(wrong, unknown, "{scenario}");
        assert!(!wrong.iter().any(|line| line.starts_with("X-Reason")), "{wrong:?}");
    }
    assert!(scene.app.requests("/incoming").is_empty());
    switch.ends();
}

#[test]
fn the_fullest_log_shows_no_password_and_no_proof() {
    let scene = Scene::new();
    let file = scene.writes(&config(&scene, true));
    let switch = Switch::start_by(&file, &["env", "RUST_LOG=trace"]);
    let callee = scene.phone(CALLEE);
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "answerOnBridge": true })));
    let callee_runs = callee.plays("callee_answers", &switch);
    registers(scene.phone(STRANGER).with("user", "jane"), &switch);
    let jane = scene.phone(STRANGER).with("user", "jane");
    let ladder = jane.plays("user_calls", &switch).finishes();
    callee_runs.finishes();
    let invites = ladder.sent("INVITE");
    let proof = invites.iter().find_map(|invite| invite.header("Authorization")).expect("a proof");
    let response = proof.split("response=\"").nth(1).and_then(|rest| rest.split('"').next());
    let response = response.expect("a digest");
    let first = scene.app.is_asked("/incoming").json;
    assert!(!first.to_string().contains(response), "{first}");
    let log = switch.log();
    assert!(log.contains("TRACE"), "the log is not full");
    for secret in [response, "password = \"secret\"", "\"secret\""] {
        assert!(!log.contains(secret), "{secret}");
    }
    switch.ends();
}
