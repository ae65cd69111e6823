//! Structs that are rows of a table: one list of fields gives the struct, its columns, how it is
//! bound to a statement and how it is read. Column and field have one name.

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, FromRow, Sqlite};

/// A statement that values are bound to.
pub(crate) type Statement = Query<'static, Sqlite, SqliteArguments>;

/// A struct that is a row.
pub(crate) trait Row: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + Sized {
    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];

    /// Binds every column, in order.
    fn bind(&self, statement: Statement) -> Statement;

    /// `"from", "to"`: every column, quoted because some are words of SQL.
    fn columns() -> String {
        let quoted: Vec<String> = Self::COLUMNS.iter().map(|name| format!("\"{name}\"")).collect();
        quoted.join(", ")
    }

    /// A SELECT of every column, `rest` after the table.
    fn select(rest: &'static str) -> AssertSqlSafe<String> {
        AssertSqlSafe(format!("SELECT {} FROM {} {rest}", Self::columns(), Self::TABLE))
    }

    /// An INSERT of so many rows; `conflict` closes the statement.
    fn insert_rows(rows: usize, conflict: &str) -> String {
        let (table, columns, rows) = (Self::TABLE, Self::columns(), Self::marks(rows));
        format!("INSERT INTO {table} ({columns}) VALUES {rows} {conflict}")
    }

    /// `(?, ?), (?, ?)`: the values of so many rows.
    fn marks(rows: usize) -> String {
        let row = format!("({})", vec!["?"; Self::COLUMNS.len()].join(", "));
        vec![row; rows].join(", ")
    }

    /// An INSERT of every column and of `more`, whose values are bound after them; `conflict`
    /// closes the statement.
    fn insert(more: &[&'static str], conflict: &str) -> AssertSqlSafe<String> {
        let more_columns: String = more.iter().map(|name| format!(", \"{name}\"")).collect();
        let marks = vec!["?"; Self::COLUMNS.len() + more.len()].join(", ");
        let (table, columns) = (Self::TABLE, Self::columns());
        // why safe: every part is a literal of this crate.
        AssertSqlSafe(format!(
            "INSERT INTO {table} ({columns}{more_columns}) VALUES ({marks}) {conflict}"
        ))
    }
}

/// Defines a struct that is a [`Row`] of the table.
macro_rules! row {
    ($(#[$meta:meta])* pub struct $name:ident in $table:literal {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)+
    }) => {
        $(#[$meta])*
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)+ }

        impl $crate::row::Row for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            fn bind(&self, statement: $crate::row::Statement) -> $crate::row::Statement {
                statement$(.bind(&self.$field))+
            }
        }

        impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> Result<$name, sqlx::Error> {
                use sqlx::Row as _;
                Ok($name { $($field: row.try_get(stringify!($field))?,)+ })
            }
        }
    };
}

/// Defines an enum that is one word in a column and in JSON.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident => $word:literal,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// As it is written.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// The one that is written so.
            pub fn from_word(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl sqlx::Type<sqlx::Sqlite> for $name {
            fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
                <String as sqlx::Type<sqlx::Sqlite>>::type_info()
            }
        }

        impl sqlx::Encode<'_, sqlx::Sqlite> for $name {
            fn encode_by_ref(
                &self,
                buffer: &mut sqlx::sqlite::SqliteArgumentsBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                sqlx::Encode::<sqlx::Sqlite>::encode(self.as_str(), buffer)
            }
        }

        impl sqlx::Decode<'_, sqlx::Sqlite> for $name {
            fn decode(
                value: sqlx::sqlite::SqliteValueRef<'_>,
            ) -> Result<$name, sqlx::error::BoxDynError> {
                let word = <&str as sqlx::Decode<sqlx::Sqlite>>::decode(value)?;
                $name::from_word(word).ok_or(concat!("not a ", stringify!($name)).into())
            }
        }
    };
}

pub(crate) use {row, words};
