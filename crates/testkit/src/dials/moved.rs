//! Callees of a random dial that are elsewhere: a server beside each of them, and the phone of a
//! user who has gone away, answer every call with a 302; and what must become of those calls.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use sip::SavedBinding;

use super::plan::{self, REDIRECTOR};
use super::transfers::USER;
use crate::random::Random;
use crate::redirector::Redirector;
use crate::world::{SWITCH, World};

/// Port of the server beside a callee.
const BESIDE: u16 = 5070;

/// A user whose phone sends all calls to [`USER`].
pub(super) const GONE: &str = "gone";

/// Why the switch gives a call up: then nobody is called in its place.
const GIVEN_UP: [&str; 4] = ["answered-elsewhere", "ring-timeout", "caller-gone", "replaced"];

/// Sends some of the targets of these lists by way of a redirection.
pub(super) fn vary(seed: u64, lists: Vec<&mut Value>) {
    let random = &mut Random::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x0301);
    for list in lists {
        let dials = list.as_array_mut().into_iter().flatten();
        let targets = dials.filter_map(|verb| verb["target"].as_array_mut()).flatten();
        for target in targets.filter(|target| target["type"] == "sip") {
            let port = format!(":{BESIDE}");
            let uri = target["sipUri"].as_str().map(|uri| uri.replace(":5060", &port));
            match random.below(12) {
                0 => target["sipUri"] = json!(uri),
                1 => {
                    let fields = target.as_object_mut().into_iter();
                    fields.for_each(|fields| {
                        fields.retain(|name, _| name != "auth" && name != "sipUri");
                    });
                    target["type"] = json!("user");
                    target["name"] = json!(GONE);
                }
                _ => {}
            }
        }
    }
}

/// Puts them into their world.
pub(super) fn people(world: &mut World) {
    for number in 1..=4 {
        let callee = plan::callee_address(number);
        // A contact inside leads nowhere, however much it is preferred.
        let inside = plan::callee_address(number % 4 + 1);
        let contacts =
            vec![format!("<sip:b@{inside}>;q=0.9"), format!("<sip:b{number}@{callee}>;q=0.5")];
        world.redirectors.insert(SocketAddr::new(callee.ip(), BESIDE), Redirector { contacts });
    }
    let phone = SocketAddr::new(REDIRECTOR.ip(), BESIDE);
    let contacts = vec![format!("<sip:{USER}@{}>", SWITCH.ip())];
    world.redirectors.insert(phone, Redirector { contacts });
    let binding = SavedBinding {
        contact: format!("<sip:{GONE}@{phone}>"),
        flow: world.flow(phone),
        call_id: "gone".to_owned(),
        cseq: 1,
        age: Duration::ZERO,
        remains: Duration::from_secs(30),
    };
    world.with_switch(|switch, now| {
        switch.restore(now, GONE, &[binding]);
    });
}

/// Checks what became of their calls: followed to where a redirection may lead, and nowhere else.
pub(super) fn check(results: &[&Value]) -> Result<(), String> {
    for result in results {
        for target in result["dial_targets"].as_array().into_iter().flatten() {
            check_target(target).map_err(|why| format!("{why}: {target}"))?;
        }
    }
    Ok(())
}

fn check_target(target: &Value) -> Result<(), &'static str> {
    let attempts = target["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let uri = |attempt: &Value| attempt["uri"].as_str().unwrap_or_default().to_owned();
    let Some((first, further)) = attempts.split_first() else { return Ok(()) };
    let asked = uri(first);
    let is_gone = asked.starts_with(&format!("sip:{GONE}@"));
    if !is_gone && !asked.ends_with(&format!(":{BESIDE}")) {
        return Ok(());
    }
    let number = |number: u8| asked == format!("sip:b{number}@{}", beside(number));
    let expected = match (1..=4).find(|callee| number(*callee)) {
        // why: at the others a carrier takes calls, too.
        Some(callee @ 1..=2) => Some(format!("sip:b{callee}@{}", plan::callee_address(callee))),
        None if is_gone => Some(format!("sip:{USER}@{}", plan::callee_address(4))),
        _ => None,
    };
    if further.iter().any(|attempt| Some(uri(attempt)) != expected) {
        return Err("a redirection led where it may not");
    }
    let lost = target["lost_because"].as_str().unwrap_or_default();
    let was_moved = first["sip_status"] == 302 && !GIVEN_UP.contains(&lost);
    // why: the user may not be registered.
    let must_follow = expected.is_some() && !is_gone;
    match (was_moved && further.is_empty(), must_follow) {
        (true, true) => Err("a redirection was not followed"),
        (true, false) if target["sip_status"] != 302 => Err("a redirection is not the end"),
        _ => Ok(()),
    }
}

fn beside(number: u8) -> SocketAddr {
    SocketAddr::new(plan::callee_address(number).ip(), BESIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uris: &[&str], statuses: &[u16], lost: &str) -> Value {
        let attempts = uris.iter().zip(statuses);
        let attempts = attempts.map(|(uri, status)| json!({ "uri": uri, "sip_status": status }));
        let attempts: Vec<Value> = attempts.collect();
        json!({ "attempts": attempts, "sip_status": statuses.last(), "lost_because": lost })
    }

    #[test]
    fn a_redirection_that_leads_elsewhere_or_is_forgotten_is_found() {
        let (one, three) = ("sip:b1@10.0.2.1:5070", "sip:b3@10.0.2.3:5070");
        let gone = "sip:gone@10.0.2.99:5070";
        let jane = "sip:jane@10.0.2.4:5060";
        for (uris, statuses, lost, good) in [
            (vec![one, "sip:b1@10.0.2.1:5060"], vec![302, 486], "busy", true),
            (vec![one, "sip:b@10.0.2.2:5060"], vec![302, 486], "busy", false),
            (vec![one], vec![302], "rejected", false),
            (vec![one], vec![302], "ring-timeout", true),
            (vec![one], vec![408], "unreachable", true),
            (vec![three], vec![302], "rejected", true),
            (vec![three, "sip:b3@10.0.2.3:5060"], vec![302, 486], "busy", false),
            (vec![gone, jane], vec![302, 200], "", true),
            (vec![gone], vec![302], "rejected", true),
            (vec![gone, one], vec![302, 200], "", false),
            (vec!["sip:b1@10.0.2.1:5060"], vec![302], "rejected", true),
        ] {
            let target = target(&uris, &statuses, lost);
            let result = json!({ "dial_targets": [target] });
            assert_eq!(check(&[&result]).is_ok(), good, "{result}");
        }
    }
}
