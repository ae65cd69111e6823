//! The sixteen digits of a telephone: their event codes (RFC 4733 §3.2), their two frequencies
//! (ITU-T Q.23), and lists of them with pauses, as they are sent.
//!
//! How they are heard and sent is the business of the [`Session`](crate::Session).

use std::sync::Arc;
use std::time::Duration;

/// Digits and pauses of one list.
pub const DIGITS_MAX: usize = 256;

/// Shortest digit that is sent: ITU-T Q.24 has a receiver believe 40 ms.
pub const DIGIT_LENGTH_MIN: Duration = Duration::from_millis(40);

/// Longest digit that is sent: RFC 4733 §2.5.1.3 can say 8.19 s in one event.
pub const DIGIT_LENGTH_MAX: Duration = Duration::from_secs(8);

/// Length of a digit where nobody says another.
pub const DIGIT_LENGTH: Duration = Duration::from_millis(200);

/// By event code.
const EVENTS: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// By row and column of the keypad: event codes.
const KEYPAD: [[u8; 4]; 4] = [[1, 2, 3, 12], [4, 5, 6, 13], [7, 8, 9, 14], [10, 0, 11, 15]];

/// Hz of each row of the keypad.
pub(crate) const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];

/// Hz of each column.
pub(crate) const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

/// The digit of an event code; `None` of events that are no digits, such as a hook flash.
pub(crate) fn digit_of(event: u8) -> Option<char> {
    EVENTS.get(usize::from(event)).copied()
}

/// The digit at this row and column of the keypad, from 0.
pub(crate) fn at(row: usize, column: usize) -> Option<char> {
    KEYPAD.get(row)?.get(column).and_then(|event| digit_of(*event))
}

/// The two frequencies of a digit's event code, in Hz.
pub(crate) fn frequencies_of(event: u8) -> [f64; 2] {
    let rows = KEYPAD.iter().zip(ROWS);
    let mut found = rows.filter_map(|(row, low)| {
        let mut columns = row.iter().zip(COLUMNS);
        columns.find(|(known, _)| **known == event).map(|(_, high)| [low, high])
    });
    found.next().unwrap_or_default()
}

/// One step of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The digit of this event code.
    Digit(u8),
    /// Nothing, for so long.
    Pause(Duration),
}

/// Digits to send, with pauses between them. A clone shares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    steps: Arc<[Step]>,
}

/// Text that is no list of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigitsError {
    /// A character that is neither digit nor pause.
    #[error("digits, character {at}: expected 0-9, *, #, A-D, w (0.5 s) or W (1 s), got `{got}`")]
    Unknown {
        /// Counted from 1.
        at: usize,
        /// The character.
        got: char,
    },
    /// Nothing to send.
    #[error("digits: expected at least one of 0-9, *, #, A-D, w or W, got none")]
    Empty,
    /// More than [`DIGITS_MAX`].
    #[error("digits: expected at most {DIGITS_MAX}, got more; send them in several lists")]
    TooMany,
}

impl Digits {
    /// Reads `0`-`9`, `*`, `#` and `A`-`D` (also small), `w` for half a second of pause and `W`
    /// for a second.
    ///
    /// # Errors
    /// [`DigitsError`], with the character.
    pub fn parse(text: &str) -> Result<Digits, DigitsError> {
        let mut steps = Vec::new();
        for (at, got) in (1..).zip(text.chars()) {
            if steps.len() == DIGITS_MAX {
                return Err(DigitsError::TooMany);
            }
            let code = || (0..).zip(EVENTS).find(|(_, digit)| digit.eq_ignore_ascii_case(&got));
            steps.push(match got {
                'w' => Step::Pause(Duration::from_millis(500)),
                'W' => Step::Pause(Duration::from_secs(1)),
                got => {
                    let (event, _) = code().ok_or(DigitsError::Unknown { at, got })?;
                    Step::Digit(event)
                }
            });
        }
        if steps.is_empty() { Err(DigitsError::Empty) } else { Ok(Digits { steps: steps.into() }) }
    }

    pub(crate) fn step(&self, index: usize) -> Option<Step> {
        self.steps.get(index).copied()
    }
}
