//! Who holds whom: what parties offer inside their dialogs by re-INVITE and UPDATE, and what they
//! answer where the offer was ours. Nothing of it is judged; it says what other things cross.

use super::Judge;
use super::crossings::Crossing;
use crate::glimpse::Glimpse;

impl Judge {
    /// A party acknowledges: our first answer, or that to its re-INVITE.
    pub(super) fn acknowledged(&mut self, seen: &Glimpse<'_>, message: &[u8]) {
        if let Some(caller) = self.callers.get_mut(seen.call_id) {
            caller.dialog.acked = true;
        }
        if let Some(dialog) = self.confirmed(seen.call_id, seen.from_tag) {
            dialog.settled = dialog.settled.max(seen.cseq);
        }
        let text = String::from_utf8_lossy(message);
        if text.contains("\nm=audio") {
            // why: the peer asked for an offer of ours, and this is its answer.
            self.meter.count(Crossing::OfferAskedFor);
            self.holds_or_talks(seen, &text);
        }
    }

    /// A request of a party that may change its session is answered.
    pub(super) fn offer_answered(&mut self, seen: &Glimpse<'_>, status: u16) {
        if let Some(dialog) = self.confirmed(seen.call_id, seen.from_tag)
            && (status >= 300 || seen.method == "UPDATE")
        {
            dialog.settled = dialog.settled.max(seen.cseq);
        }
    }

    /// A party changes its session: it holds the other, or does no more.
    pub(super) fn offered(&mut self, seen: &Glimpse<'_>, message: &[u8]) {
        let text = String::from_utf8_lossy(message);
        let Some(dialog) = self.confirmed(seen.call_id, seen.from_tag) else { return };
        // why: it may come twice, or after a later one.
        if seen.cseq <= dialog.offered {
            return;
        }
        dialog.offered = seen.cseq;
        if dialog.bye_said {
            self.meter.count(Crossing::HoldCrossesBye);
        }
        if text.contains("\nm=audio") {
            self.holds_or_talks(seen, &text);
        }
    }

    /// What a description of a party means for the other one.
    fn holds_or_talks(&mut self, seen: &Glimpse<'_>, text: &str) {
        let blank = text.contains("\nc=IN IP4 0.0.0.0");
        let holds = blank || text.contains("a=sendonly") || text.contains("a=inactive");
        let Some((key, leg)) = self.leg_of(seen.call_id) else { return };
        let call = self.calls.entry(key).or_default();
        if !call.bridge.is_some_and(|(caller, winner)| leg == caller || leg == winner) {
            return;
        }
        let changed = if holds { call.holders.insert(leg) } else { call.holders.remove(&leg) };
        let both = changed && call.holders.len() > 1;
        for (crossing, happened) in [
            (Crossing::BothHold, both),
            (Crossing::HoldWithoutAddress, changed && blank),
            (Crossing::HoldByUpdate, changed && holds && seen.method == "UPDATE"),
        ] {
            if happened {
                self.meter.count(crossing);
            }
        }
    }
}
