//! `switchhook demo`: one call, from INVITE to actionHook, between phones of its own.
//!
//! A gateway on free ports of the loopback address, three registered phones, a caller and an
//! application; everything they say goes over real sockets. The call is drawn as a ladder. It is
//! a success only if caller and callee heard each other.

mod application;
mod phone;
mod register;
mod tone;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use store::Store;
use testkit::{Callee, Caller, Entry, Ladder, Outcome, Script};
use tokio::sync::mpsc;

use crate::config::{self, Config, LoadError};
use crate::gateway::{Control, Gateway, fill_random};
use application::Application;
use phone::{Line, RealPhone, Summary};

/// The list of verbs that the application answers; also the one of `make run`.
const APPLICATION: &str = include_str!("../../../../examples/demo.json");

/// The whole demonstration must fit into this.
const LONGEST: Duration = Duration::from_secs(20);

/// Columns of the ladder, from the left; each is also who speaks there.
const COLUMNS: [&str; 6] = ["application", "caller", "Switchhook", "demo-1", "demo-2", "demo-3"];
const APPLICATION_COLUMN: usize = 0;
const CALLER_COLUMN: usize = 1;
const SWITCH_COLUMN: usize = 2;
const FIRST_PHONE_COLUMN: usize = 3;

/// What the caller hums, in Hz, and what whoever answers does.
const CALLER_TONE: f64 = 440.0;
const CALLEE_TONE: f64 = 1000.0;

/// Runs the demonstration.
///
/// # Errors
/// A sentence for the operator: the call was not bridged with audio both ways.
pub fn run() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("threads: {error}"))?;
    let story = runtime.block_on(play())?;
    print!("{}", story.text());
    story.verdict()
}

/// What happened.
struct Story {
    ladder: Ladder,
    summaries: Vec<Summary>,
    result: Option<Value>,
}

/// What the three phones do, in order: the first rings until somebody else answers, the second
/// answers, the third is busy.
fn callees() -> [Callee; 3] {
    let rings = |after: u64, outcome| Callee {
        rings: Some(Duration::from_millis(after)),
        early_media: None,
        outcome,
        hangs_up: None,
    };
    [
        rings(120, Outcome::Waits),
        rings(180, Outcome::Answers(Duration::from_millis(1500))),
        rings(240, Outcome::Refuses(486, Duration::from_millis(800))),
    ]
}

async fn play() -> Result<Story, String> {
    let (lines, mut heard) = mpsc::unbounded_channel();
    let application = Application::start(APPLICATION, lines.clone()).await?;
    let config = configuration(application.address)?;
    let office = tokio::runtime::Handle::current();
    let gateway = Gateway::start(&config, forgetful_store().await?, &office).await?;
    let switch = gateway.sip_sockets().first().map(|(_, at)| *at).ok_or("no SIP socket")?;
    let (controls, told) = mpsc::channel(1);
    let running = tokio::spawn(gateway.run(told));

    let mut phones = Vec::new();
    for (index, callee) in callees().into_iter().enumerate() {
        let name = COLUMNS[FIRST_PHONE_COLUMN + index];
        let script = Script::Callee(callee);
        let phone = RealPhone::open(name, FIRST_PHONE_COLUMN + index, script, CALLEE_TONE).await?;
        let client = config.settings.client(name).ok_or("the demo has lost a user")?;
        register::register(&phone.socket, switch, client).await?;
        phones.push(phone);
    }
    let caller = Caller {
        calls: format!("sip:demo@{switch}"),
        from: format!("\"Caller\" <sip:caller@{}>", switch.ip()),
        headers: Vec::new(),
        max_forwards: 70,
        cancels: None,
        hangs_up: Some(Duration::from_millis(1500)),
    };
    let mut calling =
        RealPhone::open("caller", CALLER_COLUMN, Script::Caller(caller), CALLER_TONE).await?;
    let started = Instant::now();
    calling.call(started, switch);
    phones.push(calling);

    let playing: Vec<_> =
        phones.into_iter().map(|phone| tokio::spawn(phone.play(lines.clone(), LONGEST))).collect();
    let result = application.result(LONGEST).await;
    let _ended = controls.send(Control::End).await;
    running.await.map_err(|error| error.to_string())??;
    application.end();
    let mut summaries = Vec::new();
    for phone in playing {
        summaries.push(phone.await.map_err(|error| error.to_string())?);
    }
    drop(lines);
    let mut said = Vec::new();
    while let Ok(line) = heard.try_recv() {
        said.push(line);
    }
    Ok(Story { ladder: ladder(started, said), summaries, result })
}

