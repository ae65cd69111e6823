//! The audio side of a phone: an RTP and an RTCP socket whose address the phone's session
//! description names. It sends a tone and keeps what it receives.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use media::Codec;

use super::{PATIENCE, tone, wait_for};

/// Samples of one packet: 20 ms.
const SAMPLES: u32 = 160;
const PACKET_TIME: Duration = Duration::from_millis(20);
/// Packets that a tone is judged by: 200 ms.
const JUDGED: usize = 10;
/// Time without anything loud to count as silence.
const QUIET: Duration = Duration::from_millis(300);
/// Samples below this are silence; a tone here peaks at 8000.
const LOUD: f64 = 100.0;
/// Least share of a tone in what is heard to count as heard.
const CLEAR: f64 = 0.9;

/// A packet that was received.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) at: Instant,
    pub(crate) from: SocketAddr,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) time: u32,
    pub(crate) payload: Vec<u8>,
}

/// What is being sent.
#[derive(Clone, Copy, Debug)]
struct Talk {
    to: SocketAddr,
    payload_type: u8,
    codec: Codec,
    /// Two tones at once; one of 0 Hz is none.
    tones: [f64; 2],
}

#[derive(Debug, Default)]
struct Shared {
    talk: Mutex<Option<Talk>>,
    heard: Mutex<Vec<Packet>>,
    reports: Mutex<Vec<Vec<u8>>>,
    /// Keys pressed.
    pressed: AtomicU16,
    stop: AtomicBool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Audio {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    shared: Arc<Shared>,
}

impl Audio {
    /// Two sockets on `ip`, the port of RTP even and that of RTCP the next.
    pub(crate) fn open(ip: IpAddr) -> Audio {
        let (rtp, rtcp) = wait_for("two neighbouring ports", || {
            let rtp = UdpSocket::bind((ip, 0)).ok()?;
            let port = rtp.local_addr().ok()?.port();
            (port % 2 == 0).then_some(())?;
            Some((rtp, UdpSocket::bind((ip, port + 1)).ok()?))
        });
        rtp.set_read_timeout(Some(Duration::from_millis(4))).expect("a time-out above zero");
        rtcp.set_nonblocking(true).expect("a socket can be non-blocking");
        let audio = Audio { rtp, rtcp, shared: Arc::default() };
        audio.run();
        audio
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.rtp.local_addr().expect("a bound socket has an address")
    }

    /// Sends this tone from now on, with the static payload type of the codec.
    pub(crate) fn says(&self, to: SocketAddr, codec: Codec, hertz: f64) {
        self.says_both(to, codec, [hertz, 0.0]);
    }

    /// The same, of two tones at once.
    pub(crate) fn says_both(&self, to: SocketAddr, codec: Codec, tones: [f64; 2]) {
        let talk = Talk { to, payload_type: static_type(codec), codec, tones };
        *self.shared.talk.lock().expect("nobody panics with it") = Some(talk);
    }

    /// Sends nothing more.
    pub(crate) fn is_quiet(&self) {
        *self.shared.talk.lock().expect("nobody panics with it") = None;
    }

    /// Waits until nothing but this tone is heard for a while, in this codec.
    pub(crate) fn hears(&self, codec: Codec, hertz: f64) {
        self.hears_all(codec, &[hertz]);
    }

