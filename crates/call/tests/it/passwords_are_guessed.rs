//! Guessing passwords gets slow, tells nothing, and locks out nobody else.

use call::settings::Client;
use serde_json::json;
use sip::auth::standing::{LOCK_MAX, SOURCE_FAILURES_FREE, USER_FAILURES_FREE};
use testkit::World;

use crate::scene::{Scene, s};
use crate::sent::{response_to, sent_to};
use crate::stranger::Stranger;

fn world() -> World {
    let scene = Scene::running(&json!([])).settings(|settings| {
        let client = |username: &str| Client {
            username: username.to_owned(),
            password: "secret".to_owned(),
        };
        settings.clients = vec![client("jane"), client("joe")];
        settings.limits.stranger_requests_per_second = 1000;
    });
    scene.without_caller()
}

fn guess_until_locked(world: &mut World, attacker: &mut Stranger) {
    for _ in 0..=USER_FAILURES_FREE {
        assert_eq!(attacker.registers(world, "guess", ""), Some(403));
    }
}

#[test]
fn who_is_locked_out_is_told_the_same_for_the_right_password() {
    let mut world = world();
    let mut attacker = Stranger::new("10.9.9.9:5060", "jane");
    guess_until_locked(&mut world, &mut attacker);
    let wrong = response_to(&world, attacker.address, 403);
    let contact = attacker.contact();
    assert_eq!(attacker.registers(&mut world, "secret", &contact), Some(403), "no oracle");
    let right = response_to(&world, attacker.address, 403);
    let names = |sent: &crate::sent::Sent| -> Vec<String> {
        sent.message.headers().map(|(name, _)| name.into_owned()).collect()
    };
    assert_eq!(names(&wrong), names(&right));
    let again = attacker.answers(&world, "secret", 1);
    assert_eq!(attacker.asks(&mut world, "REGISTER", &again), Some(403), "nor by asking twice");
    let now = world.now;
    assert_eq!(world.switch.registrations(now), 0);
    world.run_for(LOCK_MAX);
    assert_eq!(attacker.registers(&mut world, "secret", &contact), Some(200), "it passes");
}

#[test]
fn the_user_at_another_address_is_not_locked_out() {
    let mut world = world();
    guess_until_locked(&mut world, &mut Stranger::new("10.9.9.9:5060", "jane"));
    let mut jane = Stranger::new("10.0.3.1:5060", "jane");
    let contact = jane.contact();
    assert_eq!(jane.registers(&mut world, "secret", &contact), Some(200));
}

#[test]
fn a_forged_address_locks_nobody_out() {
    let mut world = world();
    let mut jane = Stranger::new("10.0.3.1:5060", "jane");
    let mut attacker = Stranger::new("10.9.9.9:5060", "jane");
    assert_eq!(attacker.asks(&mut world, "REGISTER", ""), Some(401));
    for count in 1..4 * SOURCE_FAILURES_FREE {
        // A challenge that the attacker was given, answered from the address of its victim.
        let guess = attacker.answers(&world, "guess", count);
        assert_eq!(jane.asks(&mut world, "REGISTER", &guess), Some(401));
    }
    let contact = jane.contact();
    assert_eq!(jane.registers(&mut world, "secret", &contact), Some(200));
}

#[test]
fn users_of_one_office_are_locked_out_by_guesses_at_another_name_only_until_they_prove_themselves()
{
    let mut world = world();
    let mut joe = Stranger::new("10.9.9.9:5070", "joe");
    let contact = joe.contact();
    assert_eq!(joe.registers(&mut world, "secret", &contact), Some(200));
    for number in 0..=SOURCE_FAILURES_FREE {
        let mut attacker = Stranger::new("10.9.9.9:6000", &format!("user{number}"));
        assert_eq!(attacker.registers(&mut world, "guess", ""), Some(403));
    }
    let mut jane = Stranger::new("10.9.9.9:5080", "jane");
    let janes = jane.contact();
    assert_eq!(jane.registers(&mut world, "secret", &janes), Some(403), "the address is locked");
    assert_eq!(joe.registers(&mut world, "secret", &contact), Some(200), "joe is known there");
}

#[test]
fn an_unknown_user_is_answered_like_a_wrong_password_before_and_after_the_lock() {
    let answers = |user: &str| {
        let mut world = world();
        let mut attacker = Stranger::new("10.9.9.9:5060", user);
        for _ in 0..2 * USER_FAILURES_FREE {
            attacker.registers(&mut world, "guess", "");
        }
        let sent = sent_to(&world, attacker.address);
        let shape = |sent: &crate::sent::Sent| {
            let own = ["Via", "From", "To", "Call-ID", "WWW-Authenticate"];
            let kept = sent.message.headers().filter(|(name, _)| !own.contains(&name.as_ref()));
            let kept = kept.map(|(name, value)| format!("{name}: {value}"));
            (sent.message.status(), kept.collect::<Vec<_>>())
        };
        sent.iter().map(shape).collect::<Vec<_>>()
    };
    assert_eq!(answers("jane"), answers("nobody"));
}

#[test]
fn an_invented_nonce_does_not_say_whether_a_password_is_right() {
    let status = |password: &str| {
        let mut world = world();
        let mut attacker = Stranger::new("10.9.9.9:5060", "jane");
        attacker.asks(&mut world, "REGISTER", "");
        let answer = attacker.answers(&world, password, 1);
        let nonce = answer.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        let challenge = format!("Digest realm=\"10.0.0.1\", nonce=\"x{nonce}\", qop=\"auth\"");
        let (method, uri) = (sip::Method::Register, "sip:10.0.0.1");
        let forged =
            sip::auth::digest::answer(&challenge, &method, uri, "jane", password, "c", 1).unwrap();
        attacker.asks(&mut world, "REGISTER", &format!("Authorization: {forged}\r\n"))
    };
    assert_eq!((status("secret"), status("guess")), (Some(401), Some(401)));
}

#[test]
fn a_phone_with_an_old_nonce_gets_in_without_asking_its_user() {
    let mut world = world();
    let mut jane = Stranger::new("10.0.3.1:5060", "jane");
    jane.asks(&mut world, "REGISTER", "");
    world.run_for(s(301.0));
    let old = jane.answers(&world, "secret", 1);
    assert_eq!(jane.asks(&mut world, "REGISTER", &old), Some(401));
    let challenge = response_to(&world, jane.address, 401).header("WWW-Authenticate").unwrap();
    assert!(challenge.contains("stale=true"), "{challenge}");
    let fresh = jane.answers(&world, "secret", 1);
    assert_eq!(jane.asks(&mut world, "REGISTER", &fresh), Some(200));
    assert_eq!(jane.asks(&mut world, "REGISTER", &fresh), Some(401), "no replay");
}
