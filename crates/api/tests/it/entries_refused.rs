//! Entries that are refused: wrong, taken, in use, of the configuration file.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use store::{Application, Client, Extra, Secret};

use crate::rig::{ACCOUNT, FOREIGN, Rig, application, declared};

fn with(mut body: Value, key: &str, value: Value) -> Value {
    body[key] = value;
    body
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "a table")]
async fn what_is_wrong_is_said_with_its_place() {
    let rig = Rig::start().await;
    let car = rig.make("/VoipCarriers", &json!({ "name": "Twilio" })).await;
    let app = |key: &str, value: Value| ("/Applications", with(application("x"), key, value));
    let carrier =
        |key: &str, value: Value| ("/VoipCarriers", with(json!({ "name": "x" }), key, value));
    let gateway = |key: &str, value: Value| {
        let body = json!({ "voip_carrier_sid": car, "ipv4": "192.0.2.1", "inbound": 1,
                           "outbound": 1 });
        ("/SipGateways", with(body, key, value))
    };
    let number =
        |key: &str, value: Value| ("/PhoneNumbers", with(json!({ "number": "4930" }), key, value));
    let client = |key: &str, value: Value| {
        ("/Clients", with(json!({ "username": "x", "password": "p" }), key, value))
    };
    let rows = [
        (("/Applications", json!({})), "/name: missing; expected a text of 1 to 64 characters"),
        (("/Applications", json!({ "name": "x" })), "/call_hook: the application has nothing to"),
        (("/Applications", json!([])), "1:1: -: no object"),
        (app("name", json!("")), "/name: wrong value; expected a text of 1 to 64 characters, got"),
        (app("name", json!("a\r\nb")), "/name: wrong value"),
        (app("call_hook", json!("http://h/")), "/call_hook: wrong type; expected an object"),
        (app("call_hook", json!({ "url": "/in" })), "/call_hook/url: not an absolute URL"),
        (app("call_hook", json!({ "url": "ws://h/" })), "WebSocket hooks are not supported"),
        (app("call_hook", json!({ "url": "http://u:secret@h/" })), "credentials in the URL"),
        (app("app_json", json!("[{\"verb\":\"dail\"}]")), "/app_json: in the list, 1:"),
        (app("app_json", json!([])), "/app_json: wrong value; expected a list of verbs, as text"),
        (app("account_sid", json!(FOREIGN)), "/account_sid: cannot be changed; expected"),
        (app("application_sid", json!(FOREIGN)), "primary key application_sid is immutable"),
        (app("record_all_calls", json!(true)), "record_all_calls is not supported"),
        (app("env_vars", json!({ "a": "b" })), "env_vars is not supported by this version"),
        (app("decline", json!(604)), "/decline: wrong value; expected one of \"last\", \"603\""),
        (app("call_hok", json!(1)), "/call_hok: unknown property; did you mean `call_hook`?"),
        (app("strict", json!("yes")), "/strict: wrong value; expected true, false, 1 or 0"),
        (carrier("requires_register", json!(1)), "/register_username: missing"),
        (carrier("register_username", json!("a b")), "expected a text without blanks"),
        (carrier("register_sip_realm", json!("")), "/register_sip_realm: wrong value"),
        (carrier("tech_prefix", json!("12345678901234567")), "/tech_prefix: wrong value"),
        (carrier("application_sid", json!(FOREIGN)), "/application_sid: application_sid not found"),
        (carrier("inbound_auth_username", json!("u")), "inbound_auth_username is not supported"),
        (carrier("outbound_sip_proxy", json!("p.example")), "is not supported by this version"),
        (carrier("dtmf_type", json!("info")), "/dtmf_type: wrong value"),
        (carrier("max_calls", json!(0)), "/max_calls: wrong value; expected a number from 1"),
        (carrier("smpp_system_id", json!("s")), "is not supported by this version"),
        (gateway("voip_carrier_sid", json!(FOREIGN)), "voip_carrier_sid not found"),
        (gateway("voip_carrier_sid", Value::Null), "/voip_carrier_sid: wrong value"),
        (gateway("ipv4", json!("300.1.1.1")), "/ipv4: wrong value"),
        (gateway("ipv4", json!("sip.example.com")), "/ipv4: inbound without an address"),
        (gateway("netmask", json!(24)), "/netmask: a network is inbound only; expected 32"),
        (gateway("netmask", json!(33)), "/netmask: wrong value; expected a number from 0 to 32"),
        (gateway("port", json!(70000)), "/port: wrong value"),
        (gateway("inbound", Value::Null), "/inbound: missing"),
        (gateway("protocol", json!("tls")), "/protocol: wrong value; expected one of \"udp\""),
        (gateway("use_sips_scheme", json!(1)), "use_sips_scheme is not supported"),
        (number("number", json!("^49.*$")), "/number: wrong value; expected digits"),
        (number("number", Value::Null), "/number: wrong value"),
        (number("voip_carrier_sid", json!(FOREIGN)), "voip_carrier_sid not found"),
        (number("application_sid", json!(FOREIGN)), "application_sid not found"),
        (client("username", json!("a b")), "/username: wrong value"),
        (client("username", json!("<script>")), "/username: wrong value"),
        (client("password", json!("")), "/password: wrong value; expected a text of 1 to 128"),
        (client("allow_direct_user_calling", json!(0)), "users may always call each other"),
    ];
    rig.gateway.asked();
    for ((path, body), part) in rows {
        let answer = rig.ask("POST", path, &body.to_string()).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.body);
        assert!(answer.msg().contains(part), "{path} {body}: {}", answer.msg());
        assert!(!answer.body.contains("secret@"), "{}", answer.body);
    }
    assert_eq!(rig.gateway.asked(), [""; 0]);
}

