//! The runs of a fit: their users and arrivals, and their measured figures.

use std::path::Path;

use blis_sim::calibration::summary::{FEWEST, Looks, MOST_ACTIONS, Observed};
use blis_sim::compare::generator_limits;
use blis_sim::event::Outcome;
use blis_sim::model::{Client, Limits, MaxInFlight, Model, Path as Known};
use blis_sim::result::{self, Run};
use blis_sim::time::Time;
use blis_sim::trace::Row;

use super::sources::Said;
use crate::exit::Failure;
use crate::runs::recorded::Recorded;
use crate::runs::replayed::{arrive_as, behave_as, choose_as, in_the_terms_of, requests};
use crate::workload::LiveWorkload;

/// The most requests of a run's window that are looked at.
pub const MOST_REQUESTS: usize = 10_000;

/// A run that a model is fitted to.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Its directory.
    pub name: String,
    /// Requests per second that were intended within the window.
    pub offered_rps: f64,
    /// Users who wait for answers.
    pub users: u64,
    /// Requests of the window.
    pub requests: u64,
    /// The share of them that was not answered.
    pub failed: f64,
    /// How many were answered well, and how many with an error.
    pub answered: u64,
    pub errors: u64,
    /// The mean response time of what was answered, in nanoseconds.
    pub mean_nanos: f64,
    /// What was measured, in logarithms of nanoseconds.
    pub figures: Vec<f64>,
    /// What each of these is: the action, and `mean` or a quantile.
    pub labels: Vec<(String, String)>,
    /// Who sends what when, in the terms of the model.
    pub clients: Vec<Client>,
    /// How many requests may be in flight together.
    pub max_in_flight: Option<MaxInFlight>,
    /// The id of the run.
    pub run: Option<String>,
    /// How long it was.
    pub limits: Limits,
    /// What is looked at of each action of the model.
    pub looks: Vec<Option<Looks>>,
    /// Whether the run went on, and what came later is not looked at.
    pub is_shortened: bool,
    /// What services said of themselves meanwhile; `None` of a simulated run.
    pub said: Option<Said>,
}

impl Recording {
    /// Its load: users where clients wait for answers, otherwise requests per second.
    pub fn load(&self) -> f64 {
        match self.users {
            0 => self.offered_rps,
            users => users as f64,
        }
    }

    /// A run with all its requests in the terms of a model.
    ///
    /// # Errors
    /// [`Failure::Usage`] where the run tells nothing, or is none of the model's.
    pub fn of(
        name: String,
        model: &Model<Known>,
        of_run: &LiveWorkload,
        (run, rows): (&Run, Vec<Row>),
    ) -> Result<Recording, Failure> {
        if run.window.measured_s <= 0.0 {
            return Err(Failure::Usage(format!(
                "the window of {name} is empty, so its load is not known; fit to runs with a longer window"
            )));
        }
        let rows = in_the_terms_of(model, of_run, rows)?;
        let mut limits = of_run.model.limits;
        let (rows, is_shortened) = shortened(rows, &mut limits);
        let measured_s = match limits.horizon.filter(|_| is_shortened) {
            Some(end) => end.since(limits.warmup).as_secs_f64(),
            None => run.window.measured_s,
        };
        let mut users = model.clone();
        behave_as(&mut users, of_run);
        choose_as(&mut users, of_run)?;
        arrive_as(&mut users, &rows)?;
        let mut observed = observed(model, &rows);
        let looks = looks(&observed);
        let answered: u64 = observed.iter().map(Observed::answered).sum();
        if looks.iter().all(Option::is_none) {
            return Err(Failure::Usage(nothing_told(&name, answered)));
        }
        let (mut figures, mut labels) = (Vec::new(), Vec::new());
        for ((action, observed), looks) in model.actions.iter().zip(&mut observed).zip(&looks) {
            let Some(looks) = looks else { continue };
            observed.summary(looks, &mut figures);
            let of_action = |name: String| (action.name.clone(), name);
            labels.extend(looks.names().map(of_action));
        }
        let in_window = rows.iter().filter(|row| row.in_window).count() as f64;
        let answers = rows
            .iter()
            .filter(|row| row.in_window && row.outcome == Outcome::Ok);
        let errors = rows
            .iter()
            .filter(|row| row.in_window && row.outcome == Outcome::AppError);
        let sum: f64 = answers
            .clone()
            .map(|row| row.response().as_nanos() as f64)
            .sum();
        Ok(Recording {
            name,
            mean_nanos: sum / answered as f64,
            offered_rps: in_window / measured_s,
            users: users.clients.iter().map(Client::closed_users).sum(),
            max_in_flight: users.max_in_flight,
            run: run.record.as_ref().map(|record| record.run.clone()),
            requests: in_window as u64,
            failed: 1.0 - answers.clone().count() as f64 / in_window.max(1.0),
            answered: answers.count() as u64,
            errors: errors.count() as u64,
            figures,
            labels,
            clients: users.clients,
            limits,
            looks,
            is_shortened,
            said: Said::of(run),
        })
    }
}

