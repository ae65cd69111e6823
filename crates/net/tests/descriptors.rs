//! When the calls are over and the threads have ended, no descriptor is left.
//!
//! A binary of its own: it counts the descriptors of the whole process.

use media::Codec;
use net::rtp::{Command, Config, Event};

#[expect(dead_code, reason = "shared with the other tests, which use all of it")]
#[path = "it/rig.rs"]
mod rig;

use rig::{Rig, bridged, packet};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux").count()
}

#[test]
fn nothing_is_left_open() {
    let before = descriptors();
    let mut rig = Rig::new(2, Config::default());
    let idle = descriptors();
    for round in 0..3 {
        let phones: Vec<_> = (0..3)
            .map(|call| bridged(&mut rig, 10 * round + call, Codec::Pcmu, Codec::Pcmu))
            .collect();
        for (caller, callee) in &phones {
            caller.speak(&packet(0, 1));
            callee.hear();
        }
        assert_eq!(descriptors(), idle + 6 * 4, "two for each leg, two for each phone");
        drop(phones);
        for call in 0..3 {
            rig.send(Command::Close { call: 10 * round + call });
        }
        let mut freed = 0;
        while freed < 6 {
            let Event::PortsFreed(ports) = rig.event() else { panic!("only ports come back") };
            freed += ports.len();
        }
        assert_eq!(descriptors(), idle);
    }
    drop(rig);
    assert_eq!(descriptors(), before);
}
