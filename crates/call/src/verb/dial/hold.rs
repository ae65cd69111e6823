//! Hold: a party of a bridge that does not want to hear the other one, and what the other one
//! hears meanwhile: verbs of the onHoldHook, music, or what the party that holds sends itself.
//!
//! That a party holds is read off what was negotiated last with it: we may not send to it.

use sip::Message;
use verbs::callback::HoldChanged;
use verbs::{Hook, Verb};

use crate::call::{Call, Context};
use crate::effect::{Audio, PlayId, Repeat};
use crate::hook::{Why, empty_list};
use crate::input::PlayEnd;
use crate::leg::LegId;
use crate::timer::Timer;
use crate::verb::play::Playlist;

/// A party that holds the other.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    /// Who holds, and whom.
    holder: LegId,
    held: LegId,
    /// What the onHoldHook is told of it.
    detail: HoldChanged,
    /// Verbs of the onHoldHook that are left.
    list: Vec<Verb>,
    /// The play that runs, and what of it sounds.
    playlist: Option<Playlist>,
    /// Music that nobody had to be asked for.
    music: Option<PlayId>,
    /// Something of the list took time, so that asking for it again is no endless loop.
    lasted: bool,
}

impl Call {
    /// What was agreed with a leg may have changed: it holds, or it does no more.
    pub(crate) fn note_hold(&mut self, cx: Context<'_>, id: LegId, request: Option<&Message>) {
        let Some(held) = self.bridged_with(id) else { return };
        let negotiated = if id == self.caller.id {
            self.caller.negotiated
        } else {
            self.legs.get(&id).and_then(|leg| leg.negotiated)
        };
        let holds = negotiated.is_some_and(|negotiated| !negotiated.direction.sends());
        match (holds, self.hold_by(id).is_some()) {
            (true, false) => self.begin_hold(cx, id, held, request),
            (false, true) => self.end_hold(id),
            _ => {}
        }
    }

    /// Two parties were connected: one that held before, whoever it was connected to, holds now.
    pub(crate) fn go_on_holding(&mut self, cx: Context<'_>, winner: LegId) {
        if self.caller.holds {
            let invite = self.caller.origin.request().cloned();
            self.note_hold(cx, self.caller.id, invite.as_ref());
        }
        if self.legs.get(&winner).is_some_and(|leg| leg.holds) {
            self.note_hold(cx, winner, None);
        }
    }

    fn hold_by(&mut self, holder: LegId) -> Option<&mut Hold> {
        self.dial.as_mut()?.holds.iter_mut().find(|hold| hold.holder == holder)
    }

    /// The hold under which this party is.
    fn hold_of(&mut self, held: LegId) -> Option<&mut Hold> {
        let holder = self.bridged_with(held)?;
        self.hold_by(holder)
    }

    fn begin_hold(
        &mut self,
        cx: Context<'_>,
        holder: LegId,
        held: LegId,
        request: Option<&Message>,
    ) {
        let header = |name: &str| {
            let text = request.and_then(|request| request.header_text(name));
            text.map(|text| text.into_owned()).unwrap_or_default()
        };
        let detail = HoldChanged { from: header("From"), to: header("To") };
        let Some(dial) = self.dial.as_mut() else { return };
        let hook = dial.verb.on_hold_hook.clone();
        dial.holds.push(Hold {
            holder,
            held,
            detail,
            list: Vec::new(),
            playlist: None,
            music: None,
            lasted: true,
        });
        match hook {
            Some(_) => self.hold_on(cx, holder),
            None => self.play_hold_music(holder, held),
        }
    }

    fn play_hold_music(&mut self, holder: LegId, held: LegId) {
        let (url, trusted) = match (&self.session.on_hold_music, &self.settings.hold_music) {
            (Some(url), _) => (url.clone(), self.script.is_fixed && !self.session.is_foreign),
            (None, Some(url)) => (url.clone(), true),
            (None, None) => return,
        };
        let audio = Audio { url, repeat: Repeat::Forever, from_sample: 0, longest: None };
        let base = self.script.base.clone();
        let play = self.play(held, audio, trusted, base);
        if let Some(hold) = self.hold_by(holder) {
            hold.music = Some(play);
        }
    }

