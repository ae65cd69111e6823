//! The application of a test: an HTTP server that gives the answers it was told to give, and keeps
//! every request.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{recording, wait_for};

/// What is answered to a request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Lines without their ends.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
    /// Before the answer.
    pub(crate) delay: Duration,
}

impl Answer {
    /// 200 with JSON.
    pub(crate) fn json(body: &Value) -> Answer {
        Answer::text("application/json", &body.to_string())
    }

    /// 200 with any text.
    pub(crate) fn text(content_type: &str, body: &str) -> Answer {
        let headers = vec![format!("Content-Type: {content_type}")];
        Answer { status: 200, headers, body: body.as_bytes().to_vec(), delay: Duration::ZERO }
    }

    /// 200 with so many milliseconds of a tone, as a WAV file.
    pub(crate) fn tone(hertz: f64, milliseconds: u32) -> Answer {
        let body = recording::wav(hertz, milliseconds);
        let headers = vec!["Content-Type: audio/wav".to_owned()];
        Answer { status: 200, headers, body, delay: Duration::ZERO }
    }

    /// No body.
    pub(crate) fn status(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: Vec::new(), delay: Duration::ZERO }
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// `null` where there is none, or it is no JSON.
    pub(crate) json: Value,
}

#[derive(Debug, Default)]
struct Shared {
    answers: Mutex<BTreeMap<String, Answer>>,
    requests: Mutex<Vec<Request>>,
}

/// See the module. It serves until the process of the tests ends.
#[derive(Debug)]
pub(crate) struct Application {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Application {
    /// Serves on a free port of `ip`.
    pub(crate) fn start(ip: IpAddr) -> Application {
        let listener = TcpListener::bind((ip, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared: Arc<Shared> = Arc::default();
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || converse(&stream, &shared));
            }
        });
        Application { address, shared }
    }

    /// `http://address` with this path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on requests for this path get this list of verbs. A path without an answer gets
    /// 204.
    pub(crate) fn runs(&self, path: &str, list: &Value) {
        self.answers(path, Answer::json(list));
    }

    /// From now on requests for this path get this.
    pub(crate) fn answers(&self, path: &str, answer: Answer) {
        self.shared.answers.lock().expect("nobody panics with it").insert(path.to_owned(), answer);
    }

    /// Every request for this path so far.
    pub(crate) fn requests(&self, path: &str) -> Vec<Request> {
        let requests = self.shared.requests.lock().expect("nobody panics with it");
        requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// Waits for a request for this path, and gives the first.
    pub(crate) fn is_asked(&self, path: &str) -> Request {
        wait_for(&format!("a request for {path}"), || self.requests(path).into_iter().next())
    }

    /// Waits for the final event of the caller and of each leg that was named, then gives the
    /// events of all legs in the order they came: `inbound trying 100`.
    pub(crate) fn told(&self) -> Vec<String> {
        let is_final = |event: &Request| {
            let status = event.json["call_status"].as_str().unwrap_or_default();
            ["completed", "failed", "busy", "no-answer"].contains(&status)
        };
        let events = wait_for("the last status event of each leg", || {
            let events = self.requests("/status");
            let ended =
                |leg: &Value| events.iter().any(|e| e.json["call_sid"] == *leg && is_final(e));
            let caller = events.iter().any(|e| e.json["direction"] == "inbound");
            (caller && events.iter().all(|event| ended(&event.json["call_sid"]))).then_some(events)
        });
        events.iter().map(|event| describe(&event.json)).collect()
    }
}

/// `outbound ringing 180`.
fn describe(event: &Value) -> String {
    let word = |name: &str| event[name].as_str().unwrap_or("?").to_owned();
    format!("{} {} {}", word("direction"), word("call_status"), event["sip_status"])
}

/// Requests of one connection until it is closed.
fn converse(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let answers = shared.answers.lock().expect("nobody panics with it");
        let answer = answers.get(&request.path).cloned().unwrap_or_else(|| Answer::status(204));
        drop(answers);
        shared.requests.lock().expect("nobody panics with it").push(request);
        std::thread::sleep(answer.delay);
        let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
        for header in &answer.headers {
            head += &format!("{header}\r\n");
        }
        if answer.status != 204 {
            head += &format!("Content-Length: {}\r\n", answer.body.len());
        }
        let bytes = [(head + "\r\n").as_bytes(), &answer.body].concat();
        let mut stream = stream;
        // why: a client may leave before a long or late answer has come.
        if stream.write_all(&bytes).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let line = read_line(reader)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let json = serde_json::from_slice(&body).unwrap_or(json!(null));
    Some(Request { method, path, query, headers, json })
}

fn read_line(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = reader.read_line(&mut line).ok()?;
    (length > 0).then(|| line.trim_end().to_owned())
}
