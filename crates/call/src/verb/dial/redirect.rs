//! A callee's redirection: the contacts of its 3xx, called in its place (RFC 3261 §8.1.3.4).
//!
//! Whoever redirects chooses whom we call and what that costs, so each kind of callee has a rule
//! of its own: a carrier's gateway may where the operator allows it, a device of ours where it
//! could transfer to (`elsewhere.rs`), somebody at a SIP URI to other SIP URIs. None of them gets
//! credentials that were not meant for it, and none leads inside (`bounds.rs`). What holds for the
//! target holds for whoever is called in its place: its ring time, screening, headers and codecs.

use std::net::SocketAddr;

use sip::{Flow, Message, NameAddr, Scheme, Uri};
use verbs::Target;

use crate::call::{Call, Context};
use crate::leg::LegId;
use crate::route::{Attempt, NextHop, Reaches, Ways, transport_of};
use crate::verb::dial::bounds::socket_of;
use crate::verb::dial::elsewhere::requested;

/// Redirections that are followed for one target.
const REDIRECTIONS_MAX: u8 = 4;

/// Contacts of one redirection that are called at most, one after the other.
const CONTACTS_MAX: usize = 8;

/// Contacts of one redirection that are looked at.
const CONTACTS_READ_MAX: usize = 64;

impl Call {
    /// The contacts of a 3xx become the next to be called for its target, before those who still
    /// wait for their turn.
    pub(crate) fn note_redirection(
        &mut self,
        cx: Context<'_>,
        id: LegId,
        response: Option<&Message>,
    ) {
        let moved = response.filter(|response| matches!(response.status(), Some(300..=302)));
        // why: one that we gave up goes nowhere else, whatever it says at last.
        let calling = self.legs.get(&id).filter(|leg| leg.state.calling());
        let (Some(response), Some(leg)) = (moved, calling) else { return };
        let target = leg.target;
        let dial = self.dial.as_ref().filter(|_| leg.dial == self.dials);
        let Some(record) = dial.and_then(|dial| dial.records.get(target)) else { return };
        if record.redirections >= REDIRECTIONS_MAX {
            return;
        }
        let mut turns: Vec<Vec<Attempt>> = Vec::new();
        let mut called = 0;
        for contact in contacts(response) {
            let ways = self.ways_of_contact(cx, id, &contact.uri);
            called += usize::from(!ways.is_empty());
            turns.extend(ways);
            if called == CONTACTS_MAX {
                break;
            }
        }
        let Some(leg) = self.legs.get_mut(&id).filter(|_| called > 0) else { return };
        leg.redirected = true;
        for turn in turns.into_iter().rev() {
            leg.waiting.push_front(turn);
        }
        let attempt = leg.attempt;
        let records = self.dial.as_mut().map(|dial| &mut dial.records);
        if let Some(record) = records.and_then(|records| records.get_mut(target)) {
            record.redirections += 1;
            record.stands_no_more(attempt);
        }
    }

    /// How to call a contact that this leg named, turn after turn; not at all where that is not
    /// allowed, or was done already.
    fn ways_of_contact(&mut self, cx: Context<'_>, id: LegId, uri: &Uri) -> Vec<Vec<Attempt>> {
        let Some((leg, flow)) = self.legs.get(&id).and_then(|leg| Some((leg, leg.flow?))) else {
            return Vec::new();
        };
        let (target, by) = (leg.target, &leg.route);
        let turns = match (&by.carrier, by.reaches) {
            (Some(carrier), _) if carrier.follow_redirects => in_place_of(by, flow, uri),
            (None, Reaches::Address) => in_place_of(by, flow, uri),
            (None, Reaches::Device) => self.where_a_device_may_call(cx, id, flow, uri),
            (Some(_), _) | (None, Reaches::Carrier(_)) => Vec::new(),
        };
        let record = self.dial.as_ref().and_then(|dial| dial.records.get(target));
        let is_new = |way: &Attempt| record.is_some_and(|record| !record.tried(way));
        let turns = turns.into_iter().map(|turn| {
            let ways = turn.into_iter();
            ways.filter(|way| self.may_lead_to_host(way, flow) && is_new(way)).collect()
        });
        turns.filter(|turn: &Vec<Attempt>| !turn.is_empty()).collect()
    }

    /// The ways to whom a registered device of ours could transfer a party.
    fn where_a_device_may_call(
        &mut self,
        cx: Context<'_>,
        id: LegId,
        flow: Flow,
        uri: &Uri,
    ) -> Vec<Vec<Attempt>> {
        // why: the device itself, which has just said that it is elsewhere.
        let is_itself = place_of(uri) == Some(flow.remote);
        let elsewhere = self.elsewhere(id, uri).filter(|_| !is_itself);
        let target = self.legs.get(&id).map(|leg| leg.target);
        let verb = self.dial.as_ref().zip(target).and_then(|(dial, at)| dial.verb.target.get(at));
        let (Some(elsewhere), Some(verb), Ok(_)) = (elsewhere, verb, transport_of(uri)) else {
            return Vec::new();
        };
        let target = Target { endpoint: elsewhere.endpoint(), ..verb.clone() };
        match self.ways_to(cx, &target) {
            Err(_) => Vec::new(),
            Ok(Ways::InTurn(ways)) => ways.into_iter().map(|way| vec![way]).collect(),
            Ok(Ways::AtOnce(mut ways)) => {
                for way in ways.iter_mut().filter(|way| way.reaches == Reaches::Address) {
                    way.redirected_by = Some(flow.remote.ip());
                }
                vec![ways]
            }
        }
    }
}

/// The contacts of a response, the preferred first (RFC 3261 §20.10).
fn contacts(response: &Message) -> Vec<NameAddr> {
    let values = response.header_values("Contact").take(CONTACTS_READ_MAX);
    let read = |value: &[u8]| NameAddr::parse(&String::from_utf8_lossy(value)).ok();
    let mut contacts: Vec<NameAddr> = values.filter_map(read).collect();
    contacts.sort_by_key(|contact| std::cmp::Reverse(contact.preference()));
    contacts
}

/// How to call a contact: as whoever redirected was called, but for the address.
fn in_place_of(by: &Attempt, flow: Flow, uri: &Uri) -> Vec<Vec<Attempt>> {
    let uri = requested(uri);
    let (Ok(transport), Scheme::Sip) = (transport_of(&uri), &uri.scheme) else {
        return Vec::new();
    };
    let way = Attempt {
        uri: uri.to_string(),
        next_hop: NextHop::Host { host: uri.host.clone(), port: uri.port, transport },
        gateway: None,
        credentials: None,
        // why: the next hop was named for who redirected; where else that one may lead is asked
        // of the address that is sent to.
        proxy: None,
        user: None,
        redirected_by: Some(flow.remote.ip()),
        ..by.clone()
    };
    vec![vec![way]]
}

/// Where a URI leads, if its host is a literal.
fn place_of(uri: &Uri) -> Option<SocketAddr> {
    socket_of(&uri.host, uri.port)
}
