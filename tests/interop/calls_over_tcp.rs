//! Whole calls over TCP through the running switch: sipp calls, sipp answers, a phone registers and
//! is called back over its connection.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sip::auth::digest;
use sip::framing::{Frame, Framer};
use sip::{Builder, Message, Method};

/// Longest that anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A carrier calls from here, and nobody else.
const CARRIER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 7);

const CALLER: &str = include_str!("scenarios/caller_by_any_transport.xml");
const CALLEE: &str = include_str!("scenarios/callee_by_any_transport.xml");

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A directory of this test.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("over-tcp").join(name);
    let _absent = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a directory");
    folder
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port")
}

/// Ends with the test that started it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

struct Switch {
    child: Running,
    log: PathBuf,
    udp: Option<SocketAddr>,
    tcp: SocketAddr,
}

impl Switch {
    /// A switch on free ports whose application is this list of verbs.
    fn start(folder: &Path, sip: &str, list: &str, more: &str) -> Switch {
        Switch::start_at("127.0.0.1", folder, sip, list, more)
    }

    /// The same, with its audio there.
    fn start_at(media: &str, folder: &Path, sip: &str, list: &str, more: &str) -> Switch {
        fs::write(folder.join("list.json"), list).expect("written");
        let text = format!(
            // why: a call is over when its transactions are, 64*T1 after its answer.
            "[sip]\n{sip}\nt1_ms = 100\n[media]\naddress = \"{media}\"\nports = \"24000-27999\"\n\
             [http]\nlisten = \"127.0.0.1:0\"\n[limits]\ncalls = 500\n\
             [[application]]\nname = \"main\"\napp_json = \"list.json\"\n\
             [[carrier]]\nname = \"in\"\napplication = \"main\"\n\
             gateway = [{{ host = \"{CARRIER}\", outbound = false }}]\n\
             {more}"
        );
        let config = folder.join("switchhook.toml");
        fs::write(&config, text).expect("written");
        let log = folder.join("switch.log");
        let out = File::create(&log).expect("written");
        let child = Command::new(env!("CARGO_BIN_EXE_switchhook"))
            .args(["serve", "--config"])
            .arg(&config)
            .env_clear()
            .stdout(out.try_clone().expect("a file"))
            .stderr(out)
            .spawn()
            .expect("the binary runs");
        let mut child = Running(child);
        let (udp, tcp) = wait_for("the switch to be up", || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            assert!(child.0.try_wait().expect("a child").is_none(), "{text}");
            let after = |word: &str| {
                let rest = text.split_once(word)?.1;
                rest.split([')', ',']).next()?.parse().ok()
            };
            text.contains("  web ").then(|| (after("udp "), after("tcp ").expect("tcp is on")))
        });
        Switch { child, log, udp, tcp }
    }

    /// Ends it, which must go well and find no call.
    fn ends(mut self) {
        let command = format!("kill -TERM {}", self.child.0.id());
        let told = Command::new("sh").args(["-c", &command]).status();
        assert!(told.expect("a shell is there").success());
        let status = wait_for("the end", || self.child.0.try_wait().expect("a child"));
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        assert!(status.success() && !log.contains("panicked") && !log.contains("a bug"), "{log}");
    }
}

/// A sipp that runs a scenario.
struct Sipp {
    child: Running,
    files: PathBuf,
}

impl Sipp {
    fn start(folder: &Path, name: &str, scenario: &str, local: SocketAddr, more: &[&str]) -> Sipp {
        let files = folder.join(name);
        fs::write(files.with_extension("xml"), scenario).expect("written");
        let out = File::create(files.with_extension("out")).expect("written");
        let child = Command::new("sipp")
            .args(["-nostdin", "-skip_rlimit", "-bind_local", "-timeout_error", "-timeout", "50s"])
            .args(["-i", &local.ip().to_string(), "-p", &local.port().to_string()])
            .args(["-trace_msg", "-trace_err", "-sf"])
            .arg(files.with_extension("xml"))
            .arg("-message_file")
            .arg(files.with_extension("messages"))
            .arg("-error_file")
            .arg(files.with_extension("errors"))
            .args(more)
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a file"))
            .stderr(out)
            .spawn()
            .expect("sipp is not there: install the Debian package sip-tester, or run make test");
        Sipp { child: Running(child), files }
    }

