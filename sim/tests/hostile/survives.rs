//! What any text has to survive, for the tests here and the fuzz target in `fuzz/`: it is refused with errors whose
//! places lie in it, or it is a spec that is written back as the same model and that runs with its books in order.

use blis_sim::measure::Measure;
use blis_sim::model::{Model, Source};
use blis_sim::simulation::{Progress, Simulation};
use blis_sim::spec::{self, Fields, Lowered, SpecError, error::MAX_ERRORS};

/// Events that a spec which is accepted runs for.
pub const EVENTS: u64 = 10_000;
/// Users, members and entities of the largest model that is run: more are allowed, and take the memory they take.
pub const LARGEST: u64 = 100_000;

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is no spec.
    Refused,
    /// It is a spec, of more users and members than are run here.
    TooLarge,
    /// It is a spec, and was run.
    Ran,
}

/// Puts a text through all that a spec goes through.
///
/// # Panics
/// When something is not as it has to be.
pub fn survives(text: &str) -> Fate {
    match read(text) {
        Err(errors) => {
            places_are_in(text, &errors);
            Fate::Refused
        }
        Ok(lowered) => {
            if size(&lowered.model) > LARGEST {
                return Fate::TooLarge;
            }
            runs(&lowered.model);
            Fate::Ran
        }
    }
}

/// Reads, lowers and writes back.
pub fn read(text: &str) -> Result<Lowered, Vec<SpecError>> {
    let spec = spec::read(text)?;
    let lowered = spec::lower(&spec)?;
    places_are_in(text, &lowered.warnings);
    let resolved = spec::resolved(&spec);
    let again = spec::read(&resolved)
        .unwrap_or_else(|errors| panic!("{errors:?} in the resolved spec\n{resolved}"));
    let again = spec::lower(&again).map(|again| again.model);
    assert_eq!(again.as_ref(), Ok(&lowered.model), "{resolved}");
    Ok(lowered)
}

fn places_are_in(text: &str, found: &[SpecError]) {
    assert!(found.len() <= MAX_ERRORS, "{} errors", found.len());
    let fields = Fields::new(text);
    for error in found {
        let related = error.related.as_ref().map(|related| &related.span);
        for span in [error.span.as_ref(), related].into_iter().flatten() {
            assert!(
                text.get(span.clone()).is_some(),
                "{span:?} is not in the text"
            );
            let _ = fields.at(span);
        }
        assert!(error.message.len() < 1_000, "{}", error.message.len());
    }
}

/// Users, members and entities.
pub fn size(model: &Model) -> u64 {
    let users = model.clients.iter().map(|client| match client.source {
        Source::Closed { concurrency, .. } => u64::from(concurrency.get()),
        Source::Open { .. } => 1,
    });
    let members = model
        .services
        .iter()
        .map(|service| u64::from(service.members.get()));
    // Each client has its measurements for each action.
    let cells = model.clients.len() as u64 * model.actions.len() as u64;
    users
        .chain(members)
        .fold(cells, |sum, number| sum.saturating_add(number))
}

fn runs(model: &Model) {
    let mut simulation = Simulation::new(model, Measure::new(model));
    match simulation.advance(EVENTS) {
        Ok(Progress::Running) => simulation.interrupt(),
        Ok(Progress::Finished) => {}
        // A model that goes round at one instant is found and named.
        Err(_) => return,
    }
    let intended = simulation.intended();
    let mut measure = simulation.into_sink();
    measure
        .finish(intended)
        .unwrap_or_else(|imbalance| panic!("{imbalance}"));
}
