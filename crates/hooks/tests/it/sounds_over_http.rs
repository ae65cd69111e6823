//! Sounds of real servers: what is taken, what is refused, and why.

use std::time::Duration;

use hooks::Config;
use hooks::sounds::{Limits, SoundUrl};
use tokio::net::TcpListener;

use crate::sound_server::{
    Answer, SoundServer, content, failure, named, raw_server, sounds, sounds_of,
};

const SOON: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_sound_is_fetched_and_decoded_aside() {
    let server = SoundServer::with(Answer::sound(b"RIFF one")).await;
    let sound = sounds(Limits::default()).fetch(&server.url("/a.wav")).await.expect("a sound");
    assert_eq!(sound.content.as_slice(), b"RIFF one");
    assert_ne!(sound.thread, std::thread::current().id(), "the thread of the calls");
}

#[tokio::test]
async fn a_relative_url_is_on_the_origin_of_the_application_which_may_be_private() {
    let server = SoundServer::with(Answer::sound(b"RIFF one")).await;
    let sounds = sounds_of(Config::default(), Vec::new(), Limits::default());
    let url = SoundUrl::named_by_application("/a.wav", Some(&server.hook())).expect("a URL");
    assert_eq!(content(&sounds, &url).await.as_slice(), b"RIFF one");
}

#[tokio::test]
async fn an_application_cannot_fetch_from_the_private_network() {
    let server = SoundServer::with(Answer::sound(b"RIFF one")).await;
    let port = server.origin.rsplit(':').next().expect("a port");
    let sounds = sounds_of(Config::default(), Vec::new(), Limits::default());
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"] {
        let url = named(&format!("http://{host}:{port}/a.wav"));
        let text = failure(&sounds, &url).await;
        assert!(text.contains("the host is not public"), "{host}: {text}");
    }
    assert!(server.asked().is_empty());
    let trusted = SoundUrl::configured(&format!("{}/a.wav", server.origin), "/".as_ref());
    assert_eq!(content(&sounds, &trusted.expect("a URL")).await.as_slice(), b"RIFF one");
}

