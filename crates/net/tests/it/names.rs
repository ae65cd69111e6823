//! Names become addresses by a name server of the test's own, on loopback.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use net::sip::{LOOKUP_TIMEOUT, ResolveError, Resolver};
use sip::Transport;
use tokio::net::UdpSocket;

const HOSTS: &str = "127.0.0.1 localhost\n::1 localhost\n192.0.2.77 pbx.example pbx\n";

/// What the server knows, and how often it was asked.
#[derive(Default)]
struct Zone {
    records: BTreeMap<(String, RecordType), Vec<RData>>,
    /// Names that are never answered.
    silent: Vec<String>,
    /// Names that the server fails at.
    broken: Vec<String>,
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.").replace("..", ".")).unwrap()
}

impl Zone {
    fn with(mut self, of: &str, data: RData) -> Zone {
        self.records.entry((of.to_owned(), data.record_type())).or_default().push(data);
        self
    }

    fn a(self, of: &str, address: &str) -> Zone {
        self.with(of, RData::A(A(address.parse().unwrap())))
    }

    fn aaaa(self, of: &str, address: &str) -> Zone {
        self.with(of, RData::AAAA(AAAA(address.parse().unwrap())))
    }

    fn srv(self, of: &str, priority: u16, port: u16, target: &str) -> Zone {
        self.with(of, RData::SRV(SRV::new(priority, 1, port, name(target))))
    }

    fn naptr(self, of: &str, order: u16, services: &str, replacement: &str) -> Zone {
        let bytes = |text: &str| text.as_bytes().to_vec().into_boxed_slice();
        let data = NAPTR::new(order, 1, bytes("s"), bytes(services), bytes(""), name(replacement));
        self.with(of, RData::NAPTR(data))
    }

    fn answer(&self, request: &Message) -> Option<Vec<u8>> {
        let query: &Query = request.queries.first()?;
        let asked = query.name().to_ascii().trim_end_matches('.').to_lowercase();
        if self.silent.contains(&asked) {
            return None;
        }
        let mut response = Message::response(request.metadata.id, request.metadata.op_code);
        response.add_query(query.clone());
        response.metadata.recursion_available = true;
        if self.broken.contains(&asked) {
            response.metadata.response_code = ResponseCode::ServFail;
        }
        let known = self.records.get(&(asked.clone(), query.query_type()));
        for data in known.into_iter().flatten() {
            response.add_answer(Record::from_rdata(query.name().clone(), 300, data.clone()));
        }
        if !self.records.keys().any(|(name, _)| *name == asked) && !self.broken.contains(&asked) {
            response.metadata.response_code = ResponseCode::NXDomain;
        }
        Some(response.to_vec().unwrap())
    }
}

/// A resolver of a switch that speaks UDP alone, which asks a server that serves this zone, and the
/// number of questions so far.
async fn serve(zone: Zone) -> (Resolver, Arc<AtomicUsize>) {
    serve_over(zone, vec![Transport::Udp]).await
}

async fn serve_over(zone: Zone, transports: Vec<Transport>) -> (Resolver, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
            counter.fetch_add(1, Ordering::Relaxed);
            let request = Message::from_vec(&buffer[..len]).unwrap();
            if let Some(answer) = zone.answer(&request) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    (Resolver::with_server(at, HOSTS, transports).unwrap(), asked)
}

async fn found(resolver: &Resolver, host: &str, port: Option<u16>) -> Vec<String> {
    let hops = resolver.resolve(host, port, None).await.unwrap_or_else(|error| panic!("{error}"));
    hops.iter().map(|hop| hop.address.to_string()).collect()
}

/// With the transport of each.
async fn ways(resolver: &Resolver, host: &str, transport: Option<Transport>) -> Vec<String> {
    let hops = resolver.resolve(host, None, transport).await;
    let hops = hops.unwrap_or_else(|error| panic!("{error}"));
    let text = hops.iter().map(|hop| format!("{} {}", hop.transport.uri_parameter(), hop.address));
    text.collect()
}

async fn failure(resolver: &Resolver, host: &str) -> ResolveError {
    resolver.resolve(host, None, None).await.expect_err("no address")
}

/// Services by NAPTR, services by SRV alone, and an address alone.
fn zone() -> Zone {
    Zone::default()
        .naptr("carrier.example", 10, "SIPS+D2T", "_sips._tcp.carrier.example")
        .naptr("carrier.example", 30, "SIP+D2U", "late.example")
        .naptr("carrier.example", 20, "SIP+D2U", "_sip._udp.edge.example")
        .srv("_sip._udp.edge.example", 2, 5080, "two.example")
        .srv("_sip._udp.edge.example", 1, 5070, "one.example")
        .srv("late.example", 1, 5090, "one.example")
        .srv("_sip._udp.carrier.example", 1, 1, "never.example")
        .srv("_sip._udp.plain.example", 1, 5071, "one.example")
        .srv("_sip._udp.closed.example", 0, 0, ".")
        .a("one.example", "192.0.2.1")
        .aaaa("one.example", "2001:db8::1")
        .a("two.example", "192.0.2.2")
        .a("two.example", "192.0.2.3")
        .a("plain.example", "192.0.2.9")
        .a("bare.example", "192.0.2.4")
}

