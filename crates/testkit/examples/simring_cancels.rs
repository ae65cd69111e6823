//! How long the losers of a dial ring on: from the winner's 200 to the CANCEL of each loser, as the
//! callees see it, while a switch is given so many simrings a second.
//!
//! `cargo run --release -p testkit --example simring_cancels -- SWITCH [PER_SECOND] [SECONDS]
//! [CONFIRM]`
//!
//! Calls SWITCH from 127.0.0.2:5070; its application must dial `sip:winner@127.0.0.3:5090` beside
//! other users of that address, which ring until they are cancelled. Prints percentiles over all
//! losers, and fails where a loser was not cancelled. Both ends are this one thread: what it needs
//! to send its 200 and to read a CANCEL counts as well.
//!
//! With CONFIRM, `ADDRESS:PORT`, the winner is screened: the confirmHook of the dial must point
//! there, is answered with an empty list, and the time begins when that answer leaves.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use sip::{Config, Endpoint, Event, Flow, Invite, InviteId, Message, Respond, Transport};

const CALLER: &str = "127.0.0.2:5070";
const CALLEES: &str = "127.0.0.3:5090";
const WINNER: &str = "winner";
/// The winner answers so long after its INVITE, when all others ring.
const RINGS: Duration = Duration::from_millis(200);
/// The caller hangs up so long after the answer.
const TALKS: Duration = Duration::from_millis(300);
/// After the last call, so long for its end.
const FAREWELL: Duration = Duration::from_secs(3);
/// Longest sleep: CANCELs are read by whoever wakes first.
const NAP: Duration = Duration::from_micros(200);
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\n\
                     m=audio 40000 RTP/AVP 0\r\n";

/// One socket and the calls on it.
struct Side {
    socket: UdpSocket,
    local: SocketAddr,
    endpoint: Endpoint,
}

impl Side {
    fn open(address: &str, seed: u64) -> Result<Side, Box<dyn Error>> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        Ok(Side { socket, local, endpoint: Endpoint::new(Config::default(), seed) })
    }

    fn flow(&self, remote: SocketAddr) -> Flow {
        Flow { transport: Transport::Udp, local: self.local, remote }
    }

    /// Takes what has arrived, fires what is due, sends what is to be sent.
    fn turn(&mut self) -> Result<Vec<Event>, Box<dyn Error>> {
        let mut buffer = [0; 65_535];
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            let bytes = buffer.get(..length).unwrap_or_default();
            let flow = self.flow(from);
            self.endpoint.handle_datagram(Instant::now(), flow, bytes);
        }
        self.endpoint.handle_timeout(Instant::now());
        self.send()?;
        Ok(std::iter::from_fn(|| self.endpoint.poll_event()).collect())
    }

    fn send(&mut self) -> Result<(), Box<dyn Error>> {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.socket.send_to(&transmit.bytes, transmit.flow.remote)?;
        }
        Ok(())
    }
}

/// Who called whom, and when the screening of the callee ended.
type Screened = (String, Instant);

/// What the confirmHook is answered.
const CONSENT: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
                       \r\n[]";

/// Longest payload of a hook that is read.
const PAYLOAD_MAX: usize = 1 << 20;

/// Serves the confirmHook at this address.
fn screens(address: &str) -> Result<Receiver<Screened>, Box<dyn Error>> {
    let listener = TcpListener::bind(address)?;
    let (tells, hears) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tells = tells.clone();
            std::thread::spawn(move || {
                if let Err(fault) = consents(&stream, &tells) {
                    eprintln!("confirmHook: {fault}");
                }
            });
        }
    });
    Ok(hears)
}

/// Answers every request of a connection. why: it is told first and written then, so that who
/// reads a CANCEL knows since when it could come.
fn consents(stream: &TcpStream, tells: &Sender<Screened>) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(payload) = payload(&mut reader)? {
        let payload: Value = serde_json::from_slice(&payload)?;
        let caller = payload.get("from").and_then(Value::as_str).ok_or("no `from`")?;
        tells.send((caller.to_owned(), Instant::now()))?;
        let mut writer = stream;
        writer.write_all(CONSENT.as_bytes())?;
    }
    Ok(())
}

/// The body of the next request; nothing where there is none.
fn payload(reader: &mut impl BufRead) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse()?;
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    if length > PAYLOAD_MAX {
        return Err(format!("a payload of {length} bytes").into());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(body))
}

/// What became of the callees: legs by the user that called, times by the same.
#[derive(Default)]
struct Callees {
    /// Tells when each winner was accepted, where it is screened.
    screened: Option<Receiver<Screened>>,
    /// Who calls on which leg.
    callers: BTreeMap<InviteId, String>,
    due: Vec<(Instant, InviteId)>,
    /// Since when the losers of each call may be cancelled.
    answered: BTreeMap<String, Instant>,
    losers: usize,
    waits: Vec<Duration>,
}

