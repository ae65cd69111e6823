//! What the caller of a call was given to hear, in words, and which keys the application was told.
//!
//! Read from what the switch told its media side. Audio of a URL sounds over what lies beneath it,
//! so that both are named, in the order in which they began.

use std::net::IpAddr;

use call::{CallKey, LegId};
use serde_json::Value;
use testkit::{MediaFact, World};

use super::parties::Callee;

/// A tone of ours.
pub(crate) const TONE: &str = "tone";
/// Silence.
pub(crate) const NOTHING: &str = "nothing";

/// What this caller heard: a tone, a callee by its name, audio by its URL, or nothing. What cannot
/// be had is not heard, and the end of the call is no silence.
pub(crate) fn heard(
    world: &World,
    (key, caller): (CallKey, LegId),
    callees: &[Callee],
    place_of: impl Fn(IpAddr) -> Option<usize>,
) -> Vec<String> {
    let mut heard: Vec<String> = Vec::new();
    let mut addresses: Vec<(LegId, IpAddr)> = Vec::new();
    for fact in &world.media {
        let word = match fact {
            MediaFact::Remote(of, leg, remote, _) if *of == key => {
                addresses.push((*leg, remote.ip()));
                continue;
            }
            MediaFact::Bridged(of, leg, other) if (*of, *leg) == (key, caller) => {
                let latest = addresses.iter().rev().find(|(leg, _)| leg == other);
                let place = latest.and_then(|(_, ip)| place_of(*ip));
                let callee = place.and_then(|place| callees.get(place));
                callee.map_or_else(|| other.to_string(), |callee| callee.name.clone())
            }
            MediaFact::Ringback(of, leg, _) if (*of, *leg) == (key, caller) => TONE.to_owned(),
            MediaFact::Silence(of, leg) if (*of, *leg) == (key, caller) => NOTHING.to_owned(),
            MediaFact::Plays(of, leg, _, url) if (*of, *leg) == (key, caller) => {
                if !world.sounds.contains_key(url) {
                    continue;
                }
                url.clone()
            }
            _ => continue,
        };
        if heard.last() != Some(&word) {
            heard.push(word);
        }
    }
    if heard.last().is_some_and(|last| last == NOTHING) {
        heard.pop();
    }
    heard
}

/// The sequences of keys that dtmfHooks were told of this call, in order.
pub(crate) fn dtmf<'a>(payloads: impl Iterator<Item = &'a Value>) -> Vec<String> {
    payloads.filter_map(|payload| payload["dtmf"].as_str()).map(str::to_owned).collect()
}

/// The hooks that screen callees in these lists of verbs, as they are written there.
pub(crate) fn confirm_hooks<'a>(lists: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut hooks = Vec::new();
    for list in lists {
        collect(&serde_json::from_str(list).unwrap_or_default(), &mut hooks);
    }
    hooks
}

fn collect(value: &Value, hooks: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, hooks)),
        Value::Object(members) => {
            let of_target = value["type"].is_string();
            for (name, member) in members {
                if name == "confirmHook" || (name == "url" && of_target) {
                    let url = member.as_str().or_else(|| member["url"].as_str());
                    hooks.extend(url.map(str::to_owned));
                }
                collect(member, hooks);
            }
        }
        _ => {}
    }
}
