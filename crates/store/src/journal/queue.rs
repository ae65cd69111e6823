//! The queue of the journal: what goes in while there is room, and who makes room for whom.

use std::collections::VecDeque;

use super::Entry;

/// Entries that wait at most: about a minute of the calls of a busy switch, a few dozen
/// megabytes.
pub const QUEUE_MAX: usize = 32_768;
/// Room that only calls may take, so that a flood of alerts or of registrations costs no record
/// of a call.
pub const RESERVED: usize = QUEUE_MAX / 4;

/// There is no room for the entry, and it is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal is full; {}", super::ErrorKind::Disk.remedy())]
pub struct Full;

/// An entry and its number, which makes it the same entry when it is written twice.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) number: u64,
    pub(crate) entry: Entry,
}

/// Two queues: that a call is alive matters least and is written last.
#[derive(Debug)]
pub(crate) struct Queue {
    entries: VecDeque<Numbered>,
    alive: VecDeque<Numbered>,
    next: u64,
}

impl Queue {
    pub(crate) fn new() -> Queue {
        Queue { entries: VecDeque::new(), alive: VecDeque::new(), next: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len() + self.alive.len()
    }

    /// Takes an entry while `elsewhere` entries besides these take room.
    pub(crate) fn push(&mut self, entry: Entry, elsewhere: usize) -> Result<(), Full> {
        let room = match entry {
            Entry::Alert(_) | Entry::Bound { .. } => QUEUE_MAX - RESERVED,
            Entry::CallOpened(_) | Entry::CallAlive { .. } | Entry::CallClosed(_) => QUEUE_MAX,
        };
        if self.len() + elsewhere >= room && self.alive.pop_front().is_none() {
            return Err(Full);
        }
        let entry = Numbered { number: self.next, entry };
        self.next += 1;
        match entry.entry {
            Entry::CallAlive { .. } => self.alive.push_back(entry),
            _ => self.entries.push_back(entry),
        }
        Ok(())
    }

    /// The next entries, at most `max`. That a call is alive comes after all the others, so
    /// never before the entry that opens the call.
    pub(crate) fn take(&mut self, max: usize) -> Vec<Numbered> {
        let mut taken: Vec<Numbered> = self.entries.drain(..max.min(self.entries.len())).collect();
        let left = max - taken.len();
        taken.extend(self.alive.drain(..left.min(self.alive.len())));
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Full, QUEUE_MAX, Queue, RESERVED};
    use crate::timestamp::Timestamp;

    fn alive(number: usize) -> Entry {
        Entry::CallAlive { call_sid: number.to_string(), at: Timestamp::MIN }
    }

    fn bound(number: usize) -> Entry {
        Entry::Bound { aor: number.to_string(), bindings: Vec::new() }
    }

    fn opened(number: usize) -> Entry {
        Entry::CallOpened(Box::new(crate::journal::tests::open_call(&number.to_string())))
    }

    fn names(queue: &mut Queue) -> Vec<String> {
        let name = |entry| match entry {
            Entry::CallAlive { call_sid, .. } => format!("alive {call_sid}"),
            Entry::Bound { aor, .. } => format!("bound {aor}"),
            Entry::CallOpened(call) => format!("opened {}", call.call_sid),
            entry => panic!("{entry:?} was not put in"),
        };
        queue.take(usize::MAX).into_iter().map(|numbered| name(numbered.entry)).collect()
    }

    #[test]
    fn entries_come_out_in_order_and_signs_of_life_after_them() {
        let mut queue = Queue::new();
        for entry in [opened(1), alive(1), bound(2), alive(2), opened(3)] {
            queue.push(entry, 0).expect("there is room");
        }
        assert_eq!(queue.take(2).iter().map(|entry| entry.number).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(names(&mut queue), ["opened 3", "alive 1", "alive 2"]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn the_oldest_sign_of_life_makes_room() {
        let mut queue = Queue::new();
        for number in 0..QUEUE_MAX - 2 {
            queue.push(opened(number), 0).expect("there is room");
        }
        queue.push(alive(1), 0).expect("there is room");
        queue.push(alive(2), 0).expect("there is room");
        queue.push(alive(3), 0).expect("in the place of the first");
        queue.push(opened(4), 0).expect("in the place of the second");
        queue.push(opened(5), 0).expect("in the place of the third");
        assert_eq!(queue.push(opened(6), 0), Err(Full));
        assert_eq!(queue.push(alive(6), 0), Err(Full));
        assert_eq!(queue.len(), QUEUE_MAX);
        let left = names(&mut queue);
        assert_eq!(
            left[left.len() - 3..],
            [format!("opened {}", QUEUE_MAX - 3), "opened 4".to_owned(), "opened 5".to_owned()]
        );
    }

    #[test]
    fn what_is_being_written_takes_room() {
        let mut queue = Queue::new();
        assert_eq!(queue.push(opened(1), QUEUE_MAX), Err(Full));
        queue.push(opened(1), QUEUE_MAX - 1).expect("there is room for one");
    }

    #[test]
    fn calls_have_room_that_others_cannot_take() {
        let mut queue = Queue::new();
        let mut number = 0;
        while queue.push(bound(number), 0).is_ok() {
            number += 1;
        }
        assert_eq!(number, QUEUE_MAX - RESERVED);
        for number in 0..RESERVED {
            queue.push(opened(number), 0).expect("this room is kept for calls");
        }
        assert_eq!(queue.push(opened(number), 0), Err(Full));
    }
}
