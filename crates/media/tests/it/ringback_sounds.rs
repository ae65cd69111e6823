//! Ringback: the right sound, at the right time, and none too many.

use std::f64::consts::TAU;

use media::codec::g711;
use media::rtp::packet::Packet;
use media::sdp::{Codec, Direction, Negotiated};
use media::timer::Timer;
use media::tone::{self, Tone};
use media::{Forward, Socket};

use crate::support::{
    CALLEE, CALLEE_RTP, CALLER, CALLER_RTP, Call, address, amplitude, ms, packet, stream,
};

fn ringing(codec: Codec, country: &str) -> Call {
    let mut call = Call::new(None);
    call.set(CALLER, stream(CALLER_RTP, codec));
    call.session.ringback(call.now, CALLER, tone::country(country).unwrap());
    call
}

fn samples(codec: Codec, packets: &[(Forward, Vec<u8>)]) -> Vec<f64> {
    let codes = packets.iter().flat_map(|(_, bytes)| &bytes[12..]);
    codes.map(|code| f64::from(g711::decode(codec, *code))).collect()
}

/// Everything sent in that many milliseconds, each packet at its time.
fn record(call: &mut Call, milliseconds: u64) -> Vec<(Forward, Vec<u8>)> {
    let mut packets = call.generated();
    for _ in 1..milliseconds / 20 {
        packets.extend(call.advance(ms(20)));
    }
    packets
}

#[test]
fn the_frequencies_are_those_of_the_country() {
    for codec in Codec::ALL {
        for (country, present) in [("us", &[440.0, 480.0][..]), ("de", &[425.0]), ("fr", &[440.0])]
        {
            let mut call = ringing(codec, country);
            let heard = samples(codec, &record(&mut call, 1000));
            let total: f64 = present.iter().map(|f| amplitude(&heard, *f)).sum();
            assert!((total / 5104.0 - 1.0).abs() < 0.02, "{country}: {total}");
            for absent in [350.0, 620.0, 880.0, 1000.0] {
                assert!(amplitude(&heard, absent) < 60.0, "{country}: {absent}");
            }
        }
    }
}

/// Milliseconds of sound and silence in turn, over two cadences.
fn runs(tone: &'static Tone) -> Vec<u64> {
    let mut call = Call::new(None);
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcma));
    call.session.ringback(call.now, CALLER, tone);
    let cadence: u64 = tone.cadence.iter().map(|length| u64::from(*length)).sum();
    let heard = samples(Codec::Pcma, &record(&mut call, 2 * cadence));
    let mut runs: Vec<(bool, u64)> = Vec::new();
    for millisecond in heard.chunks(8) {
        let sounds = millisecond.iter().any(|sample| sample.abs() > 100.0);
        match runs.last_mut() {
            Some((last, length)) if *last == sounds => *length += 1,
            _ => runs.push((sounds, 1)),
        }
    }
    runs.into_iter().map(|(_, length)| length).collect()
}

#[test]
fn the_cadence_is_that_of_the_country_and_repeats() {
    for country in tone::countries() {
        let tone = tone::country(country).unwrap();
        let once = tone.cadence.iter().map(|length| u64::from(*length));
        let expected: Vec<u64> = once.clone().chain(once).collect();
        let runs = runs(tone);
        assert_eq!(runs.len(), expected.len(), "{country}: {runs:?}");
        for (run, length) in runs.iter().zip(&expected) {
            assert!(run.abs_diff(*length) <= 3, "{country}: {runs:?}");
        }
    }
}

#[test]
fn the_phase_goes_on_across_packets() {
    let mut call = ringing(Codec::Pcmu, "de");
    let heard = samples(Codec::Pcmu, &record(&mut call, 1000));
    let steepest = 5104.0 * TAU * 425.0 / 8000.0;
    for pair in heard.windows(2) {
        assert!((pair[1] - pair[0]).abs() < steepest + 260.0, "{pair:?}");
    }
}

#[test]
fn countries_are_found_by_code_in_any_case() {
    let named = "us uk gb de fr it es nl be at ch pl cz se no dk fi pt gr au nz jp cn in br mx za \
                 ru tr il ie ca";
    for code in named.split_whitespace() {
        assert_eq!(tone::country(&code.to_uppercase()), tone::country(code), "{code}");
        assert!(tone::country(code).is_some(), "{code}");
    }
    assert_eq!(tone::country("uk"), tone::country("gb"));
    for unknown in ["", "xx", "usa"] {
        assert_eq!(tone::country(unknown), None);
    }
    let codes: Vec<&str> = tone::countries().collect();
    assert!(codes.is_sorted());
    for code in codes {
        let tone = tone::country(code).unwrap();
        assert!((1..=tone::MAX_FREQUENCIES).contains(&tone.frequencies.len()), "{code}");
        assert!(tone.cadence.len().is_multiple_of(2) && !tone.cadence.contains(&0), "{code}");
    }
}

