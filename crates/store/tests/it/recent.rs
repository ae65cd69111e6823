//! Reading call records and alerts: filters, order, pages.

use std::time::Duration;

use store::{
    AlertsFilter, Direction, Entry, Journal, PAGE_SIZE_MAX, Page, PageRequest, Period, RecentCall,
    RecentCallsFilter, Store, Timestamp,
};

use crate::scratch::{LONG, alert, at, recent_call};

async fn store_of(entries: Vec<Entry>) -> Store {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    let journal = Journal::start(store.clone());
    for entry in entries {
        journal.record(entry).expect("room");
    }
    assert!(journal.drain(LONG).await);
    store
}

fn everything() -> RecentCallsFilter {
    RecentCallsFilter {
        page: PageRequest { page: 1, count: 25 },
        trunk: None,
        direction: None,
        answered: None,
        period: Period::default(),
        filter: None,
    }
}

fn names(page: &Page<RecentCall>) -> String {
    let names: Vec<&str> = page.data.iter().map(|call| call.call_sid.as_str()).collect();
    names.join(" ")
}

#[tokio::test]
async fn each_filter_finds_its_calls_and_no_others() {
    let call = |name: &str, second| RecentCall { attempted_at: at(second), ..recent_call(name) };
    let calls = [
        RecentCall { from: "sip:Jane_100%@example.com".to_owned(), ..call("c1", 1) },
        RecentCall { trunk: None, to: "4930999888".to_owned(), ..call("c2", 2) },
        RecentCall { answered: false, answered_at: None, ..call("c3", 3) },
        RecentCall { direction: Direction::Outbound, ..call("c4", 4) },
        RecentCall { trunk: Some("' OR 1=1 --".to_owned()), ..call("c5", 5) },
    ];
    let store = store_of(calls.map(|call| Entry::CallClosed(Box::new(call))).into()).await;
    let text = |text: &str| RecentCallsFilter { filter: Some(text.to_owned()), ..everything() };
    let trunk = |name: &str| RecentCallsFilter { trunk: Some(name.to_owned()), ..everything() };
    let period = |start: Option<i64>, end: Option<i64>| RecentCallsFilter {
        period: Period { days: None, start: start.map(at), end: end.map(at) },
        ..everything()
    };
    let direction = |direction| RecentCallsFilter { direction: Some(direction), ..everything() };
    let rows = [
        (everything(), "c5 c4 c3 c2 c1"),
        (trunk("Twilio"), "c4 c3 c1"),
        (trunk("twilio"), ""),
        (trunk("' OR 1=1 --"), "c5"),
        (direction(Direction::Inbound), "c5 c3 c2 c1"),
        (direction(Direction::Outbound), "c4"),
        (RecentCallsFilter { answered: Some(true), ..everything() }, "c5 c4 c2 c1"),
        (RecentCallsFilter { answered: Some(false), ..everything() }, "c3"),
        (period(Some(2), Some(4)), "c4 c3 c2"),
        (period(Some(5), None), "c5"),
        (period(None, Some(1)), "c1"),
        (period(Some(4), Some(2)), ""),
        (text("jane"), "c1"),
        (text("0%"), "c1"),
        (text("e_1"), "c1"),
        (text("%"), "c1"),
        (text("999"), "c2"),
        (text("c3"), "c3"),
        (text("c3@192.0.2.1"), "c3"),
        (text("c3@"), ""),
        (text("c"), "c1"),
        (text("' OR ''='"), ""),
        (text(""), "c5 c4 c3 c2 c1"),
        (RecentCallsFilter { answered: Some(true), ..text("5551230002") }, "c5 c4 c1"),
    ];
    for (filter, expected) in rows {
        let page = store.recent_calls(&filter).await.expect("read");
        assert_eq!(names(&page), expected, "{filter:?}");
        assert_eq!(page.total, u64::try_from(page.data.len()).expect("fits"), "{filter:?}");
    }
}

