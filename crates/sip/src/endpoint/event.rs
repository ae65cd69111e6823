//! What goes into and comes out of an [`Endpoint`](super::Endpoint): plain values, no behaviour.

use std::{fmt, net::SocketAddr, time::Duration};

use bytes::Bytes;

use crate::{message::Message, method::Method};

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// One message per UDP datagram.
    Udp,
    /// A stream of messages over a TCP connection (RFC 3261 §18.3).
    Tcp,
}

impl Transport {
    /// The word in a Via header (RFC 3261 §20.42).
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        }
    }

    /// The value of a URI's `transport` parameter (RFC 3261 §19.1.1).
    pub fn uri_parameter(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }

    /// Whether the transport itself repeats what is lost, so that no transaction does
    /// (RFC 3261 §17).
    pub fn is_reliable(self) -> bool {
        match self {
            Transport::Udp => false,
            Transport::Tcp => true,
        }
    }
}

/// The path of a message: over which transport, from where, to where.
///
/// Of a received message `remote` is its source, of a sent one its destination. A connection is
/// named by its remote: a phone behind NAT has no other address, and requests to it go back over
/// the connection that it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// How it travels.
    pub transport: Transport,
    /// Our address as the peer shall see it: what Via and Contact advertise.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}

/// A message to be sent. `Debug` does not show it: it may hold credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub flow: Flow,
    /// The whole message.
    pub bytes: Bytes,
    /// Of a reliable transport: where to connect when there is no connection to `flow.remote`
    /// any more. A response goes to the sent-by of its request (RFC 3261 §18.2.2), a request in a
    /// dialog to the peer's Contact. `None`: to `flow.remote` itself.
    pub otherwise: Option<SocketAddr>,
}

impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transmit({:?}, {} bytes)", self.flow, self.bytes.len())
    }
}

/// One INVITE session, from the INVITE to the last transaction of its dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InviteId(pub(crate) u64);

impl fmt::Display for InviteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invite-{}", self.0)
    }
}

/// One received request that [`Endpoint::reply`](super::Endpoint::reply) must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request-{}", self.0)
    }
}

/// One request of ours within a dialog, from [`Endpoint::request`](super::Endpoint::request) to its
/// [`Event::Responded`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SentId(pub(crate) u64);

impl fmt::Display for SentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sent-{}", self.0)
    }
}

/// What an endpoint needs to know once.
#[derive(Clone, Debug)]
pub struct Config {
    /// RFC 3261 §17.1.1.1: estimate of a round trip. Default 500 ms.
    pub t1: Duration,
    /// RFC 3261 §17.1.2.2: the longest pause between retransmissions. Default 4 s.
    pub t2: Duration,
    /// RFC 3261 §17.1.2.2: how long a message lives in the network. Default 5 s.
    pub t4: Duration,
    /// Value of User-Agent in requests and Server in responses.
    pub user_agent: String,
    /// With so many transactions alive a new request outside a dialog gets 503 with Retry-After.
    /// Requests within dialogs are always served. Default 100,000.
    pub max_transactions: usize,
    /// 100 Trying is sent for each new INVITE at once. Without, the core calls
    /// [`Endpoint::trying`](super::Endpoint::trying) for those that it takes, and
    /// [`Endpoint::refuse`](super::Endpoint::refuse) leaves nothing of the others. Default true.
    pub trying_at_once: bool,
    /// RFC 4028: a session that nobody has refreshed for so long ends. What an INVITE of ours asks
    /// for, and what a 2xx of ours says where the peer asks for nothing; at most a day. `None`: it
    /// is not asked for, but done for a peer that asks. Default 30 minutes.
    pub session_expires: Option<Duration>,
    /// RFC 4028 §5: the shortest interval that a peer may ask for; less gets 422. Default 90
    /// seconds, which is also the least that the RFC allows.
    pub min_se: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            user_agent: "Switchhook".to_owned(),
            max_transactions: 100_000,
            trying_at_once: true,
            session_expires: Some(Duration::from_secs(1800)),
            min_se: Duration::from_secs(90),
        }
    }
}

