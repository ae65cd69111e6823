//! A server of sounds that answers as it is told, and a decoder that shows what it was given.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as Incoming, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::any;
use hooks::sounds::{Limits, SoundFailure, SoundUrl, Sounds, SoundsConfig};
use hooks::{Client, Config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use verbs::Hook;

/// What the decoder of these tests makes of a file that begins with `RIFF`.
#[derive(Clone, Debug)]
pub(crate) struct Decoded {
    pub(crate) content: Arc<Vec<u8>>,
    pub(crate) thread: ThreadId,
}

/// Decoders of `RIFF slow` that are at work.
static AT_ONCE: AtomicUsize = AtomicUsize::new(0);
/// The most of them there ever were.
pub(crate) static MOST_AT_ONCE: AtomicUsize = AtomicUsize::new(0);

/// It panics at `RIFF!`, as a decoder with a fault would.
fn decode(content: &[u8]) -> Result<Decoded, String> {
    assert!(content != b"RIFF!", "a decoder with a fault");
    if !content.starts_with(b"RIFF") {
        return Err("no WAV file; expected RIFF at byte 0; got something else".to_owned());
    }
    if content.starts_with(b"RIFF slow") {
        MOST_AT_ONCE.fetch_max(AT_ONCE.fetch_add(1, SeqCst) + 1, SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        AT_ONCE.fetch_sub(1, SeqCst);
    }
    let content = Arc::new(content.to_vec());
    Ok(Decoded { content, thread: std::thread::current().id() })
}

/// Sounds of a client that lets applications name what is on this machine.
pub(crate) fn sounds(limits: Limits) -> Sounds<Decoded> {
    let allow_private = vec!["127.0.0.0/8".parse().expect("a network")];
    sounds_of(Config { allow_private, ..Config::default() }, Vec::new(), limits)
}

pub(crate) fn sounds_of(
    config: Config,
    directories: Vec<PathBuf>,
    limits: Limits,
) -> Sounds<Decoded> {
    let weight = |sound: &Decoded| sound.content.len();
    Sounds::new(Client::new(config), SoundsConfig { decode, weight, directories, limits })
}

pub(crate) fn named(url: &str) -> SoundUrl {
    SoundUrl::named_by_application(url, None).expect("a URL")
}

/// The content of a sound that must be there.
pub(crate) async fn content(sounds: &Sounds<Decoded>, url: &SoundUrl) -> Arc<Vec<u8>> {
    sounds.fetch(url).await.expect("a sound").content
}

/// The text of a failure that must be there.
pub(crate) async fn failure(sounds: &Sounds<Decoded>, url: &SoundUrl) -> String {
    let failure: SoundFailure = sounds.fetch(url).await.expect_err("no sound");
    assert_eq!(failure.alert_type, "play-url-notfound");
    failure.message
}

/// What is answered at a path.
#[derive(Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: &'static [u8],
    /// One permit is taken before the answer.
    pub(crate) gate: Option<Arc<Semaphore>>,
    /// The body has no end, with this pause between its chunks.
    pub(crate) endless: Option<Duration>,
}

impl Answer {
    pub(crate) fn sound(body: &'static [u8]) -> Answer {
        Answer { status: 200, body, ..Answer::default() }.with("content-type", "audio/wav")
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Answer {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Answer {
        Answer { status, ..Answer::default() }.with("location", location)
    }
}

#[derive(Default)]
struct Script {
    answers: BTreeMap<String, Answer>,
    seen: Vec<(String, HeaderMap)>,
}

/// Answers 404 where it was told nothing.
pub(crate) struct SoundServer {
    pub(crate) origin: String,
    script: Arc<Mutex<Script>>,
}

impl SoundServer {
    pub(crate) async fn start() -> SoundServer {
        let script: Arc<Mutex<Script>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        let router = Router::new().fallback(any(answer)).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        SoundServer { origin, script }
    }

    /// A server with one sound at `/a.wav`.
    pub(crate) async fn with(answer: Answer) -> SoundServer {
        let server = SoundServer::start().await;
        server.serve("/a.wav", answer);
        server
    }

    pub(crate) fn serve(&self, path: &str, answer: Answer) {
        self.script.lock().expect("whole").answers.insert(path.to_owned(), answer);
    }

    pub(crate) fn url(&self, path: &str) -> SoundUrl {
        named(&format!("{}{path}", self.origin))
    }

    /// The hook of an application at this server.
    pub(crate) fn hook(&self) -> Hook {
        Hook::post(format!("{}/incoming", self.origin))
    }

    /// The paths that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        let script = self.script.lock().expect("whole");
        script.seen.iter().map(|(path, _)| path.clone()).collect()
    }

    /// A header of the last request.
    pub(crate) fn last_header(&self, name: &str) -> Option<String> {
        let script = self.script.lock().expect("whole");
        let (_, headers) = script.seen.last().expect("was asked");
        headers.get(name).map(|value| value.to_str().expect("ascii").to_owned())
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, incoming: Incoming) -> Response {
    let path = incoming.uri().path().to_owned();
    let answer = {
        let mut script = script.lock().expect("whole");
        script.seen.push((path.clone(), incoming.headers().clone()));
        script.answers.get(&path).cloned()
    };
    let answer = answer.unwrap_or(Answer { status: 404, ..Answer::default() });
    if let Some(gate) = &answer.gate {
        gate.acquire().await.expect("open").forget();
    }
    let sent = |name: &str| answer.headers.iter().find(|(sent, _)| *sent == name);
    let asked = |name: &str| incoming.headers().get(name).and_then(|value| value.to_str().ok());
    let same = |ours: &str, theirs: &str| {
        sent(ours).is_some_and(|(_, value)| asked(theirs) == Some(value.as_str()))
    };
    let unchanged = same("etag", "if-none-match") || same("last-modified", "if-modified-since");
    let mut response = Response::builder().status(if unchanged { 304 } else { answer.status });
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    let body = match answer.endless {
        _ if unchanged => Body::empty(),
        Some(pause) => endless(pause),
        None => Body::from(answer.body),
    };
    response.body(body).expect("a response")
}

fn endless(pause: Duration) -> Body {
    let chunks = futures_util::stream::unfold((), move |()| async move {
        tokio::time::sleep(pause).await;
        Some((Ok::<_, std::io::Error>(vec![b' '; 64]), ()))
    });
    Body::from_stream(chunks)
}

/// A server that reads a request and answers these bytes, then closes. Without bytes it says
/// nothing and stays.
pub(crate) async fn raw_server(bytes: &'static [u8]) -> SoundUrl {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = named(&format!("http://{}/a.wav", listener.local_addr().expect("bound")));
    tokio::spawn(async move {
        let mut silent = Vec::new();
        loop {
            let (mut socket, _) = listener.accept().await.expect("a client");
            let mut head = [0; 1024];
            let _ = socket.read(&mut head).await;
            let _ = socket.write_all(bytes).await;
            silent.extend(bytes.is_empty().then_some(socket));
        }
    });
    url
}
