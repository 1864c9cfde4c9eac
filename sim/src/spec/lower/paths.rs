//! Actions to the model: their paths become one flat program.
//!
//! On every route through a path the user is answered exactly once, by `reply` or by `fail`, and every step can be
//! reached.

use super::run::span;
use super::{Findings, Names, clients, distributions, refer};
use crate::model::{Action, Failure, Model, QuantileLimit, ServiceId, Slo, Step, Visit};
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{self, Arm, Spec};
use crate::time::Span;

/// The actions with their program.
pub fn lower(
    spec: &syntax::Spec,
    names: &Names<'_>,
    findings: &mut Findings,
) -> (Vec<Action>, Vec<Step>) {
    let mut paths = Paths {
        program: Vec::new(),
        names,
        findings,
    };
    let mut actions = Vec::new();
    for (name, action) in &spec.actions.value.0 {
        let entry = paths.position();
        let end = paths.steps(
            &action.path.value,
            State {
                open: true,
                replied: false,
            },
        );
        if end.open {
            let last = action.path.value.last();
            let error = match last {
                Some(last) => last.error(never_replies(&name.value, end)),
                None => action.path.error(never_replies(&name.value, end)),
            };
            paths.findings.error(
                error
                    .help("the client waits: end every way with `reply` or `fail`")
                    .absence(),
            );
        }
        paths.program.push(Step::End);
        let slo = action
            .slo
            .as_ref()
            .map(|written| slo(written, paths.findings))
            .unwrap_or_default();
        actions.push(Action {
            name: name.value.clone(),
            entry,
            slo,
            class: None,
            deadline: None,
            fire_and_forget: false,
        });
    }
    (actions, paths.program)
}

fn never_replies(action: &str, end: State) -> String {
    match end.replied {
        true => format!("on some branch the path of `{action}` never replies"),
        false => format!("the path of `{action}` never replies"),
    }
}

/// The routes that lead to a point of a path: some on which the user still waits, some on which it has its reply.
/// When there are neither, every route has failed before and the point cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    open: bool,
    replied: bool,
}

impl State {
    const NOWHERE: State = State {
        open: false,
        replied: false,
    };

    fn join(self, other: State) -> State {
        State {
            open: self.open || other.open,
            replied: self.replied || other.replied,
        }
    }
}

struct Paths<'a, 'f> {
    program: Vec<Step>,
    names: &'a Names<'a>,
    findings: &'f mut Findings,
}

impl Paths<'_, '_> {
    /// The position of the next step. A text of a mebibyte cannot hold more steps than 32 bits count.
    fn position(&self) -> u32 {
        u32::try_from(self.program.len()).unwrap_or(u32::MAX)
    }

    /// Adds steps to the program and gives the routes that lead past them.
    fn steps(&mut self, steps: &[Spanned<syntax::Step>], mut state: State) -> State {
        for step in steps {
            if state == State::NOWHERE {
                let error = step.error("this step can never be reached");
                self.findings.error(
                    error
                        .help("`fail` ends the path; put the step before it or remove it")
                        .absence(),
                );
                return state;
            }
            state = self.step(step, state);
        }
        state
    }

    fn step(&mut self, step: &Spanned<syntax::Step>, state: State) -> State {
        match &step.value {
            syntax::Step::Visit(name) => {
                let service = refer("service", name, &self.names.services, self.findings);
                self.program.push(Step::Visit(Visit {
                    service: ServiceId(service),
                    time: None,
                    holds: false,
                }));
                state
            }
            syntax::Step::Delay(delay) => {
                let delay = distributions::time(delay, self.findings);
                self.program.push(Step::Delay(delay));
                state
            }
            syntax::Step::Reply => {
                self.answered_before(step, state);
                self.program.push(Step::Reply);
                State {
                    open: false,
                    replied: true,
                }
            }
            syntax::Step::Fail(failure) => {
                self.answered_before(step, state);
                self.program.push(Step::Fail(match failure {
                    syntax::Failure::AppError => Failure::AppError,
                    syntax::Failure::Rejected => Failure::Rejected,
                    syntax::Failure::TransportError => Failure::TransportError,
                }));
                State::NOWHERE
            }
            syntax::Step::Branch(arms) => self.branch(step, arms, state),
        }
    }

    fn answered_before(&mut self, step: &Spanned<syntax::Step>, state: State) {
        if state.replied {
            let message = match state.open {
                true => "on some branch the user already has its reply here",
                false => "the user already has its reply here",
            };
            self.findings.error(
                step.error(message)
                    .help("a path answers the user once, by `reply` or by `fail`"),
            );
        }
    }

