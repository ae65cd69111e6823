//! The HTTP side: calls and provisioning over REST under `/v1`, health, metrics, the schema of
//! the application language.
//!
//! Owns the routes, who may ask, what a body may say and what is answered. What it must know of
//! the running gateway it asks through [`Gateway`], which the binary implements; entries it keeps
//! in the [`store::Store`] by itself, and says so to the gateway. It reaches no call, no socket
//! and no configuration. `docs/rest.md` describes the routes for those who use them.

#![forbid(unsafe_code)]

mod access;
mod account;
mod asked;
mod calls;
mod fault;
mod fields;
mod gateway;
mod health;
mod layer;
mod provision;
mod recent;
mod registered;
mod routes;
mod serve;
mod text;

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use access::{ADDRESSES_MAX, FAILURES_MAX, FAILURES_WINDOW};
pub use asked::{BODY_MAX, BODY_TIMEOUT};
pub use gateway::{Awaited, Contact, Created, Gateway, Health, Refusal, Registered, Updated};
pub use serve::{
    CONNECTION_LIFE, CONNECTIONS_MAX, CONNECTIONS_PER_SOURCE_MAX, HEAD_BYTES_MAX, HEAD_TIMEOUT,
    LAST_ANSWER, ServeLimits,
};

use access::Guesses;
use asked::Asked;
use fault::Fault;

/// What the HTTP side goes by.
#[derive(Clone)]
pub struct Config {
    /// The running gateway.
    pub gateway: Arc<dyn Gateway>,
    /// Where entries are.
    pub store: Store,
    /// What a client must show as bearer; always the one in force.
    pub token: watch::Receiver<store::Secret>,
    /// The account of this installation.
    pub account_sid: String,
    /// Its service provider.
    pub service_provider_sid: String,
}

/// What every route sees.
pub(crate) struct Api {
    config: Config,
    guesses: Mutex<Guesses>,
    /// Held while an entry is read, changed and written, so that no change is lost.
    turn: tokio::sync::Mutex<()>,
}

impl Api {
    /// Whether the path names our account, or our service provider; a foreign one is not there.
    fn own(&self, asked: &Asked) -> Result<(), Fault> {
        let is_own = asked.path_if("account").is_none_or(|sid| sid == self.config.account_sid)
            && asked.path_if("provider").is_none_or(|sid| sid == self.config.service_provider_sid);
        if is_own { Ok(()) } else { Err(Fault::not_found()) }
    }

    /// Entries changed: calls are to go by them before the client hears of it.
    async fn provisioned(&self) -> Result<(), Fault> {
        let told = self.config.gateway.provisioned().await;
        told.map_err(|why| {
            tracing::error!("calls do not go by the entries of the store: {why}");
            let msg = format!("it is kept, but calls still go by the entries before it: {why}");
            Fault::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, msg)
        })
    }
}

/// The routes, for a server of one's own; [`serve`] is the usual way.
pub fn router(config: Config) -> Router {
    let (guesses, turn) = (Mutex::default(), tokio::sync::Mutex::default());
    routes::router(Arc::new(Api { config, guesses, turn }))
}

/// Serves the routes on `listener` until `shutdown` ends; requests that are being answered then
/// are finished first.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_within(ServeLimits::default(), listener, config, shutdown).await
}

/// [`serve`] with limits of one's own.
///
/// # Errors
/// As there.
pub async fn serve_within(
    limits: ServeLimits,
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve::serve(limits, listener, router(config), shutdown).await
}
