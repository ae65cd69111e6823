//! The loop: whatever happens goes into the switch, whatever comes out is carried out, and it
//! sleeps until the switch's next deadline.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use call::{CallKey, Input, LegId, PlayId};
use net::rtp::Event as MediaEvent;
use net::sip::{Inbox, Messages, Tcp, Udp};
use tokio::sync::mpsc;

use super::Gateway;
use super::shutdown::{Control, Drain};

/// When media commands that found no room are tried again.
const MEDIA_RETRY: Duration = Duration::from_millis(5);

impl Gateway {
    /// Runs until the drain that `control` begins has ended.
    ///
    /// # Errors
    /// The SIP socket failed for good.
    pub async fn run(mut self, mut control: mpsc::Receiver<Control>) -> Result<(), String> {
        let (mut inbox, mut messages) = (Inbox::new(), Messages::default());
        let mut drain = Drain::default();
        let mut watching = true;
        let result = loop {
            self.carry_out_all();
            // why: once a turn, because a wake is a system call and often a change of threads.
            self.media.wake();
            self.state.live_calls.store(self.switch.callers(), Ordering::Relaxed);
            let now = Instant::now();
            if drain.is_overdue(now) {
                drain.begin_or_hurry(now, self.drain, &mut self.switch);
                continue;
            }
            if drain.is_done(now, &self.switch) {
                break Ok(());
            }
            let retry = (!self.unsent.is_empty()).then(|| now + MEDIA_RETRY);
            self.keeper.alive(now);
            let alive = Some(self.keeper.deadline());
            let deadlines = [self.switch.poll_timeout(), drain.deadline(), retry, alive];
            let wake = deadlines.into_iter().flatten().min();
            let sleep = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                received = datagrams(self.udp.as_deref(), &mut inbox) => match received {
                    Ok(()) => self.take_datagrams(&inbox),
                    Err(error) => break Err(format!("the SIP socket failed: {error}")),
                },
                () = streams(self.tcp.as_mut(), &mut messages) => self.take_messages(&messages),
                Some((key, input)) = self.inputs.recv() => self.take(key, input),
                Some(event) = self.media_events.recv() => self.take_media_event(event),
                Some(fetched) = self.player.fetched() => self.sound_fetched(fetched),
                told = control.recv(), if watching => match told {
                    Some(told) => self.take_control(told, &mut drain),
                    None => watching = false,
                },
                Some(asked) = self.asks.recv() => self.answer(asked),
                () = sleep => self.switch.handle_timeout(Instant::now()),
            }
        };
        self.end().await;
        result
    }

    fn take_datagrams(&mut self, inbox: &Inbox) {
        let now = Instant::now();
        for (flow, datagram) in inbox.datagrams() {
            self.switch.handle_datagram(now, flow, datagram);
            self.carry_out_all();
        }
        for flow in inbox.failed() {
            self.switch.handle_transport_error(now, *flow);
        }
    }

    fn take_messages(&mut self, arrived: &Messages) {
        let now = Instant::now();
        for (flow, message) in &arrived.messages {
            self.switch.handle_datagram(now, *flow, message);
            self.carry_out_all();
        }
        for flow in &arrived.failed {
            self.switch.handle_transport_error(now, *flow);
        }
    }

    pub(super) fn take(&mut self, key: CallKey, input: Input) {
        self.switch.handle_input(Instant::now(), key, input);
    }

    fn take_media_event(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::MediaTimeout { call, leg } => {
                self.take(CallKey(call), Input::MediaTimeout(LegId(leg.0)));
            }
            MediaEvent::Digit { call, leg, digit, duration } => {
                self.take(CallKey(call), Input::Key(LegId(leg.0), digit, duration));
            }
            MediaEvent::Played { call, leg, id, .. } => {
                self.sound_ended(CallKey(call), LegId(leg.0), PlayId(id.0));
            }
            MediaEvent::DigitsSent { call, leg, .. } => {
                self.take(CallKey(call), Input::KeysSent(LegId(leg.0)));
            }
            MediaEvent::Failed { call, reason } => {
                tracing::error!(call, reason, "the media of a call failed; ending the call");
                self.take(CallKey(call), Input::End);
            }
            MediaEvent::PortsFreed(ports) => {
                let now = Instant::now();
                for port in ports {
                    self.ports.release(now, port);
                }
            }
        }
    }

    fn take_control(&mut self, told: Control, drain: &mut Drain) {
        let now = Instant::now();
        match told {
            Control::End => {
                self.state.draining.store(true, Ordering::Relaxed);
                drain.begin_or_hurry(now, self.drain, &mut self.switch);
            }
        }
    }

    /// Tells what is still to be told, and lets go.
    async fn end(self) {
        let told = self.status_queue.drain(hooks::TOTAL_TIMEOUT).await;
        if !told {
            tracing::warn!("status events were still waiting for the application; given up");
        }
        self.http_stop.cancel();
        self.keeper.end(hooks::TOTAL_TIMEOUT).await;
        self.workers.stop();
    }
}

/// [`Udp::receive`], for ever where there is no UDP.
async fn datagrams(udp: Option<&Udp>, inbox: &mut Inbox) -> std::io::Result<()> {
    match udp {
        Some(udp) => udp.receive(inbox).await,
        None => std::future::pending().await,
    }
}

/// [`Tcp::receive`], for ever where there is no TCP.
async fn streams(tcp: Option<&mut Tcp>, messages: &mut Messages) {
    match tcp {
        Some(tcp) => tcp.receive(messages).await,
        None => std::future::pending().await,
    }
}
