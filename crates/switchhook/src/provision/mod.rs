//! Entries: those of the configuration file and those made over REST, and the settings that calls
//! go by, which are made of both.
//!
//! In: a configuration, and the word that entries of the store changed. Out: the entries of the
//! file in the store, and [`Settings`] for the loop that owns the calls. The store has the last
//! word on entries; limits, addresses and times are the file's alone. `declared.rs` turns a
//! configuration into rows, `settings.rs` rows into settings.

mod declared;
mod settings;

use std::sync::Arc;

use call::Settings;
use hooks::Secret;
use store::Store;
use tokio::sync::{Mutex, watch};

use crate::config::Config;
use crate::gateway::{Desk, with_own_addresses};

pub use declared::declared;

/// What the store makes of a configuration.
#[derive(Clone, Debug)]
pub struct Provisioned {
    /// What calls go by; without the addresses of this machine.
    pub settings: Settings,
    /// Key of the signature on requests to applications.
    pub webhook_secret: Option<Secret>,
}

/// Writes what the configuration declares, and reads back what calls are to go by.
///
/// # Errors
/// A sentence for the operator: an entry of the file has the name of one made over REST, or the
/// store fails. Nothing has changed then.
pub async fn provision(config: &Config, store: &Store) -> Result<Provisioned, String> {
    store.declare(&declared(config)).await.map_err(|error| error.to_string())?;
    provisioned(config, store).await
}

/// What calls are to go by now.
///
/// # Errors
/// The store fails.
pub async fn provisioned(config: &Config, store: &Store) -> Result<Provisioned, String> {
    let read = async {
        let mut account = store.account().await?;
        if let (Some(account), Some(secret)) = (&mut account, &config.http.webhook_secret)
            && account.webhook_secret.is_none()
        {
            account.webhook_secret = Some(store::Secret::new(secret.0.clone()));
            store.update_account(account).await?;
        }
        let settings = settings::settings(&config.settings, account.as_ref(), store).await?;
        let secret = account.and_then(|account| account.webhook_secret);
        let webhook_secret = secret.map(|secret| Secret(secret.expose().to_owned()));
        Ok(Provisioned { settings, webhook_secret })
    };
    read.await.map_err(|error: store::StoreError| error.to_string())
}

/// Keeps the running gateway to the file and the store.
pub(crate) struct Provisioner {
    store: Store,
    /// As it was read last. Held while entries are on their way to the loop, so that the last
    /// change arrives last.
    config: Mutex<Config>,
    desk: Desk,
    hooks: hooks::Client,
    token: watch::Sender<store::Secret>,
}

impl Provisioner {
    pub(crate) fn new(
        config: Config,
        store: Store,
        desk: Desk,
        hooks: hooks::Client,
    ) -> Provisioner {
        let (token, _) = watch::channel(token_of(&config));
        Provisioner { store, config: Mutex::new(config), desk, hooks, token }
    }

    /// The bearer token of REST, always the one in force.
    pub(crate) fn token(&self) -> watch::Receiver<store::Secret> {
        self.token.subscribe()
    }

    /// The configuration as it was read last.
    pub(crate) async fn config(&self) -> Config {
        self.config.lock().await.clone()
    }

    /// Goes by another configuration; by the old one where this fails.
    pub(crate) async fn replace(&self, config: Config) -> Result<(), String> {
        let mut current = self.config.lock().await;
        let provisioned = provision(&config, &self.store).await?;
        self.token.send_replace(token_of(&config));
        *current = config;
        self.apply(provisioned).await
    }

    /// Goes by the entries that the store has now. Returned, calls that come are routed by them.
    pub(crate) async fn reload(&self) -> Result<(), String> {
        let current = self.config.lock().await;
        let provisioned = provisioned(&current, &self.store).await?;
        self.apply(provisioned).await
    }

    async fn apply(&self, provisioned: Provisioned) -> Result<(), String> {
        self.hooks.set_webhook_secret(provisioned.webhook_secret);
        let settings = Arc::new(with_own_addresses(provisioned.settings));
        self.desk.settings(settings).await
    }
}

/// The token of a configuration whose secrets are filled; an empty one opens nothing, because no
/// bearer is empty.
fn token_of(config: &Config) -> store::Secret {
    let token = config.http.admin_token.as_ref().map_or("", |token| &token.0);
    store::Secret::new(token)
}
