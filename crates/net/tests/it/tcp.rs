//! SIP over TCP on loopback connections: streams become messages, connections are reused, and none
//! of them takes more than its share.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use net::sip::{Messages, Tcp, TcpLimits};
use sip::{Flow, Transmit, Transport};

use crate::rig::PATIENCE;

const OPTIONS: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
const INVITE: &[u8] = b"INVITE sip:b SIP/2.0\r\nl: 5\r\n\r\nv=0\r\n";

fn bind(address: &str, limits: TcpLimits) -> Tcp {
    Tcp::bind(address.parse().expect("a literal"), None, limits).expect("a free port")
}

fn gateway() -> Tcp {
    bind("127.0.0.1:0", TcpLimits::default())
}

fn connect(tcp: &Tcp) -> TcpStream {
    let stream = TcpStream::connect(tcp.local_addr()).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
    stream.set_nodelay(true).expect("a socket option");
    stream
}

fn transmit(flow: Flow, bytes: &[u8]) -> Transmit {
    Transmit { flow, bytes: bytes.to_vec().into(), otherwise: None }
}

/// Messages and failed flows until there are this many of each.
async fn receive(tcp: &mut Tcp, messages: usize, failed: usize) -> Messages {
    let (mut all, mut arrived) = (Messages::default(), Messages::default());
    while all.messages.len() < messages || all.failed.len() < failed {
        let received = tokio::time::timeout(PATIENCE, tcp.receive(&mut arrived)).await;
        received.unwrap_or_else(|_| panic!("only {all:?}"));
        all.messages.append(&mut arrived.messages);
        all.failed.append(&mut arrived.failed);
    }
    all
}

/// Lets the tasks work while nothing is to come.
async fn nothing_comes(tcp: &mut Tcp, time: Duration) {
    let mut arrived = Messages::default();
    let received = tokio::time::timeout(time, tcp.receive(&mut arrived)).await;
    assert!(received.is_err(), "{arrived:?}");
}

fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).expect("so many bytes");
    bytes
}

/// Whether the peer has closed; reads what was sent before.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = [0; 4096];
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

#[tokio::test]
async fn messages_come_and_go_over_one_connection() {
    for loopback in ["127.0.0.1:0", "[::1]:0"] {
        let mut tcp = bind(loopback, TcpLimits::default());
        let mut phone = connect(&tcp);
        phone.write_all(&[OPTIONS, INVITE].concat()).expect("it reads");
        let arrived = receive(&mut tcp, 2, 0).await;
        let flow = tcp.advertised().flow_to(phone.local_addr().expect("connected"));
        assert_eq!(flow.transport, Transport::Tcp);
        assert_eq!(flow.local, tcp.local_addr());
        let wanted = [OPTIONS, INVITE].map(|bytes| (flow, bytes.to_vec()));
        let heard = arrived.messages.iter().map(|(flow, bytes)| (*flow, bytes.to_vec()));
        assert_eq!(heard.collect::<Vec<_>>(), wanted);

        for bytes in [&b"SIP/2.0 200 OK\r\n\r\n"[..], b"BYE"] {
            tcp.send(&transmit(flow, bytes)).expect("queued");
        }
        nothing_comes(&mut tcp, Duration::from_millis(20)).await;
        assert_eq!(read(&mut phone, 21), b"SIP/2.0 200 OK\r\n\r\nBYE");
        assert_eq!(tcp.connections(), 1);
        drop(phone);
        assert_eq!(receive(&mut tcp, 0, 1).await.failed, [flow]);
        assert_eq!((tcp.connections(), tcp.held_bytes()), (0, 0));
    }
}

#[tokio::test]
async fn a_connection_is_opened_once_for_a_remote_and_carries_both_ways() {
    let mut tcp = gateway();
    let carrier = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let flow = tcp.advertised().flow_to(carrier.local_addr().expect("bound"));
    for _ in 0..3 {
        tcp.send(&transmit(flow, INVITE)).expect("queued");
    }
    nothing_comes(&mut tcp, Duration::from_millis(50)).await;
    let (mut stream, from) = carrier.accept().expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
    assert_eq!(from.ip(), tcp.local_addr().ip(), "the address that the flow advertises");
    assert_eq!(read(&mut stream, 3 * INVITE.len()), INVITE.repeat(3));
    stream.write_all(OPTIONS).expect("it reads");
    let arrived = receive(&mut tcp, 1, 0).await;
    assert_eq!(arrived.messages[0].0, flow);
    assert_eq!(tcp.connections(), 1);
}

