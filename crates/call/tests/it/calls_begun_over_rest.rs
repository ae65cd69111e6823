//! A call that a program begins: when it is told so, what its application hears, how it ends.

use std::sync::Arc;

use call::settings::{Client, Credentials, Gateway, GatewayHost};
use call::{LegId, Reply};
use serde_json::{Value, json};
use sip::Method;
use sip::auth::digest::Algorithm;
use testkit::{Callee, Challenge, Note, Outcome, World};

use crate::events::{history, parent, parent_history};
use crate::placed::{HOOK, begins, body, create, refused, sid_of};
use crate::raw::{Raw, Request, description};
use crate::registered_user_is_called::register;
use crate::scene::{
    Scene, alerts, answers, assert_near, callee_address, dial, finish, hangs_up, heard, phone,
    refuses, result, s, talks, target, text, waits,
};
use crate::sent::{request_to, requests_to, responses_to};

/// An application that answers this list; these callees; nobody calls.
fn scene(list: &Value, callees: Vec<Callee>) -> World {
    Scene::running(list).callees(callees).without_caller()
}

/// Begins a call to callee 1 and runs until nothing is left.
fn played(list: &Value, callees: Vec<Callee>, more: &Value) -> World {
    let mut world = scene(list, callees);
    begins(&mut world, more);
    finish(&mut world);
    world
}

fn pause(length: f64) -> Value {
    json!({ "verb": "pause", "length": length })
}

#[test]
fn the_program_is_answered_when_the_invite_is_on_the_wire_and_the_list_runs_from_the_answer_on() {
    let mut world = scene(&json!([pause(2.0)]), vec![answers(1.0)]);
    let id = begins(&mut world, &json!({}));
    assert_eq!(world.replies.get(&id), None, "nothing is sent before the next hop is known");
    world.run_for(s(0.01));
    let invite = request_to(&world, callee_address(1), &Method::Invite);
    let call_sid = parent(&world);
    let call_id = invite.header("Call-ID").unwrap();
    assert_eq!(world.replies[&id], Reply::Created { call_sid, call_id: call_id.clone() });
    assert!(world.application.asked_at(HOOK).is_empty(), "nobody has answered");
    finish(&mut world);
    assert_eq!(
        history(&world),
        ["A trying/100", "A ringing/180", "A in-progress/200", "A completed/200"]
    );
    let asked = &world.application.asked_at(HOOK)[0].payload;
    assert_eq!(
        (&asked["direction"], &asked["call_status"]),
        (&"outbound".into(), &"in-progress".into())
    );
    assert_eq!((&asked["from"], &asked["to"]), (&"+4930111".into(), &target(1)["sipUri"]));
    assert_eq!((&asked["call_id"], asked.get("sip")), (&json!(call_id), None));
    for told in &world.application.told {
        assert_eq!((&told["direction"], &told["call_id"]), (&"outbound".into(), &json!(call_id)));
        assert!(told.get("parent_call_sid").is_none() && told.get("originating_sip_ip").is_none());
    }
    let end = world.application.told.last().unwrap();
    assert_eq!((&end["duration"], &end["call_termination_by"]), (&json!(2), &"jambonz".into()));
}

#[test]
fn its_record_is_that_of_an_outbound_call() {
    let world = played(&json!([pause(9.0)]), vec![talks(1.0, 3.0)], &json!({}));
    let record = world.records.last().unwrap();
    assert_eq!(record.direction.as_str(), "outbound");
    assert_eq!((record.parent_call_sid.as_ref(), record.trunk.as_str()), (None, "sipUri"));
    assert_eq!((record.from.as_str(), record.remote_host.as_str()), ("+4930111", "10.0.2.1:5060"));
    assert_eq!((record.sip_status, record.termination_reason), (200, "called party hungup"));
    let spoke = record.ended_at.unwrap().duration_since(record.answered_at.unwrap());
    assert_near(spoke.as_secs_f64(), 3.0);
}