impl Callees {
    fn event(&mut self, side: &mut Side, event: Event) {
        let now = Instant::now();
        match event {
            Event::Invite { id, request, .. } => {
                side.endpoint.respond(now, id, Respond::status(180));
                let caller = request.from().ok().and_then(|from| from.uri.user);
                self.callers.insert(id, caller.unwrap_or_default());
                if is_winner(&request) {
                    self.due.push((now + RINGS, id));
                } else {
                    self.losers += 1;
                }
            }
            Event::Cancelled { id, .. } => {
                let caller = self.callers.get(&id);
                let answered = caller.and_then(|caller| self.answered.get(caller));
                self.waits.extend(answered.map(|answered| now.duration_since(*answered)));
            }
            Event::Released { id } => {
                self.callers.remove(&id);
            }
            _ => {}
        }
    }

    /// What the confirmHook has answered.
    fn note_screened(&mut self) {
        let screened = self.screened.iter().flat_map(Receiver::try_iter);
        self.answered.extend(screened);
    }

    fn answer(&mut self, side: &mut Side) -> Result<(), Box<dyn Error>> {
        let now = Instant::now();
        let due: Vec<InviteId> =
            self.due.extract_if(.., |(at, _)| *at <= now).map(|(_, id)| id).collect();
        for id in due {
            let caller = self.callers.get(&id).cloned().unwrap_or_default();
            let content_type = Some("application/sdp".to_owned());
            let body = OFFER.as_bytes().to_vec();
            let answer = Respond { content_type, body, ..Respond::status(200) };
            if self.screened.is_none() {
                self.answered.insert(caller, Instant::now());
            }
            side.endpoint.respond(Instant::now(), id, answer);
            side.send()?;
        }
        Ok(())
    }
}

fn is_winner(request: &Message) -> bool {
    request.uri().is_ok_and(|uri| uri.user.as_deref() == Some(WINNER))
}

fn invite(flow: Flow, number: u64) -> Invite {
    let request_uri = format!("sip:simring@{}", flow.remote);
    Invite {
        flow,
        large: None,
        to: format!("<{request_uri}>"),
        request_uri,
        from: format!("<sip:c{number}@127.0.0.2>"),
        contact_user: None,
        route: Vec::new(),
        max_forwards: 70,
        headers: Vec::new(),
        content_type: "application/sdp",
        body: OFFER.replace("127.0.0.3", "127.0.0.2").into_bytes(),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let switch: SocketAddr = arguments.next().ok_or("name the switch: ADDRESS:PORT")?.parse()?;
    let per_second: u32 = arguments.next().map_or(Ok(50), |text| text.parse())?;
    let seconds: u32 = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let (mut caller, mut side) = (Side::open(CALLER, 1)?, Side::open(CALLEES, 2)?);
    let screened = arguments.next().map(|address| screens(&address)).transpose()?;
    let from =
        if screened.is_some() { "the answer of its confirmHook" } else { "the winner's 200" };
    let mut callees = Callees { screened, ..Callees::default() };
    let (mut bridged, mut refused) = (0, BTreeMap::<u16, u32>::new());
    let mut hang_ups: Vec<(Instant, InviteId)> = Vec::new();

    let start = Instant::now();
    let (calls, pause) = (u64::from(per_second * seconds), Duration::from_secs(1) / per_second);
    let mut placed = 0;
    while start.elapsed() < pause * u32::try_from(calls)? + FAREWELL {
        let now = Instant::now();
        if placed < calls && now >= start + pause * u32::try_from(placed)? {
            let flow = caller.flow(switch);
            caller.endpoint.invite(now, invite(flow, placed));
            placed += 1;
        }
        let over: Vec<InviteId> =
            hang_ups.extract_if(.., |(at, _)| *at <= now).map(|(_, id)| id).collect();
        over.into_iter().for_each(|id| caller.endpoint.bye(now, id, &[]));
        for event in caller.turn()? {
            match event {
                Event::Answered { id, .. } => {
                    bridged += 1;
                    hang_ups.push((Instant::now() + TALKS, id));
                }
                Event::Rejected { status, .. } => *refused.entry(status).or_default() += 1,
                _ => {}
            }
        }
        callees.answer(&mut side)?;
        let events = side.turn()?;
        callees.note_screened();
        for event in events {
            callees.event(&mut side, event);
        }
        std::thread::sleep(NAP);
    }

    let Callees { losers, mut waits, .. } = callees;
    waits.sort_unstable();
    let percentile = |share: usize| waits.get(waits.len() * share / 1000).map_or(0.0, milliseconds);
    println!("{placed} simrings, {bridged} bridged, refused {refused:?}; {losers} losers");
    println!("from {from} to the CANCEL of a loser:");
    println!(
        "p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        percentile(500),
        percentile(900),
        percentile(990),
        waits.last().map_or(0.0, milliseconds)
    );
    let lost = losers - waits.len();
    if lost > 0 { Err(format!("{lost} losers were not cancelled").into()) } else { Ok(()) }
}

fn milliseconds(wait: &Duration) -> f64 {
    wait.as_secs_f64() * 1000.0
}
