//! What a SIP message is, read as a witness reads it: the start line and four headers, without
//! the parser that is under test.
//!
//! It reads what the switch and the phones of this crate write: full header names, one header a
//! line. It is no parser for messages of strangers.

/// Start line and identity of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Glimpse<'a> {
    pub(crate) start: Start<'a>,
    pub(crate) call_id: &'a str,
    /// Number and method of CSeq.
    pub(crate) cseq: u32,
    pub(crate) method: &'a str,
    /// Tag of From, nothing where there is none.
    pub(crate) from_tag: &'a str,
    /// Tag of To, nothing where there is none.
    pub(crate) to_tag: &'a str,
}

/// What the start line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start<'a> {
    /// A request of this method.
    Request(&'a str),
    /// A response of this status.
    Response(u16),
}

impl<'a> Glimpse<'a> {
    /// Reads a whole message; nothing where it is none.
    pub(crate) fn of(message: &'a [u8]) -> Option<Glimpse<'a>> {
        let mut lines = message.split(|byte| *byte == b'\n');
        let start = text(lines.next()?)?;
        let start = match start.strip_prefix("SIP/2.0 ") {
            Some(rest) => Start::Response(rest.get(..3)?.parse().ok()?),
            None => Start::Request(start.split(' ').next()?),
        };
        let (mut call_id, mut cseq, mut from, mut to) = (None, None, None, None);
        for line in lines {
            let (name, value) = match line.first() {
                Some(b'C' | b'F' | b'T') => text(line)?.split_once(": ")?,
                Some(b'\r') | None => break,
                _ => continue,
            };
            match name {
                "Call-ID" => call_id = Some(value),
                "CSeq" => cseq = value.split_once(' '),
                "From" => from = Some(tag(value)),
                "To" => to = Some(tag(value)),
                _ => {}
            }
        }
        let (cseq, method) = cseq?;
        let (from_tag, to_tag) = (from?, to?);
        Some(Glimpse {
            start,
            call_id: call_id?,
            cseq: cseq.parse().ok()?,
            method,
            from_tag,
            to_tag,
        })
    }
}

/// The value of a header, by its full name.
pub(crate) fn header<'a>(message: &'a [u8], name: &str) -> Option<&'a str> {
    let lines = message.split(|byte| *byte == b'\n').take_while(|line| *line != b"\r");
    lines.filter_map(text).find_map(|line| {
        let (of, value) = line.split_once(": ")?;
        (of == name).then_some(value)
    })
}

/// What stands after the headers.
pub(crate) fn body(message: &[u8]) -> &[u8] {
    let end = message.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    end.map(|end| &message[end + 4..]).unwrap_or_default()
}

fn text(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()
}

/// The tag of a From or To.
fn tag(value: &str) -> &str {
    let after = value.rsplit_once('>').map_or(value, |(_, after)| after);
    let tag = after.split(";tag=").nth(1).unwrap_or_default();
    tag.split(';').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_responses_are_told_apart() {
        let invite = b"INVITE sip:b@10.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
            From: \"T\" <sip:a@h;x=1>;tag=f1\r\nTo: <sip:b@10.0.2.1>\r\nCall-ID: c1\r\n\
            CSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\nCall-ID: of the body\r\n";
        let seen = Glimpse::of(invite).expect("a message");
        assert_eq!(seen.start, Start::Request("INVITE"));
        assert_eq!((seen.call_id, seen.cseq, seen.method), ("c1", 7, "INVITE"));
        assert_eq!((seen.from_tag, seen.to_tag), ("f1", ""));

        let busy = b"SIP/2.0 486 Busy Here\r\nTo: <sip:b@h>;tag=t1\r\nFrom: <sip:a@h>;tag=f1\r\n\
            CSeq: 7 INVITE\r\nCall-ID: c1\r\n\r\n";
        let seen = Glimpse::of(busy).expect("a message");
        assert_eq!((seen.start, seen.to_tag), (Start::Response(486), "t1"));
    }

    #[test]
    fn headers_end_where_the_body_begins() {
        let notify = b"NOTIFY sip:b@h SIP/2.0\r\nEvent: refer;id=7\r\n\r\nState: no header\r\n";
        assert_eq!(header(notify, "Event"), Some("refer;id=7"));
        assert_eq!(header(notify, "State"), None);
        assert_eq!(body(notify), b"State: no header\r\n");
    }

    #[test]
    fn what_is_no_message_is_nothing() {
        assert_eq!(Glimpse::of(b"\r\n\r\n"), None);
        assert_eq!(Glimpse::of(b"SIP/2.0 ok\r\n\r\n"), None);
    }
}
