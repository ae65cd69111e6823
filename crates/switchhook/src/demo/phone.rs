//! A phone of the demonstration: the scripted phone of the testkit on real sockets, with a tone
//! for a voice.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::Codec;
use media::sdp::{self, Description};
use testkit::{Phone, Script};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::tone::{self, SAMPLES};
use super::{CALLEE_TONE, CALLER_TONE};

/// Largest datagram that any of them sends.
const DATAGRAM_MAX: usize = 4096;
/// Bytes of an RTP header without extras.
const RTP_HEADER: usize = 12;
/// A packet is the peer's tone from this share of its energy on.
const CLEAR: f64 = 0.8;
/// Packets of the peer's tone that make a conversation: half a second.
const ENOUGH: usize = 25;
/// After the last message, so long for stragglers.
const QUIET: Duration = Duration::from_millis(200);

/// One message of the ladder.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) at: Instant,
    /// Who speaks with the switch.
    pub(super) column: usize,
    pub(super) to_switch: bool,
    pub(super) label: String,
}

/// What a phone has heard in the end.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) name: String,
    /// RTP packets received.
    pub(super) packets: usize,
    /// Of them, with the peer's tone.
    clear: usize,
    hears: f64,
}

impl Summary {
    pub(super) fn heard_its_peer(&self) -> bool {
        self.clear >= ENOUGH
    }

    pub(super) fn sentence(&self) -> String {
        format!(
            "{} heard the other side's {} Hz in {} of {} packets of 20 ms.",
            self.name, self.hears, self.clear, self.packets
        )
    }
}

/// See the module.
pub(super) struct RealPhone {
    phone: Phone,
    column: usize,
    pub(super) socket: UdpSocket,
    rtp: UdpSocket,
    hums: f64,
    sent: usize,
    packets: usize,
    clear: usize,
}

impl RealPhone {
    /// A phone on free ports of the loopback address.
    pub(super) async fn open(
        name: &str,
        column: usize,
        script: Script,
        hums: f64,
    ) -> Result<RealPhone, String> {
        let bind = async || UdpSocket::bind("127.0.0.1:0").await.map_err(|e| e.to_string());
        let (socket, rtp) = (bind().await?, bind().await?);
        let address = socket.local_addr().map_err(|error| error.to_string())?;
        let mut phone = Phone::new(name, address, script, column as u64);
        phone.media = rtp.local_addr().map_err(|error| error.to_string())?;
        phone.codecs = vec![Codec::Pcmu.payload_type()];
        Ok(RealPhone { phone, column, socket, rtp, hums, sent: 0, packets: 0, clear: 0 })
    }

    /// Makes its call.
    pub(super) fn call(&mut self, now: Instant, switch: SocketAddr) {
        self.phone.call(now, switch);
    }

    /// Plays its script until its call is over.
    pub(super) async fn play(
        mut self,
        lines: mpsc::UnboundedSender<Line>,
        longest: Duration,
    ) -> Summary {
        let end = Instant::now() + longest;
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut datagram, mut packet) = ([0; DATAGRAM_MAX], [0; DATAGRAM_MAX]);
        let mut last = Instant::now();
        loop {
            if self.send(&lines).await {
                last = Instant::now();
            }
            let done = !self.phone.received.is_empty() && !self.busy();
            let until = if done { last + QUIET } else { end };
            let timeout = self.phone.poll_timeout().map_or(until, |at| at.min(until));
            tokio::select! {
                Ok((length, from)) = self.socket.recv_from(&mut datagram) => {
                    last = Instant::now();
                    let bytes = datagram.get(..length).unwrap_or_default();
                    self.line(&lines, false, bytes);
                    self.phone.handle_datagram(last, from, bytes);
                }
                Ok((length, _)) = self.rtp.recv_from(&mut packet) => {
                    self.listen(packet.get(..length).unwrap_or_default());
                }
                _ = tick.tick() => self.speak().await,
                () = tokio::time::sleep_until(timeout.into()) => {}
            }
            let now = Instant::now();
            if self.phone.poll_timeout().is_some_and(|at| at <= now) {
                self.phone.handle_timeout(now);
            }
            if now >= end || (done && now >= last + QUIET) {
                return self.summary();
            }
        }
    }

    /// A call of it is still under way, from the INVITE to its end.
    fn busy(&self) -> bool {
        use testkit::Note;
        let ended =
            self.phone.notes.iter().any(|(_, note)| {
                matches!(note, Note::Ended | Note::Cancelled(_) | Note::Rejected(..))
            });
        let refused = matches!(
            &self.phone.script,
            Script::Callee(callee) if matches!(callee.outcome, testkit::Outcome::Refuses(..))
        );
        let hung_up = self.phone.calls_up() == 0
            && self.phone.notes.iter().any(|(_, note)| matches!(note, Note::Answered));
        !(ended || hung_up || (refused && self.phone.is_idle()))
    }

    /// Whether there was anything to send.
    async fn send(&mut self, lines: &mpsc::UnboundedSender<Line>) -> bool {
        let mut any = false;
        while let Some(transmit) = self.phone.poll_transmit() {
            any = true;
            self.line(lines, true, &transmit.bytes);
            // why: what the loopback loses, SIP repeats.
            let _sent = self.socket.send_to(&transmit.bytes, transmit.flow.remote).await;
        }
        any
    }

    fn line(&self, lines: &mpsc::UnboundedSender<Line>, to_switch: bool, bytes: &[u8]) {
        let Ok(message) = sip::Message::parse(bytes) else { return };
        let mut label = match message.status() {
            Some(status) => format!("{status} {}", message.reason()),
            None => message.method().map_or_else(String::new, |m| m.as_str().to_owned()),
        };
        let reason = message.header_text("Reason").unwrap_or_default();
        if reason.contains("cause=200") {
            label.push_str(" (answered elsewhere)");
        }
        let line = Line { at: Instant::now(), column: self.column, to_switch, label };
        let _told = lines.send(line);
    }

    /// Where its peer wants to hear it, while a call is up.
    fn peer(&self) -> Option<SocketAddr> {
        if self.phone.calls_up() == 0 {
            return None;
        }
        let described = self.phone.received.iter().rev().find(|message| !message.body().is_empty());
        let description = Description::parse(described?.body()).ok()?;
        sdp::accept(&description, &[]).ok().map(|negotiated| negotiated.remote_rtp)
    }

    async fn speak(&mut self) {
        let Some(peer) = self.peer() else { return };
        let mut packet = vec![0x80, Codec::Pcmu.payload_type()];
        packet.extend_from_slice(&(self.sent as u16).to_be_bytes());
        packet.extend_from_slice(&((self.sent * SAMPLES) as u32).to_be_bytes());
        packet.extend_from_slice(&(self.column as u32).to_be_bytes());
        packet.extend_from_slice(&tone::hum(self.hums, self.sent * SAMPLES));
        self.sent += 1;
        let _sent = self.rtp.send_to(&packet, peer).await;
    }

    fn hears(&self) -> f64 {
        if self.hums == CALLER_TONE { CALLEE_TONE } else { CALLER_TONE }
    }

    fn listen(&mut self, packet: &[u8]) {
        self.packets += 1;
        let payload = packet.get(RTP_HEADER..).unwrap_or_default();
        if tone::share(self.hears(), Codec::Pcmu, payload) > CLEAR {
            self.clear += 1;
        }
    }

    fn summary(&self) -> Summary {
        Summary {
            name: self.phone.name.clone(),
            packets: self.packets,
            clear: self.clear,
            hears: self.hears(),
        }
    }
}
