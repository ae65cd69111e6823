//! What a relayed packet costs: bridged calls at 50 packets a second and direction over loopback,
//! and the processor time of the media thread that carries them.
//!
//! `cargo run --release -p net --example relay_cost -- CALLS [SECONDS]`
//!
//! Prints processor time for each packet received, packets for each wake-up, and how long the
//! packets of one more call took. On loopback the delivery to the receiving phone counts as the
//! sender's time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use media::sdp::{Direction, Negotiated, PayloadTypes};
use media::{Codec, LegId, Remote};
use net::rtp::{Command, Config, Ports, Workers};

/// Steps in which the phones of a 20 ms interval speak, as phones do not speak at once.
const STEPS: usize = 40;

struct Phone {
    socket: UdpSocket,
    switch: SocketAddr,
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let calls = arguments.next().unwrap_or(100);
    let seconds = arguments.next().unwrap_or(5);

    let (workers, _events) = Workers::start(1, Config::default()).expect("a thread");
    let mut ports = Ports::new(Ipv4Addr::LOCALHOST.into(), 12_000..=31_999);
    let phones: Vec<Phone> =
        (0..calls).flat_map(|call| bridged(&workers, &mut ports, call)).collect();
    std::thread::sleep(Duration::from_millis(500));
    talk(&phones, 50);

    let probe = bridged(&workers, &mut ports, calls);
    let probe = std::thread::spawn(move || delays(&probe, Duration::from_secs(seconds)));
    let (start, before) = (processor_times(), workers.totals()[0]);
    let heard = talk(&phones, 50 * seconds);
    let (end, after) = (processor_times(), workers.totals()[0]);
    let [time, all] = [end[0] - start[0], end[1] - start[1]];
    let received = after.received - before.received;
    let wakeups = (after.wakeups - before.wakeups).max(1);
    let mut delays = probe.join().expect("the probe only measures");
    delays.sort_unstable();
    let delay = |share: usize| delays.get(delays.len() * share / 100).copied().unwrap_or_default();
    println!(
        "{calls} calls: {:.2} us/packet (with the phones {:.2}), {received} packets, \
         {:.1} a wake-up, \
         {:.1} % of a core, delay median {:?} 99 % {:?}, lost {}",
        time.as_secs_f64() * 1e6 / received.max(1) as f64,
        all.as_secs_f64() * 1e6 / received.max(1) as f64,
        received as f64 / wakeups as f64,
        time.as_secs_f64() * 100.0 / seconds as f64,
        delay(50),
        delay(99),
        phones.len() as u64 * 50 * seconds - heard,
    );
}

fn bridged(workers: &Workers, ports: &mut Ports, call: u64) -> [Phone; 2] {
    let send = |command| {
        while workers.handle().send(Command::Silence { call, to: LegId(9) }).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        workers.handle().send(command).expect("there was room");
    };
    let phones = [0, 1].map(|number| {
        let leg = LegId(number);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
        socket.set_nonblocking(true).expect("a socket option");
        let address = socket.local_addr().expect("a bound socket");
        let pair = ports.open(Instant::now()).expect("a free pair");
        let switch = SocketAddr::from((Ipv4Addr::LOCALHOST, pair.port()));
        let negotiated = Negotiated {
            remote_rtp: address,
            remote_rtcp: address,
            rtcp_mux: false,
            direction: Direction::SendRecv,
            codec: Codec::Pcmu,
            payload_types: PayloadTypes { pcmu: Some(0), ..PayloadTypes::default() },
            ptime: Duration::from_millis(20),
        };
        let remote = Remote {
            negotiated,
            signalling_source: IpAddr::from(Ipv4Addr::LOCALHOST),
            has_tones: false,
        };
        send(Command::Open { call, leg, pair });
        send(Command::SetRemote { call, leg, remote });
        Phone { socket, switch }
    });
    send(Command::Bridge { call, x: LegId(0), y: LegId(1) });
    phones
}

/// All phones speak every 20 ms; how many packets came to the other side.
fn talk(phones: &[Phone], intervals: u64) -> u64 {
    let mut heard = 0;
    let mut packet = [0_u8; 172];
    packet[0] = 0x80;
    let step_time = Duration::from_millis(20) / u32::try_from(STEPS).expect("small");
    let group = phones.len().div_ceil(STEPS);
    let mut due = Instant::now();
    for _ in 0..intervals {
        for step in phones.chunks(group).map(Some).chain(std::iter::repeat(None)).take(STEPS) {
            for phone in step.unwrap_or_default() {
                phone.socket.send_to(&packet, phone.switch).expect("loopback takes it");
            }
            // why: what the phones were sent since their last turn.
            heard += listen(step.unwrap_or_default());
            due += step_time;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }
    std::thread::sleep(Duration::from_millis(100));
    heard + listen(phones)
}

fn listen(phones: &[Phone]) -> u64 {
    let mut buffer = [0_u8; 2048];
    let mut heard = 0;
    for phone in phones {
        while phone.socket.recv(&mut buffer).is_ok() {
            heard += 1;
        }
    }
    heard
}

/// One more call, whose phone waits for each of its packets.
fn delays([from, to]: &[Phone; 2], total: Duration) -> Vec<Duration> {
    let mut packet = [0_u8; 172];
    packet[0] = 0x80;
    to.socket.set_nonblocking(false).expect("a socket option");
    to.socket.set_read_timeout(Some(Duration::from_secs(1))).expect("a socket option");
    let start = Instant::now();
    let mut delays = Vec::new();
    while start.elapsed() < total {
        let sent = Instant::now();
        from.socket.send_to(&packet, from.switch).expect("loopback takes it");
        if to.socket.recv(&mut [0; 2048]).is_ok() {
            delays.push(sent.elapsed());
        }
        std::thread::sleep(Duration::from_micros(19_700));
    }
    delays
}

/// What the media thread and what all threads have used, from the scheduler's own account.
fn processor_times() -> [Duration; 2] {
    let mut times = [Duration::ZERO; 2];
    for task in std::fs::read_dir("/proc/self/task").expect("Linux").flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let account = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let nanoseconds = account.split(' ').next().and_then(|first| first.parse().ok());
        let time = Duration::from_nanos(nanoseconds.unwrap_or_default());
        times[1] += time;
        if name.trim() == "media-0" {
            times[0] += time;
        }
    }
    times
}
