//! Tone scripts as FreeSWITCH has them (`tone_stream://…`), as far as they say which frequencies
//! sound for how long, how loud and how often. Anything else is a fault, with its place.
//!
//! One round of the script becomes samples; how often it is heard is handed on.

use super::Repeat;
use crate::chord::{Chord, MAX_FREQUENCIES, SAMPLE_RATE, peak_of};

/// What a script begins with; it may be left out.
const SCHEME: &str = "tone_stream://";

/// Characters of a script.
const SCRIPT_MAX: usize = 1024;

/// Milliseconds of one tone, and of the pause after it.
const PART_MS_MAX: u32 = 60_000;

/// Milliseconds of one round of a script.
const ROUND_MS_MAX: u32 = 300_000;

/// Rounds of one tone (`l`).
const TONE_LOOPS_MAX: u32 = 1_000;

/// Rounds of the script (`L`, `loops`).
const LOOPS_MAX: u32 = 1_000_000;

/// Level of a frequency where the script sets none, in dBm0; FreeSWITCH has the same.
const LEVEL: f64 = -7.0;

/// A script that cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tone script, character {at}: {problem}")]
pub struct ToneStreamError {
    /// Counted from 1, over the whole text that was given.
    pub at: usize,
    /// What is wrong there.
    pub problem: ToneStreamProblem,
}

/// What can be wrong in a tone script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToneStreamProblem {
    /// Something that no script has, or not there.
    #[error("expected {expected}, got {got}")]
    Unexpected {
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        got: String,
    },
    /// A number out of its range.
    #[error("{what}; expected {least} to {most}, got {got}")]
    Range {
        /// What it numbers.
        what: &'static str,
        /// The least.
        least: i64,
        /// The most.
        most: i64,
        /// The number.
        got: String,
    },
    /// More sound in one round, or more characters, than a script may have.
    #[error("{what}; expected at most {most}, got more")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it may be.
        most: usize,
    },
    /// No tone at all.
    #[error("expected at least one tone like `%(2000,4000,440,480)`, got none")]
    Silent,
}

/// Samples of one round, and how often the script wants to be heard.
pub(super) fn render(text: &str) -> Result<(Vec<i16>, Option<Repeat>), ToneStreamError> {
    let mut script = Script { text, at: 0, level: LEVEL, loops: 1, repeat: None, samples: vec![] };
    if text.chars().count() > SCRIPT_MAX {
        return Err(script.too_long("characters of the script", SCRIPT_MAX));
    }
    script.skip(SCHEME);
    while !script.rest().is_empty() {
        if !script.skip(";") && !script.skip(" ") {
            script.part()?;
        }
    }
    if script.samples.is_empty() {
        return Err(script.fault(script.at, ToneStreamProblem::Silent));
    }
    Ok((script.samples, script.repeat))
}

struct Script<'t> {
    text: &'t str,
    /// Octets read so far.
    at: usize,
    /// Of each frequency of the next tone, in dBm0.
    level: f64,
    /// How often the next tone sounds.
    loops: u32,
    repeat: Option<Repeat>,
    samples: Vec<i16>,
}

