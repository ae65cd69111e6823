//! A call as a ladder: one column for each party, one line for each message, with its time.

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

/// Width of a column.
const WIDTH: usize = 22;

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

    fn line(&self, cells: &mut [char], from: usize, to: usize, label: &str) {
        let (left, right) = (from.min(to) * WIDTH, from.max(to) * WIDTH);
        for cell in &mut cells[left + 1..right] {
            *cell = '─';
        }
        if from < to {
            cells[right - 1] = '>';
        } else {
            cells[left + 1] = '<';
        }
        // why: beside the tail, in the first gap that the arrow crosses, so that it is never
        // written over a bar and losers with long arrows read from the side they leave.
        let room = WIDTH - 4;
        let label: String = label.chars().take(room).collect();
        let width = label.chars().count();
        let gap = if from < to { left } else { right - WIDTH };
        let start = gap + 1 + (WIDTH - 1 - width) / 2;
        for (offset, letter) in label.chars().enumerate() {
            cells[start + offset] = letter;
        }
    }
}

impl std::fmt::Display for Ladder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = (self.columns.len().saturating_sub(1)) * WIDTH + 1;
        write!(f, "{:MARGIN$}", "")?;
        let mut head = String::new();
        for (index, column) in self.columns.iter().enumerate() {
            let centre = index * WIDTH + MARGIN;
            let start = centre.saturating_sub(column.chars().count() / 2);
            while head.chars().count() + MARGIN < start {
                head.push(' ');
            }
            head.push_str(column);
        }
        writeln!(f, "{head}")?;
        for entry in &self.entries {
            let mut cells = vec![' '; width];
            for index in 0..self.columns.len() {
                cells[index * WIDTH] = '│';
            }
            self.line(&mut cells, entry.from, entry.to, &entry.label);
            let time = format!("{:>6.3} s", entry.at.as_secs_f64());
            let row: String = cells.into_iter().collect();
            writeln!(f, "{time:<MARGIN$}{}", row.trim_end())?;
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
        let text = ladder.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], " 1.500 s │───────INVITE───────>│                     │");
        assert_eq!(lines[2], " 1.500 s │                     │<────180 Ringing─────│");
    }
}
