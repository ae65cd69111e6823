//! The legs of a call: the caller, and the callees that a dial calls. The caller came in, or is the
//! callee that answered a call which a program began.

pub(crate) mod attempt;
pub(crate) mod callee;
pub(crate) mod callee_leg;
pub(crate) mod caller;
pub(crate) mod caller_leg;
pub(crate) mod challenge;
pub(crate) mod failover;
pub(crate) mod inside;
pub(crate) mod local;
pub(crate) mod origin;
pub(crate) mod pointed;
pub(crate) mod reinvite;
pub(crate) mod screening;
pub(crate) mod target;

/// One leg of one call: 0 is the caller that came in, each leg that we call takes the lowest free
/// number from 1, and keeps it where it becomes the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LegId(pub u8);

impl LegId {
    /// The caller, where it came in.
    pub const CALLER: LegId = LegId(0);
}

impl std::fmt::Display for LegId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == LegId::CALLER { f.write_str("caller") } else { write!(f, "callee {}", self.0) }
    }
}

impl From<LegId> for media::LegId {
    fn from(leg: LegId) -> media::LegId {
        media::LegId(leg.0)
    }
}