#[test]
fn packets_are_one_stream_of_its_own() {
    let mut call = ringing(Codec::Pcma, "us");
    let packets = record(&mut call, 1000);
    assert_eq!(packets.len(), 50);
    let first = Packet::parse(&packets[0].1).unwrap();
    for (n, (forward, bytes)) in packets.iter().enumerate() {
        let to = address(CALLER_RTP);
        assert_eq!(*forward, Forward { leg: CALLER, socket: Socket::Rtp, to, len: 172 });
        let packet = Packet::parse(bytes).unwrap();
        assert_eq!(packet.marker, n == 0);
        assert_eq!((packet.payload_type, packet.ssrc), (8, first.ssrc));
        assert_eq!(packet.sequence, first.sequence.wrapping_add(n as u16));
        assert_eq!(packet.timestamp, first.timestamp.wrapping_add(n as u32 * 160));
    }
    assert_eq!(call.session.counters(CALLER).unwrap().sent.packets, 50);
}

#[test]
fn the_number_is_that_of_the_leg() {
    let mut negotiated = stream(CALLER_RTP, Codec::Pcmu);
    negotiated.payload_types.pcmu = Some(96);
    let mut call = Call::new(None);
    call.set(CALLER, negotiated);
    call.session.ringback(call.now, CALLER, tone::country("us").unwrap());
    assert_eq!(call.generated()[0].1[1], 0x80 | 96);
}

#[test]
fn a_packet_is_due_every_20_ms_from_the_first_without_drift() {
    let mut call = ringing(Codec::Pcmu, "us");
    let start = call.now;
    let mut sent = call.generated().len();
    assert_eq!(sent, 1, "the first is due at once");
    for wake in 1..=500_u64 {
        let deadline = call.session.next_deadline().unwrap();
        assert_eq!(deadline.at, start + ms(20 * wake));
        assert_eq!(deadline.timer, Timer::Packet(CALLER));
        // Each wake-up is late by up to 15 ms.
        call.now = deadline.at + ms(wake * 7 % 16);
        call.session.handle_timeout(call.now);
        sent += call.generated().len();
    }
    assert_eq!(sent, 501);
}

#[test]
fn an_early_wake_up_sends_nothing() {
    let mut call = ringing(Codec::Pcmu, "us");
    call.generated();
    assert!(call.advance(ms(19)).is_empty());
    assert_eq!(call.advance(ms(1)).len(), 1);
}

#[test]
fn a_late_wake_up_catches_up_in_full_if_it_is_short() {
    let mut call = ringing(Codec::Pcmu, "us");
    let first = Packet::parse(&call.generated()[0].1).unwrap();
    let burst = call.advance(ms(100));
    assert_eq!(burst.len(), 5);
    let next = Packet::parse(&burst[0].1).unwrap();
    assert_eq!(next.timestamp, first.timestamp.wrapping_add(160));
    assert!(!next.marker);
}

#[test]
fn a_very_late_wake_up_sends_five_and_keeps_the_cadence() {
    let mut call = ringing(Codec::Pcmu, "us");
    let first = Packet::parse(&call.generated()[0].1).unwrap();
    // The tone is on for 2000 ms; 1900 ms later the last packets of it are due.
    let burst = call.advance(ms(1980));
    assert_eq!(burst.len(), 5);
    let next = Packet::parse(&burst[0].1).unwrap();
    assert_eq!(next.timestamp, first.timestamp.wrapping_add(95 * 160));
    assert_eq!(next.sequence, first.sequence.wrapping_add(1));
    assert!(next.marker, "as after a silence");
    assert!(burst[1..].iter().all(|(_, bytes)| !Packet::parse(bytes).unwrap().marker));
    assert!(samples(Codec::Pcmu, &burst).iter().any(|sample| *sample > 3000.0));
    let silence = call.advance(ms(20));
    assert!(samples(Codec::Pcmu, &silence).iter().all(|sample| *sample == 0.0));
    assert!(call.advance(ms(3_600_000)).len() == 5);
    assert!(call.session.poll_timeout().unwrap() > call.now);
}

