//! A dial that was played, as a ladder.

use std::net::SocketAddr;

use crate::glimpse::{Glimpse, Start};
use crate::ladder::{Entry, Ladder};
use crate::world::{SWITCH, World};

/// Draws every message that left, also those that the network lost.
pub fn draw(world: &World) -> Ladder {
    let mut columns: Vec<(SocketAddr, String)> =
        world.phones.values().map(|phone| (phone.address, phone.name.clone())).collect();
    columns.extend(world.redirectors.keys().map(|address| (*address, "redirector".to_owned())));
    let caller = usize::from(columns.first().is_some_and(|(_, name)| name == "A"));
    columns.insert(caller, (SWITCH, "switch".to_owned()));
    let names: Vec<&str> = columns.iter().map(|(_, name)| name.as_str()).collect();
    let mut ladder = Ladder::new(&names);
    let column = |address| columns.iter().position(|(of, _)| *of == address);
    for (at, sent) in &world.wire {
        let Some(seen) = Glimpse::of(&sent.bytes) else { continue };
        let label = match seen.start {
            Start::Request(method) => method.to_owned(),
            Start::Response(status) => format!("{status} {}", seen.method),
        };
        if let (Some(from), Some(to)) = (column(sent.from), column(sent.to)) {
            ladder.push(Entry { at: at.duration_since(world.start), from, to, label });
        }
    }
    ladder
}
