//! Messages that RFC 3261 allows, and that all three are meant to read, at random.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9][A-Za-z0-9.!%*_+'~-]{0,12}".prop_map(|token| token.replace('%', "x"))
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]([a-z0-9-]{0,8}[a-z0-9])?(\\.[a-z]([a-z0-9-]{0,6}[a-z0-9])?){0,3}",
        "[A-Z][A-Za-z0-9]{0,5}\\.Example",
        any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|ip| format!("[{ip}]")),
    ]
}

fn port() -> impl Strategy<Value = String> {
    option::of(1_u16..).prop_map(|port| port.map_or_else(String::new, |port| format!(":{port}")))
}

/// A user as the grammar has it: no semicolon, which one of the oracles takes for a parameter.
fn user() -> impl Strategy<Value = String> {
    let plain = "[A-Za-z0-9+_.!~*'()&=$,-]{1,16}";
    prop_oneof![
        4 => "\\+[1-9][0-9]{6,14}",
        4 => plain,
        1 => (plain, "[a-z]{1,4}").prop_map(|(user, rest)| format!("{user}%20{rest}")),
        1 => (plain, "[a-z0-9]{1,8}").prop_map(|(user, secret)| format!("{user}:{secret}")),
    ]
}

fn param() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(";lr".to_owned()),
        Just(";transport=tcp".to_owned()),
        Just(";user=phone".to_owned()),
        ("[a-z][a-z0-9-]{0,6}", "[A-Za-z0-9._-]{1,8}").prop_map(|(name, value)| {
            // why: names with a meaning are not to be given a value at random.
            format!(";x-{name}={value}")
        }),
    ]
}

fn params() -> impl Strategy<Value = String> {
    vec(param(), 0..3).prop_map(|params| params.concat())
}

pub(crate) fn uri() -> impl Strategy<Value = String> {
    (prop_oneof![Just("sip"), Just("sips"), Just("SIP")], option::of(user()), host(), port())
        .prop_flat_map(|(scheme, user, host, port)| {
            let user = user.map_or_else(String::new, |user| format!("{user}@"));
            params().prop_map(move |params| format!("{scheme}:{user}{host}{port}{params}"))
        })
}

fn display() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Za-z][A-Za-z0-9. ]{0,10}[a-z] ",
        "\"[A-Za-z0-9 ,;:@.<>()-]{1,16}\" ",
    ]
}

fn name_addr() -> impl Strategy<Value = String> {
    (display(), uri()).prop_map(|(display, uri)| format!("{display}<{uri}>"))
}

fn via() -> impl Strategy<Value = String> {
    let transport = prop_oneof![Just("UDP"), Just("TCP"), Just("TLS"), Just("WS")];
    let more = prop_oneof![Just(""), Just(";rport"), Just(";received=192.0.2.9;rport=5070")];
    (transport, host(), port(), token(), more).prop_map(|(transport, host, port, branch, more)| {
        format!("SIP/2.0/{transport} {host}{port};branch=z9hG4bK{branch}{more}")
    })
}

fn start() -> impl Strategy<Value = (String, &'static str)> {
    let method = prop_oneof![
        Just("INVITE"),
        Just("BYE"),
        Just("OPTIONS"),
        Just("REGISTER"),
        Just("INFO"),
        Just("PRACK"),
    ];
    let status =
        prop_oneof![Just("100 Trying"), Just("200 OK"), Just("486 Busy Here"), Just("603 No")];
    prop_oneof![
        (method.clone(), uri())
            .prop_map(|(method, uri)| (format!("{method} {uri} SIP/2.0"), method)),
        (method, status).prop_map(|(method, status)| (format!("SIP/2.0 {status}"), method)),
    ]
}

/// Lines that none of the three compares, between those that they do.
fn other() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("Max-Forwards: 70\r\n".to_owned()),
        Just("Allow: INVITE, ACK, BYE\r\n".to_owned()),
        Just("Supported: timer\r\n".to_owned()),
        "X-[A-Za-z]{1,6}: [A-Za-z0-9 ,;:\"<>=@.-]{0,30}x\r\n",
        name_addr().prop_map(|address| format!("Route: {address}\r\n")),
    ]
}

/// One message, complete and with a Content-Length.
pub(crate) fn message() -> impl Strategy<Value = Vec<u8>> {
    let address = || (name_addr(), option::of(token()));
    let tagged = |(address, tag): (String, Option<String>)| match tag {
        Some(tag) => format!("{address};tag={tag}"),
        None => address,
    };
    let head = (start(), vec(vec(via(), 1..3), 1..3), vec(other(), 0..4));
    let dialog =
        (address(), address(), token(), 0_u32..1 << 31, option::of(vec(name_addr(), 1..3)));
    let body = vec(any::<u8>(), 0..60);
    let compact = any::<bool>();
    (head, dialog, body, compact).prop_map(move |(head, dialog, body, compact)| {
        let ((start, method), vias, other) = head;
        let (from, to, call_id, number, contacts) = dialog;
        let name = |long: &'static str, short: &'static str| if compact { short } else { long };
        let mut lines = vec![start];
        lines.extend(vias.iter().map(|line| format!("{}: {}", name("Via", "v"), line.join(", "))));
        lines.push(format!("{}: {}", name("From", "f"), tagged(from)));
        lines.push(format!("{}: {}", name("To", "t"), tagged(to)));
        lines.extend(other.iter().map(|line| line.trim_end().to_owned()));
        lines.push(format!("{}: {call_id}@x", name("Call-ID", "i")));
        lines.push(format!("CSeq: {number} {method}"));
        lines.extend(contacts.map(|list| format!("{}: {}", name("Contact", "m"), list.join(", "))));
        lines.push(format!("{}: {}", name("Content-Length", "l"), body.len()));
        let mut bytes = lines.join("\r\n").into_bytes();
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(&body);
        bytes
    })
}
