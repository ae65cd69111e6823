//! What proves who a user is leaves the switch in no payload, record, alert or debugging text.

use call::settings::{Client, Credentials};
use serde_json::json;
use sip::Message;

use crate::raw::{Raw, description};
use crate::scene::{Scene, answers, s};
use crate::sent::response_to;

/// A caller, a user with the password `pa55word`, who calls with everything that may be secret.
fn called() -> (testkit::World, String) {
    let mut world = Scene::dialling(vec![answers(0.5)], &json!({}))
        .settings(|settings| {
            let (username, password) = ("jane".to_owned(), "pa55word".to_owned());
            settings.clients.push(Client { username, password });
            settings.device_application = Some("main".to_owned());
            let credentials = Credentials {
                username: "us".to_owned(),
                password: "pa55word".to_owned(),
                realm: None,
            };
            let carrier = std::sync::Arc::make_mut(&mut settings.carriers[1]);
            carrier.credentials = Some(credentials);
        })
        .without_caller();
    let jane = Raw("10.0.3.1:5060".parse().unwrap());
    let body = description(jane, 1, "");
    let invite = |cseq: u32, more: &str| {
        let length = body.len();
        format!(
            "INVITE sip:+49:pa55word@10.0.0.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 10.0.3.1;branch=z9hG4bK{cseq}\r\n\
             From: <sip:jane:pa55word@10.0.0.1>;tag=j\r\nTo: <sip:+49@10.0.0.1>\r\nCall-ID: c\r\n\
             CSeq: {cseq} INVITE\r\nContact: <sip:jane:pa55word@10.0.3.1>\r\n{more}\
             Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    world.say(jane.0, &invite(1, ""));
    world.run_for(s(0.02));
    let challenge = response_to(&world, jane.0, 401).header("WWW-Authenticate").unwrap();
    let (method, uri) = (sip::Method::Invite, "sip:+49@10.0.0.1");
    let answer =
        sip::auth::digest::answer(&challenge, &method, uri, "jane", "pa55word", "c", 1).unwrap();
    let response = answer.split("response=\"").nth(1).unwrap().split('"').next().unwrap();
    let more = format!("AUTHORIZATION: {answer}\r\nProxy-Authorization: {answer}\r\n");
    world.say(jane.0, &invite(2, &more));
    world.run_for(s(2.0));
    let response = response.to_owned();
    world.with_switch(|switch, now| switch.end_all(now));
    (world, response)
}

#[test]
fn no_payload_record_or_alert_holds_a_proof_or_a_password() {
    let (world, response) = called();
    assert!(!world.application.asked.is_empty() && !world.records.is_empty());
    let asked: String = world.application.asked.iter().map(|a| a.payload.to_string()).collect();
    let told: String = world.application.told.iter().map(ToString::to_string).collect();
    let kept = format!("{:?} {:?} {:?}", world.records, world.alerts, world.bound);
    let switch = format!("{:?}", world.switch);
    for (what, text) in [("hook", asked), ("event", told), ("record", kept), ("Debug", switch)] {
        let around = text.find("pa55word").map(|at| text[at.saturating_sub(90)..at].to_owned());
        assert_eq!(around, None, "a password in a {what}");
        assert!(!text.contains(&response), "a proof in a {what}");
    }
    let first = &world.application.asked[0].payload["sip"];
    assert_eq!(first["headers"]["authorization"], "Digest ***", "{first}");
    assert_eq!(first["uri"], "sip:+49:***@10.0.0.1");
}

#[test]
fn a_message_in_a_log_shows_no_password() {
    let text = "INVITE sip:j:pa55word@h SIP/2.0\r\nAuthorization: Digest x=pa55word\r\n\r\n";
    let shown = format!("{:?}", Message::parse(text.as_bytes()));
    assert!(!shown.contains("pa55word"), "{shown}");
}
