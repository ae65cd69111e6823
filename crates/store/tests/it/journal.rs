//! What the journal makes of the entries of a call.

use std::time::Duration;

use store::{
    AlertsFilter, Entry, Full, Hook, Journal, OpenCall, PageRequest, Period, QUEUE_MAX, RESTART,
    RecentCall, RecentCallsFilter, Registration, Store,
};

use crate::scratch::{LONG, Scratch, alert, at, open_call, recent_call};

async fn recent(store: &Store) -> Vec<RecentCall> {
    let filter = RecentCallsFilter {
        page: PageRequest { page: 1, count: 500 },
        trunk: None,
        direction: None,
        answered: None,
        period: Period::default(),
        filter: None,
    };
    store.recent_calls(&filter).await.expect("read").data
}

fn opened(call: OpenCall) -> Entry {
    Entry::CallOpened(Box::new(call))
}

#[tokio::test]
async fn a_call_that_ends_leaves_its_record_and_nothing_open() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let journal = Journal::start(store.clone());
    journal.record(opened(open_call("call"))).expect("room");
    journal.record(Entry::CallClosed(Box::new(recent_call("call")))).expect("room");
    assert!(journal.drain(LONG).await);
    assert_eq!(recent(&store).await, [recent_call("call")]);
    assert_eq!(store.recover(at(100)).await.expect("recovered"), []);
}

#[tokio::test]
async fn an_open_call_comes_back_whole_with_its_last_state() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let journal = Journal::start(store.clone());
    journal.record(opened(open_call("call"))).expect("room");
    let answered = OpenCall {
        answered_at: Some(at(5)),
        at: at(5),
        last_event: Some(r#"{"call_status":"in-progress"}"#.to_owned()),
        ..open_call("call")
    };
    journal.record(opened(answered.clone())).expect("room");
    assert!(journal.drain(LONG).await);
    drop(journal);
    store.close().await;
    drop(store);

    let store = scratch.open().await;
    let recovered = store.recover(at(100)).await.expect("recovered");
    assert_eq!(recovered, std::slice::from_ref(&answered));
    let hook: verbs::Hook = recovered[0].call_status_hook.as_ref().expect("there").into();
    assert_eq!(hook.password.as_deref(), Some("hook-password"), "the event needs it");
    assert_eq!(Hook::from(&hook), answered.call_status_hook.expect("there"));
    assert_eq!(store.recover(at(200)).await.expect("recovered"), [], "only once");
}

#[tokio::test]
async fn the_record_of_a_lost_call_ends_with_its_last_sign_of_life() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let journal = Journal::start(store.clone());
    let answered = OpenCall { answered_at: Some(at(5)), at: at(5), ..open_call("answered") };
    // Signs of life count forward only, and none makes a call out of nothing.
    for (call_sid, moment) in [("answered", 65), ("answered", 35), ("unknown", 50)] {
        let alive = Entry::CallAlive { call_sid: call_sid.to_owned(), at: at(moment) };
        journal.record(alive).expect("room");
    }
    journal.record(opened(answered)).expect("room");
    journal.record(opened(open_call("ringing"))).expect("room");
    let ahead = OpenCall { answered_at: Some(at(5)), at: at(999), ..open_call("clock was ahead") };
    journal.record(opened(ahead)).expect("room");
    assert!(journal.drain(LONG).await);

    assert_eq!(store.recover(at(105)).await.expect("recovered").len(), 3);
    let records = recent(&store).await;
    let of = |name: &str| records.iter().find(|record| record.call_sid == name).expect("there");
    let answered = of("answered");
    assert_eq!((answered.duration, answered.terminated_at), (60, at(65)));
    assert_eq!((answered.answered, answered.sip_status), (true, 200));
    assert_eq!(answered.termination_reason, RESTART);
    assert_eq!(answered.trunk.as_deref(), Some("Twilio"));
    assert_eq!(answered.sip_parent_callid.as_deref(), Some("parent@192.0.2.7"));
    let ringing = of("ringing");
    assert_eq!((ringing.duration, ringing.terminated_at), (0, at(0)));
    assert_eq!((ringing.answered, ringing.answered_at, ringing.sip_status), (false, None, 500));
    assert_eq!(
        (of("clock was ahead").duration, of("clock was ahead").terminated_at),
        (100, at(105))
    );
}