#[test]
fn what_the_request_says_is_in_the_invite_and_in_the_payloads() {
    let more = json!({
        "to": phone("4915112345678"), "callerName": "Ann", "fromHost": "pbx.test",
        "headers": { "X-A": "b" }, "tag": { "orderId": 7 }, "env_vars": { "keyName": "v" },
        "speech_synthesis_vendor": "v", "speech_recognizer_language": "de-DE",
    });
    let world = played(&json!([{ "verb": "hangup" }]), vec![answers(0.5)], &more);
    let invite = request_to(&world, callee_address(1), &Method::Invite);
    assert!(invite.header("From").unwrap().starts_with("\"Ann\" <sip:+4930111@pbx.test>"));
    assert_eq!(invite.message.request_uri().unwrap(), "sip:+4915112345678@10.0.2.1");
    assert_eq!(invite.header("X-A").as_deref(), Some("b"));
    assert_eq!(invite.header("X-Call-Sid"), None, "a carrier is not told");
    let asked = &world.application.asked_at(HOOK)[0].payload;
    assert_eq!(asked["customerData"], json!({ "orderId": 7 }));
    assert_eq!(asked["env_vars"], json!({ "keyName": "v" }));
    assert_eq!(asked["defaults"]["synthesizer"]["vendor"], "v");
    assert_eq!(asked["defaults"]["recognizer"]["language"], "de-DE");
    assert_eq!((&asked["caller_name"], &asked["to"]), (&"Ann".into(), &"4915112345678".into()));
    assert!(world.application.told.iter().all(|told| told["customerData"]["orderId"] == 7));
    assert_eq!(world.records.last().unwrap().trunk, "outbound");
}

#[test]
fn what_a_target_says_of_its_own_invite_counts_here_too() {
    let mut to = target(1);
    let own = json!({ "timeout": 2, "callerId": "+4930777", "codecs": ["PCMA"], "priority": 1 });
    to.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    let world = played(&json!([pause(1.0)]), vec![waits()], &json!({ "to": to, "timeout": 30 }));
    let invite = request_to(&world, callee_address(1), &Method::Invite);
    assert!(invite.header("From").unwrap().starts_with("<sip:+4930777@"));
    assert!(invite.body().contains("m=audio") && invite.body().contains("RTP/AVP 8 101"));
    assert_eq!(parent_history(&world), ["trying/100", "ringing/180", "no-answer/487"]);
    let record = world.records.last().unwrap();
    let rang = record.ended_at.unwrap().duration_since(record.attempted_at.unwrap());
    assert_near(rang.as_secs_f64(), 2.0);
}

#[test]
fn the_request_wins_over_its_application() {
    let sid = "7087fe50-8acb-4f3b-b820-97b573723aab";
    let list = json!([{ "verb": "tag", "data": { "who": "list" } }, pause(1.0)]);
    let of_application = json!({ "call_hook": null, "call_status_hook": null });
    let rows = [
        (json!({}), vec![HOOK]),
        (json!({ "call_hook": "http://other.test/b" }), vec!["http://other.test/b"]),
        (json!({ "app_json": list.to_string() }), vec![]),
    ];
    for (more, asked) in rows {
        let mut merged = of_application.clone();
        for (name, value) in more.as_object().unwrap() {
            merged[name] = value.clone();
        }
        merged["application_sid"] = json!(sid);
        let mut world = Scene::running(&list)
            .callees(vec![answers(0.2)])
            .answering("http://other.test/b", text(&list))
            .application(|application| {
                application.app_json = asked.is_empty().then(|| "[]".to_owned());
            })
            .without_caller();
        begins(&mut world, &merged);
        finish(&mut world);
        let urls: Vec<&str> = world.application.asked.iter().map(|a| a.url.as_str()).collect();
        assert_eq!(urls, asked, "{more}");
        let end = world.application.told.last().unwrap();
        assert_eq!(
            (&end["application_sid"], &end["customerData"]["who"]),
            (&sid.into(), &"list".into())
        );
    }
}

