//! Did-you-mean: the known word nearest to one that is not known.
//!
//! In: what was written and the words that were possible. Out: the nearest of them, or nothing
//! where even the nearest is too far off to be what was meant. Case does not count, since
//! `answeronbridge` is the commonest slip of all.

/// Longest word that is compared; a longer one is no slip of a known word.
const WORD_MAX: usize = 48;

/// The word of `known` that `written` most likely stands for.
pub(crate) fn nearest<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    if written.is_empty() || written.chars().count() > WORD_MAX {
        return None;
    }
    let lower = written.to_lowercase();
    let limit = (lower.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|word| (distance(&lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= limit && *distance < word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `from` into `to`
/// (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let width = to.len() + 1;
    let mut before_last: Vec<usize> = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    let mut previous_from = None;
    for (row, from_char) in from.chars().enumerate() {
        let mut current = vec![row + 1];
        let mut previous_to = None;
        for (column, to_char) in to.iter().copied().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = (cell(&last, column) + usize::from(from_char != to_char))
                .min(cell(&last, column + 1) + 1)
                .min(cell(&current, column) + 1);
            if previous_from == Some(to_char) && previous_to == Some(from_char) && column > 0 {
                best = best.min(cell(&before_last, column - 1) + 1);
            }
            current.push(best);
            previous_to = Some(to_char);
        }
        before_last = std::mem::replace(&mut last, current);
        previous_from = Some(from_char);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distance_counts_edits_and_swaps() {
        let rows = [
            ("", "", 0),
            ("dial", "dial", 0),
            ("dail", "dial", 1),
            ("dia", "dial", 1),
            ("diall", "dial", 1),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
        ];
        for (from, to, expected) in rows {
            assert_eq!(distance(from, to), expected, "{from} -> {to}");
            assert_eq!(distance(to, from), expected, "{to} -> {from}");
        }
    }

    #[test]
    fn the_nearest_word_is_offered_and_a_far_one_is_not() {
        let known = ["answerOnBridge", "actionHook", "amd", "id"];
        assert_eq!(nearest("anserOnBridge", known), Some("answerOnBridge"));
        assert_eq!(nearest("answeronbridge", known), Some("answerOnBridge"));
        assert_eq!(nearest("action_hook", known), Some("actionHook"));
        assert_eq!(nearest("adm", known), Some("amd"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("x", known), None);
        assert_eq!(nearest(&"a".repeat(4000), known), None);
    }
}
