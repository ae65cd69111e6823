//! What goes wrong with the database, sorted by what somebody can do about it.

use std::fmt;
use std::io;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;

/// What kind of failure it is; one remedy each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Another connection writes, or nobody answered for as long as we wait.
    Locked,
    /// No room on the disk.
    Full,
    /// The file, its directory or its disk may not be written.
    ReadOnly,
    /// The file is damaged.
    Corrupt,
    /// The file is a database of another program, or none at all.
    Foreign,
    /// A newer version of Switchhook has changed the schema.
    NewerSchema,
    /// The file cannot be opened or made.
    Unreachable,
    /// Another Switchhook runs on the same file.
    InUse,
    /// The URL names a store that this version does not have.
    Unsupported,
    /// The disk fails.
    Disk,
    /// An entry of that name is there already.
    Taken,
    /// It refers to an entry that is not there.
    Missing,
    /// Other entries refer to it.
    Referenced,
    /// The entry stands in the configuration file.
    Declared,
    /// The database refuses this value for itself; another would be taken.
    Refused,
    /// Anything else, a fault of ours.
    Other,
}

impl ErrorKind {
    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            ErrorKind::Locked => "end the program that holds the database open for writing",
            ErrorKind::Full => "make room on the disk",
            ErrorKind::ReadOnly => "make the file and its directory writable, the disk too",
            ErrorKind::Corrupt => {
                "stop Switchhook, move the file and those beside it (-wal, -shm) away, put a \
                 backup in its place or start with an empty one"
            }
            ErrorKind::Foreign => "give [store] url a file of its own",
            ErrorKind::NewerSchema => "start that version, or put a backup from before it back",
            ErrorKind::Unreachable => "make the directory, with the right to write in it",
            ErrorKind::InUse => "stop the other one, or give this one another [store] url",
            ErrorKind::Unsupported => "a file, such as sqlite:switchhook.db",
            ErrorKind::Disk => "look at the disk and at the system's log, then at a backup",
            ErrorKind::Taken => "choose another name",
            ErrorKind::Missing => "make what it refers to first",
            ErrorKind::Referenced => "change those that refer to it first",
            ErrorKind::Declared => "change it in the configuration file",
            ErrorKind::Refused => "change what it refuses",
            ErrorKind::Other => "report it, with this message",
        }
    }

    /// By the primary result code of SQLite and, for a violated constraint, the extended one.
    fn of_code(code: i32) -> ErrorKind {
        match (code & 0xff, code >> 8) {
            (5 | 6, _) => ErrorKind::Locked,
            (8 | 23, _) => ErrorKind::ReadOnly,
            (10, _) => ErrorKind::Disk,
            (11, _) => ErrorKind::Corrupt,
            (13, _) => ErrorKind::Full,
            (14, _) => ErrorKind::Unreachable,
            (19, 3) => ErrorKind::Missing,
            (19, 6 | 8) => ErrorKind::Taken,
            (18..=20, _) => ErrorKind::Refused,
            (26, _) => ErrorKind::Foreign,
            _ => ErrorKind::Other,
        }
    }
}

/// The store could not do what it was asked.
///
/// Displayed as what was done, with which file, what happened and what to do. Values never
/// appear, so no password does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    kind: ErrorKind,
    doing: String,
    place: String,
    cause: String,
}

impl StoreError {
    pub(crate) fn new(
        kind: ErrorKind,
        doing: impl Into<String>,
        place: &str,
        cause: impl Into<String>,
    ) -> StoreError {
        let (doing, cause) = (doing.into(), cause.into());
        StoreError { kind, doing, place: place.to_owned(), cause }
    }

    pub(crate) fn from_sqlx(doing: impl Into<String>, place: &str, error: &sqlx::Error) -> Self {
        let (kind, cause) = match error {
            sqlx::Error::Database(error) => of_database(error.as_ref()),
            sqlx::Error::Io(error) => (of_io(error), error.to_string()),
            sqlx::Error::PoolTimedOut => {
                (ErrorKind::Locked, "every connection to it is busy".to_owned())
            }
            // why: a value that cannot be read was put there by somebody else.
            sqlx::Error::ColumnDecode { index, .. } => {
                (ErrorKind::Corrupt, format!("column {index} holds what was never written there"))
            }
            error => (ErrorKind::Other, error.to_string()),
        };
        StoreError::new(kind, doing, place, cause)
    }

    pub(crate) fn from_io(doing: impl Into<String>, place: &str, error: &io::Error) -> StoreError {
        StoreError::new(of_io(error), doing, place, error.to_string())
    }

    pub(crate) fn from_migration(place: &str, error: &MigrateError, known: i64) -> StoreError {
        const DOING: &str = "bringing the schema up to date";
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                StoreError::from_sqlx(DOING, place, error)
            }
            MigrateError::VersionMissing(found) => {
                let cause = format!("it has schema {found}; this version knows {known} at most");
                StoreError::new(ErrorKind::NewerSchema, DOING, place, cause)
            }
            MigrateError::VersionMismatch(version) => {
                let cause = format!("its schema {version} is not the one of this version");
                StoreError::new(ErrorKind::Foreign, DOING, place, cause)
            }
            error => StoreError::new(ErrorKind::Other, DOING, place, error.to_string()),
        }
    }

    /// Turns one kind into another that says more, where the operation tells them apart.
    pub(crate) fn meaning(mut self, from: ErrorKind, to: ErrorKind, cause: &str) -> StoreError {
        if self.kind == from {
            self.kind = to;
            cause.clone_into(&mut self.cause);
        }
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened, without place and remedy.
    pub fn cause(&self) -> &str {
        &self.cause
    }
}

fn of_database(error: &dyn DatabaseError) -> (ErrorKind, String) {
    let code = error.code().and_then(|code| code.parse().ok()).unwrap_or(1);
    (ErrorKind::of_code(code), format!("{} (SQLite {code})", error.message()))
}

fn of_io(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
        io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
        _ => ErrorKind::Unreachable,
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StoreError { kind, doing, place, cause } = self;
        write!(f, "store {place}: {doing}: {cause}; remedy: {}", kind.remedy())
    }
}

impl std::error::Error for StoreError {}