#[test]
fn a_hook_of_the_request_stands_in_for_the_list_of_its_application() {
    let mut world = Scene::running(&json!([pause(1.0)]))
        .callees(vec![answers(0.2)])
        .application(|application| application.app_json = Some("[]".to_owned()))
        .without_caller();
    begins(&mut world, &json!({ "application_sid": "7087fe50-8acb-4f3b-b820-97b573723aab" }));
    finish(&mut world);
    assert_eq!(world.application.asked_at(HOOK).len(), 1);
}

/// Rows: final status of the INVITE, and the word for it.
#[test]
fn a_call_that_fails_says_how_and_its_application_is_not_asked() {
    let rows = [
        (486, "busy"),
        (600, "busy"),
        (603, "busy"),
        (480, "failed"),
        (404, "failed"),
        (500, "failed"),
        (487, "no-answer"),
    ];
    for (status, word) in rows {
        let world = played(&json!([pause(1.0)]), vec![refuses(status, 0.5)], &json!({}));
        let end = format!("{word}/{status}");
        assert_eq!(parent_history(&world), ["trying/100", "ringing/180", end.as_str()]);
        assert!(world.application.asked.is_empty(), "{status}");
        assert_eq!(world.records.last().unwrap().sip_status, status);
    }
}

#[test]
fn nobody_answers_in_time() {
    let world = played(&json!([pause(1.0)]), vec![waits()], &json!({ "timeout": 5 }));
    assert_eq!(parent_history(&world), ["trying/100", "ringing/180", "no-answer/487"]);
    assert_near(request_to(&world, callee_address(1), &Method::Cancel).at, 5.0);
    assert_eq!(world.records.last().unwrap().termination_reason, "caller abandoned");
}

#[test]
fn a_call_lasts_no_longer_than_its_limit() {
    let list = json!([pause(60.0)]);
    let world = played(&list, vec![answers(1.0)], &json!({ "timeLimit": 4 }));
    assert_near(request_to(&world, callee_address(1), &Method::Bye).at, 5.0);
    assert_eq!(parent_history(&world).last().unwrap(), "completed/200");
}

#[test]
fn it_dials_and_both_talk_until_either_hangs_up() {
    let rows = [
        // (the caller hangs up so long after its answer, the callee after its own)
        (Some(6.0), None),
        (None, Some(3.0)),
    ];
    for (caller, callee) in rows {
        let caller = Callee { hangs_up: caller.map(s), ..answers(1.0) };
        let callee = Callee { hangs_up: callee.map(s), ..answers(1.0) };
        let list = json!([dial(0, &json!({ "target": [target(2)] })), pause(1.0)]);
        let world = played(&list, vec![caller.clone(), callee], &json!({}));
        assert_eq!(result(&world)["dial_call_status"], "completed");
        assert_eq!(result(&world)["direction"], "outbound");
        let invite = request_to(&world, callee_address(2), &Method::Invite);
        assert!(invite.header("From").unwrap().contains("sip:+4930111@"), "who calls is kept");
        assert_eq!(heard(&world), Vec::<String>::new(), "leg 0 does not exist");
        assert_eq!(world.phone("B1").saw(&Note::Ended), usize::from(caller.hangs_up.is_none()));
        assert_eq!(world.phone("B2").saw(&Note::Ended), usize::from(caller.hangs_up.is_some()));
        let child = world.application.calls(true).remove(0);
        let told = world.application.told.iter().find(|told| told["call_sid"] == child.as_str());
        assert_eq!(told.unwrap()["parent_call_sid"], parent(&world).as_str());
    }
}

