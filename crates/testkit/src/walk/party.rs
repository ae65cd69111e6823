//! The parties of the walk: they say what they are told to, once, and repeat nothing.

use std::net::SocketAddr;

use bytes::Bytes;
use sip::{Builder, Message, Method};

use crate::world::SWITCH;

/// Whom a REFER names.
const ELSEWHERE: &str = "<sip:+4930999777@10.0.0.1>";

/// A session description of the party at this address.
fn description(address: SocketAddr) -> String {
    described(address, 1, "sendrecv")
}

fn described(address: SocketAddr, version: u32, direction: &str) -> String {
    let ip = address.ip();
    format!(
        "v=0\r\no=- 1 {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP 0\r\na={direction}\r\n"
    )
}

/// A response of a party.
pub(super) fn answer(address: SocketAddr, request: &Message, status: u16) -> Bytes {
    let invite = request.is(&Method::Invite);
    let mut builder = Builder::response_to(request, status, None).source(SWITCH).to_tag("callee");
    if invite {
        builder = builder.header("Contact", format!("<sip:{address}>"));
    }
    if invite && matches!(status, 183 | 200) {
        builder = builder.body("application/sdp", description(address).as_bytes());
    }
    builder.build().expect("a response of ours").to_bytes()
}

/// A request of a party to the switch.
struct Request<'a> {
    method: Method,
    uri: &'a str,
    branch: &'a str,
    from: String,
    to: String,
    call_id: String,
    cseq: String,
}

impl Request<'_> {
    fn builder(self, address: SocketAddr) -> Builder {
        Builder::request(self.method, self.uri)
            .header("Via", format!("SIP/2.0/UDP {address};branch=z9hG4bK{}", self.branch))
            .header("Max-Forwards", 70)
            .header("From", self.from)
            .header("To", self.to)
            .header("Call-ID", self.call_id)
            .header("CSeq", self.cseq)
    }
}

fn sent(builder: Builder) -> Bytes {
    builder.build().expect("a request of ours").to_bytes()
}

/// What a party asked for inside its dialog.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// REFERs: one at most.
    pub(super) refers: u32,
    /// UPDATEs: one holds, the next takes back.
    pub(super) holds: u32,
}

impl Asked {
    /// Requests so far.
    fn count(&self) -> u32 {
        self.refers + self.holds
    }

    /// Asks for a transfer.
    fn refers(&mut self, builder: Builder) -> Bytes {
        self.refers += 1;
        sent(builder.header("Refer-To", ELSEWHERE))
    }

    /// Holds, or takes back.
    fn holds(&mut self, address: SocketAddr, builder: Builder) -> Bytes {
        self.holds += 1;
        let direction = if self.holds == 1 { "sendonly" } else { "sendrecv" };
        let description = described(address, 1 + self.holds, direction);
        sent(builder.body("application/sdp", description.as_bytes()))
    }
}

/// The URI of a Contact.
fn contact(message: &Message) -> String {
    let contact = message.header_text("Contact").unwrap_or_default();
    contact.trim_matches(['<', '>']).to_owned()
}

fn header(message: &Message, name: &str) -> String {
    message.header_text(name).unwrap_or_default().into_owned()
}

/// One INVITE of the switch, and what the callee made of it.
#[derive(Clone, Debug)]
pub(super) struct Callee {
    pub(super) address: SocketAddr,
    pub(super) invite: Message,
    pub(super) cancel: Option<Message>,
    pub(super) bye: Option<Message>,
    pub(super) rang: bool,
    pub(super) early: bool,
    pub(super) status: Option<u16>,
    pub(super) repeated: bool,
    pub(super) acked: bool,
    pub(super) hung_up: bool,
    pub(super) asked: Asked,
}

impl Callee {
    pub(super) fn new(address: SocketAddr, invite: Message) -> Callee {
        Callee {
            address,
            invite,
            cancel: None,
            bye: None,
            rang: false,
            early: false,
            status: None,
            repeated: false,
            acked: false,
            hung_up: false,
            asked: Asked::default(),
        }
    }

    /// Nothing has come of it yet but its INVITE.
    pub(super) fn is_untouched(&self) -> bool {
        !self.rang && !self.early && self.status.is_none() && self.cancel.is_none()
    }

    pub(super) fn answered(&self) -> bool {
        self.status == Some(200)
    }

    /// A response to its INVITE.
    pub(super) fn says(&mut self, status: u16) -> Bytes {
        match status {
            180 => self.rang = true,
            183 => self.early = true,
            _ if self.status == Some(200) => self.repeated = true,
            _ => self.status = Some(status),
        }
        answer(self.address, &self.invite, status)
    }

