//! Which answers count, and what of them is used.

use hooks::{Client, Config, Reply};

use crate::application::Application;

#[tokio::test]
async fn a_list_of_verbs_is_handed_over_as_it_came() {
    let application = Application::start().await;
    let reply = Client::new(Config::default()).ask(&application.ask("/json")).await;
    let json = Some(r#"[{"verb":"answer"}]"#.to_owned());
    assert_eq!(reply.expect("an answer"), Reply { status: 200, json });
}

#[tokio::test]
async fn a_body_counts_only_as_json() {
    let application = Application::start().await;
    let client = Client::new(Config::default());
    for (path, status) in [("/text", 200), ("/blank", 200), ("/empty", 204)] {
        let reply = client.ask(&application.ask(path)).await.expect(path);
        assert_eq!(reply, Reply { status, json: None }, "{path}");
    }
}

#[tokio::test]
async fn only_200_202_and_204_are_success() {
    let application = Application::start().await;
    let client = Client::new(Config::default());
    for status in [200, 202, 204] {
        let reply = client.ask(&application.ask(&format!("/status/{status}"))).await;
        assert_eq!(reply.expect("success").status, status);
    }
    let rows = [
        (201, "webhook-failure", "answer 200 with a JSON list of verbs"),
        (301, "webhook-failure", "redirects are not followed, give the final URL"),
        (401, "webhook-auth-failure", "check username and password of the hook"),
        (403, "webhook-auth-failure", "check username and password of the hook"),
        (404, "webhook-url-notfound", "check the path of the hook's url"),
        (405, "webhook-failure", "check the method of the hook"),
        (503, "webhook-failure", "the application failed, look into its log"),
    ];
    for (status, alert, remedy) in rows {
        let error = client
            .ask(&application.ask(&format!("/status/{status}?token=x")))
            .await
            .expect_err("no success");
        assert_eq!(error.alert_type(), alert);
        let origin = &application.origin;
        assert_eq!(
            error.to_string(),
            format!(
                "POST {origin}/status/{status}: wrong status; expected 200, 202 or 204; \
                 got {status}; {remedy}"
            )
        );
    }
}
