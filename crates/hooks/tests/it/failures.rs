//! Answers that do not come, come broken, or come from where nobody should be asked.

use std::time::{Duration, Instant};

use hooks::{Client, Config, Failure, HookError, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use verbs::{Hook, HookMethod};

use crate::application::{Application, hook, impatient};

async fn failure_of(path: &str) -> HookError {
    let application = Application::start().await;
    impatient().ask(&application.ask(path)).await.expect_err(path)
}

#[tokio::test]
async fn a_silent_application_is_given_up_in_time() {
    let begun = Instant::now();
    let error = failure_of("/slow").await;
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert_eq!(error.failure, Failure::Timeout { limit: Duration::from_millis(500) });
    assert_eq!(error.alert_type(), "webhook-connection-failure");
    assert!(error.to_string().contains("expected a complete answer within 0.5 s"), "{error}");
}

#[tokio::test]
async fn a_body_that_drips_is_given_up_in_time() {
    let begun = Instant::now();
    let error = failure_of("/drip").await;
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert_eq!(error.failure, Failure::Timeout { limit: Duration::from_millis(500) });
}

#[tokio::test]
async fn a_long_body_is_refused_before_and_while_it_is_read() {
    let declared = failure_of("/declared").await;
    assert_eq!(declared.failure, Failure::TooLarge { limit: 1000, declared: Some(1001) });
    let endless = failure_of("/huge").await;
    assert_eq!(endless.failure, Failure::TooLarge { limit: 1000, declared: None });
    assert_eq!(endless.alert_type(), "webhook-failure");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let application = Application::start().await;
    let error = impatient().ask(&application.ask("/redirect")).await.expect_err("a redirect");
    assert_eq!(error.failure, Failure::Status { status: 307 });
    assert_eq!(application.seen().await.len(), 1);
}

#[tokio::test]
async fn json_in_latin_1_is_no_text() {
    let error = failure_of("/latin1").await;
    assert_eq!(error.failure, Failure::NotText { offset: 5 });
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let request = Request {
        url: format!("http://user:secret@{address}/x?token=secret#secret"),
        method: HookMethod::Get,
        username: Some("user".to_owned()),
        password: Some(hooks::Secret("secret".to_owned())),
        body: r#"{"pin":"secret"}"#.to_owned(),
        trusted: true,
    };
    let error = impatient().ask(&request).await.expect_err("nobody");
    assert_eq!(error.alert_type(), "webhook-connection-failure");
    let text = format!("{error} {error:?} {:?}", request.password);
    assert!(text.starts_with(&format!("GET http://{address}/x: no connection;")), "{text}");
    assert!(text.contains("refused"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn a_server_without_tls_is_no_https_server() {
    let application = Application::start().await;
    let mut request = application.ask("/json");
    request.url = request.url.replace("http://", "https://");
    let error = impatient().ask(&request).await.expect_err("no TLS");
    assert_eq!(error.alert_type(), "webhook-connection-failure");
    assert!(matches!(error.failure, Failure::Connection { .. }), "{error}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        let mut head = [0; 1024];
        let _ = socket.read(&mut head).await;
        let half =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[{";
        let _ = socket.write_all(half).await;
    });
    let request = Request::configured(&hook(&format!("http://{address}/")), "{}".to_owned());
    let error = impatient().ask(&request.expect("a URL")).await.expect_err("half an answer");
    assert!(matches!(error.failure, Failure::Connection { .. }), "{error}");
}

#[tokio::test]
async fn a_url_that_is_none_is_said_to_be_none() {
    for (url, got) in [("nonsense", "relative URL"), ("ws://127.0.0.1/x", "scheme `ws`")] {
        let request = Request {
            url: url.to_owned(),
            method: HookMethod::Post,
            username: None,
            password: None,
            body: "{}".to_owned(),
            trusted: true,
        };
        let error = impatient().ask(&request).await.expect_err(url).to_string();
        assert!(error.contains("expected an absolute http or https URL"), "{error}");
        assert!(error.contains(got), "{error}");
    }
}

#[tokio::test]
async fn an_application_cannot_send_us_into_the_private_network() {
    let call_hook = hook("http://203.0.113.1:9/incoming");
    let application = Application::start().await;
    let port = application.origin.rsplit(':').next().expect("a port");
    let client = impatient();
    for host in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let named = hook(&format!("http://{host}:{port}/json"));
        let request = Request::named_by_application(&named, Some(&call_hook), "{}".to_owned());
        let error = client.ask(&request.expect("a URL")).await.expect_err(host);
        assert!(matches!(error.failure, Failure::Private { .. }), "{host}: {error}");
    }
    assert_eq!(application.seen().await.len(), 0);
}

#[tokio::test]
async fn an_allowed_private_network_is_asked() {
    let application = Application::start().await;
    let client = Client::new(Config {
        allow_private: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Config::default()
    });
    let named: Hook = application.hook("/json");
    let request = Request::named_by_application(&named, None, "{}".to_owned()).expect("a URL");
    assert!(!request.trusted);
    assert_eq!(client.ask(&request).await.expect("an answer").status, 200);
}
