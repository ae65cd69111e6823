//! What holds for every request: the token, headers of the answer, requests of other origins.
//!
//! A bearer token is never sent by a browser on its own, so answers may be read by pages of any
//! origin; cookies and other credentials of a browser are never asked for.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Api;
use crate::access::{Access, bearer};
use crate::fault::Fault;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static("Authorization, Content-Type");
/// Seconds for which a browser remembers what another origin may do.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// Judges a request and dresses its answer.
pub(crate) async fn every(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_rest = path == "/v1" || path.starts_with("/v1/");
    let mut response = if is_rest && request.method() == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        response.headers_mut().insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
        response
    } else if is_rest && path != "/v1/schema" {
        match refusal(&api, &request) {
            None => next.run(request).await,
            Some(refused) => refused,
        }
    } else {
        next.run(request).await
    };
    dress(response.headers_mut(), is_rest);
    response
}

fn dress(headers: &mut HeaderMap, is_rest: bool) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_rest {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
}

/// The answer to a request without the right token.
fn refusal(api: &Api, request: &Request) -> Option<Response> {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address =
        address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
    let given = bearer(request.headers());
    // why: a count is as good after a panic as before it.
    let mut guesses = api.guesses.lock().unwrap_or_else(PoisonError::into_inner);
    let token = api.config.token.borrow();
    match guesses.judge(Instant::now(), address, given, token.expose()) {
        Access::Granted => None,
        Access::Denied => {
            let bearer = [(header::WWW_AUTHENTICATE, "Bearer")];
            Some((StatusCode::UNAUTHORIZED, bearer, "Unauthorized").into_response())
        }
        Access::Locked(wait) => {
            let msg = "too many wrong tokens from this address; wait for as long as Retry-After";
            let mut response = Fault::new(StatusCode::TOO_MANY_REQUESTS, msg).into_response();
            let seconds = wait.as_secs() + 1;
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            Some(response)
        }
    }
}