#[tokio::test]
async fn days_count_back_from_now_and_outweigh_start_and_end() {
    let ago = |hours: u64| Timestamp::now().before(Duration::from_secs(hours * 3600));
    let calls = [1, 30, 60].map(|hours| {
        let call = RecentCall { attempted_at: ago(hours), ..recent_call(&format!("h{hours}")) };
        Entry::CallClosed(Box::new(call))
    });
    let mut entries: Vec<Entry> = calls.into();
    entries.push(Entry::Alert(Box::new(alert("no-tts", ago(1)))));
    entries.push(Entry::Alert(Box::new(alert("no-stt", ago(30)))));
    let store = store_of(entries).await;
    for (days, expected) in [(1, "h1"), (2, "h1 h30"), (3, "h1 h30 h60"), (u32::MAX, "h1 h30 h60")]
    {
        let period = Period { days: Some(days), start: Some(at(0)), end: Some(at(0)) };
        let filter = RecentCallsFilter { period, ..everything() };
        assert_eq!(names(&store.recent_calls(&filter).await.expect("read")), expected);
    }
    let period = Period { days: Some(1), ..Period::default() };
    let page = PageRequest { page: 1, count: 25 };
    let alerts = AlertsFilter { page, alert_type: None, period };
    assert_eq!(store.alerts(&alerts).await.expect("read").data[0].alert_type, "no-tts");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap() {
    // Three of each moment: the order within one is that of writing, the last first.
    let calls = (0..30).map(|number| {
        let call = recent_call(&format!("{number}"));
        let attempted_at = at(i64::from(number) / 3);
        Entry::CallClosed(Box::new(RecentCall { attempted_at, ..call }))
    });
    let store = store_of(calls.collect()).await;
    let mut seen = Vec::new();
    for number in 1..=5 {
        let page = PageRequest { page: number, count: 7 };
        let page = store.recent_calls(&RecentCallsFilter { page, ..everything() }).await;
        let page = page.expect("read");
        assert_eq!((page.total, page.page, page.page_size), (30, number, 7));
        seen.extend(page.data.into_iter().map(|call| call.call_sid));
    }
    let expected: Vec<String> = (0..30).rev().map(|number| number.to_string()).collect();
    assert_eq!(seen, expected);
    for (page, count, size) in [(0, 0, 1), (u32::MAX, u32::MAX, PAGE_SIZE_MAX)] {
        let page = PageRequest { page, count };
        let page = store.recent_calls(&RecentCallsFilter { page, ..everything() }).await;
        let page = page.expect("any number is a page");
        assert_eq!((page.total, page.page_size), (30, size));
    }
}

#[tokio::test]
async fn alerts_are_filtered_by_type_and_time() {
    let alerts = [("no-tts", 1), ("no-carrier", 2), ("no-tts", 3)];
    let alerts = alerts.map(|(kind, time)| Entry::Alert(Box::new(alert(kind, at(time)))));
    let store = store_of(alerts.into()).await;
    let ask = async |alert_type: Option<&str>, start: Option<i64>, end: Option<i64>| {
        let period = Period { days: None, start: start.map(at), end: end.map(at) };
        let alert_type = alert_type.map(str::to_owned);
        let page = PageRequest { page: 1, count: 25 };
        let page = store.alerts(&AlertsFilter { page, alert_type, period }).await.expect("read");
        let times = page.data.iter().map(|alert| alert.time.since(at(0)).as_secs());
        times.collect::<Vec<_>>()
    };
    assert_eq!(ask(None, None, None).await, [3, 2, 1]);
    assert_eq!(ask(Some("no-tts"), None, None).await, [3, 1]);
    assert_eq!(ask(Some("no-tts"), Some(2), None).await, [3]);
    assert_eq!(ask(None, Some(1), Some(2)).await, [2, 1]);
    assert!(ask(Some("no-such-type"), None, None).await.is_empty());
}

#[tokio::test]
async fn a_page_is_the_envelope_of_rest() {
    let store = store_of(vec![Entry::CallClosed(Box::new(recent_call("c")))]).await;
    let page = store.recent_calls(&everything()).await.expect("read");
    let json = serde_json::to_value(page).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({"total": 1, "page": 1, "page_size": 25, "data": [{
            "account_sid": crate::scratch::ACCOUNT,
            "service_provider_sid": crate::scratch::PROVIDER,
            "call_sid": "c",
            "application_sid": "application",
            "from": "15551230001",
            "to": "15551230002",
            "answered": true,
            "sip_callid": "c@192.0.2.1",
            "sip_parent_callid": null,
            "sip_status": 200,
            "duration": 7,
            "attempted_at": "2026-11-03T10:00:00.000Z",
            "answered_at": "2026-11-03T10:00:03.000Z",
            "terminated_at": "2026-11-03T10:00:10.000Z",
            "termination_reason": "caller hungup",
            "host": "192.0.2.1:5060",
            "remote_host": "192.0.2.2:5060",
            "direction": "inbound",
            "trunk": "Twilio",
            "trace_id": "0123456789abcdef0123456789abcdef",
            "recording_url": null,
        }]})
    );
}
