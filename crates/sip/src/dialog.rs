//! A dialog: what two peers remember of each other between requests (RFC 3261 §12).
//!
//! Owns identifiers, sequence numbers, route set and remote target, writes the requests of the
//! dialog and says where they go. Whether a request makes sense now is the session's business.

use crate::{
    endpoint::{Flow, SentId, Transport},
    headers::{HeaderError, NameAddr},
    hop::Hop,
    invite::exchange,
    message::Message,
    method::Method,
    transaction::key::branch_text,
    uri::Uri,
    write::Builder,
};

/// Max-Forwards of the requests within a dialog (RFC 3261 §8.1.1.6).
const MAX_FORWARDS: u8 = 70;

/// One dialog, early or confirmed. `Debug` shows no URI, which may hold a password.
#[derive(Clone)]
pub(crate) struct Dialog {
    call_id: String,
    /// Our From, tag included.
    local: String,
    /// The peer's To, tag included.
    remote: String,
    remote_tag: String,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    routes: Vec<NameAddr>,
    /// Request-URI of the dialog's requests, as the peer wrote it.
    target: String,
    /// The way its first message took.
    flow: Flow,
    /// Whose offer waits for an answer.
    pub(crate) exchange: exchange::State,
    /// The UPDATE that carried it, if it is ours and was one.
    pub(crate) offering: Option<SentId>,
}

impl std::fmt::Debug for Dialog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialog").field("call_id", &self.call_id).finish_non_exhaustive()
    }
}

impl Dialog {
    /// The dialog that a response to our INVITE makes (RFC 3261 §12.1.2).
    pub(crate) fn of_response(
        request: &Message,
        response: &Message,
        flow: Flow,
    ) -> Result<Dialog, HeaderError> {
        let mut routes = response.route_set("Record-Route")?;
        routes.reverse();
        // why: a peer that forgets its Contact is reached as it was reached before.
        let target = match response.contact() {
            Ok(contact) => contact.uri.to_string(),
            Err(_) => request.request_uri().unwrap_or_default().into_owned(),
        };
        Ok(Dialog {
            call_id: response.call_id()?.into_owned(),
            local: request.header_text("From").unwrap_or_default().into_owned(),
            remote: response.header_text("To").unwrap_or_default().into_owned(),
            remote_tag: response.to()?.tag().unwrap_or_default().to_owned(),
            local_cseq: request.cseq()?.0,
            remote_cseq: None,
            routes,
            target,
            flow,
            exchange: described(request, exchange::State::Ours),
            offering: None,
        })
    }

    /// The dialog that our response to an INVITE makes (RFC 3261 §12.1.1).
    pub(crate) fn of_request(
        request: &Message,
        local_tag: &str,
        flow: Flow,
    ) -> Result<Dialog, HeaderError> {
        let to = request.header_text("To").unwrap_or_default();
        Ok(Dialog {
            call_id: request.call_id()?.into_owned(),
            local: format!("{to};tag={local_tag}"),
            remote: request.header_text("From").unwrap_or_default().into_owned(),
            remote_tag: request.from()?.tag().unwrap_or_default().to_owned(),
            local_cseq: 0,
            remote_cseq: Some(request.cseq()?.0),
            routes: request.route_set("Record-Route")?,
            target: target_of(request)?,
            flow,
            exchange: described(request, exchange::State::Theirs),
            offering: None,
        })
    }

    pub(crate) fn remote_tag(&self) -> &str {
        &self.remote_tag
    }

    /// The same dialog as its 2xx describes it: RFC 3261 §13.2.2.4 recomputes the route set.
    pub(crate) fn confirmed_by(&mut self, confirmed: Dialog) {
        let remote_cseq = self.remote_cseq;
        // why: requests in the early dialog have counted on.
        let local_cseq = self.local_cseq.max(confirmed.local_cseq);
        let offering = self.offering;
        // An UPDATE of either side may still be going on.
        let exchange = match self.exchange {
            exchange::State::Ours if offering.is_none() => confirmed.exchange,
            open => open,
        };
        *self = Dialog { local_cseq, remote_cseq, offering, exchange, ..confirmed };
    }

