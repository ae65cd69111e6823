//! What each test begins with: a network, a directory, an application, and a configuration.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::application::Application;
use super::network::Network;
use super::phone::Phone;
use super::switch::Switch;

/// Last numbers of the addresses in the network of a test.
pub(crate) const SWITCH: u8 = 1;
pub(crate) const CALLER: u8 = 2;
pub(crate) const CALLEE: u8 = 3;
pub(crate) const STRANGER: u8 = 9;
pub(crate) const APPLICATION: u8 = 20;
pub(crate) const ANOTHER_APPLICATION: u8 = 21;

/// See the module.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) network: Network,
    pub(crate) app: Application,
    pub(crate) folder: PathBuf,
}

impl Scene {
    pub(crate) fn new() -> Scene {
        let network = Network::new();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop").join(network.name());
        fs::create_dir_all(&folder).expect("cargo gives tests a directory to write");
        Scene { network, app: Application::start(network.ip(APPLICATION)), folder }
    }

    /// A phone at this address of the network.
    pub(crate) fn phone(&self, host: u8) -> Phone {
        Phone::new(self.network.ip(host), self.folder.clone())
    }

    /// A configuration in which every call from [`CALLER`] asks `/incoming` of the application.
    pub(crate) fn config(&self) -> Config {
        Config {
            udp: SocketAddr::new(self.network.ip(SWITCH), 0),
            media_address: self.network.ip(SWITCH),
            sip: String::new(),
            media: String::new(),
            ports: "20000-20199".to_owned(),
            http: String::new(),
            limits: "calls = 50".to_owned(),
            application: format!("call_hook = \"{}\"", self.app.url("/incoming")),
            status_hook: self.app.url("/status"),
            carrier: Some(self.network.ip(CALLER)),
            rest: String::new(),
        }
    }

    /// A switch with this configuration.
    pub(crate) fn starts(&self, config: &Config) -> Switch {
        Switch::start(&self.writes(config))
    }

    /// A switch with the usual configuration.
    pub(crate) fn starts_usual(&self) -> Switch {
        self.starts(&self.config())
    }

    /// Writes the configuration to a file.
    pub(crate) fn writes(&self, config: &Config) -> PathBuf {
        let path = self.folder.join("switchhook.toml");
        fs::write(&path, config.text(self.network.ip(SWITCH))).expect("it can be written");
        path
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // why: what a failed test leaves is what one looks at next.
        if !std::thread::panicking() {
            let _removed = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The configuration file of a test, section by section.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) udp: SocketAddr,
    pub(crate) media_address: IpAddr,
    /// More lines of `[sip]`.
    pub(crate) sip: String,
    /// More lines of `[media]`.
    pub(crate) media: String,
    pub(crate) ports: String,
    /// More lines of `[http]`.
    pub(crate) http: String,
    /// The lines of `[limits]`.
    pub(crate) limits: String,
    /// What the application runs.
    pub(crate) application: String,
    pub(crate) status_hook: String,
    /// Calls from there run the application.
    pub(crate) carrier: Option<IpAddr>,
    /// More sections.
    pub(crate) rest: String,
}

impl Config {
    fn text(&self, ip: IpAddr) -> String {
        let carrier = self.carrier.map_or_else(String::new, |source| {
            format!(
                "[[carrier]]\nname = \"trunk\"\napplication = \"main\"\n\
                 [[carrier.gateway]]\nhost = \"{source}\"\n"
            )
        });
        format!(
            "[sip]\nudp = \"{}\"\n{}\n[media]\naddress = \"{}\"\nports = \"{}\"\n{}\n\
             [http]\nlisten = \"{ip}:0\"\n{}\n[limits]\n{}\n\
             [[application]]\nname = \"main\"\n{}\ncall_status_hook = \"{}\"\n{carrier}{}\n",
            self.udp,
            self.sip,
            self.media_address,
            self.ports,
            self.media,
            self.http,
            self.limits,
            self.application,
            self.status_hook,
            self.rest
        )
    }
}

/// A list with one dial of these phones; its `actionHook` is `/dialled`. `more` adds properties.
pub(crate) fn dial(callees: &[&Phone], more: &Value) -> Value {
    let targets: Vec<Value> = callees.iter().map(|callee| callee.target()).collect();
    let mut dial = json!({ "verb": "dial", "actionHook": "/dialled", "target": targets });
    for (name, value) in more.as_object().into_iter().flatten() {
        dial[name] = value.clone();
    }
    json!([dial])
}
