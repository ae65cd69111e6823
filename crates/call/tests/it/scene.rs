//! The usual scene: a caller behind a carrier, callees that SIP URIs name, one application.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use call::LegId;
use call::settings::{Application as Configured, Settings};
use serde_json::{Value, json};
use sip::Transport;
use testkit::{
    Answer, Application, Asked, Callee, Caller, MediaFact, Note, Outcome, Phone, Script, Weather,
    World, WorldConfig, carrier_settings,
};

/// Longest that any test runs, in virtual time.
const LONGEST: Duration = Duration::from_secs(400);

pub(crate) const CALLER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1)), 5060);

/// Where callee `number` (from 1) is.
pub(crate) fn callee_address(number: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 2, number)), 5060)
}

/// A target that reaches callee `number`.
pub(crate) fn target(number: u8) -> Value {
    json!({ "type": "sip", "sipUri": format!("sip:b{number}@{}", callee_address(number)) })
}

/// `seconds`, with fractions.
pub(crate) fn s(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Rings after 0.1 s and ends like this.
pub(crate) fn rings(outcome: Outcome) -> Callee {
    Callee { rings: Some(s(0.1)), early_media: None, outcome, hangs_up: None }
}

/// Rings and answers after so many seconds.
pub(crate) fn answers(after: f64) -> Callee {
    rings(Outcome::Answers(s(after)))
}

/// Rings and refuses after so many seconds.
pub(crate) fn refuses(status: u16, after: f64) -> Callee {
    rings(Outcome::Refuses(status, s(after)))
}

/// Rings until it is cancelled.
pub(crate) fn waits() -> Callee {
    rings(Outcome::Waits)
}

/// A caller that waits for what comes.
pub(crate) fn patient() -> Caller {
    Caller {
        calls: "sip:+4930999888@10.0.0.1".to_owned(),
        from: "\"Anna\" <sip:+491701234567@10.0.1.1>".to_owned(),
        headers: Vec::new(),
        max_forwards: 70,
        cancels: None,
        hangs_up: None,
    }
}

/// A scene under construction.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) config: WorldConfig,
    pub(crate) caller: Caller,
    pub(crate) callees: Vec<Callee>,
    /// What everybody speaks.
    pub(crate) transport: Transport,
}

impl Scene {
    /// An application that answers this list, and no callees yet.
    pub(crate) fn running(list: &Value) -> Scene {
        let application =
            Application::default().answering("http://application.test/incoming", text(list));
        let settings = carrier_settings(CALLER.ip(), callee_address(1));
        let config = WorldConfig { seed: 1, weather: Weather::FAIR, settings, application };
        Scene { config, caller: patient(), callees: Vec::new(), transport: Transport::Udp }
    }

    /// A dial of these callees with `answerOnBridge` and the actionHook `/done`, and what is
    /// merged over it.
    pub(crate) fn dialling(callees: Vec<Callee>, more: &Value) -> Scene {
        let mut scene = Scene::running(&json!([dial(callees.len(), more)]));
        scene.callees = callees;
        scene
    }

    pub(crate) fn caller(mut self, caller: Caller) -> Scene {
        self.caller = caller;
        self
    }

    pub(crate) fn callees(mut self, callees: Vec<Callee>) -> Scene {
        self.callees = callees;
        self
    }

    pub(crate) fn answering(mut self, url: &str, answer: Answer) -> Scene {
        self.config.application = self.config.application.answering(url, answer);
        self
    }

    /// The settings, to be changed.
    pub(crate) fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Scene {
        change(&mut self.config.settings);
        self
    }

    /// The application, to be changed.
    pub(crate) fn application(self, change: impl FnOnce(&mut Configured)) -> Scene {
        self.settings(|settings| change(Arc::make_mut(&mut settings.applications[0])))
    }

    /// The callees are there; nobody calls yet.
    pub(crate) fn without_caller(self) -> World {
        let seed = self.config.seed;
        let mut world = World::new(self.config).over(self.transport);
        for (index, callee) in self.callees.into_iter().enumerate() {
            let number = u8::try_from(index + 1).unwrap();
            let script = Script::Callee(callee);
            let name = format!("B{number}");
            let seed = seed ^ (0xB00 + u64::from(number));
            world.add(Phone::new(&name, callee_address(number), script, seed));
        }
        world
    }

