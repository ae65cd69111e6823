//! `gather`: a prompt, and the keys that are pressed meanwhile and after it.
//!
//! [`Gathering`] is when the input is complete: a pure machine, told of keys, of the end of the
//! prompt and of time. The rest of the file runs it for a party.

use std::time::Duration;

use verbs::callback::{GatherReason, GatherResult};
use verbs::{Gather, GatherInput};

use crate::call::{Call, Context};
use crate::effect::PlayId;
use crate::hook::Why;
use crate::leg::LegId;
use crate::script::{Running, Stage};
use crate::timer::Timer;
use crate::verb::play::Playlist;

/// Longest wait for the first key without `timeout`.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Longest wait between keys without `interDigitTimeout`.
const INTER_DIGIT: Duration = Duration::from_secs(8);

/// Keys that are kept of one input.
const KEYS_MAX: usize = 128;

/// Why an input is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// Enough keys, or the key that ends it.
    Keys,
    /// Time.
    Timeout,
}

/// What is to be done after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Stop the prompt: its audio is not wanted any more.
    StopPrompt,
    /// Wait so long for the next key, and no longer.
    Wait(Duration),
    /// It is complete.
    Done(Done),
}

/// An input as it comes together.
#[derive(Clone, Debug)]
pub(crate) struct Gathering {
    verb: Gather,
    /// Keys so far.
    keys: String,
    /// What is left of the prompt; `None` once it has ended.
    pub(crate) prompt: Option<Playlist>,
}

impl Gathering {
    /// Waits for the first key, once the prompt has ended.
    pub(crate) fn new(verb: Gather, prompt: Option<Playlist>) -> Gathering {
        Gathering { verb, keys: String::new(), prompt }
    }

    /// A key was pressed.
    pub(crate) fn press(&mut self, key: char) -> Vec<Act> {
        let prompting = self.prompt.is_some();
        if prompting && !self.verb.listen_during_prompt.unwrap_or(true) {
            return Vec::new();
        }
        let mut acts = Vec::new();
        if prompting && self.verb.dtmf_bargein.unwrap_or(true) {
            acts.push(Act::StopPrompt);
        }
        if self.verb.finish_on_key.as_deref().is_some_and(|keys| keys.contains(key)) {
            acts.push(Act::Done(self.outcome()));
            return acts;
        }
        if self.keys.len() < KEYS_MAX {
            self.keys.push(key);
        }
        let pressed = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let most = self.verb.num_digits.or(self.verb.max_digits);
        if most.is_some_and(|most| pressed >= most) {
            acts.push(Act::Done(Done::Keys));
        } else {
            let between = self.verb.inter_digit_timeout.unwrap_or(INTER_DIGIT);
            acts.push(Act::Wait(between));
        }
        acts
    }

    /// The prompt has ended.
    pub(crate) fn prompted(&mut self) -> Vec<Act> {
        self.prompt = None;
        if !self.keys.is_empty() {
            // why: the wait for the next key runs already.
            return Vec::new();
        }
        match self.verb.timeout {
            Some(Duration::ZERO) => Vec::new(),
            timeout => vec![Act::Wait(timeout.unwrap_or(TIMEOUT))],
        }
    }

    /// The wait is over.
    pub(crate) fn waited(&mut self) -> Vec<Act> {
        if self.prompt.is_some() && self.keys.is_empty() {
            return Vec::new();
        }
        vec![Act::Done(self.outcome())]
    }

    /// Keys that are too few are none.
    fn outcome(&self) -> Done {
        let least = self.verb.min_digits.or(self.verb.num_digits).unwrap_or(1).max(1);
        let enough = u32::try_from(self.keys.len()).unwrap_or(u32::MAX) >= least;
        if enough { Done::Keys } else { Done::Timeout }
    }
}

