//! The process is killed while it writes, again and again, on one file. Whatever was open has
//! one record after the next start, whatever was closed keeps its one, and what the journal said
//! was on the disk is there.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Row};
use store::{Entry, Journal, RESTART, Store, Timestamp};

use crate::scratch::{LONG, Scratch, alert, at, open_call, recent_call, url};

/// Set in the child: the database to write to, and the name of this generation of calls.
const FILE: &str = "SWITCHHOOK_TEST_STORE_FILE";
const GENERATION: &str = "SWITCHHOOK_TEST_STORE_GENERATION";

/// Rounds of writing and killing.
const ROUNDS: u64 = 12;

/// The child: recovers, then opens calls without end and closes two of three. After each drain
/// it says up to which call everything is on the disk.
fn write_until_killed(file: &str, generation: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(&url(file.as_ref())).await.expect("the child opens it");
        store.recover(Timestamp::now()).await.expect("recovers");
        let journal = Journal::start(store);
        for number in 0_u64.. {
            let name = format!("{generation}-{number}");
            let mut entries = vec![Entry::CallOpened(Box::new(open_call(&name)))];
            entries.push(Entry::CallAlive { call_sid: name.clone(), at: at(1) });
            entries.push(Entry::Alert(Box::new(alert("no-carrier", at(0)))));
            if number % 3 != 0 {
                entries.push(Entry::CallClosed(Box::new(recent_call(&name))));
            }
            for entry in entries {
                while journal.record(entry.clone()).is_err() {
                    journal.drain(LONG).await;
                }
            }
            if number % 50 == 49 {
                assert!(journal.drain(LONG).await);
                println!("written {number}");
                std::io::stdout().flush().expect("the parent reads");
            }
        }
    });
}

/// This test, as a process of its own on the file.
fn child(scratch: &Scratch, generation: u64) -> Child {
    let name = "killed_hard::every_open_call_has_one_record_after_every_kill";
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", name, "--nocapture"])
        .env(FILE, scratch.file())
        .env(GENERATION, generation.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts")
}

/// Lets the child write until it has said so `lines` times, and a moment longer; kills it; gives
/// the number of calls it knew to be on the disk.
fn kill_after(mut child: Child, lines: usize, moment: Duration) -> u64 {
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut safe = Vec::new();
    while safe.len() < lines {
        let mut line = String::new();
        assert!(output.read_line(&mut line).expect("text") > 0, "the child ended by itself");
        let number = line.strip_prefix("written ").map(str::trim_end);
        safe.extend(number.map(|number| number.parse::<u64>().expect("a number") + 1));
    }
    std::thread::sleep(moment);
    assert_eq!(child.try_wait().expect("asked"), None, "it is killed while it works");
    child.kill().expect("it can be killed");
    child.wait().expect("it is gone");
    safe.last().copied().unwrap_or(0)
}

async fn names(scratch: &Scratch, table: &'static str) -> Vec<String> {
    let mut other = scratch.other_program().await;
    let there = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = ?").bind(table);
    if there.fetch_optional(&mut other).await.expect("read").is_none() {
        // Killed before there was a schema.
        return Vec::new();
    }
    let sql = AssertSqlSafe(format!("SELECT call_sid FROM {table}"));
    let rows = sqlx::query(sql).fetch_all(&mut other).await.expect("read");
    other.close().await.expect("closes");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_open_call_has_one_record_after_every_kill() {
    if let (Ok(file), Ok(generation)) = (std::env::var(FILE), std::env::var(GENERATION)) {
        return std::thread::spawn(move || write_until_killed(&file, &generation))
            .join()
            .expect("the child is killed before it ends");
    }
    let scratch = Scratch::new();
    let mut recovered_in_all = 0;
    let mut closed_before: BTreeSet<String> = BTreeSet::new();
    for round in 0..ROUNDS {
        // Some are killed while they recover or write their first calls, others later.
        let (lines, moment) = (round % 4, Duration::from_millis(round * 7 % 45));
        let safe = kill_after(child(&scratch, round), usize::try_from(lines).expect("few"), moment);

        let open: BTreeSet<String> = names(&scratch, "open_calls").await.into_iter().collect();
        let closed: BTreeSet<String> = names(&scratch, "recent_calls").await.into_iter().collect();
        assert!(open.is_disjoint(&closed), "round {round}: a call is open or over, never both");
        assert!(closed.is_superset(&closed_before), "round {round}: no record is lost");
        for number in 0..safe {
            let name = format!("{round}-{number}");
            let place = if number % 3 == 0 { &open } else { &closed };
            assert!(place.contains(&name), "round {round}: {name} was on the disk");
        }

        if round % 2 == 0 {
            // The next child recovers; it may be killed while it does.
            closed_before = closed;
            continue;
        }
        let store = scratch.open().await;
        let recovered = store.recover(Timestamp::now()).await.expect("recovers");
        let recovered: BTreeSet<String> = recovered.into_iter().map(|call| call.call_sid).collect();
        assert_eq!(recovered, open, "round {round}: each is given once");
        recovered_in_all += recovered.len();
        store.close().await;
        drop(store);
        assert!(names(&scratch, "open_calls").await.is_empty());
        let records = names(&scratch, "recent_calls").await;
        closed_before = records.iter().cloned().collect();
        assert_eq!(records.len(), closed_before.len(), "round {round}: none has two records");
        assert!(closed_before.is_superset(&open) && closed_before.is_superset(&closed));
    }
    assert!(recovered_in_all > 0, "some were killed with calls open");

    let mut other = scratch.other_program().await;
    let sql = "SELECT count(*) FROM recent_calls WHERE termination_reason = ?";
    let restarted = sqlx::query(sql).bind(RESTART).fetch_one(&mut other).await.expect("read");
    let restarted: i64 = restarted.get(0);
    assert!(restarted >= i64::try_from(recovered_in_all).expect("fits"));
    let sound = sqlx::query("PRAGMA integrity_check").fetch_one(&mut other).await.expect("read");
    assert_eq!(sound.get::<String, _>(0), "ok");
    let keys = "SELECT count(*) - count(DISTINCT entry_key) FROM alerts";
    let doubled: i64 = sqlx::query(keys).fetch_one(&mut other).await.expect("read").get(0);
    assert_eq!(doubled, 0);
}
