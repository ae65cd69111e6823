//! Call records and alerts.

use std::time::Duration;

use serde_json::{Value, json};
use store::{AlertRecord, Direction, Entry, Journal, RecentCall, Timestamp};

use crate::rig::{ACCOUNT, PROVIDER, Rig};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_793_700_000_000 + seconds * 1000)
}

fn record(number: i64) -> RecentCall {
    let is_odd = number % 2 == 1;
    RecentCall {
        account_sid: ACCOUNT.to_owned(),
        service_provider_sid: PROVIDER.to_owned(),
        call_sid: format!("call-{number}"),
        application_sid: None,
        from: format!("1555{number}"),
        to: "100".to_owned(),
        answered: is_odd,
        sip_callid: format!("{number}@192.0.2.1"),
        sip_parent_callid: None,
        sip_status: if is_odd { 200 } else { 486 },
        duration: 7,
        attempted_at: at(number * 3600),
        answered_at: is_odd.then(|| at(number * 3600 + 1)),
        terminated_at: at(number * 3600 + 8),
        termination_reason: "caller hungup".to_owned(),
        host: "192.0.2.1:5060".to_owned(),
        remote_host: "192.0.2.2:5060".to_owned(),
        direction: if is_odd { Direction::Inbound } else { Direction::Outbound },
        trunk: Some(if number < 3 { "Twilio" } else { "user" }.to_owned()),
        trace_id: "0123456789abcdef0123456789abcdef".to_owned(),
        recording_url: None,
    }
}

fn alert(alert_type: &str, hours: i64) -> AlertRecord {
    AlertRecord {
        time: at(hours * 3600),
        account_sid: ACCOUNT.to_owned(),
        service_provider_sid: PROVIDER.to_owned(),
        alert_type: alert_type.to_owned(),
        message: "<script>alert(1)</script>".to_owned(),
        detail: None,
        target_sid: Some("call-1".to_owned()),
        url: None,
        status: None,
        vendor: None,
        label: None,
        count: None,
    }
}

async fn with_a_past() -> Rig {
    let rig = Rig::start().await;
    let journal = Journal::start(rig.store.clone());
    for number in 1..=4 {
        journal.record(Entry::CallClosed(Box::new(record(number)))).expect("room");
    }
    for (hours, word) in [(1, "no-carrier"), (2, "webhook-failure")] {
        journal.record(Entry::Alert(Box::new(alert(word, hours)))).expect("room");
    }
    assert!(journal.drain(Duration::from_secs(60)).await);
    rig
}

#[tokio::test]
async fn records_come_in_pages_with_numbers() {
    let rig = with_a_past().await;
    for owner in ["/Accounts/{a}", "/ServiceProviders/{p}"] {
        let page = rig.get(&format!("{owner}/RecentCalls?page=2&count=3")).await.json();
        assert_eq!(page["total"], json!(4), "{owner}");
        assert_eq!((&page["page"], &page["page_size"]), (&json!(2), &json!(3)));
        assert_eq!(page["data"][0]["call_sid"], "call-1", "the latest first");
        assert_eq!(page["data"][0]["answered"], json!(true));
        assert_eq!(page["data"][0]["sip_status"], json!(200));
        assert_eq!(page["data"][0]["attempted_at"], "2026-11-03T11:00:00.000Z");
    }
}

#[tokio::test]
async fn records_are_filtered() {
    let rig = with_a_past().await;
    let rows: [(&str, &[&str]); 10] = [
        ("", &["call-4", "call-3", "call-2", "call-1"]),
        ("&trunk=Twilio", &["call-2", "call-1"]),
        ("&direction=inbound", &["call-3", "call-1"]),
        ("&answered=false", &["call-4", "call-2"]),
        ("&filter=15552", &["call-2"]),
        ("&filter=call-3", &["call-3"]),
        ("&filter=4@192.0.2.1", &["call-4"]),
        ("&filter=%25", &[]),
        ("&start=2026-11-03T13:00:00Z", &["call-4", "call-3"]),
        ("&start=2026-11-03&end=2026-11-03T11:30:00%2B00:00", &["call-1"]),
    ];
    for (query, wanted) in rows {
        let path = format!("/Accounts/{{a}}/RecentCalls?page=1&count=500{query}");
        let answer = rig.get(&path).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        let page = answer.json();
        let data = page["data"].as_array().expect("a list").iter();
        let sids: Vec<&Value> = data.map(|record| &record["call_sid"]).collect();
        assert_eq!(sids, *wanted, "{query}");
    }
}

#[tokio::test]
async fn alerts_come_in_pages_and_are_json_whatever_they_say() {
    let rig = with_a_past().await;
    let answer = rig.get("/ServiceProviders/{p}/Alerts?page=1&count=1").await;
    let page = answer.json();
    assert_eq!((&page["total"], &page["page_size"]), (&json!(2), &json!(1)));
    assert_eq!(page["data"][0]["alert_type"], "webhook-failure");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let path = "/Accounts/{a}/Alerts?page=1&count=9&alert_type=no-carrier";
    assert_eq!(rig.get(path).await.json()["total"], json!(1));
    let path = "/Accounts/{a}/Alerts?page=1&count=9&end=2026-11-03T11:30:00Z";
    assert_eq!(rig.get(path).await.json()["total"], json!(1));
}

#[tokio::test]
async fn a_page_must_be_asked_for_with_numbers() {
    let rig = Rig::start().await;
    let rows = [
        ("", "page: missing"),
        ("?page=1", "count: missing; expected a number from 1 to 500"),
        ("?count=1", "page: missing"),
        ("?page=0&count=1", "page: wrong value"),
        ("?page=x&count=1", "got \"x\""),
        ("?page=1&count=501", "count: wrong value"),
        ("?page=1&count=-1", "count: wrong value"),
        ("?page=1&count=1&days=0", "days: wrong value"),
        ("?page=1&count=1&start=yesterday", "start: wrong value; expected a time"),
    ];
    for (query, part) in rows {
        for owner in ["/Accounts/{a}", "/ServiceProviders/{p}"] {
            for kind in ["RecentCalls", "Alerts"] {
                let answer = rig.get(&format!("{owner}/{kind}{query}")).await;
                assert_eq!(answer.status, 400, "{kind} {query}");
                assert!(answer.msg().contains(part), "{query}: {}", answer.msg());
            }
        }
    }
    let path = "/Accounts/{a}/RecentCalls?page=1&count=1&answered=yes";
    assert!(rig.get(path).await.msg().contains("expected true or false"));
    let path = "/Accounts/{a}/RecentCalls?page=1&count=1&direction=up";
    assert!(rig.get(path).await.msg().contains("expected inbound or outbound"));
}
