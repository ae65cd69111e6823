//! SIP text: messages, streams of them, URIs, addresses, digest headers.

use std::time::Duration;

use sip::auth::digest::{Credentials, answer};
use sip::framing::{Frame, Framer};
use sip::limits::{STREAM_BODY_BYTES_MAX, STREAM_HEAD_BYTES_MAX};
use sip::{
    BuildError, Builder, Challenger, Login, Message, Method, NameAddr, Params, ParseErrorKind, Uri,
    Via, redacted,
};

/// Headers that are lists of addresses.
const ADDRESS_LISTS: [&str; 4] = ["Route", "Record-Route", "Contact", "Path"];

/// A datagram: read, looked at from every side, written again and read again.
pub fn message(data: &[u8]) {
    match Message::parse(data) {
        Ok(message) => {
            inspect(&message);
            let again = Message::parse(message.as_bytes()).expect("what was read reads again");
            assert_eq!(again, message);
            rewrite(&message);
            respond(&message);
        }
        Err(fault) => {
            assert!(fault.offset <= data.len(), "{fault}");
            assert!(fault.kind != ParseErrorKind::NotSip || fault.request.is_none());
            if let Some(request) = &fault.request {
                inspect(request);
                respond(request);
            }
        }
    }
}

fn inspect(message: &Message) {
    let _ = (message.version(), message.reason(), format!("{message:?}"), message.check());
    let _ = (message.call_id(), message.cseq(), message.max_forwards(), message.contact());
    let _ = (redacted::message(message), redacted::headers(message));
    assert_eq!(message.is_request(), message.method().is_some());
    assert_ne!(message.is_request(), message.status().is_some());
    for address in [message.from(), message.to(), message.contact()].into_iter().flatten() {
        check_address(&address);
    }
    if let Ok(via) = message.top_via() {
        check_via(&via);
    }
    if let Ok(uri) = message.uri() {
        check_uri(&uri);
    }
    for name in ADDRESS_LISTS {
        message.route_set(name).into_iter().flatten().for_each(|address| check_address(&address));
    }
    for (name, value) in message.headers() {
        assert!(!value.contains(['\r', '\n', '\0']), "{name}: {value:?}");
        let found = message.header_all(&name).count();
        assert!(found > 0, "{name} is there and is not found");
        check_auth(&value);
    }
}

/// Every header into a message of our own: what comes back is what went in.
fn rewrite(message: &Message) {
    let Some((method, uri)) = message.method().zip(message.request_uri()) else { return };
    let mut builder = Builder::request(method.clone(), &uri);
    let mut expected = Vec::new();
    let ours = |name: &str| {
        ["content-length", "l", "content-type", "c"].contains(&name.to_ascii_lowercase().as_str())
    };
    for (name, value) in message.headers().filter(|(name, _)| !ours(name)) {
        builder.try_header(&name, &value).expect("a header that was read can be written");
        expected.push((name.into_owned(), value.into_owned()));
    }
    let built = match builder.body("application/x-test", message.body()).build() {
        Ok(built) => built,
        // Latin-1 grows when it is written as UTF-8, and a start line of ours has no controls.
        Err(BuildError::OverLimit(_) | BuildError::StartLine(_)) => return,
        Err(refused) => panic!("{refused}"),
    };
    assert_eq!(built.method(), Some(method));
    assert_eq!(built.request_uri(), Some(uri));
    assert_eq!(built.body(), message.body());
    let written: Vec<(String, String)> = built
        .headers()
        .filter(|(name, _)| !ours(name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    assert_eq!(written, expected);
}

/// Whatever was read, a response to it can be written and read.
fn respond(message: &Message) {
    let source = "192.0.2.1:5060".parse().expect("an address");
    match Builder::response_to(message, 200, None).to_tag("t").source(source).build() {
        Ok(response) => {
            assert_eq!(response.status(), Some(200));
            assert_eq!(response.header_all("Via").count(), message.header_all("Via").count());
            assert!(Message::parse(response.as_bytes()).is_ok());
            inspect(&response);
        }
        Err(BuildError::OverLimit(_)) => {}
        Err(refused) => panic!("{refused}"),
    }
}

/// A stream: where it is cut into pushes changes nothing.
pub fn stream(data: &[u8]) {
    let (cuts, bytes) = data.split_at(data.len().min(4));
    let whole = frames(bytes, &[]);
    let pieces: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut)).collect();
    let cut = frames(bytes, &pieces);
    assert_eq!(whole, cut, "the cuts {pieces:?} change what is read");
    for frame in &whole.0 {
        if let Frame::Message(bytes) = frame {
            assert!(bytes.len() <= STREAM_HEAD_BYTES_MAX + STREAM_BODY_BYTES_MAX);
            message(bytes);
        }
    }
}

/// All frames, whether the stream broke, and the refusal; pushed in pieces of these sizes in turn.
fn frames(bytes: &[u8], pieces: &[usize]) -> (Vec<Frame>, Option<String>, Option<Vec<u8>>) {
    let (mut framer, mut found, mut rest, mut turn) = (Framer::new(), Vec::new(), bytes, 0);
    while !rest.is_empty() {
        let piece = pieces.get(turn % pieces.len().max(1)).copied().unwrap_or(rest.len());
        let (now, later) = rest.split_at(piece.clamp(1, rest.len()));
        (rest, turn) = (later, turn + 1);
        framer.push(now);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(error) => {
                    let source = "192.0.2.1:5060".parse().expect("an address");
                    let refusal = framer.refusal(source).map(|bytes| bytes.to_vec());
                    return (found, Some(error.to_string()), refusal);
                }
            }
        }
    }
    (found, None, None)
}

