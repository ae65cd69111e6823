//! A callee challenges the INVITE: it is answered with the credentials of the target or of the
//! carrier, once, and the application sees one call.

use call::settings::Credentials;
use serde_json::{Value, json};
use sip::auth::digest::{self, Algorithm};
use sip::{Message, Method};
use testkit::{Challenge, Note, World};

use crate::events::child_history;
use crate::raw::{Raw, description};
use crate::scene::{
    CALLER, Scene, alerts, answers, callee_address, cancels, finish, phone, refuses, result, s,
    talks, target, waits,
};
use crate::sent::{Sent, methods_to, request_to, requests_to};

const JANE: Challenge = Challenge {
    status: 401,
    username: "jane",
    password: "secret",
    algorithms: Vec::new(),
    forgets: false,
};

/// Both, the weaker first.
fn both() -> Vec<Algorithm> {
    vec![Algorithm::Md5, Algorithm::Sha256]
}

/// Callee 1 with credentials.
fn target_of(username: &str, password: &str) -> Value {
    let mut target = target(1);
    target["auth"] = json!({ "username": username, "password": password });
    target
}

/// Where callee 1 asks for these credentials, and the application has those.
fn asked_for(scene: Scene, challenge: &Challenge) -> World {
    let mut world = scene.before_the_call();
    world.with_phone("B1", |phone, _| phone.challenge = Some(challenge.clone()));
    world.call("A");
    world
}

fn played(scene: Scene, challenge: &Challenge) -> World {
    let mut world = asked_for(scene, challenge);
    finish(&mut world);
    world
}

fn jane_talks() -> Scene {
    Scene::dialling(vec![talks(1.0, 2.0)], &json!({ "target": [target_of("jane", "secret")] }))
}

fn invites(world: &World) -> Vec<Sent> {
    requests_to(world, callee_address(1), &Method::Invite)
}

/// The proof in a request, which holds for this method.
#[track_caller]
fn proof(request: &Message, header: &str, method: &Method) -> digest::Credentials {
    let value = request.header_text(header).unwrap_or_else(|| panic!("no {header}"));
    let credentials = digest::Credentials::parse(&value).unwrap();
    assert!(credentials.prove(method, "secret"), "{value}");
    assert_eq!(request.request_uri().unwrap(), credentials.uri);
    credentials
}

/// `attempts` of the one target.
fn attempts(world: &World) -> &Vec<Value> {
    result(world)["dial_targets"][0]["attempts"].as_array().unwrap()
}

/// The dial failed with 401, and nothing but these INVITEs went out.
#[track_caller]
fn assert_refused(world: &World, invited: usize) {
    let result = result(world);
    assert_eq!(
        (&result["dial_call_status"], &result["dial_sip_status"]),
        (&json!("failed"), &json!(401))
    );
    assert_eq!(result["dial_targets"][0]["lost_because"], "rejected");
    assert_eq!(attempts(world).len(), 1);
    assert_eq!(invites(world).len(), invited);
    assert_eq!(child_history(world, 1), ["trying/100", "failed/401"]);
}

#[test]
fn the_invite_goes_out_again_with_the_credentials_of_the_target() {
    for (status, header) in [(401, "Authorization"), (407, "Proxy-Authorization")] {
        for algorithm in both() {
            let algorithms = vec![algorithm];
            let world = played(jane_talks(), &Challenge { status, algorithms, ..JANE });
            let sent = invites(&world);
            assert_eq!(sent.len(), 2);
            let (first, second) = (&sent[0].message, &sent[1].message);
            assert!(first.header(header).is_none(), "nothing is told unasked");
            let credentials = proof(second, header, &Method::Invite);
            assert_eq!(credentials.algorithm, algorithm);
            assert_eq!(credentials.counted.unwrap().nc, "00000001");
            for name in ["Call-ID", "From", "To"] {
                assert_eq!(first.header_text(name), second.header_text(name), "{name}");
            }
            assert_eq!((first.cseq().unwrap().0, second.cseq().unwrap().0), (1, 2));
            assert_eq!(first.body(), second.body());
            assert_eq!(result(&world)["dial_call_status"], "completed");
        }
    }
}

