//! In which order the targets of a dial are called: all at once, in groups of one priority, or one
//! after the other; when a target has rung for long enough, and when the next is due.

use std::collections::VecDeque;
use std::time::Duration;

use verbs::status::LostBecause;
use verbs::{Dial, Strategy};

use crate::call::{Call, Context};
use crate::leg::{LegId, callee};
use crate::timer::Timer;

/// Ring time of a target of a hunt without `timeout`.
pub(crate) const HUNT_TIMEOUT: Duration = Duration::from_secs(20);

/// Which targets are called together, group after group.
pub(crate) fn groups(verb: &Dial, called: &[usize]) -> VecDeque<Vec<usize>> {
    let priority = |index: &usize| verb.target.get(*index).map_or(0, |target| target.priority);
    let mut ordered = called.to_vec();
    ordered.sort_by_key(|index| (priority(index), *index));
    match verb.strategy {
        Strategy::Hunt => ordered.into_iter().map(|index| vec![index]).collect(),
        Strategy::Simring => ordered
            .chunk_by(|one, two| priority(one) == priority(two))
            .map(<[usize]>::to_vec)
            .collect(),
    }
}

/// How long a target rings, where that is less than the dial.
fn ring_time(verb: &Dial, target: usize) -> Option<Duration> {
    let own = verb.target.get(target).and_then(|target| target.timeout);
    own.or((verb.strategy == Strategy::Hunt).then_some(HUNT_TIMEOUT))
}

impl Call {
    /// Calls the next group of targets; false where none is left.
    pub(crate) fn call_next_group(&mut self, cx: Context<'_>) -> bool {
        let Some(dial) = self.dial.as_mut() else { return false };
        let Some(group) = dial.groups.pop_front() else { return false };
        let delay = |target: usize| {
            dial.verb.target.get(target).map(|target| target.delay).unwrap_or_default()
        };
        let delays: Vec<(usize, Duration)> =
            group.into_iter().map(|target| (target, delay(target))).collect();
        for (target, delay) in delays {
            if delay.is_zero() {
                self.call_target_now(cx, target);
            } else if let (Some(dial), Ok(number)) = (self.dial.as_mut(), u16::try_from(target)) {
                dial.delayed.insert(target);
                self.timers.arm(Timer::Delay(number), cx.now + delay);
            }
        }
        true
    }

    /// The delay of a target is over.
    pub(crate) fn delay_over(&mut self, cx: Context<'_>, target: usize) {
        let Some(dial) = self.dial.as_mut() else { return };
        if dial.delayed.remove(&target) {
            self.call_target_now(cx, target);
            self.dial_lost(cx);
        }
    }

    fn call_target_now(&mut self, cx: Context<'_>, target: usize) {
        // why: an instant answer cannot happen here, but the caller may have been ended.
        if !self.caller.state.alive() {
            return;
        }
        let Some(dial) = self.dial.as_ref() else { return };
        let ring_time = ring_time(&dial.verb, target);
        let Some(verb) = dial.verb.target.get(target).cloned() else { return };
        if let (Some(time), Ok(number)) = (ring_time, u16::try_from(target)) {
            self.timers.arm(Timer::Target(number), cx.now + time);
        }
        self.call_target(cx, target, &verb);
    }

    /// A target has rung for as long as it may. Who is being screened goes on.
    pub(crate) fn target_timeout(&mut self, cx: Context<'_>, target: usize) {
        let number = self.dials;
        let rings = |state: callee::State| {
            use callee::State::{Calling, Early, Opening, Resolving};
            matches!(state, Resolving | Opening | Calling | Early)
        };
        let ringing: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(_, leg)| leg.dial == number && leg.target == target && rings(leg.state))
            .map(|(id, _)| *id)
            .collect();
        for id in ringing {
            self.note_given_up(id, 487);
            self.stop_callee(cx, id, LostBecause::RingTimeout);
        }
        self.dial_lost(cx);
        self.update_hearing(cx);
    }

    /// A callee was called and has not rung for as long as it may.
    pub(crate) fn never_rang(&mut self, cx: Context<'_>, id: LegId) {
        if self.legs.get(&id).is_none_or(|leg| leg.state != callee::State::Calling) {
            return;
        }
        self.note_given_up(id, 408);
        self.stop_callee(cx, id, LostBecause::ProgressTimeout);
        self.dial_lost(cx);
    }

    /// Targets that were not called yet will not be: nobody is called any more.
    pub(crate) fn call_nobody_else(&mut self, because: LostBecause) {
        let Some(dial) = self.dial.as_mut() else { return };
        let left = dial.groups.drain(..).flatten();
        let delayed = std::mem::take(&mut dial.delayed);
        let uncalled: Vec<usize> = left.chain(delayed).collect();
        for target in &uncalled {
            if let Some(record) = dial.records.get_mut(*target) {
                record.skipped = Some(because);
            }
        }
        self.timers.disarm_targets();
        for target in uncalled {
            self.tell_of_target(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use verbs::{Endpoint, Target};

    use super::*;

    fn dial(priorities: &[u32], strategy: Strategy) -> Dial {
        let target = |priority: &u32| Target {
            priority: *priority,
            ..Target::of(Endpoint::User { name: "u".to_owned(), override_to: None })
        };
        Dial { strategy, ..Dial::of(priorities.iter().map(target).collect()) }
    }

    #[test]
    fn all_at_once_without_priorities() {
        assert_eq!(groups(&dial(&[0, 0, 0], Strategy::Simring), &[0, 1, 2]), [vec![0, 1, 2]]);
    }

    #[test]
    fn lower_priorities_go_first_and_together() {
        let verb = dial(&[2, 0, 2, 1], Strategy::Simring);
        assert_eq!(groups(&verb, &[0, 1, 2, 3]), [vec![1], vec![3], vec![0, 2]]);
    }

    #[test]
    fn a_hunt_calls_one_after_the_other() {
        let verb = dial(&[0, 0, 1, 0], Strategy::Hunt);
        assert_eq!(groups(&verb, &[0, 1, 2, 3]), [vec![0], vec![1], vec![3], vec![2]]);
    }

    #[test]
    fn who_is_not_called_is_in_no_group() {
        assert_eq!(groups(&dial(&[0, 0, 0], Strategy::Simring), &[0, 2]), [vec![0, 2]]);
        assert!(groups(&dial(&[0], Strategy::Simring), &[]).is_empty());
    }
}
