//! What the answer of a webhook costs to read.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use verbs::parse_application;

/// A dial of ten targets, as an application writes it.
fn dial() -> String {
    let target = |number: u32| {
        format!(
            r#"{{"type": "sip", "sipUri": "sip:agent-{number}@192.0.2.{number}:5060",
                "headers": {{"X-Queue": "support"}}}}"#
        )
    };
    let targets: Vec<String> = (1..=10).map(target).collect();
    format!(
        r#"[{{"verb": "dial", "actionHook": "/dialled", "callerId": "+4930123456",
            "answerOnBridge": true, "timeout": 30, "timeLimit": 3600,
            "target": [{}]}}]"#,
        targets.join(", ")
    )
}

fn parse(criterion: &mut Criterion) {
    let text = dial();
    let mut group = criterion.benchmark_group("an application");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse a dial of ten targets", |bencher| {
        bencher.iter(|| parse_application(black_box(&text), false).expect("it is sound"));
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
