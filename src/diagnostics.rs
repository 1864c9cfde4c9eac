//! Errors and warnings of a spec as people read them: message, file, line, column and field, the line with the place
//! marked, and what would be accepted.
//!
//! What comes out is text for stderr. It is readable without colour and without anything but ASCII, which is what it
//! is when stderr is not a terminal, and it is of bounded length whatever the spec holds: control characters of the
//! spec never reach the terminal, and lines too long to show are named and not shown.

use std::fmt::{self, Write as _};
use std::io::IsTerminal;
use std::ops::Range;

use blis_sim::spec::error::{Related, line_and_column};
use blis_sim::spec::{Fields, SpecError};
use blis_sim::visible;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity,
    SourceCode,
};

/// The longest line that is shown, in bytes.
const LONGEST_LINE: usize = 400;
/// The width of the text that messages are wrapped to.
const WIDTH: usize = 110;

/// How reports look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// ASCII only.
    Plain,
    /// Line-drawing characters.
    Drawn,
    /// Line-drawing characters in colour.
    Coloured,
}

impl Style {
    /// What suits stderr: ASCII when it is not a terminal, no colour when `NO_COLOR` is set.
    pub fn for_stderr() -> Style {
        if !std::io::stderr().is_terminal() {
            Style::Plain
        } else if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            Style::Drawn
        } else {
            Style::Coloured
        }
    }

    fn theme(self) -> GraphicalTheme {
        match self {
            Style::Plain => GraphicalTheme::none(),
            Style::Drawn => GraphicalTheme::unicode_nocolor(),
            Style::Coloured => GraphicalTheme::unicode(),
        }
    }
}

/// The errors of a spec in one report; `name` is what the user calls the file.
pub fn errors(name: &str, text: &str, errors: &[SpecError], style: Style) -> String {
    let mut report = all(name, text, errors, Severity::Error, style);
    let count = match errors.len() {
        1 => "1 error".to_owned(),
        many => format!("{many} errors"),
    };
    let all_by_flags = errors.iter().all(|error| error.flag.is_some());
    let place = match all_by_flags {
        true => "on the command line".to_owned(),
        false => format!("in {}", visible::line(name)),
    };
    report.push_str(&format!("{count} {place}\n"));
    report
}

/// The warnings of a spec in one report.
pub fn warnings(name: &str, text: &str, warnings: &[SpecError], style: Style) -> String {
    all(name, text, warnings, Severity::Warning, style)
}

fn all(name: &str, text: &str, findings: &[SpecError], severity: Severity, style: Style) -> String {
    let handler = GraphicalReportHandler::new_themed(style.theme())
        .with_width(WIDTH)
        .with_links(false)
        .with_context_lines(1)
        .with_break_words(false);
    let source = harmless(text);
    let name = &visible::line(name);
    let fields = Fields::new(text);
    let mut report = String::new();
    for finding in findings {
        let shown = Finding::new(name, &source, &fields, finding, severity);
        // Writing to a string cannot fail; should the handler fail, the message alone still says what is wrong.
        let mut one = String::new();
        if handler.render_report(&mut one, &shown).is_err() {
            one = format!("{shown}\n");
        }
        let _ = writeln!(report, "{}\n", one.trim_end());
    }
    report
}

/// The text with what is hidden in it replaced, each byte by one byte, so that places stay where they are.
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => harmless.push(c),
            '\r' => harmless.push(' '),
            c if visible::is_hidden(c) => harmless.extend(std::iter::repeat_n('?', c.len_utf8())),
            c => harmless.push(c),
        }
    }
    harmless
}

/// One error or warning with the text it is about.
#[derive(Debug)]
struct Finding {
    message: String,
    help: Option<String>,
    severity: Severity,
    labels: Vec<LabeledSpan>,
    source: Option<NamedSource<String>>,
}

impl Finding {
    fn new(
        name: &str,
        text: &str,
        fields: &Fields,
        error: &SpecError,
        severity: Severity,
    ) -> Finding {
        let mut finding = Finding {
            message: visible::lines(&error.to_string()).into_owned(),
            help: error
                .help
                .as_deref()
                .map(|help| visible::lines(help).into_owned()),
            severity,
            labels: Vec::new(),
            source: None,
        };
        let Some(span) = &error.span else {
            // A value of a flag may still contradict one of the text.
            if let Some(related) = &error.related
                && line(text, related.span.start).len() <= LONGEST_LINE
            {
                finding.point(name, text, related);
            }
            return finding;
        };
        let field = fields.at(span);
        let related = error.related.as_deref();
        let lines = [Some(span), related.map(|related| &related.span)];
        if lines
            .into_iter()
            .flatten()
            .any(|span| line(text, span.start).len() > LONGEST_LINE)
        {
            let (line, column) = line_and_column(text, span.start);
            let field = field
                .map(|field| format!(" ({})", visible::line(&field)))
                .unwrap_or_default();
            finding
                .message
                .push_str(&format!(" at {name}:{line}:{column}{field}"));
            return finding;
        }
        let label = match (field, error.label) {
            (Some(field), "") => Some(visible::line(&field).into_owned()),
            (Some(field), label) => Some(format!("{}: {label}", visible::line(&field))),
            (None, "") => None,
            (None, label) => Some(label.to_owned()),
        };
        finding.labels.push(LabeledSpan::new_primary_with_span(
            label,
            first_line(text, span),
        ));
        finding.source = Some(NamedSource::new(name, text.to_owned()));
        if let Some(related) = related {
            finding.point(name, text, related);
        }
        finding
    }

