//! Requests of those who have proved nothing: how many are answered, and who is not answered at
//! all.
//!
//! Asked about each SIP request that belongs to no dialog and no transaction, from an address that
//! is neither a carrier's nor a known user's. Each such address may ask so many a second; one that
//! asks more, and one whose User-Agent names a program made for breaking in, hears nothing for a
//! while: no answer, no error, as if nobody were here. All strangers together have a limit too,
//! so that forged addresses cannot take the time of the calls that are up.
//!
//! Over UDP the address of a stranger proves nothing, and whoever forges it has the answer sent to
//! somebody else. So an address is sent hardly more bytes than came in its name.

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
/// Bytes that a stranger may be sent over UDP beyond those that came in its name, at once.
pub const SURPLUS_BYTES: u32 = 8_192;
/// The same in a second, once these are used up.
pub const SURPLUS_BYTES_PER_SECOND: u32 = 512;
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
    surplus: Allowance,
}

/// How often strangers were turned away, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TurnedAway {
    /// Times that an address was silenced: it asked too much, or its User-Agent names a scanner.
    pub silenced: u64,
    /// Times that an address, or a user at one, was locked out for wrong passwords.
    pub locked: u64,
    /// Answers over UDP that were held back: more would have been sent than was asked with.
    pub withheld: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Strangers {
    known: Recent<Source, Stranger>,
    together: Allowance,
    turned_away: TurnedAway,
}

impl Default for Strangers {
    fn default() -> Strangers {
        Strangers {
            known: Recent::new(STRANGERS_MAX),
            together: Allowance::default(),
            turned_away: TurnedAway::default(),
        }
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
            self.turned_away.silenced += 1;
            return vouched;
        }
        self.together.take(now, STRANGERS_PER_SECOND) || vouched
    }

    /// Whether an answer over UDP may be sent that is so many bytes longer than what was asked.
    pub(crate) fn may_be_sent(&mut self, now: Instant, source: IpAddr, surplus: usize) -> bool {
        if surplus == 0 {
            return true;
        }
        let stranger = self.known.touch(now, source.into(), Stranger::default);
        let count = u32::try_from(surplus).unwrap_or(u32::MAX);
        let (rate, most) = (SURPLUS_BYTES_PER_SECOND, SURPLUS_BYTES);
        let may = stranger.surplus.take_many(now, rate, most, count);
        self.turned_away.withheld += u64::from(!may);
        may
    }

    /// How often; locks are counted elsewhere.
    pub(crate) fn turned_away(&self) -> TurnedAway {
        self.turned_away
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