/// The first requests of a run, as if it had ended with them: more of them would tell hardly more, and each is simulated some thousands of
/// times. Whether any were left out.
fn shortened(mut rows: Vec<Row>, limits: &mut Limits) -> (Vec<Row>, bool) {
    let mut intended: Vec<Time> = rows
        .iter()
        .filter(|row| row.in_window)
        .map(|row| row.intended)
        .collect();
    if intended.len() <= MOST_REQUESTS {
        return (rows, false);
    }
    intended.sort_unstable();
    let end = intended[MOST_REQUESTS];
    if end <= limits.warmup {
        // All of them came at one instant.
        return (rows, false);
    }
    rows.retain(|row| row.intended < end);
    limits.horizon = Some(end);
    // As a run that ends there has it, and so its simulation.
    let last = end + limits.drain;
    for row in rows.iter_mut().filter(|row| row.done > last) {
        row.outcome = Outcome::Unresolved;
        row.done = last;
    }
    (rows, true)
}

/// The text about a run that has too few answers.
fn nothing_told(name: &str, answered: u64) -> String {
    match answered {
        0 => format!("every request of {name} failed; fix the cause and measure again"),
        _ => format!(
            "{name} has {answered} answered requests in its window; at least {FEWEST} of an action are needed: measure longer"
        ),
    }
}

/// Reads the run of a directory in the terms of a model. With `anyway`, one in which the generator was the limit too.
///
/// # Errors
/// [`Failure::Usage`] where the run tells nothing, or is none of the model's.
pub fn read(path: &Path, model: &Model<Known>, anyway: bool) -> Result<Recording, Failure> {
    let name = path.display().to_string();
    let recorded = Recorded::read(path, "calibrate")?;
    let Recorded::Ended(finished) = &recorded else {
        return Err(Failure::Usage(format!(
            "{name} has no result: its run was interrupted or is still going on; fit to completed runs"
        )));
    };
    let run = &finished.run;
    if run.ended_by == result::INTERRUPTED {
        return Err(Failure::Usage(format!(
            "the run of {name} was interrupted; fit to completed runs"
        )));
    }
    if let Some(limit) = generator_limits(run).first().filter(|_| !anyway) {
        return Err(Failure::Usage(format!(
            "the generator limited the run of {name}: {} Measure again, or give --anyway to fit to it.",
            limit.trim()
        )));
    }
    let (of_run, requests) = requests(finished, false)?;
    Recording::of(name, model, &of_run, (run, requests.rows))
}

