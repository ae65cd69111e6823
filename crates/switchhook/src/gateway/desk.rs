//! Where REST meets the loop: questions and commands go in, each gets its answer.
//!
//! The HTTP side holds a [`Desk`], the loop the other end. A question waits for room for a moment
//! and is refused after that: no program can make calls wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{Contact, Created, Refusal, Registered, Updated};
use call::{Alert, Command, CommandId, Reply, Settings};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use verbs::rest::Update;

use super::Gateway;
use super::call_list::Listed;
use super::meter::Levels;

/// Questions that may wait for the loop.
const ASKED_MAX: usize = 256;

/// Longest wait for room, and then for an answer: a new call is answered when its INVITE is on the
/// wire, which a look-up in the DNS may delay.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// One question, and where its answer goes.
#[derive(Debug)]
pub(super) enum Asked {
    Command(Command, oneshot::Sender<Reply>),
    Alert(Alert),
    Calls(oneshot::Sender<Listed>),
    Registrations(oneshot::Sender<Vec<Registered>>),
    Metrics(oneshot::Sender<String>),
    Settings(Arc<Settings>, oneshot::Sender<()>),
}

/// The end of the HTTP side.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    asked: mpsc::Sender<Asked>,
}

/// Commands whose reply is still to come.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    next: u64,
    replies: BTreeMap<CommandId, oneshot::Sender<Reply>>,
}

/// Gives an answer. Whoever asked may have gone; then it is for nobody.
fn give<T>(to: oneshot::Sender<T>, answer: T) {
    let _gone = to.send(answer);
}

/// The loop did not answer: it ended, or has more to do than it can.
fn no_answer() -> Refusal {
    let msg = "the switch did not answer in time; it is ending or overloaded: try again";
    Refusal { status: 503, msg: msg.to_owned() }
}

impl Desk {
    /// A desk, and the end of it that the loop reads.
    pub(super) fn new() -> (Desk, mpsc::Receiver<Asked>) {
        let (asked, asks) = mpsc::channel(ASKED_MAX);
        (Desk { asked }, asks)
    }

    async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Asked,
    ) -> Result<T, Refusal> {
        let (sender, answer) = oneshot::channel();
        let asked = async {
            self.asked.send(question(sender)).await.ok()?;
            answer.await.ok()
        };
        let answered = tokio::time::timeout(ANSWER_MAX, asked).await;
        answered.ok().flatten().ok_or_else(no_answer)
    }

    pub(super) async fn create(&self, create: Command) -> Result<Created, Refusal> {
        match self.ask(|answer| Asked::Command(create, answer)).await? {
            Reply::Created { call_sid, call_id } => Ok(Created { sid: call_sid, call_id }),
            Reply::Refused { status, msg } => Err(Refusal { status, msg }),
            Reply::Accepted | Reply::Responded { .. } => {
                unreachable!("a call is created or refused")
            }
        }
    }

    pub(super) async fn update(
        &self,
        call_sid: String,
        update: Update,
    ) -> Result<Updated, Refusal> {
        let command = Command::Update { call_sid: call_sid.clone(), update: Box::new(update) };
        match self.ask(|answer| Asked::Command(command, answer)).await? {
            Reply::Refused { status: 404, msg } => {
                let listed = self.calls().await?;
                if listed.iter().any(|call| call["call_sid"] == call_sid) {
                    let msg = "the call has ended: nothing of it can be changed".to_owned();
                    return Err(Refusal { status: 422, msg });
                }
                Err(Refusal { status: 404, msg })
            }
            Reply::Refused { status, msg } => Err(Refusal { status, msg }),
            Reply::Responded { status, reason } => Ok(Updated::Responded { status, reason }),
            Reply::Accepted | Reply::Created { .. } => Ok(Updated::Accepted),
        }
    }

    /// Raises an alert; where the loop has no room for it, it goes to the log alone.
    pub(super) fn alert(&self, alert: Alert) {
        let text = alert.message.clone();
        if self.asked.try_send(Asked::Alert(alert)).is_err() {
            tracing::warn!("the loop is overloaded: an alert was not kept: {text}");
        }
    }

    pub(super) async fn calls(&self) -> Result<Vec<Value>, Refusal> {
        Ok(self.ask(Asked::Calls).await?.flat())
    }

    pub(super) async fn registrations(&self) -> Result<Vec<Registered>, Refusal> {
        self.ask(Asked::Registrations).await
    }

    pub(super) async fn metrics(&self) -> Result<String, Refusal> {
        self.ask(Asked::Metrics).await
    }

    /// Comes back when new calls go by these settings.
    pub(crate) async fn settings(&self, settings: Arc<Settings>) -> Result<(), String> {
        let put = self.ask(|done| Asked::Settings(settings, done)).await;
        put.map_err(|refusal| refusal.msg)
    }
}

impl Gateway {
    /// Answers one question, or has the switch answer it.
    pub(super) fn answer(&mut self, asked: Asked) {
        let now = Instant::now();
        match asked {
            Asked::Command(command, reply) => {
                let id = CommandId(self.waiting.next);
                self.waiting.next += 1;
                self.waiting.replies.insert(id, reply);
                self.switch.handle_command(now, id, command);
            }
            Asked::Alert(alert) => self.raise(&alert),
            Asked::Calls(answer) => give(answer, self.call_list.listed(now)),
            Asked::Registrations(answer) => give(answer, self.registered(now)),
            Asked::Metrics(answer) => give(answer, self.meter.text(&self.levels(now))),
            Asked::Settings(settings, done) => {
                self.switch.set_settings(settings);
                give(done, ());
            }
        }
    }

    /// The switch says what became of a command.
    pub(super) fn reply(&mut self, id: CommandId, reply: Reply) {
        if let Some(waiting) = self.waiting.replies.remove(&id) {
            give(waiting, reply);
        }
    }

    fn registered(&self, now: Instant) -> Vec<Registered> {
        let users = self.switch.registered(now);
        let described = |binding: sip::registrar::Binding| Contact {
            uri: binding.contact.uri.to_string(),
            protocol: binding.flow.transport.as_str().to_ascii_lowercase(),
            proxy: binding.flow.remote.to_string(),
            expires_at: self.keeper.at(binding.expires_at).as_millis(),
        };
        users
            .into_iter()
            .map(|(user, bindings)| Registered {
                user,
                contacts: bindings.into_iter().map(described).collect(),
            })
            .collect()
    }

    fn levels(&self, now: Instant) -> Levels {
        let alive = self.switch.alive();
        let journal = self.state.journal.health();
        Levels {
            calls: alive.callers,
            registrations: self.switch.registrations(now),
            transactions: alive.sip.transactions,
            dialogs: alive.sip.dialogs,
            turned_away: self.switch.turned_away(),
            rtp_ports_used: self.ports.used(),
            rtp_ports: self.ports.pairs(),
            journal_waiting: journal.waiting,
            degraded: journal.degraded.is_some(),
            draining: self.state.draining.load(std::sync::atomic::Ordering::Relaxed),
        }
    }
}
