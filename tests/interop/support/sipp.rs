//! One sipp process that plays one scenario file.
//!
//! The files in `scenarios/` hold `{{name}}` where a test decides; everything else of a scenario
//! is in the file.

use std::cell::Cell;
use std::fs::{self, File};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::ladder::{Ladder, Message};
use super::{network, wait_for};

/// What sipp is started with.
pub(crate) struct Play<'a> {
    /// Name of the file, without its end.
    pub(crate) scenario: &'a str,
    /// What stands for `{{name}}`.
    pub(crate) values: &'a [(&'a str, String)],
    /// Its own address.
    pub(crate) local: SocketAddr,
    /// Where it calls.
    pub(crate) remote: SocketAddr,
    /// For its files.
    pub(crate) folder: &'a Path,
    /// More of the command line.
    pub(crate) options: &'a [String],
}

/// A running sipp.
#[derive(Debug)]
pub(crate) struct Run {
    scenario: String,
    child: Child,
    local: SocketAddr,
    /// How often it was let go on.
    proceeded: Cell<u32>,
    /// Names of its files, but for their end.
    files: PathBuf,
}

impl Run {
    /// Starts it, and waits until it can receive.
    pub(crate) fn start(play: &Play<'_>) -> Run {
        let name = format!("{}-{}", play.scenario, play.local.port());
        let files = play.folder.join(name);
        let file = files.with_extension("xml");
        fs::write(&file, filled(play)).expect("the directory of the test can be written");
        let screen = File::create(files.with_extension("out")).expect("it can be written");
        let errors = screen.try_clone().expect("a file can be shared");
        let child = Command::new("sipp")
            .arg(play.remote.to_string())
            .args(["-nostdin", "-skip_rlimit", "-bind_local", "-timeout_error"])
            .args(["-timeout", "20s", "-timer_resol", "5", "-trace_msg", "-trace_err"])
            .args(["-i", &play.local.ip().to_string(), "-p", &play.local.port().to_string()])
            .args(["-mp", &network::free_port(play.local.ip()).to_string()])
            .arg("-sf")
            .arg(&file)
            .arg("-message_file")
            .arg(files.with_extension("messages"))
            .arg("-error_file")
            .arg(files.with_extension("errors"))
            .args(play.options)
            .stdin(Stdio::null())
            .stdout(screen)
            .stderr(errors)
            .spawn()
            .expect("sipp is not there: install the Debian package sip-tester, or run make test");
        let mut run = Run {
            scenario: play.scenario.to_owned(),
            child,
            local: play.local,
            proceeded: Cell::new(0),
            files,
        };
        wait_for(&format!("sipp to receive with {}", run.scenario), || {
            let ended = run.child.try_wait().expect("a child can be waited for");
            if let Some(status) = ended.filter(|status| !status.success()) {
                panic!("{}", run.story(&format!("sipp ended at once: {status}")));
            }
            (ended.is_some() || network::is_bound(play.local)).then_some(())
        });
        run
    }

    /// What it sent and received so far.
    pub(crate) fn ladder(&self) -> Ladder {
        Ladder::read(&self.text("messages"))
    }

    /// Waits until it has received something of this kind, and gives the last one.
    pub(crate) fn receives(&self, kind: &str) -> Message {
        wait_for(&format!("{kind} to reach {}", self.scenario), || {
            self.ladder().received(kind).last().map(|message| (*message).clone())
        })
    }

    /// Lets it go on from where it [waits](super::steps::Steps::waits): it is sent a request inside
    /// its call that no switch sends.
    pub(crate) fn proceeds(&self) {
        let message = wait_for(&format!("a call of {}", self.scenario), || {
            let ladder = self.ladder();
            let mut received = ladder.0.into_iter().filter(|message| !message.sent);
            received.find(|message| message.header("Call-ID").is_some())
        });
        let header = |name: &str| message.header(name).unwrap_or_default().to_owned();
        let is_request = message.text.starts_with("INVITE ");
        let (from, to) = if is_request { ("From", "To") } else { ("To", "From") };
        let socket = UdpSocket::bind((self.local.ip(), 0)).expect("loopback has a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let branch = self.proceeded.get();
        self.proceeded.set(branch + 1);
        let request = format!(
            "PUBLISH sip:{local} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bKgo{branch}\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {} PUBLISH\r\n\
             Content-Length: 0\r\n\r\n",
            header(from),
            header(to),
            header("Call-ID"),
            9000 + branch,
            local = self.local,
        );
        socket.send_to(request.as_bytes(), self.local).expect("loopback takes datagrams");
    }

    /// Waits until it was told where the switch receives its audio.
    pub(crate) fn audio_of_switch(&self) -> SocketAddr {
        wait_for(&format!("a session description to reach {}", self.scenario), || {
            let ladder = self.ladder();
            let received = ladder.0.iter().rev().filter(|message| !message.sent);
            received.filter_map(Message::audio_address).next()
        })
    }

    /// Waits for its end, which must be a success: every message came that the scenario wants, and
    /// none that it does not want.
    pub(crate) fn finishes(mut self) -> Ladder {
        let status = wait_for(&format!("the end of {}", self.scenario), || {
            self.child.try_wait().expect("a child can be waited for")
        });
        assert!(status.success(), "{}", self.story(&format!("sipp failed: {status}")));
        self.ladder()
    }

    fn text(&self, end: &str) -> String {
        let bytes = fs::read(self.files.with_extension(end)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn story(&self, what: &str) -> String {
        let (errors, screen) = (self.text("errors"), self.text("out"));
        let ladder = self.ladder().summary();
        let screen = if errors.is_empty() { screen } else { String::new() };
        format!("{}: {what}\n{ladder}{errors}{screen}", self.scenario)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            if std::thread::panicking() {
                eprintln!("{}", self.story("still running"));
            }
            let _gone = self.child.kill();
            let _reaped = self.child.wait();
        }
    }
}

/// The scenario with every name replaced.
fn filled(play: &Play<'_>) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/scenarios");
    let path = root.join(play.scenario).with_extension("xml");
    let mut text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (name, value) in play.values {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    if let Some((_, rest)) = text.split_once("{{") {
        let name = rest.split("}}").next().unwrap_or_default();
        panic!("{}: nothing stands for {name}", play.scenario);
    }
    text
}
