//! Calls over REST: what is asked of the gateway and what is answered.

use serde_json::{Value, json};

use crate::rig::Rig;

const CALL: &str = r#"{"from":"1555","to":{"type":"user","name":"jane"},"call_hook":"http://h/x"}"#;

#[tokio::test]
async fn a_call_is_placed() {
    let rig = Rig::start().await;
    let made = rig.ask("POST", "/Accounts/{a}/Calls", CALL).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json(), json!({ "sid": "the-sid", "callId": "the-call-id" }));
    let unknown = CALL.replace("\"from\"", "\"form\":1,\"from\"");
    assert_eq!(rig.ask("POST", "/Accounts/{a}/Calls/", &unknown).await.status, 201);
    assert_eq!(
        rig.gateway.asked(),
        ["create from 1555 with 0 warnings", "create from 1555 with 1 warnings"]
    );
    rig.gateway.refuses(480, "no capacity");
    let refused = rig.ask("POST", "/Accounts/{a}/Calls", CALL).await;
    assert_eq!((refused.status, refused.msg().as_str()), (480, "no capacity"));
}

#[tokio::test]
async fn a_wrong_body_is_told_with_line_and_column() {
    let rig = Rig::start().await;
    let rows = [
        ("POST", "", "{\n \"from\": }", "2:10: -: "),
        ("POST", "", "{}", "missing"),
        ("POST", "", "[]", "1:1: -: no object"),
        ("POST", "", "", "1:1: -: "),
        ("PUT", "/x", "{}", "1:1: "),
        ("PUT", "/x", "{\"call_status\":\"gone\"}", "1:16: /call_status: "),
        ("POST", "/x", "nonsense", "1:1: -: "),
    ];
    for (method, rest, body, part) in rows {
        let answer = rig.ask(method, &format!("/Accounts/{{a}}/Calls{rest}"), body).await;
        assert_eq!(answer.status, 400, "{method} {body}");
        assert!(answer.msg().contains(part), "{body}: {}", answer.msg());
    }
    assert_eq!(rig.gateway.asked(), [""; 0]);
}

#[tokio::test]
async fn a_request_to_a_peer_brings_back_its_answer() {
    let rig = Rig::start().await;
    let body = r#"{"sip_request":{"method":"INFO"}}"#;
    let answer = rig.ask("POST", "/Accounts/{a}/Calls/x", body).await;
    assert_eq!(answer.status, 200);
    let got: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(got, json!({ "status": 488, "reason": "Not Like This" }));
}

#[tokio::test]
async fn put_and_post_change_a_call_alike() {
    let rig = Rig::start().await;
    for method in ["PUT", "POST"] {
        let body = r#"{"call_status":"completed"}"#;
        let answer = rig.ask(method, "/Accounts/{a}/Calls/x", body).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, "Accepted"), "{method}");
        assert_eq!(rig.gateway.asked(), ["update x CallStatus(Completed)"]);
        rig.gateway.refuses(422, "the call has ended");
        let answer = rig.ask(method, "/Accounts/{a}/Calls/x", body).await;
        assert_eq!((answer.status, answer.msg().as_str()), (422, "the call has ended"));
        rig.gateway.refuses(404, "no such call");
        let answer = rig.ask(method, "/Accounts/{a}/Calls/x", body).await;
        assert_eq!((answer.status, answer.body.as_str()), (404, ""));
        rig.gateway.asked();
    }
}

async fn with_calls() -> Rig {
    let rig = Rig::start().await;
    let call = |sid: &str, direction: &str, from: &str, status: &str| {
        json!({ "call_sid": sid, "direction": direction, "from": from, "to": "100",
                "call_status": status })
    };
    *rig.gateway.calls.lock().expect("no panic") = vec![
        call("c1", "inbound", "1555", "in-progress"),
        call("c2", "outbound", "1555", "ringing"),
        call("c3", "outbound", "1666", "busy"),
        call("c4", "inbound", "+49 30", "completed"),
    ];
    rig
}

#[tokio::test]
async fn calls_are_listed_filtered_and_counted() {
    let rig = with_calls().await;
    let rows = [
        ("", vec!["c1", "c2", "c3", "c4"]),
        ("?direction=inbound", vec!["c1", "c4"]),
        ("?direction=outbound&from=1555", vec!["c2"]),
        ("?from=%2B49+30", vec!["c4"]),
        ("?to=100&callStatus=busy", vec!["c3"]),
        ("?callStatus=", vec!["c1", "c2", "c3", "c4"]),
        ("?to=nobody", vec![]),
    ];
    for (query, wanted) in rows {
        for slash in ["", "/"] {
            let answer = rig.get(&format!("/Accounts/{{a}}/Calls{slash}{query}")).await;
            assert_eq!(answer.status, 200, "{query}");
            let calls = answer.json();
            let sids: Vec<&str> = calls
                .as_array()
                .expect("a list")
                .iter()
                .map(|call| call["call_sid"].as_str().expect("a sid"))
                .collect();
            assert_eq!(sids, wanted, "{query}");
        }
    }
    let wrong = rig.get("/Accounts/{a}/Calls?direction=sideways").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.msg().contains("expected inbound or outbound, got \"sideways\""));
    for path in ["/Accounts/{a}/CallCount", "/Accounts/{a}/Calls/count"] {
        assert_eq!(rig.get(path).await.json(), json!({ "inbound": 1, "outbound": 1 }), "{path}");
    }
    assert_eq!(rig.get("/Accounts/{a}/Calls/c2").await.json()["call_status"], "ringing");
    assert_eq!(rig.get("/Accounts/{a}/Calls/c9").await.status, 404);
}

#[tokio::test]
async fn deleting_a_call_hangs_up() {
    let rig = with_calls().await;
    let answer = rig.ask("DELETE", "/Accounts/{a}/Calls/c2", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(rig.gateway.asked(), ["update c2 CallStatus(Completed)"]);
    assert_eq!(rig.ask("DELETE", "/Accounts/{a}/Calls/c3", "").await.status, 204);
    assert_eq!(rig.gateway.asked(), [""; 0], "it is over");
    assert_eq!(rig.ask("DELETE", "/Accounts/{a}/Calls/c9", "").await.status, 404);
    rig.gateway.refuses(503, "the switch ends");
    assert_eq!(rig.ask("DELETE", "/Accounts/{a}/Calls/c1", "").await.status, 503);
}
