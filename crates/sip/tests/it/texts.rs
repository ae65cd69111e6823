//! Messages that several tests share, and the shorthand to read one.

use sip::{Message, ParseError};

/// A whole request, with everything a dialog needs.
pub(crate) const INVITE: &str = include_str!("../carrier_invite.sip");

/// Requests and responses that are all sound, each odd in its own way.
const SOUND: &[&str] = &[
    "\r\n\r\nOPTIONS tel:+1-212-555;phone-context=+1 SIP/2.0\r\n\
     v:SIP/2.0/UDP a;branch=z9hG4bK1\r\nf:sip:a@b;tag=1\r\nt:<sip:b@c>\r\ni:1\r\n\
     CSeq:1 OPTIONS\r\nm:*\r\nl:0\r\n\r\n",
    "SIP/2.0 183 Ring\u{fc}, and \"more\"\n\
     Via: SIP/2.0/UDP a, SIP / 2.0 / TCP [2001:db8::1]:5061;lr\n\
     From: \"Q, \\\"uote\\\" <x>\" <sip:a@b>;tag=1\nTo: T <tel:911>;tag=2;x=\"a,b;c\"\n\
     Call-ID: x@y\nCSeq: 4711\tINVITE\nRecord-Route: <sip:p1;lr>,<sip:p2;lr>\n\
     Subject: folded\n over\n\t three lines\n\nbody without length",
    "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK3\r\n\
     From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 3\r\nCSeq: 1 REGISTER\r\n\
     WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, \
     qop=\"auth,auth-int\"\r\n\
     WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", opaque=\"\", stale=TRUE\r\n\r\n",
    "REGISTER sip:*98#@registrar.example SIP/2.0\r\n\
     Via: SIP/2.0/WSS x.invalid;branch=z9hG4bK2\r\n\
     From: <sip:joe%40home;day=1@h>;tag=\r\nTo: sip:joe%40home;day=1@h\r\nCall-ID: %00\r\n\
     CSeq: 0 REGISTER\r\nMax-Forwards: 0\r\n\
     Contact: <sip:a@b>;expires=60, \"b\" <sip:c@d?x=y>;q=0.1\r\n\
     Authorization: Digest username=\"a,b\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", \
     response=\"0\"\r\n\
     Content-Length: 3\r\n\r\nabcdef",
];

/// [`INVITE`] and the odd ones, as they come from the wire.
pub(crate) fn sound() -> Vec<String> {
    let odd = SOUND.iter().map(|text| (*text).to_owned());
    odd.chain([INVITE.replace('\n', "\r\n")]).collect()
}

/// Reads a text whose `\n` line ends stand for CRLF.
pub(crate) fn read(text: &str) -> Result<Message, ParseError> {
    Message::parse(text.replace('\n', "\r\n").as_bytes())
}

/// A request with the given header lines between the usual ones and an empty body.
pub(crate) fn request_with(lines: &str) -> Result<Message, ParseError> {
    read(&format!(
        "INVITE sip:b@c SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\n\
         To: <sip:b@c>\nCall-ID: 1\nCSeq: 1 INVITE\n{lines}\n"
    ))
}
