//! The live transactions: finds the one a message or timer belongs to, feeds its machine, carries
//! the actions out and says what the core must hear of it.
//!
//! Datagrams to send and all running timers are kept here too, because every action of a machine
//! touches one of them. Nothing here decides what a message means.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    time::Instant,
};

use bytes::Bytes;

use super::{
    Action, Failure, Intervals, ack, client, invite_client, invite_server,
    key::{ClientKey, ClientMethod, MergeKey, ServerKey},
    server,
    timer::Timer,
};
use crate::{
    deadlines::{Deadlines, Due},
    endpoint::{Flow, InviteId, SentId, Transmit, Transport},
    hop::Hop,
    message::Message,
};

/// Names a server transaction in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServerId(pub(crate) u64);

/// What a client transaction was started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Invite,
    Cancel,
    /// The BYE of the session's dialog.
    Bye,
    /// A re-INVITE.
    Reinvite,
    /// An UPDATE that refreshes the session.
    Refresh,
    /// The PRACK of a reliable provisional response.
    Prack,
    /// The BYE of a fork that nobody wants.
    DropFork,
    /// A request that the core sends within the dialog.
    Request(Within),
}

/// A request of the core within a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Within {
    pub(crate) sent: SentId,
    pub(crate) kind: Kind,
}

/// Requests within a dialog by what their failure does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// UPDATE, which refreshes the dialog.
    Update,
    /// NOTIFY, which belongs to a subscription of its own.
    Notify,
    /// Any other.
    Other,
}

/// What the core must hear of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Upshot {
    /// The message of this step is for the core.
    pub(crate) inform: bool,
    /// There will be no response, or no ACK.
    pub(crate) failed: Option<Failure>,
}

/// A response by what the machines tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Provisional,
    Success,
    Failure,
}

impl Class {
    pub(crate) fn of(status: u16) -> Class {
        match status {
            ..200 => Class::Provisional,
            200..300 => Class::Success,
            _ => Class::Failure,
        }
    }
}

#[derive(Clone, Debug)]
enum ClientMachine {
    Invite(invite_client::State),
    Other(client::State),
}

#[derive(Clone)]
struct Client {
    machine: ClientMachine,
    hop: Hop,
    owner: InviteId,
    purpose: Purpose,
    request: Message,
    /// The ACK of the non-2xx final, to be repeated.
    ack: Option<Bytes>,
}

#[derive(Clone, Debug)]
enum ServerMachine {
    Invite(invite_server::State),
    Other(server::State),
}

#[derive(Clone)]
struct Server {
    machine: ServerMachine,
    hop: Hop,
    owner: Option<InviteId>,
    key: ServerKey,
    merge: Option<MergeKey>,
    /// Until the final response, which is built from it.
    request: Option<Message>,
    /// The latest response, until nobody can ask for it again.
    response: Option<Bytes>,
}

/// Without messages: they may hold credentials.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Client { machine, hop, purpose, .. } = self;
        write!(f, "Client({machine:?}, {:?}, {purpose:?})", hop.flow)
    }
}

/// Without messages: they may hold credentials.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({:?}, {:?})", self.machine, self.hop.flow)
    }
}

/// A server transaction about to start.
pub(crate) struct Arrival<'a> {
    pub(crate) key: ServerKey,
    /// Of a request outside a dialog.
    pub(crate) merge: Option<MergeKey>,
    pub(crate) flow: Flow,
    pub(crate) request: &'a Message,
    pub(crate) invite: bool,
}

/// Where a client without response stands in the table of them.
fn place(flow: Flow, key: ClientKey) -> (Transport, SocketAddr, ClientKey) {
    (flow.transport, flow.remote, key)
}

/// All transactions, all timers, all messages to send.
#[derive(Clone, Debug)]
pub(crate) struct Transactions {
    intervals: Intervals,
    clients: BTreeMap<ClientKey, Client>,
    servers: BTreeMap<ServerId, Server>,
    by_key: BTreeMap<ServerKey, ServerId>,
    merged: BTreeSet<MergeKey>,
    /// Clients without any response, by destination: whom a transport error concerns.
    unanswered: BTreeSet<(Transport, SocketAddr, ClientKey)>,
    /// INVITEs that came by a connection, by its remote: whom its end concerns.
    invited: BTreeSet<(Transport, SocketAddr, ServerId)>,
    next_server: u64,
    pub(crate) deadlines: Deadlines,
    pub(crate) transmits: VecDeque<Transmit>,
    /// Owners whose transactions have terminated, one entry for each.
    pub(crate) terminated: Vec<InviteId>,
    /// Sessions that may have nothing left.
    pub(crate) touched: Vec<InviteId>,
    /// Kept for its capacity.
    actions: Vec<Action>,
}