    /// Whether a request of the peer comes in order. RFC 3261 §12.2.2: 500 if not.
    pub(crate) fn in_order(&mut self, cseq: u32) -> bool {
        let in_order = self.remote_cseq.is_none_or(|last| cseq >= last);
        if in_order {
            self.remote_cseq = Some(cseq);
        }
        in_order
    }

    /// RFC 3261 §12.2.2: a re-INVITE or UPDATE moves the peer to its new Contact, and, where that
    /// cannot be reached, to where the request came from. RFC 6141 §4.4: when it gets its 2xx.
    pub(crate) fn refresh_target(&mut self, request: &Message, flow: Flow) {
        self.flow = flow;
        if let Ok(contact) = request.contact() {
            self.target = contact.uri.to_string();
        }
    }

    /// RFC 3261 §12.2.1.2: a 2xx to a request that refreshes the target has the peer's new Contact.
    pub(crate) fn target_from(&mut self, response: &Message) {
        if let Ok(contact) = response.contact() {
            self.target = contact.uri.to_string();
        }
    }

    /// A new request of ours within the dialog.
    pub(crate) fn request(&mut self, method: &Method, branch: u128) -> Builder {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.write(method, self.local_cseq, branch)
    }

    /// The ACK of the 2xx to our INVITE: it has the INVITE's sequence number (§13.2.2.4).
    pub(crate) fn ack(&self, branch: u128) -> Builder {
        self.ack_for(self.local_cseq, branch)
    }

    /// The ACK of the 2xx to our INVITE with this sequence number.
    pub(crate) fn ack_for(&self, cseq: u32, branch: u128) -> Builder {
        self.write(&Method::Ack, cseq, branch)
    }

    /// The sequence number of our latest request.
    pub(crate) fn last_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// RFC 3261 §16.12.1.2: a first route that wants to be the Request-URI.
    fn strict_route(&self) -> Option<&NameAddr> {
        self.routes.first().filter(|route| !route.uri.params.has("lr"))
    }

    /// Request-URI of the dialog's requests.
    pub(crate) fn request_uri(&self) -> String {
        match self.strict_route() {
            Some(route) => {
                let mut uri = route.uri.clone();
                uri.headers = None;
                uri.params.remove("method");
                uri.to_string()
            }
            None => self.target.clone(),
        }
    }

    /// RFC 3261 §12.2.1.1: Request-URI and Route headers by the first route's kind.
    fn write(&self, method: &Method, cseq: u32, branch: u128) -> Builder {
        let strict = self.strict_route();
        let mut builder = Builder::request(method.clone(), &self.request_uri())
            .header("Via", via(self.next_hop().flow, branch))
            .header("Max-Forwards", MAX_FORWARDS);
        for route in self.routes.iter().skip(usize::from(strict.is_some())) {
            builder = builder.header("Route", route);
        }
        if strict.is_some() {
            builder = builder.header("Route", format_args!("<{}>", self.target));
        }
        builder
            .header("From", &self.local)
            .header("To", &self.remote)
            .header("Call-ID", &self.call_id)
            .header("CSeq", format_args!("{cseq} {method}"))
    }

    /// Where the dialog's requests go: to the first route or the remote target, as
    /// [`Hop::towards`] says.
    pub(crate) fn next_hop(&self) -> Hop {
        let target = match self.routes.first() {
            Some(route) => Some(route.uri.clone()),
            None => Uri::parse(&self.target).ok(),
        };
        Hop::towards(target.as_ref(), self.flow)
    }
}

/// Whose offer is open after an INVITE, which may have none.
fn described(invite: &Message, offered: exchange::State) -> exchange::State {
    if invite.body().is_empty() { exchange::State::Stable } else { offered }
}

/// Where the peer of an INVITE is to be reached.
///
/// RFC 3261 §8.1.1.8: an INVITE has a Contact. One of a peer older than that may have none
/// (RFC 2543 §4.2.3); then the peer is who From says, which leads back to where it came from.
fn target_of(request: &Message) -> Result<String, HeaderError> {
    let is_old = || request.top_via().is_ok_and(|via| !via.is_unique());
    if request.header("Contact").is_none() && is_old() {
        return Ok(request.from()?.uri.to_string());
    }
    Ok(request.contact()?.uri.to_string())
}