#[test]
fn the_application_sees_one_call() {
    let world = played(jane_talks(), &Challenge { algorithms: both(), ..JANE });
    let history = child_history(&world, 1);
    assert_eq!(history, ["trying/100", "ringing/180", "in-progress/200", "completed/200"]);
    assert_eq!(attempts(&world).len(), 1);
    assert_eq!(attempts(&world)[0]["sip_status"], 200);
    assert_eq!(alerts(&world), [""; 0], "auth is no unsupported property");
}

#[test]
fn sha_256_is_taken_where_md5_is_offered_too() {
    let world = played(jane_talks(), &Challenge { algorithms: both(), ..JANE });
    let credentials = proof(&invites(&world)[1].message, "Authorization", &Method::Invite);
    assert_eq!(credentials.algorithm, Algorithm::Sha256);
}

#[test]
fn the_bye_to_who_asked_has_credentials_too() {
    let mut scene = jane_talks();
    scene.callees = vec![answers(1.0)];
    let scene = scene.caller(crate::scene::hangs_up(3.0));
    let world = played(scene, &Challenge { status: 407, algorithms: both(), ..JANE });
    let bye = request_to(&world, callee_address(1), &Method::Bye).message;
    let credentials = proof(&bye, "Proxy-Authorization", &Method::Bye);
    assert_eq!(credentials.counted.unwrap().nc, "00000002");
    assert_eq!(bye.cseq().unwrap().0, 3);
}

#[test]
fn a_stale_nonce_is_answered_once_more() {
    let challenge = Challenge { algorithms: both(), forgets: true, ..JANE };
    let world = played(jane_talks(), &challenge);
    let cseqs: Vec<u32> =
        invites(&world).iter().map(|sent| sent.message.cseq().unwrap().0).collect();
    assert_eq!(cseqs, [1, 2, 3]);
    assert_eq!(result(&world)["dial_call_status"], "completed");
    assert_eq!(attempts(&world).len(), 1);
}

#[test]
fn a_wrong_password_is_tried_once() {
    let scene =
        Scene::dialling(vec![answers(1.0)], &json!({ "target": [target_of("jane", "wrong")] }));
    let world = played(scene, &Challenge { algorithms: both(), ..JANE });
    assert_refused(&world, 2);
}

#[test]
fn without_credentials_the_challenge_is_a_refusal() {
    let scene = Scene::dialling(vec![answers(1.0)], &json!({}));
    let world = played(scene, &Challenge { algorithms: both(), ..JANE });
    assert_refused(&world, 1);
}

#[test]
fn a_challenge_that_is_not_implemented_is_a_refusal() {
    let world = played(jane_talks(), &JANE);
    assert_refused(&world, 1);
}

#[test]
fn a_peer_that_calls_every_nonce_stale_is_given_up() {
    let mut scene = jane_talks();
    scene.callees.clear();
    let mut world = scene.begin();
    let raw = Raw(callee_address(1));
    for round in 1..=3_u8 {
        world.run_for(s(0.2));
        let sent = invites(&world);
        assert_eq!(sent.len(), usize::from(round), "INVITEs in round {round}");
        let stale = format!(
            "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n{round}\", \
             qop=\"auth\", stale=true"
        );
        raw.respond(&mut world, &sent[sent.len() - 1], &stale, "t", "");
    }
    finish(&mut world);
    assert_refused(&world, 3);
    assert_eq!(requests_to(&world, callee_address(1), &Method::Ack).len(), 3);
}

#[test]
fn the_caller_leaves_while_the_second_invite_is_out() {
    let mut scene = jane_talks();
    scene.callees = vec![waits()];
    let scene = scene.caller(cancels(2.0));
    let world = played(scene, &Challenge { algorithms: both(), ..JANE });
    let cancel = request_to(&world, callee_address(1), &Method::Cancel).message;
    assert_eq!(cancel.cseq().unwrap().0, 2, "it is the second that is cancelled");
    assert_eq!(cancel.header_text("Via"), invites(&world)[1].message.header_text("Via"));
    assert_eq!(world.phone("B1").saw(&Note::Cancelled(None)), 1);
    assert_eq!(child_history(&world, 1), ["trying/100", "ringing/180", "no-answer/487"]);
}