impl Transactions {
    pub(crate) fn new(intervals: Intervals) -> Transactions {
        Transactions {
            intervals,
            clients: BTreeMap::new(),
            servers: BTreeMap::new(),
            by_key: BTreeMap::new(),
            merged: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            invited: BTreeSet::new(),
            next_server: 0,
            deadlines: Deadlines::default(),
            transmits: VecDeque::new(),
            terminated: Vec::new(),
            touched: Vec::new(),
            actions: Vec::new(),
        }
    }

    pub(crate) fn intervals(&self) -> Intervals {
        self.intervals
    }

    pub(crate) fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Sends a message that no transaction repeats.
    pub(crate) fn send(&mut self, transmit: Transmit) {
        self.transmits.push_back(transmit);
    }

    // Client transactions.

    /// Sends a request and waits for its response.
    pub(crate) fn request(
        &mut self,
        now: Instant,
        key: ClientKey,
        hop: Hop,
        request: Message,
        (owner, purpose): (InviteId, Purpose),
    ) {
        let mut actions = std::mem::take(&mut self.actions);
        let intervals = self.intervals.over(hop.flow.transport);
        let machine = match key.method {
            ClientMethod::Invite => {
                ClientMachine::Invite(invite_client::State::start(intervals, &mut actions))
            }
            ClientMethod::Cancel | ClientMethod::Other => {
                ClientMachine::Other(client::State::start(intervals, &mut actions))
            }
        };
        let client = Client { machine, hop, owner, purpose, request, ack: None };
        self.clients.insert(key, client);
        self.unanswered.insert(place(hop.flow, key));
        self.carry_out_client(now, key, &mut actions);
        self.actions = actions;
    }

    /// Whose transaction it is and what for.
    pub(crate) fn owner(&self, key: ClientKey) -> Option<(InviteId, Purpose)> {
        self.clients.get(&key).map(|client| (client.owner, client.purpose))
    }

    /// The request of a client transaction and the way it went.
    pub(crate) fn sent(&self, key: ClientKey) -> Option<(&Message, Hop)> {
        self.clients.get(&key).map(|client| (&client.request, client.hop))
    }

    /// A response for this transaction arrived.
    pub(crate) fn response(&mut self, now: Instant, key: ClientKey, response: &Message) -> Upshot {
        let class = Class::of(response.status().unwrap_or_default());
        let Some(client) = self.clients.get_mut(&key) else { return Upshot::default() };
        if class == Class::Failure && key.method == ClientMethod::Invite && client.ack.is_none() {
            // An ACK that is over a limit is none: the peer's retransmissions end by Timer H.
            client.ack = ack::ack(&client.request, response).ok().map(|ack| ack.to_bytes());
        }
        self.unanswered.remove(&place(client.hop.flow, key));
        self.step_client(now, key, |machine, intervals, out| match machine {
            ClientMachine::Invite(state) => {
                let input = match class {
                    Class::Provisional => invite_client::Input::Provisional,
                    Class::Success => invite_client::Input::Success,
                    Class::Failure => invite_client::Input::Failure,
                };
                state.handle(intervals, input, out);
            }
            ClientMachine::Other(state) => {
                let input = match class {
                    Class::Provisional => client::Input::Provisional,
                    Class::Success | Class::Failure => client::Input::Final,
                };
                state.handle(intervals, input, out);
            }
        })
    }

    /// A timer of this transaction ran out.
    pub(crate) fn client_timer(&mut self, now: Instant, key: ClientKey, timer: Timer) -> Upshot {
        self.step_client(now, key, |machine, intervals, out| match machine {
            ClientMachine::Invite(state) => {
                state.handle(intervals, invite_client::Input::Timer(timer), out);
            }
            ClientMachine::Other(state) => {
                state.handle(intervals, client::Input::Timer(timer), out);
            }
        })
    }

    /// Transactions on the way of this flow that have no response yet.
    pub(crate) fn unanswered(&self, flow: Flow) -> Vec<ClientKey> {
        let first = place(flow, ClientKey::new(0, ClientMethod::Invite));
        let last = place(flow, ClientKey::new(u128::MAX, ClientMethod::Other));
        self.unanswered.range(first..=last).map(|(_, _, key)| *key).collect()
    }

    /// The network refused this transaction's request.
    pub(crate) fn refused(&mut self, now: Instant, key: ClientKey) -> Upshot {
        self.step_client(now, key, |machine, intervals, out| match machine {
            ClientMachine::Invite(state) => {
                state.handle(intervals, invite_client::Input::TransportError, out);
            }
            ClientMachine::Other(state) => {
                state.handle(intervals, client::Input::TransportError, out);
            }
        })
    }

    /// RFC 3261 §9.1: the INVITE is considered cancelled and its transaction destroyed.
    pub(crate) fn abandon(&mut self, now: Instant, key: ClientKey) {
        self.step_client(now, key, |machine, intervals, out| {
            if let ClientMachine::Invite(state) = machine {
                state.handle(intervals, invite_client::Input::Abandon, out);
            }
        });
    }