#[test]
fn the_answered_far_end_holds_sends_info_and_hangs_up() {
    let peer = Raw(callee_address(1));
    let mut world = scene(&json!([pause(60.0)]), vec![]);
    begins(&mut world, &json!({}));
    world.run_for(s(0.1));
    let invite = request_to(&world, peer.0, &Method::Invite);
    peer.respond(&mut world, &invite, "200 OK", "x", &description(peer, 1, ""));
    world.run_for(s(0.1));
    let held = description(peer, 2, "a=sendonly\r\n");
    let hold = Request { body: &held, ..Request::new("INVITE", 1) };
    peer.request_as_callee(&mut world, &invite.message, "x", &hold);
    world.run_for(s(0.1));
    let answer = responses_to(&world, peer.0, 200).pop().unwrap();
    assert!(answer.body().contains("a=recvonly"), "{}", answer.body());
    peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("ACK", 1));
    peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("INFO", 2));
    peer.request_as_callee(&mut world, &invite.message, "x", &Request::new("BYE", 3));
    finish(&mut world);
    assert_eq!(responses_to(&world, peer.0, 200).len(), 3);
    let end = world.application.told.last().unwrap();
    assert_eq!(
        (&end["call_status"], &end["call_termination_by"]),
        (&"completed".into(), &"caller".into())
    );
}

#[test]
fn all_contacts_of_a_user_ring_and_the_program_hears_of_one_call() {
    let user = |settings: &mut call::settings::Settings| {
        let (username, password) = ("jane".to_owned(), "secret".to_owned());
        settings.clients.push(Client { username, password });
    };
    let callees = vec![answers(3.0), talks(1.0, 1.0)];
    let mut world =
        Scene::running(&json!([pause(9.0)])).callees(callees).settings(user).without_caller();
    register(&mut world, Raw(callee_address(1)), 1);
    register(&mut world, Raw(callee_address(2)), 1);
    let id = begins(&mut world, &json!({ "to": { "type": "user", "name": "jane" } }));
    finish(&mut world);
    let statuses = ["trying/100", "ringing/180", "in-progress/200", "completed/200"];
    assert_eq!(parent_history(&world), statuses);
    let call_sid = sid_of(&world, id);
    for number in [1, 2] {
        let invite = request_to(&world, callee_address(number), &Method::Invite);
        assert_eq!(invite.header("X-Call-Sid").as_ref(), Some(&call_sid), "a device is told");
    }
    let answered = request_to(&world, callee_address(2), &Method::Invite).header("Call-ID");
    assert_eq!(world.application.told.last().unwrap()["call_id"].as_str(), answered.as_deref());
    let elsewhere = "SIP;cause=200;text=\"Call completed elsewhere\"".to_owned();
    assert_eq!(world.phone("B1").saw(&Note::Cancelled(Some(elsewhere))), 1);
    assert_eq!(world.records.last().unwrap().trunk, "user");
}

fn over_gateways(callees: Vec<Callee>) -> World {
    let gateways = 1..=u8::try_from(callees.len()).unwrap();
    let gateways = gateways.map(|number| Gateway {
        host: GatewayHost::Net(callee_address(number).ip().into()),
        port: Some(5060),
        transport: None,
        inbound: false,
        outbound: true,
        priority: u32::from(number),
        weight: 1,
    });
    let mut world = Scene::running(&json!([pause(1.0)]))
        .callees(callees)
        .settings(|settings| {
            Arc::make_mut(&mut settings.carriers[1]).gateways = gateways.collect();
        })
        .without_caller();
    begins(&mut world, &json!({ "to": phone("4915112345678") }));
    finish(&mut world);
    world
}

#[test]
fn a_broken_gateway_gives_way_to_the_next_and_the_program_hears_of_one_call() {
    let silent = Callee { rings: None, early_media: None, outcome: Outcome::Waits, hangs_up: None };
    let world = over_gateways(vec![refuses(503, 0.2), silent, answers(0.5)]);
    let statuses = ["trying/100", "ringing/180", "in-progress/200", "completed/200"];
    assert_eq!(parent_history(&world), statuses);
    let answered = request_to(&world, callee_address(3), &Method::Invite).header("Call-ID");
    assert_eq!(world.application.told.last().unwrap()["call_id"].as_str(), answered.as_deref());
    let world = over_gateways(vec![refuses(486, 0.2), answers(0.5)]);
    assert!(requests_to(&world, callee_address(2), &Method::Invite).is_empty(), "no second ring");
}

