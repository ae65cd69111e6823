//! The application side: answers hooks as scripted, remembers what it was asked and told.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use call::HookRequest;
use serde_json::Value;

/// What the application answers to a hook.
#[derive(Clone, Debug)]
pub enum Answer {
    /// This JSON text.
    List(String),
    /// Success without a body.
    Empty,
    /// It cannot be reached.
    Fails,
    /// It answers this HTTP status, which is none of success.
    Status(u16),
}

/// One request that it got.
#[derive(Clone, Debug)]
pub struct Asked {
    /// When.
    pub at: Instant,
    /// URL as the switch was told it.
    pub url: String,
    /// What it sent.
    pub payload: Value,
}

/// A scripted application.
#[derive(Clone, Debug, Default)]
pub struct Application {
    answers: BTreeMap<String, Vec<Answer>>,
    /// How long each answer takes.
    pub thinks: Duration,
    /// How long the answers of one URL take, where it is not as long.
    pub thinks_at: BTreeMap<String, Duration>,
    /// Hooks that were asked, in order.
    pub asked: Vec<Asked>,
    /// What each of them was answered.
    pub answered: Vec<Answer>,
    /// Status events, in order.
    pub told: Vec<Value>,
}

impl Application {
    /// Answers this to the given hook; the last answer of a URL is repeated.
    #[must_use]
    pub fn answering(mut self, url: &str, answer: Answer) -> Application {
        self.answers.entry(url.to_owned()).or_default().push(answer);
        self
    }

    /// Takes a request and gives its answer. A URL without a script is answered empty.
    pub fn ask(&mut self, at: Instant, request: &HookRequest) -> Answer {
        let url = request.hook.url.clone();
        let answer = match self.answers.get_mut(&url) {
            None => Answer::Empty,
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
        };
        let payload = request.payload.clone();
        self.asked.push(Asked { at, url, payload });
        self.answered.push(answer.clone());
        answer
    }

    /// How long the answer of this URL takes.
    pub fn thinking(&self, url: &str) -> Duration {
        self.thinks_at.get(url).copied().unwrap_or(self.thinks)
    }

    /// Requests of this URL.
    pub fn asked_at(&self, url: &str) -> Vec<&Asked> {
        self.asked.iter().filter(|asked| asked.url == url).collect()
    }

    /// Status events of one call, as `status/code`.
    pub fn statuses_of(&self, call_sid: &str) -> Vec<String> {
        let of_call = self.told.iter().filter(|event| event["call_sid"] == call_sid);
        of_call
            .map(|event| {
                let status = event["call_status"].as_str().unwrap_or("?");
                format!("{status}/{}", event["sip_status"])
            })
            .collect()
    }

    /// `call_sid`s with a status event, children only or parents only, in order of appearance.
    pub fn calls(&self, children: bool) -> Vec<String> {
        let mut sids: Vec<String> = Vec::new();
        for event in &self.told {
            let is_child = event.get("parent_call_sid").is_some();
            let sid = event["call_sid"].as_str().unwrap_or("?").to_owned();
            if is_child == children && !sids.contains(&sid) {
                sids.push(sid);
            }
        }
        sids
    }
}