    fn step_client(
        &mut self,
        now: Instant,
        key: ClientKey,
        step: impl FnOnce(&mut ClientMachine, Intervals, &mut Vec<Action>),
    ) -> Upshot {
        let Some(client) = self.clients.get_mut(&key) else { return Upshot::default() };
        let mut actions = std::mem::take(&mut self.actions);
        let intervals = self.intervals.over(client.hop.flow.transport);
        step(&mut client.machine, intervals, &mut actions);
        let upshot = self.carry_out_client(now, key, &mut actions);
        self.actions = actions;
        upshot
    }

    fn carry_out_client(
        &mut self,
        now: Instant,
        key: ClientKey,
        actions: &mut Vec<Action>,
    ) -> Upshot {
        let mut upshot = Upshot::default();
        for action in actions.drain(..) {
            match action {
                Action::Send | Action::Ack => {
                    let Some(client) = self.clients.get(&key) else { continue };
                    let bytes = match action {
                        Action::Ack => client.ack.clone(),
                        _ => Some(client.request.to_bytes()),
                    };
                    let hop = client.hop;
                    self.transmits.extend(bytes.map(|bytes| hop.transmit(bytes)));
                }
                Action::Inform => upshot.inform = true,
                Action::Fail(failure) => upshot.failed = Some(failure),
                Action::Arm(timer, after) => {
                    self.deadlines.arm(Due::Client(key, timer), now + after);
                }
                Action::Disarm(timer) => self.deadlines.disarm(Due::Client(key, timer)),
                Action::Terminate => self.forget_client(key),
            }
        }
        upshot
    }

    fn forget_client(&mut self, key: ClientKey) {
        let Some(client) = self.clients.remove(&key) else { return };
        self.unanswered.remove(&place(client.hop.flow, key));
        self.terminated.push(client.owner);
        for timer in [Timer::A, Timer::B, Timer::E, Timer::F] {
            self.deadlines.disarm(Due::Client(key, timer));
        }
    }

    // Server transactions.

    /// The transaction that a request belongs to, if it is not new.
    pub(crate) fn find(&self, key: &ServerKey) -> Option<ServerId> {
        self.by_key.get(key).copied()
    }

    /// RFC 3261 §8.2.2.2: whether the same request came on another way.
    pub(crate) fn is_merged(&self, key: &MergeKey) -> bool {
        self.merged.contains(key)
    }

