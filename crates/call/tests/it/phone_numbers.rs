//! From a `phone` target to a carrier: which one, and how it wants the number.

use std::sync::Arc;

use call::settings::{Carrier, Gateway, GatewayHost, PhoneNumber, Settings};
use serde_json::{Value, json};
use sip::Method;
use testkit::World;

use crate::scene::{CALLER, Scene, alerts, callee_address, dial, phone, result, waits};
use crate::sent::{request_to, requests_to, statuses_to};

fn calling(target: &Value, more: &Value) -> Scene {
    let mut more = more.clone();
    more["target"] = json!([target]);
    more["timeout"] = json!(1);
    Scene::running(&json!([dial(0, &more)])).callees(vec![waits(), waits()])
}

fn outbound(settings: &mut Settings) -> &mut Carrier {
    Arc::make_mut(&mut settings.carriers[1])
}

fn dialled(world: &World) -> String {
    let invite = request_to(world, callee_address(1), &Method::Invite);
    invite.message.request_uri().unwrap().into_owned()
}

#[test]
fn a_number_is_written_as_the_carrier_wants_it() {
    let cases = [
        (true, None, "+4915112345678", "+4915112345678"),
        (true, None, "4915112345678", "+4915112345678"),
        (true, None, "015112345678", "015112345678"),
        (true, None, "*98@home 1", "*98%40home%201"),
        (false, None, "+4915112345678", "4915112345678"),
        (false, Some("0049"), "+15551234567", "004915551234567"),
        (true, Some("77"), "15551234567", "77+15551234567"),
    ];
    for (plus, prefix, number, expected) in cases {
        let scene = calling(&phone(number), &json!({})).settings(|settings| {
            outbound(settings).e164_leading_plus = plus;
            outbound(settings).tech_prefix = prefix.map(str::to_owned);
        });
        assert_eq!(dialled(&scene.play()), format!("sip:{expected}@10.0.2.1"), "{number}");
    }
}

#[test]
fn a_port_that_is_not_the_usual_one_is_named() {
    let scene = calling(&phone("15551234567"), &json!({}));
    let world = scene.settings(|settings| outbound(settings).gateways[0].port = Some(5070)).play();
    let port = world.wire.iter().find(|(_, sent)| sent.to.port() == 5070);
    let text = String::from_utf8_lossy(&port.unwrap().1.bytes).into_owned();
    assert!(text.starts_with("INVITE sip:+15551234567@10.0.2.1:5070 SIP/2.0"), "{text}");
    let attempt = &result(&world)["dial_targets"][0]["attempts"][0];
    assert_eq!(attempt["gateway"], "10.0.2.1:5070");
}

/// A second carrier with the gateway of callee 2.
fn second_carrier(settings: &mut Settings) {
    let mut second = Carrier::clone(&settings.carriers[1]);
    second.name = "second".to_owned();
    second.gateways[0].host = GatewayHost::Net(callee_address(2).ip().into());
    settings.carriers.push(Arc::new(second));
}

fn reached(world: &World) -> Vec<u8> {
    let got = |number| !requests_to(world, callee_address(number), &Method::Invite).is_empty();
    [1, 2].into_iter().filter(|number| got(*number)).collect()
}

#[test]
fn a_trunk_is_the_carrier_of_that_name() {
    for (trunk, number) in [("outbound", 1), ("second", 2)] {
        let mut target = phone("15551234567");
        target["trunk"] = json!(trunk);
        let world = calling(&target, &json!({})).settings(second_carrier).play();
        assert_eq!(reached(&world), [number]);
        assert_eq!(result(&world)["dial_targets"][0]["trunk"], trunk);
    }
}

#[test]
fn an_unknown_trunk_is_never_another_carrier() {
    let mut target = phone("15551234567");
    target["trunk"] = json!("Outbound");
    let world = calling(&target, &json!({})).play();
    assert!(reached(&world).is_empty());
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "failed");
    assert_eq!(result["dial_sip_status"], 404);
    assert!(result.get("dial_call_sid").is_none());
    let of_target = &result["dial_targets"][0];
    assert_eq!(of_target["lost_because"], "no-such-trunk");
    assert_eq!(of_target["sip_reason"], "no such trunk");
    assert_eq!(of_target["call_status"], "failed");
    assert_eq!(of_target["attempts"], json!([]));
    let alerts = alerts(&world);
    assert!(alerts[0].starts_with("no-carrier: /0/target/0: "), "{alerts:?}");
    assert_eq!(statuses_to(&world, CALLER), [100, 404]);
}

#[test]
fn without_any_carrier_it_is_603() {
    let world = calling(&phone("15551234567"), &json!({}))
        .settings(|settings| outbound(settings).gateways.clear())
        .play();
    let result = result(&world);
    assert_eq!(result["dial_sip_status"], 603);
    assert_eq!(result["dial_call_status"], "failed");
    assert!(alerts(&world)[0].starts_with("no-carrier: "));
    assert!(world.application.calls(true).is_empty());
}

