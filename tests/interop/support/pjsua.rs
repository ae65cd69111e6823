//! A phone made of PJSUA2 (`pjsua2/phone.py`): it registers, calls and is called, sends a tone and
//! keys, and records what it hears.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::baresip::Account;
use super::program::{self, Program};
use super::recording;
use super::scene::Scene;
use super::switch::Switch;

/// See the module.
#[derive(Debug)]
pub(crate) struct Pjsua {
    program: Program,
    recording: PathBuf,
    log: PathBuf,
    registrar: String,
}

impl Pjsua {
    /// Starts one at this address of the network, and registers it.
    pub(crate) fn start(scene: &Scene, host: u8, switch: &Switch, account: &Account<'_>) -> Self {
        let name = format!("pjsua-{host}");
        let file = |end: &str| scene.folder.join(format!("{name}.{end}"));
        recording::write_tone(&file("tone.wav"), account.hertz);
        let registrar = account.transport.of(switch);
        let phone = json!({
            "ip": scene.network.ip(host),
            "registrar": registrar,
            "transport": account.transport.word(),
            "user": account.user,
            "password": account.password,
            "tone": file("tone.wav"),
            "recording": file("heard.wav"),
            "log": file("log"),
        });
        let mut command = Command::new(program::installed("pjsua2").join("bin/python"));
        command.arg(program::script("pjsua2/phone.py")).arg(phone.to_string());
        let mut phone = Pjsua {
            program: Program::start(&name, &scene.folder, &mut command),
            recording: file("heard.wav"),
            log: file("log"),
            registrar: registrar.to_string(),
        };
        phone.does("register");
        phone
    }

    /// The same, and waits until it is registered.
    pub(crate) fn registered(
        scene: &Scene,
        host: u8,
        switch: &Switch,
        account: &Account<'_>,
    ) -> Self {
        let phone = Pjsua::start(scene, host, switch, account);
        phone.tells("registered");
        phone
    }

    /// Gives it a command without more.
    pub(crate) fn does(&mut self, command: &str) {
        self.program.does(&json!({ "do": command }));
    }

    /// Calls a user or number of its own domain.
    pub(crate) fn dials(&mut self, whom: &str) {
        let uri = format!("sip:{whom}@{}", self.registrar);
        self.program.does(&json!({ "do": "call", "uri": uri }));
    }

    /// Answers the call that rings.
    pub(crate) fn accepts(&mut self) {
        self.tells("incoming");
        self.does("answer");
    }

    /// Refuses the call that rings.
    pub(crate) fn refuses(&mut self, status: u16) {
        self.tells("incoming");
        self.program.does(&json!({ "do": "refuse", "status": status }));
    }

    /// Sends these keys as telephone events.
    pub(crate) fn presses(&mut self, keys: &str) {
        self.program.does(&json!({ "do": "press", "keys": keys }));
    }

    /// Sends whom it talks to elsewhere.
    pub(crate) fn transfers(&mut self, uri: &str) {
        self.program.does(&json!({ "do": "transfer", "uri": uri }));
    }

    /// Waits for an event of this kind, and gives the first.
    pub(crate) fn tells(&self, kind: &str) -> Value {
        self.program.tells(kind)
    }

    /// Every event of this kind so far.
    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        self.program.events(kind)
    }

    /// Waits until it hears this tone and nothing else.
    pub(crate) fn hears(&self, hertz: f64) {
        recording::hears(hertz, || recording::samples(&self.recording));
    }

    /// Ends it: every message that it sent and received.
    pub(crate) fn log(self) -> String {
        self.program.ends();
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
