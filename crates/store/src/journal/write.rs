//! Writing one batch of entries: one transaction, and safe to repeat. Where a commit is
//! reported as failed and was not, writing the batch again changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::queue::Numbered;
use super::{Entry, OpenCall, Registration};
use crate::error::StoreError;
use crate::open::Store;
use crate::recent::{AlertRecord, RecentCall};
use crate::row::Row;
use crate::timestamp::Timestamp;

/// Rows that one statement writes, the most first. Few sizes, because each is a statement that
/// SQLite prepares and keeps; several rows, because each statement is two changes of threads.
const ROWS: [usize; 3] = [16, 4, 1];

/// Call records, and as many alerts, that a store in memory keeps: the newest. Nobody could free
/// what it holds otherwise.
pub const IN_MEMORY_MAX: u32 = 10_000;

/// What a batch comes to: of each call and each address of record the last word alone.
#[derive(Default)]
struct Batch<'a> {
    opened: BTreeMap<&'a str, &'a OpenCall>,
    /// In the order of writing.
    closed: Vec<&'a RecentCall>,
    alive: BTreeMap<&'a str, Timestamp>,
    alerts: Vec<(u64, &'a AlertRecord)>,
    bound: BTreeMap<&'a str, &'a [Registration]>,
}

impl<'a> Batch<'a> {
    fn of(entries: &'a [Numbered]) -> Batch<'a> {
        let mut batch = Batch::default();
        let mut over = BTreeSet::new();
        for Numbered { number, entry } in entries {
            match entry {
                Entry::CallOpened(call) => {
                    batch.opened.insert(&call.call_sid, call);
                }
                Entry::CallClosed(call) => {
                    // why: the first record of a call is the one that counts.
                    if over.insert(call.call_sid.as_str()) {
                        batch.closed.push(call);
                    }
                }
                Entry::CallAlive { call_sid, at } => {
                    let last = batch.alive.entry(call_sid).or_insert(*at);
                    *last = (*last).max(*at);
                }
                Entry::Alert(alert) => batch.alerts.push((*number, alert)),
                Entry::Bound { aor, bindings } => {
                    batch.bound.insert(aor, bindings);
                }
            }
        }
        // A call that is over is not opened, whatever came first.
        batch.opened.retain(|call_sid, _| !over.contains(call_sid));
        batch.alive.retain(|call_sid, _| !over.contains(call_sid));
        batch
    }
}

impl Store {
    /// Writes all of the batch, or nothing. `run` tells its entries from those of other journals
    /// that have the same number.
    pub(crate) async fn write(&self, run: Uuid, entries: &[Numbered]) -> Result<(), StoreError> {
        let batch = Batch::of(entries);
        let written = async {
            let mut transaction = self.writing().await?;
            write(&mut transaction, run, &batch).await?;
            if self.is_in_memory() {
                forget(&mut transaction, &batch).await?;
            }
            transaction.commit().await
        };
        written.await.map_err(self.failed("writing the journal"))
    }
}

async fn write(
    connection: &mut SqliteConnection,
    run: Uuid,
    batch: &Batch<'_>,
) -> Result<(), sqlx::Error> {
    let opened: Vec<&OpenCall> = batch.opened.values().copied().collect();
    for rows in in_steps(&opened) {
        open(connection, rows).await?;
    }
    for rows in in_steps(&batch.closed) {
        close(connection, rows).await?;
    }
    for (call_sid, at) in &batch.alive {
        let alive = sqlx::query("UPDATE open_calls SET at = max(at, ?) WHERE call_sid = ?");
        alive.bind(at).bind(*call_sid).execute(&mut *connection).await?;
    }
    for (number, alert) in &batch.alerts {
        alerted(connection, alert, &format!("{run}-{number}")).await?;
    }
    for (aor, bindings) in &batch.bound {
        bound(connection, aor, bindings).await?;
    }
    Ok(())
}

/// The rows in pieces of the lengths of [`ROWS`], each with the number of its length.
fn in_steps<T>(mut rows: &[T]) -> impl Iterator<Item = (usize, &[T])> {
    std::iter::from_fn(move || {
        let size = ROWS.iter().position(|size| *size <= rows.len())?;
        let (now, later) = rows.split_at(ROWS[size]);
        rows = later;
        Some((size, now))
    })
}

/// Statements for each of [`ROWS`], put together once: their text is longer than what it writes.
type Statements = LazyLock<[String; ROWS.len()]>;

static OPEN: Statements = LazyLock::new(|| {
    ROWS.map(|size| {
        let (table, columns, rows) = (OpenCall::TABLE, OpenCall::columns(), OpenCall::marks(size));
        let set = OpenCall::COLUMNS.iter().map(|name| format!("\"{name}\" = excluded.\"{name}\""));
        let set: Vec<String> = set.collect();
        // The first column is `call_sid`. A call that has its record already stays closed.
        format!(
            "INSERT INTO {table} ({columns}) SELECT * FROM (VALUES {rows}) \
             WHERE NOT EXISTS (SELECT 1 FROM recent_calls WHERE call_sid = column1) \
             ON CONFLICT (call_sid) DO UPDATE SET {}",
            set.join(", ")
        )
    })
});

static CLOSE: Statements = LazyLock::new(|| {
    ROWS.map(|size| RecentCall::insert_rows(size, "ON CONFLICT (call_sid) DO NOTHING"))
});

static NO_LONGER_OPEN: Statements = LazyLock::new(|| {
    ROWS.map(|size| {
        let marks = vec!["?"; size].join(", ");
        format!("DELETE FROM open_calls WHERE call_sid IN ({marks})")
    })
});

async fn open(
    connection: &mut SqliteConnection,
    (size, calls): (usize, &[&OpenCall]),
) -> Result<(), sqlx::Error> {
    let upsert = sqlx::query(OPEN[size].as_str());
    calls.iter().fold(upsert, |statement, call| call.bind(statement)).execute(connection).await?;
    Ok(())
}

async fn close(
    connection: &mut SqliteConnection,
    (size, calls): (usize, &[&RecentCall]),
) -> Result<(), sqlx::Error> {
    let insert = sqlx::query(CLOSE[size].as_str());
    let insert = calls.iter().fold(insert, |statement, call| call.bind(statement));
    insert.execute(&mut *connection).await?;
    let delete = sqlx::query(NO_LONGER_OPEN[size].as_str());
    let delete = calls.iter().fold(delete, |statement, call| statement.bind(&call.call_sid));
    delete.execute(connection).await?;
    Ok(())
}

/// Lets go of what a store in memory has no room for.
async fn forget(connection: &mut SqliteConnection, batch: &Batch<'_>) -> Result<(), sqlx::Error> {
    const CALLS: &str =
        "DELETE FROM recent_calls WHERE id <= (SELECT max(id) FROM recent_calls) - ?";
    const ALERTS: &str = "DELETE FROM alerts WHERE id <= (SELECT max(id) FROM alerts) - ?";
    for (is_due, delete) in [(!batch.closed.is_empty(), CALLS), (!batch.alerts.is_empty(), ALERTS)]
    {
        if is_due {
            sqlx::query(delete).bind(IN_MEMORY_MAX).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

async fn alerted(
    connection: &mut SqliteConnection,
    alert: &AlertRecord,
    key: &str,
) -> Result<(), sqlx::Error> {
    let insert = AlertRecord::insert(&["entry_key"], "ON CONFLICT (entry_key) DO NOTHING");
    alert.bind(sqlx::query(insert)).bind(key).execute(connection).await?;
    Ok(())
}

async fn bound(
    connection: &mut SqliteConnection,
    aor: &str,
    bindings: &[Registration],
) -> Result<(), sqlx::Error> {
    let before = sqlx::query("DELETE FROM registrations WHERE aor = ?").bind(aor);
    before.execute(&mut *connection).await?;
    for binding in bindings {
        let insert = binding.bind(sqlx::query(Registration::insert(&[], "")));
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}
