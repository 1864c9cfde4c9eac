//! Notes on the figures of a table that have no interval.

use std::collections::BTreeMap;

use blis_sim::result::{Intervals, LatencyBlock};

/// The word for figures whose intervals take replications.
const SINGLE_RUN: &str = "single run";

/// The sentence of a reason that begins with a word or two and a colon.
pub fn sentence(why: &str) -> &str {
    match why.split_once(": ") {
        Some((word, sentence)) if word.split(' ').count() <= 2 => sentence,
        _ => why,
    }
}

/// The figures of a table that were measured and have no interval.
pub struct Absences<'a> {
    intervals: &'a Intervals,
    /// By the word that says why and by column: whose figures.
    missing: BTreeMap<(String, &'static str), Vec<String>>,
    /// How many rows have a figure in a column.
    rows: BTreeMap<&'static str, usize>,
}

impl<'a> Absences<'a> {
    /// Of a table of figures with these intervals.
    pub fn new(intervals: &'a Intervals) -> Absences<'a> {
        Absences {
            intervals,
            missing: BTreeMap::new(),
            rows: BTreeMap::new(),
        }
    }

    /// Looks at the figure of one row in one column, which is at `place` in the result.
    pub fn look(&mut self, column: &'static str, row: &str, place: &str, figure: Option<f64>) {
        if figure.is_none() {
            return;
        }
        *self.rows.entry(column).or_default() += 1;
        if let Some(word) = self.intervals.absence(place) {
            let rows = self.missing.entry((word.to_owned(), column)).or_default();
            rows.push(row.to_owned());
        }
    }

    /// Looks at columns that are figures of one block of times.
    pub fn look_at_times(
        &mut self,
        columns: &[(&'static str, &str)],
        row: &str,
        place: &str,
        block: &LatencyBlock,
    ) {
        for (column, name) in columns {
            let figure = match *name {
                "mean" => block.mean,
                "p50" => block.p50,
                "p95" => block.p95,
                _ => block.p99,
            };
            self.look(column, row, &format!("{place}.{name}"), figure);
        }
    }

    /// The note below the table: `no interval for wait p99 in a single run; use --replications; no interval for mean queue of
    /// api (too few)`. Rows are named only where not all have the same reason.
    pub fn note(self) -> Option<String> {
        let mut columns: BTreeMap<(Vec<String>, String), Vec<&str>> = BTreeMap::new();
        for ((word, column), rows) in self.missing {
            let all = self.rows.get(column) == Some(&rows.len());
            let rows = if all { Vec::new() } else { rows };
            columns.entry((rows, word)).or_default().push(column);
        }
        let (mut several, mut single) = (Vec::new(), Vec::new());
        for ((rows, word), columns) in columns {
            let mut figures = format!("for {}", columns.join(", "));
            if !rows.is_empty() {
                figures.push_str(&format!(" of {}", rows.join(", ")));
            }
            match word.as_str() {
                SINGLE_RUN => single.push(figures),
                _ => several.push(format!("{figures} ({word})")),
            }
        }
        let mut notes = Vec::new();
        if !single.is_empty() {
            let figures = single.join(", ");
            notes.push(format!(
                "no interval {figures} in a {SINGLE_RUN}; use --replications"
            ));
        }
        if !several.is_empty() {
            notes.push(format!("no interval {}", several.join("; ")));
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blis_sim::result::IntervalMethod;

    #[test]
    fn a_note_says_whose_figures_have_none_unless_it_is_everybody() {
        let absent = [
            ("a.mean", "too few: 3"),
            ("a.p50", "too few: 3"),
            ("a.wait quantiles", "single run: sums"),
            ("b.wait quantiles", "single run: sums"),
        ];
        let absent = absent.map(|(figure, why)| (figure.to_owned(), why.to_owned()));
        let intervals = Intervals {
            level: 0.95,
            method: IntervalMethod::BatchMeans,
            samples: 20,
            caution: None,
            absent: BTreeMap::from(absent),
        };
        let mut absences = Absences::new(&intervals);
        for row in ["a", "b"] {
            for figure in ["mean", "p50"] {
                absences.look(figure, row, &format!("{row}.{figure}"), Some(1.0));
            }
            absences.look("wait mean", row, &format!("{row}.wait.mean"), Some(1.0));
            absences.look("wait p99", row, &format!("{row}.wait.p99"), Some(1.0));
        }
        absences.look("wait p99", "c", "a.wait.p99", None);
        let note = absences.note();
        assert_eq!(
            note.as_deref(),
            Some(
                "no interval for wait p99 in a single run; use --replications; no interval for mean, p50 of a (too few)"
            )
        );
        assert_eq!(Absences::new(&intervals).note(), None);
    }
}
