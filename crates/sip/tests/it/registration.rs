//! REGISTER after REGISTER against the table of bindings (RFC 3261 §10.3).

use std::time::{Duration, Instant};

use sip::registrar::{CONTACTS_MAX, interval_too_brief};
use sip::{Flow, Message, Registrar, RegistrarConfig, Respond, SavedBinding, Transport};

use crate::texts::read;

const JANE: &str = "jane@pbx.example";

struct Desk {
    registrar: Registrar,
    start: Instant,
}

#[allow(clippy::disallowed_methods, reason = "an origin; the tests add to it")]
fn desk() -> Desk {
    Desk { registrar: Registrar::new(RegistrarConfig::default()), start: Instant::now() }
}

fn flow(remote: &str) -> Flow {
    let local = "192.0.2.1:5060".parse().unwrap();
    Flow { transport: Transport::Udp, local, remote: remote.parse().unwrap() }
}

fn request(call_id: &str, cseq: u32, lines: &str) -> Message {
    read(&format!(
        "REGISTER sip:pbx.example SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\n\
         From: <sip:jane@pbx.example>;tag=1\nTo: <sip:jane@pbx.example>\n\
         Call-ID: {call_id}\nCSeq: {cseq} REGISTER\n{lines}\n"
    ))
    .unwrap()
}

impl Desk {
    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn send(&mut self, seconds: u64, call_id: &str, cseq: u32, lines: &str) -> Respond {
        self.send_from("198.51.100.7:5060", seconds, call_id, cseq, lines)
    }

    fn send_from(
        &mut self,
        remote: &str,
        seconds: u64,
        call_id: &str,
        cseq: u32,
        lines: &str,
    ) -> Respond {
        let (now, request) = (self.at(seconds), request(call_id, cseq, lines));
        self.registrar.handle_register(now, JANE, &request, flow(remote))
    }

    fn reachable(&self, seconds: u64) -> Vec<String> {
        let bindings = self.registrar.lookup(self.at(seconds), JANE);
        bindings.iter().map(|binding| binding.contact.uri.to_string()).collect()
    }

    fn is_empty(&mut self) -> bool {
        let now = self.at(1_000_000);
        self.registrar.handle_timeout(now);
        self.registrar.poll_timeout().is_none() && self.registrar.registered(now).next().is_none()
    }
}

fn values<'a>(response: &'a Respond, name: &str) -> Vec<&'a str> {
    response.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
}

#[test]
fn a_phone_is_reachable_until_its_registration_ends() {
    let mut desk = desk();
    let response =
        desk.send(0, "1", 1, "Contact: \"J\" <sip:jane@198.51.100.7;x=y>;+a=b\nExpires: 3600\n");
    assert_eq!(response.status, 200);
    assert_eq!(
        values(&response, "Contact"),
        ["\"J\" <sip:jane@198.51.100.7;x=y>;+a=b;expires=30"],
        "UDP is granted 30 s"
    );
    assert_eq!(values(&response, "Expires"), ["30"]);
    assert_eq!(desk.reachable(29), ["sip:jane@198.51.100.7;x=y"]);
    assert_eq!(desk.reachable(30), [""; 0]);
    assert_eq!(desk.registrar.poll_timeout(), Some(desk.at(30)));
    assert_eq!(desk.registrar.registered(desk.at(29)).collect::<Vec<_>>(), [JANE]);
    assert_eq!(desk.registrar.registered(desk.at(30)).count(), 0);
    assert!(desk.is_empty());
}

#[test]
fn a_query_lists_what_there_is_and_changes_nothing() {
    let mut desk = desk();
    assert!(desk.send(0, "1", 1, "").headers.is_empty());
    desk.send(0, "1", 2, "Contact: <sip:jane@h1>;expires=20\n");
    let response = desk.send(5, "1", 3, "");
    assert_eq!(values(&response, "Contact"), ["<sip:jane@h1>;expires=15"]);
    assert_eq!(values(&response, "Expires"), [""; 0]);
}

#[test]
fn the_parameter_beats_the_header_and_nonsense_counts_as_an_hour() {
    for (lines, granted) in [
        ("Contact: <sip:j@h>;expires=20\nExpires: 25\n", "20"),
        ("Contact: <sip:j@h>\nExpires: 25\n", "25"),
        ("Contact: <sip:j@h>\n", "30"),
        ("Contact: <sip:j@h>;expires=soon\nExpires: 25\n", "30"),
        ("Contact: <sip:j@h>;expires\n", "30"),
        ("Contact: <sip:j@h>;expires=99999999999999999999\n", "30"),
        ("Contact: <sip:j@h>\nExpires: -5\n", "30"),
    ] {
        let response = desk().send(0, "1", 1, lines);
        assert_eq!(values(&response, "Expires"), [granted], "{lines}");
    }
}

