//! Who the callee sees calling: From and its display name, P-Asserted-Identity and Privacy.

use serde_json::{Value, json};
use sip::{Message, Method};
use testkit::Caller;

use crate::scene::{Scene, callee_address, dial, patient, target, waits};
use crate::sent::request_to;

/// The INVITE that callee 1 gets.
fn invite(caller: Caller, more: &Value) -> Message {
    let mut more = more.clone();
    more["timeout"] = json!(1);
    let world = Scene::dialling(vec![waits()], &more).caller(caller).play();
    request_to(&world, callee_address(1), &Method::Invite).message
}

fn from(caller: Caller, more: &Value) -> (String, String) {
    let from = invite(caller, more).from().unwrap();
    (from.display.unwrap_or_default(), from.uri.to_string())
}

fn values(message: &Message, name: &str) -> Vec<String> {
    message.header_all(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

#[test]
fn without_caller_id_it_is_the_callers_own() {
    let (display, uri) = from(patient(), &json!({}));
    assert_eq!((display.as_str(), uri.as_str()), ("", "sip:+491701234567@10.0.0.1"));
    let message = invite(patient(), &json!({}));
    assert_eq!(message.contact().unwrap().uri.user.as_deref(), Some("+491701234567"));
    assert_eq!(message.to().unwrap().uri.to_string(), "sip:b1@10.0.2.1:5060");
}

#[test]
fn caller_id_and_name_are_those_of_the_dial() {
    let more = json!({ "callerId": "+491173331212", "callerName": "Bob \"B\" Brown" });
    let message = invite(patient(), &more);
    let from = message.from().unwrap();
    assert_eq!(from.uri.to_string(), "sip:+491173331212@10.0.0.1");
    let written = message.header_text("From").unwrap();
    assert!(written.starts_with("\"Bob \\\"B\\\" Brown\" <sip:"), "{written}");
}

#[test]
fn a_target_may_say_otherwise() {
    let mut from_sales = target(1);
    from_sales["from"] = json!({ "user": "sales", "host": "example.com" });
    let more = json!({ "callerId": "+491173331212", "target": [from_sales] });
    assert_eq!(from(patient(), &more).1, "sip:sales@example.com");
    let mut only_host = target(1);
    only_host["from"] = json!({ "host": "example.com" });
    let more = json!({ "callerId": "+491173331212", "target": [only_host] });
    assert_eq!(from(patient(), &more).1, "sip:+491173331212@example.com");
}

#[test]
fn a_caller_without_a_user_is_anonymous() {
    let caller = Caller { from: "<sip:10.0.1.1>".to_owned(), ..patient() };
    assert_eq!(from(caller, &json!({})).1, "sip:anonymous@10.0.0.1");
}

#[test]
fn what_cannot_stand_in_a_uri_is_escaped() {
    let (_, uri) = from(patient(), &json!({ "callerId": "Bob @ home" }));
    assert_eq!(uri, "sip:Bob%20%40%20home@10.0.0.1");
}

fn asserted() -> Caller {
    let identity = "\"Anna\" <sip:+491701234567@carrier.example>";
    let headers = [
        ("P-Asserted-Identity", identity),
        ("P-Asserted-Identity", "<tel:+491701234567>"),
        ("Privacy", "id"),
        ("X-Secret", "between us"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Caller { headers, ..patient() }
}

#[test]
fn the_asserted_identity_passes_and_nothing_else_does() {
    for more in [json!({}), json!({ "forwardPAI": true })] {
        let message = invite(asserted(), &more);
        let identities = values(&message, "P-Asserted-Identity");
        let expected = ["\"Anna\" <sip:+491701234567@carrier.example>", "<tel:+491701234567>"];
        assert_eq!(identities, expected);
        assert_eq!(values(&message, "Privacy"), ["id"]);
        assert_eq!(message.header("X-Secret"), None);
    }
}

#[test]
fn an_identity_of_another_number_leaves_from_as_it_is() {
    let asserted = ("P-Asserted-Identity".to_owned(), "<sip:+4930555@carrier.example>".to_owned());
    let caller = || Caller { headers: vec![asserted.clone()], ..patient() };
    let other = json!({ "headers": { "P-Asserted-Identity": "<sip:+4930777@example.com>" } });
    for more in [json!({}), json!({ "forwardPAI": false }), other] {
        assert_eq!(from(caller(), &more).1, "sip:+491701234567@10.0.0.1", "{more}");
    }
}

#[test]
fn the_application_may_keep_the_identity_or_set_another() {
    let message = invite(asserted(), &json!({ "forwardPAI": false }));
    assert_eq!(message.header("P-Asserted-Identity"), None);
    assert_eq!(message.header("Privacy"), None);
    let headers = json!({ "p-asserted-identity": "<sip:me@example.com>" });
    let message = invite(asserted(), &json!({ "headers": headers }));
    assert_eq!(values(&message, "P-Asserted-Identity"), ["<sip:me@example.com>"]);
    assert_eq!(values(&message, "Privacy"), ["id"]);
}

#[test]
fn one_hop_less_than_the_caller_has() {
    for (of_caller, of_callee) in [(70, 69), (2, 1), (1, 0)] {
        let caller = Caller { max_forwards: of_caller, ..patient() };
        let message = invite(caller, &json!({}));
        assert_eq!(message.max_forwards().unwrap(), Some(of_callee));
    }
}

#[test]
fn each_attempt_has_a_dialog_of_its_own() {
    let list = json!([dial(2, &json!({ "timeout": 1 }))]);
    let world = Scene::running(&list).callees(vec![waits(), waits()]).play();
    let [one, two] = [1, 2].map(|number| {
        let invite = request_to(&world, callee_address(number), &Method::Invite);
        let text = |name: &str| invite.header(name).unwrap();
        [text("Call-ID"), text("Via"), invite.message.from().unwrap().tag().unwrap().to_owned()]
    });
    for (of_one, of_two) in one.iter().zip(&two) {
        assert_ne!(of_one, of_two);
    }
}