    fn end_hold(&mut self, holder: LegId) {
        let Some(dial) = self.dial.as_mut() else { return };
        let Some(at) = dial.holds.iter().position(|hold| hold.holder == holder) else { return };
        let hold = dial.holds.swap_remove(at);
        let listed = hold.playlist.as_ref().and_then(|playlist| playlist.playing);
        let playing = hold.music.or(listed);
        self.timers.disarm(Timer::Hold(holder));
        if let Some(play) = playing {
            self.stop_playing(hold.held, play);
        }
    }

    /// The bridge ends: nobody is held any more.
    pub(crate) fn end_holds(&mut self) {
        let Some(dial) = self.dial.as_ref() else { return };
        let holders: Vec<LegId> = dial.holds.iter().map(|hold| hold.holder).collect();
        for holder in holders {
            self.end_hold(holder);
        }
    }

    /// The next verb for the party that is held; at the end the hook is asked again.
    pub(crate) fn hold_on(&mut self, cx: Context<'_>, holder: LegId) {
        let Some(held) = self.bridged_with(holder) else { return };
        loop {
            let Some(hold) = self.hold_by(holder) else { return };
            if let Some(next) = hold.playlist.as_mut().and_then(Playlist::next) {
                // why: what a hook answers is not what the operator wrote.
                let base = self.script.base.clone();
                let play = self.play(held, next, false, base);
                if let Some(playlist) = self.hold_by(holder).and_then(|hold| hold.playlist.as_mut())
                {
                    playlist.playing = Some(play);
                }
                return;
            }
            hold.playlist = None;
            if hold.list.is_empty() {
                return self.ask_on_hold(holder);
            }
            match hold.list.remove(0) {
                Verb::Play(play) => hold.playlist = Some(Playlist::new(&play)),
                Verb::Pause(pause) => {
                    hold.lasted = true;
                    return self.timers.arm(Timer::Hold(holder), cx.now + pause.length);
                }
                other => {
                    let what = format!("the verb {} while a party is held", other.name());
                    self.not_supported("onHoldHook", &what);
                }
            }
        }
    }

    fn ask_on_hold(&mut self, holder: LegId) {
        let hook: Option<Hook> = self.dial.as_ref().and_then(|d| d.verb.on_hold_hook.clone());
        let Some(hold) = self.hold_by(holder) else { return };
        if !std::mem::take(&mut hold.lasted) {
            return;
        }
        let detail = hold.detail.clone();
        let payload = self.info_of(self.caller.id).payload(&detail);
        if let Some(hook) = hook {
            self.ask_aside(hook, payload, Why::Hold(holder));
        }
    }

    /// The onHoldHook answered.
    pub(crate) fn hold_reply(&mut self, cx: Context<'_>, holder: LegId, reply: Option<String>) {
        let Some(text) = reply.filter(|text| !empty_list(text)) else { return };
        if self.hold_by(holder).is_none() {
            // why: it came back in the meantime.
            return;
        }
        // why: a fault was said as an alert; the party hears what it heard.
        let Ok(verbs) = self.parse(&text) else { return };
        if let Some(hold) = self.hold_by(holder) {
            hold.list = verbs;
        }
        self.hold_on(cx, holder);
    }

    /// Audio for a party that is held has ended; false where it is other audio.
    pub(crate) fn hold_played(
        &mut self,
        cx: Context<'_>,
        held: LegId,
        id: PlayId,
        end: &PlayEnd,
    ) -> bool {
        let Some(hold) = self.hold_of(held) else { return false };
        if hold.music == Some(id) {
            hold.music = None;
            return true;
        }
        let holder = hold.holder;
        let Some(playlist) = hold.playlist.as_mut().filter(|list| list.playing == Some(id)) else {
            return false;
        };
        hold.lasted |= playlist.note(end);
        self.hold_on(cx, holder);
        true
    }
}