#[tokio::test]
async fn a_literal_asks_nobody() {
    let (resolver, asked) = serve(zone()).await;
    assert_eq!(found(&resolver, "192.0.2.7", None).await, ["192.0.2.7:5060"]);
    assert_eq!(found(&resolver, "192.0.2.7", Some(5080)).await, ["192.0.2.7:5080"]);
    assert_eq!(found(&resolver, "[2001:db8::7]", None).await, ["[2001:db8::7]:5060"]);
    assert_eq!(found(&resolver, "2001:db8::7", None).await, ["[2001:db8::7]:5060"]);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn naptr_leads_to_srv_and_srv_to_addresses_in_order() {
    let (resolver, _) = serve(zone()).await;
    let expected = [
        "192.0.2.1:5070",
        "[2001:db8::1]:5070",
        "192.0.2.2:5080",
        "192.0.2.3:5080",
        "192.0.2.1:5090",
        "[2001:db8::1]:5090",
    ];
    assert_eq!(found(&resolver, "carrier.example", None).await, expected);
    assert_eq!(found(&resolver, "Carrier.Example.", None).await, expected);
}

#[tokio::test]
async fn without_naptr_the_service_of_udp_is_asked_for() {
    let (resolver, _) = serve(zone()).await;
    let expected = ["192.0.2.1:5071", "[2001:db8::1]:5071"];
    assert_eq!(found(&resolver, "plain.example", None).await, expected);
}

#[tokio::test]
async fn without_services_the_name_itself_is_the_host() {
    let (resolver, _) = serve(zone()).await;
    assert_eq!(found(&resolver, "bare.example", None).await, ["192.0.2.4:5060"]);
}

#[tokio::test]
async fn a_port_needs_no_services() {
    let (resolver, asked) = serve(zone()).await;
    assert_eq!(found(&resolver, "plain.example", Some(5060)).await, ["192.0.2.9:5060"]);
    assert!(asked.load(Ordering::Relaxed) <= 2, "A and AAAA");
}

#[tokio::test]
async fn the_hosts_file_comes_before_dns() {
    let (resolver, asked) = serve(zone().a("pbx.example", "192.0.2.66")).await;
    assert_eq!(found(&resolver, "pbx", None).await, ["192.0.2.77:5060"]);
    assert_eq!(found(&resolver, "pbx.example", Some(5070)).await, ["192.0.2.77:5070"]);
    let localhost = found(&resolver, "localhost", None).await;
    assert_eq!(localhost, ["127.0.0.1:5060", "[::1]:5060"]);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn the_hosts_file_of_this_machine_is_read() {
    let found =
        found(&Resolver::system(false, vec![Transport::Udp]), "localhost", Some(5060)).await;
    assert!(found.contains(&"127.0.0.1:5060".to_owned()), "{found:?}");
}

#[tokio::test]
async fn an_answer_is_remembered() {
    let (resolver, asked) = serve(zone()).await;
    let expected = ["192.0.2.1:5060", "[2001:db8::1]:5060"];
    assert_eq!(found(&resolver, "one.example", Some(5060)).await, expected);
    let questions = asked.load(Ordering::Relaxed);
    assert_eq!(questions, 2, "A and AAAA");
    assert_eq!(found(&resolver, "one.example", Some(5060)).await, expected);
    assert_eq!(asked.load(Ordering::Relaxed), questions);
}

#[tokio::test]
async fn a_name_that_is_not_there_is_an_error_that_says_what_was_asked() {
    let (resolver, _) = serve(zone()).await;
    let error = failure(&resolver, "nobody.example").await;
    assert_eq!(
        error.to_string(),
        "host nobody.example: A and AAAA of nobody.example: there is none; check the name"
    );
}

#[tokio::test]
async fn a_service_that_is_declared_absent_is_not_called() {
    let (resolver, _) = serve(zone().a("closed.example", "192.0.2.5")).await;
    let error = failure(&resolver, "closed.example").await;
    assert_eq!(
        error.to_string(),
        "host closed.example: SRV of _sip._udp.closed.example: says that SIP over UDP is not \
         offered"
    );
}

#[tokio::test]
async fn a_server_that_fails_is_named_with_its_question() {
    let mut zone = zone();
    zone.broken = vec!["_sip._udp.bare.example".to_owned()];
    let (resolver, _) = serve(zone).await;
    let error = failure(&resolver, "bare.example").await.to_string();
    assert!(error.starts_with("host bare.example: SRV of _sip._udp.bare.example: "), "{error}");
}

#[tokio::test]
async fn a_server_that_cannot_do_naptr_is_asked_on() {
    let mut zone = zone();
    zone.broken = vec!["plain.example".to_owned()];
    let (resolver, _) = serve(zone).await;
    assert_eq!(found(&resolver, "plain.example", None).await[0], "192.0.2.1:5071");
}

#[tokio::test]
async fn a_service_without_address_does_not_hide_the_others() {
    let zone = zone().srv("_sip._udp.plain.example", 0, 5072, "gone.example");
    let (resolver, _) = serve(zone).await;
    assert_eq!(found(&resolver, "plain.example", None).await[0], "192.0.2.1:5071");
}

#[tokio::test]
async fn silence_ends_in_time() {
    let mut zone = zone();
    let names = ["mute.example", "_sip._udp.mute.example"];
    zone.silent = names.map(str::to_owned).to_vec();
    let (resolver, _) = serve(zone).await;
    let before = Instant::now();
    let error = failure(&resolver, "mute.example").await;
    assert!(before.elapsed() < LOOKUP_TIMEOUT * 2, "{:?}", before.elapsed());
    assert!(error.to_string().starts_with("host mute.example: "), "{error}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let zone = (1..=40)
        .fold(Zone::default(), |zone, number| zone.a("many.example", &format!("192.0.2.{number}")));
    let (resolver, _) = serve(zone).await;
    assert_eq!(found(&resolver, "many.example", Some(5060)).await.len(), 16);
}

#[tokio::test]
async fn addresses_that_nobody_has_are_left_out() {
    let zone = Zone::default().a("zero.example", "0.0.0.0").a("zero.example", "192.0.2.8");
    let (resolver, _) = serve(zone).await;
    assert_eq!(found(&resolver, "zero.example", Some(5060)).await, ["192.0.2.8:5060"]);
}

#[tokio::test]
async fn a_machine_without_name_servers_says_so() {
    // Nobody listens there.
    let closed: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let resolver = Resolver::with_server(closed, HOSTS, vec![Transport::Udp]).unwrap();
    let error = failure(&resolver, "carrier.example").await.to_string();
    assert!(error.contains("SRV of _sip._udp.carrier.example"), "{error}");
}

/// Services over both transports by NAPTR, by SRV alone, over TCP alone.
fn both_zone() -> Zone {
    Zone::default()
        .naptr("carrier.example", 10, "SIP+D2T", "_sip._tcp.edge.example")
        .naptr("carrier.example", 20, "SIP+D2U", "_sip._udp.edge.example")
        .srv("_sip._tcp.edge.example", 1, 5061, "one.example")
        .srv("_sip._udp.edge.example", 1, 5070, "one.example")
        .srv("_sip._tcp.carrier.example", 1, 5062, "two.example")
        .srv("_sip._udp.plain.example", 1, 5071, "one.example")
        .srv("_sip._tcp.plain.example", 1, 5072, "one.example")
        .srv("_sip._udp.stream.example", 1, 0, ".")
        .srv("_sip._tcp.stream.example", 1, 5073, "two.example")
        .a("one.example", "192.0.2.1")
        .a("two.example", "192.0.2.2")
        .a("stream.example", "192.0.2.3")
}

#[tokio::test]
async fn the_host_prefers_a_transport_and_the_switch_takes_what_it_speaks() {
    let both = vec![Transport::Udp, Transport::Tcp];
    for (transports, expected) in [
        (both, vec!["tcp 192.0.2.1:5061", "udp 192.0.2.1:5070"]),
        (vec![Transport::Udp], vec!["udp 192.0.2.1:5070"]),
        (vec![Transport::Tcp], vec!["tcp 192.0.2.1:5061"]),
    ] {
        let (resolver, _) = serve_over(both_zone(), transports).await;
        assert_eq!(ways(&resolver, "carrier.example", None).await, expected);
    }
}

#[tokio::test]
async fn without_naptr_the_first_transport_that_has_a_service_is_taken() {
    let (resolver, _) = serve_over(both_zone(), vec![Transport::Udp, Transport::Tcp]).await;
    assert_eq!(ways(&resolver, "plain.example", None).await, ["udp 192.0.2.1:5071"]);
    assert_eq!(ways(&resolver, "stream.example", None).await, ["tcp 192.0.2.2:5073"]);
    assert_eq!(ways(&resolver, "two.example", None).await, ["udp 192.0.2.2:5060"]);
}

#[tokio::test]
async fn a_transport_that_is_named_asks_for_its_own_service_alone() {
    let (resolver, asked) = serve_over(both_zone(), vec![Transport::Udp, Transport::Tcp]).await;
    let tcp = Some(Transport::Tcp);
    assert_eq!(ways(&resolver, "carrier.example", tcp).await, ["tcp 192.0.2.2:5062"]);
    assert_eq!(asked.load(Ordering::Relaxed), 3, "SRV, A and AAAA");
    assert_eq!(ways(&resolver, "plain.example", tcp).await, ["tcp 192.0.2.1:5072"]);
    assert_eq!(ways(&resolver, "192.0.2.7", tcp).await, ["tcp 192.0.2.7:5060"]);
    assert_eq!(ways(&resolver, "pbx", tcp).await, ["tcp 192.0.2.77:5060"]);
    let udp = resolver.resolve("stream.example", None, Some(Transport::Udp)).await;
    assert_eq!(
        udp.expect_err("declared absent").to_string(),
        "host stream.example: SRV of _sip._udp.stream.example: says that SIP over UDP is not \
         offered"
    );
}
