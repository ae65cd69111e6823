//! The account, and the secrets that Switchhook made for itself.

use serde::Serialize;
use sqlx::FromRow;

use crate::entity::flag;
use crate::error::{ErrorKind, StoreError};
use crate::hook::Extra;
use crate::open::Store;
use crate::row::{Row, row};
use crate::secret::Secret;

row! {
    /// The one account of an installation.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    pub struct Account in "accounts" {
        /// Its identifier.
        pub account_sid: String,
        /// The service provider it belongs to.
        pub service_provider_sid: String,
        /// For people.
        pub name: String,
        /// The domain users register to.
        pub sip_realm: Option<String>,
        /// The application that runs when a registered user dials.
        pub device_calling_application_sid: Option<String>,
        /// Key of the signature on every request to an application.
        pub webhook_secret: Option<Secret>,
        /// Further properties that are kept for the client.
        #[serde(flatten)]
        pub extra: Extra,
        /// It counts.
        #[serde(serialize_with = "flag")]
        pub is_active: bool,
    }
}

/// What the configuration file says about the account, and nobody else may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeclaredKeys {
    /// `[sip] realm`.
    pub sip_realm: bool,
    /// `[device_calls] application`.
    pub device_calling_application_sid: bool,
    /// `[http] webhook_secret`.
    pub webhook_secret: bool,
}

impl Store {
    /// What the file said about the account when it was last written ([`Store::declare`]).
    ///
    /// # Errors
    /// The database fails.
    pub async fn declared_account(&self) -> Result<DeclaredKeys, StoreError> {
        let sql = "SELECT declared_sip_realm IS NOT NULL, \
                   declared_device_calling_application_sid IS NOT NULL, \
                   declared_webhook_secret IS NOT NULL FROM accounts";
        let row = sqlx::query_as(sql).fetch_optional(self.pool()).await;
        let row: Option<(bool, bool, bool)> =
            row.map_err(self.failed("reading what the file says about the account"))?;
        let (sip_realm, device_calling_application_sid, webhook_secret) = row.unwrap_or_default();
        Ok(DeclaredKeys { sip_realm, device_calling_application_sid, webhook_secret })
    }

    /// The account; none before the first [`Store::declare`].
    ///
    /// # Errors
    /// The database fails.
    pub async fn account(&self) -> Result<Option<Account>, StoreError> {
        const DOING: &str = "reading the account";
        let row = sqlx::query(Account::select("")).fetch_optional(self.pool()).await;
        let account = row.and_then(|row| row.map(|row| Account::from_row(&row)).transpose());
        account.map_err(self.failed(DOING))
    }

    /// Changes the account; false where it has another identifier.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] for its application; the database fails.
    pub async fn update_account(&self, account: &Account) -> Result<bool, StoreError> {
        let sql = "UPDATE accounts SET account_sid = ?1, service_provider_sid = ?2, name = ?3, \
                   sip_realm = ?4, device_calling_application_sid = ?5, webhook_secret = ?6, \
                   extra = ?7, is_active = ?8 WHERE account_sid = ?1";
        let written = account.bind(sqlx::query(sql)).execute(self.pool()).await;
        let missing = "its application is not there";
        let failed = |error| {
            let error = self.failed("changing the account")(error);
            error.meaning(ErrorKind::Missing, ErrorKind::Missing, missing)
        };
        Ok(written.map_err(failed)?.rows_affected() > 0)
    }

    /// The secret of that name, which was made in an earlier run.
    ///
    /// # Errors
    /// The database fails.
    pub async fn secret(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        let query = sqlx::query_scalar("SELECT secret FROM secrets WHERE name = ?").bind(name);
        query.fetch_optional(self.pool()).await.map_err(self.failed("reading a secret"))
    }

    /// Keeps a secret under a name, in the place of the one that was there.
    ///
    /// # Errors
    /// The database fails.
    pub async fn keep_secret(&self, name: &str, secret: &Secret) -> Result<(), StoreError> {
        let sql = "INSERT INTO secrets (name, secret) VALUES (?, ?) \
                   ON CONFLICT (name) DO UPDATE SET secret = excluded.secret";
        let query = sqlx::query(sql).bind(name).bind(secret);
        query.execute(self.pool()).await.map_err(self.failed("keeping a secret"))?;
        Ok(())
    }
}
