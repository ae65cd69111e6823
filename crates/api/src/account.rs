//! The one account, its service provider, and the key of its webhooks.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use store::{Account, Application, Secret};
use uuid::Uuid;

use crate::Api;
use crate::asked::Asked;
use crate::fault::{Fault, Reply, to_its_end};
use crate::fields::{Fields, Kept};
use crate::text;

/// Longest name, and longest realm.
const NAME_MAX: usize = 255;

/// Properties of an account that are kept for whoever reads them back.
const KEPT: &[(&str, Kept)] = &[
    ("device_to_call_ratio", Kept::Number),
    ("enable_debug_log", Kept::Flag),
    ("plan_type", Kept::Text),
    ("record_format", Kept::Text),
];

/// Properties that would change calls and that nothing here does.
const UNSUPPORTED: &[&str] = &[
    "bucket_credential",
    "disable_cdrs",
    "queue_event_hook",
    "record_all_calls",
    "registration_hook",
    "siprec_hook_sid",
];

impl Api {
    async fn account(&self) -> Result<Account, Fault> {
        self.config.store.account().await?.ok_or_else(Fault::not_found)
    }
}

pub(crate) async fn list(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    Ok(Json([api.account().await?]).into_response())
}

pub(crate) async fn read(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    Ok(Json(api.account().await?).into_response())
}

pub(crate) async fn change(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    to_its_end(alter(api, asked)).await
}

async fn alter(api: Arc<Api>, asked: Asked) -> Reply {
    let _turn = api.turn.lock().await;
    let before = api.account().await?;
    let mut account = before.clone();
    let mut fields = Fields::new(&asked.body, false)?;
    fields.immutable("account_sid");
    fields.fixed("service_provider_sid", &json!(account.service_provider_sid));
    let name = "a text of 1 to 255 characters";
    fields.text("name", &mut account.name, name, |text| text::is_line(text, NAME_MAX));
    fields.optional("sip_realm", &mut account.sip_realm, "a domain", text::is_realm);
    let expected = "the sid of an application";
    let application = &mut account.device_calling_application_sid;
    fields.optional("device_calling_application_sid", application, expected, |_| true);
    fields.fixed("webhook_secret", &json!(account.webhook_secret));
    fields.fixed("is_active", &json!(1));
    for (key, kind) in KEPT {
        fields.keep(key, *kind, &mut account.extra);
    }
    for key in UNSUPPORTED {
        fields.unsupported(key);
    }
    account.sip_realm = account.sip_realm.map(|realm| realm.to_ascii_lowercase());
    if let Some(sid) = &account.device_calling_application_sid
        && api.config.store.get::<Application>(sid).await?.is_none()
    {
        let key = "device_calling_application_sid";
        fields.fault(key, "no such application", expected, Some(&json!(sid)));
    }
    fields.finish()?;
    let file = api.config.store.declared_account().await?;
    let of_the_file = [
        ("sip_realm", file.sip_realm, account.sip_realm != before.sip_realm),
        (
            "device_calling_application_sid",
            file.device_calling_application_sid,
            account.device_calling_application_sid != before.device_calling_application_sid,
        ),
    ];
    for (key, is_declared, changed) in of_the_file {
        if is_declared && changed {
            let msg = format!("{key} stands in the configuration file; change it there");
            return Err(Fault::conflict(msg));
        }
    }
    api.config.store.update_account(&account).await?;
    api.provisioned().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The key; with `regenerate=true` a new one, which takes the place of the old at once.
pub(crate) async fn webhook_secret(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let regenerate = asked.read("regenerate", "true or false", |word| word.parse().ok())?;
    to_its_end(secret(api, regenerate == Some(true))).await
}

async fn secret(api: Arc<Api>, regenerate: bool) -> Reply {
    let _turn = api.turn.lock().await;
    let mut account = api.account().await?;
    if regenerate {
        if api.config.store.declared_account().await?.webhook_secret {
            let msg = "webhook_secret stands in the configuration file; change it there";
            return Err(Fault::conflict(msg));
        }
        let secret = Secret::new(format!("wh_secret_{}", Uuid::new_v4().simple()));
        account.webhook_secret = Some(secret);
        api.config.store.update_account(&account).await?;
        api.provisioned().await?;
    }
    let secret = account.webhook_secret.as_ref().map(Secret::expose);
    Ok(Json(json!({ "webhook_secret": secret })).into_response())
}

pub(crate) async fn providers(State(api): State<Arc<Api>>) -> Reply {
    Ok(Json([of_provider(&api)]).into_response())
}

pub(crate) async fn provider(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    Ok(Json(of_provider(&api)).into_response())
}

fn of_provider(api: &Api) -> Value {
    json!({
        "service_provider_sid": api.config.service_provider_sid,
        "name": "default",
        "description": null,
    })
}
