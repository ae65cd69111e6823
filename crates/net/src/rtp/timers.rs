//! The deadlines of a media thread's calls: at most one for each slot, the earliest first.
//!
//! An indexed binary heap. A packet usually only moves its call's deadline later, and then nothing
//! is done: [`Timers::hasten`] moves a deadline only forward, and when one is due its owner is
//! asked again. Room grows with [`Timers::grow`], when a call opens; nothing else allocates.

use std::time::Instant;

/// No place in the heap.
const NOWHERE: usize = usize::MAX;

/// Deadlines by slot number.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: Vec<(Instant, usize)>,
    /// By slot: its place in the heap.
    places: Vec<usize>,
}

impl Timers {
    /// Makes room for slots `0..slots`.
    pub(crate) fn grow(&mut self, slots: usize) {
        if slots > self.places.len() {
            self.places.resize(slots, NOWHERE);
            self.heap.reserve(slots - self.heap.len());
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.first().map(|&(deadline, _)| deadline)
    }

    /// Sets the deadline of `slot` to `deadline` unless it has an earlier one.
    pub(crate) fn hasten(&mut self, slot: usize, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return };
        match self.places[slot] {
            NOWHERE => {
                self.heap.push((deadline, slot));
                self.sift_up(self.heap.len() - 1);
            }
            place if deadline < self.heap[place].0 => {
                self.heap[place].0 = deadline;
                self.sift_up(place);
            }
            _ => {}
        }
    }

    /// Takes a slot whose deadline is not after `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        let &(deadline, slot) = self.heap.first()?;
        if deadline > now {
            return None;
        }
        self.clear(slot);
        Some(slot)
    }

    /// Forgets the deadline of `slot`.
    pub(crate) fn clear(&mut self, slot: usize) {
        let place = self.places[slot];
        if place == NOWHERE {
            return;
        }
        self.places[slot] = NOWHERE;
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            self.places[self.heap[place].1] = place;
            let place = self.sift_up(place);
            self.sift_down(place);
        }
    }

    fn sift_up(&mut self, mut place: usize) -> usize {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.heap[parent].0 <= self.heap[place].0 {
                break;
            }
            self.swap(place, parent);
            place = parent;
        }
        self.places[self.heap[place].1] = place;
        place
    }

    fn sift_down(&mut self, mut place: usize) {
        loop {
            let left = 2 * place + 1;
            let Some(mut child) = self.heap.get(left) else { break };
            let mut lower = left;
            if let Some(right) = self.heap.get(left + 1)
                && right.0 < child.0
            {
                (child, lower) = (right, left + 1);
            }
            if self.heap[place].0 <= child.0 {
                break;
            }
            self.swap(place, lower);
            place = lower;
        }
    }

    fn swap(&mut self, left: usize, right: usize) {
        self.heap.swap(left, right);
        self.places[self.heap[left].1] = left;
        self.places[self.heap[right].1] = right;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::seed::Seeds;

    #[test]
    fn deadlines_come_out_in_order_whatever_was_hastened_or_cleared() {
        let start = Instant::now();
        let mut seeds = Seeds::random();
        for _ in 0..200 {
            let mut timers = Timers::default();
            timers.grow(32);
            let mut expected = [None::<Instant>; 32];
            for _ in 0..200 {
                let random = seeds.next_seed();
                let slot = usize::try_from(random % 32).expect("small");
                if random & 0x700 == 0 {
                    timers.clear(slot);
                    expected[slot] = None;
                } else {
                    let deadline = start + Duration::from_millis(random >> 50);
                    timers.hasten(slot, Some(deadline));
                    let known = expected[slot].unwrap_or(deadline);
                    expected[slot] = Some(known.min(deadline));
                }
            }
            let mut order: Vec<Instant> = expected.iter().copied().flatten().collect();
            order.sort();
            let end = start + Duration::from_hours(1);
            for deadline in order {
                assert_eq!(timers.next(), Some(deadline));
                assert_eq!(timers.pop_due(deadline - Duration::from_nanos(1)), None);
                let slot = timers.pop_due(deadline).expect("due");
                assert_eq!(expected[slot].take(), Some(deadline));
            }
            assert_eq!((timers.pop_due(end), timers.next()), (None, None));
        }
    }

    #[test]
    fn no_deadline_changes_nothing() {
        let mut timers = Timers::default();
        timers.grow(1);
        let start = Instant::now();
        timers.hasten(0, Some(start));
        timers.hasten(0, None);
        assert_eq!(timers.next(), Some(start));
    }
}