    /// A new request that will be answered.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        arrival: Arrival<'_>,
        owner: Option<InviteId>,
    ) -> ServerId {
        let Arrival { key, merge, flow, request, invite } = arrival;
        let id = ServerId(self.next_server);
        self.next_server += 1;
        let mut actions = std::mem::take(&mut self.actions);
        let machine = if invite {
            ServerMachine::Invite(invite_server::State::start())
        } else {
            let intervals = self.intervals.over(flow.transport);
            ServerMachine::Other(server::State::start(intervals, &mut actions))
        };
        self.by_key.insert(key.clone(), id);
        if invite && flow.transport.is_reliable() {
            self.invited.insert((flow.transport, flow.remote, id));
        }
        self.merged.extend(merge.clone());
        let hop = Hop::back(request, flow);
        let request = Some(request.clone());
        let server = Server { machine, hop, owner, key, merge, request, response: None };
        self.servers.insert(id, server);
        self.carry_out_server(now, id, &mut actions);
        self.actions = actions;
        id
    }

    /// Ends a server transaction that nothing was sent in, and gives back what its request was.
    pub(crate) fn discard(&mut self, id: ServerId) -> Option<(Message, Flow, ServerKey)> {
        let server = self.servers.get_mut(&id).filter(|server| server.response.is_none())?;
        let request = server.request.take()?;
        let (flow, key) = (server.hop.flow, server.key.clone());
        self.deadlines.disarm(Due::Server(id, Timer::Unanswered));
        self.forget_server(id);
        Some((request, flow, key))
    }

    /// Where the request of a server transaction came from.
    pub(crate) fn came_from(&self, id: ServerId) -> Option<Flow> {
        self.servers.get(&id).map(|server| server.hop.flow)
    }

    /// The INVITEs that came by this connection and whose transactions live.
    pub(crate) fn invited_over(&self, flow: Flow) -> Vec<ServerId> {
        let first = (flow.transport, flow.remote, ServerId(0));
        let last = (flow.transport, flow.remote, ServerId(u64::MAX));
        self.invited.range(first..=last).map(|(_, _, id)| *id).collect()
    }

    /// The session of a server transaction.
    pub(crate) fn server_owner(&self, id: ServerId) -> Option<InviteId> {
        self.servers.get(&id)?.owner
    }

    /// The unanswered request of a server transaction and where it came from.
    pub(crate) fn received(&self, id: ServerId) -> Option<(&Message, Flow)> {
        let server = self.servers.get(&id)?;
        Some((server.request.as_ref()?, server.hop.flow))
    }

    /// The request came again.
    pub(crate) fn repeated(&mut self, now: Instant, id: ServerId) {
        self.step_server(now, id, |machine, intervals, out| match machine {
            ServerMachine::Invite(state) => {
                state.handle(intervals, invite_server::Input::Request, out);
            }
            ServerMachine::Other(state) => state.handle(intervals, server::Input::Request, out),
        });
    }

    /// An ACK with the transaction's branch.
    pub(crate) fn acknowledged(&mut self, now: Instant, id: ServerId) -> Upshot {
        self.step_server(now, id, |machine, intervals, out| {
            if let ServerMachine::Invite(state) = machine {
                state.handle(intervals, invite_server::Input::Ack, out);
            }
        })
    }

    /// Sends a response of the core.
    pub(crate) fn respond(&mut self, now: Instant, id: ServerId, class: Class, response: Bytes) {
        let Some(server) = self.servers.get_mut(&id) else { return };
        if server.request.is_none() {
            return; // The final response is out.
        }
        server.response = Some(response);
        if class != Class::Provisional {
            server.request = None;
        }
        self.responded(now, id, class);
    }

    /// Sends the latest response again, of the core's own accord.
    pub(crate) fn repeat(&mut self, now: Instant, id: ServerId, class: Class) {
        self.responded(now, id, class);
    }

    /// The 2xx of this transaction need never be sent again.
    pub(crate) fn settled(&mut self, id: ServerId) {
        if let Some(server) = self.servers.get_mut(&id) {
            server.response = None;
        }
    }

    fn responded(&mut self, now: Instant, id: ServerId, class: Class) {
        self.step_server(now, id, |machine, intervals, out| match machine {
            ServerMachine::Invite(state) => {
                let input = match class {
                    Class::Provisional => invite_server::Input::Provisional,
                    Class::Success => invite_server::Input::Success,
                    Class::Failure => invite_server::Input::Failure,
                };
                state.handle(intervals, input, out);
            }
            ServerMachine::Other(state) => {
                let input = match class {
                    Class::Provisional => server::Input::Provisional,
                    Class::Success | Class::Failure => server::Input::Final,
                };
                state.handle(intervals, input, out);
            }
        });
    }

    /// A timer of this transaction ran out.
    pub(crate) fn server_timer(&mut self, now: Instant, id: ServerId, timer: Timer) {
        self.step_server(now, id, |machine, intervals, out| match machine {
            ServerMachine::Invite(state) => {
                state.handle(intervals, invite_server::Input::Timer(timer), out);
            }
            ServerMachine::Other(state) => {
                state.handle(intervals, server::Input::Timer(timer), out);
            }
        });
    }

    fn step_server(
        &mut self,
        now: Instant,
        id: ServerId,
        step: impl FnOnce(&mut ServerMachine, Intervals, &mut Vec<Action>),
    ) -> Upshot {
        let Some(server) = self.servers.get_mut(&id) else { return Upshot::default() };
        let mut actions = std::mem::take(&mut self.actions);
        let intervals = self.intervals.over(server.hop.flow.transport);
        step(&mut server.machine, intervals, &mut actions);
        let upshot = self.carry_out_server(now, id, &mut actions);
        self.actions = actions;
        upshot
    }

    fn carry_out_server(
        &mut self,
        now: Instant,
        id: ServerId,
        actions: &mut Vec<Action>,
    ) -> Upshot {
        let mut upshot = Upshot::default();
        for action in actions.drain(..) {
            match action {
                Action::Send => {
                    let Some(server) = self.servers.get(&id) else { continue };
                    let hop = server.hop;
                    let bytes = server.response.clone();
                    self.transmits.extend(bytes.map(|bytes| hop.transmit(bytes)));
                }
                Action::Inform => upshot.inform = true,
                Action::Fail(failure) => upshot.failed = Some(failure),
                Action::Arm(timer, after) => {
                    self.deadlines.arm(Due::Server(id, timer), now + after);
                }
                Action::Disarm(timer) => self.deadlines.disarm(Due::Server(id, timer)),
                Action::Terminate => self.forget_server(id),
                Action::Ack => {}
            }
        }
        upshot
    }

    fn forget_server(&mut self, id: ServerId) {
        let Some(server) = self.servers.remove(&id) else { return };
        self.by_key.remove(&server.key);
        let Flow { transport, remote, .. } = server.hop.flow;
        self.invited.remove(&(transport, remote, id));
        if let Some(merge) = &server.merge {
            self.merged.remove(merge);
        }
        self.terminated.extend(server.owner);
    }
}
