//! Routes that need no token, and what holds for every route.

use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::rig::Rig;

#[tokio::test]
async fn routes_without_a_token_answer() {
    let rig = Rig::start().await;
    let ask = async |path: &str| rig.raw("GET", path, &[], "").await;

    let health = ask("/healthz").await;
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "ok");
    assert_eq!(health.json()["live_calls"], 3);
    assert_eq!(ask("/health").await.body, "OK");

    let ready = ask("/readyz").await;
    assert_eq!((ready.status, &ready.json()["status"]), (200, &Value::from("ready")));
    rig.gateway.draining.store(true, Ordering::Relaxed);
    let ready = ask("/readyz").await;
    assert_eq!((ready.status, &ready.json()["status"]), (503, &Value::from("draining")));
    assert_eq!(ask("/healthz").await.status, 200);

    rig.gateway.degraded.store(true, Ordering::Relaxed);
    let health = ask("/healthz").await.json();
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["degraded"], "the disk is full; make room");

    let schema = ask("/v1/schema").await;
    assert_eq!(schema.status, 200);
    assert_eq!(schema.header("content-type"), Some("application/schema+json"));
    assert_eq!(schema.json(), verbs::schema());

    let metrics = ask("/metrics").await;
    assert_eq!((metrics.status, metrics.body.as_str()), (200, "switchhook_live_calls 3\n"));
    assert!(metrics.header("content-type").is_some_and(|it| it.starts_with("text/plain")));
    rig.gateway.stuck.store(true, Ordering::Relaxed);
    let stuck = ask("/metrics").await;
    assert_eq!((stuck.status, stuck.json()["msg"].as_str()), (503, Some("it is stuck")));
    rig.gateway.stuck.store(false, Ordering::Relaxed);

    let about = ask("/").await;
    assert!(about.head.contains("content-type: text/plain"), "{}", about.head);
    assert!(about.body.starts_with("Switchhook "), "{}", about.body);

    let nothing = ask("/v2/Calls").await;
    assert_eq!(nothing.status, 404);
    assert_eq!(nothing.msg(), "there is nothing at /v2/Calls; see / for what there is");
    let wrong = rig.raw("POST", "/healthz", &[], "").await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("get,head")));
    assert_eq!(wrong.msg(), "/healthz does not take POST; Allow says what it takes");
}

#[tokio::test]
async fn answers_are_not_stored_and_other_origins_may_read_rest_alone() {
    let rig = Rig::start().await;
    let rest = rig.get("/Accounts").await;
    assert_eq!(rest.status, 200);
    assert_eq!(rest.header("cache-control"), Some("no-store"));
    assert_eq!(rest.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(rest.header("access-control-allow-origin"), Some("*"));
    assert_eq!(rest.header("access-control-allow-credentials"), None);
    let health = rig.raw("GET", "/healthz", &[], "").await;
    assert_eq!(health.header("cache-control"), Some("no-store"));
    assert_eq!(health.header("access-control-allow-origin"), None);

    let headers = ["Origin: https://page.example", "Access-Control-Request-Method: PUT"];
    let preflight = rig.raw("OPTIONS", "/v1/Accounts/x/Calls/y", &headers, "").await;
    assert_eq!((preflight.status, preflight.body.as_str()), (204, ""));
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("get, post, put, delete"));
    let allowed = preflight.header("access-control-allow-headers");
    assert_eq!(allowed, Some("authorization, content-type"));
}

#[tokio::test]
async fn bodies_are_bounded_and_must_be_text() {
    let rig = Rig::start().await;
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(api::BODY_MAX));
    let answer = rig.ask("POST", "/Applications", &long).await;
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert!(answer.msg().contains("at most 2097152 bytes"), "{}", answer.body);
    let deep = "[".repeat(200_000);
    assert_eq!(rig.ask("POST", "/Applications", &deep).await.status, 400);
    assert_eq!(rig.ask("POST", "/Accounts/{a}/Calls", &deep).await.status, 400);
}

#[tokio::test]
async fn a_foreign_account_is_not_there() {
    let rig = Rig::start().await;
    for (method, path) in crate::tokens::ROUTES {
        let foreign = crate::rig::FOREIGN;
        for (own, prefix) in [("{a}", "/Accounts/"), ("{p}", "/ServiceProviders/")] {
            if !path.starts_with(&format!("{prefix}{own}")) {
                continue;
            }
            for other in [foreign, "%FF", "..", "{a}'--", ""] {
                let path = path.replacen(own, other, 1).replace("{sid}", foreign);
                if other.is_empty() && path == prefix {
                    continue;
                }
                let answer = rig.ask(method, &path, "{}").await;
                assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
            }
        }
    }
    assert_eq!(rig.gateway.asked(), [""; 0], "the gateway heard of none");
}

#[tokio::test]
async fn what_is_not_there_is_404_with_an_empty_body() {
    let rig = Rig::start().await;
    for (method, path) in crate::tokens::ROUTES.iter().filter(|(_, path)| path.contains("{sid}")) {
        for sid in [crate::rig::FOREIGN, "x", "'%20OR%201=1--", "%FF"] {
            let body =
                if path.contains("/Calls/") { "{\"call_status\":\"completed\"}" } else { "{}" };
            rig.gateway.refuses(404, "no such call");
            let answer = rig.ask(method, &path.replace("{sid}", sid), body).await;
            assert_eq!((answer.status, answer.body.as_str()), (404, ""), "{method} {path}");
        }
    }
}
