//! The files that a spec refers to: recorded arrivals and measured values.
//!
//! Nothing here reads a file. [`wanted_files`](super::wanted_files) says which ones a spec refers to, whoever can read them puts their texts into
//! a [`Files`], and [`lower_with`](super::lower_with) takes them from there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{SpecError, shown};
use super::spanned::Spanned;

/// Most bytes that the files of a spec may have together, each counted as often as the spec refers to it.
pub const MAX_BYTES: u64 = 256 << 20;

/// The texts of files by the path that the spec writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, Arc<str>>);

impl Files {
    /// Adds a file.
    pub fn insert(&mut self, path: impl Into<String>, text: impl Into<Arc<str>>) {
        self.0.insert(path.into(), text.into());
    }

    /// The text of a file.
    pub fn get(&self, path: &str) -> Option<&Arc<str>> {
        self.0.get(path)
    }

    /// All files, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), &**text))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A line of a file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Its number, from 1.
    pub line: usize,
    /// What was found.
    pub message: String,
    /// What is accepted.
    pub help: String,
}

impl Flaw {
    pub fn new(line: usize, message: impl Into<String>, help: impl Into<String>) -> Flaw {
        Flaw {
            line,
            message: message.into(),
            help: help.into(),
        }
    }

    /// The error at the place where the spec names the file.
    pub fn into_error(self, path: &Spanned<String>) -> SpecError {
        path.error(format!(
            "{}, line {}: {}",
            shown(&path.value),
            self.line,
            self.message
        ))
        .help(self.help)
    }
}

/// Calls `row` with the line number, the first field and the second, if there is one, of each row of a table: lines of
/// fields separated by commas, the first line being one of `headers`. Every line ends with a line break, so that a
/// file that was cut short is found out.
pub(super) fn each_row<'a>(
    text: &'a str,
    headers: &[&str],
    mut row: impl FnMut(usize, &'a str, Option<&'a str>) -> Result<(), Flaw>,
) -> Result<(), Flaw> {
    // Spreadsheets write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let accepted = || format!("the first line is `{}`", headers.join("` or `"));
    let mut lines = text.split_inclusive('\n').enumerate();
    let Some((_, header)) = lines.next() else {
        return Err(Flaw::new(1, "the file is empty", accepted()));
    };
    let header = header.trim_end();
    if !headers.contains(&header) {
        return Err(bad_header(header, headers, accepted()));
    }
    let columns = 1 + header.matches(',').count();
    let mut rows = 0;
    for (index, line) in lines {
        let number = index + 1;
        let Some(line) = line.strip_suffix('\n') else {
            let message = format!("`{}` has no line break; the file may be cut", shown(line));
            return Err(Flaw::new(
                number,
                message,
                "end every line with a line break",
            ));
        };
        let line = line.strip_suffix('\r').unwrap_or(line);
        let found = 1 + line.matches(',').count();
        if line.is_empty() || found != columns {
            let message = match line.is_empty() {
                true => "the line is empty".to_owned(),
                false if found == 1 => format!("`{}` has one field", shown(line)),
                false => format!("`{}` has {found} fields", shown(line)),
            };
            let help = format!("every line has {columns}, as the header `{header}` has");
            return Err(Flaw::new(number, message, help));
        }
        let (first, second) = match line.split_once(',') {
            Some((first, second)) => (first.trim(), Some(second.trim())),
            None => (line.trim(), None),
        };
        row(number, first, second)?;
        rows += 1;
    }
    match rows {
        0 => Err(Flaw::new(
            1,
            "there are no rows below the header",
            "give at least one row",
        )),
        _ => Ok(()),
    }
}

/// What is wrong with a header: it is another one, or its fields are not separated by commas alone.
fn bad_header(header: &str, headers: &[&str], accepted: String) -> Flaw {
    let wrong = [";", "\t", "|", ", "].into_iter().find(|separator| {
        header.contains(separator) && headers.contains(&header.replace(separator, ",").as_str())
    });
    let message = match wrong {
        // What is no table may be anything, and is not shown.
        None => "this is not the header of such a table".to_owned(),
        Some(separator) => {
            let separator = match separator {
                "\t" => "tabs".to_owned(),
                ", " => "a comma and a blank".to_owned(),
                other => format!("`{other}`"),
            };
            format!(
                "the fields of `{}` are separated by {separator}, not by `,`",
                shown(header)
            )
        }
    };
    Flaw::new(1, message, accepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows<'a> = Vec<(usize, &'a str, Option<&'a str>)>;

    fn rows(text: &str) -> Result<Rows<'_>, (usize, String)> {
        let mut found = Vec::new();
        each_row(text, &["time", "time,action"], |line, first, second| {
            found.push((line, first, second));
            Ok(())
        })
        .map(|()| found)
        .map_err(|flaw| (flaw.line, flaw.message))
    }

    #[test]
    fn rows_are_read_with_their_lines() {
        assert_eq!(
            rows("time\n1\n 2 \n"),
            Ok(vec![(2, "1", None), (3, "2", None)])
        );
        assert_eq!(
            rows("\u{feff}time,action\r\n1,ask\r\n"),
            Ok(vec![(2, "1", Some("ask"))])
        );
    }

    #[test]
    fn what_is_not_a_table_says_where() {
        let flaw = |text: &str| rows(text).expect_err("refused");
        assert_eq!(flaw(""), (1, "the file is empty".to_owned()));
        assert_eq!(
            flaw("at\n1\n"),
            (1, "this is not the header of such a table".to_owned())
        );
        for (header, separator) in [
            ("time;action", "`;`"),
            ("time|action", "`|`"),
            ("time\taction", "tabs"),
            ("time, action", "a comma and a blank"),
        ] {
            let (line, message) = flaw(&format!("{header}\n1;ask\n"));
            let end = format!("are separated by {separator}, not by `,`");
            assert!(line == 1 && message.ends_with(&end), "{message}");
        }
        assert_eq!(
            flaw("time\n"),
            (1, "there are no rows below the header".to_owned())
        );
        assert_eq!(flaw("time\n1\n\n2\n"), (3, "the line is empty".to_owned()));
        assert_eq!(flaw("time\n1\n2,x\n"), (3, "`2,x` has 2 fields".to_owned()));
        assert_eq!(
            flaw("time,action\n1,ask\n2\n"),
            (3, "`2` has one field".to_owned())
        );
        assert_eq!(
            flaw("time\n1\n2.3"),
            (3, "`2.3` has no line break; the file may be cut".to_owned())
        );
    }
}
