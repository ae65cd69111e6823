//! What the application was told: status events of the parent and of its children.

use serde_json::Value;
use testkit::World;

/// `call_sid` of the only parent.
#[track_caller]
pub(crate) fn parent(world: &World) -> String {
    let mut parents = world.application.calls(false);
    assert_eq!(parents.len(), 1, "parents: {parents:?}");
    parents.remove(0)
}

/// `call_sid`s of the children, in the order in which they were called.
pub(crate) fn children(world: &World) -> Vec<String> {
    world.application.calls(true)
}

/// Every event in order as `A trying/100`, `B1 ringing/180`; children in the order of their calls.
pub(crate) fn history(world: &World) -> Vec<String> {
    let children = children(world);
    let told = world.application.told.iter();
    told.map(|event| {
        let child = children.iter().position(|sid| event["call_sid"] == sid.as_str());
        let who = child.map_or("A".to_owned(), |index| format!("B{}", index + 1));
        let status = event["call_status"].as_str().unwrap();
        format!("{who} {status}/{}", event["sip_status"])
    })
    .collect()
}

/// Events of one child, from 1, as `status/code`.
pub(crate) fn child_history(world: &World, number: usize) -> Vec<String> {
    world.application.statuses_of(&children(world)[number - 1])
}

/// Events of the parent, as `status/code`.
pub(crate) fn parent_history(world: &World) -> Vec<String> {
    world.application.statuses_of(&parent(world))
}

/// The one event of this call with this status.
#[track_caller]
pub(crate) fn event<'a>(world: &'a World, call_sid: &str, status: &str) -> &'a Value {
    let told = world.application.told.iter();
    let found: Vec<&Value> = told
        .filter(|event| event["call_sid"] == call_sid && event["call_status"] == status)
        .collect();
    assert_eq!(found.len(), 1, "events {status} of {call_sid}");
    found[0]
}
