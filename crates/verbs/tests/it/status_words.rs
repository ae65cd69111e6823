//! From SIP status to the words of callbacks, and which of several outcomes is the dial's.

use verbs::status::{
    CallStatus, DialStatus, LostBecause, Outcome, TargetStatus, best, of_created_call, of_sip,
};

#[test]
fn every_final_status_has_its_word() {
    for sip_status in 200..700 {
        let expected = match sip_status {
            200..300 => "completed",
            486 | 600 => "busy",
            487 => "no-answer",
            _ => "failed",
        };
        assert_eq!(of_sip(sip_status).as_str(), expected, "{sip_status}");
    }
}

#[test]
fn a_call_that_a_program_began_and_the_callee_declined_was_busy() {
    for sip_status in 300..700 {
        let expected = match sip_status {
            486 | 600 | 603 => CallStatus::Busy,
            487 => CallStatus::NoAnswer,
            _ => CallStatus::Failed,
        };
        assert_eq!(of_created_call(sip_status), expected, "{sip_status}");
    }
}

/// Rows: final statuses in the order they came, and the index of the one that stands for all.
#[test]
fn the_outcome_of_a_dial_does_not_hang_on_the_order_of_ranks() {
    let rows: &[(&[u16], Option<usize>)] = &[
        (&[], None),
        (&[404], Some(0)),
        (&[486, 404], Some(0)),
        (&[404, 486], Some(1)),
        (&[487, 486], Some(1)),
        (&[486, 487], Some(0)),
        (&[404, 487, 503], Some(1)),
        (&[200, 486], Some(0)),
        // RFC 3261 §16.7: 6xx before all.
        (&[486, 600], Some(1)),
        (&[600, 486], Some(0)),
        (&[404, 603], Some(1)),
        // The lowest class.
        (&[503, 404], Some(1)),
        (&[404, 503], Some(0)),
        (&[302, 404, 500], Some(0)),
        // The most recent of a class.
        (&[404, 480], Some(1)),
        (&[480, 404, 503], Some(1)),
        (&[503, 500], Some(1)),
    ];
    for (statuses, expected) in rows {
        let outcomes: Vec<Outcome> = statuses.iter().map(|s| Outcome::of_sip(*s)).collect();
        assert_eq!(best(&outcomes), *expected, "{statuses:?}");
    }
}

#[test]
fn a_declined_screening_is_a_no_answer_with_200() {
    let declined = Outcome { status: DialStatus::NoAnswer, sip_status: 200 };
    assert_eq!(best(&[declined, Outcome::of_sip(487)]), Some(0));
    assert_eq!(best(&[Outcome::of_sip(486), declined]), Some(0));
    assert_eq!(best(&[Outcome::of_sip(404), declined]), Some(1));
}

#[test]
fn words_are_written_as_jambonz_writes_them() {
    let call: Vec<&str> = CallStatus::ALL.iter().map(|status| status.as_str()).collect();
    let expected = [
        "trying",
        "ringing",
        "early-media",
        "in-progress",
        "completed",
        "failed",
        "busy",
        "no-answer",
        "queued",
    ];
    assert_eq!(call, expected);
    let target: Vec<&str> = TargetStatus::ALL.iter().map(|status| status.as_str()).collect();
    let ends = ["completed", "busy", "no-answer", "failed", "skipped"];
    let goes = ["trying", "ringing", "early-media", "in-progress"];
    assert_eq!(target, [&ends[..], &goes[..]].concat());
    let lost: Vec<&str> = LostBecause::ALL.iter().map(|because| because.as_str()).collect();
    let expected = [
        "answered-elsewhere",
        "ring-timeout",
        "progress-timeout",
        "caller-gone",
        "busy",
        "declined",
        "rejected",
        "unreachable",
        "no-such-trunk",
        "not-registered",
        "duplicate",
        "over-limit",
        "screening-declined",
        "machine",
        "replaced",
    ];
    assert_eq!(lost, expected);
    for status in DialStatus::ALL {
        assert_eq!(CallStatus::from(*status).as_str(), status.as_str());
        assert_eq!(TargetStatus::from(*status).as_str(), status.as_str());
        assert!(CallStatus::from(*status).is_final());
    }
    assert_eq!(CallStatus::ALL.iter().filter(|status| status.is_final()).count(), 4);
    assert_eq!(LostBecause::of_sip(486), LostBecause::Busy);
    assert_eq!(LostBecause::of_sip(600), LostBecause::Busy);
    assert_eq!(LostBecause::of_sip(603), LostBecause::Declined);
    assert_eq!(LostBecause::of_sip(404), LostBecause::Rejected);
}
