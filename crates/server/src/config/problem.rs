//! What can be wrong with a configuration, and the suggestion that goes with it.

use std::fmt;

use super::source::Source;

/// One thing wrong with the configuration: where, what, and what to write instead.
///
/// Never holds the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The place to correct; `Source::Default` when the problem is that nobody set something.
    pub source: Source,
    /// What is wrong.
    pub message: String,
}

impl ConfigProblem {
    pub(super) fn new(source: Source, message: impl Into<String>) -> Self {
        Self {
            source,
            message: message.into(),
        }
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Default => f.write_str(&self.message),
            source @ (Source::File { .. }
            | Source::Credential(_)
            | Source::Environment(_)
            | Source::EnvironmentFile { .. }
            | Source::Flag(_)) => write!(f, "{source}: {}", self.message),
        }
    }
}

/// The candidate most like `wrong`, when one is near enough to be meant.
///
/// A candidate whose last part is `wrong` itself counts as near: a key written in the wrong table.
pub(super) fn nearest<'a>(
    wrong: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let last = wrong.rsplit('.').next().unwrap_or(wrong);
    candidates
        .map(|candidate| {
            let same_leaf = candidate.rsplit('.').next() == Some(last);
            let far = distance(wrong, candidate);
            (if same_leaf { far.min(2) } else { far }, candidate)
        })
        .min_by_key(|(far, _)| *far)
        .filter(|(far, candidate)| *far <= 1 + candidate.len() / 6)
        .map(|(_, candidate)| candidate)
}

/// The suggestion as the end of a sentence; empty when nothing is near.
pub(crate) fn did_you_mean<'a>(wrong: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    nearest(wrong, candidates).map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

/// Edit distance where swapping two neighbours counts once (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, here) in left.chars().enumerate() {
        let mut line = vec![row + 1];
        for (column, there) in right.iter().enumerate() {
            let replaced = above[column] + usize::from(here != *there);
            let mut best = replaced.min(above[column + 1] + 1).min(line[column] + 1);
            let swapped =
                column > 0 && previous == Some(*there) && right[column - 1] == here && row > 0;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            line.push(best);
        }
        before = std::mem::replace(&mut above, line);
        previous = Some(here);
    }
    above[right.len()]
}
