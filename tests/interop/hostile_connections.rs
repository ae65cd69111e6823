//! Connections that are opened and left, speak another protocol, or break off; and floods. None of
//! it costs more than a bound, and a call that is up goes on.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;
use socket2::{Domain, SockRef, Socket, Type};

use crate::support::scene::{CALLER, Config, STRANGER, SWITCH, Scene};
use crate::support::source::{Source, invite, options};
use crate::support::switch::Switch;
use crate::support::talk::Talk;
use crate::support::{PATIENCE, wait_for};

/// What memory may grow by while hostile things come.
const GROWTH_MAX: usize = 64 * 1024 * 1024;

/// With TCP beside UDP.
fn with_tcp(scene: &Scene) -> Config {
    let mut config = scene.config();
    config.sip = format!("tcp = \"{}:0\"\nt1_ms = 50", scene.network.ip(SWITCH));
    config
}

/// A connection to the switch from this address.
fn connect(from: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::new(from, 0).into()).expect("loopback has free ports");
    socket.connect(&to.into()).expect("it listens");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).expect("a time above zero");
    stream
}

/// Whether the switch has closed it.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 256]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn nothing_is_left(switch: &Switch) {
    wait_for("the end of every transaction", || {
        let names = ["switchhook_sip_transactions", "switchhook_sip_dialogs", "switchhook_calls"];
        names.iter().all(|name| switch.figure(name) == 0.0).then_some(())
    });
}

#[test]
fn a_peer_that_speaks_tls_is_closed_at_once() {
    let scene = Scene::new();
    let switch = scene.starts(&with_tcp(&scene));
    let to = switch.sip_tcp.expect("tcp is on");
    let before = switch.descriptors();
    // RFC 8446 §4.1.2 and those before it: a record of type 22, then its version.
    for version in [[2, 0], [3, 0], [3, 1], [3, 3]] {
        for _ in 0..25 {
            let mut stream = connect(scene.network.ip(STRANGER), to);
            let mut hello = vec![22];
            hello.extend(version);
            hello.extend([2, 0, 1, 0, 1, 252, 3, 3]);
            hello.extend([0x5a; 500]);
            let begun = Instant::now();
            let _refused = stream.write_all(&hello);
            assert!(is_closed(&mut stream), "nothing is said to it");
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        }
    }
    wait_for("the sockets to be closed", || (switch.descriptors() <= before).then_some(()));
    Source::open(scene.network.ip(STRANGER), switch.sip).asks();
    switch.ends();
}

#[test]
fn calls_of_connections_that_break_off_are_reaped() {
    let scene = Scene::new();
    let switch = scene.starts(&with_tcp(&scene));
    let to = switch.sip_tcp.expect("tcp is on");
    let before = switch.descriptors();
    scene.app.runs("/incoming", &json!([{ "verb": "answer" }, { "verb": "pause", "length": 1 }]));
    let body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio 40000 RTP/AVP 0\r\n";
    for number in 0..60 {
        // Of a carrier, whose calls are taken, and of strangers, whose are not.
        let ip = scene.network.ip(if number % 2 == 0 { CALLER } else { STRANGER });
        let mut stream = connect(ip, to);
        let from = stream.local_addr().expect("it is bound");
        let text = invite(from, switch.sip, &format!("reset-{number}"), "", body);
        stream.write_all(text.replace("/UDP", "/TCP").as_bytes()).expect("taken");
        if number % 3 == 0 {
            // This one is under way when the connection goes.
            let _length = stream.read(&mut [0; 256]).expect("an answer");
        }
        // Without lingering a close is a reset.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("it can be set");
    }
    nothing_is_left(&switch);
    wait_for("the sockets to be closed", || (switch.descriptors() <= before + 8).then_some(()));
    switch.ends();
}

