//! A live run from start to end: preflight, connections, the driver, and the report.

use blis_sim::event::Sink;
use blis_sim::model::{Model, Path};

use crate::generator::driver::LoadWatch;
use crate::journal;
use crate::observers::Wanted;
use crate::observers::asking::Asker;
use crate::run::failure::RunFailure;
use crate::run::observed::{Connected, Heard, Observed};
use crate::run::session::{Session, runtime};
use crate::target::Target;
use crate::target::access::Access;

/// What is done beside the load.
pub struct Besides<'a, B> {
    /// What is observed.
    pub wanted: Wanted<'a>,
    /// Is handed what was found out before the load, and may make its figures mean something else than they seem to.
    pub warn: &'a dyn Fn(&str),
    /// Gives a sink that sees every event too, before the first request is sent.
    pub begin: B,
}

/// Holds where a connection to the target can be opened.
///
/// # Errors
/// Why not.
pub fn reach(target: &Target, access: &Access) -> Result<(), RunFailure> {
    let runtime = runtime()?;
    runtime.block_on(Asker::open(target, access))?;
    Ok(())
}

/// Runs a model against a target.
///
/// # Errors
/// What is found before the first request is sent.
pub fn observe<S, B, P: Clone + Into<Option<Path>>>(
    model: &Model<P>,
    target: &Target,
    access: &Access,
    besides: Besides<'_, B>,
    watch: LoadWatch<'_, Heard>,
) -> Result<Observed<S>, RunFailure>
where
    S: Sink,
    B: FnOnce(&Connected) -> Result<S, journal::JournalFailure>,
{
    let Besides {
        wanted,
        warn,
        begin,
    } = besides;
    let mut session = Session::open(model, target, access, &wanted, warn)?;
    let also = begin(session.connected())?;
    let observed = session.run_load(model, also, warn, watch);
    session.close();
    observed
}
