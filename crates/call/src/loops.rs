//! Calls of ours that come back to us: a peer, or a chain of them, sends our own INVITE on to us.
//!
//! RFC 3261 §16.3 tells a loop from a spiral by what is asked for. A call that comes back for
//! another number of ours is a call like others; one that comes back for what was asked before is
//! refused with 482, before it doubles with every target of a dial. Owns that difference alone:
//! peers that make a call of their own of ours are not seen here, and end by their hops.

use sip::Message;

use crate::leg::origin::HOPS;
use crate::switch::Switch;

impl Switch {
    /// Whether a call that was asked for the same thing made this INVITE, or made what made it.
    pub(crate) fn comes_round(&self, request: &Message) -> bool {
        let Ok(uri) = request.uri() else { return false };
        let mut made = request;
        for _ in 0..HOPS {
            let Some(before) = self.maker(made) else { return false };
            if before.uri().is_ok_and(|asked| asked.matches(&uri)) {
                return true;
            }
            made = before;
        }
        false
    }

    /// The INVITE of the call that sent this one.
    fn maker(&self, request: &Message) -> Option<&Message> {
        let (key, _) = self.leg_of(self.endpoint.sent_as(request)?)?;
        self.call(key)?.caller.origin.request()
    }
}
