//! A request as the routes read it: parameters of the path, of the query, and the body as text.
//!
//! Bounded in size and time; what cannot be read is refused here, so that a route sees text.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use url::form_urlencoded;

use crate::fault::Fault;

/// Longest body, in bytes: an application with the longest list of verbs, escaped, fits.
pub const BODY_MAX: usize = 2 * 1024 * 1024;
/// A body must be complete within it.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(crate) struct Asked {
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    /// Empty where there is none.
    pub(crate) body: String,
}

impl<S: Send + Sync> FromRequest<S> for Asked {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Asked, Fault> {
        let (mut parts, body) = request.into_parts();
        let path = Path::<Vec<(String, String)>>::from_request_parts(&mut parts, state).await;
        // why: a path that is no text names nothing.
        let Path(path) = path.map_err(|_| Fault::not_found())?;
        let query = parts.uri.query().unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let Ok(body) = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_MAX)).await else {
            let msg = format!("the body was not complete within {BODY_TIMEOUT:?}; send it at once");
            return Err(Fault::new(StatusCode::REQUEST_TIMEOUT, msg));
        };
        let body = body.map_err(|_| {
            let msg = format!("the body cannot be read; expected at most {BODY_MAX} bytes");
            Fault::new(StatusCode::PAYLOAD_TOO_LARGE, msg)
        })?;
        let body = String::from_utf8(body.into());
        let body = body.map_err(|_| Fault::bad("the body is no text; expected JSON in UTF-8"))?;
        Ok(Asked { path, query, body })
    }
}

impl Asked {
    /// A parameter of the path; empty where the route has none of that name.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path_if(name).unwrap_or_default()
    }

    pub(crate) fn path_if(&self, name: &str) -> Option<&str> {
        self.path.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query; one that is empty counts as absent.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let given = self.query.iter().find(|(known, _)| known == name);
        given.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter of the query as a number of `from` to `to`.
    pub(crate) fn number(&self, name: &str, from: u32, to: u32) -> Result<Option<u32>, Fault> {
        let Some(given) = self.query(name) else { return Ok(None) };
        match given.parse() {
            Ok(number) if (from..=to).contains(&number) => Ok(Some(number)),
            _ => Err(self.wrong(name, &format!("a number from {from} to {to}"))),
        }
    }

    /// A parameter of the query, turned into a value by `read`.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let given = self.query(name).map(read);
        given.map(|read| read.ok_or_else(|| self.wrong(name, expected))).transpose()
    }

    fn wrong(&self, name: &str, expected: &str) -> Fault {
        let got: String = self.query(name).unwrap_or_default().chars().take(40).collect();
        Fault::bad(format!("query parameter {name}: wrong value; expected {expected}, got {got:?}"))
    }
}
