//! Entries made over REST: made, read, changed, removed, refused.

use store::{
    Application, Client, Entity, ErrorKind, Extra, PhoneNumber, Secret, SipGateway, Store,
    VoipCarrier,
};

use crate::scratch::{
    Scratch, application, at, carrier, client, declared, gateway, nothing_declared, number,
};

/// Made without an identifier, read back the same, listed, changed, removed.
async fn check<T: Entity + PartialEq + std::fmt::Debug>(
    store: &Store,
    made: T,
    with_sid: impl Fn(T, &str) -> T,
    changed: impl Fn(T) -> T,
) {
    let kind = T::KIND;
    let sid = store.create(&made).await.expect(kind);
    assert_eq!(sid.len(), 36, "{kind}: a UUID");
    let made = with_sid(made, &sid);
    assert_eq!(store.get::<T>(&sid).await.expect(kind).as_ref(), Some(&made));
    assert!(store.list::<T>().await.expect(kind).contains(&made));

    let changed = changed(made.clone());
    assert_ne!(changed, made, "{kind}");
    assert!(store.update(&changed).await.expect(kind));
    assert_eq!(store.get::<T>(&sid).await.expect(kind).as_ref(), Some(&changed));

    assert!(store.delete::<T>(&sid).await.expect(kind));
    assert_eq!(store.get::<T>(&sid).await.expect(kind), None);
    assert!(!store.delete::<T>(&sid).await.expect(kind), "{kind}: it is gone");
    assert!(!store.update(&changed).await.expect(kind), "{kind}: it is gone");
}

fn extra() -> Extra {
    let value = serde_json::json!({"speech_synthesis_vendor": "google", "n": [1, {"a": null}]});
    Extra(value.as_object().expect("an object").clone())
}

#[tokio::test]
async fn every_kind_is_made_read_changed_and_removed() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    check(
        &store,
        Application { extra: extra(), ..application("", "one") },
        |entry, sid| Application { application_sid: sid.to_owned(), ..entry },
        |entry| Application { name: "two".to_owned(), call_hook: None, strict: false, ..entry },
    )
    .await;
    check(
        &store,
        carrier("", "one", None),
        |entry, sid| VoipCarrier { voip_carrier_sid: sid.to_owned(), ..entry },
        |entry| VoipCarrier { account_sid: None, register_password: None, ..entry },
    )
    .await;
    store.create(&carrier("car", "two", None)).await.expect("made");
    store.create(&application("app", "two")).await.expect("made");
    check(
        &store,
        gateway("", "car", "2001:db8::1"),
        |entry, sid| SipGateway { sip_gateway_sid: sid.to_owned(), ..entry },
        |entry| SipGateway { port: None, priority: 9, weight: 65_535, is_active: false, ..entry },
    )
    .await;
    check(
        &store,
        number("", "4930*", "car", "app"),
        |entry, sid| PhoneNumber { phone_number_sid: sid.to_owned(), ..entry },
        |entry| PhoneNumber { application_sid: None, ..entry },
    )
    .await;
    check(
        &store,
        client("", "jane"),
        |entry, sid| Client { client_sid: sid.to_owned(), ..entry },
        |entry| Client { password: Secret::new("it's; DROP TABLE clients --"), ..entry },
    )
    .await;
}

#[tokio::test]
async fn when_an_application_was_made_does_not_change() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    store.create(&application("app", "one")).await.expect("made");
    let later = Application { created_at: at(99), ..application("app", "two") };
    assert!(store.update(&later).await.expect("changed"));
    let found = store.get::<Application>("app").await.expect("read").expect("there");
    assert_eq!((found.created_at, found.name.as_str()), (at(0), "two"));
}

