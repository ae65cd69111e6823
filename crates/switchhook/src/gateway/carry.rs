//! What the switch wants done, done: messages sent, names resolved, ports opened, hooks asked.

use std::net::SocketAddr;
use std::time::Instant;

use call::{
    Alert, CallKey, Effect, HookFailure, HookId, HookRequest, Input, LegId, LegRecord, Media,
    Output,
};
use hooks::Request;
use media::{Digits, Gain};
use net::rtp::{Command, Move, SendError};
use serde_json::Value;
use sip::{Flow, Transmit, Transport};

use super::Gateway;

impl Gateway {
    /// Until the switch wants nothing more.
    pub(super) fn carry_out_all(&mut self) {
        self.send_unsent();
        while let Some(output) = self.switch.poll() {
            match output {
                Output::Transmit(transmit) => {
                    if let Err(error) = self.send(&transmit) {
                        self.not_sent(transmit.flow, &error);
                    }
                }
                Output::Call(key, effect) => self.carry_out(key, effect),
                Output::Bound { aor, bindings } => self.keeper.bound(aor, bindings),
                Output::Reply(id, reply) => self.reply(id, reply),
            }
        }
    }

    fn send(&mut self, transmit: &Transmit) -> std::io::Result<()> {
        match (transmit.flow.transport, &self.udp, &mut self.tcp) {
            (Transport::Udp, Some(udp), _) => udp.send(transmit),
            (Transport::Tcp, _, Some(tcp)) => tcp.send(transmit),
            _ => Err(std::io::ErrorKind::Unsupported.into()),
        }
    }

    fn not_sent(&mut self, flow: Flow, error: &std::io::Error) {
        if flow.transport.is_reliable() {
            // why: one peer could fill the log by not reading; what waited for an answer says so.
            tracing::debug!(remote = %flow.remote, %error, "a SIP message could not be sent");
        } else {
            tracing::warn!(remote = %flow.remote, %error, "a SIP message could not be sent");
        }
        // why: a full socket is SIP's own business, it repeats; anything else will not change.
        if error.kind() != std::io::ErrorKind::WouldBlock {
            self.switch.handle_transport_error(Instant::now(), flow);
        }
    }

    fn carry_out(&mut self, key: CallKey, effect: Effect) {
        match effect {
            Effect::Resolve { leg, host, port, transport } => {
                self.resolve((key, leg), host, port, transport);
            }
            Effect::Media(media) => self.media(key, media),
            Effect::Hook { hook, request } => self.ask(key, hook, &request),
            Effect::Status(request) => self.tell(key, &request),
            Effect::Alert(alert) => self.raise(&alert),
            Effect::Record(record) => self.record(*record),
            Effect::Over => {
                self.player.forget(key);
                self.send_media(Command::Close { call: key.0 });
                self.status_queue.finish(key.0);
            }
        }
    }

    fn resolve(
        &self,
        (key, leg): (CallKey, LegId),
        host: String,
        port: Option<u16>,
        transport: Option<Transport>,
    ) {
        let (ways, answers) = (self.ways.clone(), self.answers.clone());
        let resolver = self.resolver.clone();
        tokio::spawn(async move {
            let input = match ways.resolve(&resolver, &host, port, transport).await {
                Ok(ways) => Input::Resolved(leg, ways),
                Err(why) => Input::Unresolved(leg, why),
            };
            // why: an error means that the loop has ended and nobody waits any more.
            let _ended = answers.send((key, input)).await;
        });
    }

    fn media(&mut self, key: CallKey, media: Media) {
        let call = key.0;
        match media {
            Media::Open(leg, flow) => self.open(key, leg, flow),
            Media::SetRemote(leg, remote) => {
                self.send_media(Command::SetRemote { call, leg: leg.into(), remote: *remote });
            }
            Media::Bridge(one, two) => {
                self.send_media(Command::Bridge { call, x: one.into(), y: two.into() });
            }
            Media::Ringback(to, country) => {
                if let Some(tone) = media::tone::country(&country) {
                    self.send_media(Command::Ringback { call, to: to.into(), tone });
                }
            }
            Media::Silence(to) => self.send_media(Command::Silence { call, to: to.into() }),
            Media::Close(leg) => {
                self.nothing_to_play(key, leg);
                self.send_media(Command::CloseLeg { call, leg: leg.into() });
            }
            Media::Play { to, play, audio, base, trusted } => {
                self.play((key, to), play, *audio, base.as_deref(), trusted);
            }
            Media::StopPlay(leg, play) => self.stop_play(key, leg, play),
            Media::SendKeys(to, keys, length) => match Digits::parse(&keys) {
                Ok(digits) => {
                    self.send_media(Command::SendDigits { call, to: to.into(), digits, length });
                }
                Err(error) => {
                    tracing::warn!(%error, "keys that cannot be sent");
                    self.take(key, Input::KeysSent(to));
                }
            },
            Media::Adopt(leg, (from, was)) => {
                let moved = Move::new(from.0, was.into(), call, leg.into());
                self.send_media(Command::Move(moved));
            }
            Media::Mute(leg, muted) => {
                self.send_media(Command::Mute { call, leg: leg.into(), muted });
            }
            Media::Boost(leg, level) => {
                let gain = (!level.is_zero()).then(|| Box::new(Gain::new(level)));
                self.send_media(Command::Boost { call, leg: leg.into(), gain });
            }
        }
    }