#[test]
fn too_brief_an_interval_is_refused_with_the_shortest_one() {
    let mut desk = desk();
    let response = desk.send(0, "1", 1, "Contact: <sip:j@h1>, <sip:j@h2>;expires=9\n");
    assert_eq!((response.status, values(&response, "Min-Expires")), (423, vec!["10"]));
    assert_eq!(desk.reachable(0), [""; 0], "no contact of a refused request is kept");
    assert_eq!(values(&interval_too_brief(Duration::from_millis(1500)), "Min-Expires"), ["2"]);
}

#[test]
fn several_phones_of_one_user_ring_by_preference() {
    let mut desk = desk();
    desk.send(0, "1", 1, "Contact: <sip:jane@low>;q=0.2\n");
    desk.send(1, "2", 1, "Contact: <sip:jane@old>\n");
    desk.send(2, "3", 7, "Contact: <sip:jane@new>, <sip:jane@mid>;q=0.75\n");
    assert_eq!(desk.reachable(3), ["sip:jane@new", "sip:jane@old", "sip:jane@mid", "sip:jane@low"]);
    assert_eq!(desk.reachable(31), ["sip:jane@new", "sip:jane@mid"]);
    assert!(desk.is_empty());
}

#[test]
fn expires_zero_removes_one_contact_and_star_all() {
    let mut desk = desk();
    desk.send(0, "1", 1, "Contact: <sip:jane@h1>, <sip:jane@h2>, <sip:jane@h3>\n");
    let response = desk.send(1, "1", 2, "Contact: <sip:jane@h2>;expires=0\n");
    assert_eq!(values(&response, "Contact").len(), 2);
    assert_eq!(values(&response, "Expires"), ["0"]);
    let unknown = desk.send(1, "1", 3, "Contact: <sip:jane@h9>\nExpires: 0\n");
    assert_eq!((unknown.status, desk.reachable(1).len()), (200, 2));
    let response = desk.send(2, "other", 1, "Contact: *\nExpires: 0\n");
    assert_eq!((response.status, values(&response, "Contact")), (200, vec![]));
    assert!(desk.is_empty());
}

#[test]
fn a_star_needs_expires_zero_and_no_company() {
    let mut desk = desk();
    desk.send(0, "1", 1, "Contact: <sip:jane@h1>\n");
    for lines in [
        "Contact: *\n",
        "Contact: *\nExpires: 1\n",
        "Contact: *\nExpires: \n",
        "Contact: *, <sip:jane@h2>\nExpires: 0\n",
        "Contact: <sip:jane@h2>\nm: *\nExpires: 0\n",
        "Contact: *;expires=0\n",
    ] {
        assert_eq!(desk.send(1, "1", 2, lines).status, 400, "{lines}");
    }
    assert_eq!(desk.reachable(1), ["sip:jane@h1"]);
}

#[test]
fn requests_out_of_order_change_nothing() {
    let mut desk = desk();
    desk.send(0, "1", 5, "Contact: <sip:jane@h1>\n");
    for (cseq, lines) in [
        (5, "Contact: <sip:jane@h1>;expires=0\n"),
        (4, "Contact: <sip:jane@h2>, <sip:jane@h1>\n"),
        (4, "Contact: *\nExpires: 0\n"),
    ] {
        assert_eq!(desk.send(1, "1", cseq, lines).status, 400, "{lines}");
        assert_eq!(desk.reachable(1), ["sip:jane@h1"]);
    }
    let restarted = desk.send(1, "after-reboot", 1, "Contact: <sip:jane@h1>;expires=0\n");
    assert_eq!(restarted.status, 200, "another Call-ID starts a count of its own");
    assert!(desk.is_empty());
}

#[test]
fn a_refresh_moves_the_end_and_the_flow() {
    let mut desk = desk();
    desk.send_from("198.51.100.7:1000", 0, "1", 1, "Contact: <sip:jane@h1>\n");
    desk.send_from("198.51.100.7:2000", 20, "1", 2, "Contact: <sip:jane@H1>\n");
    let bindings = desk.registrar.lookup(desk.at(49), JANE);
    assert_eq!(bindings.len(), 1);
    assert_eq!(bindings[0].flow, flow("198.51.100.7:2000"));
    assert_eq!(bindings[0].expires_at, desk.at(50));
    assert!(desk.is_empty());
}