#[tokio::test]
async fn every_fault_of_a_body_is_told_at_once() {
    let rig = Rig::start().await;
    let body = json!({ "name": 7, "call_hook": { "url": "x" }, "bogus": 1, "strict": 2 });
    let msg = rig.ask("POST", "/Applications", &body.to_string()).await.msg();
    assert_eq!(msg.lines().count(), 4, "{msg}");
    let syntax = rig.ask("POST", "/Applications", "{\n  \"name\": \"x\",\n}").await;
    assert!(syntax.msg().starts_with("3:1: -: not JSON"), "{}", syntax.msg());
}

#[tokio::test]
async fn what_was_fixed_when_it_was_made_cannot_be_changed() {
    let rig = Rig::start().await;
    let car = rig.make("/VoipCarriers", &json!({ "name": "Twilio" })).await;
    let number = rig.make("/PhoneNumbers", &json!({ "number": "4930" })).await;
    let client = rig.make("/Clients", &json!({ "username": "x", "password": "p" })).await;
    let rows = [
        (format!("/PhoneNumbers/{number}"), json!({ "number": "4931" }), "/number: cannot be"),
        (
            format!("/PhoneNumbers/{number}"),
            json!({ "voip_carrier_sid": car }),
            "/voip_carrier_sid: cannot be changed; expected null",
        ),
        (format!("/VoipCarriers/{car}"), json!({ "voip_carrier_sid": car }), "is immutable"),
        (format!("/VoipCarriers/{car}"), json!({ "name": null }), "/name: wrong value"),
        (format!("/Clients/{client}"), json!({ "password": null }), "cannot be cleared"),
        (format!("/Clients/{client}"), json!({ "account_sid": FOREIGN }), "cannot be changed"),
    ];
    for (path, body, part) in rows {
        let answer = rig.ask("PUT", &path, &body.to_string()).await;
        assert_eq!(answer.status, 400, "{path} {body}");
        assert!(answer.msg().contains(part), "{path} {body}: {}", answer.msg());
    }
}

