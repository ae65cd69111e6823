//! The journal on databases that fail: what SQLite says is real, only the limits are set by hand.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::{Entry, Health, IN_MEMORY_MAX, Journal};
use crate::open::Store;
use crate::open_call::OpenCall;
use crate::recent::{AlertRecord, Direction};
use crate::timestamp::Timestamp;

/// Longer than any of these tests needs.
const LONG: Duration = Duration::from_secs(30);

pub(super) fn open_call(call_sid: &str) -> OpenCall {
    OpenCall {
        call_sid: call_sid.to_owned(),
        parent_call_sid: None,
        account_sid: "account".to_owned(),
        service_provider_sid: "provider".to_owned(),
        application_sid: None,
        direction: Direction::Inbound,
        from: "+15551230001".to_owned(),
        to: "+15551230002".to_owned(),
        sip_callid: format!("{call_sid}@example.com"),
        sip_parent_callid: None,
        trunk: None,
        host: "192.0.2.1:5060".to_owned(),
        remote_host: "192.0.2.2:5060".to_owned(),
        trace_id: "0".repeat(32),
        attempted_at: Timestamp::from_millis(1_000),
        answered_at: None,
        at: Timestamp::from_millis(1_000),
        call_status_hook: None,
        base_hook: None,
        last_event: Some("{}".to_owned()),
    }
}

fn opened(number: usize) -> Entry {
    Entry::CallOpened(Box::new(open_call(&format!("call-{number}"))))
}

/// A file of its own, removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("switchhook-journal-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).expect("the temporary directory can be written");
        Scratch(directory)
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.0.join("store.db").display())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn execute(store: &Store, sql: &'static str) {
    sqlx::query(sql).execute(store.pool()).await.expect(sql);
}

async fn count(store: &Store, table: &'static str) -> i64 {
    let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(sql).fetch_one(store.pool()).await.expect("it can be read")
}

