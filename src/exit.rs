//! Exit codes and what leads to them, in one place.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done, and PASS where the run was judged; of a search for a ceiling, an answer |
//! | 1 | a defect of blis itself, or the result or the record could not be written |
//! | 2 | usage or spec: nothing was run, nothing was written |
//! | 3 | the target may not be loaded: it is not this machine and was not named again |
//! | 4 | no connection to the target (its name cannot be resolved, nobody listens), or it was lost for good; of a search, nobody subscribes to what it sends; the results so far were kept |
//! | 5 | INCONCLUSIVE: the evidence does not say, or the run outgrew the memory |
//! | 99 | a service-level objective was missed; of a search, nothing passed |
//! | 130 | interrupted; the results so far were kept |

use std::io::Write as _;
use std::process::ExitCode;

use blis_live::double::serve;
use blis_live::journal;
use blis_live::observers::{Unobservable, Unread};
use blis_live::os_error::unnumbered;
use blis_live::run::failure as live;
use blis_live::target::Refused;
use blis_live::target::connect_failure::ConnectFailure;
use blis_sim::measure::Imbalance;
use blis_sim::replication::Halt;
use blis_sim::verdict::Status;
use blis_sim::visible;

/// How a completed command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It did what was asked, and nothing was judged or all was kept.
    Well,
    /// A run was judged otherwise.
    Judged(Status),
    /// It was interrupted.
    Interrupted,
    /// Its connections were lost for good.
    Disconnected,
}

/// Why a command was not completed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line, the spec or the place of the output is at fault.
    #[error("{0}")]
    Usage(String),
    /// A report of the errors of a spec, complete with its places.
    #[error("{0}")]
    Spec(String),
    /// The target may not be loaded.
    #[error("{0}")]
    Target(String),
    /// There is no connection to the target.
    #[error("{0}")]
    Connect(String),
    /// The run outgrew the machine before it was completed.
    #[error("{0}")]
    Overgrown(String),
    /// The result could not be written.
    #[error(
        "the result could not be written to {to}: {}; make room or choose another place",
        unnumbered(.why)
    )]
    Output {
        /// Where.
        to: String,
        /// Why not.
        why: std::io::Error,
    },
    /// The trace could not be written.
    #[error(
        "the trace could not be written to {to}: {}; make room or choose another place",
        unnumbered(.why)
    )]
    Trace {
        /// Where.
        to: String,
        /// Why not.
        why: std::io::Error,
    },
    /// The record of a live run could not be written to its end.
    #[error("{0}")]
    Record(journal::JournalFailure),
    /// The books do not balance.
    #[error(
        "internal error, the results of this run are invalid: {0}; please report it with the spec"
    )]
    Books(#[from] Imbalance),
    /// The result could not be turned into JSON.
    #[error(
        "internal error, the result could not be serialised: {0}; please report it with the spec"
    )]
    Json(#[from] serde_json::Error),
    /// The report could not be turned into a page.
    #[error(
        "this is a defect of blis: the page could not be written: {0}; --format text has the same report"
    )]
    Page(#[from] minijinja::Error),
}

impl Failure {
    /// With errors of a value that was set named by the flag that set it.
    pub fn of_flag(self, flag: &str, key: &str) -> Failure {
        match self {
            Failure::Spec(text) => {
                Failure::Spec(text.replace(&format!("--set {key}="), &format!("{flag} {key}=")))
            }
            other => other,
        }
    }
}

impl From<live::RunFailure> for Failure {
    fn from(failure: live::RunFailure) -> Failure {
        match failure {
            live::RunFailure::Connect(ConnectFailure::Target(refused)) => refused.into(),
            live::RunFailure::Connect(ConnectFailure::File { .. } | ConnectFailure::Key(_)) => {
                Failure::Usage(failure.to_string())
            }
            live::RunFailure::Unobservable(Unobservable::Monitor(Unread::Unreachable {
                ..
            })) => Failure::Connect(failure.to_string()),
            live::RunFailure::Connect(_) | live::RunFailure::Unanswered(_) => {
                Failure::Connect(failure.to_string())
            }
            live::RunFailure::Record(failure) => failure.into(),
            _ => Failure::Usage(failure.to_string()),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        match refused {
            Refused::NoUrl(_) | Refused::NoMonitor(_) => Failure::Usage(refused.to_string()),
            Refused::Unknown { .. } => Failure::Connect(refused.to_string()),
            Refused::NotNamed { .. } | Refused::Public { .. } => {
                Failure::Target(refused.to_string())
            }
        }
    }
}

impl From<journal::JournalFailure> for Failure {
    fn from(failure: journal::JournalFailure) -> Failure {
        match failure {
            journal::JournalFailure::Write { .. } => Failure::Record(failure),
            _ => Failure::Usage(failure.to_string()),
        }
    }
}

impl From<serve::ServeFailure> for Failure {
    fn from(failure: serve::ServeFailure) -> Failure {
        match failure {
            serve::ServeFailure::Live(failure) => failure.into(),
            serve::ServeFailure::Unplayable(_) | serve::ServeFailure::Streams(_) => {
                Failure::Usage(failure.to_string())
            }
        }
    }
}

impl From<Halt> for Failure {
    fn from(halt: Halt) -> Failure {
        match halt {
            Halt::StandsStill(_) => Failure::Usage(halt.to_string()),
            Halt::Overgrown(_) => Failure::Overgrown(halt.to_string()),
            Halt::Books(imbalance) => Failure::Books(imbalance),
        }
    }
}

/// The exit code of an ended command; a failure is told on stderr.
pub fn code(ended: Result<Done, Failure>) -> ExitCode {
    let failure = match ended {
        Ok(done) => return done.code(),
        Err(failure) => failure,
    };
    match &failure {
        Failure::Spec(report) => {
            show(report);
            ExitCode::from(2)
        }
        Failure::Usage(_) => {
            tell(&format!("blis: {failure}\n"));
            ExitCode::from(2)
        }
        Failure::Target(_) => {
            tell(&format!("blis: refused: {failure}\n"));
            ExitCode::from(3)
        }
        Failure::Connect(_) => {
            tell(&format!("blis: {failure}\n"));
            ExitCode::from(4)
        }
        Failure::Overgrown(_) => {
            tell(&format!("blis: INCONCLUSIVE: {failure}\n"));
            ExitCode::from(5)
        }
        Failure::Output { .. }
        | Failure::Trace { .. }
        | Failure::Record(_)
        | Failure::Books(_)
        | Failure::Json(_)
        | Failure::Page(_) => {
            tell(&format!("blis: {failure}\n"));
            ExitCode::from(1)
        }
    }
}

/// Writes a line to stderr, as [`line()`] has it.
pub fn tell(text: &str) {
    show(&line(text));
}

/// A line as it is told. What came from outside can neither steer the terminal with it nor begin its own line.
pub fn line(text: &str) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    format!("{}\n", visible::line(text))
}

/// Writes a report of a spec to stderr, whose colours it has already. Where it cannot be written there is nobody to
/// tell, and the exit code still says it.
pub fn show(report: &str) {
    let _ = std::io::stderr().lock().write_all(report.as_bytes());
}

impl Done {
    fn code(self) -> ExitCode {
        match self {
            Done::Well | Done::Judged(Status::Pass) => ExitCode::SUCCESS,
            Done::Judged(Status::Inconclusive) => ExitCode::from(5),
            Done::Judged(Status::Trip) => ExitCode::from(99),
            Done::Interrupted => ExitCode::from(130),
            Done::Disconnected => ExitCode::from(4),
        }
    }
}
