//! Calls to carriers: which number and headers they get, what they are told when they ask for a
//! password, which of their gateways is tried, and how many calls they take.

use std::net::UdpSocket;

use serde_json::{Value, json};
use sip::Method;
use sip::auth::digest::Credentials;

use crate::support::ladder::{Ladder, Message};
use crate::support::phone::Phone;
use crate::support::scene::{CALLER, Config, Scene, dial};

/// The first and the second gateway of the carrier.
const FIRST: u8 = 3;
const SECOND: u8 = 4;

/// A carrier of this name with these gateways, the first tried first, and more lines.
fn carrier(name: &str, gateways: &[&Phone], more: &str) -> String {
    let mut text = format!("[[carrier]]\nname = \"{name}\"\n{more}\n");
    for (priority, gateway) in gateways.iter().enumerate() {
        let (ip, port) = (gateway.address.ip(), gateway.address.port());
        text += &format!("[[carrier.gateway]]\nhost = \"{ip}\"\nport = {port}\n");
        text += &format!("priority = {priority}\n");
    }
    text
}

/// With one carrier for outbound calls, `out`.
fn config(scene: &Scene, gateways: &[&Phone], more: &str) -> Config {
    let mut config = scene.config();
    config.rest = carrier("out", gateways, more);
    config
}

fn phone_by(trunk: &str) -> Value {
    json!({ "type": "phone", "number": "4930555", "trunk": trunk })
}

/// A list that dials a number by these carriers.
fn dial_by(trunks: &[&str], more: &Value) -> Value {
    let targets: Vec<Value> = trunks.iter().map(|trunk| phone_by(trunk)).collect();
    let mut list = dial(&[], more);
    list[0]["answerOnBridge"] = json!(true);
    list[0]["target"] = json!(targets);
    list
}

/// The final status of each attempt at the first target.
fn attempts(scene: &Scene) -> Vec<Value> {
    let results = scene.app.requests("/dialled");
    let result = results.last().map(|request| request.json.clone()).unwrap_or_default();
    let attempts = result["dial_targets"][0]["attempts"].as_array().cloned().unwrap_or_default();
    attempts.iter().map(|attempt| attempt["sip_status"].clone()).collect()
}

/// A gateway that wants the password `of-the-carrier`, asked for with 401. sipp verifies the
/// answer to a 401 only.
fn challenging(gateway: Phone) -> Phone {
    gateway
        .with("user", "switch")
        .with("password", "of-the-carrier")
        .with("challenge", "401 Unauthorized")
        .with("challenge_header", "WWW-Authenticate")
        .with("otherwise", "")
}

/// The INVITEs that a challenging gateway got: one without an answer, one with.
fn two_invites(ladder: &Ladder) -> [&Message; 2] {
    let invites: [&Message; 2] = match ladder.received("INVITE").as_slice() {
        [first, second] => [first, second],
        _ => panic!("not two INVITEs:\n{}", ladder.summary()),
    };
    let number = |invite: &Message| -> u32 {
        let cseq = invite.header("CSeq").and_then(|cseq| cseq.split(' ').next());
        cseq.and_then(|number| number.parse().ok()).unwrap_or_default()
    };
    assert_eq!(number(invites[1]), number(invites[0]) + 1);
    assert_eq!(invites[0].header("Call-ID"), invites[1].header("Call-ID"));
    invites
}

const ACCOUNT: &str = "register = { username = \"switch\", password = \"of-the-carrier\", \
                       realm = \"carrier.example\" }";

#[test]
fn a_carrier_that_asks_for_a_password_gets_a_digest_that_it_accepts() {
    let scene = Scene::new();
    let gateway = challenging(scene.phone(FIRST));
    scene.app.runs("/incoming", &dial_by(&["out"], &json!({})));
    let switch = scene.starts(&config(&scene, &[&gateway], ACCOUNT));
    let gateway_runs = gateway.plays("callee_challenges", &switch);
    scene.phone(CALLER).plays("caller_hangs_up", &switch).finishes();
    two_invites(&gateway_runs.finishes());
    assert_eq!(scene.app.is_asked("/dialled").json["dial_call_status"], "completed");
    switch.ends();
}

#[test]
fn a_proxy_of_a_carrier_gets_its_own_kind_of_answer() {
    let scene = Scene::new();
    let gateway = scene
        .phone(FIRST)
        .with("challenge", "407 Proxy Authentication Required")
        .with("challenge_header", "Proxy-Authenticate")
        .with("otherwise", "<nop hide=\"true\" next=\"1\"/>");
    let gateway = challenging(gateway);
    scene.app.runs("/incoming", &dial_by(&["out"], &json!({})));
    let switch = scene.starts(&config(&scene, &[&gateway], ACCOUNT));
    let gateway_runs = gateway.plays("callee_challenges", &switch);
    scene.phone(CALLER).plays("caller_hangs_up", &switch).finishes();
    let ladder = gateway_runs.finishes();
    let [_, invite] = two_invites(&ladder);
    assert_eq!(invite.header("Authorization"), None);
    let answer = invite.header("Proxy-Authorization").unwrap_or_default();
    let credentials = Credentials::parse(answer).expect("it answers the challenge");
    assert!(credentials.prove(&Method::Invite, "of-the-carrier"), "{answer}");
    switch.ends();
}

