//! `switchhook demo`: a newcomer's first call, with nothing around it.

use std::process::Command;

#[test]
fn the_demo_shows_a_bridged_call_and_says_who_lost_and_why() {
    let output = Command::new(env!("CARGO_BIN_EXE_switchhook")).arg("demo").output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    for expected in [
        "POST /incoming",
        "CANCEL (answered elsewhere)",
        "486 Busy Here",
        "demo-2 heard the other side's 440 Hz",
        "caller heard the other side's 1000 Hz",
        "\"dial_call_status\": \"completed\"",
        "\"lost_because\": \"answered-elsewhere\"",
        "\"lost_because\": \"busy\"",
    ] {
        assert!(shown.contains(expected), "expected {expected} in\n{shown}");
    }
}