#[test]
fn the_caller_leaves_before_the_challenge_comes() {
    let mut scene = jane_talks().caller(cancels(2.0));
    scene.callees.clear();
    let mut world = scene.begin();
    let raw = Raw(callee_address(1));
    world.run_for(s(0.2));
    let invite = invites(&world).remove(0);
    raw.respond(&mut world, &invite, "100 Trying", "t", "");
    world.run_for(s(2.0));
    let cancel = request_to(&world, callee_address(1), &Method::Cancel);
    raw.respond(&mut world, &cancel, "200 OK", "t", "");
    let challenge = "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"";
    raw.respond(&mut world, &invite, challenge, "t", "");
    finish(&mut world);
    assert_eq!(methods_to(&world, callee_address(1)), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(child_history(&world, 1), ["trying/100", "no-answer/487"]);
}

#[test]
fn early_media_of_the_refused_invite_is_forgotten() {
    let mut scene = jane_talks();
    scene.callees.clear();
    let mut world = scene.begin();
    let raw = Raw(callee_address(1));
    world.run_for(s(0.2));
    let invite = invites(&world).remove(0);
    raw.respond(&mut world, &invite, "183 Session Progress", "t", &description(raw, 1, ""));
    world.run_for(s(0.2));
    let challenge = "407 Who\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    raw.respond(&mut world, &invite, challenge, "t", "");
    world.run_for(s(0.2));
    let again = invites(&world).remove(1);
    raw.respond(&mut world, &again, "200 OK", "u", "");
    world.run_for(s(0.2));
    assert_eq!(result(&world)["dial_sip_status"], 488, "a 200 without an answer of its own");
    let bye = request_to(&world, callee_address(1), &Method::Bye);
    raw.respond(&mut world, &bye, "200 OK", "u", "");
    finish(&mut world);
}

/// The carrier `outbound`, whose gateway is callee 1, with credentials for this realm.
fn carrier(realm: Option<&str>) -> Scene {
    let scene = Scene::dialling(vec![talks(1.0, 2.0)], &json!({ "target": [phone("4930123")] }));
    scene.settings(|settings| {
        let carrier = std::sync::Arc::make_mut(&mut settings.carriers[1]);
        carrier.credentials = Some(Credentials {
            username: "jane".to_owned(),
            password: "secret".to_owned(),
            realm: realm.map(str::to_owned),
        });
    })
}

#[test]
fn the_credentials_of_a_carrier_answer_its_challenge() {
    // The realm of the testkit's phones.
    for realm in [None, Some("phone")] {
        let challenge = Challenge { status: 407, algorithms: both(), ..JANE };
        let world = played(carrier(realm), &challenge);
        proof(&invites(&world)[1].message, "Proxy-Authorization", &Method::Invite);
        assert_eq!(result(&world)["dial_call_status"], "completed");
    }
}

#[test]
fn the_credentials_of_a_carrier_are_for_its_realm_alone() {
    let world = played(carrier(Some("carrier.example")), &Challenge { algorithms: both(), ..JANE });
    assert_refused(&world, 1);
}

#[test]
fn credentials_of_one_target_never_answer_another() {
    let more = json!({ "target": [target_of("jane", "secret"), target(2)] });
    let mut world =
        Scene::dialling(vec![refuses(404, 1.0), talks(1.0, 2.0)], &more).before_the_call();
    for name in ["B1", "B2"] {
        let challenge = Challenge { algorithms: both(), ..JANE };
        world.with_phone(name, |phone, _| phone.challenge = Some(challenge));
    }
    world.call("A");
    finish(&mut world);
    assert_eq!(invites(&world).len(), 2);
    assert_eq!(requests_to(&world, callee_address(2), &Method::Invite).len(), 1);
}

#[test]
fn a_redirection_gets_no_credentials() {
    let mut scene = jane_talks();
    scene.callees.clear();
    let mut world = scene.begin();
    world.run_for(s(0.2));
    let invite = invites(&world).remove(0);
    let moved = format!("302 Moved\r\nContact: <sip:b2@{}>", callee_address(2));
    Raw(callee_address(1)).respond(&mut world, &invite, &moved, "t", "");
    finish(&mut world);
    assert_eq!(methods_to(&world, callee_address(2)), [""; 0]);
    assert_eq!(result(&world)["dial_sip_status"], 302);
}

#[test]
fn no_word_of_the_password_leaves_the_switch() {
    let world = played(jane_talks(), &Challenge { algorithms: both(), ..JANE });
    let told = format!("{:?} {:?}", world.application.told, world.application.asked);
    assert!(!told.contains("secret"), "hooks");
    for (_, sent) in world.wire.iter().filter(|(_, sent)| sent.to != CALLER) {
        assert!(!String::from_utf8_lossy(&sent.bytes).contains("secret"), "the wire");
    }
    assert!(!format!("{:?}", carrier(None).config.settings).contains("secret"), "Debug");
}

/// Answers this request of the switch with a challenge of this nonce.
fn asks(world: &mut World, peer: Raw, request: &Sent, nonce: &str) {
    let challenge = format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\"");
    let status = format!("401 Unauthorized\r\nWWW-Authenticate: {challenge}");
    peer.respond(world, request, &status, "x", "");
    world.run_for(s(0.1));
}

