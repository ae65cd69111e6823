//! Who is registered, and where.

use api::Registered;
use serde_json::{Value, json};

use crate::rig::{Rig, contact};

const USERS: &str = "/Accounts/{a}/RegisteredSipUsers";

async fn with_users() -> Rig {
    let rig = Rig::start().await;
    for user in ["jane", "joe"] {
        rig.make("/Clients", &json!({ "username": user, "password": "p" })).await;
    }
    let contacts = vec![contact("sip:jane@192.0.2.7", 1000), contact("sip:jane@192.0.2.8", 2000)];
    let registered = Registered { user: "jane".to_owned(), contacts };
    *rig.gateway.registered.lock().expect("no panic") = vec![registered];
    rig
}

#[tokio::test]
async fn names_carry_the_realm_where_there_is_one() {
    let rig = with_users().await;
    assert_eq!(rig.get(USERS).await.json(), json!(["jane"]));
    let realm = r#"{"sip_realm":"SIP.example.com"}"#;
    assert_eq!(rig.ask("PUT", "/Accounts/{a}", realm).await.status, 204);
    assert_eq!(rig.get(USERS).await.json(), json!(["jane@sip.example.com"]));
}

#[tokio::test]
async fn details_tell_every_contact() {
    let rig = with_users().await;
    let details = rig.get(&format!("{USERS}/jane")).await.json();
    let one = |uri: &str, expires: i64| {
        json!({ "contact": uri, "expiryTime": expires, "protocol": "udp",
                "proxy": "192.0.2.7:5062" })
    };
    let all = json!([one("sip:jane@192.0.2.7", 1000), one("sip:jane@192.0.2.8", 2000)]);
    assert_eq!(
        details,
        json!({
            "name": "jane",
            "contact": "sip:jane@192.0.2.7",
            "expiryTime": 1000,
            "protocol": "udp",
            "allow_direct_app_calling": 1,
            "allow_direct_queue_calling": 1,
            "allow_direct_user_calling": 1,
            "registered_status": "active",
            "proxy": "192.0.2.7:5062",
            "contacts": all,
        })
    );
    assert_eq!(rig.get(&format!("{USERS}/jane%40sip.example.com")).await.json(), details);
    let joe = rig.get(&format!("{USERS}/joe")).await.json();
    assert_eq!((&joe["registered_status"], &joe["expiryTime"]), (&json!("inactive"), &json!(0)));
    assert_eq!((&joe["contact"], &joe["contacts"]), (&Value::Null, &json!([])));
    assert_eq!(rig.get(&format!("{USERS}/nobody")).await.status, 404);
}

#[tokio::test]
async fn several_are_asked_for_by_name() {
    let rig = with_users().await;
    let rows = [
        (r#"["joe","jane"]"#, vec![("joe", "inactive"), ("jane", "active")]),
        (r#"["nobody"]"#, vec![("nobody", "inactive")]),
        ("[]", vec![("jane", "active")]),
        ("", vec![("jane", "active")]),
        ("{}", vec![("jane", "active")]),
    ];
    for (body, wanted) in rows {
        let answer = rig.ask("POST", USERS, body).await;
        assert_eq!(answer.status, 200, "{body}");
        let details = answer.json();
        let details = details.as_array().expect("a list").iter();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let said: Vec<(String, String)> =
            details.map(|one| (text(&one["name"]), text(&one["registered_status"]))).collect();
        let wanted: Vec<(String, String)> =
            wanted.iter().map(|(name, word)| ((*name).to_owned(), (*word).to_owned())).collect();
        assert_eq!(said, wanted, "{body}");
    }
    for body in ["[1]", "\"jane\"", "[\"jane\""] {
        let answer = rig.ask("POST", USERS, body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.msg().contains("expected a list of at most 10000 user names"), "{body}");
    }
}