/// What is looked at of each action: of those with the most answers, where there are many.
fn looks(observed: &[Observed]) -> Vec<Option<Looks>> {
    let mut by_answers: Vec<usize> = (0..observed.len())
        .filter(|nth| observed[*nth].answered() >= FEWEST)
        .collect();
    by_answers.sort_by_key(|nth| std::cmp::Reverse(observed[*nth].answered()));
    by_answers.truncate(MOST_ACTIONS);
    let looks = |(nth, one): (usize, &Observed)| match by_answers.contains(&nth) {
        true => one.looks(by_answers.len()),
        false => None,
    };
    observed.iter().enumerate().map(looks).collect()
}

/// The requests of the window by action.
fn observed(model: &Model<Known>, rows: &[Row]) -> Vec<Observed> {
    let mut all = vec![Observed::default(); model.actions.len()];
    for row in rows.iter().filter(|row| row.in_window) {
        if let Some(own) = all.get_mut(row.action.index()) {
            own.add(row.outcome, row.response());
        }
    }
    all
}

/// Refuses a run that is there twice, under whatever name: it would count twice.
///
/// # Errors
/// [`Failure::Usage`] with the first of them.
pub fn refuse_twice(runs: &[Recording]) -> Result<(), Failure> {
    for (nth, run) in runs.iter().enumerate() {
        let mut before = runs[..nth].iter();
        if let Some(same) = before.find(|one| one.run.is_some() && one.run == run.run) {
            return Err(Failure::Usage(match same.name == run.name {
                true => format!("{} is named twice; name each run once", run.name),
                false => format!(
                    "{} and {} are the same run; name each run once",
                    same.name, run.name
                ),
            }));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use blis_sim::model::{ActionId, ClientId};
    use blis_sim::time::Span;

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_nanos(millis * 1_000_000)
    }

    /// A request each millisecond, answered after five, of which the first 100 are before the window.
    fn rows(number: u64) -> Vec<Row> {
        let row = |nth: u64| Row {
            client: ClientId(0),
            user: nth,
            number: 0,
            attempt: 0,
            action: ActionId(0),
            intended: at(nth),
            sent: at(nth),
            done: at(nth + 5),
            outcome: Outcome::Ok,
            in_window: nth >= 100,
            reason: None,
            connection: None,
            reply_bytes: None,
        };
        (0..number).map(row).collect()
    }

    fn limits(drain: u64) -> Limits {
        Limits {
            requests: None,
            horizon: Some(at(1_000_000)),
            warmup: at(100),
            find_warmup: false,
            drain: Span::from_nanos(drain * 1_000_000),
        }
    }

    #[test]
    fn the_first_requests_are_those_of_a_run_that_ended_with_them() {
        let most = MOST_REQUESTS as u64;
        let mut of = limits(2);
        let (kept, is_shortened) = shortened(rows(100 + most + 50), &mut of);
        assert!(is_shortened);
        assert_eq!(of.horizon, Some(at(100 + most)));
        let counted = kept.iter().filter(|row| row.in_window).count();
        assert_eq!((kept.len(), counted), (100 + MOST_REQUESTS, MOST_REQUESTS));
        // What was answered after the drain would have been open at the end.
        let open = kept.iter().filter(|row| row.outcome == Outcome::Unresolved);
        assert_eq!(open.count(), 2);
        assert!(kept.iter().all(|row| row.done <= at(102 + most)));
    }

    #[test]
    fn a_run_with_few_requests_is_left_as_it_is() {
        let mut of = limits(2);
        let (kept, is_shortened) = shortened(rows(100 + MOST_REQUESTS as u64), &mut of);
        assert_eq!((kept.len(), is_shortened), (100 + MOST_REQUESTS, false));
        assert_eq!(of, limits(2));
        let mut all = rows(100 + 2 * MOST_REQUESTS as u64);
        all.retain(|row| row.in_window);
        all.iter_mut().for_each(|row| row.intended = at(100));
        let (kept, is_shortened) = shortened(all, &mut of);
        assert_eq!((kept.len(), is_shortened), (2 * MOST_REQUESTS, false));
    }
}