#[tokio::test]
async fn a_name_is_given_once() {
    let rig = Rig::start().await;
    let rows = [
        ("/Applications", application("one"), application("two"), "name", 422),
        ("/VoipCarriers", json!({ "name": "one" }), json!({ "name": "two" }), "name", 422),
        ("/PhoneNumbers", json!({ "number": "1" }), json!({ "number": "+1" }), "", 422),
        (
            "/Clients",
            json!({ "username": "one", "password": "p" }),
            json!({ "username": "two", "password": "p" }),
            "username",
            400,
        ),
    ];
    for (path, first, second, key, status) in rows {
        rig.make(path, &first).await;
        let again = rig.ask("POST", path, &first.to_string()).await;
        assert_eq!(again.status, status, "{path}");
        assert!(again.msg().contains("is there already"), "{}", again.msg());
        if key.is_empty() {
            assert_eq!(rig.ask("POST", path, &second.to_string()).await.status, status);
            continue;
        }
        let two = rig.make(path, &second).await;
        let taken = json!({ key: first[key] }).to_string();
        let answer = rig.ask("PUT", &format!("{path}/{two}"), &taken).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_others_refer_to_stays() {
    let rig = Rig::start().await;
    let app = rig.make("/Applications", &application("main")).await;
    let car = rig.make("/VoipCarriers", &json!({ "name": "Twilio" })).await;
    let body = json!({ "number": "4930", "application_sid": app, "voip_carrier_sid": car });
    let number = rig.make("/PhoneNumbers", &body).await;
    for path in [format!("/Applications/{app}"), format!("/VoipCarriers/{car}")] {
        let answer = rig.ask("DELETE", &path, "").await;
        assert_eq!(answer.status, 422, "{path}");
        assert!(answer.msg().contains("is in use"), "{}", answer.msg());
    }
    let body = json!({ "voip_carrier_sid": car, "ipv4": "192.0.2.1", "inbound": 1, "outbound": 0 });
    let gateway = rig.make("/SipGateways", &body).await;
    assert_eq!(rig.ask("DELETE", &format!("/PhoneNumbers/{number}"), "").await.status, 204);
    assert_eq!(rig.ask("DELETE", &format!("/VoipCarriers/{car}"), "").await.status, 204);
    assert_eq!(rig.get(&format!("/SipGateways/{gateway}")).await.status, 404, "it went with it");
}

#[tokio::test]
async fn entries_of_the_file_are_read_here_and_changed_there() {
    let rig = Rig::start().await;
    let sid = |number: u8| format!("00000000-0000-5000-8000-00000000000{number}");
    let mut file = declared();
    file.clients = vec![Client {
        client_sid: sid(1),
        account_sid: ACCOUNT.to_owned(),
        username: "jane".to_owned(),
        password: Secret::new("p"),
        allow_direct_app_calling: true,
        allow_direct_queue_calling: true,
        allow_direct_user_calling: true,
        extra: Extra::default(),
        is_active: true,
        declared: true,
    }];
    rig.store.declare(&file).await.expect("written");
    let app = rig.make("/Applications", &application("main")).await;
    let mut entry = rig.store.get::<Application>(&app).await.expect("read").expect("it was made");
    (entry.application_sid, entry.name) = (sid(2), "of the file".to_owned());
    file.applications = vec![entry];
    rig.store.declare(&file).await.expect("written");

    assert_eq!(rig.get(&format!("/Clients/{}", sid(1))).await.json()["declared"], 1);
    for path in [format!("/Clients/{}", sid(1)), format!("/Applications/{}", sid(2))] {
        for (method, body) in [("PUT", "{}"), ("DELETE", "")] {
            let answer = rig.ask(method, &path, body).await;
            assert_eq!(answer.status, 422, "{method} {path}");
            assert!(answer.msg().contains("stands in the configuration file"), "{}", answer.msg());
        }
    }
    let taken = [
        ("/Clients", json!({ "username": "jane", "password": "q" })),
        ("/Applications", application("of the file")),
    ];
    for (path, body) in taken {
        let answer = rig.ask("POST", path, &body.to_string()).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.body);
        assert!(answer.msg().contains("stands in the configuration file"), "{}", answer.msg());
    }
}

#[tokio::test]
async fn a_gateway_that_did_not_follow_is_told() {
    let rig = Rig::start().await;
    rig.gateway.stuck.store(true, Ordering::Relaxed);
    let answer = rig.ask("POST", "/Applications", &application("main").to_string()).await;
    assert_eq!(answer.status, 500);
    assert!(answer.msg().contains("it is kept, but calls still go by"), "{}", answer.msg());
}
