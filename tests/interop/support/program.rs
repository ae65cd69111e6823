//! A peer that is a program in another language: it prints events as lines of JSON, and takes
//! commands the same way.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::events::Events;
use super::wait_for;

/// See the module. It is ended with this value.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
    events: Events,
    errors: PathBuf,
}

impl Program {
    /// Starts it. `name` is for its files in `folder`, and for what is said when it fails.
    pub(crate) fn start(name: &str, folder: &Path, command: &mut Command) -> Program {
        let errors = folder.join(format!("{name}.errors"));
        let out = File::create(&errors).expect("the directory of the test can be written");
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(out).spawn();
        let mut child = spawned.unwrap_or_else(|error| {
            panic!("{name} does not start ({command:?}: {error}): run make test")
        });
        let out = child.stdout.take().expect("it was asked for");
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let events = Events::read(move || {
            let line = lines.next()?;
            Some(serde_json::from_str(&line).unwrap_or(Value::String(line)))
        });
        let program = Program { name: name.to_owned(), child, events, errors };
        program.tells("ready");
        program
    }

    /// Gives it a command.
    pub(crate) fn does(&mut self, command: &Value) {
        let stdin = self.child.stdin.as_mut().expect("it is open");
        writeln!(stdin, "{command}").expect("a running program takes commands");
    }

    /// Waits for an event of this kind, and gives the first.
    pub(crate) fn tells(&self, kind: &str) -> Value {
        wait_for(&format!("{kind} of {}", self.name), || self.events(kind).into_iter().next())
    }

    /// Every event of this kind so far.
    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        self.events.of("event", kind)
    }

    /// Ends it as it likes to be ended: nothing more is told to it.
    pub(crate) fn ends(mut self) {
        drop(self.child.stdin.take());
        let status = wait_for(&format!("the end of {}", self.name), || {
            self.child.try_wait().expect("a child can be waited for")
        });
        assert!(status.success(), "{}: {status}", self.name);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let errors = fs::read_to_string(&self.errors).unwrap_or_default();
            eprintln!("{} said:\n{}\n{errors}", self.name, self.events.story());
        }
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Where `make test` installs the packages of a peer.
pub(crate) fn installed(peer: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../peers").join(peer);
    let there = path.join("installed").exists();
    assert!(there, "{} is not there: run make test, which installs it", path.display());
    path
}

/// A file of ours in the directory of these tests.
pub(crate) fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop").join(path)
}
