//! What a stranger's request of each kind is answered, and what it costs: nothing that stays.

use call::settings::Client;
use call::{BURST_SECONDS, SILENCE, STRANGERS_MAX};
use serde_json::json;
use sip::auth::standing::{FAILURES_MAX, KNOWN_MAX};
use testkit::{Note, World};

use crate::raw::{Raw, description};
use crate::scene::{CALLER, Scene, answers, finish, hangs_up, s};
use crate::sent::{sent_to, statuses_to};
use crate::stranger::Stranger;

const PLACE: &str = "10.9.9.9:5060";

fn scene() -> Scene {
    Scene::dialling(vec![answers(1.0)], &json!({})).settings(|settings| {
        let (username, password) = ("jane".to_owned(), "secret".to_owned());
        settings.clients.push(Client { username, password });
    })
}

#[test]
fn each_method_has_its_answer_and_leaves_nothing() {
    for (method, status) in [
        ("INVITE", 401),
        ("REGISTER", 401),
        ("OPTIONS", 200),
        ("MESSAGE", 405),
        ("SUBSCRIBE", 405),
        ("NOTIFY", 405),
        ("PUBLISH", 405),
        ("REFER", 405),
        ("INFO", 405),
        ("UPDATE", 405),
        ("PRACK", 481),
        ("BYE", 481),
        ("CANCEL", 481),
        ("DANCE", 501),
    ] {
        let mut world = scene().without_caller();
        let mut stranger = Stranger::new(PLACE, "eve");
        let contact = stranger.contact();
        assert_eq!(stranger.asks(&mut world, method, &contact), Some(status), "{method}");
        assert_eq!(sent_to(&world, stranger.address).len(), 1, "{method}: one answer");
        assert_eq!(world.switch.alive(), call::Alive::default(), "{method}");
        assert!(world.application.asked.is_empty() && world.alerts.is_empty());
    }
}

#[test]
fn an_invite_to_another_host_is_not_ours() {
    let mut world = scene().without_caller();
    let text = "INVITE sip:jane@elsewhere.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.9.9;\
         branch=z9hG4bK1\r\nFrom: <sip:e@h>;tag=1\r\nTo: <sip:jane@h>\r\nCall-ID: c\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:e@10.9.9.9>\r\nContent-Length: 0\r\n\r\n";
    world.say(PLACE.parse().unwrap(), text);
    world.run_for(s(1.0));
    assert_eq!(statuses_to(&world, PLACE.parse().unwrap()), [404]);
}

#[test]
fn what_a_message_says_does_nothing() {
    for method in ["MESSAGE", "INFO"] {
        let mut world = scene().without_caller();
        let mut stranger = Stranger::new(PLACE, "eve");
        let bodies = [
            "[{\"verb\":\"dial\"}]".to_owned(),
            "Signal=1\r\nDuration=100\r\n".to_owned(),
            "\0\u{1b}]0;x\u{7}<script>".to_owned(),
            "x".repeat(60_000),
        ];
        for body in bodies {
            stranger.sends(&mut world, method, "Content-Type: application/json\r\n", &body);
        }
        world.run_for(s(1.0));
        let answers = sent_to(&world, stranger.address);
        assert!(answers.iter().all(|sent| sent.message.status() == Some(405)));
        assert_eq!((answers.len(), answers[0].message.body()), (4, &b""[..]));
        assert_eq!(world.switch.alive(), call::Alive::default());
        assert!(world.application.asked.is_empty() && world.application.told.is_empty());
    }
}

#[test]
fn an_info_within_a_call_is_answered_and_its_body_does_nothing() {
    let mut world = scene().caller(hangs_up(5.0)).begin();
    world.run_for(s(2.0));
    let media = world.media.len();
    let answer = world.phone("A").received.last().unwrap().clone();
    let request = crate::raw::Request {
        method: "INFO",
        cseq: 2,
        lines: "",
        body: "v=0\r\nc=IN IP4 10.9.9.9\r\nm=audio 1 RTP/AVP 0\r\n",
    };
    let before = sent_to(&world, CALLER).len();
    Raw(CALLER).request_as_caller(&mut world, &answer, &request);
    world.run_for(s(1.0));
    assert_eq!(sent_to(&world, CALLER).len(), before + 1, "one answer");
    assert_eq!((world.media.len(), world.phone("A").calls_up()), (media, 1));
    finish(&mut world);
}

#[test]
fn a_scanner_hears_nothing() {
    let agents =
        ["friendly-scanner", "sipcli/v1.8", "SIPVicious 0.3", "pplsip", "VOIP friendly-scanner"];
    for agent in agents {
        let mut world = scene().without_caller();
        let mut scanner = Stranger::new(PLACE, "100");
        let agent = format!("User-Agent: {agent}\r\n");
        for method in ["OPTIONS", "REGISTER", "INVITE"] {
            let contact = scanner.contact();
            assert_eq!(scanner.asks(&mut world, method, &(contact + &agent)), None, "{method}");
        }
        assert_eq!(scanner.asks(&mut world, "OPTIONS", ""), None, "whatever it calls itself now");
        world.run_for(SILENCE);
        assert_eq!(scanner.asks(&mut world, "OPTIONS", ""), Some(200), "that passes");
    }
}

