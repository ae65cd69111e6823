//! A leg moves with its sockets from one call to another, on the same thread and to another one.

use std::net::UdpSocket;

use media::codec::g711;
use media::{Codec, Play, PlayEnd, PlayId, Repeat, Sound};
use net::rtp::{Command, Config, Event, Move};

use crate::rig::{CALLEE, CALLER, Rig, bridged, packet};

/// Calls on the same thread, and on two.
const THREADS: [usize; 2] = [1, 2];

fn freed(rig: &mut Rig) -> Vec<u16> {
    match rig.event() {
        Event::PortsFreed(ports) => ports,
        other => panic!("ports come back, got {other:?}"),
    }
}

#[test]
fn a_callee_moves_and_hears_the_other_caller_through_the_same_port() {
    for threads in THREADS {
        let mut rig = Rig::new(threads, Config::default());
        let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
        let other = rig.phone(2, CALLER, Codec::Pcmu);
        callee.speak(&packet(0, 1));
        caller.hear();

        rig.send(Command::Move(Move::new(1, CALLEE, 2, CALLEE)));
        rig.send(Command::Bridge { call: 2, x: CALLER, y: CALLEE });
        callee.speak(&packet(0, 2));
        assert_eq!(other.hear()[2..], packet(0, 2)[2..]);
        other.speak(&packet(0, 3));
        let (heard, from) = callee.hear_from();
        assert_eq!((&heard[2..], from), (&packet(0, 3)[2..], callee.switch));
        caller.speak(&packet(0, 4));
        callee.hears_nothing();

        let (left, moved) = (caller.switch.port(), callee.switch.port());
        rig.send(Command::Close { call: 1 });
        assert_eq!(freed(&mut rig), [left], "the leg that moved is of another call");
        callee.speak(&packet(0, 5));
        other.hear();
        rig.send(Command::CloseLeg { call: 2, leg: CALLEE });
        assert_eq!(freed(&mut rig), [moved]);
        UdpSocket::bind(("127.0.0.1", moved)).expect("nobody holds it");
    }
}

#[test]
fn a_call_may_begin_with_a_leg_that_comes_and_commands_wait_for_it() {
    for threads in THREADS {
        let mut rig = Rig::new(threads, Config::default());
        for round in 0..20 {
            let (from, to) = (10 * round + 1, 10 * round + 2);
            let caller = rig.phone(from, CALLER, Codec::Pcmu);
            rig.send(Command::Move(Move::new(from, CALLER, to, CALLEE)));
            let sound = Sound::from_samples(vec![g711::ulaw_to_linear(9); 160]);
            let (id, repeat) = (PlayId(round), Repeat::Times(1));
            let play = Play { id, sound, repeat, from_sample: 0, longest: None };
            rig.send(Command::Play { call: to, to: CALLEE, play });
            rig.send(Command::Close { call: from });
            assert_eq!(caller.hear()[12..], [9; 160]);
            let (leg, end) = (CALLEE, PlayEnd::Finished);
            assert_eq!(rig.event(), Event::Played { call: to, leg, id, end, at_sample: 160 });
            rig.send(Command::Close { call: to });
            assert_eq!(freed(&mut rig), [caller.switch.port()]);
        }
    }
}

#[test]
fn a_leg_that_is_not_there_moves_nothing_and_nobody_waits() {
    for threads in THREADS {
        let mut rig = Rig::new(threads, Config::default());
        let (caller, callee) = bridged(&mut rig, 2, Codec::Pcmu, Codec::Pcmu);
        rig.send(Command::Silence { call: 2, to: CALLEE });
        rig.send(Command::Move(Move::new(1, CALLER, 2, media::LegId(7))));
        rig.send(Command::Bridge { call: 2, x: CALLER, y: CALLEE });
        callee.speak(&packet(0, 2));
        caller.hear();
        // why: both threads have taken all their commands once the second call is closed.
        rig.send(Command::Close { call: 2 });
        assert_eq!(freed(&mut rig).len(), 2);
        caller.hears_nothing();
    }
}

#[test]
fn a_leg_that_comes_too_late_is_closed() {
    for threads in THREADS {
        let mut rig = Rig::new(threads, Config::default());
        let caller = rig.phone(1, CALLER, Codec::Pcmu);
        rig.send(Command::Move(Move::new(1, CALLER, 2, CALLER)));
        rig.send(Command::Close { call: 2 });
        assert_eq!(freed(&mut rig), [caller.switch.port()]);
        rig.send(Command::Close { call: 1 });
        let next = rig.phone(2, CALLER, Codec::Pcmu);
        rig.send(Command::Close { call: 2 });
        assert_eq!(freed(&mut rig), [next.switch.port()]);
    }
}

#[test]
fn a_number_that_is_taken_fails_the_call_and_frees_all_its_ports() {
    for threads in THREADS {
        let mut rig = Rig::new(threads, Config::default());
        let (caller, callee) = bridged(&mut rig, 1, Codec::Pcmu, Codec::Pcmu);
        let other = rig.phone(2, CALLER, Codec::Pcmu);
        rig.send(Command::Move(Move::new(1, CALLEE, 2, CALLER)));
        let failed = rig.event();
        let Event::Failed { call: 2, reason } = failed else { panic!("got {failed:?}") };
        assert_eq!(reason, "leg 0 is opened twice");
        let mut ports = freed(&mut rig);
        ports.sort_unstable();
        let mut expected = vec![callee.switch.port(), other.switch.port()];
        expected.sort_unstable();
        assert_eq!(ports, expected);
        rig.send(Command::Close { call: 1 });
        assert_eq!(freed(&mut rig), [caller.switch.port()]);
    }
}

#[test]
fn a_leg_moves_on_before_it_has_come_and_two_calls_may_exchange_theirs() {
    for threads in [1, 2, 3] {
        let mut rig = Rig::new(threads, Config::default());
        let phones: Vec<_> = (0..4).map(|call| rig.phone(call, CALLER, Codec::Pcmu)).collect();
        let moves = |from, leg, to, to_leg| Command::Move(Move::new(from, leg, to, to_leg));
        // The phone of call 0 goes to 1, on to 2 and on to 3; those of 1 and 2 change places.
        rig.send(moves(0, CALLER, 1, CALLEE));
        rig.send(moves(1, CALLEE, 2, CALLEE));
        rig.send(moves(2, CALLEE, 3, CALLEE));
        rig.send(moves(1, CALLER, 2, media::LegId(5)));
        rig.send(moves(2, CALLER, 1, media::LegId(5)));
        rig.send(Command::Bridge { call: 3, x: CALLER, y: CALLEE });
        phones[0].speak(&packet(0, 8));
        assert_eq!(phones[3].hear()[2..], packet(0, 8)[2..]);
        for (call, phone) in [(1, &phones[2]), (2, &phones[1])] {
            rig.send(Command::CloseLeg { call, leg: media::LegId(5) });
            assert_eq!(freed(&mut rig), [phone.switch.port()]);
        }
        rig.workers.stop();
        let mut left = Vec::new();
        while let Some(event) = rig.events.blocking_recv() {
            let Event::PortsFreed(ports) = event else { panic!("only ports come back") };
            left.extend(ports);
        }
        assert_eq!(left.len(), 2);
    }
}
