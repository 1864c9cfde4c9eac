//! Why a live run does not come about, or a load of its session does not.

use blis_sim::measure::Imbalance;

use crate::journal;
use crate::observers::Unobservable;
use crate::os_error::unnumbered;
use crate::preflight::Obstacle;
use crate::preflight::limits::TooMany;
use crate::preflight::ready::Unready;
use crate::run::plan::Unsendable;
use crate::target::connect_failure::ConnectFailure;
use crate::wire::sizes::TooLarge;

/// Why a live run did not come about.
#[derive(Debug, thiserror::Error)]
pub enum RunFailure {
    /// Something of the model cannot be sent.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectFailure),
    /// A text that may not be sent, or cannot be filled in.
    #[error(transparent)]
    Unready(#[from] Unready),
    /// More connections than the system allows.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// A message that the server does not take.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Something on the server is in the way.
    #[error(transparent)]
    Obstacle(#[from] Obstacle),
    /// What should be observed cannot be.
    #[error(transparent)]
    Unobservable(#[from] Unobservable),
    /// What is to be kept of the run cannot be.
    #[error(transparent)]
    Record(#[from] journal::JournalFailure),
    /// A load that is none of its session.
    #[error(transparent)]
    Unlike(#[from] Unlike),
    /// The books of a load do not balance.
    #[error(transparent)]
    Books(#[from] Imbalance),
    /// Nobody is there to answer, of an action or of several, which no load changes.
    #[error("{0}")]
    Unanswered(String),
    /// The system gives no threads.
    #[error("the threads of a live run could not be started: {}; raise the limit on processes (`ulimit -u`)", unnumbered(.0))]
    Threads(std::io::Error),
}

/// Why a session does not run a load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unlike {
    /// Its actions are others.
    #[error("the load has other actions than the session; open a session with these actions")]
    Actions,
    /// It needs more connections.
    #[error(
        "the load needs {needed} connections, but the session has {open}; open the session with the largest load"
    )]
    Connections {
        /// This many.
        needed: u32,
        /// As there are.
        open: u32,
    },
    /// Deliveries of one load could be taken for those of another one.
    #[error(
        "`equals` of the deliveries that action {0} awaits is the same in every load; add {{id}}, {{uuid}} or {{seq}} to it"
    )]
    SameNames(String),
}
