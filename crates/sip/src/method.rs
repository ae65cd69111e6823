//! Request methods by name (RFC 3261 §7.1 and its extensions).
//!
//! Owns the closed list of methods that Switchhook knows by name and keeps every other one as
//! received. Which of them are implemented is the endpoint's business.

use std::fmt;

/// A request method. Names are case-sensitive: `invite` is [`Method::Other`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// RFC 3261 §13: sets up or changes a session.
    Invite,
    /// RFC 3261 §13: confirms a final response to INVITE.
    Ack,
    /// RFC 3261 §15: ends a session.
    Bye,
    /// RFC 3261 §9: takes an unanswered INVITE back.
    Cancel,
    /// RFC 3261 §11: asks for capabilities, in practice a ping.
    Options,
    /// RFC 3261 §10: binds a contact to an address of record.
    Register,
    /// RFC 3262: acknowledges a reliable provisional response.
    Prack,
    /// RFC 3311: changes a session before or after the answer.
    Update,
    /// RFC 6086: carries application data inside a dialog, DTMF for example.
    Info,
    /// RFC 3515: asks the peer to send a request elsewhere.
    Refer,
    /// RFC 6665: reports an event.
    Notify,
    /// RFC 6665: asks for events.
    Subscribe,
    /// RFC 3428: a page-mode instant message.
    Message,
    /// RFC 3903: publishes event state.
    Publish,
    /// Any other token, as received.
    Other(String),
}

const NAMED: [(&str, Method); 14] = [
    ("INVITE", Method::Invite),
    ("ACK", Method::Ack),
    ("BYE", Method::Bye),
    ("CANCEL", Method::Cancel),
    ("OPTIONS", Method::Options),
    ("REGISTER", Method::Register),
    ("PRACK", Method::Prack),
    ("UPDATE", Method::Update),
    ("INFO", Method::Info),
    ("REFER", Method::Refer),
    ("NOTIFY", Method::Notify),
    ("SUBSCRIBE", Method::Subscribe),
    ("MESSAGE", Method::Message),
    ("PUBLISH", Method::Publish),
];

impl Method {
    /// The method of that name; an unknown name is kept.
    pub fn named(name: &str) -> Method {
        NAMED
            .iter()
            .find(|(known, _)| *known == name)
            .map_or_else(|| Method::Other(name.to_owned()), |(_, method)| method.clone())
    }

    /// The name as it stands in a request line.
    pub fn as_str(&self) -> &str {
        if let Method::Other(name) = self {
            return name;
        }
        NAMED.iter().find(|(_, method)| method == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_method_reads_back() {
        for (name, method) in &NAMED {
            assert_eq!(Method::named(name), *method);
            assert_eq!(method.as_str(), *name);
        }
    }

    #[test]
    fn unknown_methods_keep_their_name_and_case_matters() {
        assert_eq!(Method::named("invite"), Method::Other("invite".to_owned()));
        assert_eq!(Method::named("SPIN!").to_string(), "SPIN!");
    }
}