#[tokio::test]
async fn all_calls_of_a_carrier_may_end_at_once() {
    let mut tcp = gateway();
    let carrier = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let flow = tcp.advertised().flow_to(carrier.local_addr().expect("bound"));
    for _ in 0..3_000 {
        tcp.send(&transmit(flow, &[b'B'; 600])).expect("there is room");
    }
    let reading = std::thread::spawn(move || {
        let (mut stream, _) = carrier.accept().expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        let all = read(&mut stream, 3_000 * 600);
        (stream, all.len())
    });
    while tcp.held_bytes() > 0 {
        nothing_comes(&mut tcp, Duration::from_millis(20)).await;
    }
    assert_eq!(reading.join().expect("no panic").1, 3_000 * 600);
}

#[tokio::test]
async fn a_message_whose_connection_is_gone_takes_the_other_address() {
    let mut tcp = gateway();
    let phone = connect(&tcp);
    let listens = TcpListener::bind("127.0.0.1:0").expect("a free port");
    (&phone).write_all(OPTIONS).expect("it reads");
    let flow = receive(&mut tcp, 1, 0).await.messages[0].0;
    drop(phone);
    receive(&mut tcp, 0, 1).await;
    let contact = listens.local_addr().expect("bound");
    let otherwise = Some(contact);
    for _ in 0..2 {
        tcp.send(&Transmit { otherwise, ..transmit(flow, INVITE) }).expect("queued");
    }
    nothing_comes(&mut tcp, Duration::from_millis(50)).await;
    let (mut stream, _) = listens.accept().expect("RFC 3261 §18.2.2");
    assert_eq!(read(&mut stream, 2 * INVITE.len()), INVITE.repeat(2));
    assert_eq!(tcp.connections(), 1);

    drop((stream, listens));
    let mut failed = receive(&mut tcp, 0, 1).await.failed;
    assert_eq!(failed.remove(0).remote, contact);
    tcp.send(&Transmit { otherwise, ..transmit(flow, INVITE) }).expect("queued");
    let failed = receive(&mut tcp, 0, 2).await.failed;
    assert!(failed.contains(&flow), "who waits for the message hears of it: {failed:?}");
}

#[tokio::test]
async fn a_remote_that_refuses_fails_at_once_and_one_that_is_silent_after_a_while() {
    let limits = TcpLimits { connect_timeout: Duration::from_millis(200), ..TcpLimits::default() };
    let mut tcp = bind("127.0.0.1:0", limits);
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let nobody = tcp.advertised().flow_to(free.local_addr().expect("bound"));
    drop(free);
    tcp.send(&transmit(nobody, INVITE)).expect("queued");
    assert_eq!(receive(&mut tcp, 0, 1).await.failed, [nobody]);

    // A listener whose queue is full lets nobody in.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("a literal");
    socket.bind(&any.into()).expect("a free port");
    socket.listen(0).expect("it listens");
    let silent = socket.local_addr().expect("bound").as_socket().expect("IP");
    let _first = TcpStream::connect(silent).expect("the one place");
    let silent = tcp.advertised().flow_to(silent);
    let start = Instant::now();
    tcp.send(&transmit(silent, INVITE)).expect("queued");
    assert_eq!(receive(&mut tcp, 0, 1).await.failed, [silent]);
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert_eq!((tcp.connections(), tcp.held_bytes()), (0, 0));
}

#[tokio::test]
async fn pings_are_answered_and_pass_nothing_on() {
    let mut tcp = gateway();
    let mut phone = connect(&tcp);
    phone.write_all(b"\r\n\r\n").expect("it reads");
    nothing_comes(&mut tcp, Duration::from_millis(50)).await;
    assert_eq!(read(&mut phone, 2), b"\r\n");
    phone.write_all(b"\r").expect("it reads");
    phone.write_all(b"\n\r\n").expect("it reads");
    nothing_comes(&mut tcp, Duration::from_millis(50)).await;
    assert_eq!(read(&mut phone, 2), b"\r\n");
}

#[tokio::test]
async fn a_stream_that_is_no_sip_is_closed() {
    let mut tcp = gateway();
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        &b"x".repeat(20_000),
        b"INVITE sip:a SIP/2.0\r\nContent-Length: 99999\r\n\r\n",
    ] {
        let mut phone = connect(&tcp);
        phone.write_all(garbage).expect("it reads");
        receive(&mut tcp, 0, 1).await;
        assert!(is_closed(&mut phone));
    }
    assert_eq!((tcp.connections(), tcp.held_bytes()), (0, 0));
}