    fn branch(&mut self, step: &Spanned<syntax::Step>, arms: &[Arm], state: State) -> State {
        let total: f64 = arms.iter().map(|arm| arm.weight.value.0).sum();
        if arms.is_empty() || total <= 0.0 {
            let message = match arms.is_empty() {
                true => "a branch without ways leads nowhere",
                false => "the weights of the branch add up to 0",
            };
            self.findings.error(
                step.error(message)
                    .help("write `- branch: [{weight: 9, path: [...]}, {weight: 1, path: [...]}]`")
                    .absence(),
            );
            return state;
        }
        if let [_] = arms {
            self.findings
                .warn(step.error("a branch with a single way is no choice"));
        }
        let branch = self.program.len();
        self.program.push(Step::Branch(Vec::new()));
        let mut targets = Vec::with_capacity(arms.len());
        let mut jumps = Vec::new();
        let mut sum = 0.0;
        let mut end = State::NOWHERE;
        for (number, arm) in arms.iter().enumerate() {
            if let Err(error) = clients::weight(&arm.weight, "a way") {
                self.findings.error(error);
            }
            sum += arm.weight.value.0;
            let last = number + 1 == arms.len();
            targets.push((if last { 1.0 } else { sum / total }, self.position()));
            let arm_end = self.steps(&arm.path, state);
            end = end.join(arm_end);
            if !last && arm_end != State::NOWHERE {
                jumps.push(self.program.len());
                self.program.push(Step::Jump(0));
            }
        }
        self.program[branch] = Step::Branch(targets);
        let join = self.position();
        for jump in jumps {
            self.program[jump] = Step::Jump(join);
        }
        end
    }
}

/// Warns of limits that no run can break: a response time is at most the timeout of those who wait for it.
pub fn warn_of_unmissable(spec: &Spec, model: &Model, findings: &mut Findings) {
    for (index, (name, action)) in spec.actions.value.0.iter().enumerate() {
        let Some(slo) = &action.slo else { continue };
        let senders = model.clients.iter().filter(|client| {
            let mut shares = client.mix.shares.iter();
            shares.any(|(chosen, _)| chosen.index() == index)
        });
        let longest = senders
            .map(|client| client.timeout.unwrap_or(Span::MAX))
            .max();
        let Some(longest) = longest else { continue };
        let slo = &slo.value;
        let limits = [&slo.p50, &slo.p90, &slo.p95, &slo.p99, &slo.p999];
        for limit in limits.into_iter().flatten() {
            if span(limit.value) > longest {
                let message = format!(
                    "no response of `{}` takes longer than its clients' timeout of {longest}, so that this limit of {} \
                     cannot be missed",
                    name.value, limit.value
                );
                let help = "set a limit below the timeout, and `errors` for those who time out";
                findings.warn(limit.error(message).help(help));
            }
        }
        if let Some(errors) = &slo.errors
            && errors.value.0 >= 1.0
        {
            let message = "a limit of 100 % errors cannot be missed";
            findings.warn(errors.error(message).help("one percent is written `1%`"));
        }
    }
}

fn slo(written: &Spanned<syntax::Slo>, findings: &mut Findings) -> Slo {
    let slo = &written.value;
    let quantiles = [
        ("p50", 0.5, &slo.p50),
        ("p90", 0.9, &slo.p90),
        ("p95", 0.95, &slo.p95),
        ("p99", 0.99, &slo.p99),
        ("p999", 0.999, &slo.p999),
    ];
    if slo.errors.is_none() && quantiles.iter().all(|(_, _, limit)| limit.is_none()) {
        findings.error(
            written
                .error("an empty `slo` promises nothing")
                .help("give `p50`, `p90`, `p95`, `p99`, `p999` or `errors`")
                .absence(),
        );
    }
    let mut lowered = Slo {
        quantiles: Vec::new(),
        errors: slo.errors.as_ref().map(|errors| errors.value.0),
    };
    let mut before: Option<(&str, Span)> = None;
    for (name, quantile, limit) in quantiles {
        let Some(limit) = limit else { continue };
        let length = span(limit.value);
        if length == Span::ZERO {
            findings.error(
                limit
                    .error(format!(
                        "`{name}` is {}, which no response can meet",
                        limit.value
                    ))
                    .help("give a time above 0s"),
            );
        } else if let Some((lower, shorter)) = before
            && length < shorter
        {
            let message = format!("`{name}` ({}) is below `{lower}` ({shorter})", limit.value);
            findings.error(
                limit
                    .error(message)
                    .help("the limit of a higher quantile is at least that of a lower one"),
            );
        }
        before = Some((name, length));
        lowered.quantiles.push(QuantileLimit {
            quantile,
            limit: length,
        });
    }
    lowered
}