    /// One that waits for calls over TCP.
    fn callee(folder: &Path, local: SocketAddr, calls: u32) -> Sipp {
        let calls = calls.to_string();
        let sipp = Sipp::start(folder, "callee", CALLEE, local, &["-t", "t1", "-m", &calls]);
        wait_for("sipp to listen", || listens(local).then_some(()));
        sipp
    }

    fn text(&self, end: &str) -> String {
        let bytes = fs::read(self.files.with_extension(end)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for its end, which must be a success; every message it saw.
    fn finishes(mut self) -> String {
        let status = wait_for("the end of sipp", || self.child.0.try_wait().expect("a child"));
        let messages = self.text("messages");
        assert!(status.success(), "{}\n{messages}{}", self.text("errors"), self.text("out"));
        messages
    }
}

/// Whether somebody listens there; asking by connecting would be a call.
fn listens(address: SocketAddr) -> bool {
    let SocketAddr::V4(v4) = address else { return false };
    // proc(5): the address as a number in the byte order of the machine; 0A is LISTEN.
    let number = u32::from_ne_bytes(v4.ip().octets());
    let any = format!("00000000:{:04X}", v4.port());
    let wanted = format!("{number:08X}:{:04X}", v4.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    table.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let local = words.next().unwrap_or_default();
        (local == wanted || local == any) && words.nth(1) == Some("0A")
    })
}

fn calls(folder: &Path, to: SocketAddr, transport: &str, calls: u32, rate: u32) -> Sipp {
    calls_with(folder, to, transport, "X-Test: yes", &[&calls.to_string(), &rate.to_string()])
}

fn calls_with(
    folder: &Path,
    to: SocketAddr,
    transport: &str,
    more: &str,
    size: &[&str; 2],
) -> Sipp {
    let local = SocketAddr::new(CARRIER.into(), free_address().port());
    let scenario = CALLER.replace("{{more}}", more);
    let to = to.to_string();
    let [calls, rate] = *size;
    Sipp::start(
        folder,
        "caller",
        &scenario,
        local,
        &["-t", transport, "-m", calls, "-r", rate, &to],
    )
}

fn dial(target: &str) -> String {
    format!(r#"[{{"verb": "dial", "answerOnBridge": true, "target": [{target}]}}]"#)
}

fn received(messages: &str, method: &str) -> Vec<String> {
    let blocks = messages.split("-----------------------------------------------");
    let received = blocks.filter(|block| block.contains("received ["));
    received
        .filter_map(|block| block.find(method).map(|at| block[at..].to_owned()))
        .filter(|text| text.starts_with(method))
        .collect()
}

const TCP_ALONE: &str = "tcp = \"127.0.0.1:0\"";
const BOTH: &str = "udp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"";

#[test]
fn a_call_goes_in_and_out_over_tcp_where_there_is_no_udp() {
    let folder = folder("alone");
    let bert = free_address();
    let target = format!(r#"{{"type": "sip", "sipUri": "sip:bert@{bert};transport=tcp"}}"#);
    let switch = Switch::start(&folder, TCP_ALONE, &dial(&target), "");
    assert_eq!(switch.udp, None);
    let callee = Sipp::callee(&folder, bert, 1);
    let caller = calls(&folder, switch.tcp, "t1", 1, 1).finishes();
    let seen = callee.finishes();

    let invite = received(&seen, "INVITE ").remove(0);
    assert!(invite.contains(&format!("Via: SIP/2.0/TCP {}", switch.tcp)), "{invite}");
    assert!(invite.contains(&format!("@{};transport=tcp>", switch.tcp)), "Contact: {invite}");
    assert!(invite.starts_with(&format!("INVITE sip:bert@{bert};transport=tcp ")), "{invite}");
    assert!(invite.contains(&format!("To: <sip:bert@{bert}>")), "{invite}");
    assert_eq!(received(&seen, "INVITE ").len(), 1);
    assert_eq!(received(&seen, "BYE ").len(), 1);
    let answer = received(&caller, "SIP/2.0 200 OK").remove(0);
    assert!(answer.contains("transport=tcp>"), "{answer}");
    switch.ends();
}

#[test]
fn many_calls_share_two_connections() {
    let folder = folder("many");
    let bert = free_address();
    let target = format!(r#"{{"type": "sip", "sipUri": "sip:bert@{bert};transport=tcp"}}"#);
    let switch = Switch::start(&folder, TCP_ALONE, &dial(&target), "");
    let callee = Sipp::callee(&folder, bert, 100);
    let caller = calls(&folder, switch.tcp, "t1", 100, 50);
    let from_switch = wait_for("the first call", || {
        let callers = received(&callee.text("messages"), "INVITE ").len();
        (callers > 0).then(|| established(bert.port()))
    });
    assert_eq!(from_switch, 1, "connections to the callee");
    caller.finishes();
    let seen = callee.finishes();
    for method in ["INVITE ", "ACK ", "BYE "] {
        assert_eq!(received(&seen, method).len(), 100, "{method}");
    }
    switch.ends();
}

/// Connections that stand with this local port.
fn established(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let end = format!(":{port:04X}");
    let stands = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.len() > 3 && words[1].ends_with(&end) && words[3] == "01"
    };
    table.lines().filter(stands).count()
}

#[test]
fn a_carrier_is_called_over_tcp_where_its_gateway_says_so() {
    let folder = folder("carrier");
    let carrier = free_address();
    let more = format!(
        "[[carrier]]\nname = \"out\"\n[[carrier.gateway]]\nhost = \"127.0.0.1\"\nport = {}\n\
         transport = \"tcp\"\ninbound = false\n",
        carrier.port()
    );
    let target = r#"{"type": "phone", "number": "+4930999888", "trunk": "out"}"#;
    let switch = Switch::start(&folder, BOTH, &dial(target), &more);
    let callee = Sipp::callee(&folder, carrier, 1);
    calls(&folder, switch.udp.expect("udp is on"), "u1", 1, 1).finishes();
    let invite = received(&callee.finishes(), "INVITE ").remove(0);
    assert!(invite.starts_with(&format!("INVITE sip:4930999888@{carrier} ")), "{invite}");
    assert!(invite.contains("Via: SIP/2.0/TCP "), "{invite}");
    switch.ends();
}

#[test]
fn only_a_call_that_is_too_long_for_a_datagram_takes_tcp_by_itself() {
    let folder = folder("long");
    let bert = free_address();
    let headers = format!(r#"{{"X-Long": "{}"}}"#, "x".repeat(1_200));
    let target = format!(r#"{{"type": "sip", "sipUri": "sip:bert@{bert}", "headers": {headers}}}"#);
    let switch = Switch::start(&folder, BOTH, &dial(&target), "");
    let callee = Sipp::callee(&folder, bert, 1);
    calls(&folder, switch.tcp, "t1", 1, 1).finishes();
    callee.finishes();

    // Nobody listens there any more: the same INVITE comes as a datagram.
    let name = "callee-udp";
    let callee = Sipp::start(&folder, name, CALLEE, bert, &["-t", "u1", "-m", "1"]);
    wait_for("sipp to receive", || {
        let table = fs::read_to_string("/proc/net/udp").unwrap_or_default();
        table.contains(&format!(":{:04X} ", bert.port())).then_some(())
    });
    calls(&folder, switch.tcp, "t1", 1, 1).finishes();
    let invite = received(&callee.finishes(), "INVITE ").remove(0);
    assert!(invite.contains("Via: SIP/2.0/UDP ") && invite.contains("X-Long: xxx"), "{invite}");
    switch.ends();
}

/// A phone that opened a connection.
struct Phone {
    stream: TcpStream,
    framer: Framer,
}

impl Phone {
    fn receive(&mut self) -> Message {
        loop {
            match self.framer.next_frame().expect("a sound stream") {
                Some(Frame::Message(bytes)) => return Message::parse(&bytes).expect("a message"),
                Some(Frame::Ping) => {}
                None => {
                    let mut bytes = [0; 4096];
                    let read = self.stream.read(&mut bytes).expect("bytes in time");
                    assert_ne!(read, 0, "the switch has closed the connection");
                    self.framer.push(&bytes[..read]);
                }
            }
        }
    }

    fn send(&mut self, message: &Message) {
        self.stream.write_all(message.as_bytes()).expect("the switch reads");
    }

    /// REGISTER with a Contact that leads nowhere, as phones behind NAT have.
    fn register(&mut self, cseq: u32, credentials: Option<String>) -> Message {
        let here = self.stream.local_addr().expect("connected");
        let mut request = Builder::request(Method::Register, "sip:127.0.0.1")
            .header("Via", format!("SIP/2.0/TCP {here};branch=z9hG4bK-jane-{cseq}"))
            .header("Max-Forwards", 70)
            .header("From", "<sip:jane@127.0.0.1>;tag=jane")
            .header("To", "<sip:jane@127.0.0.1>")
            .header("Call-ID", "register-jane")
            .header("CSeq", format!("{cseq} REGISTER"))
            .header("Contact", "<sip:jane@phone.invalid;transport=tcp>;expires=600");
        if let Some(credentials) = credentials {
            request = request.header("Authorization", credentials);
        }
        self.send(&request.build().expect("a request"));
        self.receive()
    }

    fn answers(&mut self, request: &Message, status: u16, body: &str) {
        let mut response = Builder::response_to(request, status, None).to_tag("jane");
        if status == 200 && request.is(&Method::Invite) {
            let contact = "<sip:jane@phone.invalid;transport=tcp>";
            response = response.header("Contact", contact);
            response = response.body("application/sdp", body.as_bytes());
        }
        self.send(&response.build().expect("a response"));
    }
}

#[test]
fn a_registered_phone_is_called_over_the_connection_it_opened() {
    let folder = folder("phone");
    let more = "[[client]]\nusername = \"jane\"\npassword = \"secret\"\n";
    let target = r#"{"type": "user", "name": "jane"}"#;
    let switch = Switch::start(&folder, TCP_ALONE, &dial(target), more);
    let stream = TcpStream::connect(switch.tcp).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
    let mut phone = Phone { stream, framer: Framer::new() };

    let challenged = phone.register(1, None);
    let challenge = challenged.header_text("WWW-Authenticate").expect("a challenge").into_owned();
    let uri = "sip:127.0.0.1";
    let answer = digest::answer(&challenge, &Method::Register, uri, "jane", "secret", "jane", 1);
    let registered = phone.register(2, Some(answer.expect("an answer")));
    assert_eq!(registered.status(), Some(200), "{}", registered.reason());
    assert_eq!(registered.header_text("Expires").expect("granted"), "600", "not as over UDP");
    phone.stream.write_all(b"\r\n\r\n").expect("the switch reads");
    let mut pong = [0; 2];
    phone.stream.read_exact(&mut pong).expect("a pong in time");
    assert_eq!(&pong, b"\r\n");

    let caller = calls(&folder, switch.tcp, "t1", 1, 1);
    let invite = phone.receive();
    assert!(invite.is(&Method::Invite));
    assert_eq!(invite.top_via().expect("a Via").transport, "TCP");
    let sdp = "v=0\r\no=jane 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
               m=audio 40004 RTP/AVP 0\r\n";
    phone.answers(&invite, 180, "");
    phone.answers(&invite, 200, sdp);
    assert!(phone.receive().is(&Method::Ack));
    let bye = phone.receive();
    assert!(bye.is(&Method::Bye));
    phone.answers(&bye, 200, "");
    caller.finishes();
    switch.ends();
}

/// An INVITE of the carrier's over a connection.
fn invite(from: SocketAddr) -> Message {
    let sdp = "v=0\r\no=anna 1 1 IN IP4 127.0.0.7\r\ns=-\r\nc=IN IP4 127.0.0.7\r\nt=0 0\r\n\
               m=audio 40000 RTP/AVP 0\r\n";
    let request = Builder::request(Method::Invite, "sip:100@127.0.0.1")
        .header("Via", format!("SIP/2.0/TCP {from};branch=z9hG4bK-anna"))
        .header("Max-Forwards", 70)
        .header("From", "<sip:anna@127.0.0.7>;tag=anna")
        .header("To", "<sip:100@127.0.0.1>")
        .header("Call-ID", "reset")
        .header("CSeq", "1 INVITE")
        .header("Contact", format!("<sip:anna@{from};transport=tcp>"));
    request.body("application/sdp", sdp.as_bytes()).build().expect("a request")
}

/// A connection to the switch from the address of the carrier.
fn connects_as_carrier(to: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    socket.bind(&SocketAddr::new(CARRIER.into(), 0).into()).expect("an address of this machine");
    socket.connect(&to.into()).expect("it listens");
    // A connection that is closed so is reset.
    socket.set_linger(Some(Duration::ZERO)).expect("a socket option");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
    stream
}

#[test]
fn a_caller_whose_connection_is_reset_has_left_where_it_cannot_be_reached() {
    let folder = folder("reset");
    let bert = free_address();
    let target = format!(r#"{{"type": "sip", "sipUri": "sip:bert@{bert};transport=tcp"}}"#);
    let switch = Switch::start(&folder, TCP_ALONE, &dial(&target), "");
    let listener = TcpListener::bind(bert).expect("the port is free");
    let mut caller = Phone { stream: connects_as_carrier(switch.tcp), framer: Framer::new() };
    let here = caller.stream.local_addr().expect("connected");
    caller.send(&invite(here));
    assert_eq!(caller.receive().status(), Some(100));
    let (stream, _) = listener.accept().expect("a call");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
    let mut callee = Phone { stream, framer: Framer::new() };
    let invite = callee.receive();
    callee.answers(&invite, 180, "");
    assert_eq!(caller.receive().status(), Some(180));
    drop(caller);
    let cancel = callee.receive();
    assert!(cancel.is(&Method::Cancel), "nobody waits for an answer any more");
    callee.answers(&cancel, 200, "");
    callee.answers(&invite, 487, "");
    assert!(callee.receive().is(&Method::Ack));
    switch.ends();
}

#[test]
fn a_gateway_that_takes_no_connection_gives_way_to_the_next() {
    let folder = folder("silent");
    let bert = free_address();
    // A listener whose queue is full lets nobody in, and refuses nobody.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("a literal");
    socket.bind(&any.into()).expect("a free port");
    socket.listen(0).expect("it listens");
    let silent = socket.local_addr().expect("bound").as_socket().expect("IP");
    let _first = TcpStream::connect(silent).expect("the one place");
    let gateway = |to: SocketAddr, priority: u8| {
        format!(
            "[[carrier.gateway]]\nhost = \"127.0.0.1\"\nport = {}\ntransport = \"tcp\"\n\
             inbound = false\npriority = {priority}\n",
            to.port()
        )
    };
    let more = format!("[[carrier]]\nname = \"out\"\n{}{}", gateway(silent, 0), gateway(bert, 1));
    let target = r#"{"type": "phone", "number": "+4930999888", "trunk": "out"}"#;
    let switch = Switch::start(&folder, TCP_ALONE, &dial(target), &more);
    let callee = Sipp::callee(&folder, bert, 1);
    let start = Instant::now();
    calls(&folder, switch.tcp, "t1", 1, 1).finishes();
    assert!(start.elapsed() < Duration::from_secs(20), "not after a transaction's 32 s");
    callee.finishes();
    switch.ends();
}

#[test]
fn a_call_over_ipv4_reaches_a_connection_over_ipv6() {
    let folder = folder("families");
    let listener = TcpListener::bind("[::1]:0").expect("loopback of IPv6");
    let bert = listener.local_addr().expect("bound");
    let target = format!(r#"{{"type": "sip", "sipUri": "sip:bert@{bert};transport=tcp"}}"#);
    let any = "tcp = \"[::]:0\"";
    let switch = Switch::start_at("::", &folder, any, &dial(&target), "");
    let port = switch.tcp.port();
    let caller = calls(&folder, SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), "t1", 1, 1);
    let (stream, from) = listener.accept().expect("a call");
    assert_eq!(from.ip(), bert.ip());
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
    let mut callee = Phone { stream, framer: Framer::new() };
    let invite = callee.receive();
    assert_eq!(invite.request_uri().expect("a URI"), format!("sip:bert@{bert};transport=tcp"));
    let via = invite.header_text("Via").expect("a Via").into_owned();
    assert!(via.starts_with(&format!("SIP/2.0/TCP [::1]:{port};")), "{via}");
    let body = String::from_utf8_lossy(invite.body()).into_owned();
    assert!(body.contains("c=IN IP6 ::1\r\n"), "{body}");
    let sdp = "v=0\r\no=bert 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\n\
               m=audio 40006 RTP/AVP 0\r\n";
    callee.answers(&invite, 200, sdp);
    assert!(callee.receive().is(&Method::Ack));
    let bye = callee.receive();
    assert!(bye.is(&Method::Bye));
    callee.answers(&bye, 200, "");
    let answer = received(&caller.finishes(), "SIP/2.0 200 OK").remove(0);
    assert!(answer.contains("c=IN IP4 127.0.0.1"), "{answer}");
    switch.ends();
}
