//! Packets of those who have no part in a call, packets that are no packets, floods of them, and
//! session descriptions made to do harm. The audio of a call is not touched by any of it.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use media::Codec;
use serde_json::json;

use crate::support::audio::Audio;
use crate::support::scene::{CALLER, STRANGER, SWITCH, Scene};
use crate::support::source::{Source, invite};
use crate::support::talk::Talk;
use crate::support::wait_for;

/// An RTP header: version and flags, type, number 7, time 1120, the SSRC of the phones.
fn rtp(first: u8, second: u8) -> Vec<u8> {
    vec![first, second, 0, 7, 0, 0, 4, 96, 0x12, 0x34, 0x56, 0x78]
}

#[test]
fn who_copies_a_stream_is_not_heard_and_hears_nothing() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let talk = Talk::begin(&scene, &switch, 8_000);
    // One at another address, one at another port of the caller's own, with its SSRC.
    let far = Audio::open(scene.network.ip(STRANGER));
    let near = Audio::open(scene.network.ip(CALLER));
    talk.loses_less_than(0.1, || {
        for audio in [&far, &near] {
            audio.says(talk.from_caller, Codec::Pcmu, 1900.0);
        }
        std::thread::sleep(Duration::from_secs(1));
    });
    assert!(talk.callee.audio.share_of(Codec::Pcmu, 1900.0) < 0.05);
    assert!(far.heard().is_empty() && near.heard().is_empty(), "they were sent audio");
    talk.ends();
    switch.ends();
}

#[test]
fn forged_reports_end_nothing_and_reach_nobody() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let talk = Talk::begin(&scene, &switch, 6_000);
    let stranger = Audio::open(scene.network.ip(STRANGER));
    // RFC 3550 §6.6, §6.4.1: BYE of the caller's SSRC, and a sender report.
    let bye = [0x81, 203, 0, 1, 0x12, 0x34, 0x56, 0x78];
    let mut report = vec![0x80, 200, 0, 6, 0x12, 0x34, 0x56, 0x78];
    report.extend([0xff; 20]);
    talk.loses_less_than(0.1, || {
        for _ in 0..200 {
            for forged in [&bye[..], &report] {
                stranger.sends_report(talk.from_caller, forged);
                stranger.sends(talk.from_caller, forged);
            }
        }
    });
    assert!(talk.callee.audio.reports().is_empty() && talk.caller.audio.reports().is_empty());
    talk.ends();
    switch.ends();
}

#[test]
fn packets_that_are_none_go_nowhere() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let talk = Talk::begin(&scene, &switch, 6_000);
    let broken = [
        vec![],
        vec![0x80],
        rtp(0x8f, 0),
        [rtp(0x90, 0), vec![0, 0, 0xff, 0xff, 1, 2, 3, 4]].concat(),
        [rtp(0xa0, 0), vec![1, 2, 3, 200]].concat(),
        [rtp(0xa0, 0), vec![1, 2, 3, 0]].concat(),
        rtp(0x40, 0),
        [rtp(0x80, 77), vec![0; 160]].concat(),
        vec![0xff; 1_400],
    ];
    let before = talk.callee.audio.heard().len();
    // From the caller's own socket: its source is believed, what it sends is looked at.
    talk.loses_less_than(0.2, || {
        for packet in broken.iter().cycle().take(2_000) {
            talk.caller.audio.sends(talk.from_caller, packet);
        }
    });
    let heard = talk.callee.audio.heard();
    assert!(heard[before..].iter().all(|packet| packet.payload.len() == 160), "a broken one came");
    talk.ends();
    switch.ends();
}

#[test]
fn a_flood_on_one_port_is_not_noticed_on_another() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let flooded = Talk::begin(&scene, &switch, 9_000);
    let other = Talk::begin(&scene, &switch, 7_000);
    let memory = switch.memory();
    let socket = UdpSocket::bind((scene.network.ip(STRANGER), 0)).expect("a free port");
    let packet = [rtp(0x80, 0), vec![0x55; 160]].concat();
    let begun = Instant::now();
    other.loses_less_than(0.1, || {
        // A hundred thousand a second, for two seconds.
        for burst in 1..=200 {
            for _ in 0..1_000 {
                let _full = socket.send_to(&packet, flooded.from_caller);
            }
            let next = begun + Duration::from_millis(10) * burst;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    });
    assert!(switch.memory() < memory + 32 * 1024 * 1024);
    flooded.both_hear();
    flooded.ends();
    other.ends();
    switch.ends();
}

#[test]
fn key_presses_without_end_are_packets_like_others() {
    let scene = Scene::new();
    let switch = scene.starts_usual();
    let talk = Talk::begin(&scene, &switch, 6_000);
    let of_events =
        |audio: &Audio| audio.heard().iter().filter(|packet| packet.payload_type == 101).count();
    talk.loses_less_than(0.2, || {
        // RFC 4733 §2.3: key 5, held for as long as sixteen bits can say, over and over; an hour
        // of it would be 7,200 of these. Then keys pressed as fast as can be.
        for number in 0..7_200_u16 {
            let [high, low] = number.to_be_bytes();
            let mut packet = vec![0x80, 101, high, low, 0, 0, 4, 96, 0x12, 0x34, 0x56, 0x78];
            packet.extend([(number % 16) as u8, 10, 0xff, 0xff]);
            talk.caller.audio.sends(talk.from_caller, &packet);
        }
    });
    assert!(of_events(&talk.callee.audio) <= 7_200, "no more went out than came in");
    talk.ends();
    switch.ends();
}

/// A description that wants audio there, with these lines more.
fn description(to: &str, port: u16, lines: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN {to}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n{lines}"
    )
}

