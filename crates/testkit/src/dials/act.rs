//! What happens to a dial from outside, besides what phones and network do.

use std::net::SocketAddr;
use std::time::Duration;

use call::Command;
use serde_json::{Value, json};
use verbs::rest::{parse_create_call, parse_update_call};

use super::plan::{self, INCOMING, STATUS};
use crate::random::Random;
use crate::world::World;

/// Something that happens at a moment.
#[derive(Clone, Debug)]
pub enum Act {
    /// A program changes the leg with this number among those that the application was told of:
    /// callers first. A number beyond them is nobody.
    Change(usize, Value),
    /// A program begins a call to this target.
    Create(Value),
    /// Whoever is there is cut off the network.
    Vanish(SocketAddr),
    /// Its audio is missed.
    MediaStops(SocketAddr),
    /// From now on at most so many RTP ports may be open.
    Ports(usize),
}

impl Act {
    /// Any command of a program, or any mishap, at any time.
    pub(super) fn any(random: &mut Random) -> Act {
        match random.below(12) {
            0 => Act::Create(plan::sip_target(1, false)),
            1..=3 => Act::Change(0, json!({ "call_status": "completed" })),
            4 => Act::Change(0, json!({ "call_status": "no-answer" })),
            5 => Act::Change(0, json!({ "call_hook": plan::ELSEWHERE })),
            6..=7 => {
                let leg = 1 + usize::try_from(random.below(3)).unwrap_or(0);
                Act::Change(leg, json!({ "call_status": "completed" }))
            }
            8 => Act::Ports(usize::try_from(random.below(3)).unwrap_or(0)),
            _ => {
                Act::Change(0, json!({ "call_hook": plan::ELSEWHERE, "call_status_hook": STATUS }))
            }
        }
    }

    /// Lets it happen now.
    pub(super) fn happen(&self, world: &mut World) {
        match self {
            Act::Change(leg, body) => {
                let mut sids = world.application.calls(false);
                sids.extend(world.application.calls(true));
                let call_sid = sids.get(*leg).cloned().unwrap_or_else(|| "nobody".to_owned());
                let update = parse_update_call(&body.to_string()).expect("a body of ours");
                world.command(Command::Update { call_sid, update: Box::new(update) });
            }
            Act::Create(to) => {
                world.command(create(to));
            }
            Act::Vanish(who) => world.vanish(*who),
            Act::MediaStops(who) => world.media_stops(who.ip()),
            Act::Ports(most) => world.ports_max = *most,
        }
    }
}

/// A program begins a call to this target.
fn create(to: &Value) -> Command {
    let body = json!({
        "from": "+4930111", "to": to, "call_hook": INCOMING, "call_status_hook": STATUS,
        "timeout": 5, "timeLimit": 9
    });
    let (create, _) = parse_create_call(&body.to_string()).expect("a body of ours");
    Command::Create(Box::new(create))
}

/// Longest that anything of a dial may take, in virtual time. why: a party that vanishes while its
/// audio passes the switch by is missed when its session is to be refreshed (RFC 4028), and not
/// before.
pub(super) const LONGEST: Duration = Duration::from_secs(2_100);