#[test]
fn the_same_private_address_behind_two_nats_is_two_phones() {
    let mut desk = desk();
    let contact = "Contact: <sip:jane@192.168.1.5:5060>\n";
    desk.send_from("198.51.100.7:5060", 0, "home", 1, contact);
    desk.send_from("203.0.113.9:5060", 0, "office", 1, contact);
    assert_eq!(desk.reachable(1).len(), 2);
    desk.send_from("203.0.113.44:5060", 1, "office", 2, contact);
    assert_eq!(desk.reachable(2).len(), 2, "the same Call-ID is the same phone on the move");
    desk.send_from("198.51.100.7:7070", 2, "home-rebooted", 1, contact);
    assert_eq!(desk.reachable(3).len(), 2, "the same source is the same phone rebooted");
    desk.send_from(
        "198.51.100.7:7070",
        3,
        "home-rebooted",
        2,
        &contact.replace('>', ">;expires=0"),
    );
    assert_eq!(desk.reachable(3).len(), 1, "a phone takes only itself away");
}

#[test]
fn instance_and_reg_id_name_a_phone_whose_uri_changes() {
    let mut desk = desk();
    let identity = ";+sip.instance=\"<urn:uuid:1>\";reg-id=1";
    desk.send(0, "1", 1, &format!("Contact: <sip:a@x1.invalid;transport=ws>{identity}\n"));
    let response =
        desk.send(1, "2", 1, &format!("Contact: <sip:b@x2.invalid;transport=ws>{identity}\n"));
    assert_eq!(
        values(&response, "Contact"),
        [format!("<sip:b@x2.invalid;transport=ws>{identity};expires=30")]
    );
}

#[test]
fn contacts_have_a_limit() {
    let mut desk = desk();
    for phone in 0..CONTACTS_MAX {
        let response = desk.send(0, &phone.to_string(), 1, &format!("Contact: <sip:j@h{phone}>\n"));
        assert_eq!(response.status, 200);
    }
    let response = desk.send(0, "one-more", 1, "Contact: <sip:j@h99>\n");
    assert_eq!(
        (response.status, response.reason.as_deref()),
        (503, Some("Max Devices Registered"))
    );
    let swap = desk.send(1, "swap", 1, "Contact: <sip:j@h0>;expires=0, <sip:j@h99>\n");
    assert_eq!((swap.status, desk.reachable(1).len()), (200, CONTACTS_MAX));
    let flood = "Contact: <sip:j@h1>\n".repeat(2 * CONTACTS_MAX + 1);
    assert_eq!(desk.send(2, "flood", 1, &flood).status, 503);
    assert!(desk.is_empty());
}

#[test]
fn contacts_that_nobody_can_call_are_refused() {
    for contact in ["tel:+1555", "mailto:j@h", "nonsense", "<sip:j@h", "<sip:j@h>;=x"] {
        let response = desk().send(0, "1", 1, &format!("Contact: {contact}\n"));
        assert_eq!(response.status, 400, "{contact}");
    }
    let without_call_id = read("REGISTER sip:r SIP/2.0\nCSeq: 1 REGISTER\n\n").unwrap();
    let mut desk = desk();
    let now = desk.at(0);
    let response = desk.registrar.handle_register(now, JANE, &without_call_id, flow("1.2.3.4:5"));
    assert_eq!(response.status, 400);
}

#[test]
fn a_deleted_user_is_reachable_nowhere() {
    let mut desk = desk();
    desk.send(0, "1", 1, "Contact: <sip:jane@h1>\n");
    desk.registrar.remove(JANE);
    assert_eq!(desk.reachable(0), [""; 0]);
    assert_eq!(desk.registrar.poll_timeout(), None);
}

