//! Every timer of an INVITE session above its transactions. The transactions' own timers are in
//! [`crate::transaction::timer`].

/// A timer of one INVITE session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Repeats our 2xx. Armed when it is sent, T1, doubled up to T2; disarmed by the ACK, by a
    /// BYE, by [`Timer::AckWait`]. RFC 3261 §13.3.1.4.
    Success,
    /// Stops waiting for the ACK of our 2xx. Armed when it is first sent, 64*T1; disarmed by the
    /// ACK or a BYE. RFC 3261 §13.3.1.4.
    AckWait,
    /// Repeats our last provisional so that proxies keep the INVITE alive. Armed by a provisional,
    /// one minute; disarmed by the final response. RFC 3261 §13.3.1.1.
    Refresh,
    /// Repeats a reliable provisional response. Armed when it is sent, T1, doubled without a bound;
    /// disarmed by its PRACK or the final response. RFC 3262 §3.
    Reliable,
    /// Stops waiting for the PRACK of a reliable provisional response. Armed when it is first sent,
    /// 64*T1; disarmed as [`Timer::Reliable`]. RFC 3262 §3.
    PrackWait,
    /// Stops waiting for the final response to a re-INVITE of ours. Armed when it is sent, three
    /// minutes, when it is cancelled or the dialog ends, 64*T1; disarmed by the final response.
    Answer,
    /// Tries a re-INVITE of ours that another INVITE was in the way of. Armed by a 491, or where
    /// the other INVITE is known here, for a random time; disarmed by the end of the dialog.
    /// RFC 3261 §14.1.
    Glare,
    /// Refreshes the session. Armed by a 2xx that leaves that to us, half the interval, again by
    /// a failure; disarmed by another 2xx and by the end of the dialog. RFC 4028 §10.
    SessionRefresh,
    /// Ends a session that nobody has refreshed. Armed by each 2xx that agrees on an interval, a
    /// little less than that; disarmed as [`Timer::SessionRefresh`]. RFC 4028 §10.
    SessionExpiry,
    /// Stops waiting for the final response to a cancelled INVITE. Armed when the CANCEL is sent,
    /// 64*T1; disarmed by the final response. RFC 3261 §9.1.
    GiveUp,
}
