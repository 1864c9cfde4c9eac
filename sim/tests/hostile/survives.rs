//! What any text has to survive, for the tests here and the fuzz target in `fuzz/`: it is refused with errors whose
//! places lie in it, or it is a spec that is written back as the same model and that runs with its books in order.

use blis_sim::measure::Measure;
use blis_sim::model::{Choice, Model, Piece, Source, Template};
use blis_sim::simulation::{Progress, Simulation};
use blis_sim::spec::{
    self, Fields, Files, Lowered, Spec, SpecError, SpecErrors, error::MAX_ERRORS,
};

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
            templates_are_fit(&lowered);
            if size(&lowered.model) > LARGEST {
                return Fate::TooLarge;
            }
            runs(&lowered.model);
            Fate::Ran
        }
    }
}

/// Reads, lowers and writes back.
pub fn read(text: &str) -> Result<Lowered, SpecErrors> {
    let spec = spec::read(text)?;
    let files = files(&spec);
    let lowered = spec::lower_with(&spec, &files)?;
    places_are_in(text, &lowered.warnings);
    let resolved = spec::resolved(&spec);
    let again = spec::read(&resolved)
        .unwrap_or_else(|errors| panic!("{errors:?} in the resolved spec\n{resolved}"));
    let again = spec::lower_with(&again, &files).map(|again| again.model);
    assert_eq!(again.as_ref(), Ok(&lowered.model), "{resolved}");
    Ok(lowered)
}

/// What the files hold that a spec refers to.
const CONTENTS: [&str; 16] = [
    "time\n0s\n1ms\n2ms\n",
    "value\n1ms\n2ms\n",
    "time\n",
    "",
    "time\n1700000000\n1700000001\n",
    "value\n1B\n50B\n",
    "time\n5s\n1s\n",
    "\u{feff}time\r\n1\r\n2\r\n",
    "time\n1e999\n",
    "time\n-1s\n.nan\n",
    "time\n1s",
    "time;user\n1;2\n",
    "time,user\n0,a\n1,b\n",
    "value\n0s\n0s\n",
    "{\"json\": \"\\u0000\"}\n\u{0}\u{202e}\n",
    "time\n18446744073709551616\n\n\n",
];

/// Files for all that a spec refers to, by their paths: one whose name begins with the number of a text has it.
fn files(spec: &Spec) -> Files {
    let mut files = Files::default();
    for path in spec::wanted_files(spec) {
        let number = path
            .value
            .split('-')
            .next()
            .and_then(|name| name.parse().ok());
        let sum = || path.value.bytes().map(usize::from).sum();
        let number: usize = number.unwrap_or_else(sum);
        files.insert(path.value, CONTENTS[number % CONTENTS.len()]);
    }
    files
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
        .map(|service| u64::from(service.members.count()));
    // Each client has its measurements for each action.
    let cells = model.clients.len() as u64 * model.actions.len() as u64;
    users
        .chain(members)
        .fold(cells, |sum, number| sum.saturating_add(number))
}

/// Texts of each template that are filled in here.
const FILLED: usize = 24;

/// What a live run would send: no subject but such as may be sent, and headers of one line. What is said to be looked at
/// only before it is sent is left out.
fn templates_are_fit(lowered: &Lowered) {
    let left = |warning: &SpecError| {
        warning
            .message
            .contains("too many values to check before a load")
    };
    if lowered.warnings.iter().any(left) {
        return;
    }
    let model = &lowered.model;
    for sending in model
        .actions
        .iter()
        .filter_map(|action| action.sending.as_ref())
    {
        for round in 0..FILLED {
            let subject = filled(model, &sending.subject, round);
            let odd = |c: char| c.is_whitespace() || c.is_control();
            let token = |token: &str| !["", "*", ">"].contains(&token) && !token.contains(odd);
            assert!(subject.split('.').all(token), "{subject:?} is sent");
            let reads = ["$KV.", "$JS."]
                .iter()
                .any(|start| subject.starts_with(start));
            assert!(!subject.starts_with('$') || reads, "{subject:?} is sent");
            for word in ["PURGE", "DELETE", "CREATE", "UPDATE"] {
                let changes = subject.starts_with(&format!("$JS.API.STREAM.{word}"))
                    || subject.starts_with(&format!("$JS.API.CONSUMER.{word}"));
                assert!(!changes, "{subject:?} is sent");
            }
            for (name, template) in &sending.headers {
                let value = filled(model, template, round);
                assert!(!value.contains(['\r', '\n']), "{name}: {value:?} is sent");
                let removes = name == "KV-Operation" && (value == "DEL" || value == "PURGE");
                assert!(
                    !removes && name != "Nats-Rollup",
                    "{name}: {value:?} is sent"
                );
            }
        }
    }
}

/// A text of a template: of each variable another value in each round.
fn filled(model: &Model, template: &Template, round: usize) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Variable(number) => match &model.variables[usize::from(*number)].choice {
            Choice::OneOf(texts) => {
                texts[(round / (1 + usize::from(*number))) % texts.len()].clone()
            }
            Choice::Range(from, to) => (round as u64).clamp(*from, *to).to_string(),
        },
        _ => "0".to_owned(),
    };
    template.0.iter().map(piece).collect()
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
