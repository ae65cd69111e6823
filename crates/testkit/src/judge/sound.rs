//! What must hold of what is heard: a port is used while it is open, all audio ends once, the
//! winner and its caller hear each other and nobody else does.

use std::collections::{BTreeMap, BTreeSet};

use call::{CallKey, Input, LegId, Media, PlayEnd, PlayId, Repeat};

use super::crossings::Crossing;
use super::{Awaited, Judge};

type Leg = (CallKey, LegId);

/// The ports of all calls, and what is heard through them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sounds {
    open: BTreeSet<Leg>,
    /// Closed since the switch was last told something.
    just_closed: BTreeSet<Leg>,
    /// Audio that was asked for and has not ended, and whether it would go on for ever.
    plays: BTreeMap<(CallKey, PlayId), (LegId, bool)>,
    /// Audio without end to a caller that was connected just now.
    music: Vec<(CallKey, PlayId)>,
    /// Which leg a leg hears.
    hears: BTreeMap<Leg, LegId>,
}

impl Sounds {
    pub(super) fn is_open(&self, leg: Leg) -> bool {
        self.open.contains(&leg)
    }

    /// Whoever this leg hears, or is heard by.
    pub(super) fn connected(&self, (key, leg): Leg) -> Option<LegId> {
        let heard_by =
            |((of, other), heard): (&Leg, &LegId)| (*of == key && *heard == leg).then_some(*other);
        let hears = self.hears.get(&(key, leg)).copied();
        hears.or_else(|| self.hears.iter().find_map(heard_by))
    }

    /// This caller is connected: what it heard meanwhile has to end.
    pub(super) fn note_bridge(&mut self, key: CallKey, caller: LegId) {
        let to_caller = |((of, _), (to, forever)): &(&(CallKey, PlayId), &(LegId, bool))| {
            *of == key && *to == caller && *forever
        };
        self.music.extend(self.plays.iter().filter(to_caller).map(|(play, _)| *play));
    }

    fn needs(&self, leg: Leg, what: &str) -> Result<(), String> {
        match self.is_open(leg) {
            true => Ok(()),
            false => Err(format!("{what} for {} of {:?}, whose port is not open", leg.1, leg.0)),
        }
    }
}

impl Judge {
    /// The switch wants something of the audio.
    pub(super) fn media(&mut self, key: CallKey, media: &Media) -> Result<(), String> {
        let sounds = &mut self.sounds;
        match media {
            Media::Open(leg, _) => {
                if self.awaited == Some(Awaited::Name(key, *leg)) {
                    self.awaited = None;
                }
                self.call(key).opening |= *leg == LegId::CALLER;
                Ok(())
            }
            Media::Adopt(leg, (from, before)) => {
                sounds.needs((*from, *before), "a move")?;
                self.moved((*from, *before), (key, *leg))
            }
            Media::Close(leg) => self.closed((key, *leg)),
            Media::Play { to, play, audio, .. } => {
                sounds.needs((key, *to), "audio")?;
                let forever = audio.repeat == Repeat::Forever;
                match sounds.plays.insert((key, *play), (*to, forever)) {
                    None => Ok(()),
                    Some(_) => Err(format!("{play:?} is played twice")),
                }
            }
            Media::StopPlay(leg, play) => match sounds.plays.remove(&(key, *play)) {
                Some((to, _)) if to == *leg => Ok(()),
                None if sounds.just_closed.contains(&(key, *leg)) => Ok(()),
                _ => Err(format!("{play:?} is stopped for {leg}, which does not hear it")),
            },
            Media::Bridge(one, two) => {
                sounds.needs((key, *one), "a bridge")?;
                sounds.needs((key, *two), "a bridge")?;
                sounds.hears.insert((key, *one), *two);
                sounds.hears.insert((key, *two), *one);
                self.bridged(key, *one, *two)
            }
            // why: it says nothing that the end of the leg has not said.
            Media::Silence(leg) if sounds.just_closed.contains(&(key, *leg)) => Ok(()),
            Media::Ringback(leg, _) | Media::Silence(leg) => {
                sounds.hears.remove(&(key, *leg));
                sounds.needs((key, *leg), "a tone or silence")?;
                if self.call(key).onward {
                    // why: who referred the other party stays, to hear what comes of that.
                    self.leaves_bridge((key, *leg));
                }
                Ok(())
            }
            Media::SetRemote(leg, _) => sounds.needs((key, *leg), "an address"),
            Media::SendKeys(leg, ..) => sounds.needs((key, *leg), "keys"),
            Media::Mute(leg, _) => sounds.needs((key, *leg), "a mute"),
            Media::Boost(leg, _) => sounds.needs((key, *leg), "a gain"),
        }
    }

