//! What `/metrics` says: counts of calls, hooks and alerts since the start, and how full things
//! are right now, as Prometheus reads it. docs/metrics.md names each figure.
//!
//! Off the path of packets: the loop and the tasks of webhooks count here, once for a leg or a
//! request. Labels take their values from closed lists, so that no stranger can make the text grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use call::{LegRecord, TurnedAway};
use metrics::{Unit, counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use serde_json::Value;
use verbs::callback::Direction;

/// Bounds of the histogram buckets of webhooks: their limit is 10 s.
const HOOK_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Bounds of the buckets of ringing: 60 s is the usual limit.
const ANSWER_SECONDS: &[f64] = &[0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0];

/// Bounds of the buckets of calls.
const CALL_SECONDS: &[f64] = &[1.0, 5.0, 15.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0, 10800.0];

/// Durations that are kept one by one before they are folded into their buckets. why: the recorder
/// folds them when somebody reads the text, and where nobody does it would keep each for ever.
const SAMPLES_MAX: u32 = 1024;

/// How full things are at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Levels {
    pub(super) calls: usize,
    pub(super) registrations: usize,
    pub(super) transactions: usize,
    pub(super) dialogs: usize,
    pub(super) turned_away: TurnedAway,
    pub(super) rtp_ports_used: usize,
    pub(super) rtp_ports: usize,
    pub(super) journal_waiting: usize,
    pub(super) degraded: bool,
    pub(super) draining: bool,
}

/// See the module. A copy counts into the same figures.
#[derive(Clone)]
pub(super) struct Meter {
    recorder: Arc<PrometheusRecorder>,
    text: PrometheusHandle,
    /// Durations since they were folded last.
    samples: Arc<AtomicU32>,
}

