//! What a message costs to read and to write, and a whole call between two endpoints.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sip::{
    Builder, Config, Endpoint, Event, Flow, Invite, InviteId, Message, Method, Respond, Transport,
};

/// An INVITE as carriers send them, 1,234 bytes on the wire.
const INVITE: &str = include_str!("../tests/carrier_invite.sip");

fn read(criterion: &mut Criterion) {
    let datagram = INVITE.replace('\n', "\r\n").into_bytes();
    let mut group = criterion.benchmark_group("message");
    group.throughput(Throughput::Bytes(datagram.len() as u64));
    group.bench_function("parse an INVITE of 1,234 bytes", |bencher| {
        bencher.iter(|| Message::parse(black_box(&datagram)).expect("it is sound"));
    });
    let message = Message::parse(&datagram).expect("it is sound");
    group.bench_function("check what every request must hold", |bencher| {
        bencher.iter(|| black_box(&message).check());
    });
    group.finish();
}

fn write(criterion: &mut Criterion) {
    let datagram = INVITE.replace('\n', "\r\n").into_bytes();
    let invite = Message::parse(&datagram).expect("it is sound");
    let source = "203.0.113.5:5060".parse().expect("an address");
    let mut group = criterion.benchmark_group("message");
    group.bench_function("write a 180", |bencher| {
        bencher.iter(|| {
            let response = Builder::response_to(black_box(&invite), 180, None);
            response.to_tag("8f2a").source(source).build().expect("it can be written")
        });
    });
    group.bench_function("write an INVITE", |bencher| {
        bencher.iter(|| {
            let request = Builder::request(Method::Invite, "sip:+12125550142@198.51.100.20")
                .header("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0cB2a3f4e5d6;rport")
                .header("Max-Forwards", 69)
                .header("From", "\"MILLER JOAN\" <sip:+13125550107@192.0.2.1>;tag=gK0c4f1a2b")
                .header("To", "<sip:+12125550142@198.51.100.20>")
                .header("Call-ID", "1543209876_120394857@192.0.2.1")
                .header("CSeq", "718293 INVITE")
                .header("Contact", "<sip:192.0.2.1:5060>")
                .body("application/sdp", black_box(invite.body()));
            request.build().expect("it can be written")
        });
    });
    group.finish();
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Two endpoints and no network between them: what one sends the other gets at once.
struct Pair {
    now: Instant,
    ends: [(SocketAddr, Endpoint); 2],
}

#[allow(clippy::disallowed_methods, reason = "the epoch of the virtual clock")]
fn epoch() -> Instant {
    Instant::now()
}

impl Pair {
    fn new() -> Pair {
        let end = |at: &str, seed| (address(at), Endpoint::new(Config::default(), seed));
        Pair { now: epoch(), ends: [end("192.0.2.1:5060", 1), end("198.51.100.2:5060", 2)] }
    }

    /// Delivers until nobody sends.
    fn deliver(&mut self) {
        let mut quiet = false;
        while !quiet {
            quiet = true;
            for from in [0, 1] {
                while let Some(transmit) = self.ends[from].1.poll_transmit() {
                    quiet = false;
                    let (local, peer) = (transmit.flow.remote, &mut self.ends[1 - from].1);
                    let flow = Flow { local, remote: transmit.flow.local, ..transmit.flow };
                    peer.handle_datagram(self.now, flow, &transmit.bytes);
                }
            }
        }
    }

    fn called(&mut self) -> InviteId {
        while let Some(event) = self.ends[1].1.poll_event() {
            if let Event::Invite { id, .. } = event {
                return id;
            }
        }
        panic!("no INVITE arrived");
    }

    /// INVITE, 100, 180, 200, ACK, BYE, 200: fourteen times written or read.
    fn call(&mut self, invite: Invite) {
        let caller = self.ends[0].1.invite(self.now, invite);
        self.deliver();
        let callee = self.called();
        self.ends[1].1.respond(self.now, callee, Respond::status(180));
        let answer = Respond {
            content_type: Some("application/sdp".to_owned()),
            body: b"v=0\r\n".to_vec(),
            ..Respond::status(200)
        };
        self.ends[1].1.respond(self.now, callee, answer);
        self.deliver();
        self.ends[0].1.bye(self.now, caller, &[]);
        self.deliver();
        assert!(self.ends[0].1.counts().dialogs == 0, "the call did not end");
    }

    /// Lets every timer run out, so that the next call finds nothing.
    fn forget(&mut self) {
        for (_, end) in &mut self.ends {
            while let Some(due) = end.poll_timeout() {
                self.now = self.now.max(due);
                end.handle_timeout(self.now);
            }
            while end.poll_transmit().is_some() || end.poll_event().is_some() {}
            assert!(end.is_idle());
        }
    }
}

fn call(criterion: &mut Criterion) {
    let mut pair = Pair::new();
    let flow = Flow { transport: Transport::Udp, local: pair.ends[0].0, remote: pair.ends[1].0 };
    let invite = Invite {
        flow,
        large: None,
        request_uri: "sip:bob@198.51.100.2".to_owned(),
        from: "\"Alice\" <sip:alice@192.0.2.1>".to_owned(),
        to: "<sip:bob@198.51.100.2>".to_owned(),
        contact_user: None,
        route: Vec::new(),
        max_forwards: 70,
        headers: Vec::new(),
        content_type: "application/sdp",
        body: b"v=0\r\n".to_vec(),
    };
    criterion.bench_function("a call between two endpoints, both sides, to the last timer", |b| {
        b.iter(|| {
            pair.call(invite.clone());
            pair.forget();
        });
    });
}

criterion_group!(benches, read, write, call);
criterion_main!(benches);
