//! Requests of those who are nobody yet, written by hand.

use std::net::SocketAddr;

use sip::Method;
use testkit::World;

use crate::scene::s;
use crate::sent::{response_to, sent_to};

/// A source of requests outside any dialog; each has another branch and Call-ID.
#[derive(Debug)]
pub(crate) struct Stranger {
    pub(crate) address: SocketAddr,
    pub(crate) user: String,
    count: u32,
}

impl Stranger {
    pub(crate) fn new(address: &str, user: &str) -> Stranger {
        Stranger { address: address.parse().unwrap(), user: user.to_owned(), count: 0 }
    }

    /// Sends a request; `lines` are further headers, each with its CRLF.
    pub(crate) fn sends(&mut self, world: &mut World, method: &str, lines: &str, body: &str) {
        self.count += 1;
        let Stranger { address, user, count } = self;
        let uri = if method == "REGISTER" { "sip:10.0.0.1" } else { "sip:jane@10.0.0.1" };
        let length = body.len();
        world.say(
            *address,
            &format!(
                "{method} {uri} SIP/2.0\r\n\
                 Via: SIP/2.0/UDP {address};branch=z9hG4bK-{user}-{count}\r\n\
                 From: <sip:{user}@10.0.0.1>;tag=s{count}\r\nTo: <sip:{user}@10.0.0.1>\r\n\
                 Call-ID: {user}-{count}-{address}\r\nCSeq: {count} {method}\r\n\
                 Max-Forwards: 70\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
            ),
        );
    }

    /// As [`Stranger::sends`] without a body; the status of the answer, if there is one.
    pub(crate) fn asks(&mut self, world: &mut World, method: &str, lines: &str) -> Option<u16> {
        let before = sent_to(world, self.address).len();
        self.sends(world, method, lines, "");
        world.run_for(s(0.02));
        let answers = sent_to(world, self.address).split_off(before);
        answers.iter().find_map(|sent| sent.message.status().filter(|status| *status >= 200))
    }

    /// Registers with this password and further headers; the final status, if there is one.
    pub(crate) fn registers(
        &mut self,
        world: &mut World,
        password: &str,
        lines: &str,
    ) -> Option<u16> {
        if self.asks(world, "REGISTER", lines)? != 401 {
            return Some(0);
        }
        let answer = self.answers(world, password, 1);
        self.asks(world, "REGISTER", &format!("{lines}{answer}"))
    }

    /// The header that answers the last challenge, as the use of that number.
    pub(crate) fn answers(&self, world: &World, password: &str, count: u32) -> String {
        let challenge = response_to(world, self.address, 401).header("WWW-Authenticate").unwrap();
        let answer = sip::auth::digest::answer(
            &challenge,
            &Method::Register,
            "sip:10.0.0.1",
            &self.user,
            password,
            "cnonce",
            count,
        );
        format!("Authorization: {}\r\n", answer.unwrap())
    }

    /// A Contact where it is.
    pub(crate) fn contact(&self) -> String {
        format!("Contact: <sip:{}@{}>\r\n", self.user, self.address)
    }
}
