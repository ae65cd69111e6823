//! Opening the store: the file, its rights, the one process that owns it, the schema.
//!
//! In: the URL of the configuration. Out: a [`Store`], or why not and what to do. Migrations go
//! forward only; a file that a newer version has migrated is left as it is.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, Sqlite, Transaction};

use crate::error::{ErrorKind, StoreError};

/// How long a statement waits for another that writes.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a request waits for a connection of the pool.
pub const POOL_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections to a file: one writes, the others read meanwhile.
pub const CONNECTIONS: u32 = 4;
/// What the header of our files says; the first migration writes it.
const APPLICATION_ID: i64 = 1_398_229_067;
/// Rights of the files: they hold passwords.
const FILE_MODE: u32 = 0o600;

/// What brought and brings the schema up to date: number, name, statements. Each is applied once,
/// in order, in one transaction. Never change one that was released, add another.
const MIGRATIONS: &[(i64, &str, &str)] =
    &[(1, "first", include_str!("../migrations/0001_first.sql"))];

fn migrator() -> Migrator {
    let migration = |&(version, name, sql): &(i64, &'static str, &'static str)| {
        let kind = MigrationType::Simple;
        Migration::new(version, Cow::Borrowed(name), kind, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}

/// The database. A cheap copy; the last one closes it.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pool: SqlitePool,
    place: String,
    in_memory: bool,
    /// Locked as long as the store is open.
    owner: Option<File>,
}

impl Store {
    /// Opens `sqlite:PATH`, making it where it is not there, or `sqlite::memory:`, which is
    /// forgotten with the last copy. What another version left is brought up to date.
    ///
    /// A file belongs to one process: recovery takes the open calls of the file for those of a
    /// process that is gone.
    ///
    /// # Errors
    /// The file cannot be opened, is none of ours, belongs to a newer version, is in use.
    pub async fn open(url: &str) -> Result<Store, StoreError> {
        Store::open_with(url, |options| options, CONNECTIONS).await
    }

    /// As [`Store::open`], with further options of the connection, on so many connections.
    pub(crate) async fn open_with(
        url: &str,
        tune: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions,
        connections: u32,
    ) -> Result<Store, StoreError> {
        const DOING: &str = "opening it";
        let options = match url.strip_prefix("sqlite:") {
            Some(_) => SqliteConnectOptions::from_str(url),
            None => {
                // why: the URL of a database server may hold a password.
                let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
                let cause = format!("no store of that kind: {scheme:?}");
                return Err(StoreError::new(ErrorKind::Unsupported, DOING, "[store] url", cause));
            }
        };
        let options = options
            .map_err(|error| StoreError::from_sqlx(DOING, url, &error))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // why: with NORMAL a loss of power takes back what was committed last; one more
            // sync for each batch is cheap.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let (place, owner) =
            if in_memory { ("in memory".to_owned(), None) } else { own(options.get_filename())? };
        // why: each connection in memory would be a database of its own.
        let connections = if in_memory { 1 } else { connections };
        let pool = SqlitePoolOptions::new()
            .after_release(move |connection, _| {
                Box::pin(async move { Ok(in_memory || is_sound(connection).await?) })
            })
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(POOL_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(tune(options))
            .await
            .map_err(|error| StoreError::from_sqlx(DOING, &place, &error))?;
        let store = Store { inner: Arc::new(Inner { pool, place, in_memory, owner }) };
        store.migrate().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        const DOING: &str = "looking at what it is";
        let header = sqlx::query_as("SELECT application_id FROM pragma_application_id()");
        let (application_id,): (i64,) =
            header.fetch_one(self.pool()).await.map_err(self.failed(DOING))?;
        // The list of migrations is made before the first of them, and may be all there is where
        // that one was interrupted.
        let tables = "SELECT count(*) FROM sqlite_schema WHERE tbl_name <> '_sqlx_migrations'";
        let tables = sqlx::query_as(tables);
        let (tables,): (i64,) = tables.fetch_one(self.pool()).await.map_err(self.failed(DOING))?;
        let is_fresh = application_id == 0 && tables == 0;
        if application_id != APPLICATION_ID && !is_fresh {
            let cause = "it is the database of another program";
            return Err(StoreError::new(ErrorKind::Foreign, DOING, self.place(), cause));
        }
        let known = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
        let migrated = migrator().run(self.pool()).await;
        migrated.map_err(|error| StoreError::from_migration(self.place(), &error, known))
    }

    /// The file, for messages.
    pub fn place(&self) -> &str {
        &self.inner.place
    }

    /// Waits for what is being written and closes every connection; what is asked after this
    /// fails.
    pub async fn close(&self) {
        self.inner.pool.close().await;
        // why: a copy that somebody still holds can do nothing with the file any more.
        if let Some(Err(error)) = self.inner.owner.as_ref().map(File::unlock) {
            tracing::warn!(%error, "the store stays locked until the process ends");
        }
    }

    /// Whether it is forgotten in the end.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.inner.in_memory
    }

    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.inner.pool
    }

    /// For `map_err`.
    pub(crate) fn failed(&self, doing: &str) -> impl Fn(sqlx::Error) -> StoreError {
        move |error| StoreError::from_sqlx(doing, self.place(), &error)
    }

    /// A transaction that is going to write. It takes the right to write at once, so that it
    /// waits for others instead of failing in the middle.
    pub(crate) async fn writing(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.pool().begin_with("BEGIN IMMEDIATE").await
    }
}

/// Whether the connection may be used again.
///
/// why: SQLite itself rolls back a transaction that met a full or failing disk. sqlx still counts
/// it as open then, and refuses to begin another on that connection for ever. A database in
/// memory has no such disk, and would be gone with its connection.
async fn is_sound(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback may still be on its way; this is answered after it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// Makes the file where there is none, and becomes its owner for as long as the handle lives,
/// however the process ends.
fn own(path: &Path) -> Result<(String, Option<File>), StoreError> {
    const DOING: &str = "opening it";
    let place = path.display().to_string();
    let failed = |error: &io::Error| StoreError::from_io(DOING, &place, error);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
    if !path.exists() {
        options.open(path).map_err(|error| failed(&error))?;
    }
    // why: the same file by another name has the same owner.
    let path = fs::canonicalize(path).map_err(|error| failed(&error))?;
    let mut beside = path.into_os_string();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    // why: not the file itself. Closing a handle of it would take SQLite's own locks away.
    let owner = options
        .open(&beside)
        .map_err(|error| StoreError::from_io(DOING, &beside.display().to_string(), &error))?;
    match owner.try_lock() {
        Ok(()) => Ok((place, Some(owner))),
        Err(TryLockError::WouldBlock) => {
            let cause = "another Switchhook runs on it";
            Err(StoreError::new(ErrorKind::InUse, DOING, &place, cause))
        }
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}
