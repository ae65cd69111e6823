//! Entries over REST: made, read, listed, changed in part, removed.

use serde_json::{Value, json};

use crate::rig::{ACCOUNT, PROVIDER, Rig, application};

/// One kind of entry as clients use it.
struct Kind {
    /// Where it is made and listed.
    paths: &'static [&'static str],
    sid: &'static str,
    /// The body that makes one; `$app` and `$car` stand for sids.
    body: Value,
    /// What it is then, besides the body.
    also: Value,
    /// A change, and what it makes.
    change: Value,
    changed: Value,
    /// The list needs it.
    query: &'static str,
}

#[allow(clippy::too_many_lines, reason = "a table")]
fn kinds() -> Vec<Kind> {
    let paths = |name: &'static str| -> &'static [&'static str] {
        match name {
            "Applications" => &[
                "/Applications",
                "/Accounts/{a}/Applications",
                "/ServiceProviders/{p}/Applications",
            ],
            "VoipCarriers" => &[
                "/VoipCarriers",
                "/Accounts/{a}/VoipCarriers",
                "/ServiceProviders/{p}/VoipCarriers",
            ],
            "PhoneNumbers" => &["/PhoneNumbers", "/Accounts/{a}/PhoneNumbers"],
            "SipGateways" => &["/SipGateways"],
            _ => &["/Clients", "/Accounts/{a}/Clients"],
        }
    };
    vec![
        Kind {
            paths: paths("Applications"),
            sid: "application_sid",
            body: json!({
                "name": "new",
                "account_sid": ACCOUNT,
                "call_hook": { "url": "https://h.example/in", "method": "GET",
                               "username": "u", "password": "pass" },
                "call_status_hook": { "url": "https://h.example/status" },
                "messaging_hook": null,
                "app_json": "[{\"verb\":\"answer\"}]",
                "speech_synthesis_vendor": "google",
                "speech_recognizer_label": null,
                "use_for_fallback_speech": false,
                "record_all_calls": 0,
                "env_vars": {},
            }),
            also: json!({
                "account_sid": ACCOUNT,
                "call_hook": { "url": "https://h.example/in", "method": "GET",
                               "username": "u", "password": "pXXX" },
                "call_status_hook": { "url": "https://h.example/status", "method": "POST",
                                      "username": null, "password": null },
                "messaging_hook": null,
                "speech_synthesis_vendor": "google",
                "use_for_fallback_speech": 0,
                "strict": 0, "default_hooks": 0, "decline": "last", "is_active": 1, "declared": 0,
            }),
            change: json!({ "app_json": null, "strict": true, "speech_synthesis_vendor": null }),
            changed: json!({ "name": "new", "app_json": null, "strict": 1,
                             "speech_synthesis_vendor": null }),
            query: "",
        },
        Kind {
            paths: paths("VoipCarriers"),
            sid: "voip_carrier_sid",
            body: json!({
                "name": "new", "description": "ours", "application_sid": "$app",
                "e164_leading_plus": 1, "tech_prefix": "99#", "diversion": "4930",
                "requires_register": true, "register_username": "u", "register_password": "pass",
                "register_sip_realm": "sip.example.com", "trunk_type": "static_ip",
                "dtmf_type": "tones", "max_calls": 5, "inbound_auth_username": null,
            }),
            also: json!({
                "account_sid": ACCOUNT, "service_provider_sid": PROVIDER, "e164_leading_plus": 1,
                "register_password": "pXXX", "requires_register": 1, "is_active": 1,
                "trunk_type": "static_ip", "max_calls": 5, "send_call_sid": 0,
            }),
            change: json!({ "description": null, "is_active": 0, "max_calls": null,
                            "register_password": "pXXX" }),
            changed: json!({ "name": "new", "description": null, "is_active": 0,
                             "register_password": "pXXX", "tech_prefix": "99#" }),
            query: "",
        },
        Kind {
            paths: paths("SipGateways"),
            sid: "sip_gateway_sid",
            body: json!({
                "voip_carrier_sid": "$car", "ipv4": "203.0.113.9", "port": 5080, "netmask": 32,
                "inbound": true, "outbound": 1, "protocol": "udp", "pad_crypto": 0,
                "send_options_ping": false, "priority": 2, "weight": 7,
            }),
            also: json!({ "inbound": 1, "outbound": 1, "is_active": 1, "port": 5080,
                          "priority": 2, "weight": 7, "pad_crypto": 0 }),
            change: json!({ "ipv4": "sip.example.com", "inbound": 0, "port": null }),
            changed: json!({ "ipv4": "sip.example.com", "netmask": 32, "inbound": 0,
                             "outbound": 1, "port": null }),
            query: "?voip_carrier_sid=$car",
        },
        Kind {
            paths: paths("PhoneNumbers"),
            sid: "phone_number_sid",
            body: json!({ "number": "+4930*", "voip_carrier_sid": "$car", "account_sid": ACCOUNT }),
            also: json!({ "number": "4930*", "application_sid": null, "is_active": 1,
                          "service_provider_sid": PROVIDER }),
            change: json!({ "application_sid": "$app", "number": "4930*" }),
            changed: json!({ "number": "4930*", "application_sid": "$app",
                             "voip_carrier_sid": "$car" }),
            query: "",
        },
        Kind {
            paths: paths("Clients"),
            sid: "client_sid",
            body: json!({ "account_sid": ACCOUNT, "username": "new", "password": "s3cret",
                          "is_active": 1, "allow_direct_app_calling": false }),
            also: json!({ "password": "sXXXXX", "allow_direct_app_calling": 0,
                          "allow_direct_queue_calling": 1, "allow_direct_user_calling": 1 }),
            change: json!({ "is_active": false, "password": "other" }),
            changed: json!({ "username": "new", "is_active": 0, "password": "oXXXX" }),
            query: "",
        },
    ]
}