#[test]
fn a_carrier_that_does_not_like_the_password_refuses() {
    let scene = Scene::new();
    let gateway = challenging(scene.phone(FIRST));
    let account = "register = { username = \"switch\", password = \"another\" }";
    scene.app.runs("/incoming", &dial_by(&["out"], &json!({})));
    let switch = scene.starts(&config(&scene, &[&gateway], account));
    let gateway_runs = gateway.plays("callee_challenges", &switch);
    scene.phone(CALLER).with("status", 403).plays("caller_is_refused", &switch).finishes();
    two_invites(&gateway_runs.finishes());
    assert_eq!(scene.app.is_asked("/dialled").json["dial_call_status"], "failed");
    switch.ends();
}

#[test]
fn each_carrier_gets_the_number_as_it_wants_it_and_no_ids_of_ours() {
    let scene = Scene::new();
    let phones = [scene.phone(FIRST), scene.phone(SECOND), scene.phone(5), scene.phone(6)];
    let phones = phones.map(|phone| phone.with("response", "404 Not Found"));
    let carriers = [
        ("plain", "", "4930555"),
        ("plus", "e164_leading_plus = true", "+4930555"),
        ("prefix", "tech_prefix = \"99\"", "994930555"),
        ("open", "send_call_sid = true\ndiversion = \"4930999\"", "4930555"),
    ];
    let mut config = scene.config();
    for (phone, (name, more, _)) in phones.iter().zip(carriers) {
        config.rest += &carrier(name, &[phone], more);
    }
    let names = carriers.map(|(name, _, _)| name);
    scene.app.runs("/incoming", &dial_by(&names, &json!({})));
    let switch = scene.starts(&config);
    let runs = phones.each_ref().map(|phone| phone.plays("callee_refuses", &switch));
    scene.phone(CALLER).with("status", 404).plays("caller_is_refused", &switch).finishes();
    for ((run, phone), (name, _, number)) in runs.into_iter().zip(&phones).zip(carriers) {
        let ladder = run.finishes();
        let invite = ladder.only("INVITE");
        let line = format!("INVITE sip:{number}@{} SIP/2.0", phone.address);
        assert_eq!(invite.first_line(), line, "{name}");
        assert_eq!(invite.header("X-Call-Sid").is_some(), name == "open", "{name}");
        let diversion = invite.header("Diversion").unwrap_or_default();
        assert_eq!(diversion.contains("4930999"), name == "open", "{name}: {diversion}");
    }
    switch.ends();
}

#[test]
fn who_the_caller_is_reaches_the_carrier_unless_the_application_says_no() {
    let scene = Scene::new();
    let asserted = "<sip:+49301234@example.com>";
    let caller = scene
        .phone(CALLER)
        .with("status", 404)
        .with("headers", format!("\nP-Asserted-Identity: {asserted}\nPrivacy: id"));
    let gateway = scene.phone(FIRST).with("response", "404 Not Found");
    let switch = scene.starts(&config(&scene, &[&gateway], ""));
    for forward in [true, false] {
        let more = if forward { json!({}) } else { json!({ "forwardPAI": false }) };
        scene.app.runs("/incoming", &dial_by(&["out"], &more));
        let gateway_runs = gateway.plays("callee_refuses", &switch);
        caller.plays("caller_is_refused", &switch).finishes();
        let ladder = gateway_runs.finishes();
        let header = |name: &str| ladder.only("INVITE").header(name).map(str::to_owned);
        let expected = |value: &str| forward.then(|| value.to_owned());
        assert_eq!(header("P-Asserted-Identity"), expected(asserted));
        assert_eq!(header("Privacy"), expected("id"));
    }
    switch.ends();
}

#[test]
fn a_gateway_that_asks_for_a_rest_gets_it() {
    let scene = Scene::new();
    let tired = "503 Service Unavailable\n    Retry-After: 60";
    let gateways = [
        scene.phone(FIRST).with("response", tired),
        scene.phone(SECOND).with_options(&["-m", "2"]),
    ];
    scene.app.runs("/incoming", &dial_by(&["out"], &json!({})));
    let switch = scene.starts(&config(&scene, &[&gateways[0], &gateways[1]], ""));
    let first = gateways[0].plays("callee_refuses", &switch);
    let second = gateways[1].plays("callee_answers", &switch);
    scene.phone(CALLER).plays("caller_hangs_up", &switch).finishes();
    first.finishes();
    scene.app.is_asked("/dialled");
    assert_eq!(attempts(&scene), [503, 200]);
    scene.phone(CALLER).plays("caller_hangs_up", &switch).finishes();
    second.finishes();
    crate::support::wait_for("the second result", || {
        (scene.app.requests("/dialled").len() == 2).then_some(())
    });
    assert_eq!(attempts(&scene), [200], "the first gateway was asked again");
    switch.ends();
}

