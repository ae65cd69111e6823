//! What a party of a call runs: a list of verbs, and what it waits for. The caller has one from
//! the beginning; a callee has one of its own while it is screened.
//!
//! `verb/run.rs` takes the next verb, `hook.rs` puts a new list in place of what is left.

use std::collections::VecDeque;

use verbs::{Hook, Verb};

use crate::effect::HookId;
use crate::verb::gather::Gathering;
use crate::verb::play::Playlist;
use crate::verb::request::Requesting;

/// A verb and its place in the list, for alerts.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) index: usize,
    pub(crate) verb: Verb,
}

/// What a script does next.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// Nothing is asked for yet: the party's media is being opened, or it is being called.
    Opening,
    /// A hook was asked; its answer decides.
    Asking(HookId),
    /// The next verb of the list is due.
    Next,
    /// A verb is running.
    Running(Running),
    /// No verb runs any more.
    Over,
}

/// The verb that runs.
#[derive(Clone, Debug)]
pub(crate) enum Running {
    /// Its state is the call's.
    Dial,
    /// A timer ends it.
    Pause,
    /// Audio, one URL after the other.
    Play(Box<Playlist>),
    /// Keys.
    Gather(Box<Gathering>),
    /// Keys of ours are being sent.
    Dtmf,
    /// A request of ours waits for its response.
    Request(Box<Requesting>),
    /// No verb: the outcome of a transfer that the party asked for is to be told to it.
    Transfer,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) stage: Stage,
    pub(crate) list: VecDeque<Numbered>,
    /// The operator wrote the list: hooks and files that it names are as trusted as those of the
    /// configuration.
    pub(crate) is_fixed: bool,
    /// Completes the relative URLs of the list.
    pub(crate) base: Option<Hook>,
}

impl Script {
    /// One that has nothing to run yet.
    pub(crate) fn new(base: Option<Hook>) -> Script {
        Script { stage: Stage::Opening, list: VecDeque::new(), is_fixed: false, base }
    }

    /// It waits for the answer of this hook.
    pub(crate) fn awaits(&self, hook: HookId) -> bool {
        matches!(self.stage, Stage::Asking(asked) if asked == hook)
    }

    /// Nothing of it runs any more, and nothing will.
    pub(crate) fn end(&mut self) {
        self.list.clear();
        self.stage = Stage::Over;
    }
}
