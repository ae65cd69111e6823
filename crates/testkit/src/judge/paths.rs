//! Where each party is told to send its audio: to the switch, or to the party that it is connected
//! to. Never one of them alone for longer than it takes to ask the other.
//!
//! The origin of a description is the switch in any case; where audio is received may be somebody
//! else. A party sends where the last description says that counted: an answer of the switch, or
//! an offer of the switch that the party has taken.

use std::net::{IpAddr, SocketAddr};

use call::{CallKey, LegId};

use super::Judge;
use super::crossings::Crossing;
use super::talk::Called;
use crate::glimpse::{Glimpse, body};

/// What a party was told; there is none of those that were only ever told to send here, and never
/// made an offer of their own.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    /// It sends past the switch, to this address.
    past: Option<IpAddr>,
    /// A re-INVITE of the switch that it has not answered: its number, and what it says.
    asked: Option<(u32, Option<IpAddr>)>,
    /// Something was in the way of the last, or may be in the way of the next, which then comes
    /// later.
    is_blocked: bool,
}

/// The receiver of a description of the switch where that is somebody else; `None` where there is
/// no description.
fn receiver(message: &[u8]) -> Option<Option<IpAddr>> {
    let text = std::str::from_utf8(body(message)).ok()?;
    let address = |start: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(start))?;
        line.split(' ').next_back()?.parse::<IpAddr>().ok()
    };
    let (origin, receiver) = (address("o=")?, address("c=")?);
    Some((receiver != origin).then_some(receiver))
}

impl Judge {
    /// The switch says something that may hold a description.
    pub(super) fn points(&mut self, seen: &Glimpse<'_>, is_request: bool, message: &[u8]) {
        let known = self.paths.contains_key(seen.call_id);
        let Some(receiver) = receiver(message).filter(|it| known || it.is_some()) else { return };
        let path = self.paths.entry(seen.call_id.to_owned()).or_default();
        if !is_request {
            path.past = receiver;
        } else if path.asked.is_none_or(|(cseq, _)| cseq < seen.cseq) {
            path.asked = Some((seen.cseq, receiver));
            path.is_blocked = false;
        }
    }

    /// A party answers an INVITE of the switch.
    pub(super) fn pointed(&mut self, seen: &Glimpse<'_>, status: u16) {
        let Some(path) = self.paths.get_mut(seen.call_id) else { return };
        let Some((_, receiver)) = path.asked.filter(|(cseq, _)| *cseq == seen.cseq) else {
            return;
        };
        match status {
            ..200 => return,
            200..300 => {
                let crossing = match (path.past, receiver) {
                    (None, Some(_)) => Some(Crossing::AudioLeaves),
                    (Some(_), None) => Some(Crossing::AudioComesBack),
                    _ => None,
                };
                path.past = receiver;
                crossing.into_iter().for_each(|crossing| self.meter.count(crossing));
            }
            _ => {
                path.is_blocked |= status == 491;
                self.meter.count(Crossing::AudioStays);
            }
        }
        if let Some(path) = self.paths.get_mut(seen.call_id) {
            path.asked = None;
        }
    }

    /// A party makes an offer: one of the switch has to wait.
    pub(super) fn blocks_path(&mut self, seen: &Glimpse<'_>) {
        let path = self.paths.entry(seen.call_id.to_owned()).or_default();
        path.is_blocked = true;
        if path.asked.is_some_and(|(_, receiver)| receiver.is_some()) {
            self.meter.count(Crossing::OfferWhileAudioLeaves);
        }
    }

    /// The switch has done all that follows from what it was last told: nobody sends to a party
    /// that does not send back, unless one of the two is being asked.
    pub(super) fn paths_settled(&self) -> Result<(), String> {
        for (call_id, path) in &self.paths {
            let Some(past) = path.past else { continue };
            if path.asked.is_some() || path.is_blocked || self.is_path_over(call_id) {
                continue;
            }
            let Some((key, leg)) = self.leg_of(call_id) else { continue };
            let Some((partner, address)) = self.partner_of(key, leg) else {
                return Err(format!("{leg} sends to {past}, and is connected to nobody"));
            };
            if address.ip() != past {
                return Err(format!("{leg} sends to {past}, and is connected to {address}"));
            }
            let of_partner = self.paths.get(partner);
            let follows = |path: &Path| {
                path.past.is_some() || matches!(path.asked, Some((_, Some(_)))) || path.is_blocked
            };
            if !of_partner.is_some_and(follows) {
                return Err(format!("{leg} sends past the switch to {address}, which does not"));
            }
        }
        Ok(())
    }

    fn is_path_over(&self, call_id: &str) -> bool {
        let of_caller = self.callers.get(call_id).map(|caller| caller.dialog.over());
        let of_called = || {
            let called = self.called.get(call_id)?;
            Some(called.over())
        };
        of_caller.or_else(of_called).unwrap_or(true)
    }

    /// SIP Call-ID and address of whoever a leg is connected to.
    fn partner_of(&self, key: CallKey, leg: LegId) -> Option<(&str, SocketAddr)> {
        let (caller, winner) = self.calls.get(&key)?.bridge?;
        let partner = match leg {
            _ if leg == caller => winner,
            _ if leg == winner => caller,
            _ => return None,
        };
        let is_partner = |called: &Called| called.leg == (key, partner) && called.is_answered();
        let called = self.called.iter().filter(|(_, called)| is_partner(called));
        if let Some((call_id, called)) = called.max_by_key(|(_, called)| called.number) {
            return Some((call_id.as_str(), called.address()));
        }
        let caller = self.callers.iter().find(|(_, it)| it.leg == Some((key, partner)))?;
        Some((caller.0.as_str(), caller.1.address()?))
    }
}
