//! Status events: in order, never waited for, none left behind.

use std::time::{Duration, Instant};

use hooks::{Client, Config, EVENTS_PER_CALL_MAX, Full, Request, StatusQueue};

use crate::application::{Application, hook, impatient};

fn event(application: &Application, path: &str, number: usize) -> Request {
    Request::configured(&application.hook(path), number.to_string()).expect("a URL")
}

async fn bodies(application: &Application) -> Vec<String> {
    application.seen().await.into_iter().map(|seen| seen.body).collect()
}

#[tokio::test]
async fn events_of_a_call_arrive_in_order() {
    let application = Application::start().await;
    let queue = StatusQueue::new(Client::new(Config::default()));
    // The first answer is late, so any racing event would overtake it.
    queue.post(1, event(&application, "/late", 0)).expect("room");
    for number in 1..20 {
        queue.post(1, event(&application, "/json", number)).expect("room");
    }
    queue.finish(1);
    assert!(queue.drain(Duration::from_secs(10)).await);
    let expected: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(bodies(&application).await, expected);
    assert_eq!(queue.open_calls(), 0);
}

#[tokio::test]
async fn a_slow_call_does_not_hold_up_another() {
    let slow = Application::start().await;
    let quick = Application::start().await;
    let queue = StatusQueue::new(Client::new(Config::default()));
    queue.post(1, event(&slow, "/slow", 0)).expect("room");
    queue.post(2, event(&quick, "/json", 0)).expect("room");
    queue.finish(2);
    let begun = Instant::now();
    while quick.seen().await.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(3), "the quick call waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_full_queue_drops_the_new_event_at_once() {
    let application = Application::start().await;
    let queue = StatusQueue::new(Client::new(Config::default()));
    let begun = Instant::now();
    let results: Vec<Result<(), Full>> = (0..EVENTS_PER_CALL_MAX + 5)
        .map(|number| queue.post(1, event(&application, "/slow", number)))
        .collect();
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(results[..EVENTS_PER_CALL_MAX].iter().all(Result::is_ok));
    assert_eq!(results.last(), Some(&Err(Full)));
    assert!(queue.post(2, event(&application, "/json", 0)).is_ok(), "another call has room");
}

#[tokio::test]
async fn an_event_that_fails_does_not_stop_the_next() {
    let application = Application::start().await;
    let queue = StatusQueue::new(impatient());
    let nobody = hook("http://127.0.0.1:1/");
    queue.post(1, Request::configured(&nobody, "0".to_owned()).expect("a URL")).expect("room");
    queue.post(1, event(&application, "/status/500", 1)).expect("room");
    queue.post(1, event(&application, "/json", 2)).expect("room");
    assert!(queue.drain(Duration::from_secs(10)).await);
    assert_eq!(bodies(&application).await, ["1", "2"]);
}

#[tokio::test]
async fn draining_ends_in_time() {
    let application = Application::start().await;
    let queue = StatusQueue::new(Client::new(Config::default()));
    queue.post(1, event(&application, "/slow", 0)).expect("room");
    let begun = Instant::now();
    assert!(!queue.drain(Duration::from_millis(100)).await);
    assert!(begun.elapsed() < Duration::from_secs(2));
}
