//! What a program asks of the switch, and what came of it.

use call::{Command, CommandId, Reply};
use serde_json::{Value, json};
use testkit::World;
use verbs::rest::{Update, parse_create_call, parse_update_call};

use crate::scene::target;

/// URL of the hook that answers the list of a scene.
pub(crate) const HOOK: &str = "http://application.test/incoming";

/// Where calls of a request without application report.
pub(crate) const STATUS: &str = "http://application.test/status";

/// The body of a `createCall` that reaches callee 1, and what is merged over it.
pub(crate) fn body(more: &Value) -> Value {
    let mut body = json!({
        "from": "+4930111", "to": target(1), "call_hook": HOOK, "call_status_hook": STATUS
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// The command of a body.
pub(crate) fn create(body: &Value) -> Command {
    let read = parse_create_call(&body.to_string());
    let (create, warnings) = read.unwrap_or_else(|faults| panic!("{body}: {faults:?}"));
    assert_eq!(warnings, [], "{body}");
    Command::Create(Box::new(create))
}

/// A program begins a call.
pub(crate) fn begins(world: &mut World, more: &Value) -> CommandId {
    world.command(create(&body(more)))
}

/// The call that this command began.
#[track_caller]
pub(crate) fn sid_of(world: &World, id: CommandId) -> String {
    match &world.replies[&id] {
        Reply::Created { call_sid, .. } => call_sid.clone(),
        reply => panic!("{reply:?}"),
    }
}

/// The command with this change.
pub(crate) fn change(call_sid: &str, body: &Value) -> Command {
    let update: Update =
        parse_update_call(&body.to_string()).unwrap_or_else(|faults| panic!("{body}: {faults:?}"));
    Command::Update { call_sid: call_sid.to_owned(), update: Box::new(update) }
}

/// A program changes a leg; the reply may come later.
pub(crate) fn gives(world: &mut World, call_sid: &str, body: &Value) -> CommandId {
    world.command(change(call_sid, body))
}

/// A program changes a leg; what the switch said to it.
pub(crate) fn changes(world: &mut World, call_sid: &str, body: &Value) -> Reply {
    let id = gives(world, call_sid, body);
    world.replies[&id].clone()
}

/// A program ends a leg.
pub(crate) fn completes(world: &mut World, call_sid: &str) -> Reply {
    changes(world, call_sid, &json!({ "call_status": "completed" }))
}

/// Status and text of a refusal.
#[track_caller]
pub(crate) fn refused(reply: &Reply) -> (u16, &str) {
    match reply {
        Reply::Refused { status, msg } => (*status, msg),
        reply => panic!("{reply:?}"),
    }
}
