//! What is fetched once, what again; counted by the server.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hooks::sounds::Limits;
use tokio::sync::Semaphore;

use crate::sound_server::{Answer, SoundServer, content, failure, sounds};

const ONE: &[u8] = b"RIFF one";

#[tokio::test]
async fn a_fresh_sound_is_not_asked_for_again() {
    let server = SoundServer::with(Answer::sound(ONE)).await;
    let sounds = sounds(Limits::default());
    let first = content(&sounds, &server.url("/a.wav#one")).await;
    let again = content(&sounds.clone(), &server.url("/a.wav#two")).await;
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(server.asked().len(), 1);
    content(&sounds, &server.url("/a.wav?other")).await;
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_hundred_askers_make_one_request() {
    let server = SoundServer::with(Answer::sound(ONE).with("cache-control", "no-store")).await;
    let (sounds, url) = (sounds(Limits::default()), server.url("/a.wav"));
    let all = join_all((0..100).map(|_| content(&sounds, &url))).await;
    assert!(all.iter().all(|sound| Arc::ptr_eq(sound, &all[0])));
    assert_eq!(server.asked().len(), 1);
    content(&sounds, &url).await;
    assert_eq!(server.asked().len(), 2, "what may not be stored is asked for again");
}

#[tokio::test]
async fn a_stale_sound_that_has_not_changed_is_not_sent_again() {
    let rows = [
        ("etag", "\"1\"", "if-none-match"),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT", "if-modified-since"),
    ];
    for (name, value, question) in rows {
        let answer = Answer::sound(ONE).with("cache-control", "max-age=0").with(name, value);
        let server = SoundServer::with(answer).await;
        let (sounds, url) = (sounds(Limits::default()), server.url("/a.wav"));
        let first = content(&sounds, &url).await;
        let again = content(&sounds, &url).await;
        assert!(Arc::ptr_eq(&first, &again), "{name}");
        assert_eq!(server.asked().len(), 2, "{name}");
        assert_eq!(server.last_header(question).as_deref(), Some(value));
    }
}

#[tokio::test]
async fn a_stale_sound_that_has_changed_is_replaced() {
    let stale = |body: &'static [u8], etag: &str| {
        Answer::sound(body).with("cache-control", "no-cache").with("etag", etag)
    };
    let server = SoundServer::with(stale(ONE, "\"1\"")).await;
    let (sounds, url) = (sounds(Limits::default()), server.url("/a.wav"));
    assert_eq!(content(&sounds, &url).await.as_slice(), ONE);
    server.serve("/a.wav", stale(b"RIFF two", "\"2\""));
    assert_eq!(content(&sounds, &url).await.as_slice(), b"RIFF two");
    assert_eq!(content(&sounds, &url).await.as_slice(), b"RIFF two");
    assert_eq!(server.last_header("if-none-match").as_deref(), Some("\"2\""));
}

#[tokio::test]
async fn the_server_says_how_long_a_sound_is_fresh() {
    let answer = Answer::sound(ONE).with("cache-control", "max-age=3600");
    let server = SoundServer::with(answer).await;
    server.serve("/b.wav", Answer::sound(ONE));
    let sounds = sounds(Limits { fresh: Duration::ZERO, ..Limits::default() });
    for _ in 0..2 {
        content(&sounds, &server.url("/a.wav")).await;
        content(&sounds, &server.url("/b.wav")).await;
    }
    assert_eq!(server.asked(), ["/a.wav", "/b.wav", "/b.wav"]);
}

#[tokio::test]
async fn a_redirection_is_followed_anew_whatever_its_end_says() {
    let answer = Answer::sound(ONE).with("cache-control", "max-age=3600").with("etag", "\"1\"");
    let server = SoundServer::with(answer).await;
    server.serve("/moved", Answer::redirect(302, "/a.wav"));
    let sounds = sounds(Limits { fresh: Duration::ZERO, ..Limits::default() });
    let first = content(&sounds, &server.url("/moved")).await;
    let again = content(&sounds, &server.url("/moved")).await;
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(server.asked(), ["/moved", "/a.wav", "/moved", "/a.wav"]);
    assert_eq!(server.last_header("if-none-match").as_deref(), Some("\"1\""));
}

#[tokio::test]
async fn a_failure_is_the_answer_for_as_long_as_it_is_remembered() {
    for (failure_kept, asked) in [(Duration::from_secs(3600), 1), (Duration::ZERO, 2)] {
        let server = SoundServer::start().await;
        let sounds = sounds(Limits { failure_kept, ..Limits::default() });
        let first = failure(&sounds, &server.url("/a.wav")).await;
        let again = failure(&sounds, &server.url("/a.wav")).await;
        assert_eq!(first, again);
        assert_eq!(server.asked().len(), asked);
    }
}

#[tokio::test]
async fn the_least_recently_heard_sound_makes_room() {
    let server = SoundServer::start().await;
    let sounds = sounds(Limits { kept: 2, ..Limits::default() });
    for path in ["/a", "/b", "/a", "/c", "/a", "/b"] {
        server.serve(path, Answer::sound(ONE));
        content(&sounds, &server.url(path)).await;
    }
    assert_eq!(server.asked(), ["/a", "/b", "/c", "/b"]);
}

#[tokio::test]
async fn an_asker_that_hangs_up_leaves_the_sound_to_the_others() {
    let gate = Arc::new(Semaphore::new(0));
    let answer = Answer { gate: Some(gate.clone()), ..Answer::sound(ONE) };
    let server = SoundServer::with(answer).await;
    let (sounds, url) = (sounds(Limits::default()), server.url("/a.wav"));
    let first = tokio::spawn({
        let (sounds, url) = (sounds.clone(), url.clone());
        async move { sounds.fetch(&url).await }
    });
    while server.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.expect_err("aborted").is_cancelled());
    gate.add_permits(1);
    assert_eq!(content(&sounds, &url).await.as_slice(), ONE);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn fetches_take_turns_and_too_many_fail_at_once() {
    let gate = Arc::new(Semaphore::new(0));
    let server = SoundServer::start().await;
    for path in ["/a", "/b", "/c"] {
        server.serve(path, Answer { gate: Some(gate.clone()), ..Answer::sound(ONE) });
    }
    let sounds = sounds(Limits { fetches: 1, under_way: 2, ..Limits::default() });
    let asked = |path: &str| {
        let (sounds, url) = (sounds.clone(), server.url(path));
        tokio::spawn(async move { sounds.fetch(&url).await })
    };
    let (first, second) = (asked("/a"), asked("/b"));
    while server.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    let text = failure(&sounds, &server.url("/c")).await;
    assert!(text.contains("expected fewer than 2 at one time"), "{text}");
    assert_eq!(server.asked(), ["/a"], "the second one waits for its turn");
    gate.add_permits(2);
    first.await.expect("done").expect("a sound");
    second.await.expect("done").expect("a sound");
    assert_eq!(server.asked(), ["/a", "/b"]);
}
