//! What holds after every dial, whatever was lost, repeated or crossed.

use std::collections::BTreeMap;

use crate::phone::Phone;
use crate::world::World;

/// Final words of a call status.
const FINAL: [&str; 4] = ["completed", "busy", "no-answer", "failed"];

/// Checks a world that has come to rest; the first broken invariant, in words.
///
/// `dials` is the number of dials with an `actionHook` at this URL that were started.
pub fn check(world: &World, action_hook: &str, dials: usize) -> Result<(), String> {
    nothing_is_left(world)?;
    one_end_of_each_call(world)?;
    one_record_of_each_call(world)?;
    one_result_of_each_dial(world, action_hook, dials)
}

/// No call, leg, transaction, dialog, timer or port survives.
fn nothing_is_left(world: &World) -> Result<(), String> {
    let alive = world.switch.alive();
    if alive != call::Alive::default() {
        return Err(format!("the switch still holds {alive:?}"));
    }
    if !world.open_ports.is_empty() {
        return Err(format!("RTP ports are still open: {:?}", world.open_ports));
    }
    let cut_off = |phone: &&Phone| world.vanished.contains(&phone.address);
    match world.phones.values().find(|phone| !phone.is_idle() && !cut_off(phone)) {
        Some(phone) => Err(format!("{} still holds a call ({} up)", phone.name, phone.calls_up())),
        None => Ok(()),
    }
}

/// Every call that was told of is told to end, once, and nothing follows.
fn one_end_of_each_call(world: &World) -> Result<(), String> {
    let mut seen: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in &world.application.told {
        let sid = event["call_sid"].as_str().ok_or("an event without call_sid")?;
        let status = event["call_status"].as_str().ok_or("an event without call_status")?;
        seen.entry(sid).or_default().push(status);
    }
    for (sid, statuses) in seen {
        if statuses.first() != Some(&"trying") {
            return Err(format!("{sid} does not begin with trying: {statuses:?}"));
        }
        let ends = statuses.iter().filter(|status| FINAL.contains(status)).count();
        let last_is_final = statuses.last().is_some_and(|status| FINAL.contains(status));
        if ends != 1 || !last_is_final {
            return Err(format!("{sid} does not end once: {statuses:?}"));
        }
        let answered = statuses.contains(&"in-progress");
        if statuses.contains(&"completed") && !answered {
            return Err(format!("{sid} completed without being answered: {statuses:?}"));
        }
    }
    Ok(())
}

/// Every leg that was begun has one complete record.
fn one_record_of_each_call(world: &World) -> Result<(), String> {
    let complete = world.records.iter().filter(|record| record.ended_at.is_some());
    let mut ended: Vec<&str> = complete.map(|record| record.call_sid.as_str()).collect();
    let mut begun: Vec<&str> =
        world.records.iter().map(|record| record.call_sid.as_str()).collect();
    ended.sort_unstable();
    begun.sort_unstable();
    begun.dedup();
    if ended == begun {
        Ok(())
    } else {
        Err(format!("legs begun: {begun:?}, with a complete record: {ended:?}"))
    }
}

/// The actionHook is asked once for each dial, with one winner or none.
fn one_result_of_each_dial(world: &World, hook: &str, dials: usize) -> Result<(), String> {
    let results = world.application.asked_at(hook);
    if results.len() != dials {
        return Err(format!("{} dials, but {} results", dials, results.len()));
    }
    for result in results {
        let payload = &result.payload;
        if payload["dial_status"] != payload["dial_call_status"] {
            return Err(format!("dial_status and dial_call_status differ: {payload}"));
        }
        let targets = payload["dial_targets"].as_array().ok_or("no dial_targets")?;
        let won = targets.iter().filter(|target| target["call_status"] == "completed").count();
        let expected = usize::from(payload["dial_call_status"] == "completed");
        if won != expected {
            return Err(format!("{won} targets won, expected {expected}: {payload}"));
        }
        let losers = targets.iter().filter(|target| target["call_status"] != "completed");
        if let Some(silent) = losers.into_iter().find(|target| target["lost_because"].is_null()) {
            return Err(format!("a target lost without a reason: {silent}"));
        }
    }
    Ok(())
}