/// How many of so many requests in one instant are answered.
fn answered(world: &mut World, from: &str, method: &str, count: usize) -> usize {
    let mut stranger = Stranger::new(from, "eve");
    let before = sent_to(world, stranger.address).len();
    let contact = stranger.contact();
    for _ in 0..count {
        stranger.sends(world, method, &contact, "");
    }
    world.run_for(s(0.05));
    sent_to(world, stranger.address).len() - before
}

#[test]
fn who_asks_too_much_is_left_without_an_answer_for_a_while() {
    for method in ["OPTIONS", "REGISTER", "INVITE", "MESSAGE", "BYE", "CANCEL"] {
        let mut world = scene()
            .settings(|settings| settings.limits.stranger_requests_per_second = 3)
            .without_caller();
        let burst = 3 * BURST_SECONDS as usize;
        assert_eq!(answered(&mut world, PLACE, method, 10 * burst), burst, "{method}");
        world.run_for(s(1.0));
        assert_eq!(answered(&mut world, PLACE, method, 1), 0, "silence, not a lower rate");
        assert_eq!(answered(&mut world, "10.9.9.8:5060", method, 1), 1, "others are answered");
        world.run_for(SILENCE);
        assert_eq!(answered(&mut world, PLACE, method, 1), 1, "it passes");
    }
}

#[test]
fn carriers_and_known_users_may_ask_as_they_like() {
    let mut world = scene()
        .settings(|settings| settings.limits.stranger_requests_per_second = 1)
        .without_caller();
    assert_eq!(answered(&mut world, "10.0.1.1:5099", "OPTIONS", 500), 500, "a carrier");
    let mut jane = Stranger::new(PLACE, "jane");
    let contact = jane.contact();
    assert_eq!(jane.registers(&mut world, "secret", &contact), Some(200));
    assert_eq!(answered(&mut world, PLACE, "OPTIONS", 500), 500, "a user who proved itself");
}

#[test]
fn a_phone_gets_in_while_its_neighbours_make_noise() {
    let mut world = scene()
        .settings(|settings| settings.limits.stranger_requests_per_second = 1)
        .without_caller();
    let mut jane = Stranger::new(PLACE, "jane");
    assert_eq!(jane.asks(&mut world, "REGISTER", ""), Some(401));
    assert!(answered(&mut world, PLACE, "OPTIONS", 500) < 10);
    let proof = jane.answers(&world, "secret", 1) + &jane.contact();
    assert_eq!(jane.asks(&mut world, "REGISTER", &proof), Some(200));
}

#[test]
fn a_flood_of_strangers_keeps_nothing_and_a_call_that_is_up_never_notices() {
    let mut world = scene().caller(hangs_up(20.0)).begin();
    world.run_for(s(3.0));
    let (alive, before) = (world.switch.alive(), world.wire.len());
    for second in 0_u32..10 {
        for number in 0_u32..1_500 {
            let [_, _, high, low] = (second * 1_500 + number).to_be_bytes();
            let from = format!("10.77.{high}.{low}:5060");
            let mut stranger = Stranger::new(&from, "eve");
            let body = description(Raw(stranger.address), 1, "");
            let contact = stranger.contact() + "Content-Type: application/sdp\r\n";
            let method = if number % 2 == 0 { "INVITE" } else { "REGISTER" };
            stranger.sends(&mut world, method, &contact, &body);
        }
        world.run_for(s(1.0));
        assert_eq!(world.switch.alive(), alive, "after {second} s");
    }
    assert!(world.wire.len() - before >= 15_000);
    assert!(world.switch.remembered() <= 2 * FAILURES_MAX + 2 * KNOWN_MAX + STRANGERS_MAX);
    assert_eq!(world.phone("A").calls_up(), 1);
    finish(&mut world);
    assert_eq!(crate::scene::result(&world)["dial_call_duration"], 20);
    assert_eq!(world.phone("B1").saw(&Note::Ended), 1);
}

#[test]
fn all_strangers_together_have_a_limit_that_callers_do_not_feel() {
    let mut world = scene().before_the_call();
    let flood = 3 * call::STRANGERS_PER_SECOND;
    let before = world.wire.len();
    for number in 0..flood {
        let [_, _, high, low] = number.to_be_bytes();
        let mut stranger = Stranger::new(&format!("10.78.{high}.{low}:5060"), "eve");
        stranger.sends(&mut world, "OPTIONS", "", "");
    }
    world.run_for(s(0.05));
    let answers = world.wire.len() - before - flood as usize;
    let most = call::STRANGERS_PER_SECOND as usize;
    assert!((most..most + 200).contains(&answers), "{answers} answers");
    world.call("A");
    world.run_for(s(2.0));
    assert_eq!(world.phone("A").saw(&Note::Answered), 1);
    world.with_switch(|switch, now| switch.end_all(now));
    finish(&mut world);
}
