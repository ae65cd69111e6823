//! The database fails while calls go on: each failure has its remedy, nothing is lost, and what
//! waited is written when the failure is over.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use sqlx::{Connection, Row};
use store::{Entry, ErrorKind, Health, Journal, PageRequest, Period, RecentCallsFilter, Store};

use crate::scratch::{LONG, Scratch, alert, application, at, open_call, recent_call};

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

async fn totals(store: &Store) -> (u64, usize) {
    let filter = RecentCallsFilter {
        page: PageRequest { page: 1, count: 1 },
        trunk: None,
        direction: None,
        answered: None,
        period: Period::default(),
        filter: None,
    };
    let closed = store.recent_calls(&filter).await.expect("read").total;
    (closed, store.recover(at(0)).await.expect("recovered").len())
}

#[tokio::test]
async fn a_locked_database_keeps_no_call_waiting_and_loses_nothing() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let journal = Journal::start(store.clone());
    journal.record(Entry::CallOpened(Box::new(open_call("before")))).expect("room");
    assert!(journal.drain(LONG).await);

    let mut other = scratch.other_program().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("locks");
    let started = Instant::now();
    for number in 0..100 {
        let name = format!("call-{number}");
        journal.record(Entry::CallOpened(Box::new(open_call(&name)))).expect("room");
        journal.record(Entry::CallAlive { call_sid: name.clone(), at: at(1) }).expect("room");
        journal.record(Entry::CallClosed(Box::new(recent_call(&name)))).expect("room");
    }
    assert!(started.elapsed() < Duration::from_secs(1), "nobody waited for the database");
    let why = degraded(&journal).await;
    assert!(why.contains("database is locked") && why.contains("end the program"), "{why}");
    assert!(why.contains("switchhook.db") && why.contains("300 entries wait"), "{why}");
    assert!(!journal.drain(Duration::from_millis(50)).await, "it cannot be written yet");
    let error = store.create(&application("", "main")).await.expect_err("locked for all");
    assert_eq!(error.kind(), ErrorKind::Locked);

    other.close().await.expect("unlocks");
    assert!(journal.drain(LONG).await);
    assert_eq!(journal.health(), Health::default());
    assert_eq!(totals(&store).await, (100, 1));
}

/// Overwrites the first page of a table, or puts back what was there.
async fn swap_root_page(scratch: &Scratch, table: &str, page: &mut Vec<u8>) {
    let mut other = scratch.other_program().await;
    let root = sqlx::query("SELECT rootpage FROM sqlite_schema WHERE name = ?").bind(table);
    let root: i64 = root.fetch_one(&mut other).await.expect("there").get(0);
    let size = sqlx::query("SELECT page_size FROM pragma_page_size()");
    let size: i64 = size.fetch_one(&mut other).await.expect("read").get(0);
    other.close().await.expect("closes");

    let (root, size) = (u64::try_from(root).expect("a page"), u64::try_from(size).expect("bytes"));
    let bytes = std::fs::read(scratch.file()).expect("read");
    let start = usize::try_from((root - 1) * size).expect("fits");
    let found = bytes[start..start + usize::try_from(size).expect("fits")].to_vec();
    let mut file = OpenOptions::new().write(true).open(scratch.file()).expect("opens");
    file.seek(SeekFrom::Start((root - 1) * size)).expect("seeks");
    file.write_all(page).expect("written");
    *page = found;
}

#[tokio::test]
async fn a_damaged_file_is_told_with_its_remedy_and_what_waits_is_not_lost() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    store.close().await;
    drop(store);
    let mut page = vec![0xa5; 4096];
    swap_root_page(&scratch, "open_calls", &mut page).await;

    let store = scratch.open().await;
    let journal = Journal::start(store.clone());
    journal.record(Entry::CallOpened(Box::new(open_call("call")))).expect("room");
    journal.record(Entry::Alert(Box::new(alert("no-carrier", at(0))))).expect("room");
    let why = degraded(&journal).await;
    assert!(why.contains("malformed") && why.contains("put a backup in its place"), "{why}");
    assert_eq!((journal.health().waiting, journal.health().lost), (2, 0));
    let error = store.recover(at(0)).await.expect_err("damaged");
    assert_eq!(error.kind(), ErrorKind::Corrupt);

    // Nothing of the file has changed, and with the page put back all of it is written.
    swap_root_page(&scratch, "open_calls", &mut page).await;
    assert!(journal.drain(LONG).await, "{:?}", journal.health());
    assert_eq!(totals(&store).await, (0, 1));
}

#[tokio::test]
async fn a_store_that_is_closed_fails_and_says_so() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let journal = Journal::start(store.clone());
    store.close().await;
    journal.record(Entry::CallClosed(Box::new(recent_call("call")))).expect("room");
    let why = degraded(&journal).await;
    assert!(why.contains("closed"), "{why}");
    assert_eq!(journal.health().waiting, 1);
}