/// An INVITE to send. It always carries an offer.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Where the INVITE goes; `local` becomes Via and Contact.
    pub flow: Flow,
    /// The same peer over a reliable transport. RFC 3261 §18.1.1: taken in place of an unreliable
    /// `flow` where the message is longer than
    /// [`DATAGRAM_BYTES_MAX`](crate::limits::DATAGRAM_BYTES_MAX). If it fails before any response
    /// ([`Endpoint::handle_transport_error`](super::Endpoint::handle_transport_error)), the INVITE
    /// is sent once more, over `flow`, whatever its length. `None` where the target names its
    /// transport.
    pub large: Option<Flow>,
    /// The Request-URI.
    pub request_uri: String,
    /// From as a name-addr, without a tag.
    pub from: String,
    /// To as a name-addr, without a tag.
    pub to: String,
    /// User part of our Contact.
    pub contact_user: Option<String>,
    /// Preloaded Route values, each a name-addr, outermost first. The flow says where the
    /// message goes; these are only written.
    pub route: Vec<String>,
    /// Max-Forwards; 70 where nothing is passed on.
    pub max_forwards: u8,
    /// Further headers in order.
    pub headers: Vec<(String, String)>,
    /// Content-Type of the body.
    pub content_type: &'static str,
    /// The body, an offer.
    pub body: Vec<u8>,
}

/// A request to send within a dialog.
#[derive(Clone, Debug)]
pub struct InDialog {
    /// INFO, MESSAGE, NOTIFY, OPTIONS, REFER, UPDATE or another one without a function of its own.
    pub method: Method,
    /// Further headers in order.
    pub headers: Vec<(String, String)>,
    /// Content-Type of the body; without it there is no body.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl InDialog {
    /// A request of a method and nothing else.
    pub fn method(method: Method) -> InDialog {
        InDialog { method, headers: Vec::new(), content_type: None, body: Vec::new() }
    }
}

/// A response to send.
#[derive(Clone, Debug, Default)]
pub struct Respond {
    /// 101 to 699. Anything else is sent as 500.
    pub status: u16,
    /// The reason phrase; the usual one of the status without it.
    pub reason: Option<String>,
    /// Further headers in order.
    pub headers: Vec<(String, String)>,
    /// Content-Type of the body; without it there is no body.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Respond {
    /// A response of a status and nothing else.
    pub fn status(status: u16) -> Respond {
        Respond { status, ..Respond::default() }
    }
}

/// Whose the final status of a request of ours is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectCause {
    /// The peer's final response; or it hung up before its answer to our INVITE arrived (487).
    Peer,
    /// 408: no response in 64*T1. 487: no final response in 64*T1 after our CANCEL.
    Timeout,
    /// 503: the network refused the request, or its connection failed before any response. 500:
    /// the request could not be written. 491: an UPDATE with an offer was not sent, because an
    /// offer is open (RFC 3311 §5.1), or a re-INVITE had no turn.
    Transport,
}

