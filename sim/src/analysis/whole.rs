//! The whole analysis of a model, made once for all its users.

use super::balanced::{Balanced, balanced};
use super::closed_form::Exact;
use super::constraints::{Constraints, constraints};
use super::estimate::{Estimate, estimate};
use super::exact::exact;
use super::memory::{Memory, memory};
use super::offered::Offered;
use crate::model::Model;

/// What can be said of a model without running it.
#[derive(Debug, Clone)]
pub struct Analysis<'a> {
    /// The model.
    pub model: &'a Model,
    /// What limits it, and the load that it is offered.
    pub constraints: Constraints,
    /// How long it remembers.
    pub memory: Memory,
    /// The closed form, or why there is none.
    pub exact: Result<Exact, String>,
    /// Bounds of its jobs, where they are balanced.
    pub balanced: Option<Balanced>,
    /// What is known where there is no closed form.
    pub estimate: Option<Estimate>,
}

impl<'a> Analysis<'a> {
    /// That of a model.
    pub fn of(model: &'a Model) -> Analysis<'a> {
        let constraints = constraints(model);
        let exact = exact(model);
        Analysis {
            model,
            memory: memory(model, constraints.clone()),
            balanced: balanced(model),
            estimate: match exact {
                Ok(_) => None,
                Err(_) => estimate(model, &constraints.offered),
            },
            constraints,
            exact,
        }
    }

    /// The load that the model is offered.
    pub fn offered(&self) -> &Offered {
        &self.constraints.offered
    }
}

/// How long a model remembers, where nothing else is to be known of it.
pub fn memory_of(model: &Model) -> Memory {
    memory(model, constraints(model))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::offered;
    use crate::spec;

    /// Whoever is handed it has what it would have found out.
    #[test]
    fn the_whole_has_each_part() {
        for (arrival, time) in [
            ("rate: 50/s", "{exponential: {mean: 10ms}}"),
            ("rate: 50/s", "{gamma: {mean: 10ms, cv: 2}}"),
            (
                "rate: 50/s, arrival: constant",
                "{uniform: {min: 1ms, max: 9ms}}",
            ),
            ("concurrency: 9, think: 10ms", "{constant: 10ms}"),
        ] {
            let text = format!(
                "{{blis: 1, name: t, run: {{horizon: 9s}}, clients: {{c: {{{arrival}, do: a}}}}, actions: {{a: {{path: [{{visit: \
                 s}}, reply]}}}}, services: {{s: {{workers: 2, time: {time}}}}}}}"
            );
            let read = spec::read(&text).unwrap_or_else(|why| panic!("{text}: {why:?}"));
            let model = spec::lower(&read).expect("a model").model;
            let analysis = Analysis::of(&model);
            assert_eq!(analysis.constraints, constraints(&model));
            assert_eq!(analysis.offered(), &offered(&model));
            assert_eq!(analysis.memory, memory_of(&model));
            assert_eq!(analysis.exact, exact(&model));
            assert_eq!(analysis.balanced, balanced(&model));
            let near = estimate(&model, &offered(&model)).filter(|_| analysis.exact.is_err());
            assert_eq!(analysis.estimate, near);
        }
    }
}
