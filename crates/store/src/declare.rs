//! Writing what the configuration file declares.
//!
//! In: everything of the file. Entries of the file are made or brought up to date by their
//! identifier, those that it has no more are deactivated, those made over REST stay as they
//! are. All of it or nothing.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row as _};

use crate::entity::{
    Application, Client, Entity, PhoneNumber, SipGateway, VoipCarrier, assignments,
};
use crate::error::{ErrorKind, StoreError};
use crate::open::Store;
use crate::secret::Secret;

/// Everything that the configuration file says about provisioning. The order of each list is
/// kept. Whatever `declared` and `is_active` say, an entry here is both.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The account.
    pub account: DeclaredAccount,
    /// `[[application]]`.
    pub applications: Vec<Application>,
    /// `[[carrier]]`.
    pub voip_carriers: Vec<VoipCarrier>,
    /// `[[carrier.gateway]]`.
    pub sip_gateways: Vec<SipGateway>,
    /// `[[phone_number]]`.
    pub phone_numbers: Vec<PhoneNumber>,
    /// `[[client]]`.
    pub clients: Vec<Client>,
}

/// What the file says about the account. `None`: the file does not say; what it said before is
/// taken back, what came over REST stays.
#[derive(Clone, Debug)]
pub struct DeclaredAccount {
    /// Its identifier.
    pub account_sid: String,
    /// The service provider it belongs to.
    pub service_provider_sid: String,
    /// Its name, where it is new.
    pub name: String,
    /// `[sip] realm`.
    pub sip_realm: Option<String>,
    /// `[device_calls] application`.
    pub device_calling_application_sid: Option<String>,
    /// `[http] webhook_secret`.
    pub webhook_secret: Option<Secret>,
}

impl Store {
    /// Writes what the configuration file declares.
    ///
    /// # Errors
    /// [`ErrorKind::Taken`] names every entry whose name was given over REST;
    /// [`ErrorKind::Missing`]; the database fails. Nothing has changed then.
    pub async fn declare(&self, declared: &Declared) -> Result<(), StoreError> {
        const DOING: &str = "writing what the configuration file declares";
        let mut transaction = self.writing().await.map_err(self.failed(DOING))?;
        // why: entries refer to each other in any order.
        let deferred = sqlx::query("PRAGMA defer_foreign_keys = ON");
        deferred.execute(&mut *transaction).await.map_err(self.failed(DOING))?;

        let mut rivals = Vec::new();
        let connection = &mut *transaction;
        self.write_all(connection, &declared.applications, &mut rivals).await?;
        self.write_all(connection, &declared.voip_carriers, &mut rivals).await?;
        self.write_all(connection, &declared.sip_gateways, &mut rivals).await?;
        self.write_all(connection, &declared.phone_numbers, &mut rivals).await?;
        self.write_all(connection, &declared.clients, &mut rivals).await?;
        if !rivals.is_empty() {
            let cause = format!("made over REST already: {}", rivals.join(", "));
            return Err(StoreError::new(ErrorKind::Taken, DOING, self.place(), cause));
        }
        write_account(connection, &declared.account).await.map_err(self.failed(DOING))?;
        let committed = transaction.commit().await.map_err(self.failed(DOING));
        let missing = "an entry refers to one that is not there";
        committed.map_err(|error| error.meaning(ErrorKind::Missing, ErrorKind::Missing, missing))
    }

    /// Writes one kind. An entry over REST that stands in the way is named in `rivals`.
    async fn write_all<T: Entity>(
        &self,
        connection: &mut SqliteConnection,
        entries: &[T],
        rivals: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let doing = format!("writing the declared entries, a {}", T::KIND);
        let sql = format!("UPDATE {} SET is_active = 0 WHERE declared = 1", T::TABLE);
        let gone = sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await;
        gone.map_err(self.failed(&doing))?;

        let set = assignments::<T>(|_, name| format!("excluded.\"{name}\""));
        let sid = T::SID;
        let conflict =
            format!("ON CONFLICT ({sid}) DO UPDATE SET {set}, position = excluded.position");
        for (position, entry) in entries.iter().enumerate() {
            let rival = make_way(connection, entry).await.map_err(self.failed(&doing))?;
            if rival {
                rivals.push(format!("{} {}", T::KIND, entry.label()));
                continue;
            }
            let mut entry = entry.clone();
            let sid = entry.sid().to_owned();
            entry.set(sid, true, true);
            let position = i64::try_from(position).unwrap_or(i64::MAX);
            let insert = sqlx::query(T::insert(&["position"], &conflict));
            let written = entry.bind(insert).bind(position).execute(&mut *connection).await;
            written.map_err(|error| self.refused(&doing, &entry, &error))?;
        }
        Ok(())
    }
}

/// Whether an entry made over REST has the name of this one. An entry of an earlier file that
/// has it under another identifier is removed.
async fn make_way<T: Entity>(
    connection: &mut SqliteConnection,
    entry: &T,
) -> Result<bool, sqlx::Error> {
    if T::UNIQUE.is_empty() {
        return Ok(false);
    }
    let same: Vec<String> = T::UNIQUE.iter().map(|name| format!("\"{name}\" IS ?")).collect();
    let sql = format!(
        "SELECT id, declared FROM {} WHERE {} AND {} <> ?",
        T::TABLE,
        same.join(" AND "),
        T::SID
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in entry.unique() {
        query = query.bind(value);
    }
    let Some(row) = query.bind(entry.sid()).fetch_optional(&mut *connection).await? else {
        return Ok(false);
    };
    if !row.try_get::<bool, _>("declared")? {
        return Ok(true);
    }
    let id: i64 = row.try_get("id")?;
    let sql = format!("DELETE FROM {} WHERE id = ?", T::TABLE);
    sqlx::query(AssertSqlSafe(sql)).bind(id).execute(connection).await?;
    Ok(false)
}

async fn write_account(
    connection: &mut SqliteConnection,
    account: &DeclaredAccount,
) -> Result<(), sqlx::Error> {
    // A value that is still what the file said last is the file's to take back.
    let sql = "
        INSERT INTO accounts (
            account_sid, service_provider_sid, name, is_active, extra,
            sip_realm, declared_sip_realm,
            device_calling_application_sid, declared_device_calling_application_sid,
            webhook_secret, declared_webhook_secret
        ) VALUES (?1, ?2, ?3, 1, '{}', ?4, ?4, ?5, ?5, ?6, ?6)
        ON CONFLICT (account_sid) DO UPDATE SET
            service_provider_sid = ?2,
            sip_realm = coalesce(?4, nullif(sip_realm, coalesce(declared_sip_realm, ''))),
            declared_sip_realm = ?4,
            device_calling_application_sid = coalesce(?5, nullif(
                device_calling_application_sid,
                coalesce(declared_device_calling_application_sid, '')
            )),
            declared_device_calling_application_sid = ?5,
            webhook_secret = coalesce(?6, nullif(
                webhook_secret, coalesce(declared_webhook_secret, '')
            )),
            declared_webhook_secret = ?6";
    sqlx::query(sql)
        .bind(&account.account_sid)
        .bind(&account.service_provider_sid)
        .bind(&account.name)
        .bind(&account.sip_realm)
        .bind(&account.device_calling_application_sid)
        .bind(&account.webhook_secret)
        .execute(connection)
        .await?;
    Ok(())
}