#[tokio::test]
async fn a_name_is_given_once() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    store.create(&application("", "main")).await.expect("made");
    let other = store.create(&application("", "other")).await.expect("made");
    let error = store.create(&application("", "main")).await.expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::Taken);
    assert!(error.to_string().contains("application main is there already"), "{error}");
    let error = store.update(&application(&other, "main")).await.expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::Taken);

    store.create(&client("", "jane")).await.expect("made");
    let error = store.create(&client("", "jane")).await.expect_err("taken");
    assert_eq!((error.kind(), error.cause()), (ErrorKind::Taken, "client jane is there already"));

    let shared = VoipCarrier { account_sid: None, ..carrier("", "shared", None) };
    store.create(&shared).await.expect("made");
    let error = store.create(&shared).await.expect_err("also where there is no account");
    assert_eq!(error.kind(), ErrorKind::Taken);
}

#[tokio::test]
async fn what_refers_to_nothing_and_what_is_in_use_is_refused() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let error = store.create(&gateway("", "nowhere", "192.0.2.1")).await.expect_err("no carrier");
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(error.to_string().contains("gateway 192.0.2.1 refers to what is not there"), "{error}");

    store.create(&application("app", "main")).await.expect("made");
    store.create(&carrier("car", "Twilio", None)).await.expect("made");
    store.create(&gateway("gw", "car", "192.0.2.1")).await.expect("made");
    store.create(&number("num", "4930", "car", "app")).await.expect("made");
    let error = store.update(&number("num", "4930", "car", "gone")).await.expect_err("no app");
    assert_eq!(error.kind(), ErrorKind::Missing);
    for error in [
        store.delete::<Application>("app").await.expect_err("a number runs it"),
        store.delete::<VoipCarrier>("car").await.expect_err("a number comes in on it"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Referenced, "{error}");
        assert!(error.cause().ends_with("is in use"), "{error}");
    }
    assert!(store.delete::<PhoneNumber>("num").await.expect("removed"));
    assert!(store.delete::<VoipCarrier>("car").await.expect("removed"));
    assert_eq!(store.get::<SipGateway>("gw").await.expect("read"), None, "it goes with it");
    assert!(store.delete::<Application>("app").await.expect("removed"));
}

#[tokio::test]
async fn declared_entries_are_changed_in_their_file_alone() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    store.declare(&declared()).await.expect("written");
    let error = store.update(&client("cli-jane", "joe")).await.expect_err("declared");
    assert_eq!(error.kind(), ErrorKind::Declared);
    assert!(error.to_string().contains("client jane stands in the configuration file"), "{error}");
    let error = store.delete::<Client>("cli-jane").await.expect_err("declared");
    assert_eq!(error.kind(), ErrorKind::Declared);

    store.declare(&nothing_declared()).await.expect("written");
    let error = store.update(&client("cli-jane", "joe")).await.expect_err("still of the file");
    assert_eq!(error.kind(), ErrorKind::Declared);
    assert!(store.delete::<Client>("cli-jane").await.expect("the file has it no more"));
}

#[tokio::test]
async fn json_is_spelled_as_clients_expect_it() {
    let entry = Application { extra: extra(), ..application("app", "main") };
    let json = serde_json::to_value(&entry).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({
            "application_sid": "app",
            "account_sid": crate::scratch::ACCOUNT,
            "name": "main",
            "call_hook": {
                "url": "https://example.com/call",
                "method": "POST",
                "username": "hook-user",
                "password": "hXXXXXXXXXXXX",
            },
            "call_status_hook": null,
            "messaging_hook": null,
            "app_json": null,
            "strict": 1,
            "default_hooks": 0,
            "decline": "603",
            "created_at": "2026-11-03T10:00:00.000Z",
            "speech_synthesis_vendor": "google",
            "n": [1, {"a": null}],
            "is_active": 1,
            "declared": 0,
        })
    );
    let json = serde_json::to_value(client("cli", "jane")).expect("JSON");
    assert_eq!(json["password"], "cXXXXXXXXXXXXXX");
    assert_eq!(json["allow_direct_user_calling"], 0);
    let json = serde_json::to_value(gateway("gw", "car", "192.0.2.1")).expect("JSON");
    assert_eq!((&json["inbound"], &json["netmask"]), (&1.into(), &32.into()));
}
