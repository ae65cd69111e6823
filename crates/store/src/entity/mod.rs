//! What an operator provisions: applications, carriers and their gateways, phone numbers, users.
//!
//! Each is a struct of plain data that is also its row and its JSON in the spelling of REST. The
//! five operations are the same for all of them. An entry is either declared in the
//! configuration file ([`crate::Declared`]) or made here; the operations here leave declared
//! entries alone.

mod application;
mod client;
mod phone_number;
mod sip_gateway;
mod voip_carrier;

pub use application::{Application, Decline};
pub use client::Client;
pub use phone_number::PhoneNumber;
pub use sip_gateway::SipGateway;
pub use voip_carrier::VoipCarrier;

use serde::Serializer;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use crate::error::{ErrorKind, StoreError};
use crate::open::Store;
use crate::row::Row;

/// An entry that can be listed, read, made, changed and removed.
#[allow(private_bounds, reason = "sealed: the entities are those of this crate")]
pub trait Entity: Row + Clone + Sync + 'static {
    /// What it is called in messages.
    const KIND: &'static str;
    /// The column of its identifier.
    const SID: &'static str;
    /// The columns that no two entries may have in common, none where that is allowed.
    const UNIQUE: &'static [&'static str];

    /// Its identifier, a UUID.
    fn sid(&self) -> &str;
    /// What a message calls it: its name, number or address.
    fn label(&self) -> &str;
    /// Its values of [`Entity::UNIQUE`], in order.
    fn unique(&self) -> Vec<Option<&str>>;
    /// It stands in the configuration file.
    fn declared(&self) -> bool;
    /// It is in force.
    fn is_active(&self) -> bool;
    #[doc(hidden)]
    fn set(&mut self, sid: String, declared: bool, is_active: bool);
}

/// Implements [`Entity`] for a row that has the usual fields.
macro_rules! entity {
    (
        $name:ident, $kind:literal, $sid:ident, label: $label:ident,
        unique: [$($unique:ident: $value:expr),*]
    ) => {
        impl $crate::entity::Entity for $name {
            const KIND: &'static str = $kind;
            const SID: &'static str = stringify!($sid);
            const UNIQUE: &'static [&'static str] = &[$(stringify!($unique)),*];

            fn sid(&self) -> &str {
                &self.$sid
            }

            fn label(&self) -> &str {
                &self.$label
            }

            fn unique(&self) -> Vec<Option<&str>> {
                let values: Vec<fn(&$name) -> Option<&str>> = vec![$($value),*];
                values.into_iter().map(|value| value(self)).collect()
            }

            fn declared(&self) -> bool {
                self.declared
            }

            fn is_active(&self) -> bool {
                self.is_active
            }

            fn set(&mut self, sid: String, declared: bool, is_active: bool) {
                self.$sid = sid;
                self.declared = declared;
                self.is_active = is_active;
            }
        }
    };
}
pub(crate) use entity;

/// Columns that keep what they were given first.
const ONCE: &[&str] = &["created_at"];

/// `SET` of an update or an upsert: every column that may change, `value` says to what.
pub(crate) fn assignments<T: Entity>(value: impl Fn(usize, &str) -> String) -> String {
    let columns = T::COLUMNS.iter().enumerate();
    let changing = columns.filter(|(_, name)| **name != T::SID && !ONCE.contains(name));
    let set: Vec<String> =
        changing.map(|(at, name)| format!("\"{name}\" = {}", value(at, name))).collect();
    set.join(", ")
}

/// The entry of that identifier.
async fn find<T: Entity>(
    connection: &mut SqliteConnection,
    sid: &str,
) -> Result<Option<T>, sqlx::Error> {
    let sql = format!("SELECT {} FROM {} WHERE {} = ?", T::columns(), T::TABLE, T::SID);
    let row = sqlx::query(AssertSqlSafe(sql)).bind(sid).fetch_optional(connection).await?;
    row.map(|row| T::from_row(&row)).transpose()
}