    /// Shows a second place.
    fn point(&mut self, name: &str, text: &str, related: &Related) {
        let span = first_line(text, &related.span);
        let label = Some(visible::line(&related.label).into_owned());
        self.labels.push(LabeledSpan::new_with_span(label, span));
        self.source
            .get_or_insert_with(|| NamedSource::new(name, text.to_owned()));
    }
}

/// The bytes of the line that holds a byte, without its end.
fn line(text: &str, at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let bytes = text.as_bytes();
    let start = bytes[..at]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |end| end + 1);
    let end = bytes[at..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(text.len(), |end| at + end);
    start..end
}

/// As much of a place as stands on its first line.
fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let end = line(text, span.start).end.min(span.end);
    span.start..end.max(span.start)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Finding {}

impl Diagnostic for Finding {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blis_sim::spec;

    const BROKEN: &str = "\
blis: 1
name: broken
name: again
run: {requests: 10}
clients:
  users: {concurrency: 5, do: aks}
actions:
  ask:
    path: [visit: api, reply]
services:
  api:
    workers: 0
    time: 1ms
";

    fn report(text: &str, style: Style) -> String {
        let found = spec::read(text).expect_err("the spec is wrong");
        errors("broken.yaml", text, &found, style)
    }

    #[test]
    fn several_errors_make_one_report() {
        let expected = r"
  x the key `name` is given twice
   ,-[broken.yaml:3:1]
 1 | blis: 1
 2 | name: broken
   : ^^|^
   :   `-- first here
 3 | name: again
   : ^^|^
   :   `-- again here
 4 | run: {requests: 10}
   `----
  help: keep one of the two

  x there is no action `aks`
   ,-[broken.yaml:6:31]
 5 | clients:
 6 |   users: {concurrency: 5, do: aks}
   :                               ^|^
   :                                `-- clients.users.do: unknown
 7 | actions:
   `----
  help: did you mean `ask`? the actions are `ask`

  x there must be at least one worker
    ,-[broken.yaml:12:14]
 11 |   api:
 12 |     workers: 0
    :              |
    :              `-- services.api.workers
 13 |     time: 1ms
    `----
  help: give a whole number from 1 to 1000000000

3 errors in broken.yaml
";
        assert_eq!(
            report(BROKEN, Style::Plain),
            expected.trim_start_matches('\n')
        );
    }

    #[test]
    fn only_the_coloured_style_has_escapes() {
        assert!(report(BROKEN, Style::Plain).is_ascii());
        assert!(!report(BROKEN, Style::Drawn).contains('\u{1b}'));
        assert!(report(BROKEN, Style::Coloured).contains("\u{1b}["));
    }

    #[test]
    fn control_characters_of_the_spec_do_not_reach_the_terminal() {
        for (harmful, shown) in [
            ("x: \"\u{9b}31m\"\r\n", "x: \"??31m\""),
            ("x: \u{1b}[31m\n", "x: ?[31m"),
            ("x: \"\\e[31m\"\n", "\\e[31m"),
        ] {
            let report = report(&BROKEN.replace("name: again\n", harmful), Style::Drawn);
            assert!(
                !report.chars().any(|c| c.is_control() && c != '\n'),
                "{report:?}"
            );
            assert!(report.contains(shown), "{report}");
        }
    }

    #[test]
    fn a_line_too_long_to_show_is_named() {
        let text = BROKEN.replace(
            "workers: 0",
            &format!("workers: 0 # {}", "x".repeat(100_000)),
        );
        let report = report(&text, Style::Plain);
        assert!(
            report.contains(
                "there must be at least one worker at broken.yaml:12:14 (services.api.workers)"
            ),
            "{report}"
        );
        assert!(report.len() < 2_000, "{}", report.len());
    }

    #[test]
    fn a_place_of_many_lines_is_shown_by_its_first() {
        let text = BROKEN.replace(
            "    workers: 0\n    time: 1ms\n",
            "    time: 1ms\n    workers: [\n      1,\n      2]\n",
        );
        let report = report(&text, Style::Plain);
        assert!(report.contains("13 |     workers: ["), "{report}");
        assert!(!report.contains("      2]"), "{report}");
    }

    #[test]
    fn an_error_without_a_place_is_a_message_and_advice() {
        let error = SpecError::new("the load has no end").help("set `run.horizon`");
        let expected =
            "  x the load has no end\n  help: set `run.horizon`\n\n1 error in spec.yaml\n";
        assert_eq!(errors("spec.yaml", "", &[error], Style::Plain), expected);
    }

    #[test]
    fn warnings_are_marked_as_such() {
        let text = BROKEN
            .replace("name: again\n", "")
            .replace("aks", "ask")
            .replace("workers: 0", "workers: 1");
        let text = format!("{text}  idle: {{workers: 1, time: 1ms}}\n");
        let spec = spec::read(&text).expect("the spec can be read");
        let lowered = spec::lower(&spec).expect("the spec can be lowered");
        let report = warnings("broken.yaml", &text, &lowered.warnings, Style::Plain);
        assert!(
            report
                .starts_with("  ! the service `idle` is never visited\n    ,-[broken.yaml:13:3]\n"),
            "{report}"
        );
    }
}
