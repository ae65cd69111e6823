//! Users that are registered, and where.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use store::Client;

use crate::Api;
use crate::asked::Asked;
use crate::fault::{Fault, Reply};
use crate::gateway::Registered;

/// Users that may be asked for in one request.
const NAMES_MAX: usize = 10_000;

/// Everybody who is registered, as `user@realm`; without a realm each of our addresses is one,
/// and the user stands alone.
pub(crate) async fn list(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let realm = realm(&api).await?;
    let registered = api.config.gateway.registrations().await?;
    let names: Vec<String> =
        registered.iter().map(|registered| address(&registered.user, realm.as_deref())).collect();
    Ok(Json(names).into_response())
}

/// The details of those that the body names, a list; of everybody, where it is empty.
pub(crate) async fn some(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let names = names(&asked.body)?;
    let (realm, registered) = (realm(&api).await?, api.config.gateway.registrations().await?);
    let clients = api.config.store.list::<Client>().await?;
    let of = |name: &str| {
        let user = user_of(name);
        let client = clients.iter().find(|client| client.username == user);
        let registered = registered.iter().find(|registered| registered.user == user);
        details(&address(user, realm.as_deref()), client, registered)
    };
    let details: Vec<Value> = match names.is_empty() {
        true => registered.iter().map(|registered| of(&registered.user)).collect(),
        false => names.iter().map(|name| of(name)).collect(),
    };
    Ok(Json(details).into_response())
}

/// The details of one user; 404 where there is none of that name.
pub(crate) async fn one(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let user = user_of(asked.path("user"));
    let clients = api.config.store.list::<Client>().await?;
    let client = clients.iter().find(|client| client.username == user && client.is_active);
    let registrations = api.config.gateway.registrations().await?;
    let registered = registrations.iter().find(|registered| registered.user == user);
    if client.is_none() && registered.is_none() {
        return Err(Fault::not_found());
    }
    let name = address(user, realm(&api).await?.as_deref());
    Ok(Json(details(&name, client, registered)).into_response())
}

async fn realm(api: &Api) -> Result<Option<String>, Fault> {
    Ok(api.config.store.account().await?.and_then(|account| account.sip_realm))
}

fn user_of(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

fn address(user: &str, realm: Option<&str>) -> String {
    realm.map_or_else(|| user.to_owned(), |realm| format!("{user}@{realm}"))
}

fn names(body: &str) -> Result<Vec<String>, Fault> {
    if body.trim().is_empty() {
        return Ok(Vec::new());
    }
    let expected =
        format!("a list of at most {NAMES_MAX} user names, [\"jane\", \"joe\"], or nothing");
    match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(members)) if members.is_empty() => Ok(Vec::new()),
        Ok(value) => {
            let names: Result<Vec<String>, _> = serde_json::from_value(value);
            let names = names.ok().filter(|names| names.len() <= NAMES_MAX);
            names
                .ok_or_else(|| Fault::bad(format!("1:1: -: no list of names; expected {expected}")))
        }
        Err(error) => {
            let (line, column) = (error.line().max(1), error.column().max(1));
            Err(Fault::bad(format!("{line}:{column}: -: not JSON; expected {expected}")))
        }
    }
}

/// `contact` and what goes with it are of the preferred contact; all of them are in `contacts`.
fn details(name: &str, client: Option<&Client>, registered: Option<&Registered>) -> Value {
    let flag = |of: fn(&Client) -> bool| client.map(|client| u8::from(of(client)));
    let contacts = registered.map_or(&[][..], |registered| &registered.contacts);
    let first = contacts.first();
    let all: Vec<Value> = contacts
        .iter()
        .map(|contact| {
            json!({
                "contact": contact.uri,
                "expiryTime": contact.expires_at,
                "protocol": contact.protocol,
                "proxy": contact.proxy,
            })
        })
        .collect();
    json!({
        "name": name,
        "contact": first.map(|contact| &contact.uri),
        "expiryTime": first.map_or(0, |contact| contact.expires_at),
        "protocol": first.map(|contact| &contact.protocol),
        "allow_direct_app_calling": flag(|client| client.allow_direct_app_calling),
        "allow_direct_queue_calling": flag(|client| client.allow_direct_queue_calling),
        "allow_direct_user_calling": flag(|client| client.allow_direct_user_calling),
        "registered_status": if first.is_some() { "active" } else { "inactive" },
        "proxy": first.map(|contact| &contact.proxy),
        "contacts": all,
    })
}