#[test]
fn the_callee_replaces_the_tone_and_its_first_packet_is_marked() {
    let mut call = ringing(Codec::Pcmu, "us");
    record(&mut call, 200);
    call.set(CALLEE, stream(CALLEE_RTP, Codec::Pcmu));
    call.session.handle_timeout(call.now + ms(40));
    call.session.bridge(call.now, CALLER, CALLEE);
    assert!(call.generated().is_empty(), "nothing of the tone follows the bridge");
    assert_eq!(call.session.poll_timeout(), None);
    let mut bytes = packet(0);
    call.rtp(CALLEE, CALLEE_RTP, &mut bytes).unwrap();
    assert!(Packet::parse(&bytes).unwrap().marker);
}

#[test]
fn silence_stops_the_tone_and_a_new_one_goes_on_in_the_same_stream() {
    let mut call = ringing(Codec::Pcmu, "us");
    let first = Packet::parse(&call.generated()[0].1).unwrap();
    call.session.ringback(call.now, CALLER, tone::country("us").unwrap());
    let next = Packet::parse(&call.advance(ms(20))[0].1).unwrap();
    assert!(!next.marker, "asked again, the same tone goes on");
    call.session.silence(CALLER);
    assert!(call.advance(ms(100)).is_empty());
    call.session.ringback(call.now, CALLER, tone::country("us").unwrap());
    let again = Packet::parse(&call.generated()[0].1).unwrap();
    assert_eq!((again.ssrc, again.sequence), (first.ssrc, first.sequence.wrapping_add(2)));
    assert_eq!(again.timestamp, first.timestamp.wrapping_add(6 * 160), "120 ms later");
    assert!(again.marker);
}

#[test]
fn packets_are_as_long_as_the_peer_asks_within_reason() {
    for (ptime, length) in [(30, 30), (10, 10), (60, 60), (200, 60), (1, 10)] {
        let mut call = Call::new(None);
        call.set(CALLER, Negotiated { ptime: ms(ptime), ..stream(CALLER_RTP, Codec::Pcmu) });
        call.session.ringback(call.now, CALLER, tone::country("de").unwrap());
        let first = Packet::parse(&call.generated()[0].1).unwrap();
        assert_eq!(first.payload.len() as u64, length * 8, "{ptime}");
        assert!(call.advance(ms(length - 1)).is_empty());
        let next = Packet::parse(&call.advance(ms(1))[0].1).unwrap();
        assert_eq!(next.timestamp, first.timestamp.wrapping_add(length as u32 * 8));
    }
}

#[test]
fn the_tone_waits_for_the_leg_to_be_set_up() {
    let mut call = Call::new(None);
    call.session.ringback(call.now, CALLER, tone::country("us").unwrap());
    assert!(call.advance(ms(500)).is_empty());
    assert_eq!(call.session.poll_timeout(), None);
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
    assert_eq!(call.generated().len(), 1);
}

#[test]
fn a_caller_that_holds_is_not_sent_the_tone_and_finds_it_where_it_would_be() {
    let mut call = ringing(Codec::Pcmu, "us");
    let first = Packet::parse(&call.generated()[0].1).unwrap();
    let held = Negotiated { direction: Direction::RecvOnly, ..stream(CALLER_RTP, Codec::Pcmu) };
    call.set(CALLER, held);
    assert!(call.advance(ms(1000)).is_empty());
    assert_eq!(call.session.poll_timeout(), None);
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
    let resumed = call.generated();
    assert_eq!(resumed.len(), 1);
    let resumed = Packet::parse(&resumed[0].1).unwrap();
    assert_eq!(resumed.timestamp, first.timestamp.wrapping_add(50 * 160));
    assert!(resumed.marker);
}

#[test]
fn a_buffer_too_short_takes_nothing() {
    let mut call = ringing(Codec::Pcmu, "us");
    assert_eq!(call.session.poll_transmit(&mut [0; media::session::GENERATED_PACKET - 1]), None);
    assert_eq!(call.generated().len(), 1);
}

#[test]
fn the_seed_decides_the_stream() {
    let first = ringing(Codec::Pcmu, "us").generated();
    assert_eq!(ringing(Codec::Pcmu, "us").generated(), first);
    let mut session = media::Session::new(media::SessionConfig::default(), 43);
    session.add_leg(CALLER);
    let mut call = Call { session, now: crate::support::epoch() };
    call.set(CALLER, stream(CALLER_RTP, Codec::Pcmu));
    call.session.ringback(call.now, CALLER, tone::country("us").unwrap());
    assert_ne!(call.generated()[0].1[2..12], first[0].1[2..12]);
}