#[tokio::test]
async fn a_peer_that_sends_slowly_holds_nothing_for_long() {
    let limits = TcpLimits { message_timeout: Duration::from_millis(300), ..TcpLimits::default() };
    let mut tcp = bind("127.0.0.1:0", limits);
    let (mut silent, mut slow, mut good) = (connect(&tcp), connect(&tcp), connect(&tcp));
    good.write_all(OPTIONS).expect("it reads");
    receive(&mut tcp, 1, 0).await;
    let start = Instant::now();
    for byte in OPTIONS.iter().take(10) {
        // Each byte in time, the message not.
        if slow.write_all(&[*byte]).is_err() {
            break;
        }
        let mut arrived = Messages::default();
        let wait = tokio::time::timeout(Duration::from_millis(60), tcp.receive(&mut arrived));
        let _ended = wait.await;
    }
    assert!(is_closed(&mut silent) && is_closed(&mut slow));
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!((tcp.connections(), tcp.held_bytes()), (1, 0));
    good.write_all(OPTIONS).expect("it reads");
    receive(&mut tcp, 1, 0).await;
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_given_up_and_holds_nothing() {
    let limits = TcpLimits {
        write_timeout: Duration::from_millis(500),
        outbox_bytes: 100_000,
        ..TcpLimits::default()
    };
    let mut tcp = bind("127.0.0.1:0", limits);
    let phone = connect(&tcp);
    (&phone).write_all(OPTIONS).expect("it reads");
    let flow = receive(&mut tcp, 1, 0).await.messages[0].0;
    let long = vec![b'x'; 20_000];
    let mut queued = 0_u32;
    // What the sockets take, and then the queue.
    let error = loop {
        match tcp.send(&transmit(flow, &long)) {
            Ok(()) => queued += 1,
            Err(error) => break error,
        }
        assert!(tcp.held_bytes() <= 100_000);
        tokio::task::yield_now().await;
        assert!(queued < 1_000, "the peer takes everything");
    };
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(receive(&mut tcp, 0, 1).await.failed, [flow]);
    assert_eq!((tcp.connections(), tcp.held_bytes()), (0, 0));

    // Too little to fill the queue, but for too long.
    let phone = connect(&tcp);
    (&phone).write_all(OPTIONS).expect("it reads");
    let flow = receive(&mut tcp, 1, 0).await.messages[0].0;
    while tcp.held_bytes() == 0 {
        tcp.send(&transmit(flow, &long)).expect("queued");
        nothing_comes(&mut tcp, Duration::from_millis(5)).await;
    }
    assert_eq!(receive(&mut tcp, 0, 1).await.failed, [flow]);
    assert_eq!((tcp.connections(), tcp.held_bytes()), (0, 0));
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let limits = TcpLimits { idle_timeout: Duration::from_millis(300), ..TcpLimits::default() };
    let mut tcp = bind("127.0.0.1:0", limits);
    let (mut idle, mut lively) = (connect(&tcp), connect(&tcp));
    for phone in [&mut idle, &mut lively] {
        phone.write_all(OPTIONS).expect("it reads");
        receive(&mut tcp, 1, 0).await;
    }
    let mut failed = Vec::new();
    for _ in 0..6 {
        lively.write_all(b"\r\n\r\n").expect("it reads");
        let mut arrived = Messages::default();
        let wait = tokio::time::timeout(Duration::from_millis(100), tcp.receive(&mut arrived));
        let _ended = wait.await;
        failed.append(&mut arrived.failed);
    }
    let remotes: Vec<SocketAddr> = failed.iter().map(|flow| flow.remote).collect();
    assert_eq!(remotes, [idle.local_addr().expect("connected")]);
    assert!(is_closed(&mut idle));
}

#[tokio::test]
async fn over_the_limit_the_idlest_goes_and_nobody_else() {
    let limits = TcpLimits {
        connections: 3,
        spare_after: Duration::from_millis(200),
        ..TcpLimits::default()
    };
    let mut tcp = bind("127.0.0.1:0", limits);
    let mut phones: Vec<TcpStream> = Vec::new();
    for _ in 0..3 {
        phones.push(connect(&tcp));
        phones.last_mut().expect("pushed").write_all(OPTIONS).expect("it reads");
        receive(&mut tcp, 1, 0).await;
    }
    let mut refused = connect(&tcp);
    nothing_comes(&mut tcp, Duration::from_millis(50)).await;
    assert!(is_closed(&mut refused), "all of them are in use");
    assert_eq!(tcp.connections(), 3);

    tokio::time::sleep(Duration::from_millis(250)).await;
    for at in [0, 2] {
        phones[at].write_all(OPTIONS).expect("it reads");
        receive(&mut tcp, 1, 0).await;
    }
    let mut late = connect(&tcp);
    late.write_all(OPTIONS).expect("it reads");
    let arrived = receive(&mut tcp, 1, 1).await;
    assert_eq!(arrived.failed[0].remote, phones[1].local_addr().expect("connected"));
    assert!(is_closed(&mut phones[1]));
    assert_eq!(tcp.connections(), 3);
}

#[tokio::test]
async fn one_source_does_not_fill_the_table() {
    let limits = TcpLimits { per_source: 2, ..TcpLimits::default() };
    let mut tcp = bind("127.0.0.1:0", limits);
    let mut phones: Vec<TcpStream> = (0..3).map(|_| connect(&tcp)).collect();
    nothing_comes(&mut tcp, Duration::from_millis(50)).await;
    assert!(is_closed(&mut phones[2]));
    assert_eq!(tcp.connections(), 2);
    let elsewhere = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let elsewhere = elsewhere.expect("a socket");
    let from: SocketAddr = "127.0.0.2:0".parse().expect("a literal");
    elsewhere.bind(&from.into()).expect("loopback is a network");
    elsewhere.connect(&tcp.local_addr().into()).expect("it listens");
    nothing_comes(&mut tcp, Duration::from_millis(50)).await;
    assert_eq!(tcp.connections(), 3);
}

#[tokio::test]
async fn a_port_in_use_is_said_clearly() {
    let first = gateway();
    let error = Tcp::bind(first.local_addr(), None, TcpLimits::default()).expect_err("in use");
    assert_eq!(
        error.to_string(),
        format!(
            "tcp {}: address already in use; another program (or another Switchhook) holds this \
             port: stop it or choose another port in [sip] tcp",
            first.local_addr()
        )
    );
}

#[tokio::test]
async fn a_listener_on_every_ipv6_address_takes_ipv4_too_and_advertises_what_is_reached() {
    let mut tcp = bind("[::]:0", TcpLimits::default());
    let port = tcp.local_addr().port();
    let mut phone = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    phone.write_all(OPTIONS).expect("it reads");
    let (flow, _) = receive(&mut tcp, 1, 0).await.messages.remove(0);
    assert_eq!(flow.remote, phone.local_addr().expect("connected"), "in its own form, not mapped");
    assert_eq!(flow.local, SocketAddr::from(([127, 0, 0, 1], port)));
    let external: IpAddr = "203.0.113.5".parse().expect("a literal");
    let any = "0.0.0.0:0".parse().expect("a literal");
    let tcp = Tcp::bind(any, Some(external), TcpLimits::default()).expect("a free port");
    assert_eq!(tcp.advertised().flow_to(flow.remote).local.ip(), external);
}

#[tokio::test]
async fn a_request_whose_end_nobody_can_tell_is_refused_and_the_connection_ends() {
    for (length, refusal) in [
        ("", "SIP/2.0 400 Bad Request: "),
        ("Content-Length: -1\r\n", "SIP/2.0 400 Bad Request: "),
        ("l: 99999999\r\n", "SIP/2.0 413 Request Entity Too Large: "),
        ("l: 0\r\nl: 0\r\n", "SIP/2.0 400 Bad Request: "),
    ] {
        let mut tcp = gateway();
        let mut phone = connect(&tcp);
        let broken = format!(
            "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK7\r\n\
             From: <sip:b@h>;tag=b\r\nTo: <sip:a@h>\r\nCall-ID: c\r\n\
             CSeq: 1 OPTIONS\r\n{length}\r\n"
        );
        phone.write_all(&[OPTIONS, broken.as_bytes(), OPTIONS].concat()).expect("it reads");
        phone.shutdown(Shutdown::Write).expect("connected");
        let arrived = receive(&mut tcp, 0, 1).await;
        assert_eq!(arrived.messages.len(), 1, "what came before it, and nothing after: {length}");
        let mut answer = String::new();
        phone.read_to_string(&mut answer).expect("the answer, then the end");
        assert!(answer.starts_with(refusal), "{answer}");
        assert!(answer.contains(";received=127.0.0.1"), "{answer}");
        assert_eq!((tcp.connections(), tcp.held_bytes()), (0, 0));
    }
}
