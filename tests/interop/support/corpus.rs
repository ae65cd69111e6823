//! Torture messages that others collected, read where `TORTURE_CORPUS` says: the messages of
//! RFC 4475 and RFC 5118 with what may be answered to each, and the cases of another parser.
//!
//! They are no part of this project. Where they are absent the tests say so and pass, unless
//! `TORTURE_REQUIRED=1`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

/// What may be answered to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Well-formed: anything but 400, one of these where some are named.
    Sound(Vec<u16>),
    /// Broken: one of these, nothing where it may be dropped, anything where leniency is allowed.
    Broken { statuses: Vec<u16>, may_drop: bool, may_accept: bool },
    /// A response that nobody waits for: no answer.
    Response,
}

/// A message of an RFC.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) verdict: Verdict,
}

/// A message of the other parser.
#[derive(Clone, Debug)]
pub(crate) struct Opinion {
    pub(crate) number: u64,
    /// Its lines end with LF alone.
    pub(crate) text: String,
    /// That parser refuses it.
    pub(crate) refused: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Corpus(PathBuf);

impl Corpus {
    /// `None`, with a line that says so, where it is absent.
    pub(crate) fn find() -> Option<Corpus> {
        let path = env::var_os("TORTURE_CORPUS").map(PathBuf::from);
        if let Some(path) = path.as_ref().filter(|path| path.join("expect.json").is_file()) {
            return Some(Corpus(path.clone()));
        }
        let required = env::var("TORTURE_REQUIRED").is_ok_and(|required| required == "1");
        assert!(!required, "no torture messages: TORTURE_CORPUS is {path:?}, expected a directory");
        eprintln!("skipped: no torture messages; TORTURE_CORPUS names the directory of them");
        None
    }

    /// Every message of both RFCs.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases = self.cases_of("rfc4475", "expect.json");
        cases.extend(self.cases_of("rfc5118", "expect5118.json"));
        cases
    }

    fn cases_of(&self, folder: &str, expected: &str) -> Vec<Case> {
        let expected = read_json(&self.0.join(expected));
        let known = expected.as_object().expect("an object by the names of messages");
        let read = |(name, entry): (&String, &Value)| {
            let path = self.0.join(folder).join(name).with_extension("dat");
            let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            Case { name: name.clone(), bytes, verdict: verdict(entry) }
        };
        known.iter().filter(|(name, _)| !name.starts_with('_')).map(read).collect()
    }

    /// The whole messages of the other parser, but for those whose mark-up was never decoded.
    pub(crate) fn opinions(&self) -> Vec<Opinion> {
        const MARKED_UP: [u64; 6] = [352, 361, 362, 363, 367, 373];
        let cases = read_json(&self.0.join("jsip_torture.json"));
        let read = |case: &Value| {
            let number = case["n"].as_u64()?;
            let text = case["message"].as_str()?.to_owned();
            let refused = case["must_reject"].as_bool()?;
            let wanted = case["kind"] == "message" && !MARKED_UP.contains(&number);
            wanted.then_some(Opinion { number, text, refused })
        };
        cases.as_array().expect("a list of cases").iter().filter_map(read).collect()
    }
}

fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn verdict(entry: &Value) -> Verdict {
    let codes = entry["codes"].as_array().into_iter().flatten();
    let statuses = codes.filter_map(|code| u16::try_from(code.as_u64()?).ok()).collect();
    let is = |name: &str| entry[name].as_bool().unwrap_or_default();
    match entry["k"].as_str() {
        Some("ok") => Verdict::Sound(statuses),
        Some("bad") => {
            Verdict::Broken { statuses, may_drop: is("drop"), may_accept: is("lenient") }
        }
        Some("resp") => Verdict::Response,
        other => panic!("an unknown verdict: {other:?}"),
    }
}
