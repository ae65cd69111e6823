//! A call as a ladder: one column for each party, one line for each message, with its time.

use std::fmt;
use std::time::Duration;

/// One message between two columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Since the start of the call.
    pub at: Duration,
    /// Column it leaves.
    pub from: usize,
    /// Column it reaches.
    pub to: usize,
    /// What it says.
    pub label: String,
}

/// Columns and the messages between them.
#[derive(Clone, Debug)]
pub struct Ladder {
    columns: Vec<String>,
    entries: Vec<Entry>,
}

/// Narrowest gap between two columns.
const GAP_MIN: usize = 12;

/// What an arrow needs beside its label: a tail, a head, a line on either side.
const ARROW: usize = 5;

/// Width of the times at the left.
const MARGIN: usize = 9;

impl Ladder {
    /// An empty ladder with these columns, from the left.
    pub fn new(columns: &[&str]) -> Ladder {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Ladder { columns, entries: Vec::new() }
    }

    /// Adds a message.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// What was pushed, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where each column stands: gaps are as wide as the labels and names in them need.
    fn positions(&self) -> Vec<usize> {
        let mut position = 0;
        let mut positions = vec![0];
        for gap in 1..self.columns.len() {
            let labels = self.entries.iter().filter(|entry| gap_of(entry) == gap);
            let widest = labels.map(|entry| width(&entry.label)).max().unwrap_or(0) + ARROW;
            let names = (width(&self.columns[gap - 1]) + width(&self.columns[gap])) / 2 + 2;
            position += widest.max(names).max(GAP_MIN);
            positions.push(position);
        }
        positions
    }

    fn head(&self, positions: &[usize]) -> String {
        let mut head = String::new();
        for (column, position) in self.columns.iter().zip(positions) {
            let start = (position + MARGIN).saturating_sub(width(column) / 2);
            let missing = start.saturating_sub(width(&head));
            head.push_str(&" ".repeat(missing));
            head.push_str(column);
        }
        head
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The gap whose room the label takes, by the column at its right: the one that the arrow leaves
/// through, so that long arrows read from their sender.
fn gap_of(entry: &Entry) -> usize {
    if entry.from < entry.to { entry.from + 1 } else { entry.from }
}

fn row(entry: &Entry, positions: &[usize]) -> String {
    let last = positions.last().copied().unwrap_or(0);
    let mut cells = vec![' '; last + 1];
    for position in positions {
        cells[*position] = '│';
    }
    let left = positions[entry.from.min(entry.to)];
    let right = positions[entry.from.max(entry.to)];
    for cell in &mut cells[left + 1..right] {
        *cell = if *cell == '│' { '┼' } else { '─' };
    }
    if entry.from < entry.to {
        cells[right - 1] = '>';
    } else {
        cells[left + 1] = '<';
    }
    let gap = gap_of(entry);
    let room = positions[gap] - positions[gap - 1] - 1;
    let start = positions[gap - 1] + 1 + (room - width(&entry.label)) / 2;
    for (offset, letter) in entry.label.chars().enumerate() {
        cells[start + offset] = letter;
    }
    cells.into_iter().collect()
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let positions = self.positions();
        writeln!(f, "{}", self.head(&positions))?;
        for entry in self.entries.iter().filter(|entry| entry.from != entry.to) {
            let time = format!("{:>6.3} s", entry.at.as_secs_f64());
            writeln!(f, "{time:<MARGIN$}{}", row(entry, &positions).trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_from_sender_to_receiver() {
        let mut ladder = Ladder::new(&["caller", "switch", "callee"]);
        let at = Duration::from_millis(1500);
        ladder.push(Entry { at, from: 0, to: 1, label: "INVITE".to_owned() });
        ladder.push(Entry { at, from: 2, to: 1, label: "180 Ringing".to_owned() });
        ladder.push(Entry { at, from: 2, to: 0, label: "BYE".to_owned() });
        let text = ladder.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "      caller      switch          callee");
        assert_eq!(lines[1], " 1.500 s │──INVITE──>│               │");
        assert_eq!(lines[2], " 1.500 s │           │<─180 Ringing──│");
        assert_eq!(lines[3], " 1.500 s │<──────────┼──────BYE──────│");
    }
}
