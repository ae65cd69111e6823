//! Several callees that fail: one outcome stands for the dial, whatever their order.

use serde_json::json;

use crate::scene::{Scene, heard, refuses, result, talks};

/// Statuses in the order in which they come, the dial's status, its SIP status.
const OUTCOMES: [(&[u16], &str, u16); 13] = [
    (&[486, 404], "busy", 486),
    (&[404, 486], "busy", 486),
    (&[486, 600], "busy", 600),
    (&[600, 486], "busy", 600),
    (&[487, 404], "no-answer", 487),
    (&[503, 487], "no-answer", 487),
    (&[487, 486], "busy", 486),
    (&[404, 503], "failed", 404),
    (&[503, 404], "failed", 404),
    (&[503, 603], "failed", 603),
    (&[603, 404, 500], "failed", 603),
    (&[404, 480], "failed", 480),
    (&[480, 404], "failed", 404),
];

#[test]
fn the_best_failure_stands_for_the_dial() {
    for (statuses, status, sip_status) in OUTCOMES {
        let each = statuses.iter().zip([0.5, 1.0, 1.5]);
        let callees = each.map(|(status, after)| refuses(*status, after)).collect();
        let world = Scene::dialling(callees, &json!({})).play();
        let result = result(&world);
        assert_eq!(result["dial_call_status"], status, "{statuses:?}");
        assert_eq!(result["dial_sip_status"], sip_status, "{statuses:?}");
        let chosen = statuses.iter().position(|status| *status == sip_status).unwrap();
        assert_eq!(result["dial_call_sid"], world.application.calls(true)[chosen].as_str());
        let got = result["dial_targets"].as_array().unwrap();
        let got: Vec<u64> = got.iter().map(|of| of["sip_status"].as_u64().unwrap()).collect();
        let expected: Vec<u64> = statuses.iter().map(|status| u64::from(*status)).collect();
        assert_eq!(got, expected, "each target has its own truth");
    }
}

#[test]
fn a_refusal_does_not_keep_the_others_from_answering() {
    let world = Scene::dialling(vec![refuses(486, 0.5), talks(2.0, 2.0)], &json!({})).play();
    let result = result(&world);
    assert_eq!(result["dial_call_status"], "completed");
    assert_eq!(result["dial_call_sid"], world.application.calls(true)[1].as_str());
    assert_eq!(result["dial_targets"][0]["call_status"], "busy");
    assert_eq!(result["dial_targets"][0]["lost_because"], "busy");
    assert_eq!(heard(&world), ["callee 2", "nothing"]);
}