/// `value` with the sids in place.
fn filled(value: &Value, app: &str, car: &str) -> String {
    value.to_string().replace("$app", app).replace("$car", car)
}

/// Every member of `part` is one of `whole`.
fn assert_has(whole: &Value, part: &str, what: &str) {
    let part: Value = serde_json::from_str(part).expect("JSON");
    for (key, value) in part.as_object().expect("an object") {
        assert_eq!(&whole[key], value, "{what}: {key} of {whole}");
    }
}

#[tokio::test]
async fn every_kind_is_made_read_listed_changed_and_removed_wherever_it_is() {
    for kind in kinds() {
        let rig = Rig::start().await;
        let app = rig.make("/Applications", &application("main")).await;
        let car = rig.make("/VoipCarriers", &json!({ "name": "Twilio" })).await;
        let fill = |value: &Value| filled(value, &app, &car);
        for path in kind.paths {
            rig.gateway.asked();
            let made = rig.ask("POST", &format!("{path}/"), &fill(&kind.body)).await;
            assert_eq!(made.status, 201, "{path}: {}", made.body);
            assert_eq!(made.json().as_object().expect("an object").len(), 1, "{}", made.body);
            let sid = made.json()["sid"].as_str().expect("a sid").to_owned();
            assert_eq!(sid.len(), 36);
            let one = format!("{path}/{sid}");

            let read = rig.get(&one).await;
            assert_eq!(read.status, 200, "{path}");
            assert_eq!(read.json()[kind.sid], json!(sid));
            assert_has(&read.json(), &fill(&kind.also), path);

            for slash in ["", "/"] {
                let query = kind.query.replace("$car", &car);
                let list = rig.get(&format!("{path}{slash}{query}")).await;
                assert_eq!(list.status, 200, "{path}");
                let list = list.json();
                assert!(list.as_array().expect("a list").contains(&read.json()), "{path}: {list}");
            }

            let changed = rig.ask("PUT", &one, &fill(&kind.change)).await;
            assert_eq!((changed.status, changed.body.as_str()), (204, ""), "{path}");
            let read = rig.get(&one).await.json();
            assert_has(&read, &fill(&kind.changed), path);
            assert_eq!(rig.ask("PUT", &one, "{}").await.status, 204);
            assert_eq!(rig.get(&one).await.json(), read, "{path}: nothing was said");

            let removed = rig.ask("DELETE", &one, "").await;
            assert_eq!((removed.status, removed.body.as_str()), (204, ""), "{path}");
            assert_eq!(rig.get(&one).await.status, 404);
            assert_eq!(rig.ask("DELETE", &one, "").await.status, 404);
            assert_eq!(rig.gateway.asked(), ["provisioned"; 4], "{path}");
        }
    }
}