    /// A leg goes on in another call, with its port: as the caller of a new one, or joined to the
    /// caller of another. Whatever it hears ends.
    fn moved(&mut self, from: Leg, to: Leg) -> Result<(), String> {
        let sounds = &mut self.sounds;
        sounds.plays.retain(|(of, _), (leg, _)| (*of, *leg) != from);
        sounds
            .hears
            .retain(|(of, hearer), heard| *of != from.0 || (*hearer != from.1 && *heard != from.1));
        sounds.open.remove(&from);
        sounds.just_closed.insert(from);
        sounds.open.insert(to);
        self.leaves_bridge(from);
        let alone = !self.calls.contains_key(&to.0);
        let Some(call_sid) = self.relabel(from, to, alone) else {
            return Err(format!("{} of {:?} moves, and never answered", from.1, from.0));
        };
        self.lives_on(&call_sid, to.0, alone);
        if !alone {
            self.joined.insert(to);
            self.meter.count(Crossing::PartnersJoined);
            return Ok(());
        }
        let transferred = std::mem::take(&mut self.call(from.0).heir_is_transferred);
        self.is_about(&call_sid)?;
        self.meter.count(Crossing::CalleeGoesAlone);
        let call = self.call(to.0);
        (call.onward, call.caller_sid) = (true, Some(call_sid));
        (call.keeps_silent, call.unscreened) = (transferred, transferred);
        Ok(())
    }

    /// Whoever won has left; the result may be told after that.
    fn leaves_bridge(&mut self, (key, leg): Leg) {
        let call = self.call(key);
        if call.winner == Some(leg) {
            (call.winner, call.bridge, call.last_winner) = (None, None, Some(leg));
        }
    }

    fn closed(&mut self, (key, leg): Leg) -> Result<(), String> {
        let sounds = &mut self.sounds;
        sounds.needs((key, leg), "an end")?;
        sounds.open.remove(&(key, leg));
        sounds.just_closed.insert((key, leg));
        let before = sounds.plays.len();
        sounds.plays.retain(|(of, _), (to, _)| (*of, *to) != (key, leg));
        let cut_short = sounds.plays.len() < before;
        sounds.hears.retain(|(of, hearer), heard| *of != key || (*hearer != leg && *heard != leg));
        if cut_short {
            self.meter.count(Crossing::SoundCutShort);
        }
        self.leaves_bridge((key, leg));
        self.screening_ends(key, leg);
        Ok(())
    }

    /// The switch is told something of the audio.
    pub(super) fn heard_of_sound(&mut self, key: CallKey, input: &Input) {
        match input {
            Input::MediaOpened(leg, _) => {
                self.sounds.open.insert((key, *leg));
                match *leg {
                    LegId::CALLER => self.call(key).opening = false,
                    leg => self.awaited = Some(Awaited::Port(key, leg)),
                }
            }
            Input::MediaRefused(..) => {
                self.call(key).opening = false;
                self.meter.count(Crossing::PortRefused);
            }
            Input::MediaTimeout(_) => self.meter.count(Crossing::MediaStops),
            Input::Played(_, play, end) => {
                if self.sounds.plays.remove(&(key, *play)).is_none() {
                    self.meter.count(Crossing::SoundEndsAsItIsStopped);
                } else if matches!(end, PlayEnd::Failed(_)) {
                    self.meter.count(Crossing::SoundCannotBeHad);
                }
            }
            Input::Key(leg, ..) => self.key(key, *leg),
            _ => {}
        }
    }

    fn key(&mut self, key: CallKey, leg: LegId) {
        let call = self.calls.entry(key).or_default();
        let bridge_over = call.winner.is_none() && call.results > 0;
        if self.screenings.contains_key(&(key, leg)) {
            self.meter.count(Crossing::KeyWhileScreened);
        } else if bridge_over || !self.sounds.is_open((key, leg)) {
            self.meter.count(Crossing::KeyAfterBridge);
        }
    }

    /// Who hears whom, once the switch has done all that it wants to: the winner and its caller
    /// each other.
    pub(super) fn hearing_settled(&mut self) -> Result<(), String> {
        self.sounds.just_closed.clear();
        for play in std::mem::take(&mut self.sounds.music) {
            if self.sounds.plays.contains_key(&play) {
                return Err(format!("{:?} sounds on, and its caller is connected", play.1));
            }
        }
        let sounds = &self.sounds;
        for (key, call) in &mut self.calls {
            call.last_winner = None;
            let Some((caller, winner)) = call.bridge else {
                call.holders.clear();
                continue;
            };
            let is_open = |leg| sounds.is_open((*key, leg));
            if !is_open(winner) {
                // why: a dial without actionHook tells no result, and another may follow it.
                (call.winner, call.bridge) = (None, None);
            } else if is_open(caller) {
                let hears = |leg| sounds.hears.get(&(*key, leg)).copied();
                let (one, two) = (hears(caller), hears(winner));
                if (one, two) != (Some(winner), Some(caller)) {
                    return Err(format!(
                        "{winner} has won; the caller hears {one:?}, and the winner {two:?}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// No audio is left.
    pub(super) fn sound_at_rest(&self) -> Result<(), String> {
        match self.sounds.plays.first_key_value() {
            Some(((_, play), (to, _))) => Err(format!("{play:?} for {to} has never ended")),
            None => Ok(()),
        }
    }
}
