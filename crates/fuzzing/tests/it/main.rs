//! The corpora under `fuzz/corpus`, replayed.

mod corpora_replay;