async fn degraded(journal: &Journal) -> String {
    let waited = tokio::time::timeout(LONG, async {
        loop {
            if let Some(why) = journal.health().degraded {
                return why;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("the failure is noticed")
}

#[tokio::test]
async fn a_full_disk_degrades_and_loses_nothing_once_there_is_room() {
    let scratch = Scratch::new();
    // why: this many pages hold the schema and a little more; SQLite then answers as it does
    // when the disk has no room.
    let limited =
        |options: sqlx::sqlite::SqliteConnectOptions| options.pragma("max_page_count", "400");
    let store = Store::open_with(&scratch.url(), limited, 1).await.expect("opens");
    execute(&store, "CREATE TABLE ballast (filling BLOB)").await;
    let fill = "INSERT INTO ballast VALUES (zeroblob(40000))";
    while sqlx::query(fill).execute(store.pool()).await.is_ok() {}

    let journal = Journal::start(store.clone());
    for number in 0..500 {
        journal.record(opened(number)).expect("a full disk does not fill the queue");
    }
    let why = degraded(&journal).await;
    assert!(why.contains("disk is full") && why.contains("make room on the disk"), "{why}");
    assert_eq!(journal.health().waiting, 500, "all of it waits: a batch is whole or not at all");
    assert_eq!(count(&store, "open_calls").await, 0);

    execute(&store, "DELETE FROM ballast").await;
    assert!(journal.drain(LONG).await, "{:?}", journal.health());
    assert_eq!(count(&store, "open_calls").await, 500);
    assert_eq!(journal.health(), Health::default());
}

#[tokio::test]
async fn a_disk_without_room_for_the_schema_is_told_and_tried_again() {
    let scratch = Scratch::new();
    let tiny = |options: sqlx::sqlite::SqliteConnectOptions| options.pragma("max_page_count", "9");
    let error = Store::open_with(&scratch.url(), tiny, 1).await.expect_err("no room");
    assert_eq!(error.kind(), crate::ErrorKind::Full, "{error}");
    let store = Store::open(&scratch.url()).await.expect("nothing is left half done");
    assert_eq!(count(&store, "open_calls").await, 0);
}

#[tokio::test]
async fn a_read_only_database_degrades_and_recovers() {
    let scratch = Scratch::new();
    let store = Store::open_with(&scratch.url(), |options| options, 1).await.expect("opens");
    execute(&store, "PRAGMA query_only = 1").await;
    let journal = Journal::start(store.clone());
    journal.record(opened(1)).expect("there is room");
    let why = degraded(&journal).await;
    assert!(why.contains("readonly database") && why.contains("make the file"), "{why}");
    assert!(why.contains("store.db"), "the file is named: {why}");

    execute(&store, "PRAGMA query_only = 0").await;
    assert!(journal.drain(LONG).await, "{:?}", journal.health());
    assert_eq!(count(&store, "open_calls").await, 1);
    assert_eq!(journal.health(), Health::default());
}

#[tokio::test]
async fn an_entry_that_the_database_refuses_costs_only_itself() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.url()).await.expect("opens");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON open_calls \
                  WHEN new.call_sid = 'call-7' BEGIN SELECT raise(ABORT, 'not this one'); END";
    execute(&store, refuse).await;
    let journal = Journal::start(store.clone());
    for number in 0..20 {
        journal.record(opened(number)).expect("there is room");
    }
    assert!(journal.drain(LONG).await, "{:?}", journal.health());
    assert_eq!(count(&store, "open_calls").await, 19);
    let health = journal.health();
    assert_eq!((health.lost, health.degraded), (1, None));
}

#[tokio::test]
async fn writing_a_batch_twice_changes_nothing() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    let alert = AlertRecord {
        time: Timestamp::MIN,
        account_sid: "account".to_owned(),
        service_provider_sid: "provider".to_owned(),
        alert_type: "no-carrier".to_owned(),
        message: "message".to_owned(),
        detail: None,
        target_sid: None,
        url: None,
        status: None,
        vendor: None,
        label: None,
        count: None,
    };
    let closed = open_call("call-1").record(Timestamp::MAX);
    let entries = [opened(1), Entry::Alert(Box::new(alert)), Entry::CallClosed(Box::new(closed))];
    let mut queue = super::Queue::new();
    for entry in entries {
        queue.push(entry, 0).expect("there is room");
    }
    let batch = queue.take(usize::MAX);
    let (run, other) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    for _ in 0..2 {
        store.write(run, &batch).await.expect("written");
        assert_eq!(count(&store, "open_calls").await, 0);
        assert_eq!(count(&store, "recent_calls").await, 1);
        assert_eq!(count(&store, "alerts").await, 1);
    }
    store.write(other, &batch).await.expect("written");
    assert_eq!(count(&store, "alerts").await, 2, "the alert of another run is another alert");
}

#[tokio::test]
async fn a_journal_that_nobody_holds_writes_what_is_left() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.url()).await.expect("opens");
    let journal = Journal::start(store.clone());
    for number in 0..1000 {
        journal.record(opened(number)).expect("there is room");
    }
    drop(journal);
    let written = tokio::time::timeout(LONG, async {
        while count(&store, "open_calls").await < 1000 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    written.await.expect("all of it is written");
}

#[tokio::test]
async fn of_a_batch_the_last_word_on_each_call_is_written() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    let journal = Journal::start(store.clone());
    // Enough of them for statements of several rows and of one.
    for number in 0..37 {
        let call_sid = format!("call-{number}");
        journal.record(opened(number)).expect("room");
        let answered =
            OpenCall { answered_at: Some(Timestamp::from_millis(2_000)), ..open_call(&call_sid) };
        journal.record(Entry::CallOpened(Box::new(answered.clone()))).expect("room");
        if number % 2 == 0 {
            let record = answered.record(Timestamp::from_millis(9_000));
            journal.record(Entry::CallClosed(Box::new(record))).expect("room");
            // What comes late does not open it again.
            journal.record(opened(number)).expect("room");
        }
    }
    assert!(journal.drain(LONG).await);
    let open = "open_calls WHERE answered_at = 2000";
    assert_eq!((count(&store, "open_calls").await, count(&store, open).await), (18, 18));
    assert_eq!(count(&store, "recent_calls").await, 19);
    journal.record(opened(0)).expect("room");
    assert!(journal.drain(LONG).await);
    assert_eq!(count(&store, "open_calls").await, 18, "it is over, as another batch said");
}

#[tokio::test]
async fn a_store_in_memory_keeps_the_newest_records() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    let journal = Journal::start(store.clone());
    let most = usize::try_from(IN_MEMORY_MAX).expect("it fits");
    for number in 0..most + 100 {
        let call = open_call(&format!("call-{number}")).record(Timestamp::from_millis(9_000));
        journal.record(Entry::CallClosed(Box::new(call))).expect("room");
    }
    assert!(journal.drain(LONG).await);
    assert_eq!(count(&store, "recent_calls").await, i64::from(IN_MEMORY_MAX));
    assert_eq!(count(&store, "recent_calls WHERE call_sid = 'call-99'").await, 0);
    assert_eq!(count(&store, "recent_calls WHERE call_sid = 'call-100'").await, 1);
}