    fn open(&mut self, key: CallKey, leg: LegId, flow: Flow) {
        let input = match self.ports.open(Instant::now()) {
            Err(error) => Input::MediaRefused(leg, error.to_string()),
            Ok(pair) => {
                let port = pair.port();
                let ip = self.media_address.unwrap_or(flow.local.ip());
                match self.media.put(Command::Open { call: key.0, leg: leg.into(), pair }) {
                    Ok(()) => Input::MediaOpened(leg, SocketAddr::new(ip, port)),
                    Err(error) => {
                        self.ports.release(Instant::now(), port);
                        Input::MediaRefused(leg, error.to_string())
                    }
                }
            }
        };
        if let Input::MediaRefused(_, why) = &input {
            tracing::error!("no RTP port for a call: {why}");
        }
        self.take(key, input);
    }

    /// Sends a command after those that still wait for room, never before them.
    pub(super) fn send_media(&mut self, command: Command) {
        self.unsent.push_back(command);
        self.send_unsent();
    }

    /// Hands the media threads what they had no room for; what is left waits on.
    pub(super) fn send_unsent(&mut self) {
        while let Some(command) = self.unsent.pop_front() {
            match self.media.put(command) {
                Ok(()) => {}
                Err(SendError::Full(command)) => return self.unsent.push_front(*command),
                Err(error @ SendError::Stopped(_)) => tracing::error!(%error),
            }
        }
    }

    /// An operator is to know of this.
    pub(super) fn raise(&mut self, alert: &Alert) {
        let Alert { alert_type, message, call_sid } = alert;
        tracing::warn!(alert_type, call_sid, "{message}");
        self.meter.alert(alert_type);
        self.keeper.alert(alert);
    }

    /// A leg began, changed, or is over.
    fn record(&mut self, record: LegRecord) {
        let (call_sid, trace_id) = (&record.call_sid, &record.trace_id);
        let parent = record.parent_call_sid.as_deref();
        let status = record.event.get("call_status").and_then(Value::as_str);
        let (from, sip_status) = (&record.from, record.sip_status);
        if record.ended_at.is_some() {
            self.meter.leg_ended(&record);
            let reason = record.termination_reason;
            tracing::info!(call_sid, parent, trace_id, status, sip_status, reason, "leg ended");
        } else if !self.keeper.knows(call_sid) {
            self.meter.leg_began(record.direction);
            // why: a target may be a URI with a password in it.
            let (trunk, to) = (&record.trunk, sip::redacted::text(&record.to));
            tracing::info!(call_sid, parent, trace_id, trunk, from, to, "leg began");
        } else {
            tracing::debug!(call_sid, parent, trace_id, status, sip_status, "leg changed");
        }
        let event = json_text(&record.event);
        self.call_list.take(Instant::now(), &record, &event);
        self.keeper.record(record, event);
    }

    fn ask(&mut self, key: CallKey, hook: HookId, request: &HookRequest) {
        let request = match prepared(request) {
            Ok(request) => request,
            Err(failure) => return self.take(key, Input::HookReply(hook, Err(failure))),
        };
        let (client, answers) = (self.hooks.clone(), self.answers.clone());
        let (meter, began) = (self.meter.clone(), Instant::now());
        tokio::spawn(async move {
            let asked = client.ask(&request).await;
            meter.hook(began.elapsed(), asked.as_ref().err().map(|error| error.alert_type()));
            let reply = match asked {
                Ok(reply) => Ok(reply.json),
                Err(error) => {
                    let status = match &error.failure {
                        hooks::Failure::Status { status } => Some(*status),
                        _ => None,
                    };
                    let (alert_type, message) = (error.alert_type(), error.to_string());
                    Err(HookFailure { alert_type, message, status })
                }
            };
            let _ended = answers.send((key, Input::HookReply(hook, reply))).await;
        });
    }

    fn tell(&self, key: CallKey, request: &HookRequest) {
        match prepared(request) {
            Ok(request) => {
                if self.status_queue.post(key.0, request).is_err() {
                    self.meter.event_dropped();
                    tracing::warn!(call = key.0, "too many status events wait; one was dropped");
                }
            }
            Err(failure) => tracing::warn!(alert_type = failure.alert_type, "{}", failure.message),
        }
    }
}

/// The request with its URL and credentials.
fn prepared(request: &HookRequest) -> Result<Request, HookFailure> {
    let body = json_text(&request.payload);
    Request::named_by_application(&request.hook, request.base.as_ref(), body)
        .map(|prepared| Request { trusted: prepared.trusted || request.trusted, ..prepared })
        .map_err(|error| HookFailure {
            alert_type: "webhook-failure",
            message: error.to_string(),
            status: None,
        })
}

/// The value as JSON. why not its `Display`: that takes half as long again.
fn json_text(value: &Value) -> String {
    serde_json::to_string(value).expect("a value has no keys but strings")
}
