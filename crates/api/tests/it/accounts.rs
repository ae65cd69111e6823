//! The account, its service provider and the key of its webhooks.

use serde_json::{Value, json};
use store::Secret;

use crate::rig::{ACCOUNT, FOREIGN, PROVIDER, Rig, application, declared};

#[tokio::test]
async fn the_account_is_read() {
    let rig = Rig::start().await;
    let account = rig.get("/Accounts/{a}").await.json();
    assert_eq!(account["account_sid"], ACCOUNT);
    assert_eq!(account["service_provider_sid"], PROVIDER);
    assert_eq!(account["is_active"], 1);
    for path in ["/Accounts", "/Accounts/", "/ServiceProviders/{p}/Accounts"] {
        assert_eq!(rig.get(path).await.json(), json!([account]), "{path}");
    }
    let provider = rig.get("/ServiceProviders/{p}").await.json();
    assert_eq!(provider["service_provider_sid"], PROVIDER);
    assert_eq!(rig.get("/ServiceProviders").await.json(), json!([provider]));
}

#[tokio::test]
async fn the_account_is_changed_in_part() {
    let rig = Rig::start().await;
    let app = rig.make("/Applications", &application("main")).await;
    rig.gateway.asked();
    let body = json!({ "device_calling_application_sid": app, "device_to_call_ratio": 7 });
    let answer = rig.ask("PUT", "/Accounts/{a}", &body.to_string()).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(rig.gateway.asked(), ["provisioned"]);
    assert_eq!(rig.ask("PUT", "/Accounts/{a}", "{\"name\":\"ours\"}").await.status, 204);
    let account = rig.get("/Accounts/{a}").await.json();
    assert_eq!(account["device_calling_application_sid"], json!(app));
    assert_eq!((&account["device_to_call_ratio"], &account["name"]), (&json!(7), &json!("ours")));
    let clear = r#"{"device_calling_application_sid":null}"#;
    assert_eq!(rig.ask("PUT", "/Accounts/{a}", clear).await.status, 204);
    let account = rig.get("/Accounts/{a}").await.json();
    assert_eq!(account["device_calling_application_sid"], Value::Null);
}

#[tokio::test]
async fn what_an_account_cannot_be_is_refused() {
    let rig = Rig::start().await;
    let rows = [
        (json!({ "account_sid": ACCOUNT }), "primary key account_sid is immutable"),
        (json!({ "service_provider_sid": FOREIGN }), "/service_provider_sid: cannot be changed"),
        (json!({ "sip_realm": "" }), "/sip_realm: wrong value; expected a domain"),
        (json!({ "name": 1 }), "/name: wrong value"),
        (json!({ "device_calling_application_sid": FOREIGN }), "no such application"),
        (json!({ "is_active": 0 }), "/is_active: cannot be changed"),
        (json!({ "record_all_calls": 1 }), "record_all_calls is not supported"),
        (json!({ "registration_hook": { "url": "http://h/" } }), "is not supported"),
        (json!({ "nmae": "x" }), "did you mean `name`?"),
    ];
    for (body, part) in rows {
        let answer = rig.ask("PUT", "/Accounts/{a}", &body.to_string()).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.msg().contains(part), "{body}: {}", answer.msg());
    }
    assert_eq!(rig.gateway.asked(), [""; 0]);
}

#[tokio::test]
async fn what_the_file_says_is_changed_there() {
    let rig = Rig::start().await;
    let mut file = declared();
    file.account.sip_realm = Some("sip.example.com".to_owned());
    file.account.webhook_secret = Some(Secret::new("of-the-file"));
    rig.store.declare(&file).await.expect("written");
    let answer = rig.ask("PUT", "/Accounts/{a}", r#"{"sip_realm":"other.example.com"}"#).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.msg().contains("sip_realm stands in the configuration file"),
        "{}",
        answer.msg()
    );
    let same = r#"{"sip_realm":"sip.example.com","name":"new"}"#;
    assert_eq!(rig.ask("PUT", "/Accounts/{a}", same).await.status, 204);
    let path = "/Accounts/{a}/WebhookSecret";
    assert_eq!(rig.get(path).await.json(), json!({ "webhook_secret": "of-the-file" }));
    rig.gateway.asked();
    let answer = rig.get(&format!("{path}?regenerate=true")).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert_eq!(rig.get(path).await.json(), json!({ "webhook_secret": "of-the-file" }));
    assert_eq!(rig.gateway.asked(), [""; 0]);
}

#[tokio::test]
async fn the_key_of_webhooks_is_made_anew_and_the_account_shows_it_obscured() {
    let rig = Rig::start().await;
    let path = "/Accounts/{a}/WebhookSecret";
    assert_eq!(rig.get(path).await.json(), json!({ "webhook_secret": null }));
    let made = rig.get(&format!("{path}?regenerate=true")).await.json();
    let secret = made["webhook_secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("wh_secret_") && secret.len() > 30, "{secret}");
    assert_eq!(rig.gateway.asked(), ["provisioned"]);
    assert_eq!(rig.get(&format!("{path}?regenerate=false")).await.json(), made);
    let again = rig.get(&format!("{path}?regenerate=true")).await.json();
    assert_ne!(again, made);
    assert_eq!(rig.get(&format!("{path}?regenerate=maybe")).await.status, 400);
    let account = rig.get("/Accounts/{a}").await;
    assert!(!account.body.contains(again["webhook_secret"].as_str().expect("a secret")));
    assert!(account.json()["webhook_secret"].as_str().expect("obscured").ends_with("XXX"));
}