impl<'t> Script<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn part(&mut self) -> Result<(), ToneStreamError> {
        if self.skip("%(") {
            self.tone()
        } else if self.skip("L=") || self.skip("loops=") {
            self.repeat = Some(match self.whole("rounds of the script", -1, LOOPS_MAX)? {
                -1 => Repeat::Forever,
                rounds => Repeat::Times(rounds as u32),
            });
            Ok(())
        } else if self.skip("l=") {
            self.loops = self.whole("rounds of a tone", 1, TONE_LOOPS_MAX)? as u32;
            Ok(())
        } else if self.skip("v=") {
            self.level = f64::from(self.whole("level in dBm0", -63, 0)? as i32);
            Ok(())
        } else {
            Err(self.unexpected("`%(on,off,frequency…)`, `L=`, `loops=`, `l=`, `v=` or `;`"))
        }
    }

    /// `on,off,f1[,f2…])`, after the bracket.
    fn tone(&mut self) -> Result<(), ToneStreamError> {
        let began = self.at;
        let on = self.whole("milliseconds of tone", 0, PART_MS_MAX)? as u32;
        self.comma()?;
        let off = self.whole("milliseconds of pause", 0, PART_MS_MAX)? as u32;
        let mut frequencies = [0.0; MAX_FREQUENCIES];
        let mut count = 0;
        // At least one, so a bracket ends them only after the first.
        while count == 0 || !self.skip(")") {
            self.comma()?;
            let Some(place) = frequencies.get_mut(count) else {
                return Err(self.unexpected("`)` after four frequencies"));
            };
            *place = self.frequency()?;
            count += 1;
        }
        let per_ms = SAMPLE_RATE / 1000;
        let round = u64::from(on + off) * u64::from(self.loops);
        let already = self.samples.len() as u64 / u64::from(per_ms);
        if round + already > u64::from(ROUND_MS_MAX) {
            let most = ROUND_MS_MAX as usize;
            let problem = ToneStreamProblem::TooLong { what: "milliseconds of one round", most };
            return Err(self.fault(began, problem));
        }
        let peak = peak_of(self.level) * count as f64;
        let frequencies = frequencies.into_iter().take(count);
        for _ in 0..self.loops {
            let mut chord = Chord::new(frequencies.clone(), peak as i32);
            for _ in 0..on * per_ms {
                self.samples.push(chord.sample());
                chord.skip(1);
            }
            self.samples.resize(self.samples.len() + (off * per_ms) as usize, 0);
        }
        Ok(())
    }

    fn comma(&mut self) -> Result<(), ToneStreamError> {
        if self.skip(",") { Ok(()) } else { Err(self.unexpected("`,`")) }
    }

    /// The number that comes next, as it is written.
    fn digits(&mut self, fraction: bool) -> &'t str {
        let rest = self.rest();
        let minus = usize::from(rest.starts_with('-'));
        let is_part = |c: char| c.is_ascii_digit() || (fraction && c == '.');
        let after = rest.get(minus..).unwrap_or_default();
        let length = minus + after.find(|c| !is_part(c)).unwrap_or(after.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn whole(&mut self, what: &'static str, least: i64, most: u32) -> Result<i64, ToneStreamError> {
        let began = self.at;
        let most = i64::from(most);
        let digits = self.digits(false);
        match digits.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(self.out_of_range(began, (what, least, most), digits)),
        }
    }

    fn frequency(&mut self) -> Result<f64, ToneStreamError> {
        let began = self.at;
        let digits = self.digits(true);
        match digits.parse::<f64>() {
            Ok(frequency) if (20.0..=3900.0).contains(&frequency) => Ok(frequency),
            _ => Err(self.out_of_range(began, ("frequency in Hz", 20, 3900), digits)),
        }
    }

    fn out_of_range(
        &self,
        began: usize,
        (what, least, most): (&'static str, i64, i64),
        digits: &str,
    ) -> ToneStreamError {
        let got = match digits {
            "" => self.next(),
            digits => format!("`{digits}`"),
        };
        self.fault(began, ToneStreamProblem::Range { what, least, most, got })
    }

    fn unexpected(&self, expected: &'static str) -> ToneStreamError {
        let problem = ToneStreamProblem::Unexpected { expected, got: self.next() };
        self.fault(self.at, problem)
    }

    fn too_long(&self, what: &'static str, most: usize) -> ToneStreamError {
        self.fault(self.at, ToneStreamProblem::TooLong { what, most })
    }

    /// The next character, for a message.
    fn next(&self) -> String {
        self.rest().chars().next().map_or_else(|| "the end".to_owned(), |c| format!("`{c}`"))
    }

    fn fault(&self, octets: usize, problem: ToneStreamProblem) -> ToneStreamError {
        let before = self.text.get(..octets).unwrap_or_default();
        ToneStreamError { at: before.chars().count() + 1, problem }
    }
}
