//! Every timer of the four transaction machines (RFC 3261 table 4, RFC 6026 §7 and §8).
//!
//! Over a reliable transport A, E and G are never armed, and D, I, J and K are armed with zero.
//! A timer belongs to one transaction; its name here is the letter of the RFC. Timer C belongs to
//! proxies and is not used. Timers of an INVITE session above the transactions are in
//! [`crate::invite::timer`].

/// A timer of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Retransmits an INVITE. Armed when it is sent, T1, doubled each time without a ceiling;
    /// disarmed by any response. RFC 3261 §17.1.1.2.
    A,
    /// Gives an INVITE up. Armed when it is sent, 64*T1; disarmed by any response.
    /// RFC 3261 §17.1.1.2.
    B,
    /// Keeps an INVITE client able to repeat its ACK. Armed by a non-2xx final, 32 s or more;
    /// runs out. RFC 3261 §17.1.1.2.
    D,
    /// Retransmits any request but INVITE. Armed when it is sent, T1, doubled up to T2, T2 once a
    /// provisional came; disarmed by a final response. RFC 3261 §17.1.2.2.
    E,
    /// Gives a request that is no INVITE up. Armed when it is sent, 64*T1; disarmed by a final
    /// response. RFC 3261 §17.1.2.2.
    F,
    /// Retransmits a non-2xx final to an INVITE. Armed when it is sent, T1, doubled up to T2;
    /// disarmed by the ACK. RFC 3261 §17.2.1.
    G,
    /// Stops waiting for the ACK of a non-2xx final. Armed when that is sent, 64*T1; disarmed by
    /// the ACK. RFC 3261 §17.2.1.
    H,
    /// Absorbs repeated ACKs. Armed by the first ACK, T4; runs out. RFC 3261 §17.2.1.
    I,
    /// Answers retransmissions of a request that is no INVITE. Armed by the final response,
    /// 64*T1; runs out. RFC 3261 §17.2.2.
    J,
    /// Absorbs repeated responses. Armed by the final response, T4; runs out.
    /// RFC 3261 §17.1.2.2.
    K,
    /// Absorbs retransmissions of an accepted INVITE. Armed by the 2xx, 64*T1; runs out.
    /// RFC 6026 §8.7.
    L,
    /// Lets an INVITE client see every 2xx, repeated and of other forks. Armed by the first 2xx,
    /// 64*T1; runs out. RFC 6026 §8.4.
    M,
    /// Drops a request that nobody answered. Armed when it arrives, 64*T1; disarmed by the final
    /// response. RFC 4320 §4.2: the client has given up by then and a 408 would be of no use.
    Unanswered,
}
