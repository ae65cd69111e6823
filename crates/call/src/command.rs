//! What a program asks of the switch: to begin a call, to change one. Each command gets exactly
//! one [`Reply`], at once or, for a new call, when its INVITE is on the wire or never will be.
//!
//! Owns whether a command can be carried out at all: what this version does, which application,
//! the limits that hold for every call. What follows is the call's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use verbs::callback::{Defaults, Direction, Speech};
use verbs::rest::{CreateCall, Update};
use verbs::{Dial, Target, TargetFrom};

use crate::call::{Call, Runs};
use crate::leg::origin::{HOPS, Origin, Placed};
use crate::route::Reaches;
use crate::settings::{Application, Decline};
use crate::switch::Switch;
use crate::verb::config::Session;
use crate::verb::list;

/// One command; its reply names it. Numbered by whoever gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommandId(pub u64);

/// What a program may ask for. Whoever may ask is an operator: hooks that a command names are
/// trusted as those of the configuration are.
#[derive(Debug)]
pub enum Command {
    /// Place a call.
    Create(Box<CreateCall>),
    /// Change a leg: a caller, or a callee of a dial from its first status event on.
    Update {
        /// UUID of the leg.
        call_sid: String,
        /// The change.
        update: Box<Update>,
    },
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The first INVITE of the new call is on the wire.
    Created {
        /// UUID of the call.
        call_sid: String,
        /// SIP Call-ID of that INVITE.
        call_id: String,
    },
    /// The change is being made.
    Accepted,
    /// The request was sent, and answered by this final SIP status.
    Responded {
        /// The status; 408 and 503 where no answer came.
        status: u16,
        /// Its reason phrase.
        reason: String,
    },
    /// It cannot be done.
    Refused {
        /// HTTP status: 400 the request is wrong, 404 no such call, 422 not in this state or not in
        /// this version, 480 nobody can be called now.
        status: u16,
        /// What, where, expected, got, remedy.
        msg: String,
    },
}

impl Reply {
    pub(crate) fn refused(status: u16, msg: impl Into<String>) -> Reply {
        Reply::Refused { status, msg: msg.into() }
    }
}

impl Switch {
    /// A program asks for something; the reply comes as
    /// [`Output::Reply`](crate::Output::Reply).
    pub fn handle_command(&mut self, now: Instant, id: CommandId, command: Command) {
        match command {
            Command::Create(create) => {
                if let Err(refusal) = self.create(now, id, *create) {
                    self.reply(id, refusal);
                }
            }
            Command::Update { call_sid, update } => {
                if let Some(reply) = self.update(now, &call_sid, &update, id) {
                    self.reply(id, reply);
                }
            }
        }
        self.work(now);
    }

    fn create(&mut self, now: Instant, id: CommandId, create: CreateCall) -> Result<(), Reply> {
        if let Some(property) = unsupported(&create) {
            let msg = format!("{property} is not supported by this version; leave it out");
            return Err(Reply::refused(400, msg));
        }
        let application = self.application_of(&create)?;
        if let Some(text) = &application.app_json {
            list::check(text, application.strict)
                .map_err(|fault| Reply::refused(400, format!("app_json: {fault}")))?;
        }
        let live = self.callers();
        self.admission
            .admit(now, live, &self.settings.limits)
            .map_err(|why| Reply::refused(480, why))?;
        let random = self.random_of_call();
        let dial = dial_of(&create);
        let tag = create.tag.clone();
        let session = Session {
            refer_hook: create.refer_hook.clone(),
            sip_request_hook: create.sip_request_within_dialog_hook.clone(),
            ..Session::default()
        };
        let origin = Origin::Placed(Box::new(placed(create, id)));
        let runs = Runs::Application(Arc::new(application));
        let settings = Arc::clone(&self.settings);
        let mut call = Call::new(origin, None, None, runs, settings, random);
        call.customer_data = tag;
        call.session = session;
        let key = self.insert(call, BTreeMap::new());
        self.step(now, key, |call, cx| call.place(cx, dial));
        Ok(())
    }

    /// The application of a request: the one it names, with what it says itself over it.
    fn application_of(&self, create: &CreateCall) -> Result<Application, Reply> {
        let mut application = match &create.application_sid {
            None => Application {
                sid: String::new(),
                name: String::new(),
                call_hook: None,
                call_status_hook: None,
                app_json: None,
                strict: false,
                default_hooks: false,
                decline: Decline::Last,
            },
            Some(sid) => {
                let named = self.settings.applications.iter().find(|known| known.sid == *sid);
                let named = named.ok_or_else(|| {
                    Reply::refused(400, format!("application_sid not found {sid}"))
                })?;
                Application::clone(named)
            }
        };
        if create.app_json.is_some() {
            application.app_json.clone_from(&create.app_json);
        } else if create.call_hook.is_some() {
            application.app_json = None;
        }
        if create.call_hook.is_some() {
            application.call_hook.clone_from(&create.call_hook);
        }
        if create.call_status_hook.is_some() {
            application.call_status_hook.clone_from(&create.call_status_hook);
        }
        Ok(application)
    }

    /// The reply, unless it comes later.
    fn update(
        &mut self,
        now: Instant,
        call_sid: &str,
        update: &Update,
        id: CommandId,
    ) -> Option<Reply> {
        let Some(key) = self.sids.get(call_sid).copied() else {
            return Some(Reply::refused(404, "no call with this call_sid is up"));
        };
        let mut reply = Some(Reply::refused(500, "a bug in the switch ended the call"));
        self.step(now, key, |call, cx| reply = call.update(cx, call_sid, update, id));
        reply
    }
}

/// The first property that is valid and has no effect yet: refused, not passed over.
fn unsupported(create: &CreateCall) -> Option<&'static str> {
    let Target { confirm_hook, delay, srtp, .. } = &create.to;
    let given = [
        ("answerOnBridge", create.answer_on_bridge),
        ("amd", create.amd.is_some()),
        ("dual_streams", create.dual_streams),
        ("record", create.record.is_some()),
        ("to.confirmHook", confirm_hook.is_some()),
        ("to.delay", !delay.is_zero()),
        ("to.srtp", srtp.is_some()),
    ];
    given.iter().find(|(_, given)| *given).map(|(name, _)| *name)
}

/// The dial that calls the caller of a new call.
fn dial_of(create: &CreateCall) -> Dial {
    let mut to = create.to.clone();
    if let Some(host) = &create.from_host {
        let from = to.from.get_or_insert_with(TargetFrom::default);
        from.host.get_or_insert_with(|| host.clone());
    }
    Dial {
        caller_name: create.caller_name.clone(),
        headers: create.headers.clone(),
        timeout: create.timeout,
        ..Dial::of(vec![to])
    }
}

fn placed(create: CreateCall, command: CommandId) -> Placed {
    let defaults = Defaults {
        synthesizer: Speech {
            vendor: create.speech_synthesis_vendor,
            label: create.speech_synthesis_label,
            language: create.speech_synthesis_language,
            voice: create.speech_synthesis_voice,
        },
        recognizer: Speech {
            vendor: create.speech_recognizer_vendor,
            label: create.speech_recognizer_label,
            language: create.speech_recognizer_language,
            voice: None,
        },
    };
    Placed {
        direction: Direction::Outbound,
        from: create.from,
        to: create.to.address().to_owned(),
        caller_name: create.caller_name,
        time_limit: create.time_limit,
        env_vars: create.env_vars,
        defaults,
        command: Some(command),
        sip_call_id: String::new(),
        reaches: Reaches::Address,
        parent_call_sid: None,
        hops: HOPS,
    }
}