#[tokio::test]
async fn what_was_read_can_be_sent_back() {
    let rig = Rig::start().await;
    let app = rig.make("/Applications", &application("main")).await;
    let car = rig.make("/VoipCarriers", &json!({ "name": "Twilio" })).await;
    for kind in kinds() {
        let path = kind.paths[0];
        let body: Value = serde_json::from_str(&filled(&kind.body, &app, &car)).expect("JSON");
        let one = format!("{path}/{}", rig.make(path, &body).await);
        let before = rig.get(&one).await.json();
        let mut back = before.clone();
        back.as_object_mut().expect("an object").remove(kind.sid);
        let answer = rig.ask("PUT", &one, &back.to_string()).await;
        assert_eq!(answer.status, 204, "{path}: {}", answer.body);
        assert_eq!(rig.get(&one).await.json(), before);
    }
    let clients = rig.store.list::<store::Client>().await.expect("read");
    assert_eq!(clients[0].password.expose(), "s3cret", "not the obscured form");
    let applications = rig.store.list::<store::Application>().await.expect("read");
    let hook = applications[1].call_hook.as_ref().expect("a hook");
    assert_eq!(hook.password.as_ref().expect("a password").expose(), "pass");
}

#[tokio::test]
async fn a_long_list_comes_in_pages_where_they_are_asked_for() {
    let rig = Rig::start().await;
    for name in ["a", "b", "c"] {
        rig.make("/Clients", &json!({ "username": name, "password": "p" })).await;
    }
    let page = rig.get("/Clients?page=2&page_size=2").await.json();
    assert_eq!(
        (&page["total"], &page["page"], &page["page_size"]),
        (&3.into(), &2.into(), &2.into())
    );
    assert_eq!(page["data"].as_array().expect("a list").len(), 1);
    assert_eq!(page["data"][0]["username"], "c");
    let page = rig.get("/Clients?page=4294967295").await.json();
    assert_eq!((&page["page_size"], &page["data"]), (&json!(50), &json!([])));
    assert_eq!(rig.get("/Clients?page=0").await.status, 400);
    assert_eq!(rig.get("/Clients?page=1&page_size=501").await.status, 400);
}

#[tokio::test]
async fn lists_are_filtered() {
    let rig = Rig::start().await;
    for name in ["one", "two"] {
        rig.make("/VoipCarriers", &json!({ "name": name })).await;
    }
    for number in ["4930", "4940"] {
        rig.make("/PhoneNumbers", &json!({ "number": number })).await;
    }
    let rows = [
        ("/VoipCarriers?name=two", 1),
        ("/VoipCarriers?account_sid={a}", 2),
        ("/VoipCarriers?account_sid=other", 0),
        ("/PhoneNumbers?filter=94", 1),
        ("/PhoneNumbers?account_sid={a}&filter=49", 2),
    ];
    for (path, count) in rows {
        let list = rig.get(path).await.json();
        assert_eq!(list.as_array().expect("a list").len(), count, "{path}");
    }
    let answer = rig.get("/SipGateways").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.msg(), "query parameter voip_carrier_sid: missing; expected a sid");
}

#[tokio::test]
async fn a_password_that_was_left_out_is_made_and_told_once() {
    let rig = Rig::start().await;
    let made = rig.ask("POST", "/Clients", r#"{"username":"jane"}"#).await;
    assert_eq!(made.status, 201);
    let password = made.json()["password"].as_str().expect("a password").to_owned();
    assert_eq!(password.len(), 32);
    let clients = rig.store.list::<store::Client>().await.expect("read");
    assert_eq!(clients[0].password.expose(), password);
    assert!(!rig.get("/Clients").await.body.contains(&password));
}

#[tokio::test]
async fn a_carrier_that_wants_a_registration_says_what_has_become_of_it() {
    let rig = Rig::start().await;
    let body = json!({ "name": "reg", "requires_register": 1, "register_username": "u",
                       "register_password": "p" });
    let sid = rig.make("/VoipCarriers", &body).await;
    let status = rig.get(&format!("/VoipCarriers/{sid}")).await.json()["register_status"].clone();
    assert_eq!(status["status"], "fail");
    assert!(status["reason"].as_str().expect("why").contains("sends no REGISTER"));
}