#[allow(private_bounds, reason = "Entity is sealed")]
impl Store {
    /// Every entry of the kind: those of the configuration file in its order, then the others
    /// as they were made. Those that are not active are among them.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list<T: Entity>(&self) -> Result<Vec<T>, StoreError> {
        let doing = format!("listing every {}", T::KIND);
        let query = sqlx::query(T::select("ORDER BY declared DESC, position, id"));
        let rows = query.fetch_all(self.pool()).await.map_err(self.failed(&doing))?;
        let entries: Result<Vec<T>, sqlx::Error> = rows.iter().map(T::from_row).collect();
        entries.map_err(self.failed(&doing))
    }

    /// The entry of that identifier.
    ///
    /// # Errors
    /// The database fails.
    pub async fn get<T: Entity>(&self, sid: &str) -> Result<Option<T>, StoreError> {
        let read = async { find::<T>(&mut *self.pool().acquire().await?, sid).await };
        read.await.map_err(self.failed(&format!("reading a {}", T::KIND)))
    }

    /// Makes an entry, which is not a declared one whatever it says. Without an identifier it
    /// gets one. Gives the identifier.
    ///
    /// # Errors
    /// [`ErrorKind::Taken`], [`ErrorKind::Missing`] for what it refers to; the database fails.
    pub async fn create<T: Entity>(&self, entry: &T) -> Result<String, StoreError> {
        let mut entry = entry.clone();
        let sid = match entry.sid() {
            "" => Uuid::new_v4().to_string(),
            sid => sid.to_owned(),
        };
        let is_active = entry.is_active();
        entry.set(sid.clone(), false, is_active);
        let written = entry.bind(sqlx::query(T::insert(&[], ""))).execute(self.pool()).await;
        written.map_err(|error| self.refused(&format!("making a {}", T::KIND), &entry, &error))?;
        Ok(sid)
    }

    /// Replaces the entry of that identifier; false where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Declared`], [`ErrorKind::Taken`], [`ErrorKind::Missing`]; the database fails.
    pub async fn update<T: Entity>(&self, entry: &T) -> Result<bool, StoreError> {
        let doing = format!("changing a {}", T::KIND);
        let mut entry = entry.clone();
        let (sid, is_active) = (entry.sid().to_owned(), entry.is_active());
        entry.set(sid.clone(), false, is_active);
        let mut transaction = self.writing().await.map_err(self.failed(&doing))?;
        let found = find::<T>(&mut transaction, &sid).await.map_err(self.failed(&doing))?;
        let Some(found) = found else { return Ok(false) };
        if found.declared() {
            return Err(self.is_declared(&doing, &found));
        }
        let set = assignments::<T>(|at, _| format!("?{}", at + 1));
        let mark = T::COLUMNS.len() + 1;
        let sql = format!("UPDATE {} SET {set} WHERE {} = ?{mark}", T::TABLE, T::SID);
        let update = entry.bind(sqlx::query(AssertSqlSafe(sql))).bind(sid);
        let written = update.execute(&mut *transaction).await;
        written.map_err(|error| self.refused(&doing, &entry, &error))?;
        transaction.commit().await.map_err(|error| self.refused(&doing, &entry, &error))?;
        Ok(true)
    }

    /// Removes the entry of that identifier, with its gateways where it is a carrier; false
    /// where there is none. A declared entry can be removed once the file has it no more.
    ///
    /// # Errors
    /// [`ErrorKind::Declared`], [`ErrorKind::Referenced`]; the database fails.
    pub async fn delete<T: Entity>(&self, sid: &str) -> Result<bool, StoreError> {
        let doing = format!("removing a {}", T::KIND);
        let mut transaction = self.writing().await.map_err(self.failed(&doing))?;
        let found = find::<T>(&mut transaction, sid).await.map_err(self.failed(&doing))?;
        let Some(found) = found else { return Ok(false) };
        if found.declared() && found.is_active() {
            return Err(self.is_declared(&doing, &found));
        }
        let sql = format!("DELETE FROM {} WHERE {} = ?", T::TABLE, T::SID);
        let deleted = sqlx::query(AssertSqlSafe(sql)).bind(sid).execute(&mut *transaction).await;
        let deleted = match deleted {
            Ok(_) => transaction.commit().await,
            Err(error) => Err(error),
        };
        let cause = format!("{} {} is in use", T::KIND, found.label());
        let in_use = |error| {
            self.failed(&doing)(error).meaning(ErrorKind::Missing, ErrorKind::Referenced, &cause)
        };
        deleted.map_err(in_use)?;
        Ok(true)
    }

    /// The error of an entry that was not taken, in words that do not show it.
    pub(crate) fn refused<T: Entity>(
        &self,
        doing: &str,
        entry: &T,
        error: &sqlx::Error,
    ) -> StoreError {
        let taken = format!("{} {} is there already", T::KIND, entry.label());
        let missing = format!("{} {} refers to what is not there", T::KIND, entry.label());
        StoreError::from_sqlx(doing, self.place(), error)
            .meaning(ErrorKind::Taken, ErrorKind::Taken, &taken)
            .meaning(ErrorKind::Missing, ErrorKind::Missing, &missing)
    }

    fn is_declared<T: Entity>(&self, doing: &str, entry: &T) -> StoreError {
        let cause = format!("{} {} stands in the configuration file", T::KIND, entry.label());
        StoreError::new(ErrorKind::Declared, doing, self.place(), cause)
    }
}

/// A flag in JSON: 0 or 1, as clients expect them.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn flag<S: Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(u8::from(*flag))
}