#[tokio::test]
async fn credentials_of_the_url_are_sent_and_never_shown() {
    let server = SoundServer::with(Answer { status: 403, ..Answer::default() }).await;
    let host = server.origin.strip_prefix("http://").expect("http");
    let url = named(&format!("http://user:secret@{host}/a.wav?token=secret"));
    let text = failure(&sounds(Limits::default()), &url).await;
    // base64 of `user:secret`.
    assert_eq!(server.last_header("authorization").as_deref(), Some("Basic dXNlcjpzZWNyZXQ="));
    assert!(text.starts_with(&format!("sound http://{host}/a.wav: wrong status;")), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn what_is_no_sound_is_refused_with_its_reason() {
    let html = Answer { status: 200, ..Answer::default() };
    let html = html.with("content-type", "text/html; charset=utf-8");
    let rows = [
        (Answer { status: 404, ..Answer::default() }, "expected 200; got 404; check the path"),
        (Answer { status: 500, ..Answer::default() }, "got 500; look into the log of that server"),
        (Answer { status: 206, ..Answer::sound(b"RIFF") }, "got 206; answer 200 with a WAV file"),
        (Answer { status: 304, ..Answer::default() }, "expected 200; got 304"),
        (html, "expected Content-Type audio/wav; got text/html; charset=utf-8"),
        (Answer::sound(b"RIFF").with("content-encoding", "gzip"), "got gzip"),
        (Answer::sound(b"ID3 an MP3"), "cannot be played: no WAV file; expected RIFF"),
        (Answer::sound(b"RIFF!"), "this is a bug of Switchhook"),
        (Answer::sound(&[b' '; 1001]), "too large; expected at most 1000 bytes; got 1001;"),
        (
            Answer { endless: Some(Duration::ZERO), ..Answer::sound(b"") },
            "too large; expected at most 1000 bytes; got more;",
        ),
    ];
    for (answer, expected) in rows {
        let server = SoundServer::with(answer).await;
        let sounds = sounds(Limits { file_bytes: 1000, ..Limits::default() });
        let text = failure(&sounds, &server.url("/a.wav")).await;
        assert!(text.contains(expected), "{text}");
        assert!(text.starts_with(&format!("sound {}/a.wav: ", server.origin)), "{text}");
    }
}

#[tokio::test]
async fn a_sound_with_a_wrong_type_is_a_sound_all_the_same() {
    for kind in ["application/octet-stream", "binary/octet-stream", "audio/mpeg"] {
        let answer = Answer { status: 200, body: b"RIFF", ..Answer::default() };
        let server = SoundServer::with(answer.with("content-type", kind)).await;
        content(&sounds(Limits::default()), &server.url("/a.wav")).await;
    }
}

#[tokio::test]
async fn a_server_that_lies_about_the_length_is_found_out() {
    let sounds = sounds(Limits { file_bytes: 1000, ..Limits::default() });
    let more = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nRIFF 1 and more").await;
    assert_eq!(content(&sounds, &more).await.as_slice(), b"RIFF 1");
    let less = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nRIFF").await;
    let text = failure(&sounds, &less).await;
    assert!(text.contains(": no connection; expected an HTTP server; got "), "{text}");
    let much = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nRIFF").await;
    let text = failure(&sounds, &much).await;
    assert!(text.contains("got 99999999999;"), "{text}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let sounds = sounds(Limits { head_timeout: SOON, ..Limits::default() });
    let text = failure(&sounds, &raw_server(b"").await).await;
    assert!(text.contains("expected the head of an answer within 0.3 s; got none"), "{text}");
}

#[tokio::test]
async fn a_sound_that_drips_is_given_up_in_time() {
    let drip = Some(Duration::from_millis(20));
    let server = SoundServer::with(Answer { endless: drip, ..Answer::sound(b"") }).await;
    let sounds = sounds(Limits { total_timeout: SOON, ..Limits::default() });
    let text = failure(&sounds, &server.url("/a.wav")).await;
    assert!(text.contains("expected the whole of it within 0.3 s; got less"), "{text}");
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let url = named(&format!("http://{address}/a.wav"));
    let text = failure(&sounds(Limits::default()), &url).await;
    assert!(text.contains("no connection; expected an HTTP server; got "), "{text}");
    assert!(text.contains("refused"), "{text}");
}

#[tokio::test]
async fn three_redirections_are_followed_and_no_fourth() {
    let server = SoundServer::with(Answer::sound(b"RIFF one")).await;
    server.serve("/3", Answer::redirect(308, &format!("{}/a.wav", server.origin)));
    server.serve("/2", Answer::redirect(303, "3"));
    server.serve("/1", Answer::redirect(302, "/2"));
    server.serve("/0", Answer::redirect(301, "/1"));
    let sounds = sounds(Limits::default());
    assert_eq!(content(&sounds, &server.url("/1")).await.as_slice(), b"RIFF one");
    assert_eq!(server.asked(), ["/1", "/2", "/3", "/a.wav"]);
    let text = failure(&sounds, &server.url("/0")).await;
    assert!(text.contains("expected at most 3 redirections; got one more"), "{text}");
    assert_eq!(server.asked()[4..], ["/0", "/1", "/2", "/3"]);
}

#[tokio::test]
async fn a_redirection_is_not_trusted_because_its_origin_was() {
    let (home, other) = (SoundServer::start().await, SoundServer::start().await);
    other.serve("/a.wav", Answer::sound(b"RIFF secret"));
    home.serve("/a.wav", Answer::sound(b"RIFF own"));
    home.serve("/out", Answer::redirect(302, &format!("{}/a.wav", other.origin)));
    home.serve("/own", Answer::redirect(302, "/a.wav"));
    let sounds = sounds_of(Config::default(), Vec::new(), Limits::default());
    let hook = home.hook();
    let url = |path| SoundUrl::named_by_application(path, Some(&hook)).expect("a URL");
    assert_eq!(content(&sounds, &url("/own")).await.as_slice(), b"RIFF own");
    let text = failure(&sounds, &url("/out")).await;
    assert!(text.contains("the host is not public"), "{text}");
    assert!(other.asked().is_empty());
    let operators = SoundUrl::configured(&format!("{}/out", home.origin), "/".as_ref());
    let text = failure(&sounds, &operators.expect("a URL")).await;
    assert!(text.contains("the host is not public"), "{text}");
}

#[tokio::test]
async fn a_redirection_leads_to_no_file() {
    let server = SoundServer::with(Answer::redirect(302, "file:///etc/hostname")).await;
    server.serve("/none", Answer { status: 302, ..Answer::default() });
    let sounds = sounds(Limits::default());
    let text = failure(&sounds, &server.url("/a.wav")).await;
    assert!(text.contains("redirected to where a sound is not fetched"), "{text}");
    let text = failure(&sounds, &server.url("/none")).await;
    assert!(text.contains("got no Location"), "{text}");
}
