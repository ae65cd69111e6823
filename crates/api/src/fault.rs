//! An answer that says no: status and, in JSON, why.

use std::future::Future;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use store::{ErrorKind, StoreError};

use crate::gateway::Refusal;

/// Not done. A 404 has an empty body, as clients of jambonz expect; every other is `{msg}`.
#[derive(Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    msg: String,
}

/// What a route answers.
pub(crate) type Reply = Result<Response, Fault>;

/// Runs a change to its end, also where the client goes away in the middle of it: calls are never
/// left behind by entries that are written already.
pub(crate) async fn to_its_end(work: impl Future<Output = Reply> + Send + 'static) -> Reply {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|_| {
        let msg = "a fault of Switchhook; the log says more, report it with that";
        Err(Fault::new(StatusCode::INTERNAL_SERVER_ERROR, msg))
    })
}

impl Fault {
    pub(crate) fn new(status: StatusCode, msg: impl Into<String>) -> Fault {
        Fault { status, msg: msg.into() }
    }

    /// The request is wrong.
    pub(crate) fn bad(msg: impl Into<String>) -> Fault {
        Fault::new(StatusCode::BAD_REQUEST, msg)
    }

    /// The request is right, the state of things is not.
    pub(crate) fn conflict(msg: impl Into<String>) -> Fault {
        Fault::new(StatusCode::UNPROCESSABLE_ENTITY, msg)
    }

    pub(crate) fn not_found() -> Fault {
        Fault::new(StatusCode::NOT_FOUND, "")
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        let status = StatusCode::from_u16(refusal.status);
        Fault::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), refusal.msg)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        let msg = format!("{}; {}", error.cause(), error.kind().remedy());
        match error.kind() {
            ErrorKind::Taken | ErrorKind::Referenced | ErrorKind::Declared => Fault::conflict(msg),
            ErrorKind::Missing => Fault::bad(msg),
            _ => {
                tracing::error!(%error, "a request over REST failed");
                Fault::new(StatusCode::INTERNAL_SERVER_ERROR, msg)
            }
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        if self.status == StatusCode::NOT_FOUND {
            return self.status.into_response();
        }
        (self.status, Json(json!({ "msg": self.msg }))).into_response()
    }
}