#[test]
fn the_carrier_that_owns_the_callers_number_is_preferred() {
    let owned = |settings: &mut Settings| {
        second_carrier(settings);
        settings.phone_numbers.push(PhoneNumber {
            number: "4930111111".to_owned(),
            carrier: Some("second".to_owned()),
            application: "main".to_owned(),
        });
    };
    let target = phone("15551234567");
    let world = calling(&target, &json!({ "callerId": "+4930111111" })).settings(owned).play();
    assert_eq!(reached(&world), [2]);
    let world = calling(&target, &json!({ "callerId": "+4930222222" })).settings(owned).play();
    assert_eq!(reached(&world), [1], "the first that has an outbound gateway");
}

#[test]
fn the_carrier_that_the_call_came_in_on_goes_before_the_first_that_could_take_it() {
    let both_ways = |settings: &mut Settings| {
        let place = settings.carriers.iter().position(|carrier| carrier.name == "inbound").unwrap();
        let mut inbound = settings.carriers.remove(place);
        let carrier = Arc::make_mut(&mut inbound);
        let like = carrier.gateways[0].clone();
        let host = GatewayHost::Net(callee_address(2).ip().into());
        carrier.gateways.push(Gateway { host, inbound: false, outbound: true, ..like });
        settings.carriers.push(inbound);
    };
    let target = phone("15551234567");
    let world = calling(&target, &json!({})).settings(both_ways).play();
    assert_eq!(reached(&world), [2]);
}

#[test]
fn one_targets_carrier_is_not_the_next_targets() {
    let mut by_second = phone("15551234567");
    by_second["trunk"] = json!("second");
    let targets = json!([by_second, phone("15557654321")]);
    let list = json!([dial(0, &json!({ "target": targets, "timeout": 1 }))]);
    let scene = Scene::running(&list).callees(vec![waits(), waits()]).settings(second_carrier);
    let world = scene.play();
    assert_eq!(dialled(&world), "sip:+15557654321@10.0.2.1");
    let other = request_to(&world, callee_address(2), &Method::Invite);
    assert_eq!(other.message.request_uri().unwrap(), "sip:+15551234567@10.0.2.2");
}

#[test]
fn each_of_ten_targets_takes_its_own_trunk_whichever_is_found_first() {
    const TEN: std::ops::RangeInclusive<u8> = 1..=10;
    let target = |number: u8| {
        let mut target = phone(&format!("1555000{number:04}"));
        target["trunk"] = json!(format!("trunk-{number}"));
        target["headers"] = json!({ "X-Number": number });
        target
    };
    let targets: Vec<Value> = TEN.map(target).collect();
    for seed in 1..=20 {
        let list = json!([dial(0, &json!({ "target": targets, "timeout": 2 }))]);
        let scene = Scene::running(&list).callees(TEN.map(|_| waits()).collect());
        let mut world = scene
            .settings(|settings| {
                let like = Arc::clone(&settings.carriers[1]);
                settings.carriers.extend(TEN.map(|number| {
                    let mut carrier = Carrier::clone(&like);
                    carrier.name = format!("trunk-{number}");
                    carrier.tech_prefix = Some(format!("{number:02}"));
                    let host = GatewayHost::Name(format!("gateway-{number}.test"));
                    carrier.gateways[0].host = host;
                    Arc::new(carrier)
                }));
            })
            .before_the_call();
        for number in TEN {
            let host = format!("gateway-{number}.test");
            // why: another order for each seed, 11 being prime.
            let found = f64::from(u32::from(number) * seed % 11) / 20.0;
            world.lookups.insert(host.clone(), crate::scene::s(found));
            world.names.insert(host, vec![callee_address(number)]);
        }
        world.call("A");
        crate::scene::finish(&mut world);
        for number in TEN {
            let invite = request_to(&world, callee_address(number), &Method::Invite);
            let uri = format!("sip:{number:02}+1555000{number:04}@gateway-{number}.test");
            assert_eq!(invite.message.request_uri().unwrap(), uri, "seed {seed}");
            let values: Vec<_> = invite.message.header_all("X-Number").collect();
            assert_eq!(values, [number.to_string().as_bytes()], "seed {seed}");
            let of_target = &result(&world)["dial_targets"][usize::from(number) - 1];
            assert_eq!(of_target["attempts"][0]["uri"], uri, "seed {seed}");
        }
    }
}

#[test]
fn a_carrier_may_want_a_diversion() {
    let scene = calling(&phone("15551234567"), &json!({}))
        .settings(|settings| outbound(settings).diversion = Some("4930999888".to_owned()));
    let invite = request_to(&scene.play(), callee_address(1), &Method::Invite);
    let diversion = invite.header("Diversion").unwrap();
    assert!(diversion.starts_with("<sip:+4930999888@10.0.2.1>"), "{diversion}");
    // That of the application goes in its place.
    let mut target = phone("15551234567");
    target["headers"] = json!({ "diversion": "<sip:sales@example.com>" });
    let scene = calling(&target, &json!({}))
        .settings(|settings| outbound(settings).diversion = Some("4930999888".to_owned()));
    let invite = request_to(&scene.play(), callee_address(1), &Method::Invite);
    let diversions: Vec<_> = invite.message.header_all("Diversion").collect();
    assert_eq!(diversions, [b"<sip:sales@example.com>"]);
}