#[test]
fn a_thousand_idle_connections_cost_little_and_are_closed() {
    net::raise_open_files().expect("files may be opened");
    let scene = Scene::new();
    let switch = scene.starts(&with_tcp(&scene));
    let to = switch.sip_tcp.expect("tcp is on");
    let (before, memory) = (switch.descriptors(), switch.memory());
    let mut idle: Vec<TcpStream> =
        (0..1_000_u16).map(|n| connect(scene.network.ip(50 + (n / 250) as u8), to)).collect();
    let begun = Instant::now();
    let mut text = b"OPTIONS sip:x SIP/2.0\r\n".iter();
    let source = Source::open(scene.network.ip(STRANGER), switch.sip);
    let mut stream = connect(scene.network.ip(STRANGER), to);
    // One byte a second on each of a hundred of them; others are heard all the same.
    while begun.elapsed() < Duration::from_secs(8) {
        let byte = [*text.next().expect("longer than that")];
        idle.iter_mut().take(100).for_each(|stream| drop(stream.write_all(&byte)));
        source.asks();
        let asked = options(source.address(), to, &format!("alive-{:?}", begun.elapsed()));
        stream.write_all(asked.replace("/UDP", "/TCP").as_bytes()).expect("taken");
        let mut answer = [0; 2_048];
        let length = stream.read(&mut answer).expect("it answers");
        assert!(answer[..length].starts_with(b"SIP/2.0 200 "));
        std::thread::sleep(Duration::from_secs(1));
    }
    let grown = switch.memory().saturating_sub(memory);
    assert!(grown < GROWTH_MAX, "{grown} bytes");
    assert!(idle.iter_mut().all(is_closed), "a byte a second is no message");
    drop((idle, stream));
    wait_for("the sockets to be closed", || (switch.descriptors() <= before).then_some(()));
    switch.ends();
}

#[test]
fn one_address_does_not_take_every_connection() {
    net::raise_open_files().expect("files may be opened");
    let scene = Scene::new();
    let switch = scene.starts(&with_tcp(&scene));
    let to = switch.sip_tcp.expect("tcp is on");
    let most = net::sip::TcpLimits::default().per_source;
    let mut many: Vec<TcpStream> =
        (0..most + 50).map(|_| connect(scene.network.ip(STRANGER), to)).collect();
    for stream in &mut many[most..] {
        assert!(is_closed(stream), "one more than it may have");
    }
    let mut other = connect(scene.network.ip(STRANGER + 1), to);
    let text = options(scene_address(&other), to, "another").replace("/UDP", "/TCP");
    other.write_all(text.as_bytes()).expect("taken");
    let mut answer = [0; 2_048];
    let length = other.read(&mut answer).expect("it answers");
    assert!(answer[..length].starts_with(b"SIP/2.0 200 "));
    drop(many);
    switch.ends();
}

fn scene_address(stream: &TcpStream) -> SocketAddr {
    stream.local_addr().expect("it is bound")
}

#[test]
fn a_flood_of_calls_keeps_nothing_and_a_call_that_is_up_is_heard() {
    let scene = Scene::new();
    let mut config = scene.config();
    // why: a socket holds some hundreds of datagrams; what is lost in it floods nobody.
    config.limits = "calls = 50\nstranger_requests_per_second = 1".to_owned();
    let switch = scene.starts(&config);
    let talk = Talk::begin(&scene, &switch, 8_000);
    let (memory, held) = (switch.memory(), switch.figure("switchhook_sip_transactions"));
    let sources: Vec<Source> =
        (30..230).map(|host| Source::open(scene.network.ip(host), switch.sip)).collect();
    talk.loses_less_than(0.1, || {
        for number in 0..150 {
            for source in &sources {
                let call_id = format!("flood-{number}-{}", source.address());
                source.sends(invite(source.address(), switch.sip, &call_id, "", "").as_bytes());
            }
        }
    });
    assert!(switch.figure("switchhook_sources_silenced_total") > 0.0);
    assert!(switch.figure("switchhook_sip_transactions") <= held);
    let grown = switch.memory().saturating_sub(memory);
    assert!(grown < GROWTH_MAX, "{grown} bytes");
    talk.ends();
    switch.ends();
}

#[test]
fn a_scanner_is_silenced_and_counted() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    for agent in ["friendly-scanner", "sipvicious", "sipcli/v1.8"] {
        let ip = scene.network.ip(40 + agent.len() as u8);
        let source = Source::open(ip, switch.sip);
        let text = options(source.address(), switch.sip, agent);
        let line = format!("User-Agent: {agent}\r\nMax-Forwards");
        source.sends(text.replacen("Max-Forwards", &line, 1).as_bytes());
        assert!(source.asks_within(Duration::from_millis(300)).is_none(), "{agent}");
    }
    assert_eq!(switch.figure("switchhook_sources_silenced_total") as u32, 3);
    switch.ends();
}
