//! Breadth first over all orders of steps, on several threads, each state walked on from once.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::opening::Opening;
use super::scene::{Scene, Step};

/// What one depth came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Depth {
    /// Steps from the beginning.
    pub depth: usize,
    /// States that were met first at this depth.
    pub states: usize,
    /// Steps that were taken from the states of the depth before.
    pub transitions: usize,
    /// Those of them that were brought to rest, each in two ways: all but those of the last depth.
    pub rests: usize,
    /// Virtual time of the longest path.
    pub longest: Duration,
}

/// What a walk came to.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// Depth by depth.
    pub depths: Vec<Depth>,
    /// The first path that broke something, and what.
    pub broken: Option<(Vec<Step>, String)>,
}

/// What a thread brings back from its share of a depth.
#[derive(Default)]
struct Share {
    found: Vec<(u128, Vec<Step>)>,
    transitions: usize,
    longest: Duration,
    broken: Option<(Vec<Step>, String)>,
}

/// States that a thread takes at a time.
const SHARE: usize = 16;

/// Walks to this depth, on so many threads, and tells each depth when it is done.
pub fn walk(opening: Opening, depth: usize, threads: usize, mut tell: impl FnMut(&Depth)) -> Walk {
    let start = crate::epoch();
    let first = Scene::new(start, opening);
    let mut seen = HashSet::from([first.digest()]);
    let mut frontier: Vec<Vec<Step>> = vec![Vec::new()];
    let mut walk = Walk::default();
    for number in 1..=depth {
        let expand = |path: &[Step], share: &mut Share| expand(start, &first, path, share);
        let shares = on_threads(threads, &frontier, expand);
        let mut done = Depth { depth: number, ..Depth::default() };
        let mut next = Vec::new();
        for share in shares {
            done.transitions += share.transitions;
            done.longest = done.longest.max(share.longest);
            walk.broken = walk.broken.or(share.broken);
            for (digest, path) in share.found {
                if seen.insert(digest) {
                    next.push(path);
                }
            }
        }
        done.states = next.len();
        frontier = next;
        if number < depth && walk.broken.is_none() {
            let rest = |path: &[Step], share: &mut Share| rest(&first, path, share);
            let shares = on_threads(threads, &frontier, rest);
            done.rests = frontier.len();
            walk.broken = shares.into_iter().find_map(|share| share.broken);
        }
        tell(&done);
        walk.depths.push(done);
        if walk.broken.is_some() {
            break;
        }
    }
    walk
}

/// Works on all paths.
fn on_threads(
    threads: usize,
    paths: &[Vec<Step>],
    work: impl Fn(&[Step], &mut Share) + Sync,
) -> Vec<Share> {
    let next = AtomicUsize::new(0);
    let thread = || {
        let mut share = Share::default();
        loop {
            let from = next.fetch_add(SHARE, Ordering::Relaxed);
            let Some(rest) = paths.get(from..).filter(|rest| !rest.is_empty()) else {
                return share;
            };
            rest.iter().take(SHARE).for_each(|path| work(path, &mut share));
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(thread)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|share| share.expect("a thread of the walk does not panic")).collect()
    })
}

/// The state at the end of a path that was walked before.
fn state(first: &Scene, path: &[Step]) -> Scene {
    let mut scene = first.clone();
    for step in path {
        // why: it held when the path was found.
        let _ = scene.take(*step);
    }
    scene
}

fn expand(start: Instant, first: &Scene, path: &[Step], share: &mut Share) {
    let scene = state(first, path);
    for step in scene.steps() {
        let mut next = scene.clone();
        let mut path = path.to_vec();
        path.push(step);
        share.transitions += 1;
        match next.take(step) {
            Ok(()) => {
                share.longest = share.longest.max(next.lasted(start));
                share.found.push((next.digest(), path));
            }
            Err(broken) => {
                share.broken.get_or_insert((path, broken));
            }
        }
    }
}

fn rest(first: &Scene, path: &[Step], share: &mut Share) {
    let scene = state(first, path);
    let rested = scene.clone().rest_politely().map_err(|broken| format!("politely: {broken}"));
    let rested =
        rested.and_then(|()| scene.rest_alone().map_err(|broken| format!("left alone: {broken}")));
    if let Err(broken) = rested {
        share.broken.get_or_insert((path.to_vec(), broken));
    }
}