#[test]
fn a_refresh_of_the_session_is_answered_for_each_time_that_it_is_asked() {
    for (allow, method) in [("INVITE, UPDATE", Method::Update), ("INVITE", Method::Invite)] {
        let peer = Raw(callee_address(1));
        let targets = json!({ "target": [target_of("jane", "secret")] });
        let scene = Scene::running(&json!([crate::scene::dial(0, &targets)]));
        let mut world = scene.caller(crate::scene::patient()).begin();
        world.run_for(s(0.2));
        let invite = invites(&world).remove(0);
        asks(&mut world, peer, &invite, "first");
        let invite = invites(&world).pop().unwrap();
        let terms =
            format!("Require: timer\r\nSession-Expires: 90;refresher=uac\r\nAllow: {allow}");
        let accepted = format!("200 OK\r\n{terms}");
        peer.respond(&mut world, &invite, &accepted, "x", &description(peer, 1, ""));
        for round in 0..3 {
            world.run_for(s(45.2));
            let refresh = requests_to(&world, peer.0, &method).pop().unwrap();
            assert!(refresh.at > 44.0 * f64::from(round + 1), "{method:?}");
            // Not stale: what it was asked before is long forgotten there.
            asks(&mut world, peer, &refresh, &format!("nonce-{round}"));
            let again = requests_to(&world, peer.0, &method).pop().unwrap();
            let credentials = proof(&again.message, "Authorization", &method);
            assert_eq!(credentials.nonce, format!("nonce-{round}"));
            let body =
                if method == Method::Invite { description(peer, 1, "") } else { String::new() };
            peer.respond(&mut world, &again, &accepted, "x", &body);
            world.run_for(s(0.1));
        }
        assert!(!methods_to(&world, peer.0).contains(&"BYE".to_owned()), "the session lives on");
        assert!(alerts(&world).is_empty());
        world.with_switch(|switch, now| switch.end_all(now));
        world.run_for(s(0.1));
        let bye = request_to(&world, peer.0, &Method::Bye);
        proof(&bye.message, "Authorization", &Method::Bye);
        peer.respond(&mut world, &bye, "200 OK", "x", "");
        finish(&mut world);
    }
}

#[test]
fn who_asks_at_a_refresh_for_credentials_that_nobody_gave_gets_none() {
    let peer = Raw(callee_address(1));
    let scene = Scene::running(&json!([crate::scene::dial(1, &json!({}))]));
    let mut world = scene.caller(crate::scene::patient()).begin();
    world.run_for(s(0.2));
    let invite = invites(&world).remove(0);
    let terms = "Require: timer\r\nSession-Expires: 90;refresher=uac\r\nAllow: UPDATE";
    let accepted = format!("200 OK\r\n{terms}");
    peer.respond(&mut world, &invite, &accepted, "x", &description(peer, 1, ""));
    world.run_for(s(45.1));
    let refresh = requests_to(&world, peer.0, &Method::Update).pop().unwrap();
    asks(&mut world, peer, &refresh, "n");
    world.run_for(s(5.0));
    assert_eq!(requests_to(&world, peer.0, &Method::Update).len(), 1);
    world.with_switch(|switch, now| switch.end_all(now));
    world.run_for(s(0.1));
    let bye = request_to(&world, peer.0, &Method::Bye);
    assert_eq!(bye.header("Authorization"), None);
    peer.respond(&mut world, &bye, "200 OK", "x", "");
    finish(&mut world);
}
