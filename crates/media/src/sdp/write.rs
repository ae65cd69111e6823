//! A description back to bytes, and the lines that offers and answers share.
//!
//! What goes in is a value of ours or a word of a parsed line, so no line end can be smuggled in.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::{Description, Local, RtpMap};

impl Description {
    /// The description as bytes: every line as received, in order, ended by CRLF.
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = self.lines.iter().map(|line| line.value.len() + 4).sum();
        let mut bytes = Vec::with_capacity(size);
        for line in &self.lines {
            bytes.extend_from_slice(&[line.kind, b'=']);
            bytes.extend_from_slice(&line.value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }
}

/// Text of a description that is being written, line by line.
pub(super) struct Writer {
    text: String,
}

impl Writer {
    /// Begins with the lines above the first `m=`; audio is received at `receiver`.
    pub(super) fn new(local: &Local, receiver: IpAddr) -> Writer {
        let mut writer = Writer { text: String::with_capacity(400) };
        let Local { session_id, version, address, .. } = local;
        let of_origin = family(*address);
        writer.line(format_args!("v=0"));
        writer.line(format_args!("o=- {session_id} {version} IN {of_origin} {address}"));
        writer.line(format_args!("s=-"));
        writer.line(format_args!("c=IN {} {receiver}", family(receiver)));
        writer.line(format_args!("t=0 0"));
        writer
    }

    pub(super) fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.text.write_fmt(line).expect("a String takes everything");
        self.text.push_str("\r\n");
    }

    pub(super) fn rtpmap(&mut self, payload_type: u8, name: &str) {
        self.line(format_args!("a=rtpmap:{payload_type} {name}/8000"));
    }

    pub(super) fn telephone_event(&mut self, payload_type: u8) {
        self.rtpmap(payload_type, TELEPHONE_EVENT_NAME);
        // RFC 4733 §2.5.1.1: 0-15 are the digits, `*`, `#` and A to D.
        self.line(format_args!("a=fmtp:{payload_type} 0-15"));
    }

    /// RTCP is on the port after that of RTP.
    pub(super) fn rtcp(&mut self, rtp_port: u16) {
        if let Some(port) = rtp_port.checked_add(1) {
            self.line(format_args!("a=rtcp:{port}"));
        }
    }

    /// RTCP is there, which may be at another address than RTP (RFC 3605 §2.1).
    pub(super) fn rtcp_at(&mut self, rtp: SocketAddr, rtcp: SocketAddr) {
        let (port, address) = (rtcp.port(), rtcp.ip());
        if address == rtp.ip() {
            self.line(format_args!("a=rtcp:{port}"));
        } else {
            self.line(format_args!("a=rtcp:{port} IN {} {address}", family(address)));
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}

pub(super) const TELEPHONE_EVENT_NAME: &str = "telephone-event";

impl RtpMap {
    /// One channel at 8000 Hz under this name.
    pub(super) fn is_narrowband(&self, name: &str) -> bool {
        let mono = self.channels.as_deref().is_none_or(|channels| channels == "1");
        self.name.eq_ignore_ascii_case(name) && self.clock == 8000 && mono
    }
}

fn family(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    }
}