/// A store that is gone with the demonstration.
async fn forgetful_store() -> Result<Store, String> {
    Store::open("sqlite::memory:").await.map_err(|error| error.to_string())
}

/// The configuration of the demonstration; its users get generated passwords.
fn configuration(application: std::net::SocketAddr) -> Result<Config, String> {
    let text = format!(
        r#"
        [sip]
        udp = "127.0.0.1:0"
        [media]
        address = "127.0.0.1"
        [http]
        listen = "127.0.0.1:0"
        [[application]]
        name = "demo"
        call_hook = "http://{application}/incoming"
        [[carrier]]
        name = "demo"
        application = "demo"
          [[carrier.gateway]]
          host = "127.0.0.1"
          outbound = false
        [[client]]
        username = "demo-1"
        [[client]]
        username = "demo-2"
        [[client]]
        username = "demo-3"
        "#
    );
    let loaded = config::parse(Path::new("demo.toml"), &text, []).map_err(|error| match error {
        LoadError::Faulty { faults, .. } => {
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
        LoadError::Unreadable { error, .. } => error.to_string(),
    })?;
    let mut config = loaded.config;
    let mut failed = None;
    config.fill_generated(|bytes| failed = fill_random(bytes).err().or(failed.take()));
    match failed {
        Some(error) => Err(format!("/dev/urandom: {error}")),
        None => Ok(config),
    }
}

fn ladder(started: Instant, mut said: Vec<Line>) -> Ladder {
    said.sort_by_key(|line| line.at);
    let mut ladder = Ladder::new(&COLUMNS);
    for line in said {
        let (from, to) = match line.to_switch {
            true => (line.column, SWITCH_COLUMN),
            false => (SWITCH_COLUMN, line.column),
        };
        let at = line.at.saturating_duration_since(started);
        ladder.push(Entry { at, from, to, label: line.label });
    }
    ladder
}

impl Story {
    fn text(&self) -> String {
        let mut text = String::from(
            "The caller dials, the application answers with a dial of three users at once:\n\
             demo-1 rings on, demo-2 answers, demo-3 is busy. demo-1 is told why it lost.\n\n",
        );
        text.push_str(&self.ladder.to_string());
        text.push('\n');
        for summary in self.summaries.iter().filter(|summary| summary.packets > 0) {
            text.push_str(&format!("{}\n", summary.sentence()));
        }
        text.push_str("\nWhat the actionHook /dial-done was told:\n");
        match &self.result {
            Some(result) => text.push_str(&format!("{result:#}\n")),
            None => text.push_str("nothing; it was not asked\n"),
        }
        text
    }

    /// Bridged, with audio both ways.
    fn verdict(&self) -> Result<(), String> {
        let result = self.result.as_ref().ok_or("the actionHook was not asked")?;
        if result["dial_status"] != "completed" {
            return Err(format!("expected dial_status completed, got {}", result["dial_status"]));
        }
        for name in ["caller", "demo-2"] {
            let summary = self.summaries.iter().find(|summary| summary.name == name);
            if !summary.is_some_and(Summary::heard_its_peer) {
                return Err(format!("{name} did not hear the other side"));
            }
        }
        Ok(())
    }
}
