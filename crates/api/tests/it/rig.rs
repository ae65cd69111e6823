//! A server on a port of its own, a store in memory, a gateway that records what it is asked.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use api::{Awaited, Contact, Created, Gateway, Health, Refusal, Registered, ServeLimits, Updated};
use serde_json::{Value, json};
use store::{Declared, DeclaredAccount, Secret, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use verbs::Fault;
use verbs::rest::{CreateCall, Update};

pub(crate) const ACCOUNT: &str = "9351f46a-678c-43f5-b8a6-d4eb58d131af";
pub(crate) const PROVIDER: &str = "2708b1b3-2736-40ea-b502-c53d8396247f";
pub(crate) const FOREIGN: &str = "00000000-0000-4000-8000-000000000000";
pub(crate) const TOKEN: &str = "the-admin-token";

/// What the gateway was asked, and what it is to answer.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) draining: AtomicBool,
    pub(crate) degraded: AtomicBool,
    /// Every call of `provisioned` fails.
    pub(crate) stuck: AtomicBool,
    pub(crate) asked: Mutex<Vec<String>>,
    pub(crate) refuses: Mutex<Option<Refusal>>,
    pub(crate) calls: Mutex<Vec<Value>>,
    pub(crate) registered: Mutex<Vec<Registered>>,
}

impl Recorder {
    fn note(&self, what: String) {
        self.asked.lock().expect("no panic").push(what);
    }

    /// What was asked since this was asked last.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }

    pub(crate) fn refuses(&self, status: u16, msg: &str) {
        *self.refuses.lock().expect("no panic") = Some(Refusal { status, msg: msg.to_owned() });
    }

    fn refusal(&self) -> Result<(), Refusal> {
        self.refuses.lock().expect("no panic").take().map_or(Ok(()), Err)
    }
}

impl Health for Recorder {
    fn live_calls(&self) -> usize {
        3
    }

    fn degraded(&self) -> Option<String> {
        let degraded = self.degraded.load(Ordering::Relaxed);
        degraded.then(|| "the disk is full; make room".to_owned())
    }

    fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

impl Gateway for Recorder {
    fn create_call(
        &self,
        call: Box<CreateCall>,
        warnings: Vec<Fault>,
    ) -> Awaited<'_, Result<Created, Refusal>> {
        self.note(format!("create from {} with {} warnings", call.from, warnings.len()));
        let created = Created { sid: "the-sid".to_owned(), call_id: "the-call-id".to_owned() };
        let answer = self.refusal().map(|()| created);
        Box::pin(async move { answer })
    }

    fn update_call(
        &self,
        call_sid: String,
        update: Update,
    ) -> Awaited<'_, Result<Updated, Refusal>> {
        self.note(format!("update {call_sid} {update:?}"));
        let sent = matches!(update, Update::SipRequest(_));
        let answer = self.refusal().map(|()| match sent {
            true => Updated::Responded { status: 488, reason: "Not Like This".to_owned() },
            false => Updated::Accepted,
        });
        Box::pin(async move { answer })
    }

    fn calls(&self) -> Awaited<'_, Result<Vec<Value>, Refusal>> {
        let calls = self.calls.lock().expect("no panic").clone();
        Box::pin(async move { Ok(calls) })
    }

    fn registrations(&self) -> Awaited<'_, Result<Vec<Registered>, Refusal>> {
        let registered = self.registered.lock().expect("no panic").clone();
        Box::pin(async move { Ok(registered) })
    }

    fn provisioned(&self) -> Awaited<'_, Result<(), String>> {
        self.note("provisioned".to_owned());
        let stuck = self.stuck.load(Ordering::Relaxed);
        Box::pin(async move { if stuck { Err("it is stuck".to_owned()) } else { Ok(()) } })
    }

    fn metrics(&self) -> Awaited<'_, Result<String, Refusal>> {
        let stuck = self.stuck.load(Ordering::Relaxed);
        let refusal = Refusal { status: 503, msg: "it is stuck".to_owned() };
        let text = "switchhook_live_calls 3\n".to_owned();
        Box::pin(async move { if stuck { Err(refusal) } else { Ok(text) } })
    }
}

pub(crate) fn contact(uri: &str, expires_at: i64) -> Contact {
    Contact {
        uri: uri.to_owned(),
        protocol: "udp".to_owned(),
        proxy: "192.0.2.7:5062".to_owned(),
        expires_at,
    }
}

/// A configuration file without entries.
pub(crate) fn declared() -> Declared {
    Declared {
        account: DeclaredAccount {
            account_sid: ACCOUNT.to_owned(),
            service_provider_sid: PROVIDER.to_owned(),
            name: "default".to_owned(),
            sip_realm: None,
            device_calling_application_sid: None,
            webhook_secret: None,
        },
        applications: Vec::new(),
        voip_carriers: Vec::new(),
        sip_gateways: Vec::new(),
        phone_numbers: Vec::new(),
        clients: Vec::new(),
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON, not {}", self.body))
    }

    pub(crate) fn msg(&self) -> String {
        self.json()["msg"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| *known == name).map(|(_, value)| value).next()
    }
}

/// A running server.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Arc<Recorder>,
    pub(crate) store: Store,
    pub(crate) token: watch::Sender<Secret>,
}

impl Rig {
    pub(crate) async fn start() -> Rig {
        Rig::start_within(ServeLimits::default()).await
    }

    pub(crate) async fn start_within(limits: ServeLimits) -> Rig {
        let store = Store::open("sqlite::memory:").await.expect("opens");
        store.declare(&declared()).await.expect("written");
        let gateway = Arc::new(Recorder::default());
        let (token, seen) = watch::channel(Secret::new(TOKEN));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let config = api::Config {
            gateway: gateway.clone(),
            store: store.clone(),
            token: seen,
            account_sid: ACCOUNT.to_owned(),
            service_provider_sid: PROVIDER.to_owned(),
        };
        tokio::spawn(api::serve_within(limits, listener, config, std::future::pending()));
        Rig { address, gateway, store, token }
    }

    /// One request as it stands; `headers` are whole lines.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> Answer {
        let mut socket = TcpStream::connect(self.address).await.expect("a server");
        let length = body.len();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        for header in headers {
            request.push_str(&format!("{header}\r\n"));
        }
        request.push_str(&format!("Content-Length: {length}\r\n\r\n{body}"));
        // why: a server that refuses a long body may close before all of it is sent.
        let _ = socket.write_all(request.as_bytes()).await;
        let mut bytes = Vec::new();
        let _ = socket.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// With the token; `path` is below `/v1`, `{a}` and `{p}` stand for our account and provider.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let path = path.replace("{a}", ACCOUNT).replace("{p}", PROVIDER);
        let token = format!("Authorization: Bearer {TOKEN}");
        let json = "Content-Type: application/json";
        self.raw(method, &format!("/v1{path}"), &[&token, json], body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    /// Makes an entry and gives its sid.
    pub(crate) async fn make(&self, path: &str, body: &Value) -> String {
        let answer = self.ask("POST", path, &body.to_string()).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        answer.json()["sid"].as_str().expect("a sid").to_owned()
    }
}

pub(crate) fn application(name: &str) -> Value {
    let hook = json!({ "url": "https://app.example.com/in" });
    json!({ "name": name, "account_sid": ACCOUNT, "call_hook": hook })
}
