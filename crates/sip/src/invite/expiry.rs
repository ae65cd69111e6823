//! The session timer of a confirmed dialog (RFC 4028).
//!
//! Goes in: what each 2xx has agreed on, timers, the outcome of our refreshes, the end of the
//! dialog. Comes out: actions. Whoever is to refresh the session, it ends when nobody has in time.
//! What a 2xx says, and how a refresh is sent, is [`super::session_timer`]'s.

use std::time::Duration;

use super::{action::Action, timer::Timer};
use crate::endpoint::EndCause;

/// RFC 4028 §10: the session ends so long before it expires, or a third of the interval.
pub(crate) const EXPIRY_LEAD_MAX: Duration = Duration::from_secs(32);

/// Where the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It does not expire.
    Off,
    /// We refresh it.
    Ours {
        /// What the last 2xx has agreed on.
        expires: Duration,
    },
    /// Our refresh waits for its outcome.
    Refreshing {
        /// What the last 2xx has agreed on.
        expires: Duration,
    },
    /// The peer refreshes it.
    Theirs {
        /// What the last 2xx has agreed on.
        expires: Duration,
    },
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A 2xx says that we refresh, and how often.
    Ours(Duration),
    /// A 2xx says that the peer refreshes, and how often.
    Theirs(Duration),
    /// A 2xx says that nobody does.
    Nobody,
    /// [`Timer::SessionRefresh`].
    Due,
    /// Our refresh has failed, and the dialog lives on.
    Failed,
    /// Our refresh has met another request.
    Glare,
    /// Our refresh has failed in a way that another one need not.
    Again,
    /// [`Timer::SessionExpiry`].
    Expired,
    /// The dialog is over.
    Over,
}

impl State {
    /// The interval and whether we refresh; `None` while the session does not expire.
    pub(crate) fn terms(self) -> Option<(Duration, bool)> {
        match self {
            State::Off => None,
            State::Ours { expires } | State::Refreshing { expires } => Some((expires, true)),
            State::Theirs { expires } => Some((expires, false)),
        }
    }

    /// One step; what to do is appended to `out`.
    pub(crate) fn handle(&mut self, input: Input, out: &mut Vec<Action>) {
        *self = match (*self, input) {
            (_, Input::Ours(expires)) => {
                out.extend([Action::Arm(Timer::SessionRefresh, expires / 2), expiry(expires)]);
                State::Ours { expires }
            }
            (_, Input::Theirs(expires)) => {
                out.extend([Action::Disarm(Timer::SessionRefresh), expiry(expires)]);
                State::Theirs { expires }
            }
            (State::Off, _) => State::Off,
            (_, Input::Nobody | Input::Over) => off(out),
            (_, Input::Expired) => {
                off(out);
                out.push(Action::Broken(EndCause::Expired));
                State::Off
            }
            (State::Ours { expires }, Input::Due) => {
                out.push(Action::RefreshSession);
                State::Refreshing { expires }
            }
            (State::Refreshing { expires }, input) => refreshing(expires, input, out),
            // Of a refresh that the session has outlived.
            (state @ State::Ours { .. }, Input::Failed | Input::Glare | Input::Again) => state,
            (
                state @ State::Theirs { .. },
                Input::Due | Input::Failed | Input::Glare | Input::Again,
            ) => state,
        };
    }
}

fn refreshing(expires: Duration, input: Input, out: &mut Vec<Action>) -> State {
    match input {
        Input::Failed => {
            // why: a third of what is left, so that it is tried a few times before the end.
            out.push(Action::Arm(Timer::SessionRefresh, expires / 8));
            State::Ours { expires }
        }
        Input::Glare => {
            out.push(Action::ArmSoon(Timer::SessionRefresh));
            State::Ours { expires }
        }
        Input::Again => {
            out.push(Action::RefreshSession);
            State::Refreshing { expires }
        }
        _ => State::Refreshing { expires },
    }
}

fn expiry(expires: Duration) -> Action {
    Action::Arm(Timer::SessionExpiry, expires - EXPIRY_LEAD_MAX.min(expires / 3))
}

fn off(out: &mut Vec<Action>) -> State {
    out.extend([Action::Disarm(Timer::SessionRefresh), Action::Disarm(Timer::SessionExpiry)]);
    State::Off
}

#[cfg(test)]
mod tests {
    use super::{
        Action::{Arm, ArmSoon, Broken, Disarm, RefreshSession},
        Input::{Again, Due, Expired, Failed, Glare, Nobody, Over},
        State::Off,
        *,
    };
    use crate::transaction::table_test::{Row, check, check_complete};

