//! Phones of other people on TCP: they register, call and are called over their connection, and
//! meet phones on UDP.

use serde_json::json;

use crate::support::baresip::{Account, Baresip};
use crate::support::pjsua::Pjsua;
use crate::support::scene::{Scene, dial};
use crate::support::switch::{ADMIN_TOKEN, Switch};
use crate::support::wait_for;

/// Addresses of the phones.
const DEMO: u8 = 3;
const JANE: u8 = 4;

/// A switch with both transports, two users, and the application for their calls where there is
/// one.
fn starts(scene: &Scene, device_calls: bool) -> Switch {
    let mut config = scene.config();
    config.sip = format!("tcp = \"{}\"", config.udp);
    config.http = format!("admin_token = \"{ADMIN_TOKEN}\"");
    for user in ["demo", "jane"] {
        config.rest += &format!("[[client]]\nusername = \"{user}\"\npassword = \"secret\"\n");
    }
    if device_calls {
        config.rest += "[device_calls]\napplication = \"main\"\n";
    }
    scene.starts(&config)
}

/// Which way the switch reaches this user.
fn protocol(switch: &Switch, user: &str) -> serde_json::Value {
    let path = format!("/RegisteredSipUsers/{user}");
    switch.rest("GET", &path, &json!(null)).1["protocol"].clone()
}

#[test]
fn a_pjsua_over_tcp_calls_and_is_called_by_a_pjsua_over_tcp() {
    let scene = Scene::new();
    let switch = starts(&scene, false);
    let mut demo = Pjsua::registered(&scene, DEMO, &switch, &Account::over_tcp("demo", 700.0));
    let mut jane = Pjsua::registered(&scene, JANE, &switch, &Account::over_tcp("jane", 1100.0));
    assert_eq!(
        (protocol(&switch, "demo"), protocol(&switch, "jane")),
        (json!("tcp"), json!("tcp"))
    );
    jane.dials("demo");
    demo.accepts();
    jane.tells("confirmed");
    demo.hears(1100.0);
    jane.hears(700.0);
    demo.does("hang up");
    jane.tells("over");
    switch.has_no_calls();
    let log = jane.log();
    let (_, invite) = log.split_once("Request msg INVITE").expect("it called");
    let line = invite.lines().next().unwrap_or_default();
    assert!(line.contains("to TCP"), "{line}");
    switch.ends();
}

#[test]
fn a_baresip_over_tcp_calls_and_is_called_by_a_baresip_over_tcp() {
    let scene = Scene::new();
    let switch = starts(&scene, true);
    let target = json!([{ "type": "user", "name": "demo" }]);
    scene.app.runs("/incoming", &dial(&[], &json!({ "answerOnBridge": true, "target": target })));
    let mut demo = Baresip::registered(&scene, &switch, &Account::over_tcp("demo", 700.0));
    let mut jane = Baresip::registered(&scene, &switch, &Account::over_tcp("jane", 1100.0));
    assert_eq!(
        (protocol(&switch, "demo"), protocol(&switch, "jane")),
        (json!("tcp"), json!("tcp"))
    );
    jane.dials("4930123");
    jane.tells("CALL_RINGING");
    demo.accepts();
    jane.tells("CALL_ESTABLISHED");
    demo.hears(1100.0);
    jane.hears(700.0);
    jane.hangs_up();
    demo.tells("CALL_CLOSED");
    let via = scene.app.is_asked("/incoming").json["sip"]["headers"]["via"].clone();
    assert!(via.as_str().is_some_and(|via| via.contains("SIP/2.0/TCP")), "{via}");
    assert_eq!(scene.app.is_asked("/dialled").json["dial_call_status"], "completed");
    switch.ends();
}

#[test]
fn a_pjsua_over_tcp_and_a_baresip_over_udp_call_each_other() {
    let scene = Scene::new();
    let switch = starts(&scene, false);
    let mut pjsua = Pjsua::registered(&scene, DEMO, &switch, &Account::over_tcp("demo", 700.0));
    let mut baresip = Baresip::registered(&scene, &switch, &Account::over_udp("jane", 1100.0));
    assert_eq!(
        (protocol(&switch, "demo"), protocol(&switch, "jane")),
        (json!("tcp"), json!("udp"))
    );
    pjsua.dials("jane");
    baresip.accepts();
    pjsua.tells("confirmed");
    baresip.hears(700.0);
    pjsua.hears(1100.0);
    pjsua.does("hang up");
    baresip.tells("CALL_CLOSED");
    pjsua.tells("over");
    baresip.dials("demo");
    wait_for("the second call", || (pjsua.events("incoming").len() == 1).then_some(()));
    pjsua.accepts();
    wait_for("its answer", || (pjsua.events("confirmed").len() == 2).then_some(()));
    pjsua.hears(1100.0);
    baresip.hears(700.0);
    baresip.hangs_up();
    wait_for("its end", || (pjsua.events("over").len() == 2).then_some(()));
    switch.ends();
}
