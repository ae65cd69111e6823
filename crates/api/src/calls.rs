//! Calls: placed, listed, changed, ended.
//!
//! What a body may say is read by `verbs::rest`; whether a call can do it, the gateway knows.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use verbs::rest::{CallEnd, Update, parse_create_call, parse_update_call};

use crate::asked::Asked;
use crate::fault::{Fault, Reply};
use crate::{Api, Updated};

/// What `call_status` says of a call that is over.
const OVER: [&str; 4] = ["completed", "failed", "busy", "no-answer"];

/// Parameters of the query, and the properties of a call that they are compared with.
const FILTERS: [(&str, &str); 4] =
    [("direction", "direction"), ("from", "from"), ("to", "to"), ("callStatus", "call_status")];

pub(crate) async fn create(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let (call, warnings) = parse_create_call(&asked.body).map_err(|faults| located(&faults))?;
    let created = api.config.gateway.create_call(Box::new(call), warnings).await?;
    let answer = json!({ "sid": created.sid, "callId": created.call_id });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

pub(crate) async fn list(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    asked.read("direction", "inbound or outbound", direction)?;
    let mut calls = api.config.gateway.calls().await?;
    calls.retain(|call| {
        let fits = |(name, property): &(&str, &str)| {
            asked.query(name).is_none_or(|wanted| call[*property] == wanted)
        };
        FILTERS.iter().all(fits)
    });
    Ok(Json(calls).into_response())
}

fn direction(word: &str) -> Option<()> {
    ["inbound", "outbound"].contains(&word).then_some(())
}

pub(crate) async fn read(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    Ok(Json(find(&api, asked.path("sid")).await?).into_response())
}

async fn find(api: &Api, call_sid: &str) -> Result<Value, Fault> {
    let calls = api.config.gateway.calls().await?;
    calls.into_iter().find(|call| call["call_sid"] == call_sid).ok_or_else(Fault::not_found)
}

pub(crate) async fn change(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let update = parse_update_call(&asked.body).map_err(|faults| located(&faults))?;
    match api.config.gateway.update_call(asked.path("sid").to_owned(), update).await? {
        Updated::Accepted => Ok((StatusCode::ACCEPTED, "Accepted").into_response()),
        Updated::Responded { status, reason } => {
            Ok(Json(json!({ "status": status, "reason": reason })).into_response())
        }
    }
}

/// Hangs up. A call that is over already is as the client wants it.
pub(crate) async fn end(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let call = find(&api, asked.path("sid")).await?;
    if !is_over(&call) {
        let end = Update::CallStatus(CallEnd::Completed);
        api.config.gateway.update_call(asked.path("sid").to_owned(), end).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn count(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let calls = api.config.gateway.calls().await?;
    let live = |direction: &str| {
        calls.iter().filter(|call| call["direction"] == direction && !is_over(call)).count()
    };
    let counts = json!({ "inbound": live("inbound"), "outbound": live("outbound") });
    Ok(Json(counts).into_response())
}

fn is_over(call: &Value) -> bool {
    call["call_status"].as_str().is_some_and(|status| OVER.contains(&status))
}

/// Every fault of a body, a line for each.
fn located(faults: &[verbs::Fault]) -> Fault {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Fault::bad(lines.join("\n"))
}