impl Call {
    /// Starts a gather for a party.
    pub(crate) fn run_gather(
        &mut self,
        cx: Context<'_>,
        party: LegId,
        index: usize,
        gather: Gather,
    ) {
        if gather.input.iter().any(|input| matches!(input, GatherInput::Speech)) {
            self.not_supported(&format!("/{index}/input"), "speech in input");
        }
        for (name, given) in [
            ("say", gather.say.is_some()),
            ("partialResultHook", gather.partial_result_hook.is_some()),
        ] {
            if given {
                self.not_supported(&format!("/{index}/{name}"), &format!("the property {name}"));
            }
        }
        self.let_hear(cx, party, gather.play.as_ref().is_some_and(|play| play.early_media));
        let prompt = gather.play.as_ref().map(Playlist::new);
        let mut gathering = Gathering::new(gather, prompt);
        if gathering.prompt.is_some() {
            self.run(party, Running::Gather(Box::new(gathering)));
            self.prompt_on(cx, party);
        } else {
            let acts = gathering.prompted();
            self.run(party, Running::Gather(Box::new(gathering)));
            self.gather_acts(cx, party, acts);
        }
    }

    /// The next file of the prompt, or its end.
    pub(crate) fn prompt_on(&mut self, cx: Context<'_>, party: LegId) {
        let Some(gathering) = self.gathering(party) else { return };
        let next = gathering.prompt.as_mut().and_then(Playlist::next);
        if let Some(next) = next {
            let id = self.play_next(party, next, party);
            if let Some(prompt) = self.gathering(party).and_then(|g| g.prompt.as_mut()) {
                prompt.playing = Some(id);
            }
        } else if let Some(gathering) = self.gathering(party) {
            let acts = gathering.prompted();
            self.gather_acts(cx, party, acts);
        }
    }

    /// A key was pressed while a gather runs; false where none does.
    pub(crate) fn gather_key(&mut self, cx: Context<'_>, party: LegId, key: char) -> bool {
        let Some(gathering) = self.gathering(party) else { return false };
        let acts = gathering.press(key);
        self.gather_acts(cx, party, acts);
        true
    }

    /// The wait of a gather is over.
    pub(crate) fn gather_waited(&mut self, cx: Context<'_>, party: LegId) {
        let Some(gathering) = self.gathering(party) else { return };
        let acts = gathering.waited();
        self.gather_acts(cx, party, acts);
    }

    fn gathering(&mut self, party: LegId) -> Option<&mut Gathering> {
        match &mut self.script(party)?.stage {
            Stage::Running(Running::Gather(gathering)) => Some(gathering),
            _ => None,
        }
    }

    fn gather_acts(&mut self, cx: Context<'_>, party: LegId, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::StopPrompt => self.stop_prompt(party),
                Act::Wait(time) => self.timers.arm(Timer::Gather(party), cx.now + time),
                Act::Done(done) => self.gathered(party, done),
            }
        }
    }

    fn stop_prompt(&mut self, party: LegId) {
        let prompt = self.gathering(party).and_then(|gathering| gathering.prompt.take());
        if let Some(id) = prompt.and_then(|prompt| prompt.playing) {
            self.stop_playing(party, id);
        }
    }

    fn gathered(&mut self, party: LegId, done: Done) {
        self.timers.disarm(Timer::Gather(party));
        self.stop_prompt(party);
        let Some(gathering) = self.gathering(party) else { return };
        let Gathering { verb, keys, .. } = gathering;
        let hook = verb.action_hook.clone();
        let gathered = GatherResult {
            reason: match done {
                Done::Keys => GatherReason::DtmfDetected,
                Done::Timeout => GatherReason::Timeout,
            },
            digits: Some(std::mem::take(keys)),
            speech: None,
            verb_id: verb.id.clone(),
        };
        self.go_on(party);
        if let Some(hook) = hook {
            let payload = self.info_of(party).payload(&gathered);
            self.ask_for(party, hook, payload, Why::Action);
        }
    }

    /// Which audio of a gather this is.
    pub(crate) fn is_prompt(&mut self, party: LegId, id: PlayId) -> bool {
        let gathering = self.gathering(party);
        gathering.is_some_and(|g| g.prompt.as_ref().is_some_and(|p| p.playing == Some(id)))
    }
}
