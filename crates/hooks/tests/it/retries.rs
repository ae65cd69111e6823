//! Retries happen where the URL asks for them, and only there.

use std::time::{Duration, Instant};

use hooks::{Client, Config, Failure};

use crate::application::Application;

#[tokio::test]
async fn a_failure_that_the_fragment_names_is_tried_again() {
    let application = Application::start().await;
    let begun = Instant::now();
    let request = application.ask("/status/503#rc=1&rp=5xx");
    let error = Client::new(Config::default()).ask(&request).await.expect_err("no success");
    assert_eq!(error.failure, Failure::Status { status: 503 });
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
    let targets: Vec<String> =
        application.seen().await.into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/status/503", "/status/503"]);
}

#[tokio::test]
async fn another_failure_is_not() {
    let application = Application::start().await;
    let client = Client::new(Config::default());
    for path in ["/status/503", "/status/503#rc=3", "/status/404#rc=3&rp=5xx"] {
        client.ask(&application.ask(path)).await.expect_err("no success");
    }
    assert_eq!(application.seen().await.len(), 3);
}