    /// Waits until the sum of these tones, of about the same level, and nothing else is heard.
    pub(crate) fn hears_all(&self, codec: Codec, tones: &[f64]) {
        let until = Instant::now() + PATIENCE;
        loop {
            let samples = self.last_samples(codec);
            let shares: Vec<f64> =
                tones.iter().map(|hertz| tone::share(&samples, *hertz)).collect();
            let each = CLEAR / tones.len() as f64 * 0.7;
            if shares.iter().sum::<f64>() > CLEAR && shares.iter().all(|share| *share > each) {
                return;
            }
            assert!(
                Instant::now() < until,
                "{tones:?} Hz in {codec:?} not heard: {} packets, shares {shares:?}",
                self.heard().len()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until nothing is heard for a while: no packets, or silent ones.
    pub(crate) fn hears_nothing(&self, codec: Codec) {
        wait_for("silence", || {
            let now = Instant::now();
            std::thread::sleep(QUIET);
            let heard = self.heard();
            let since = heard.iter().rev().take_while(|packet| packet.at >= now);
            let of_codec = since.filter(|packet| packet.payload_type == static_type(codec));
            let mut samples = of_codec.flat_map(|packet| tone::decoded(codec, &packet.payload));
            samples.all(|sample| sample.abs() < LOUD).then_some(())
        });
    }

    /// The keys that were heard so far under this payload type, each once, as RFC 4733 numbers
    /// them.
    pub(crate) fn keys(&self, payload_type: u8) -> Vec<u8> {
        let mut keys = Vec::new();
        let mut last = None;
        for packet in self.heard() {
            let [event, flags, ..] = packet.payload[..] else { continue };
            // RFC 4733 §2.5.1.4: the end comes three times, under one time stamp.
            let is_end = packet.payload_type == payload_type && flags & 0x80 != 0;
            if is_end && last != Some(packet.time) {
                last = Some(packet.time);
                keys.push(event);
            }
        }
        keys
    }

    /// The share of a tone in the last packets of this codec.
    pub(crate) fn share_of(&self, codec: Codec, hertz: f64) -> f64 {
        tone::share(&self.last_samples(codec), hertz)
    }

    /// How loud the last packets of this codec are: the mean of the squares, in dB against a tone
    /// as phones say it.
    pub(crate) fn level(&self, codec: Codec) -> f64 {
        let samples = self.last_samples(codec);
        let energy: f64 = samples.iter().map(|sample| sample * sample).sum();
        let said = tone::PEAK * tone::PEAK / 2.0;
        10.0 * (energy / samples.len() as f64 / said).log10()
    }

    /// Everything received so far.
    pub(crate) fn heard(&self) -> Vec<Packet> {
        self.shared.heard.lock().expect("nobody panics with it").clone()
    }

    /// The share that is missing of all that was sent between packet number `from` of those that
    /// were received and the last one.
    pub(crate) fn lost_since(&self, from: usize) -> f64 {
        let heard = self.heard();
        let heard = &heard[from..];
        let (Some(first), Some(last)) = (heard.first(), heard.last()) else { return 1.0 };
        let sent = f64::from(last.sequence.wrapping_sub(first.sequence)) + 1.0;
        1.0 - heard.len() as f64 / sent
    }

    /// RTCP packets received so far.
    pub(crate) fn reports(&self) -> Vec<Vec<u8>> {
        self.shared.reports.lock().expect("nobody panics with it").clone()
    }

    /// Sends RTCP to the port after that of RTP.
    pub(crate) fn sends_report(&self, to: SocketAddr, report: &[u8]) {
        self.rtcp.send_to(report, (to.ip(), to.port() + 1)).expect("loopback takes packets");
    }

    /// Sends anything from its RTP port.
    pub(crate) fn sends(&self, to: SocketAddr, packet: &[u8]) {
        // why: nobody listens any more when a call has just ended.
        let _refused = self.rtp.send_to(packet, to);
    }

    /// RFC 4733: one key, as three updates and three ends.
    pub(crate) fn presses(&self, to: SocketAddr, payload_type: u8, event: u8) {
        let before = self.shared.pressed.fetch_add(1, Ordering::Relaxed);
        let time = 0x5555_0000 + u32::from(before) * 8000;
        for index in 0..6_u16 {
            let (end, duration) = (u8::from(index >= 3) << 7, 160 * (index.min(3) + 1));
            let [high, low] = duration.to_be_bytes();
            let body = [event, end | 10, high, low];
            let sequence = 900 + before * 6 + index;
            let packet = packet(payload_type, index == 0, sequence, time, &body);
            self.rtp.send_to(&packet, to).expect("loopback takes packets");
        }
    }

    fn last_samples(&self, codec: Codec) -> Vec<f64> {
        let heard = self.shared.heard.lock().expect("nobody panics with it");
        let of_codec = heard.iter().filter(|packet| packet.payload_type == static_type(codec));
        let payloads: Vec<&Packet> = of_codec.collect();
        if payloads.len() < JUDGED {
            return Vec::new();
        }
        let last = &payloads[payloads.len() - JUDGED..];
        last.iter().flat_map(|packet| tone::decoded(codec, &packet.payload)).collect()
    }

    /// The thread that sends and receives until this value is dropped.
    fn run(&self) {
        let (rtp, rtcp) = (clone(&self.rtp), clone(&self.rtcp));
        let shared = Arc::clone(&self.shared);
        std::thread::spawn(move || {
            let (mut next, mut sent, mut buffer) = (Instant::now(), 0_u16, [0; 2048]);
            while !shared.stop.load(Ordering::Relaxed) {
                let talk = *shared.talk.lock().expect("nobody panics with it");
                if let Some(talk) = talk.filter(|_| Instant::now() >= next) {
                    next = (next + PACKET_TIME).max(Instant::now() - PACKET_TIME);
                    let start = u32::from(sent) * SAMPLES;
                    let payload = tone::encoded(talk.codec, talk.tones, start, SAMPLES);
                    let packet = packet(talk.payload_type, sent == 0, sent, start, &payload);
                    sent = sent.wrapping_add(1);
                    // why: nobody listens any more when a call has just ended.
                    let _refused = rtp.send_to(&packet, talk.to);
                }
                if let Ok((length, from)) = rtp.recv_from(&mut buffer) {
                    take(&shared, from, &buffer[..length]);
                }
                if let Ok((length, _)) = rtcp.recv_from(&mut buffer) {
                    let report = buffer[..length].to_vec();
                    shared.reports.lock().expect("nobody panics with it").push(report);
                }
            }
        });
    }
}

impl Drop for Audio {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

fn clone(socket: &UdpSocket) -> UdpSocket {
    socket.try_clone().expect("a socket can be shared")
}

/// RFC 3551 table 4.
fn static_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
    }
}

/// RFC 3550 §5.1, without extension and contributors.
fn packet(payload_type: u8, marker: bool, sequence: u16, time: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type | u8::from(marker) << 7];
    packet.extend(sequence.to_be_bytes());
    packet.extend(time.to_be_bytes());
    packet.extend(0x1234_5678_u32.to_be_bytes());
    packet.extend(payload);
    packet
}

fn take(shared: &Shared, from: SocketAddr, datagram: &[u8]) {
    if datagram.len() < 12 {
        return;
    }
    let packet = Packet {
        at: Instant::now(),
        from,
        payload_type: datagram[1] & 0x7f,
        sequence: u16::from_be_bytes([datagram[2], datagram[3]]),
        time: u32::from_be_bytes([datagram[4], datagram[5], datagram[6], datagram[7]]),
        payload: datagram[12..].to_vec(),
    };
    shared.heard.lock().expect("nobody panics with it").push(packet);
}
