//! The words for how a call stands and how it ended, and the one table from SIP status to dial
//! status.

use crate::values::words;

words! {
    /// `call_status`.
    pub enum CallStatus {
        /// INVITE sent or received.
        Trying => "trying",
        /// 18x without media.
        Ringing => "ringing",
        /// 18x with media.
        EarlyMedia => "early-media",
        /// Answered.
        InProgress => "in-progress",
        /// Answered, and over.
        Completed => "completed",
        /// Not answered, for any other reason.
        Failed => "failed",
        /// Not answered: busy.
        Busy => "busy",
        /// Not answered: nobody did, or the caller gave up.
        NoAnswer => "no-answer",
        /// Waiting for its turn.
        Queued => "queued",
    }
}

words! {
    /// `dial_call_status`, the same as `dial_status`. In the order of rank: of several outcomes
    /// the least is the dial's.
    pub enum DialStatus {
        /// A callee was connected.
        Completed => "completed",
        /// 486 or 600.
        Busy => "busy",
        /// Ring timeout, 487, or declined its screening.
        NoAnswer => "no-answer",
        /// Anything else.
        Failed => "failed",
    }
}

words! {
    /// `call_status` of an entry of `dial_targets`.
    pub enum TargetStatus {
        /// Connected to the caller.
        Completed => "completed",
        /// 486 or 600.
        Busy => "busy",
        /// Rang, or was given up.
        NoAnswer => "no-answer",
        /// Anything else.
        Failed => "failed",
        /// Never called.
        Skipped => "skipped",
        /// Called; only a progressHook is told so, as of the three that follow.
        Trying => "trying",
        /// It rings.
        Ringing => "ringing",
        /// It sends media, and has not answered.
        EarlyMedia => "early-media",
        /// It answered: it is connected, or being screened.
        InProgress => "in-progress",
    }
}

words! {
    /// `lost_because` of an entry of `dial_targets`: why it was not the one.
    pub enum LostBecause {
        /// Another callee was connected.
        AnsweredElsewhere => "answered-elsewhere",
        /// Nobody answered in time.
        RingTimeout => "ring-timeout",
        /// It did not even ring in time.
        ProgressTimeout => "progress-timeout",
        /// The caller hung up.
        CallerGone => "caller-gone",
        /// 486 or 600.
        Busy => "busy",
        /// 603: somebody refused.
        Declined => "declined",
        /// Another final failure.
        Rejected => "rejected",
        /// No way to it: transport failure, no response, no address.
        Unreachable => "unreachable",
        /// `trunk` names no carrier.
        NoSuchTrunk => "no-such-trunk",
        /// The user has no binding.
        NotRegistered => "not-registered",
        /// Equal to an earlier target.
        Duplicate => "duplicate",
        /// Beyond the number of targets that are called.
        OverLimit => "over-limit",
        /// It answered and did not accept.
        ScreeningDeclined => "screening-declined",
        /// A machine answered.
        Machine => "machine",
        /// New instructions replaced the dial.
        Replaced => "replaced",
    }
}

impl From<DialStatus> for CallStatus {
    fn from(status: DialStatus) -> CallStatus {
        match status {
            DialStatus::Completed => CallStatus::Completed,
            DialStatus::Busy => CallStatus::Busy,
            DialStatus::NoAnswer => CallStatus::NoAnswer,
            DialStatus::Failed => CallStatus::Failed,
        }
    }
}

impl From<DialStatus> for TargetStatus {
    fn from(status: DialStatus) -> TargetStatus {
        match status {
            DialStatus::Completed => TargetStatus::Completed,
            DialStatus::Busy => TargetStatus::Busy,
            DialStatus::NoAnswer => TargetStatus::NoAnswer,
            DialStatus::Failed => TargetStatus::Failed,
        }
    }
}

impl CallStatus {
    /// Nothing follows it.
    pub fn is_final(self) -> bool {
        use CallStatus::{Busy, Completed, Failed, NoAnswer};
        matches!(self, Completed | Failed | Busy | NoAnswer)
    }
}

impl LostBecause {
    /// What a final failure from the callee says about why it was lost.
    pub fn of_sip(status: u16) -> LostBecause {
        match status {
            486 | 600 => LostBecause::Busy,
            603 => LostBecause::Declined,
            _ => LostBecause::Rejected,
        }
    }
}

/// Status of a dial by the final SIP status of its INVITE.
///
/// jambonz: 408, 480 and 603 are `failed`, not `no-answer` or `busy`.
pub fn of_sip(status: u16) -> DialStatus {
    match status {
        200..=299 => DialStatus::Completed,
        486 | 600 => DialStatus::Busy,
        487 => DialStatus::NoAnswer,
        _ => DialStatus::Failed,
    }
}

/// Status of a call that a program began, by the final SIP status of its INVITE.
///
/// jambonz: as [`of_sip`], and 603 is `busy` too.
pub fn of_created_call(status: u16) -> CallStatus {
    match status {
        603 => CallStatus::Busy,
        _ => of_sip(status).into(),
    }
}

/// How one callee of a dial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its rank.
    pub status: DialStatus,
    /// Final status of its INVITE.
    pub sip_status: u16,
}

impl Outcome {
    /// The outcome of a final response.
    pub fn of_sip(sip_status: u16) -> Outcome {
        Outcome { status: of_sip(sip_status), sip_status }
    }

    /// Less is better: rank, then class.
    fn order(self) -> (DialStatus, u16) {
        // RFC 3261 §16.7 step 6: a 6xx goes before all, else the lowest class.
        let class = match self.sip_status / 100 {
            6 => 0,
            class => class,
        };
        (self.status, class)
    }
}

/// Index of the outcome that stands for a whole dial: busy before no-answer before failed, within
/// a rank 6xx first, else the lowest class, within a class the most recent. `outcomes` are in the
/// order they came; `None` for none.
pub fn best(outcomes: &[Outcome]) -> Option<usize> {
    let ranked = outcomes.iter().enumerate().rev();
    ranked.min_by_key(|(_, outcome)| outcome.order()).map(|(index, _)| index)
}