/// A URI: read, written, read again.
pub fn uri(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Uri::parse(&text) {
        Ok(uri) => {
            check_uri(&uri);
            // why: nothing of a URI may end the line or the brackets that it is written into.
            let written = uri.to_string();
            assert!(!written.contains(['<', '>', '\r', '\n', '\0', ' ']), "{written}");
            let message = Builder::request(Method::Options, &written).header("Via", "x").build();
            if let Ok(message) = message {
                assert_eq!(message.request_uri().as_deref(), Some(written.as_str()));
            }
        }
        Err(fault) => assert!(fault.offset <= text.len(), "{fault}"),
    }
    if let Ok(params) = Params::parse(&text) {
        assert_eq!(Params::parse(&params.to_string()).as_ref(), Ok(&params));
    }
}

fn check_uri(uri: &Uri) {
    let written = uri.to_string();
    assert_eq!(Uri::parse(&written).as_ref(), Ok(uri), "{written}");
    assert!(uri.matches(uri), "{written}");
    let _ = (uri.host_ip(), uri.user_decoded());
    if uri.password.is_some() {
        // What is shown is the same, whatever the password.
        let another = Uri { password: Some("x".to_owned()), ..uri.clone() };
        assert_eq!(redacted::text(&written), redacted::text(&another.to_string()));
    }
}

/// An address: read, written, read again.
pub fn name_addr(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match NameAddr::parse(&text) {
        Ok(address) => check_address(&address),
        Err(fault) => assert!(fault.offset <= text.len(), "{fault}"),
    }
    if let Ok(via) = Via::parse(&text) {
        check_via(&via);
    }
}

fn check_address(address: &NameAddr) {
    let written = address.to_string();
    assert_eq!(NameAddr::parse(&written).as_ref(), Ok(address), "{written}");
    check_uri(&address.uri);
    assert!(address.preference() <= 1000);
    let _ = address.tag();
}

fn check_via(via: &Via) {
    assert_eq!(Via::parse(&via.to_string()).as_ref(), Ok(via), "{via}");
    let mut noted = via.clone();
    let source = "198.51.100.7:5062".parse().expect("an address");
    noted.note_source(source);
    let again = Via::parse(&noted.to_string()).expect("a Via with its source noted");
    assert!(again.received() == Some(source.ip()) || again.host_ip() == Some(source.ip()));
    let _ = (via.branch(), via.rport());
}

/// A value of Authorization, and of WWW-Authenticate.
pub fn auth(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    check_auth(&text);
    verify(&text);
    login(&text);
}

fn check_auth(value: &str) {
    if let Ok(credentials) = Credentials::parse(value) {
        let _ = credentials.prove(&Method::Register, "secret");
        assert!(!format!("{credentials:?}").contains(&"\0".repeat(8)));
    }
    let answered = answer(value, &Method::Register, "sip:r.example", "jane", "secret", "c0", 1);
    if let Ok(answered) = answered {
        let credentials = Credentials::parse(&answered);
        let credentials = credentials.unwrap_or_else(|fault| panic!("{fault}: {answered}"));
        assert!(credentials.prove(&Method::Register, "secret"), "{answered}");
        assert!(!credentials.prove(&Method::Register, "another"), "{answered}");
        assert_eq!(credentials.username, "jane");
    }
}

/// A challenger that never gave this nonce lets nobody in, and keeps nothing of who asks.
fn verify(value: &str) {
    let now = testkit::epoch();
    let source = "192.0.2.1".parse().expect("an address");
    let mut challenger = Challenger::new([7; 32]);
    let given = challenger.challenge(now, source, "example", false);
    assert!(given.iter().all(|challenge| !challenge.contains('\n')));
    assert!(!challenger.gave(now + Duration::from_millis(1), source, value));
    assert_eq!(challenger.remembered(), 0, "a forged nonce is remembered");
}

/// A client that is challenged with this.
fn login(value: &str) {
    let mut response = Builder::response_to(&asked(), 401, None);
    if response.try_header("WWW-Authenticate", value).is_err() {
        return;
    }
    let Ok(response) = response.build() else { return };
    let mut login = Login::new("jane".to_owned(), "secret".to_owned(), None);
    let Ok(proofs) = login.answer(&response, &Method::Register, "sip:r.example", "c0") else {
        return;
    };
    let next = login.next(&Method::Register, "sip:r.example", "c1");
    assert_eq!((proofs.len(), next.len()), (1, 1), "what was answered once can be given again");
    for proof in proofs.iter().chain(&next) {
        assert!(!proof.value.contains(['\r', '\n', '\0']), "{}", proof.value);
        assert!(!format!("{proof:?}").contains(&proof.value));
    }
}

fn asked() -> Message {
    let request = Builder::request(Method::Register, "sip:r.example")
        .header("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")
        .header("From", "<sip:jane@r.example>;tag=1")
        .header("To", "<sip:jane@r.example>")
        .header("Call-ID", "1")
        .header("CSeq", "1 REGISTER");
    request.build().expect("a request")
}
