//! What the application sees.

use hooks::{Client, Config, Request, Secret};
use verbs::HookMethod;

use crate::application::Application;

#[tokio::test]
async fn a_post_carries_the_exact_bytes() {
    let application = Application::start().await;
    let body = "{ \"b\": 1,\n  \"a\":\"ü\" }";
    let request = Request::configured(&application.hook("/json#rc=2"), body.to_owned());
    Client::new(Config::default()).ask(&request.expect("a URL")).await.expect("an answer");
    let seen = application.last().await;
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/json"));
    assert_eq!(seen.body, body);
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("user-agent"), Some("jambonz"));
    assert_eq!(seen.header("accept-encoding"), None);
    assert_eq!(seen.header("jambonz-signature"), None);
}

#[tokio::test]
async fn a_get_carries_the_payload_as_query() {
    let application = Application::start().await;
    let mut hook = application.hook("/json?keep=1");
    hook.method = HookMethod::Get;
    let body = r#"{"call_sid":"a b&c","n":7,"yes":true,"none":null,
        "sip":{"headers":{}},"nested":{"k":["v"]}}"#;
    let request = Request::configured(&hook, body.to_owned()).expect("a URL");
    Client::new(Config::default()).ask(&request).await.expect("an answer");
    let seen = application.last().await;
    assert_eq!(seen.method, "GET");
    assert_eq!(
        seen.target,
        "/json?keep=1&call_sid=a+b%26c&n=7&yes=true&nested=%7B%22k%22%3A%5B%22v%22%5D%7D"
    );
    assert_eq!(seen.body, "");
    assert_eq!(seen.header("content-type"), None);
}

#[tokio::test]
async fn a_secret_signs_every_request() {
    let application = Application::start().await;
    let secret = Some(Secret("s3cret".to_owned()));
    let client = Client::new(Config { webhook_secret: secret, ..Config::default() });
    client.ask(&application.ask("/json")).await.expect("an answer");
    let seen = application.last().await;
    let signature = seen.header("jambonz-signature").expect("signed");
    let (time, hex) = signature.split_once(",v1=").expect("two parts");
    assert!(time.strip_prefix("t=").is_some_and(|t| t.parse::<u64>().is_ok()), "{signature}");
    assert!(hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{signature}");
}

#[tokio::test]
async fn connections_are_used_again() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let connections = Arc::new(AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    let counted = connections.clone();
    let listener = axum::serve::ListenerExt::tap_io(listener, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let router = axum::Router::new().fallback(|| async { "ok" });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = Client::new(Config::default());
    let request = Request::configured(&crate::application::hook(&url), "{}".to_owned());
    let request = request.expect("a URL");
    for _ in 0..5 {
        client.ask(&request).await.expect("an answer");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}