#[test]
fn descriptions_made_to_do_harm_are_refused_or_harmless() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.sip = "t1_ms = 50".to_owned();
    let switch = scene.starts(&config);
    scene.app.runs("/incoming", &json!([{ "verb": "sip:decline", "status": 480 }]));
    let (own, sip) = (scene.network.ip(SWITCH), switch.sip.port());
    let near = "IP4 127.0.0.1";
    let own = format!("IP4 {own}");
    let with = |lines: &str| description(near, 40_000, lines);
    // 480 is the application's: the call was taken. 488 is ours, before it is asked.
    let bombs = [
        (with(&"m=audio 40000 RTP/AVP 0\r\n".repeat(1_000)), 488),
        (with(&"m=audio 0 RTP/AVP 0\r\n".repeat(30)), 480),
        (with(&"a=x:y\r\n".repeat(7_000)), 488),
        (with(&format!("a={}\r\n", "x".repeat(9_000))), 488),
        (with("a=ptime:0\r\n"), 480),
        (with("a=ptime:4000000000\r\n"), 480),
        (with("a=ptime:-1\r\na=maxptime:x\r\n"), 480),
        (with(&"a=rtpmap:0 PCMU/8000\r\n".repeat(200)), 480),
        (with("a=rtpmap:0 PCMU/999999\r\n"), 488),
        (with("a=rtpmap:0 PCMU/99999999999\r\n"), 488),
        (description(near, 0, ""), 488),
        (description("IP6 fe80::1%eth0", 40_000, ""), 488),
        (description("IP4 0.0.0.0", 40_000, ""), 480),
        (description("IP4 255.255.255.255", 40_000, ""), 488),
        (description("IP4 224.0.0.251/127", 40_000, ""), 488),
        (description("IP6 ff02::1", 40_000, ""), 488),
        (description("IP6 ::ffff:224.0.0.1", 40_000, ""), 488),
        (description("IP4 localhost", 40_000, ""), 488),
        (description(&own, sip, ""), 488),
        (with("a=rtcp:40001 IN IP4 239.1.2.3\r\n"), 488),
    ];
    for (index, (body, status)) in bombs.iter().enumerate() {
        let source = Source::open(scene.network.ip(CALLER), switch.sip);
        let call_id = format!("bomb-{index}");
        let answer = source.calls(&invite(source.address(), switch.sip, &call_id, "", body));
        let start = &body[..body.len().min(300)];
        assert_eq!(answer.status(), Some(*status), "{answer:?} to\n{start}");
        source.asks();
    }
    switch.ends();
}

#[test]
fn audio_is_not_sent_to_a_port_of_the_switch_itself() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.sip = "t1_ms = 50".to_owned();
    let switch = scene.starts(&config);
    let talk = Talk::begin(&scene, &switch, 6_000);
    scene.app.runs("/incoming", &json!([{ "verb": "sip:decline", "status": 480 }]));
    let own = format!("IP4 {}", scene.network.ip(SWITCH));
    let ports = [talk.from_caller.port(), talk.from_callee.port(), talk.from_caller.port() + 1];
    for (index, port) in ports.into_iter().enumerate() {
        let source = Source::open(scene.network.ip(CALLER), switch.sip);
        let body = description(&own, port, "");
        let call_id = format!("own-{index}");
        let answer = source.calls(&invite(source.address(), switch.sip, &call_id, "", &body));
        assert_eq!(answer.status(), Some(488), "{answer:?}");
        let why = answer.header_text("X-Reason").unwrap_or_default().into_owned();
        assert!(why.contains("of the switch itself"), "{why}");
    }
    talk.ends();
    // The same ports are nobody's then, and whoever has them may be called there.
    wait_for("the calls to be gone", || {
        (switch.figure("switchhook_sip_dialogs") == 0.0).then_some(())
    });
    let source = Source::open(scene.network.ip(CALLER), switch.sip);
    let body = description(&own, ports[0], "");
    let answer = source.calls(&invite(source.address(), switch.sip, "free", "", &body));
    assert_eq!(answer.status(), Some(480), "{answer:?}");
    switch.ends();
}

#[test]
fn when_the_ports_run_out_a_call_is_told_so_and_none_is_used_again_at_once() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.ports = "20000-20007".to_owned();
    config.limits = "calls = 2".to_owned();
    config.sip = "t1_ms = 50".to_owned();
    let switch = scene.starts(&config);
    let mut used: Vec<SocketAddr> = Vec::new();
    for _ in 0..2 {
        let talk = Talk::begin(&scene, &switch, 1_000);
        for port in [talk.from_caller, talk.from_callee] {
            assert!(!used.contains(&port), "{port} is used again at once");
            used.push(port);
        }
        talk.ends();
    }
    // All of them rest.
    let caller = scene.phone(CALLER).with("status", 503);
    let ladder = caller.plays("caller_is_refused", &switch).finishes();
    let refusal = ladder.only("503");
    assert!(refusal.header("Retry-After").is_some() && refusal.header("X-Reason").is_some());
    wait_for("the ports to be free", || {
        (switch.figure("switchhook_rtp_ports_used") == 0.0).then_some(())
    });
    // And after a rest they are used again.
    scene.app.runs("/incoming", &json!([{ "verb": "sip:decline", "status": 480 }]));
    let mut asked = 0;
    wait_for("a port that has rested", || {
        asked += 1;
        let source = Source::open(scene.network.ip(CALLER), switch.sip);
        let body = description("IP4 127.0.0.1", 40_000, "");
        let call_id = format!("rest-{asked}");
        let answer = source.calls(&invite(source.address(), switch.sip, &call_id, "", &body));
        (answer.status() == Some(480)).then_some(())
    });
    switch.ends();
}
