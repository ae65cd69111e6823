//! A phone that is a baresip process: it registers, calls and is called, sends a tone from a file
//! and records what it hears.
//!
//! It is driven over its TCP control port (module `ctrl_tcp`): commands and events are JSON, each
//! with its length in front.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::events::Events;
use super::scene::Scene;
use super::switch::Switch;
use super::{network, recording, wait_for};

/// Where distributions put its modules; an architecture may be in between.
const MODULES: [&str; 3] =
    ["/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules", "/usr/local/lib/baresip/modules"];
/// It ends by itself after so many seconds, whatever became of the test.
const LIFETIME: &str = "120";
/// Where it receives audio: ports that the kernel gives to nobody, and that no switch here has.
const RTP_PORTS: &str = "22000-31999";

/// Phones started by this process.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Who a phone is, and what it sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    /// The tone that it sends in every call.
    pub(crate) hertz: f64,
    /// How it reaches the switch, which must listen there.
    pub(crate) transport: Transport,
}

impl<'a> Account<'a> {
    /// With the password of every user of the tests, `secret`.
    pub(crate) fn over_udp(user: &'a str, hertz: f64) -> Account<'a> {
        Account { user, password: "secret", hertz, transport: Transport::Udp }
    }

    /// The same over TCP.
    pub(crate) fn over_tcp(user: &'a str, hertz: f64) -> Account<'a> {
        Account { transport: Transport::Tcp, ..Account::over_udp(user, hertz) }
    }
}

/// How the SIP of a phone travels.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

impl Transport {
    /// As SIP and the programs call it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }

    /// Where a switch receives it.
    pub(crate) fn of(self, switch: &Switch) -> SocketAddr {
        match self {
            Transport::Udp => switch.sip,
            Transport::Tcp => switch.sip_tcp.expect("the configuration says tcp"),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Baresip {
    child: Child,
    folder: PathBuf,
    control: TcpStream,
    events: Events,
}

impl Baresip {
    /// Starts one, which begins to register at once.
    pub(crate) fn start(scene: &Scene, switch: &Switch, account: &Account<'_>) -> Self {
        // why: it binds RTP to every address, so the kernel sends from this one.
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = scene.folder.join(format!("baresip-{number}"));
        fs::create_dir_all(&folder).expect("the directory of the test can be written");
        recording::write_tone(&folder.join("tone.wav"), account.hertz);
        let control = SocketAddr::new(ip, network::free_tcp_port(ip));
        fs::write(folder.join("config"), config(ip, control, &folder)).expect("it can be written");
        fs::write(folder.join("accounts"), "").expect("it can be written");
        let mut child = spawn(&folder);
        let control = wait_for("baresip to take commands", || {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                panic!("baresip ended at once, {status}:\n{}", said(&folder));
            }
            TcpStream::connect(control).ok()
        });
        let reading = control.try_clone().expect("a socket can be shared");
        let mut reader = BufReader::new(reading);
        let events = Events::read(move || read(&mut reader));
        let mut phone = Baresip { child, folder, control, events };
        // why: an account in the file would register before anybody is there to be told.
        let Account { user, password, transport, .. } = account;
        let (registrar, transport) = (transport.of(switch), transport.word());
        let line = format!(
            "<sip:{user}@{registrar};transport={transport}>;auth_pass={password};regint=60"
        );
        phone.command("uanew", &line);
        phone
    }

    /// The same, and waits until it is registered.
    pub(crate) fn registered(scene: &Scene, switch: &Switch, account: &Account<'_>) -> Self {
        let phone = Baresip::start(scene, switch, account);
        phone.tells("REGISTER_OK");
        phone
    }

    /// Calls a user or number of its own domain.
    pub(crate) fn dials(&mut self, whom: &str) {
        self.command("dial", whom);
    }

    /// Answers the call that rings.
    pub(crate) fn accepts(&mut self) {
        self.tells("CALL_INCOMING");
        self.command("accept", "");
    }

    /// Ends its call, or refuses it.
    pub(crate) fn hangs_up(&mut self) {
        self.command("hangup", "");
    }

    /// Puts its call on hold, or takes it back, and waits for the answer to the re-INVITE.
    pub(crate) fn holds(&mut self, on: bool) {
        let count = |phone: &Baresip| phone.events("CALL_REMOTE_SDP").len();
        let before = count(self);
        self.command(if on { "hold" } else { "resume" }, "");
        wait_for("the answer to a hold", || (count(self) > before).then_some(()));
    }

    /// Sends whom it talks to elsewhere.
    pub(crate) fn transfers(&mut self, uri: &str) {
        self.command("transfer", uri);
    }

    /// Waits for an event of this kind, and gives the first.
    pub(crate) fn tells(&self, kind: &str) -> Value {
        wait_for(&format!("{kind} of baresip"), || self.events(kind).into_iter().next())
    }

    /// Every event of this kind so far.
    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        self.events.of("type", kind)
    }

    /// Waits until it hears this tone and nothing else.
    pub(crate) fn hears(&self, hertz: f64) {
        recording::hears(hertz, || self.recorded());
    }

    /// Everything it has heard in its last call.
    pub(crate) fn recorded(&self) -> Vec<f64> {
        let files = fs::read_dir(&self.folder).expect("it was made").flatten();
        let is_heard = |path: &PathBuf| path.to_string_lossy().ends_with("-dec.wav");
        let newest = files.map(|file| file.path()).filter(is_heard).max();
        newest.map(|path| recording::samples(&path)).unwrap_or_default()
    }

    /// Audio packets that its call has received so far. After a hold it records no more.
    pub(crate) fn packets(&mut self) -> u64 {
        let counts = |phone: &Baresip| -> Vec<u64> {
            let events = phone.events.all();
            let texts = events.iter().filter_map(|event| event["data"].as_str());
            let counts = texts.filter_map(|text| text.split_once("seq_put=")?.1.lines().next());
            counts.filter_map(|count| count.parse().ok()).collect()
        };
        let before = counts(self).len();
        self.command("audio_debug", "");
        wait_for("baresip to count packets", || counts(self).get(before).copied())
    }

    fn command(&mut self, command: &str, params: &str) {
        let text = json!({ "command": command, "params": params }).to_string();
        let message = format!("{}:{text},", text.len());
        self.control.write_all(message.as_bytes()).expect("baresip takes commands");
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("baresip said:\n{}\n{}", said(&self.folder), self.events.story());
        }
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn spawn(folder: &Path) -> Child {
    let out = File::create(folder.join("out")).expect("the directory of the test can be written");
    let errors = out.try_clone().expect("a file can be shared");
    Command::new("baresip")
        .args(["-t", LIFETIME, "-f"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(errors)
        .spawn()
        .expect("baresip is not there: install the package baresip-core, or run make test")
}

/// Its address for everything, G.711, and files in the place of a microphone and a loudspeaker.
fn config(ip: IpAddr, control: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    let modules = modules();
    format!(
        "sip_listen {ip}:0\nnet_interface {ip}\nctrl_tcp_listen {control}\n\
         rtp_ports {RTP_PORTS}\n\
         audio_source aufile,{folder}/tone.wav\naudio_player aubridge,ear\n\
         audio_alert aubridge,bell\nsnd_path {folder}\nringback_disabled yes\n\
         module_path {}\nmodule g711.so\nmodule sndfile.so\nmodule aubridge.so\n\
         module aufile.so\nmodule_tmp account.so\nmodule_app ctrl_tcp.so\n\
         module_app menu.so\n",
        modules.display()
    )
}

fn modules() -> PathBuf {
    let folders = MODULES.iter().flat_map(|path| match path.split_once('*') {
        None => vec![PathBuf::from(path)],
        Some((before, after)) => {
            let entries = fs::read_dir(before).into_iter().flatten().flatten();
            entries.map(|entry| entry.path().join(after.trim_start_matches('/'))).collect()
        }
    });
    let mut with_control = folders.filter(|folder| folder.join("ctrl_tcp.so").exists());
    with_control.next().unwrap_or_else(|| panic!("no module ctrl_tcp.so of baresip in {MODULES:?}"))
}

/// One message: its length, a colon, the JSON, a comma.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Value> {
    let mut length = Vec::new();
    reader.read_until(b':', &mut length).ok()?;
    let digits = length.strip_suffix(b":")?;
    let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let mut text = vec![0; length + 1];
    reader.read_exact(&mut text).ok()?;
    Some(serde_json::from_slice(&text[..length]).unwrap_or(Value::Null))
}

fn said(folder: &Path) -> String {
    fs::read_to_string(folder.join("out")).unwrap_or_default()
}
