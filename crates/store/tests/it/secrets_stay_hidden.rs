//! No password leaves by `Debug`, JSON or an error; all of them come back from the file.

use std::fmt::Debug;

use store::{Client, Declared, Entry, Secret, Store};

use crate::scratch::{
    Scratch, application, carrier, client, declared, execute, gateway, nothing_declared, open_call,
};

/// Every secret that the values of these tests hold.
const SECRETS: [&str; 6] = [
    "client-password",
    "hook-password",
    "hook-user",
    "register-password",
    "inbound-password",
    "webhook-secret",
];

fn shows_none(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

fn debug_shows_none(value: &dyn Debug) {
    shows_none(&format!("{value:?} {value:#?}"));
}

#[test]
fn debug_shows_no_secret() {
    debug_shows_none(&application("app", "main"));
    debug_shows_none(&carrier("car", "Twilio", None));
    debug_shows_none(&client("cli", "jane"));
    debug_shows_none(&declared());
    debug_shows_none(&Entry::CallOpened(Box::new(open_call("call"))));
}

#[test]
fn json_shows_no_password() {
    for text in [
        serde_json::to_string(&carrier("car", "Twilio", None)).expect("JSON"),
        serde_json::to_string(&client("cli", "jane")).expect("JSON"),
    ] {
        shows_none(&text);
    }
    let text = serde_json::to_string(&application("app", "main")).expect("JSON");
    assert!(!text.contains("hook-password"), "{text}");
}

#[tokio::test]
async fn errors_show_no_secret() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    store.declare(&declared()).await.expect("written");
    let mut broken: Declared = nothing_declared();
    broken.sip_gateways = vec![gateway("gw", "nowhere", "192.0.2.1")];
    broken.account.webhook_secret = Some(Secret::new("webhook-secret"));
    let mut errors = vec![
        store.create(&client("", "jane")).await.expect_err("taken"),
        store.create(&application("", "main")).await.expect_err("taken"),
        store.create(&carrier("", "other", Some("nowhere"))).await.expect_err("missing"),
        store.update(&client("cli-jane", "jane")).await.expect_err("declared"),
        store.declare(&broken).await.expect_err("missing"),
    ];
    // A hook that somebody spoilt by hand, with the password in it.
    let spoil = "UPDATE applications SET call_hook = '\"hook-password\"'";
    execute(scratch.other_program().await, &[spoil]).await;
    errors.push(store.list::<store::Application>().await.expect_err("not a hook"));
    let spoil = "UPDATE applications SET call_hook = '{\"url\": \"hook-password'";
    execute(scratch.other_program().await, &[spoil]).await;
    errors.push(store.get::<store::Application>("app-main").await.expect_err("not a hook"));
    for error in errors {
        shows_none(&format!("{error} {error:?} {}", error.cause()));
    }
}

#[tokio::test]
async fn generated_secrets_survive_a_restart() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let names = ["http.admin_token", "client.jane"];
    assert_eq!(store.secret(names[0]).await.expect("read"), None);
    for name in names {
        store.keep_secret(name, &Secret::new(format!("old {name}"))).await.expect("kept");
        store.keep_secret(name, &Secret::new(format!("the {name}"))).await.expect("kept");
    }
    store.close().await;
    drop(store);
    let store = scratch.open().await;
    for name in names {
        let secret = store.secret(name).await.expect("read").expect("there");
        assert_eq!(secret.expose(), format!("the {name}"));
    }
}

#[tokio::test]
async fn a_password_of_any_characters_comes_back_as_it_was() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    for password in ["", "ä€😀", "a\0b", "'\";--", "\n\t "] {
        let made = Client { password: Secret::new(password), ..client("", password) };
        let sid = store.create(&made).await.expect("made");
        let found = store.get::<Client>(&sid).await.expect("read").expect("there");
        assert_eq!(found.password.expose(), password);
    }
}
