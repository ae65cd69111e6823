//! SIP over UDP on loopback sockets.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use net::sip::{Inbox, Udp};
use sip::{Flow, Transmit};

fn bind(address: &str) -> Udp {
    Udp::bind(address.parse().expect("a literal"), None).expect("a free port")
}

async fn receive(udp: &Udp, inbox: &mut Inbox) {
    let received = tokio::time::timeout(crate::rig::PATIENCE, udp.receive(inbox)).await;
    received.expect("in time").expect("a live socket");
}

fn peer(address: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(address).expect("a free port");
    socket.set_read_timeout(Some(crate::rig::PATIENCE)).expect("a socket option");
    let address = socket.local_addr().expect("a bound socket");
    (socket, address)
}

#[tokio::test]
async fn messages_come_and_go() {
    for loopback in ["127.0.0.1:0", "[::1]:0"] {
        let udp = bind(loopback);
        let (phone, address) = peer(loopback);
        let long = vec![b'x'; 60_000];
        for bytes in [&b"REGISTER"[..], &long] {
            phone.send_to(bytes, udp.local_addr()).expect("loopback takes it");
        }
        let mut inbox = Inbox::new();
        let mut heard = Vec::new();
        while heard.len() < 2 {
            receive(&udp, &mut inbox).await;
            heard.extend(inbox.datagrams().map(|(flow, bytes)| (flow, bytes.to_vec())));
        }
        let flow = Flow { local: udp.local_addr(), ..udp.flow_to(address) };
        assert_eq!(heard, [(flow, b"REGISTER".to_vec()), (flow, long)]);

        udp.send(&Transmit { flow, bytes: b"SIP/2.0 200 OK".as_slice().into(), otherwise: None })
            .expect("sent");
        let mut reply = [0; 64];
        let (length, from) = phone.recv_from(&mut reply).expect("a reply");
        assert_eq!((&reply[..length], from), (&b"SIP/2.0 200 OK"[..], udp.local_addr()));
    }
}

#[tokio::test]
async fn receiving_can_be_a_task_of_its_own() {
    let udp = bind("127.0.0.1:0");
    let address = udp.local_addr();
    let task = tokio::spawn(async move {
        let mut inbox = Inbox::new();
        receive(&udp, &mut inbox).await;
        inbox.datagrams().count()
    });
    let (phone, _) = peer("127.0.0.1:0");
    phone.send_to(b"OPTIONS", address).expect("loopback takes it");
    assert_eq!(task.await.expect("no panic"), 1);
}

#[tokio::test]
async fn a_burst_comes_in_batches_and_in_order() {
    let udp = bind("127.0.0.1:0");
    let (phone, _) = peer("127.0.0.1:0");
    for number in 0..100_u8 {
        phone.send_to(&[number], udp.local_addr()).expect("loopback takes it");
    }
    let mut inbox = Inbox::new();
    let (mut heard, mut batches) = (Vec::new(), 0);
    while heard.len() < 100 {
        receive(&udp, &mut inbox).await;
        heard.extend(inbox.datagrams().map(|(_, bytes)| bytes[0]));
        batches += 1;
    }
    assert_eq!(heard, (0..100).collect::<Vec<u8>>());
    assert!(batches <= 10, "{batches} batches");
}

#[tokio::test]
async fn an_unreachable_remote_is_named_while_others_go_on() {
    for loopback in ["127.0.0.1:0", "[::1]:0"] {
        let udp = bind(loopback);
        let (phone, address) = peer(loopback);
        let (gone, nobody) = peer(loopback);
        drop(gone);
        for remote in [nobody, address, address] {
            let bytes = b"INVITE".as_slice().into();
            udp.send(&Transmit { flow: udp.flow_to(remote), bytes, otherwise: None })
                .expect("sent");
        }
        phone.send_to(b"SIP/2.0 100 Trying", udp.local_addr()).expect("loopback takes it");
        let mut inbox = Inbox::new();
        let (mut failed, mut heard) = (Vec::new(), 0);
        while failed.is_empty() || heard == 0 {
            receive(&udp, &mut inbox).await;
            failed.extend_from_slice(inbox.failed());
            heard += inbox.datagrams().count();
        }
        assert_eq!(failed, [udp.flow_to(nobody)]);
        let mut buffer = [0; 64];
        for _ in 0..2 {
            assert_eq!(phone.recv(&mut buffer).expect("the INVITE"), 6);
        }
        let idle = udp.receive(&mut inbox);
        tokio::time::timeout(Duration::from_millis(50), idle).await.expect_err("nothing is left");
    }
}

#[tokio::test]
async fn a_port_in_use_is_said_clearly() {
    let first = bind("127.0.0.1:0");
    let error = Udp::bind(first.local_addr(), None).expect_err("in use");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert_eq!(
        error.to_string(),
        format!(
            "udp {}: address already in use; another program (or another Switchhook) holds this \
             port: stop it or choose another port in [sip] udp",
            first.local_addr()
        )
    );
}

#[tokio::test]
async fn a_flow_advertises_an_address_that_the_remote_can_answer_to() {
    let any: SocketAddr = "0.0.0.0:0".parse().expect("a literal");
    let remote: SocketAddr = "127.0.0.1:5060".parse().expect("a literal");
    let external: IpAddr = "203.0.113.5".parse().expect("a literal");

    let udp = Udp::bind(any, None).expect("a free port");
    let local = udp.flow_to(remote).local;
    assert_eq!((local.ip(), local.port()), (remote.ip(), udp.local_addr().port()));
    assert_ne!(local.port(), 0);

    let udp = Udp::bind(any, Some(external)).expect("a free port");
    assert_eq!(udp.flow_to(remote).local.ip(), external);

    let udp = bind("127.0.0.1:0");
    assert_eq!(udp.flow_to("192.0.2.1:5060".parse().expect("a literal")).local, udp.local_addr());
}

#[tokio::test]
async fn a_socket_on_every_ipv6_address_carries_ipv4_too() {
    let udp = bind("[::]:0");
    let (phone, address) = peer("127.0.0.1:0");
    let port = udp.local_addr().port();
    phone.send_to(b"OPTIONS", ("127.0.0.1", port)).expect("loopback takes it");
    let mut inbox = Inbox::new();
    receive(&udp, &mut inbox).await;
    let (flow, _) = inbox.datagrams().next().expect("one message");
    assert_eq!(flow.remote, address, "in its own form, not mapped");
    assert_eq!(flow.local, SocketAddr::from(([127, 0, 0, 1], port)));
    udp.send(&Transmit { flow, bytes: b"200".as_slice().into(), otherwise: None }).expect("sent");
    assert_eq!(phone.recv(&mut [0; 8]).expect("a reply"), 3);
}

#[tokio::test]
async fn datagrams_that_can_be_no_message_are_left_out() {
    let udp = bind("127.0.0.1:0");
    let (phone, _) = peer("127.0.0.1:0");
    phone.send_to(b"", udp.local_addr()).expect("loopback takes it");
    phone.send_to(b"BYE", udp.local_addr()).expect("loopback takes it");
    let mut inbox = Inbox::new();
    let mut heard = Vec::new();
    while heard.is_empty() {
        receive(&udp, &mut inbox).await;
        heard.extend(inbox.datagrams().map(|(_, bytes)| bytes.to_vec()));
    }
    assert_eq!(heard, [b"BYE".to_vec()]);
}