    /// Everybody is there; nobody calls yet.
    pub(crate) fn before_the_call(self) -> World {
        let (caller, seed) = (self.caller.clone(), self.config.seed);
        let mut world = self.without_caller();
        world.add(Phone::new("A", CALLER, Script::Caller(caller), seed ^ 0xA));
        world
    }

    /// The call is made; nothing has been delivered yet.
    pub(crate) fn begin(self) -> World {
        let mut world = self.before_the_call();
        world.call("A");
        world
    }

    /// The call from its beginning until nothing is left of it.
    pub(crate) fn play(self) -> World {
        let mut world = self.begin();
        finish(&mut world);
        world
    }
}

/// Runs to the end and checks that nothing is left over.
pub(crate) fn finish(world: &mut World) {
    assert!(world.run_until_quiet(LONGEST), "not quiet after {LONGEST:?}");
    let dials = world.application.asked_at("/done").len();
    testkit::check(world, "/done", dials).unwrap();
}

/// A dial of the first `count` callees.
pub(crate) fn dial(count: usize, more: &Value) -> Value {
    let numbers = (1..=count).map(|number| u8::try_from(number).unwrap());
    let targets: Vec<Value> = numbers.map(target).collect();
    let mut verb = json!({
        "verb": "dial", "actionHook": "/done", "answerOnBridge": true, "target": targets
    });
    for (name, value) in more.as_object().unwrap() {
        verb[name] = value.clone();
    }
    verb
}

/// A target that reaches callee 1 through the carrier.
pub(crate) fn phone(number: &str) -> Value {
    json!({ "type": "phone", "number": number })
}

/// A caller that hangs up so many seconds after its answer.
pub(crate) fn hangs_up(after: f64) -> Caller {
    Caller { hangs_up: Some(s(after)), ..patient() }
}

/// A caller that gives up after so many seconds.
pub(crate) fn cancels(after: f64) -> Caller {
    Caller { cancels: Some(s(after)), ..patient() }
}

/// Answers after so many seconds, and hangs up so long after.
pub(crate) fn talks(after: f64, hangs_up: f64) -> Callee {
    Callee { hangs_up: Some(s(hangs_up)), ..answers(after) }
}

/// Two moments in seconds are the same, but for the network.
#[track_caller]
pub(crate) fn assert_near(got: f64, expected: f64) {
    assert!((got - expected).abs() < 0.05, "at {got} s, expected {expected} s");
}

/// The alerts, as `type: message`.
pub(crate) fn alerts(world: &World) -> Vec<String> {
    let alerts = world.alerts.iter();
    alerts.map(|alert| format!("{}: {}", alert.alert_type, alert.message)).collect()
}

/// A list as the answer of a hook.
pub(crate) fn text(list: &Value) -> Answer {
    Answer::List(list.to_string())
}

/// The one payload that the actionHook got.
pub(crate) fn result(world: &World) -> &Value {
    let asked: Vec<&Asked> = world.application.asked_at("/done");
    assert_eq!(asked.len(), 1, "the actionHook is asked once");
    &asked[0].payload
}

/// Seconds of virtual time until the phone first saw this.
pub(crate) fn saw_at(world: &World, phone: &str, note: &Note) -> f64 {
    let at = world.phone(phone).when(note);
    at.unwrap_or_else(|| panic!("{phone} never saw {note:?}"))
        .duration_since(world.start)
        .as_secs_f64()
}

/// What the caller of the only call was given to hear, in order.
pub(crate) fn heard(world: &World) -> Vec<String> {
    let caller = LegId::CALLER;
    let facts = world.media.iter().filter_map(|fact| match fact {
        MediaFact::Ringback(_, leg, country) if *leg == caller => Some(format!("tone {country}")),
        MediaFact::Bridged(_, leg, callee) if *leg == caller => Some(callee.to_string()),
        MediaFact::Silence(_, leg) if *leg == caller => Some("nothing".to_owned()),
        _ => None,
    });
    facts.collect()
}
