//! Writing one batch of entries: one transaction, and safe to repeat. Where a commit is
//! reported as failed and was not, writing the batch again changes nothing.

use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::queue::Numbered;
use super::{Entry, OpenCall, Registration};
use crate::error::StoreError;
use crate::open::Store;
use crate::recent::{AlertRecord, RecentCall};
use crate::row::Row;

impl Store {
    /// Writes all of the batch, or nothing. `run` tells its entries from those of other journals
    /// that have the same number.
    pub(crate) async fn write(&self, run: Uuid, batch: &[Numbered]) -> Result<(), StoreError> {
        let written = async {
            let mut transaction = self.writing().await?;
            for entry in batch {
                write(&mut transaction, run, entry).await?;
            }
            transaction.commit().await
        };
        written.await.map_err(self.failed("writing the journal"))
    }
}

async fn write(
    connection: &mut SqliteConnection,
    run: Uuid,
    entry: &Numbered,
) -> Result<(), sqlx::Error> {
    match &entry.entry {
        Entry::CallOpened(call) => opened(connection, call).await,
        Entry::CallAlive { call_sid, at } => {
            let alive = sqlx::query("UPDATE open_calls SET at = max(at, ?) WHERE call_sid = ?");
            alive.bind(at).bind(call_sid).execute(connection).await?;
            Ok(())
        }
        Entry::CallClosed(call) => closed(connection, call).await,
        Entry::Alert(alert) => alerted(connection, alert, &format!("{run}-{}", entry.number)).await,
        Entry::Bound { aor, bindings } => bound(connection, aor, bindings).await,
    }
}

async fn opened(connection: &mut SqliteConnection, call: &OpenCall) -> Result<(), sqlx::Error> {
    let over = sqlx::query("SELECT 1 FROM recent_calls WHERE call_sid = ?").bind(&call.call_sid);
    if over.fetch_optional(&mut *connection).await?.is_some() {
        return Ok(());
    }
    let set: Vec<String> =
        OpenCall::COLUMNS.iter().map(|name| format!("\"{name}\" = excluded.\"{name}\"")).collect();
    let conflict = format!("ON CONFLICT (call_sid) DO UPDATE SET {}", set.join(", "));
    call.bind(sqlx::query(OpenCall::insert(&[], &conflict))).execute(connection).await?;
    Ok(())
}

async fn closed(connection: &mut SqliteConnection, call: &RecentCall) -> Result<(), sqlx::Error> {
    let insert = RecentCall::insert(&[], "ON CONFLICT (call_sid) DO NOTHING");
    call.bind(sqlx::query(insert)).execute(&mut *connection).await?;
    let delete = sqlx::query("DELETE FROM open_calls WHERE call_sid = ?").bind(&call.call_sid);
    delete.execute(connection).await?;
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
