//! Sounds that verbs name: fetched over HTTP or read from a file, decoded once, kept for a while.
//!
//! In goes a [`SoundUrl`], which says who named it; out comes whatever the decoder makes of the
//! bytes, or a [`SoundFailure`] fit for an alert. This module does not know what a WAV file is,
//! nor who hears it.
//!
//! Whoever asks for a sound that is under way gets the one that is: a hundred calls that begin the
//! same music make one request. A fetch belongs to nobody, so it goes on when its first asker
//! hangs up. `url` says what may be asked for, `http` and `file` how it is had, `freshness` for how
//! long it counts, `cache` what is kept.

mod cache;
mod fault;
mod file;
mod freshness;
mod http;
mod limits;
mod url;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout_at;

pub use fault::{SOUND_ALERT, SoundFailure};
pub use freshness::{FRESH_MAX, VALIDATOR_BYTES_MAX};
pub use http::REDIRECTIONS_MAX;
pub use limits::{
    FAILURE_KEPT, FETCHES_MAX, FILE_BYTES_MAX, FRESH, HEAD_TIMEOUT, KEPT_BYTES_MAX, KEPT_MAX,
    Limits, READS_MAX, TOTAL_TIMEOUT, UNDER_WAY_MAX,
};
pub use url::{SoundUrl, URL_BYTES_MAX};

use crate::client::Client;
use cache::{Cache, Landing, Proof, Stale};
use fault::Fault;
use file::{Found, Stamp};
use freshness::{Keep, Validators};
use http::{Bounds, Got};
use url::Source;

/// What [`Sounds`] goes by.
#[derive(Clone, Debug)]
pub struct SoundsConfig<T> {
    /// Makes a sound of a file's bytes, on a thread that may take its time. The error says what is
    /// wrong with the bytes.
    pub decode: fn(&[u8]) -> Result<T, String>,
    /// Bytes of memory that a sound takes.
    pub weight: fn(&T) -> usize,
    /// `[media] sounds`: absolute paths of the directories below which applications may name
    /// files; none without one.
    pub directories: Vec<PathBuf>,
    /// Bounds of time and size.
    pub limits: Limits,
}

/// The sounds of the installation. Clones share what is kept.
pub struct Sounds<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Clone for Sounds<T> {
    fn clone(&self) -> Sounds<T> {
        Sounds { shared: Arc::clone(&self.shared) }
    }
}

impl<T> std::fmt::Debug for Sounds<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sounds").finish_non_exhaustive()
    }
}

struct Shared<T> {
    client: Client,
    config: SoundsConfig<T>,
    fetches: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    /// why a lock: calls ask from their own tasks. It is held for a look into maps and never
    /// across an await.
    state: Mutex<State<T>>,
}

struct State<T> {
    cache: Cache<T>,
    /// What is under way, by what was asked for.
    flights: BTreeMap<Source, Flight<T>>,
}

/// Where everybody waits who asked for a sound that is under way.
type Flight<T> = watch::Receiver<Option<Result<T, SoundFailure>>>;

/// How an asker is served.
enum Asked<T> {
    Answered(Result<T, SoundFailure>),
    Wait(Flight<T>),
}

impl<T: Clone + Send + Sync + 'static> Sounds<T> {
    /// Nothing kept yet. `client` gives the connections, and with its `allow_private` the rule
    /// where a URL of an application may lead.
    pub fn new(client: Client, config: SoundsConfig<T>) -> Sounds<T> {
        let limits = config.limits;
        let cache = Cache::new(limits.kept_bytes, limits.kept);
        let shared = Shared {
            client,
            config,
            fetches: Arc::new(Semaphore::new(limits.fetches)),
            reads: Arc::new(Semaphore::new(limits.reads)),
            state: Mutex::new(State { cache, flights: BTreeMap::new() }),
        };
        Sounds { shared: Arc::new(shared) }
    }

    /// The sound at `url`: from memory while it is fresh, else from where it is. Must run on a
    /// tokio runtime; it may be dropped at any time.
    ///
    /// A file is looked at each time and read anew where time or length have changed.
    ///
    /// # Errors
    /// It may not be fetched, cannot be within the [`Limits`], or is no sound.
    pub async fn fetch(&self, url: &SoundUrl) -> Result<T, SoundFailure> {
        let mut flight = match self.ask(url) {
            Asked::Answered(outcome) => return outcome,
            Asked::Wait(flight) => flight,
        };
        let landed = flight.wait_for(Option::is_some).await;
        let outcome = landed.ok().and_then(|outcome| outcome.clone());
        outcome.unwrap_or_else(|| Err(SoundFailure::new(url.shown(), &Fault::BrokeOff)))
    }

    fn ask(&self, url: &SoundUrl) -> Asked<T> {
        let mut state = self.shared.state();
        if let Some(outcome) = state.cache.fresh(&url.source, Instant::now()) {
            return Asked::Answered(outcome);
        }
        // why: of one that broke off the sender is gone; it is begun anew.
        let flight = state.flights.get(&url.source).filter(|flight| flight.has_changed().is_ok());
        if let Some(flight) = flight {
            return Asked::Wait(flight.clone());
        }
        let limit = self.shared.config.limits.under_way;
        if state.flights.len() >= limit {
            return Asked::Answered(Err(SoundFailure::new(url.shown(), &Fault::Busy { limit })));
        }
        let stale = state.cache.stale(&url.source);
        let (landed, flight) = watch::channel(None);
        state.flights.insert(url.source.clone(), flight.clone());
        tokio::spawn(fly(Arc::clone(&self.shared), url.clone(), stale, landed));
        Asked::Wait(flight)
    }
}

