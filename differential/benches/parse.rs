//! Parsing one carrier INVITE of 1,234 bytes: ours, and the oracles beside it in the same run.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use differential::ezk_message;
use rsipstack::sip::SipMessage;
use sip::Message;

const INVITE: &str = include_str!("../../crates/sip/tests/carrier_invite.sip");

fn parse(criterion: &mut Criterion) {
    let datagram = INVITE.replace('\n', "\r\n").into_bytes();
    assert_eq!(datagram.len(), 1_234);
    let mut group = criterion.benchmark_group("parse an INVITE of 1,234 bytes");
    group.throughput(Throughput::Bytes(datagram.len() as u64));
    group.bench_function("sip", |bencher| {
        bencher.iter(|| Message::parse(black_box(&datagram)).expect("it is sound"));
    });
    group.bench_function("rsipstack", |bencher| {
        bencher.iter(|| SipMessage::try_from(black_box(datagram.as_slice())).expect("it is sound"));
    });
    group.bench_function("ezk-sip-types", |bencher| {
        bencher.iter(|| {
            let copied = Bytes::copy_from_slice(black_box(&datagram));
            ezk_message(&copied).expect("it is sound")
        });
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
