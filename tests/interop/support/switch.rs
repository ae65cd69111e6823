//! The binary under test as a process: started with a configuration, asked for its health, told to
//! end, and never left behind.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use super::wait_for;

/// See the module.
#[derive(Debug)]
pub(crate) struct Switch {
    child: Child,
    log: PathBuf,
    /// Where it receives SIP.
    pub(crate) sip: SocketAddr,
    /// Where it serves HTTP.
    pub(crate) http: SocketAddr,
}

impl Switch {
    /// Starts it, and waits until it says that it is up.
    pub(crate) fn start(config: &Path) -> Switch {
        Switch::start_logging(config, None)
    }

    /// As [`Switch::start`], with a log of this level.
    pub(crate) fn start_logging(config: &Path, level: Option<&str>) -> Switch {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let (child, log) = spawn(config, level);
        let mut switch = Switch { child, log, sip: nowhere, http: nowhere };
        let (sip, http) = wait_for("the switch to be up", || {
            if let Some(status) = switch.child.try_wait().expect("a child can be waited for") {
                panic!("the switch did not start, {status}:\n{}", switch.log());
            }
            let log = switch.log();
            let after = |word: &str| {
                let (_, rest) = log.split_once(word)?;
                let end = rest.find(|c: char| c.is_whitespace() || ")/,".contains(c))?;
                rest[..end].parse().ok()
            };
            Some((after("udp ")?, after("http://")?))
        });
        (switch.sip, switch.http) = (sip, http);
        switch
    }

    /// Starts one that will not come up: its exit code and what it said.
    pub(crate) fn fails(config: &Path) -> (Option<i32>, String) {
        let (mut child, log) = spawn(config, None);
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
        let mut stream = TcpStream::connect(self.http).expect("it serves HTTP");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it takes requests");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers text");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    /// Sockets and files that it holds.
    pub(crate) fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.child.id());
        fs::read_dir(path).expect("the process is there").count()
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

fn spawn(config: &Path, level: Option<&str>) -> (Child, PathBuf) {
    let log = config.with_extension("log");
    let out = File::create(&log).expect("the directory of the test can be written");
    let errors = out.try_clone().expect("a file can be shared");
    let child = Command::new(env!("CARGO_BIN_EXE_switchhook"))
        .args(["serve", "--config"])
        .arg(config)
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG")
        .envs(level.map(|level| ("RUST_LOG", level)))
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(errors)
        .spawn()
        .expect("the binary was built by cargo");
    (child, log)
}