impl Meter {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// Bounds of a histogram that are none: a bug here.
    pub(super) fn new() -> Result<Meter, String> {
        let buckets = [
            ("switchhook_hook_seconds", HOOK_SECONDS),
            ("switchhook_answer_seconds", ANSWER_SECONDS),
            ("switchhook_call_seconds", CALL_SECONDS),
        ];
        let mut builder = PrometheusBuilder::new();
        for (name, bounds) in buckets {
            let bounded = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds);
            builder = bounded.map_err(|error| format!("metrics: {name}: {error}"))?;
        }
        let recorder = builder.build_recorder();
        let text = recorder.handle();
        let meter = Meter { text, recorder: Arc::new(recorder), samples: Arc::default() };
        meter.describe();
        Ok(meter)
    }

    /// The INVITE of a leg came or went.
    pub(super) fn leg_began(&self, direction: Direction) {
        let direction = word(direction);
        self.count(|| counter!("switchhook_legs_total", "direction" => direction).increment(1));
    }

    /// A leg is over.
    pub(super) fn leg_ended(&self, record: &LegRecord) {
        let direction = word(record.direction);
        let status = record.event.get("call_status").and_then(Value::as_str);
        let status = status.unwrap_or_default().to_owned();
        let code = record.sip_status.to_string();
        let between = |start: Option<Instant>, end: Option<Instant>| {
            start.zip(end).map(|(start, end)| end.saturating_duration_since(start).as_secs_f64())
        };
        self.count(|| {
            counter!("switchhook_legs_ended_total",
                "direction" => direction, "status" => status, "sip_status" => code)
            .increment(1);
            if let Some(seconds) = between(record.attempted_at, record.answered_at) {
                histogram!("switchhook_answer_seconds", "direction" => direction).record(seconds);
            }
            if let Some(seconds) = between(record.answered_at, record.ended_at) {
                histogram!("switchhook_call_seconds", "direction" => direction).record(seconds);
            }
        });
        self.sampled(2);
    }

    /// A webhook whose answer matters was answered, or failed in the way that the alert names.
    pub(super) fn hook(&self, took: Duration, failure: Option<&'static str>) {
        let outcome = failure.unwrap_or("ok");
        self.count(|| {
            histogram!("switchhook_hook_seconds", "outcome" => outcome).record(took.as_secs_f64());
        });
        self.sampled(1);
    }

    /// At most so many durations were recorded.
    fn sampled(&self, samples: u32) {
        if self.samples.fetch_add(samples, Ordering::Relaxed) + samples >= SAMPLES_MAX {
            self.samples.store(0, Ordering::Relaxed);
            self.text.run_upkeep();
        }
    }

    /// A status event found its call's queue full.
    pub(super) fn event_dropped(&self) {
        self.count(|| counter!("switchhook_status_events_dropped_total").increment(1));
    }

    /// An alert was raised.
    pub(super) fn alert(&self, alert_type: &'static str) {
        self.count(|| counter!("switchhook_alerts_total", "alert_type" => alert_type).increment(1));
    }

    /// Everything, in the text format of Prometheus.
    pub(super) fn text(&self, levels: &Levels) -> String {
        let level = |value: usize| u32::try_from(value).map_or(f64::from(u32::MAX), f64::from);
        self.count(|| {
            gauge!("switchhook_calls").set(level(levels.calls));
            gauge!("switchhook_registrations").set(level(levels.registrations));
            gauge!("switchhook_sip_transactions").set(level(levels.transactions));
            gauge!("switchhook_sip_dialogs").set(level(levels.dialogs));
            let TurnedAway { silenced, locked, withheld } = levels.turned_away;
            counter!("switchhook_sources_silenced_total").absolute(silenced);
            counter!("switchhook_sources_locked_total").absolute(locked);
            counter!("switchhook_answers_withheld_total").absolute(withheld);
            gauge!("switchhook_rtp_ports_used").set(level(levels.rtp_ports_used));
            gauge!("switchhook_rtp_ports").set(level(levels.rtp_ports));
            gauge!("switchhook_journal_waiting").set(level(levels.journal_waiting));
            gauge!("switchhook_degraded").set(f64::from(u8::from(levels.degraded)));
            gauge!("switchhook_draining").set(f64::from(u8::from(levels.draining)));
            gauge!("switchhook_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        });
        self.text.render()
    }

    fn count(&self, counted: impl FnOnce()) {
        with_local_recorder(self.recorder.as_ref(), counted);
    }

    fn describe(&self) {
        use metrics::describe_histogram as histogram;
        use metrics::{describe_counter as counter, describe_gauge as gauge};
        self.count(|| {
            counter!("switchhook_legs_total", Unit::Count, "Parties called or calling");
            counter!("switchhook_legs_ended_total", Unit::Count, "Parties that are gone, and how");
            counter!("switchhook_alerts_total", Unit::Count, "Alerts raised");
            counter!(
                "switchhook_status_events_dropped_total",
                Unit::Count,
                "Status events dropped because too many waited"
            );
            counter!("switchhook_sources_silenced_total", Unit::Count, "Strangers silenced");
            counter!("switchhook_sources_locked_total", Unit::Count, "Guessers locked out");
            counter!(
                "switchhook_answers_withheld_total",
                Unit::Count,
                "Answers held back because more was asked than proved"
            );
            histogram!("switchhook_hook_seconds", Unit::Seconds, "Webhooks until answered");
            histogram!("switchhook_answer_seconds", Unit::Seconds, "INVITE until answered");
            histogram!("switchhook_call_seconds", Unit::Seconds, "Answered until the end");
            gauge!("switchhook_calls", Unit::Count, "Callers that are there");
            gauge!("switchhook_registrations", Unit::Count, "Users that are registered");
            gauge!("switchhook_sip_transactions", Unit::Count, "SIP transactions held");
            gauge!("switchhook_sip_dialogs", Unit::Count, "SIP dialogs held");
            gauge!("switchhook_rtp_ports_used", Unit::Count, "Port pairs in use for audio");
            gauge!("switchhook_rtp_ports", Unit::Count, "Port pairs there are for audio");
            gauge!("switchhook_journal_waiting", Unit::Count, "Entries waiting for the database");
            gauge!("switchhook_degraded", Unit::Count, "1 while something fails beside the calls");
            gauge!("switchhook_draining", Unit::Count, "1 while no new calls are taken");
            gauge!("switchhook_info", Unit::Count, "Always 1; the version as a label");
        });
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_folded_though_nobody_reads_them() {
        let meter = Meter::new().expect("the bounds are right");
        let recorded = SAMPLES_MAX * 3 + 7;
        for _ in 0..recorded {
            meter.hook(Duration::from_millis(7), None);
            assert!(meter.samples.load(Ordering::Relaxed) < SAMPLES_MAX);
        }
        let text = meter.text(&Levels::default());
        let line = format!("switchhook_hook_seconds_count{{outcome=\"ok\"}} {recorded}");
        assert!(text.contains(&line), "{text}");
    }
}
