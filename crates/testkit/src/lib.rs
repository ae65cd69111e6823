//! Virtual time, a seeded lossy link, phones and an application to test a switch against.
//!
//! [`World`] holds one [`call::Switch`], the phones around it, the network between them and the
//! application that answers its hooks; a whole call of a minute runs in a millisecond and a seed
//! replays it exactly. [`Phone`] is without input or output as well, so that the same phones play
//! over real sockets. [`Ladder`] draws what was said. Nothing here is part of the product's call
//! path.
//!
//! [`Judge`] watches the boundary of the switch and knows what must never happen there; [`dials`]
//! plays the random dial of a seed before it, [`walk`] every order of events of a small one.

#![forbid(unsafe_code)]

mod application;
pub mod dials;
mod glimpse;
mod invariants;
mod judge;
mod ladder;
mod link;
mod phone;
mod proxy;
mod random;
mod redirector;
mod script;
mod settings;
pub mod walk;
mod world;

pub use application::{Answer, Application, Asked};
pub use invariants::check;
pub use judge::crossings::{Crossing, Meter};
pub use judge::{Fact, Judge, Seen};
pub use ladder::{Entry, Ladder};
pub use link::{Link, Weather};
pub use phone::{Note, Phone};
pub use random::Random;
pub use redirector::Redirector;
pub use script::{Callee, Caller, Challenge, Offer, Outcome, Refer, ReferTo, Script};
pub use settings::carrier_settings;
pub use world::{MediaFact, SWITCH, World, WorldConfig};

use std::time::Instant;

/// A moment for virtual time to start at. Only differences to it mean anything.
pub fn epoch() -> Instant {
    Instant::now()
}