    /// Lets itself be cancelled.
    pub(super) fn gives_in(&mut self) -> Vec<Bytes> {
        let mut said: Vec<Bytes> = Vec::new();
        if let Some(cancel) = self.cancel.take() {
            said.push(answer(self.address, &cancel, 200));
            if self.status.is_none() {
                said.push(self.says(487));
            }
        }
        said
    }

    /// Takes the BYE that has come.
    pub(super) fn takes_bye(&mut self) -> Option<Bytes> {
        self.bye.take().map(|bye| answer(self.address, &bye, 200))
    }

    pub(super) fn hangs_up(&mut self) -> Bytes {
        self.hung_up = true;
        sent(self.request(Method::Bye))
    }

    pub(super) fn refers(&mut self) -> Bytes {
        let builder = self.request(Method::Refer);
        self.asked.refers(builder)
    }

    pub(super) fn holds(&mut self) -> Bytes {
        let builder = self.request(Method::Update);
        self.asked.holds(self.address, builder)
    }

    /// Its next request inside the dialog.
    fn request(&self, method: Method) -> Builder {
        let cseq = 1 + self.asked.count();
        let request = Request {
            uri: &contact(&self.invite),
            branch: &format!("callee{}x{cseq}", self.address.ip()),
            from: format!("{};tag=callee", header(&self.invite, "To")),
            to: header(&self.invite, "From"),
            call_id: header(&self.invite, "Call-ID"),
            cseq: format!("{cseq} {}", method.as_str()),
            method,
        };
        request.builder(self.address).header("Contact", format!("<sip:{}>", self.address))
    }
}

/// The caller.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) address: SocketAddr,
    /// The final response that it has seen.
    pub(super) answer: Option<Message>,
    pub(super) bye: Option<Message>,
    pub(super) cancelled: bool,
    pub(super) acked: bool,
    pub(super) hung_up: bool,
    pub(super) asked: Asked,
}

const URI: &str = "sip:+4930999888@10.0.0.1";

impl Caller {
    pub(super) fn new(address: SocketAddr) -> Caller {
        Caller {
            address,
            answer: None,
            bye: None,
            cancelled: false,
            acked: false,
            hung_up: false,
            asked: Asked::default(),
        }
    }

    fn request(&self, method: Method, branch: &str, cseq: u32) -> Builder {
        let to = self.answer.as_ref().map_or_else(|| format!("<{URI}>"), |it| header(it, "To"));
        let in_dialog = branch != "invite";
        let uri =
            self.answer.as_ref().filter(|_| in_dialog).map_or_else(|| URI.to_owned(), contact);
        let cseq = format!("{cseq} {}", method.as_str());
        let request = Request {
            uri: &uri,
            branch,
            from: format!("<sip:+491701234567@{}>;tag=caller", self.address.ip()),
            to: if method == Method::Cancel { format!("<{URI}>") } else { to },
            call_id: "walk".to_owned(),
            cseq,
            method,
        };
        let contact = format!("<sip:{}>", self.address);
        request.builder(self.address).header("Contact", contact)
    }

    pub(super) fn calls(&self) -> Bytes {
        let builder = self.request(Method::Invite, "invite", 1);
        sent(builder.body("application/sdp", description(self.address).as_bytes()))
    }

    pub(super) fn cancels(&mut self) -> Bytes {
        self.cancelled = true;
        sent(self.request(Method::Cancel, "invite", 1))
    }

    /// The ACK of its answer.
    pub(super) fn acknowledges(&mut self) -> Bytes {
        let refused = self.answer.as_ref().and_then(Message::status).is_some_and(|it| it >= 300);
        self.acked = true;
        sent(self.request(Method::Ack, if refused { "invite" } else { "ack" }, 1))
    }

    pub(super) fn hangs_up(&mut self) -> Bytes {
        self.hung_up = true;
        sent(self.next_request(Method::Bye))
    }

    pub(super) fn refers(&mut self) -> Bytes {
        let builder = self.next_request(Method::Refer);
        self.asked.refers(builder)
    }

    pub(super) fn holds(&mut self) -> Bytes {
        let builder = self.next_request(Method::Update);
        self.asked.holds(self.address, builder)
    }

    /// Its next request inside the dialog.
    fn next_request(&self, method: Method) -> Builder {
        let cseq = 2 + self.asked.count();
        self.request(method, &format!("caller{cseq}"), cseq)
    }

    pub(super) fn takes_bye(&mut self) -> Option<Bytes> {
        self.bye.take().map(|bye| answer(self.address, &bye, 200))
    }

    pub(super) fn answered(&self) -> bool {
        self.answer.as_ref().and_then(Message::status) == Some(200)
    }
}
