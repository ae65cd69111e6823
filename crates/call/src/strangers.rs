//! Requests of those who have proved nothing: how many are answered, and who is not answered at
//! all.
//!
//! Asked about each SIP request that belongs to no dialog and no transaction, from an address that
//! is neither a carrier's nor a known user's. Each such address may ask so many a second; one that
//! asks more, and one whose User-Agent names a program made for breaking in, hears nothing for a
//! while: no answer, no error, as if nobody were here. All strangers together have a limit too,
//! so that forged addresses cannot take the time of the calls that are up.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use sip::Message;
use sip::recent::{Recent, Source};

use crate::allowance::Allowance;

/// For how long an address that asked too much is not answered.
pub const SILENCE: Duration = Duration::from_secs(60);
/// Seconds of its requests that an address may send at once.
pub const BURST_SECONDS: u32 = 10;
/// Requests a second of all strangers together.
pub const STRANGERS_PER_SECOND: u32 = 2_000;
/// Addresses of strangers that are remembered.
pub const STRANGERS_MAX: usize = 65_536;

/// What scanners call themselves, in lower case.
const SCANNERS: &[&str] = &[
    "friendly-scanner",
    "friendly-request",
    "sipvicious",
    "sipcli",
    "sip-scan",
    "sundayddr",
    "pplsip",
    "iwar",
    "sivus",
    "smap",
];

/// One stranger.
#[derive(Clone, Debug, Default)]
struct Stranger {
    allowance: Allowance,
    silent_until: Option<Instant>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Strangers {
    known: Recent<Source, Stranger>,
    together: Allowance,
}

impl Default for Strangers {
    fn default() -> Strangers {
        Strangers { known: Recent::new(STRANGERS_MAX), together: Allowance::default() }
    }
}

impl Strangers {
    /// Whether this request is looked at. `rate` is what an address may ask in a second; `vouched`
    /// says that the request answers a challenge which the address was given: that is judged even
    /// where nothing else is, so that a phone gets in while its neighbours make noise.
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        source: IpAddr,
        request: &Message,
        rate: u32,
        vouched: bool,
    ) -> bool {
        let stranger = self.known.touch(now, source.into(), Stranger::default);
        let silent = stranger.silent_until.is_some_and(|until| now < until);
        if silent {
            return vouched;
        }
        stranger.silent_until = None;
        let burst = rate.saturating_mul(BURST_SECONDS);
        if is_scanner(request) || !stranger.allowance.take_of(now, rate, burst) {
            stranger.silent_until = Some(now + SILENCE);
            return vouched;
        }
        self.together.take(now, STRANGERS_PER_SECOND) || vouched
    }

    /// Addresses that are remembered.
    pub(crate) fn remembered(&self) -> usize {
        self.known.len()
    }
}

fn is_scanner(request: &Message) -> bool {
    let Some(agent) = request.header_text("User-Agent") else { return false };
    let agent = agent.to_ascii_lowercase();
    SCANNERS.iter().any(|scanner| agent.contains(scanner))
}
