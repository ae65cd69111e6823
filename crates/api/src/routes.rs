//! The table of routes: every path, its methods, the function that answers.

use std::sync::Arc;

use axum::http::{Method, StatusCode, Uri};
use axum::routing::{MethodRouter, get};
use axum::{Json, Router};
use serde_json::{Value, json};
use store::{Application, Client, PhoneNumber, SipGateway, VoipCarrier};

use crate::provision::{Resource, change, create, list, read, remove};
use crate::{Api, account, calls, health, layer, recent, registered};

type Routes = Router<Arc<Api>>;

/// Paths that name the account, and those that need not: it is the only one.
const OF_ACCOUNT: &str = "/v1/Accounts/{account}";
const OF_PROVIDER: &str = "/v1/ServiceProviders/{provider}";

pub(crate) fn router(api: Arc<Api>) -> Router {
    // why: the schema is the same for the life of the process and takes a while to build.
    let schema: Arc<str> = verbs::schema().to_string().into();
    let mut routes = Router::new()
        .route("/", get(health::about))
        .route("/health", get(health::health))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/v1/schema", get(async move || health::schema_of(&schema)));
    routes = of_calls(routes);
    routes = of_the_account(routes);
    routes = of_the_past(routes, OF_ACCOUNT);
    routes = of_the_past(routes, OF_PROVIDER);
    routes = entries::<Application>(routes, "Applications");
    routes = entries::<VoipCarrier>(routes, "VoipCarriers");
    routes = entries::<SipGateway>(routes, "SipGateways");
    routes = entries::<PhoneNumber>(routes, "PhoneNumbers");
    routes = entries::<Client>(routes, "Clients");
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(axum::middleware::from_fn_with_state(api.clone(), layer::every))
        .with_state(api)
}

/// Clients write the path of a collection with and without a slash at its end.
fn both(routes: Routes, path: &str, answers: MethodRouter<Arc<Api>>) -> Routes {
    routes.route(path, answers.clone()).route(&format!("{path}/"), answers)
}

fn of_calls(routes: Routes) -> Routes {
    let routes = both(routes, &format!("{OF_ACCOUNT}/Calls"), get(calls::list).post(calls::create));
    let routes = both(
        routes,
        &format!("{OF_ACCOUNT}/Calls/{{sid}}"),
        get(calls::read).put(calls::change).post(calls::change).delete(calls::end),
    );
    // why: one of the Python clients counts calls there.
    let routes = both(routes, &format!("{OF_ACCOUNT}/Calls/count"), get(calls::count));
    let routes = both(routes, &format!("{OF_ACCOUNT}/CallCount"), get(calls::count));
    let users = get(registered::list).post(registered::some);
    let routes = both(routes, &format!("{OF_ACCOUNT}/RegisteredSipUsers"), users);
    both(routes, &format!("{OF_ACCOUNT}/RegisteredSipUsers/{{user}}"), get(registered::one))
}

fn of_the_account(routes: Routes) -> Routes {
    let routes = both(routes, "/v1/Accounts", get(account::list));
    let routes = both(routes, OF_ACCOUNT, get(account::read).put(account::change));
    let routes = both(routes, &format!("{OF_ACCOUNT}/WebhookSecret"), get(account::webhook_secret));
    let routes = both(routes, "/v1/ServiceProviders", get(account::providers));
    let routes = both(routes, OF_PROVIDER, get(account::provider));
    both(routes, &format!("{OF_PROVIDER}/Accounts"), get(account::list))
}

fn of_the_past(routes: Routes, owner: &str) -> Routes {
    let routes = both(routes, &format!("{owner}/RecentCalls"), get(recent::calls));
    both(routes, &format!("{owner}/Alerts"), get(recent::alerts))
}

/// The five operations on one kind of entry, wherever clients look for it.
fn entries<R: Resource>(mut routes: Routes, name: &str) -> Routes {
    for owner in ["/v1", OF_ACCOUNT, OF_PROVIDER] {
        let all = get(list::<R>).post(create::<R>);
        let one = get(read::<R>).put(change::<R>).delete(remove::<R>);
        routes = both(routes, &format!("{owner}/{name}"), all);
        routes = both(routes, &format!("{owner}/{name}/{{sid}}"), one);
    }
    routes
}

async fn not_found(uri: Uri) -> (StatusCode, Json<Value>) {
    let msg = format!("there is nothing at {}; see / for what there is", uri.path());
    (StatusCode::NOT_FOUND, Json(json!({ "msg": msg })))
}

async fn not_allowed(method: Method, uri: Uri) -> (StatusCode, Json<Value>) {
    let msg = format!("{} does not take {method}; Allow says what it takes", uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, Json(json!({ "msg": msg })))
}