/// Why a dialog ended although we did not ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// The peer's BYE; it has its 200.
    Bye,
    /// A 2xx of ours was not acknowledged in 64*T1; a BYE was sent (RFC 3261 §13.3.1.4).
    NoAck,
    /// Our 2xx could not be written (a line break in a value, a limit) and went out as 500.
    Failed,
    /// The connection that the INVITE came by was lost before the dialog stood, and none could be
    /// made to where its response belongs (RFC 3261 §17.2.4, §18.2.2).
    Unreachable,
    /// The peer no longer knows the dialog: it answered a request of ours with 481, or one that
    /// refreshes the dialog with 408 or not at all; a BYE was sent (RFC 3261 §12.2.1.2).
    Gone,
    /// A provisional response of ours that had to be acknowledged was not in 64*T1; the INVITE got
    /// 504 (RFC 3262 §3).
    NoPrack,
    /// Nobody has refreshed the session in time; a BYE was sent (RFC 4028 §10).
    Expired,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A new INVITE. 100 Trying is sent, see [`Config`];
    /// [`Endpoint::respond`](super::Endpoint::respond) is due.
    Invite {
        /// Names the session from now on.
        id: InviteId,
        /// The INVITE.
        request: Message,
        /// Where it came from.
        flow: Flow,
    },
    /// A provisional response to our INVITE, 101 to 199, each one, repeated ones too, except those
    /// that are sent reliably: each of them once and in order, and its PRACK is sent (RFC 3262 §4).
    /// None after [`Endpoint::cancel`](super::Endpoint::cancel).
    Progress {
        /// Our INVITE.
        id: InviteId,
        /// The response.
        response: Message,
    },
    /// The first 2xx to our INVITE; its ACK is sent. 2xx of other forks get ACK and BYE from the
    /// endpoint itself and make no event.
    Answered {
        /// Our INVITE.
        id: InviteId,
        /// The response.
        response: Message,
    },
    /// Our INVITE ended without success, unless
    /// [`Endpoint::invite_again`](super::Endpoint::invite_again) follows.
    Rejected {
        /// Our INVITE.
        id: InviteId,
        /// The final status, of the peer or made here (see [`RejectCause`]).
        status: u16,
        /// Its reason phrase.
        reason: String,
        /// Whose it is.
        cause: RejectCause,
        /// The peer's response, if there is one; already acknowledged.
        response: Option<Message>,
    },
    /// The peer cancelled its INVITE before our final response: its CANCEL (or, RFC 3261 §15, a
    /// BYE in the early dialog) has its 200 and the INVITE its 487. Also where the core has given
    /// a 2xx that waits for a PRACK ([`Endpoint::respond`](super::Endpoint::respond)).
    Cancelled {
        /// The peer's INVITE.
        id: InviteId,
        /// The CANCEL or BYE.
        request: Message,
    },
    /// The 2xx that the core has given to the peer's INVITE is sent: it waited for a PRACK, see
    /// [`Endpoint::answer_waits`](super::Endpoint::answer_waits). None for one that did not wait.
    Accepted {
        /// The peer's INVITE.
        id: InviteId,
    },
    /// The first ACK of a 2xx of ours, to an INVITE or re-INVITE. None after
    /// [`Endpoint::bye`](super::Endpoint::bye).
    Acked {
        /// The session.
        id: InviteId,
        /// The ACK; its body may hold an answer.
        request: Message,
    },
    /// The dialog is over and [`Endpoint::bye`](super::Endpoint::bye) was not called. At most once.
    Ended {
        /// The session.
        id: InviteId,
        /// Why.
        cause: EndCause,
        /// The BYE, if that was it.
        request: Option<Message>,
    },
    /// The peer's INVITE within a dialog;
    /// [`Endpoint::respond_reinvite`](super::Endpoint::respond_reinvite) is due.
    Reinvite {
        /// The session.
        id: InviteId,
        /// The re-INVITE.
        request: Message,
    },
    /// Our re-INVITE was accepted; its ACK is sent. For each
    /// [`Endpoint::reinvite`](super::Endpoint::reinvite) that was sent either this or
    /// [`Event::NotModified`], unless the session ends before.
    Modified {
        /// The session.
        id: InviteId,
        /// The 2xx.
        response: Message,
    },
    /// Our re-INVITE was not accepted; the session goes on as it was.
    NotModified {
        /// The session.
        id: InviteId,
        /// The final status, of the peer or made here: 408 where none came in time, 503 and 500 as
        /// [`RejectCause::Transport`] says, 491 where another INVITE was in the way too often.
        status: u16,
        /// Its reason phrase.
        reason: String,
        /// Whose it is.
        cause: RejectCause,
        /// The peer's response, if there is one; already acknowledged.
        response: Option<Message>,
    },
    /// A refresh of the session was answered with 401 or 407 (RFC 4028 §7.4).
    /// [`Endpoint::refresh_again`](super::Endpoint::refresh_again) repeats it with an answer; else
    /// it is tried again later, as any refresh that failed.
    RefreshChallenged {
        /// The session.
        id: InviteId,
        /// UPDATE or INVITE: what an answer is made for, with
        /// [`Endpoint::request_uri`](super::Endpoint::request_uri).
        method: Method,
        /// It had carried an answer already.
        answered: bool,
        /// The 401 or 407.
        response: Message,
    },
    /// Any other request; [`Endpoint::reply`](super::Endpoint::reply) is due within 64*T1.
    Request {
        /// The session in whose dialog it came.
        id: Option<InviteId>,
        /// Names the request in the reply.
        request_id: RequestId,
        /// The request.
        request: Message,
        /// Where it came from.
        flow: Flow,
    },
    /// The outcome of a request of ours within the dialog: exactly one for each, also where the
    /// dialog has ended before.
    Responded {
        /// The session.
        id: InviteId,
        /// Our request.
        sent: SentId,
        /// The final status, of the peer or made here (see [`RejectCause`]).
        status: u16,
        /// Its reason phrase.
        reason: String,
        /// The peer's response, if there is one.
        response: Option<Message>,
        /// Whose it is.
        cause: RejectCause,
    },
    /// Nothing is left of the session: no transaction, dialog or timer. Exactly one for each
    /// [`InviteId`], and the last event of it.
    Released {
        /// The session.
        id: InviteId,
    },
}

/// The identifiers of a session's dialog (RFC 3261 §12), as its own side sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogId {
    /// The Call-ID.
    pub call_id: String,
    /// Our tag.
    pub our_tag: String,
    /// The peer's tag.
    pub their_tag: String,
}

/// How far a dialog has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogState {
    /// The INVITE has no 2xx yet.
    Early,
    /// The INVITE was answered.
    Confirmed,
    /// It is over, or about to be: somebody has hung up, cancelled or refused, or it is a fork that
    /// nobody wants. RFC 3891 §3: 603 for who would replace it.
    Ended,
}

/// How much is alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Transactions, client and server.
    pub transactions: usize,
    /// INVITE sessions.
    pub invites: usize,
    /// Dialogs, early and confirmed, that have not ended.
    pub dialogs: usize,
}