#[test]
fn a_challenge_is_answered_and_so_is_the_one_for_the_bye() {
    let challenge = Challenge {
        status: 407,
        username: "jane",
        password: "secret",
        algorithms: vec![Algorithm::Md5],
        forgets: false,
    };
    let mut to = target(1);
    to["auth"] = json!({ "username": "jane", "password": "secret" });
    let by_carrier = |settings: &mut call::settings::Settings| {
        Arc::make_mut(&mut settings.carriers[1]).credentials = Some(Credentials {
            username: "jane".to_owned(),
            password: "secret".to_owned(),
            realm: None,
        });
    };
    for to in [to, phone("4915112345678")] {
        let mut world = Scene::running(&json!([pause(1.0)]))
            .callees(vec![answers(0.5)])
            .settings(by_carrier)
            .without_caller();
        world.with_phone("B1", |phone, _| phone.challenge = Some(challenge.clone()));
        begins(&mut world, &json!({ "to": to }));
        finish(&mut world);
        let statuses = ["trying/100", "ringing/180", "in-progress/200", "completed/200"];
        assert_eq!(parent_history(&world), statuses);
        let bye = request_to(&world, callee_address(1), &Method::Bye);
        assert!(bye.header("Proxy-Authorization").is_some(), "RFC 3261 §22.3");
    }
}

/// Rows: what is merged over the request, the status and the text of the refusal.
#[test]
fn what_can_never_be_is_refused_at_once_and_nothing_is_told_of_it() {
    let rows = [
        (json!({ "application_sid": "x" }), 400, "application_sid not found x"),
        (json!({ "answerOnBridge": true }), 400, "answerOnBridge is not supported"),
        (json!({ "amd": { "actionHook": "/amd" } }), 400, "amd is not supported"),
        (json!({ "dual_streams": true }), 400, "dual_streams is not supported"),
        (json!({ "record": { "action": "startCallRecording" } }), 400, "record is not supported"),
        (
            json!({ "to": { "type": "phone", "number": "1", "trunk": "none" } }),
            400,
            "missing or invalid to property: no such trunk",
        ),
        (json!({ "fromHost": "host:port" }), 400, "the From that was asked for is no SIP address"),
        (json!({ "to": { "type": "user", "name": "jane" } }), 480, "jane is not registered"),
        (json!({ "to": { "type": "sip", "sipUri": "sip:a@nowhere.test" } }), 480, "no such host"),
    ];
    for (more, status, said) in rows {
        let world = played(&json!([]), vec![answers(0.5)], &more);
        let reply = world.replies.values().next().unwrap();
        let (got, msg) = refused(reply);
        assert!(got == status && msg.contains(said), "{more}: {reply:?}");
        assert!(world.application.told.is_empty() && world.records.is_empty(), "{more}");
    }
    for property in ["delay", "srtp"] {
        let mut to = target(1);
        to[property] = match property {
            "srtp" => json!("off"),
            _ => json!(3),
        };
        let world = played(&json!([]), vec![answers(0.5)], &json!({ "to": to }));
        let said = format!("to.{property} is not supported by this version; leave it out");
        assert_eq!(refused(world.replies.values().next().unwrap()), (400, said.as_str()));
    }
}

#[test]
fn the_next_hop_of_the_caller_may_be_named() {
    let to = json!({ "type": "sip", "sipUri": "sip:a@nowhere.test", "proxy": "10.0.2.1" });
    let world = played(&json!([]), vec![answers(0.5)], &json!({ "to": to }));
    let invite = request_to(&world, callee_address(1), &Method::Invite);
    assert_eq!(invite.message.request_uri().unwrap(), "sip:a@nowhere.test");
    assert_eq!(invite.header("Route").unwrap(), "<sip:10.0.2.1;lr>");
    assert_eq!(history(&world).last().unwrap(), "A completed/200");
}