#[test]
fn a_lost_connection_takes_its_bindings_along_unless_the_contact_can_be_reached() {
    let Desk { mut registrar, start } = desk();
    let tcp = |remote| Flow { transport: Transport::Tcp, ..flow(remote) };
    for (user, contact, by) in [
        ("nat", "<sip:nat@192.168.1.5:5060;transport=tcp>", tcp("198.51.100.7:40001")),
        ("open", "<sip:open@198.51.100.7:5080;transport=tcp>", tcp("198.51.100.7:40001")),
        ("same", "<sip:same@198.51.100.7:40001;transport=tcp>", tcp("198.51.100.7:40001")),
        ("other", "<sip:other@192.168.1.5;transport=tcp>", tcp("198.51.100.7:40002")),
        ("udp", "<sip:udp@192.168.1.5>", flow("198.51.100.7:40001")),
    ] {
        let request = request("r1", 1, &format!("Contact: {contact}\nExpires: 600\n"));
        let response = registrar.handle_register(start, user, &request, by);
        assert_eq!(response.status, 200);
        let granted = registrar.lookup(start, user).remove(0).expires_at - start;
        let most = if by.transport == Transport::Tcp { 600 } else { 30 };
        assert_eq!(granted.as_secs(), most, "{user}");
    }
    registrar.connection_lost(flow("198.51.100.7:40001"));
    assert_eq!(registrar.registered(start).count(), 5, "a datagram was refused, no more");
    registrar.connection_lost(tcp("198.51.100.7:40001"));
    assert_eq!(registrar.registered(start).collect::<Vec<_>>(), ["open", "other", "udp"]);
}

#[test]
fn what_was_saved_is_restored_with_its_order_and_what_remains() {
    let mut before = desk();
    before.send(0, "1", 5, "Contact: \"J\" <sip:jane@198.51.100.7;x=y>;q=0.5\n");
    let (aor, saved) = before.registrar.poll_changed(before.at(10)).unwrap();
    assert_eq!((aor.as_str(), saved.len()), (JANE, 1));
    assert_eq!(saved[0].age, Duration::from_secs(10));
    assert_eq!(saved[0].remains, Duration::from_secs(20));
    assert_eq!(before.registrar.poll_changed(before.at(10)), None);
    let mut after = desk();
    assert_eq!(after.registrar.restore(after.at(100), JANE, &saved), 1);
    assert_eq!(after.registrar.poll_changed(after.at(100)), None, "it is known already");
    assert_eq!(after.reachable(119), ["sip:jane@198.51.100.7;x=y"]);
    assert_eq!(after.reachable(120), [""; 0]);
    assert_eq!(after.registrar.lookup(after.at(100), JANE)[0].flow, flow("198.51.100.7:5060"));
    let old = after.send(100, "1", 5, "Contact: <sip:jane@198.51.100.7;x=y>;expires=0\n");
    assert_eq!(old.status, 400, "the order of requests is kept too");
    assert!(after.is_empty());
}

#[test]
fn what_cannot_be_or_is_over_is_not_restored() {
    let mut before = desk();
    before.send(0, "1", 5, "Contact: <sip:jane@h>\n");
    let (_, saved) = before.registrar.poll_changed(before.at(0)).unwrap();
    let hour = Duration::from_secs(3600);
    let long = SavedBinding { remains: hour, ..saved[0].clone() };
    let over = SavedBinding { remains: Duration::ZERO, ..saved[0].clone() };
    let broken = SavedBinding { contact: "<sip:".to_owned(), ..saved[0].clone() };
    let mut desk = desk();
    assert_eq!(desk.registrar.restore(desk.at(0), JANE, &[over, broken]), 0);
    assert_eq!(desk.registrar.poll_timeout(), None);
    assert_eq!(desk.registrar.restore(desk.at(0), JANE, &vec![long; 2 * CONTACTS_MAX]), 10);
    assert_eq!(desk.registrar.poll_timeout(), Some(desk.at(30)), "no longer than is granted now");
}

#[test]
fn each_change_is_told_once_with_all_that_is_left() {
    let mut desk = desk();
    let contacts = |desk: &mut Desk, seconds| {
        let (_, saved) = desk.registrar.poll_changed(desk.at(seconds))?;
        Some(saved.into_iter().map(|binding| binding.contact).collect::<Vec<_>>())
    };
    desk.send(0, "1", 1, "Contact: <sip:jane@h1>\n");
    desk.send(5, "2", 1, "Contact: <sip:jane@h2>\n");
    assert_eq!(contacts(&mut desk, 5).unwrap(), ["<sip:jane@h1>", "<sip:jane@h2>"]);
    desk.send(6, "2", 2, "");
    assert_eq!(contacts(&mut desk, 6), None, "a query changes nothing");
    desk.registrar.handle_timeout(desk.at(30));
    assert_eq!(contacts(&mut desk, 30).unwrap(), ["<sip:jane@h2>"]);
    desk.registrar.retain(|aor| aor != JANE);
    assert_eq!(contacts(&mut desk, 30).unwrap(), [""; 0]);
}
