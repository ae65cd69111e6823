//! Every order of events of a dial of three callees, to a depth that takes seconds: nothing breaks
//! on the way, and each state comes to rest. `make proof` walks deeper.

use testkit::walk::{Opening, walk};

fn nothing_breaks(opening: Opening, depth: usize, at_least: usize) {
    let walked = walk(opening, depth, 2, |_| {});
    assert!(walked.broken.is_none(), "{:?}", walked.broken);
    let states: usize = walked.depths.iter().map(|depth| depth.states).sum();
    // why: a walk that leads nowhere proves nothing.
    assert!(states > at_least, "{states} states");
    let transitions: usize = walked.depths.iter().map(|depth| depth.transitions).sum();
    assert!(transitions > states, "no two orders lead to the same state");
}

#[test]
fn a_caller_that_waits_for_the_bridge() {
    nothing_breaks(Opening::Waiting, 3, 1_000);
}

#[test]
fn a_caller_that_was_answered_first() {
    nothing_breaks(Opening::Answered, 3, 1_000);
}

#[test]
fn names_and_ports_that_are_still_awaited() {
    nothing_breaks(Opening::LookingUp, 5, 1_000);
}

#[test]
fn callees_that_are_screened() {
    nothing_breaks(Opening::Screened, 3, 1_000);
}

#[test]
fn parties_that_are_connected_hold_and_refer() {
    nothing_breaks(Opening::Connected, 3, 1_000);
}