#[test]
fn a_gateway_that_forbids_gives_way_and_a_busy_callee_does_not() {
    let scene = Scene::new();
    let cases = [("403 Forbidden", vec![403, 486]), ("486 Busy Here", vec![486])];
    for (response, expected) in cases {
        let gateways = [
            scene.phone(FIRST).with("response", response),
            scene.phone(SECOND).with("response", "486 Busy Here"),
        ];
        scene.app.runs("/incoming", &dial_by(&["out"], &json!({})));
        let switch = scene.starts(&config(&scene, &[&gateways[0], &gateways[1]], ""));
        let first = gateways[0].plays("callee_refuses", &switch);
        let second = gateways[1].plays("callee_refuses", &switch);
        scene.phone(CALLER).with("status", 486).plays("caller_is_refused", &switch).finishes();
        first.finishes();
        if expected.len() == 2 {
            second.finishes();
        }
        switch.has_no_calls();
        assert_eq!(attempts(&scene), expected, "{response}");
        switch.ends();
    }
}

#[test]
fn a_gateway_that_says_nothing_gives_way_to_the_next() {
    let scene = Scene::new();
    let gateways = [scene.phone(FIRST), scene.phone(SECOND)];
    // A socket that takes everything and says nothing.
    let _silent = UdpSocket::bind(gateways[0].address).expect("the port is free");
    scene.app.runs("/incoming", &dial_by(&["out"], &json!({})));
    let mut config = config(&scene, &[&gateways[0], &gateways[1]], "");
    // why: the silent one is waited for until 64 T1 are over, and so is the end of the switch.
    config.sip = "t1_ms = 100".to_owned();
    let switch = scene.starts(&config);
    let second = gateways[1].plays("callee_answers", &switch);
    let ladder = scene.phone(CALLER).plays("caller_hangs_up", &switch).finishes();
    let waited = second.finishes().only("INVITE").at - ladder.sent("INVITE")[0].at;
    assert!((4.5..9.0).contains(&waited), "the next gateway was asked after {waited} s");
    let result = scene.app.is_asked("/dialled").json;
    assert_eq!(result["dial_targets"][0]["call_status"], "completed", "{result}");
    assert_eq!(attempts(&scene).len(), 2, "{result}");
    switch.ends();
}

#[test]
fn a_carrier_takes_no_more_calls_than_it_allows() {
    let scene = Scene::new();
    let gateway = scene.phone(FIRST);
    let talks = scene.phone(CALLER).with("talk", 2500);
    scene.app.runs("/incoming", &dial_by(&["out"], &json!({})));
    let switch = scene.starts(&config(&scene, &[&gateway], "max_calls = 1"));
    let gateway_runs = gateway.plays("callee_answers", &switch);
    let talking = talks.plays("caller_hangs_up", &switch);
    gateway_runs.receives("ACK");
    scene.phone(CALLER).with("status", 503).plays("caller_is_refused", &switch).finishes();
    let result = scene.app.is_asked("/dialled").json;
    let target = &result["dial_targets"][0];
    assert_eq!(
        (&target["lost_because"], &target["sip_status"]),
        (&json!("over-limit"), &json!(503)),
        "{result}"
    );
    talking.finishes();
    gateway_runs.finishes();
    switch.ends();
}

#[test]
fn a_carrier_that_calls_too_often_is_told_which_limit_it_met() {
    let scene = Scene::new();
    let mut config = scene.config();
    let source = config.carrier.take().expect("there is a carrier");
    config.rest = format!(
        "[[carrier]]\nname = \"trunk\"\napplication = \"main\"\nmax_cps = 1\n\
         [[carrier.gateway]]\nhost = \"{source}\"\n"
    );
    scene.app.runs("/incoming", &json!([{ "verb": "sip:decline", "status": 486 }]));
    let switch = scene.starts(&config);
    // Ten at once: a second may pass meanwhile, but not ten.
    let options = ["-m", "10", "-r", "1000", "-l", "10"];
    let caller = scene.phone(CALLER).with_options(&options).with("status", "486");
    let ladder = caller.plays("caller_is_refused_somehow", &switch).finishes();
    let refused = ladder.received("503");
    assert!((1..10).contains(&refused.len()), "{}", ladder.summary());
    let reason = refused[0].header("X-Reason").unwrap_or_default();
    assert!(reason.contains("max_cps"), "{reason}");
    switch.ends();
}