/// The Via of a request of ours. RFC 3581 §3: with rport, so that responses find back.
pub(crate) fn via(flow: Flow, branch: u128) -> String {
    let Flow { transport, local, .. } = flow;
    let branch = branch_text(branch);
    format!("SIP/2.0/{} {local};rport;branch={branch}", transport.as_str())
}

/// Our Contact on a flow.
pub(crate) fn contact(flow: Flow, user: Option<&str>) -> String {
    let mut uri = Uri::sip(user, flow.local);
    if flow.transport != Transport::Udp {
        // RFC 3261 §19.1.1: without the parameter a peer would take UDP.
        uri.params.set("transport", Some(flow.transport.uri_parameter()));
    }
    format!("<{uri}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(remote: &str) -> Flow {
        Flow {
            transport: Transport::Udp,
            local: "192.0.2.1:5060".parse().unwrap(),
            remote: remote.parse().unwrap(),
        }
    }

    fn invite(contact: &str, record_routes: &str) -> Message {
        let text = format!(
            "INVITE sip:us@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1\r\n\
             {record_routes}From: \"A\" <sip:a@x>;tag=their\r\nTo: <sip:us@192.0.2.1>\r\n\
             Call-ID: c\r\nCSeq: 5 INVITE\r\nContact: {contact}\r\n\r\n"
        );
        Message::parse(text.as_bytes()).unwrap()
    }

    fn dialog(contact: &str, record_routes: &str, from: &str) -> Dialog {
        Dialog::of_request(&invite(contact, record_routes), "ours", flow(from)).unwrap()
    }

    #[test]
    fn a_request_within_the_dialog_has_both_tags_and_its_own_sequence() {
        let mut dialog = dialog("<sip:a@198.51.100.9:5070>", "", "198.51.100.9:5060");
        let bye = dialog.request(&Method::Bye, 1).build().unwrap();
        assert_eq!(bye.request_uri().unwrap(), "sip:a@198.51.100.9:5070");
        assert_eq!(bye.from().unwrap().tag(), Some("ours"));
        assert_eq!(bye.header_text("To").unwrap(), "\"A\" <sip:a@x>;tag=their");
        assert_eq!(bye.cseq().unwrap(), (1, Method::Bye));
        assert_eq!(dialog.next_hop().flow.remote, "198.51.100.9:5070".parse().unwrap());
        let next = dialog.request(&Method::Bye, 2).build().unwrap();
        assert_eq!(next.cseq().unwrap().0, 2);
    }

    #[test]
    fn a_loose_route_goes_first_and_leaves_the_target() {
        let routes = "Record-Route: <sip:203.0.113.1;lr>, <sip:203.0.113.2;lr>\r\n";
        let mut dialog = dialog("<sip:a@198.51.100.9>", routes, "203.0.113.1:5060");
        let bye = dialog.request(&Method::Bye, 1).build().unwrap();
        assert_eq!(bye.request_uri().unwrap(), "sip:a@198.51.100.9");
        let routes: Vec<_> = bye.header_all("Route").collect();
        assert_eq!(routes, [&b"<sip:203.0.113.1;lr>"[..], b"<sip:203.0.113.2;lr>"]);
        assert_eq!(dialog.next_hop().flow.remote, "203.0.113.1:5060".parse().unwrap());
    }

    #[test]
    fn a_strict_route_becomes_the_request_uri_and_the_target_the_last_route() {
        let routes =
            "Record-Route: <sip:203.0.113.1?x=y>\r\nRecord-Route: <sip:203.0.113.2;lr>\r\n";
        let mut dialog = dialog("<sip:a@198.51.100.9>", routes, "203.0.113.1:5060");
        let bye = dialog.request(&Method::Bye, 1).build().unwrap();
        assert_eq!(bye.request_uri().unwrap(), "sip:203.0.113.1");
        let routes: Vec<_> = bye.header_all("Route").collect();
        assert_eq!(routes, [&b"<sip:203.0.113.2;lr>"[..], b"<sip:a@198.51.100.9>"]);
    }

    #[test]
    fn the_callers_route_set_is_the_callees_reversed() {
        let request = invite("<sip:us@192.0.2.1>", "");
        let text = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
             Record-Route: <sip:203.0.113.2;lr>,<sip:203.0.113.1;lr>\r\n\
             From: \"A\" <sip:a@x>;tag=their\r\nTo: <sip:us@192.0.2.1>;tag=t\r\n\
             Call-ID: c\r\nCSeq: 5 INVITE\r\n\r\n";
        let response = Message::parse(text.as_bytes()).unwrap();
        let dialog = Dialog::of_response(&request, &response, flow("203.0.113.1:5060")).unwrap();
        let ack = dialog.ack(1).build().unwrap();
        let routes: Vec<_> = ack.header_all("Route").collect();
        assert_eq!(routes, [&b"<sip:203.0.113.1;lr>"[..], b"<sip:203.0.113.2;lr>"]);
        assert_eq!(ack.cseq().unwrap(), (5, Method::Ack));
        assert_eq!(ack.request_uri().unwrap(), "sip:us@192.0.2.1", "no Contact: as before");
    }

    #[test]
    fn a_target_that_cannot_be_reached_is_reached_by_the_flow() {
        for (contact, from, to) in [
            ("<sip:a@phone.example>", "198.51.100.9:40000", "198.51.100.9:40000"),
            ("<sip:a@192.168.1.20>", "198.51.100.9:40000", "198.51.100.9:40000"),
            ("<sip:a@192.168.1.20:5062>", "192.168.1.1:5060", "192.168.1.20:5062"),
            ("<sip:a@127.0.0.1:9>", "192.168.1.1:5060", "192.168.1.1:5060"),
            ("<sip:a@127.0.0.1:9>", "127.0.0.1:5060", "127.0.0.1:9"),
            ("<sip:a@[2001:db8::1]>", "198.51.100.9:5060", "198.51.100.9:5060"),
            ("<sip:a@203.0.113.5>", "198.51.100.9:5061", "203.0.113.5:5060"),
        ] {
            let dialog = dialog(contact, "", from);
            assert_eq!(dialog.next_hop().flow.remote, to.parse().unwrap(), "{contact} from {from}");
        }
    }

    #[test]
    fn over_a_connection_the_flow_comes_first_and_the_target_when_it_is_gone() {
        let tcp = |from| Flow { transport: Transport::Tcp, ..flow(from) };
        for (contact, from, otherwise) in [
            (
                "<sip:a@198.51.100.9:5070;transport=tcp>",
                "198.51.100.9:40000",
                Some("198.51.100.9:5070"),
            ),
            ("<sip:a@198.51.100.9;transport=tcp>", "198.51.100.9:40000", Some("198.51.100.9:5060")),
            ("<sip:a@192.168.1.20:5070;transport=tcp>", "198.51.100.9:40000", None),
            ("<sip:a@phone.invalid;transport=tcp>", "198.51.100.9:40000", None),
        ] {
            let mut dialog = Dialog::of_request(&invite(contact, ""), "ours", tcp(from)).unwrap();
            let hop = dialog.next_hop();
            assert_eq!(hop.flow, tcp(from), "{contact}");
            assert_eq!(hop.otherwise, otherwise.map(|to| to.parse().unwrap()), "{contact}");
            let bye = dialog.request(&Method::Bye, 1).build().unwrap();
            assert_eq!(bye.top_via().unwrap().transport, "TCP");
        }
        assert_eq!(
            contact(tcp("198.51.100.9:1"), Some("us")),
            "<sip:us@192.0.2.1:5060;transport=tcp>"
        );
        assert_eq!(contact(flow("198.51.100.9:1"), None), "<sip:192.0.2.1:5060>");
    }

    #[test]
    fn a_request_that_comes_late_is_out_of_order() {
        let mut dialog = dialog("<sip:a@198.51.100.9>", "", "198.51.100.9:5060");
        assert!(dialog.in_order(5) && dialog.in_order(9) && dialog.in_order(9));
        assert!(!dialog.in_order(8));
    }
}
