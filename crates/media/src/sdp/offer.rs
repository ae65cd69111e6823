//! Our offer: one audio stream over RTP/AVP, both ways, with telephone-event always
//! (RFC 3264 §5).

use super::write::Writer;
use super::{Codec, DEFAULT_PTIME, Direction, Local, TELEPHONE_EVENT};

/// An offer of `codecs` in that order, under the payload types of RFC 3551; all codecs if the
/// list is empty. `telephone-event/8000` is payload type 101.
pub fn offer(local: &Local, codecs: &[Codec]) -> Vec<u8> {
    let codecs = if codecs.is_empty() { &Codec::ALL } else { codecs };
    let mut formats = String::new();
    for codec in codecs {
        formats.push_str(&format!("{} ", codec.payload_type()));
    }
    let mut writer = Writer::new(local);
    writer.line(format_args!("m=audio {} RTP/AVP {formats}{TELEPHONE_EVENT}", local.port));
    for codec in codecs {
        writer.rtpmap(codec.payload_type(), codec.name());
    }
    writer.telephone_event(TELEPHONE_EVENT);
    writer.line(format_args!("a=ptime:{}", DEFAULT_PTIME.as_millis()));
    writer.rtcp(local.port);
    writer.line(format_args!("a={}", Direction::SendRecv.as_str()));
    writer.finish()
}
