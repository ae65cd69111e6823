//! The transaction layer (RFC 3261 §17 with the corrections of RFC 6026).
//!
//! Four machines, one per file, know states, timers and retransmission and nothing else: an
//! abstract [`Action`] list is all that comes out of them, so that each is tested as a table.
//! Over a reliable transport the same machines run with [`Intervals::over`]: nothing is sent twice,
//! and nothing lingers to absorb what was. [`table`] owns the live transactions, feeds the machines
//! and carries their actions out.
//! Not here: dialogs, 2xx retransmission and ACK for 2xx, which RFC 3261 §13 gives to the core.

pub(crate) mod ack;
pub(crate) mod client;
pub(crate) mod invite_client;
pub(crate) mod invite_server;
pub(crate) mod key;
pub(crate) mod server;
pub(crate) mod table;
pub(crate) mod timer;

use std::time::Duration;

use timer::Timer;

use crate::endpoint::Transport;

/// What a transaction machine wants done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Put the stored message on the wire: a client's request, a server's latest response.
    Send,
    /// Acknowledge the non-2xx final response (RFC 3261 §17.1.1.3).
    Ack,
    /// Hand the message that caused this step to the transaction user.
    Inform,
    /// Tell the transaction user that there will be no response, or no ACK.
    Fail(Failure),
    /// Start the timer, in place of one of the same name that still runs.
    Arm(Timer, Duration),
    /// Stop the timer if it runs.
    Disarm(Timer),
    /// Forget the transaction.
    Terminate,
}

/// Why a transaction ended without the message it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Timer B, F or H.
    Timeout,
    /// The network refused the request.
    Transport,
}

/// The three base intervals every timer is derived from (RFC 3261 §17.1.1.1, table 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Intervals {
    /// Estimate of a round trip; the first retransmission.
    pub(crate) t1: Duration,
    /// The longest pause between retransmissions, except for the INVITE itself.
    pub(crate) t2: Duration,
    /// How long a message lives in the network.
    pub(crate) t4: Duration,
    /// The transport loses nothing and repeats nothing.
    pub(crate) reliable: bool,
}

impl Intervals {
    /// 64*T1, the life of everything that waits for an answer.
    pub(crate) fn timeout(self) -> Duration {
        self.t1 * 64
    }

    /// The intervals of a transaction over this transport.
    pub(crate) fn over(self, transport: Transport) -> Intervals {
        Intervals { reliable: transport.is_reliable(), ..self }
    }

    /// Timer D's value. RFC 3261 §17.1.1.2: at least 32 s over an unreliable transport.
    pub(crate) fn timer_d(self) -> Duration {
        if self.reliable { Duration::ZERO } else { self.timeout().max(Duration::from_secs(32)) }
    }

    /// The value of timers I and K, which absorb what was repeated.
    pub(crate) fn timer_i_or_k(self) -> Duration {
        if self.reliable { Duration::ZERO } else { self.t4 }
    }

    /// Timer J's value.
    pub(crate) fn timer_j(self) -> Duration {
        if self.reliable { Duration::ZERO } else { self.timeout() }
    }

    /// The pause after `interval`: doubled, but never longer than T2.
    pub(crate) fn next(self, interval: Duration) -> Duration {
        (interval * 2).min(self.t2)
    }
}

#[cfg(test)]
pub(crate) mod table_test {
    //! Walks a machine's table and finds the pairs it leaves out.

    use std::{fmt::Debug, mem::discriminant, time::Duration};

    use super::Intervals;

    pub(crate) const INTERVALS: Intervals = Intervals {
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        reliable: false,
    };

    /// One row: in this state, on this input, the machine goes there and asks for that.
    pub(crate) type Row<S, I, A> = (S, I, S, &'static [A]);

    pub(crate) const RELIABLE: Intervals = Intervals { reliable: true, ..INTERVALS };

    /// [`check`] over both kinds of transport: `differing` has the rows that a reliable one
    /// changes, each in place of all rows of the same pair.
    pub(crate) fn check_both<S, I, A>(
        rows: &[Row<S, I, A>],
        differing: &[Row<S, I, A>],
        step: impl Fn(Intervals, &mut S, I, &mut Vec<A>),
    ) where
        S: Copy + Debug + PartialEq,
        I: Copy + Debug + PartialEq,
        A: Debug + PartialEq,
    {
        check(rows, |state, input, out| step(INTERVALS, state, input, out));
        let same_pair = |row: &Row<S, I, A>, differing: &Row<S, I, A>| {
            discriminant(&row.0) == discriminant(&differing.0) && row.1 == differing.1
        };
        for row in differing {
            assert!(rows.iter().any(|known| same_pair(known, row)), "{:?} on {:?}", row.0, row.1);
        }
        let replaced = |row: &&Row<S, I, A>| differing.iter().any(|other| same_pair(row, other));
        let reliable: Vec<Row<S, I, A>> =
            rows.iter().filter(|row| !replaced(row)).chain(differing).copied().collect();
        check(&reliable, |state, input, out| step(RELIABLE, state, input, out));
    }

    pub(crate) fn check<S, I, A>(rows: &[Row<S, I, A>], step: impl Fn(&mut S, I, &mut Vec<A>))
    where
        S: Copy + Debug + PartialEq,
        I: Copy + Debug,
        A: Debug + PartialEq,
    {
        for (before, input, after, wanted) in rows {
            let (mut state, mut actions) = (*before, Vec::new());
            step(&mut state, *input, &mut actions);
            assert_eq!((state, actions.as_slice()), (*after, *wanted), "{before:?} on {input:?}");
        }
    }

    /// Fails on a pair of (state, input) that the table has no row for.
    pub(crate) fn check_complete<S: Copy + Debug, I: Copy + Debug + PartialEq, A>(
        rows: &[Row<S, I, A>],
        states: &[S],
        inputs: &[I],
    ) {
        for state in states {
            for input in inputs {
                let found = rows
                    .iter()
                    .any(|row| discriminant(&row.0) == discriminant(state) && row.1 == *input);
                assert!(found, "the table has no row for {state:?} on {input:?}");
            }
        }
        for row in rows {
            let known = states.iter().any(|s| discriminant(s) == discriminant(&row.0));
            assert!(known && inputs.contains(&row.1), "{:?} on {:?} is not listed", row.0, row.1);
        }
    }
}