    const LONG: Duration = Duration::from_secs(1800);
    const SHORT: Duration = Duration::from_secs(90);
    const OURS: State = State::Ours { expires: LONG };
    const REFRESHING: State = State::Refreshing { expires: LONG };
    const THEIRS: State = State::Theirs { expires: LONG };
    const STATES: [State; 4] = [Off, OURS, REFRESHING, THEIRS];
    const WE: Input = Input::Ours(SHORT);
    const THEY: Input = Input::Theirs(SHORT);
    const INPUTS: [Input; 9] = [WE, THEY, Nobody, Due, Failed, Glare, Again, Expired, Over];
    const HALF: Action = Arm(Timer::SessionRefresh, Duration::from_secs(45));
    const END: Action = Arm(Timer::SessionExpiry, Duration::from_secs(60));
    const QUIET: Action = Disarm(Timer::SessionRefresh);
    const ENDLESS: Action = Disarm(Timer::SessionExpiry);
    const OUR_NEXT: State = State::Ours { expires: SHORT };
    const THEIR_NEXT: State = State::Theirs { expires: SHORT };
    const DEAD: Action = Broken(EndCause::Expired);

    const ROWS: &[Row<State, Input, Action>] = &[
        (Off, WE, OUR_NEXT, &[HALF, END]),
        (Off, THEY, THEIR_NEXT, &[QUIET, END]),
        (
            Off,
            Input::Theirs(LONG),
            THEIRS,
            &[QUIET, Arm(Timer::SessionExpiry, Duration::from_secs(1768))],
        ),
        (Off, Nobody, Off, &[]),
        (Off, Due, Off, &[]),
        (Off, Failed, Off, &[]),
        (Off, Glare, Off, &[]),
        (Off, Again, Off, &[]),
        (Off, Expired, Off, &[]),
        (Off, Over, Off, &[]),
        (OURS, WE, OUR_NEXT, &[HALF, END]),
        (OURS, THEY, THEIR_NEXT, &[QUIET, END]),
        (OURS, Nobody, Off, &[QUIET, ENDLESS]),
        (OURS, Due, REFRESHING, &[RefreshSession]),
        (OURS, Failed, OURS, &[]),
        (OURS, Glare, OURS, &[]),
        (OURS, Again, OURS, &[]),
        (OURS, Expired, Off, &[QUIET, ENDLESS, DEAD]),
        (OURS, Over, Off, &[QUIET, ENDLESS]),
        (REFRESHING, WE, OUR_NEXT, &[HALF, END]),
        (REFRESHING, THEY, THEIR_NEXT, &[QUIET, END]),
        (REFRESHING, Nobody, Off, &[QUIET, ENDLESS]),
        (REFRESHING, Due, REFRESHING, &[]),
        (REFRESHING, Failed, OURS, &[Arm(Timer::SessionRefresh, Duration::from_secs(225))]),
        (REFRESHING, Glare, OURS, &[ArmSoon(Timer::SessionRefresh)]),
        (REFRESHING, Again, REFRESHING, &[RefreshSession]),
        (REFRESHING, Expired, Off, &[QUIET, ENDLESS, DEAD]),
        (REFRESHING, Over, Off, &[QUIET, ENDLESS]),
        (THEIRS, WE, OUR_NEXT, &[HALF, END]),
        (THEIRS, THEY, THEIR_NEXT, &[QUIET, END]),
        (THEIRS, Nobody, Off, &[QUIET, ENDLESS]),
        (THEIRS, Due, THEIRS, &[]),
        (THEIRS, Failed, THEIRS, &[]),
        (THEIRS, Glare, THEIRS, &[]),
        (THEIRS, Again, THEIRS, &[]),
        (THEIRS, Expired, Off, &[QUIET, ENDLESS, DEAD]),
        (THEIRS, Over, Off, &[QUIET, ENDLESS]),
    ];

    #[test]
    fn every_row_of_the_table_holds() {
        check(ROWS, |state, input, out| state.handle(input, out));
    }

    #[test]
    fn the_table_has_every_pair() {
        let listed: Vec<Input> = INPUTS.into_iter().chain([Input::Theirs(LONG)]).collect();
        let rows: Vec<_> =
            ROWS.iter().filter(|row| row.1 != Input::Theirs(LONG)).copied().collect();
        check_complete(&rows, &STATES, &INPUTS);
        assert!(ROWS.iter().all(|row| listed.contains(&row.1)));
    }
}