#[test]
fn no_carrier_raises_an_alert_too() {
    let world = played(
        &json!([]),
        vec![],
        &json!({ "to": { "type": "phone", "number": "1", "trunk": "x" } }),
    );
    assert_eq!(alerts(&world), ["no-carrier: /to: no such trunk"]);
}

#[test]
fn without_a_port_nobody_is_called() {
    let mut world = scene(&json!([]), vec![answers(0.5)]);
    world.ports_max = 0;
    let id = begins(&mut world, &json!({}));
    finish(&mut world);
    assert_eq!(refused(&world.replies[&id]), (480, "nobody can be called: no RTP port is free"));
}

#[test]
fn an_end_before_the_invite_left_is_a_refusal() {
    let mut world = scene(&json!([]), vec![answers(0.5)]);
    let id = begins(&mut world, &json!({}));
    world.with_switch(|switch, now| switch.end_all(now));
    finish(&mut world);
    assert_eq!(refused(&world.replies[&id]).0, 480);
    assert!(requests_to(&world, callee_address(1), &Method::Invite).is_empty());
}

#[test]
fn it_counts_among_the_calls_of_the_switch_and_of_its_carrier() {
    let limited = |change: fn(&mut call::settings::Settings)| {
        let scene = Scene::running(&json!([pause(5.0)])).callees(vec![answers(0.5)]);
        scene.caller(hangs_up(1.0)).settings(change).before_the_call()
    };
    let mut world = limited(|settings| settings.limits.calls = 1);
    let first = begins(&mut world, &json!({}));
    let second = begins(&mut world, &json!({}));
    world.call("A");
    finish(&mut world);
    sid_of(&world, first);
    let why = "the limit of calls at the same time is reached";
    assert_eq!(refused(&world.replies[&second]), (480, why));
    assert!(world.phone("A").notes.iter().any(|(_, note)| matches!(note, Note::Rejected(503, _))));

    let mut world = limited(|settings| settings.limits.calls_per_second = 1);
    let ids = [begins(&mut world, &json!({})), begins(&mut world, &json!({}))];
    finish(&mut world);
    sid_of(&world, ids[0]);
    assert_eq!(refused(&world.replies[&ids[1]]).0, 480);

    let mut world = limited(|settings| {
        Arc::make_mut(&mut settings.carriers[1]).max_calls = Some(1);
    });
    let to = json!({ "to": phone("1") });
    let ids = [begins(&mut world, &to), begins(&mut world, &to)];
    finish(&mut world);
    sid_of(&world, ids[0]);
    let (status, why) = refused(&world.replies[&ids[1]]);
    assert!(status == 480 && why.contains("max_calls"), "{why}");

    let mut world = limited(|_| {});
    world.with_switch(|switch, _| switch.drain());
    let id = begins(&mut world, &json!({}));
    finish(&mut world);
    assert_eq!(refused(&world.replies[&id]), (480, "this switch is being shut down"));
}

#[test]
fn an_application_that_cannot_be_asked_ends_the_answered_call() {
    let mut world = scene(&json!([]), vec![answers(0.5)]);
    let more = json!({ "call_hook": "http://broken.test/" });
    world.application = std::mem::take(&mut world.application)
        .answering("http://broken.test/", testkit::Answer::Fails);
    world.command(create(&body(&more)));
    finish(&mut world);
    let statuses = ["trying/100", "ringing/180", "in-progress/200", "completed/200"];
    assert_eq!(parent_history(&world), statuses);
    assert!(alerts(&world)[0].starts_with("webhook-connection-failure"));
}

#[test]
fn the_media_of_the_leg_that_answered_is_the_callers() {
    let list = json!([dial(0, &json!({ "target": [target(2)] }))]);
    let world = played(&list, vec![talks(0.5, 4.0), answers(0.5)], &json!({}));
    let bridged: Vec<(LegId, LegId)> = world
        .media
        .iter()
        .filter_map(|fact| match fact {
            testkit::MediaFact::Bridged(_, one, two) => Some((*one, *two)),
            _ => None,
        })
        .collect();
    assert_eq!(bridged, [(LegId(1), LegId(2))]);
}
