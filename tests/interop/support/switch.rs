//! The binary under test as a process: started with a configuration, asked for its health, told to
//! end, and never left behind.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use super::wait_for;

/// What a test writes into `[http] admin_token`.
pub(crate) const ADMIN_TOKEN: &str = "token-of-the-tests";

/// The one account of an installation.
pub(crate) const ACCOUNT: &str = "9351f46a-678c-43f5-b8a6-d4eb58d131af";

/// See the module.
#[derive(Debug)]
pub(crate) struct Switch {
    child: Child,
    log: PathBuf,
    /// Where it receives SIP over UDP.
    pub(crate) sip: SocketAddr,
    /// The same over TCP, where it does.
    pub(crate) sip_tcp: Option<SocketAddr>,
    /// Where it serves HTTP.
    pub(crate) http: SocketAddr,
}

impl Switch {
    /// Starts it, and waits until it says that it is up.
    pub(crate) fn start(config: &Path) -> Switch {
        Switch::start_by(config, &[])
    }

    /// Starts it by another program, which becomes it in the end.
    pub(crate) fn start_by(config: &Path, program: &[&str]) -> Switch {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let (child, log) = spawn(config, program);
        let mut switch = Switch { child, log, sip: nowhere, sip_tcp: None, http: nowhere };
        let (sip, sip_tcp, http) = wait_for("the switch to be up", || {
            if let Some(status) = switch.child.try_wait().expect("a child can be waited for") {
                panic!("the switch did not start, {status}:\n{}", switch.log());
            }
            let log = switch.log();
            let after = |word: &str| {
                let (_, rest) = log.split_once(word)?;
                let end = rest.find(|c: char| c.is_whitespace() || ")/,".contains(c))?;
                rest[..end].parse().ok()
            };
            Some((after("udp ")?, after("tcp "), after("http://")?))
        });
        (switch.sip, switch.sip_tcp, switch.http) = (sip, sip_tcp, http);
        switch
    }

    /// Starts one that will not come up: its exit code and what it said.
    pub(crate) fn fails(config: &Path) -> (Option<i32>, String) {
        let (mut child, log) = spawn(config, &[]);
        let status = wait_for("the end of a switch that cannot start", || {
            child.try_wait().expect("a child can be waited for")
        });
        (status.code(), fs::read_to_string(log).unwrap_or_default())
    }

    /// Sends the signal of this name, without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &command]).status();
        assert!(sent.expect("a shell is there").success(), "{command}");
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        wait_for("the end of the switch", || {
            self.child.try_wait().expect("a child can be waited for")
        })
    }

    /// Ends it as an operator does: nothing is left of any call, the exit code is 0, and nothing
    /// went wrong inside on the way.
    pub(crate) fn ends(mut self) {
        self.has_no_calls();
        self.signal("TERM");
        let status = self.ended();
        let log = self.log();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("Switchhook has ended."), "{log}");
        assert!(!log.contains("panicked") && !log.contains("a bug"), "{log}");
    }

    /// Waits until no call is up.
    pub(crate) fn has_no_calls(&self) {
        wait_for("the end of every call", || (self.health()["live_calls"] == 0).then_some(()));
    }

    /// `/healthz`.
    pub(crate) fn health(&self) -> Value {
        let body = self.get("/healthz");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    /// The body of what it serves there.
    pub(crate) fn get(&self, path: &str) -> String {
        self.request("GET", path, "").1
    }

    /// What REST answers there, for the account of every installation.
    pub(crate) fn rest(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let path = format!("/v1/Accounts/{ACCOUNT}{path}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = self.request(method, &path, &body);
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    fn request(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.http).expect("it serves HTTP");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Authorization: Bearer {ADMIN_TOKEN}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + body).as_bytes()).expect("it takes requests");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers text");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        (status.unwrap_or_default(), body.unwrap_or_default())
    }

    /// Its id, to reach what only it sees.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sockets and files that it holds.
    pub(crate) fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.child.id());
        fs::read_dir(path).expect("the process is there").count()
    }

    /// Bytes of memory that it holds.
    pub(crate) fn memory(&self) -> usize {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(path).expect("the process is there");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: Option<usize> =
            line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        1024 * kilobytes.unwrap_or_else(|| panic!("no VmRSS in {text}"))
    }

    /// The value of a figure of `/metrics` without labels.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        let text = self.get("/metrics");
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    /// What it said on stdout and stderr.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the switch said:\n{}", self.log());
        }
        if let Ok(None) = self.child.try_wait() {
            let _gone = self.child.kill();
            let _reaped = self.child.wait();
        }
    }
}

fn spawn(config: &Path, program: &[&str]) -> (Child, PathBuf) {
    let log = config.with_extension("log");
    let out = File::create(&log).expect("the directory of the test can be written");
    let errors = out.try_clone().expect("a file can be shared");
    let words: Vec<&str> =
        program.iter().copied().chain([env!("CARGO_BIN_EXE_switchhook")]).collect();
    let (first, rest) = words.split_first().expect("the binary is one of them");
    let child = Command::new(first)
        .args(rest)
        .args(["serve", "--config"])
        .arg(config)
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(errors)
        .spawn()
        .unwrap_or_else(|error| panic!("{first} cannot be started: {error}"));
    (child, log)
}
