//! Whose credentials go where.

use hooks::{Client, Config, Request};
use verbs::Hook;

use crate::application::{Application, hook};

/// `Basic` of `own:one`.
const OWN: Option<&str> = Some("Basic b3duOm9uZQ==");
/// `Basic` of `app:two`.
const APPLICATION: Option<&str> = Some("Basic YXBwOnR3bw==");

fn with(mut hook: Hook, username: &str, password: &str) -> Hook {
    hook.username = Some(username.to_owned());
    hook.password = Some(password.to_owned());
    hook
}

#[tokio::test]
async fn the_hooks_own_go_first_and_the_applications_stay_home() {
    let home = Application::start().await;
    let abroad = Application::start().await;
    let call_hook = with(home.hook("/incoming"), "app", "two");
    let client = Client::new(Config {
        allow_private: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Config::default()
    });
    let rows = [
        (hook("/next"), &home, APPLICATION),
        (home.hook("/next"), &home, APPLICATION),
        (with(hook("/next"), "own", "one"), &home, OWN),
        (abroad.hook("/next"), &abroad, None),
        (with(abroad.hook("/next"), "own", "one"), &abroad, OWN),
    ];
    for (named, asked, expected) in rows {
        let request = Request::named_by_application(&named, Some(&call_hook), "{}".to_owned())
            .expect("a URL");
        client.ask(&request).await.expect("an answer");
        assert_eq!(asked.last().await.header("authorization"), expected, "{}", named.url);
    }
}
