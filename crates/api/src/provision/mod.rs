//! Entries of the store: made, read, listed, changed, removed.
//!
//! The five operations are the same for each kind; what its properties are stands in its own
//! file. An entry of the configuration file is read here and changed there.

mod application;
mod carrier;
mod client;
mod phone_number;
mod sip_gateway;

use std::future::Future;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::{Value, json};
use store::{Entity, PAGE_SIZE_MAX, StoreError};

use crate::Api;
use crate::asked::Asked;
use crate::fault::{Fault, Reply, to_its_end};
use crate::fields::{Fields, Kept};

/// Entries of a page where the query does not say.
const PAGE_SIZE: usize = 50;

/// What is particular to one kind of entry.
pub(crate) trait Resource: Entity + Serialize {
    /// A new entry before its properties are read.
    fn blank(api: &Api) -> Self;

    /// Reads every property of the body into the entry.
    fn read(&mut self, api: &Api, fields: &mut Fields);

    /// Notes what the entry as a whole is wrong about, such as a reference to nothing.
    fn check(
        &self,
        api: &Api,
        fields: &mut Fields,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The list may be asked only with these parameters of the query.
    const LISTED_WITH: &'static [&'static str] = &[];

    /// Whether the list that `asked` wants has it.
    fn is_listed(&self, asked: &Asked) -> bool {
        let _ = asked;
        true
    }

    /// As it is shown.
    fn shown(&self) -> Value {
        json!(self)
    }

    /// What the client that made it learns besides its sid.
    fn learned(&self, fields: &Fields) -> Option<(&'static str, Value)> {
        let _ = fields;
        None
    }

    /// jambonz: what a name that another entry has is answered with. One that an entry of the
    /// configuration file has is always 422.
    const TAKEN: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
}

pub(crate) async fn list<R: Resource>(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    for name in R::LISTED_WITH {
        if asked.query(name).is_none() {
            return Err(Fault::bad(format!("query parameter {name}: missing; expected a sid")));
        }
    }
    let page = asked.number("page", 1, u32::MAX)?;
    let size = asked.number("page_size", 1, PAGE_SIZE_MAX)?;
    let mut entries = api.config.store.list::<R>().await?;
    entries.retain(|entry| entry.is_listed(&asked));
    let shown = entries.iter().map(R::shown);
    let Some(page) = page else { return Ok(Json(shown.collect::<Vec<_>>()).into_response()) };
    let size = size.map_or(PAGE_SIZE, |size| size as usize);
    let before = (page as usize - 1).saturating_mul(size);
    let total = entries.len();
    let data: Vec<Value> = shown.skip(before).take(size).collect();
    let answer = json!({ "total": total, "page": page, "page_size": size, "data": data });
    Ok(Json(answer).into_response())
}

pub(crate) async fn read<R: Resource>(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let entry = api.config.store.get::<R>(asked.path("sid")).await?;
    Ok(Json(entry.ok_or_else(Fault::not_found)?.shown()).into_response())
}

pub(crate) async fn create<R: Resource>(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    to_its_end(make::<R>(api, asked)).await
}

async fn make<R: Resource>(api: Arc<Api>, asked: Asked) -> Reply {
    let _turn = api.turn.lock().await;
    let mut entry = R::blank(&api);
    let mut fields = Fields::new(&asked.body, true)?;
    fields.immutable(R::SID);
    entry.read(&api, &mut fields);
    entry.check(&api, &mut fields).await?;
    let learned = entry.learned(&fields);
    fields.finish()?;
    taken(&api, &entry).await?;
    let sid = api.config.store.create(&entry).await?;
    api.provisioned().await?;
    let mut answer = json!({ "sid": sid });
    if let Some((key, value)) = learned {
        answer[key] = value;
    }
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

pub(crate) async fn change<R: Resource>(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    to_its_end(alter::<R>(api, asked)).await
}

async fn alter<R: Resource>(api: Arc<Api>, asked: Asked) -> Reply {
    let _turn = api.turn.lock().await;
    let entry = api.config.store.get::<R>(asked.path("sid")).await?;
    let mut entry = entry.ok_or_else(Fault::not_found)?;
    if entry.declared() {
        let (kind, label) = (R::KIND, entry.label());
        let msg = format!("{kind} {label} stands in the configuration file; change it there");
        return Err(Fault::conflict(msg));
    }
    let mut fields = Fields::new(&asked.body, false)?;
    fields.immutable(R::SID);
    entry.read(&api, &mut fields);
    entry.check(&api, &mut fields).await?;
    fields.finish()?;
    taken(&api, &entry).await?;
    if !api.config.store.update(&entry).await? {
        return Err(Fault::not_found());
    }
    api.provisioned().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn remove<R: Resource>(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    to_its_end(take_away::<R>(api, asked)).await
}

async fn take_away<R: Resource>(api: Arc<Api>, asked: Asked) -> Reply {
    let _turn = api.turn.lock().await;
    if !api.config.store.delete::<R>(asked.path("sid")).await? {
        return Err(Fault::not_found());
    }
    api.provisioned().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Refuses a name that another entry has.
async fn taken<R: Resource>(api: &Api, entry: &R) -> Result<(), Fault> {
    if R::UNIQUE.is_empty() {
        return Ok(());
    }
    let entries = api.config.store.list::<R>().await?;
    let other = |other: &&R| other.sid() != entry.sid() && other.unique() == entry.unique();
    let Some(other) = entries.iter().find(other) else { return Ok(()) };
    let (kind, label) = (R::KIND, other.label());
    if other.declared() {
        let msg = format!("{kind} {label} stands in the configuration file; choose another name");
        return Err(Fault::conflict(msg));
    }
    let msg = format!("{kind} {label} is there already, as {}; choose another name", other.sid());
    Err(Fault::new(R::TAKEN, msg))
}

/// Reads the identifiers of the account and the service provider: ours, or none.
fn owners(api: &Api, fields: &mut Fields) {
    fields.fixed("account_sid", &json!(api.config.account_sid));
    fields.fixed("service_provider_sid", &json!(api.config.service_provider_sid));
    fields.fixed("declared", &json!(0));
}

/// Reads what is only kept, and what would change calls and is not supported.
fn others(
    fields: &mut Fields,
    extra: &mut store::Extra,
    kept: &[(&str, Kept)],
    unsupported: &[&str],
) {
    for (key, kind) in kept {
        fields.keep(key, *kind, extra);
    }
    for key in unsupported {
        fields.unsupported(key);
    }
}

/// Notes a reference to an entry that is not there.
async fn refers<T: Entity>(
    api: &Api,
    fields: &mut Fields,
    key: &str,
    sid: Option<&str>,
) -> Result<(), StoreError> {
    if let Some(sid) = sid.filter(|sid| !sid.is_empty())
        && api.config.store.get::<T>(sid).await?.is_none()
    {
        let (what, expected) = (format!("{key} not found"), format!("the sid of a {}", T::KIND));
        fields.fault(key, &what, &expected, Some(&json!(sid)));
    }
    Ok(())
}
