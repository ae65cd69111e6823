//! Passwords go to whom they belong, and requests only where they may.

use serde_json::json;

use crate::support::application::Application;
use crate::support::scene::{ANOTHER_APPLICATION, CALLEE, CALLER, Scene, dial};
use crate::support::wait_for;

/// `jane:secret` (RFC 7617).
const JANE: &str = "Basic amFuZTpzZWNyZXQ=";

fn call_hook(scene: &Scene) -> String {
    let url = scene.app.url("/incoming");
    format!("call_hook = {{ url = \"{url}\", username = \"jane\", password = \"secret\" }}")
}

#[test]
fn the_password_of_the_application_goes_to_its_own_origin_only() {
    let scene = Scene::new();
    let foreign = Application::start(scene.network.ip(ANOTHER_APPLICATION));
    let mut config = scene.config();
    config.application = call_hook(&scene);
    config.http = "allow_private = [\"127.0.0.0/8\"]".to_owned();
    let switch = scene.starts(&config);
    for hook in [foreign.url("/dialled"), "/dialled".to_owned()] {
        let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
        scene.app.runs("/incoming", &dial(&[&callee], &json!({ "actionHook": hook })));
        let callee_runs = callee.plays("callee_answers", &switch);
        caller.plays("caller_hangs_up", &switch).finishes();
        callee_runs.finishes();
    }
    let authorization = |application: &Application, path: &str| {
        application.is_asked(path).headers.get("authorization").cloned()
    };
    assert_eq!(authorization(&scene.app, "/incoming").as_deref(), Some(JANE));
    assert_eq!(authorization(&scene.app, "/dialled").as_deref(), Some(JANE));
    assert_eq!(authorization(&foreign, "/dialled"), None);
    switch.ends();
}

#[test]
fn a_hook_with_its_own_password_sends_that_one() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    let mut config = scene.config();
    config.application = call_hook(&scene);
    let hook = json!({ "url": "/dialled", "username": "joe", "password": "other" });
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "actionHook": hook })));
    let switch = scene.starts(&config);
    let callee_runs = callee.plays("callee_answers", &switch);
    caller.plays("caller_hangs_up", &switch).finishes();
    callee_runs.finishes();
    let request = scene.app.is_asked("/dialled");
    assert_eq!(
        request.headers.get("authorization").map(String::as_str),
        Some("Basic am9lOm90aGVy")
    );
    switch.ends();
}

#[test]
fn a_private_host_that_only_the_application_names_is_not_asked() {
    let scene = Scene::new();
    let foreign = Application::start(scene.network.ip(ANOTHER_APPLICATION));
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    let hook = foreign.url("/dialled");
    scene.app.runs("/incoming", &dial(&[&callee], &json!({ "actionHook": hook })));
    let switch = scene.starts_usual();
    let callee_runs = callee.plays("callee_hangs_up", &switch);
    caller.plays("caller_stays", &switch).finishes();
    callee_runs.finishes();
    wait_for("the refusal in the log", || switch.log().contains("allow_private").then_some(()));
    assert!(foreign.requests("/dialled").is_empty());
    switch.ends();
}