/// One fetch, for everybody who waits for it.
async fn fly<T: Clone + Send + Sync + 'static>(
    shared: Arc<Shared<T>>,
    url: SoundUrl,
    stale: Option<Stale<T>>,
    landed: watch::Sender<Option<Result<T, SoundFailure>>>,
) {
    let landing = shared.obtain(&url.source, stale).await.unwrap_or_else(|fault| {
        let failure = SoundFailure::new(url.shown(), &fault);
        let (weight, fresh_for) = (failure.message.len(), shared.config.limits.failure_kept);
        Landing { outcome: Err(failure), proof: None, fresh_for, weight }
    });
    let outcome = landing.outcome.clone();
    {
        let mut state = shared.state();
        state.cache.land(&url.source, landing, Instant::now());
        state.flights.remove(&url.source);
    }
    landed.send_replace(Some(outcome));
}

impl<T: Clone + Send + Sync + 'static> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn obtain(&self, source: &Source, stale: Option<Stale<T>>) -> Result<Landing<T>, Fault> {
        let limits = self.config.limits;
        let limit = limits.total_timeout;
        let deadline = tokio::time::Instant::now() + limit;
        let (turns, places) = match source {
            Source::Http { .. } => (&self.fetches, limits.fetches),
            Source::File { .. } => (&self.reads, limits.reads),
        };
        let turn = timeout_at(deadline, Arc::clone(turns).acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or(Fault::Busy { limit: places })?;
        let obtained = async {
            match source {
                Source::Http { url, trusted } => self.over_http(url, *trusted, stale, turn).await,
                Source::File { path, anywhere } => self.of_file(path, *anywhere, stale, turn).await,
            }
        };
        timeout_at(deadline, obtained).await.unwrap_or(Err(Fault::Slow { limit }))
    }

    async fn over_http(
        &self,
        url: &Url,
        trusted: bool,
        stale: Option<Stale<T>>,
        turn: OwnedSemaphorePermit,
    ) -> Result<Landing<T>, Fault> {
        let limits = self.config.limits;
        let known = stale.as_ref().and_then(|stale| match &stale.proof {
            Proof::Http(validators) => Some(validators),
            Proof::File(_) => None,
        });
        let bounds = Bounds { head_timeout: limits.head_timeout, size: limits.file_bytes };
        let fetched = http::fetch(&self.client, url, trusted, known, bounds).await?;
        let (sound, weight, validators) = match (fetched.got, stale) {
            (Got::Content(content, validators), _) => {
                let (decode, weight) = (self.config.decode, self.config.weight);
                let decoded = aside(turn, move || decoded(decode, weight, &content)).await?;
                (decoded.0, decoded.1, validators)
            }
            (Got::Unchanged(validators), Some(stale)) => (stale.sound, stale.weight, validators),
            (Got::Unchanged(_), None) => return Err(Fault::Status { status: 304 }),
        };
        let fresh_for = fresh_for(&validators, fetched.redirected, limits.fresh);
        let is_kept = validators.keep != Keep::Not && validators.can_ask();
        let proof = is_kept.then_some(Proof::Http(validators));
        Ok(Landing { outcome: Ok(sound), proof, fresh_for, weight })
    }

    async fn of_file(
        &self,
        path: &Path,
        anywhere: bool,
        stale: Option<Stale<T>>,
        turn: OwnedSemaphorePermit,
    ) -> Result<Landing<T>, Fault> {
        let known = stale.as_ref().and_then(|stale| match &stale.proof {
            Proof::File(stamp) => Some(stamp.clone()),
            Proof::Http(_) => None,
        });
        let (path, size) = (path.to_owned(), self.config.limits.file_bytes);
        let directories = (!anywhere).then(|| self.config.directories.clone());
        let (decode, weight) = (self.config.decode, self.config.weight);
        let read = aside(turn, move || {
            match file::read(&path, directories.as_deref(), known.as_ref(), size)? {
                Found::Unchanged => Ok(None),
                Found::Content(content, stamp) => {
                    Ok(Some((decoded(decode, weight, &content)?, stamp)))
                }
            }
        });
        let landing = |sound, weight, stamp: Stamp| {
            let proof = Some(Proof::File(stamp));
            Landing { outcome: Ok(sound), proof, fresh_for: Duration::ZERO, weight }
        };
        match (read.await?, stale) {
            (Some(((sound, weight), stamp)), _) => Ok(landing(sound, weight, stamp)),
            (None, Some(Stale { sound, proof: Proof::File(stamp), weight })) => {
                Ok(landing(sound, weight, stamp))
            }
            (None, _) => Err(Fault::BrokeOff),
        }
    }
}

/// Runs what blocks on a thread for it, which keeps `turn` to its end, also when nobody waits for
/// it any more.
async fn aside<R: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<R, Fault> + Send + 'static,
) -> Result<R, Fault> {
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    done.await.unwrap_or(Err(Fault::BrokeOff))
}

/// The sound that `content` is, and what it weighs.
fn decoded<T>(
    decode: fn(&[u8]) -> Result<T, String>,
    weight: fn(&T) -> usize,
    content: &[u8],
) -> Result<(T, usize), Fault> {
    let sound =
        decode(content).map_err(|error| Fault::Undecodable { got: fault::quoted(&error) })?;
    let weight = weight(&sound);
    Ok((sound, weight))
}

/// For how long a sound of a server is used without asking again.
fn fresh_for(validators: &Validators, redirected: bool, unsaid: Duration) -> Duration {
    let said = match validators.keep {
        Keep::Not => Duration::ZERO,
        Keep::For(lifetime) => lifetime,
        Keep::Unsaid => unsaid,
    };
    // why: what was said is said of the last URL; where the first one leads may change sooner.
    if redirected { said.min(unsaid) } else { said }
}