#[tokio::test]
async fn a_call_has_one_record_however_often_it_ends() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let journal = Journal::start(store.clone());
    journal.record(opened(open_call("call"))).expect("room");
    journal.record(Entry::CallClosed(Box::new(recent_call("call")))).expect("room");
    let again = RecentCall { duration: 99, ..recent_call("call") };
    journal.record(Entry::CallClosed(Box::new(again))).expect("room");
    // A change that comes after the end opens nothing.
    journal.record(opened(open_call("call"))).expect("room");
    assert!(journal.drain(LONG).await);
    assert_eq!(recent(&store).await, [recent_call("call")]);
    assert_eq!(store.recover(at(100)).await.expect("recovered"), []);
}

#[tokio::test]
async fn a_record_without_an_open_call_is_kept() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    let journal = Journal::start(store.clone());
    journal.record(Entry::CallClosed(Box::new(recent_call("refused")))).expect("room");
    assert!(journal.drain(LONG).await);
    assert_eq!(recent(&store).await, [recent_call("refused")]);
}

fn registration(aor: &str, contact: &str, expires: i64) -> Registration {
    Registration {
        aor: aor.to_owned(),
        contact: contact.to_owned(),
        protocol: "udp".to_owned(),
        local: "192.0.2.1:5060".to_owned(),
        remote: "198.51.100.7:40001".to_owned(),
        call_id: "register@198.51.100.7".to_owned(),
        cseq: u32::MAX,
        registered_at: at(0),
        expires_at: at(expires),
    }
}

#[tokio::test]
async fn registrations_are_replaced_expire_and_survive() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let journal = Journal::start(store.clone());
    let bound = |aor: &str, bindings: &[Registration]| {
        let entry = Entry::Bound { aor: aor.to_owned(), bindings: bindings.to_vec() };
        journal.record(entry).expect("room");
    };
    let jane = [
        registration("jane@example.com", "<sip:jane@192.168.1.5>", 60),
        registration("jane@example.com", "<sip:jane@192.168.1.6>;q=0.5", 3600),
    ];
    let joe = [registration("joe@example.com", "<sip:joe@192.168.1.7>", 3600)];
    bound("jane@example.com", &jane[..1]);
    bound("joe@example.com", &joe);
    bound("jane@example.com", &jane);
    assert!(journal.drain(LONG).await);
    assert_eq!(store.registrations(at(59)).await.expect("read"), [&jane[..], &joe].concat());
    assert_eq!(store.registrations(at(60)).await.expect("read"), [&jane[1..], &joe].concat());
    assert_eq!(store.registrations(at(0)).await.expect("read").len(), 2, "forgotten for good");
    bound("jane@example.com", &[]);
    assert!(journal.drain(LONG).await);
    drop(journal);
    store.close().await;
    drop(store);

    let store = scratch.open().await;
    assert_eq!(store.registrations(at(60)).await.expect("read"), joe);
}

#[tokio::test]
async fn more_than_there_is_room_for_is_refused_and_counted() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let journal = Journal::start(store.clone());
    // No await: the task of the journal does not run in between.
    for number in 0..QUEUE_MAX {
        journal.record(opened(open_call(&number.to_string()))).expect("room");
    }
    assert_eq!(journal.record(opened(open_call("one too many"))), Err(Full));
    let health = journal.health();
    assert_eq!((health.waiting, health.lost), (QUEUE_MAX, 1));
    assert!(health.degraded.expect("full").contains("all there is room for"));
    assert!(journal.drain(LONG).await);
    let health = journal.health();
    assert_eq!((health.waiting, health.lost, health.degraded), (0, 1, None));
    assert_eq!(store.recover(at(0)).await.expect("recovered").len(), QUEUE_MAX);
}

#[tokio::test]
async fn draining_says_at_once_that_nothing_waits() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    let journal = Journal::start(store.clone());
    assert!(journal.drain(Duration::ZERO).await);
    journal.record(Entry::Alert(Box::new(alert("no-carrier", at(0))))).expect("room");
    assert!(journal.drain(LONG).await);
    let page = PageRequest { page: 1, count: 25 };
    let filter = AlertsFilter { page, alert_type: None, period: Period::default() };
    let alerts = store.alerts(&filter).await.expect("read");
    assert_eq!(alerts.data, [alert("no-carrier", at(0))]);
}
