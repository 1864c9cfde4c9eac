//! Lowers the steps of a path, one after another.

use std::collections::BTreeSet;

use super::answers::without_reply;
use super::{Paths, State};
use crate::model::{self, FanOutId, ServiceId, Step, StreamId};
use crate::spec::error::shown;
use crate::spec::lower::subscriptions::target;
use crate::spec::lower::{distributions, numbers, refer, streams};
use crate::spec::spanned::Spanned;
use crate::spec::steps::{self, Arm, Cache, Join, Parallel, Publish, Visit};
use crate::theory::lru_hit_ratio;

/// Most steps of all paths together, those of called actions counted wherever they are called.
const MAX_STEPS: usize = 1_000_000;

impl Paths<'_, '_> {
    /// Adds steps to the program and gives the routes that lead past them.
    pub(super) fn steps(&mut self, steps: &[Spanned<steps::Step>], mut state: State) -> State {
        for step in steps {
            if self.program.len() > MAX_STEPS {
                if !std::mem::replace(&mut self.crowded, true) {
                    let message = format!("the paths have more than {MAX_STEPS} steps");
                    let help = "call fewer actions; the steps of an action count at each call";
                    self.findings.error(step.error(message).help(help));
                }
                return state;
            }
            if state == State::NOWHERE {
                let error = step.error("this step is never reached");
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

    fn step(&mut self, step: &Spanned<steps::Step>, state: State) -> State {
        match &step.value {
            steps::Step::Visit(visit) => self.visit(visit, state),
            steps::Step::Delay(delay) => {
                let delay = distributions::time(delay, self.findings);
                self.program.push(Step::Delay(delay));
                state
            }
            steps::Step::Reply => {
                self.answered_before(step, state);
                if let Some(why) = self.nobody_waits {
                    let error = step.error(format!("no reply is possible here: {why}"));
                    self.findings
                        .error(error.help("put the `reply` before or after, or remove it"));
                }
                self.program.push(Step::Reply);
                State {
                    open: false,
                    replied: true,
                    handed: state.handed,
                }
            }
            steps::Step::Fail(failure) => {
                if self.nobody_waits.is_none() {
                    self.answered_before(step, state);
                }
                self.program.push(Step::Fail(match failure {
                    steps::Failure::AppError => model::Failure::AppError,
                    steps::Failure::Rejected => model::Failure::Rejected,
                    steps::Failure::TransportError => model::Failure::TransportError,
                }));
                State::NOWHERE
            }
            steps::Step::Branch(arms) => self.branch(step, arms, state),
            steps::Step::Cache(cache) => self.cache(cache, state),
            steps::Step::Parallel(parallel) => {
                self.parallel(parallel);
                state
            }
            steps::Step::Call(action) => self.call(action, state),
            steps::Step::Publish(publish) => self.publish(publish, state),
            steps::Step::Emit(fan_out) => {
                let id = refer("fan-out", fan_out, &self.names.fan_outs, self.findings);
                self.program.push(Step::Emit(FanOutId(id)));
                state
            }
        }
    }

    fn visit(&mut self, visit: &Spanned<Visit>, state: State) -> State {
        let (name, time, during) = match &visit.value {
            Visit::Service(name) => {
                let name = Spanned {
                    value: name.clone(),
                    origin: visit.origin,
                };
                (name, None, None)
            }
            Visit::As(visit) => (
                visit.service.clone(),
                visit.time.as_ref(),
                visit.during.as_ref(),
            ),
        };
        let service = refer("service", &name, &self.names.services, self.findings);
        for &holder in &self.holding {
            self.held.entry((holder, service)).or_insert(name.origin);
        }
        let time = time.map(|time| distributions::time(time, self.findings));
        self.program.push(Step::Visit(model::Visit {
            service: ServiceId(service),
            time,
            holds: during.is_some(),
        }));
        let Some(during) = during else { return state };
        if during.value.is_empty() {
            let error = during.error("an empty `during` has no effect");
            self.findings
                .error(error.help("give it steps, or remove it").absence());
        }
        self.holding.push(service);
        let end = self.steps(&during.value, state);
        self.holding.pop();
        self.program.push(Step::Release);
        end
    }

    fn cache(&mut self, written: &Spanned<Cache>, state: State) -> State {
        let cache = &written.value;
        let hit = match (&cache.hit, &cache.size, &cache.keys, &cache.zipf) {
            (Some(hit), None, None, None) => hit.value.0,
            (None, Some(size), Some(keys), zipf) => {
                if keys.value.0 == 0 || size.value.0 == 0 {
                    let error = written.error("a cache without objects has no effect");
                    self.findings
                        .error(error.help("give `size` and `keys` of at least 1"));
                }
                let exponent = zipf.as_ref().map_or(0.0, |zipf| zipf.value.0);
                if exponent > 10.0 {
                    let error =
                        written.error(format!("a Zipf exponent of {exponent} is out of range"));
                    self.findings.error(error.help("give `zipf` from 0 to 10"));
                }
                lru_hit_ratio(size.value.0, keys.value.0, exponent.min(10.0))
            }
            _ => {
                let error = written.error("these keys do not make a cache");
                let help = "give `hit`, or `size` and `keys` with `zipf` if need be";
                self.findings.error(error.help(help).absence());
                0.5
            }
        };
        let nothing = Vec::new();
        let branch = self.program.len();
        self.program.push(Step::Branch(Vec::new()));
        let found = cache.found.as_ref().unwrap_or(&nothing);
        let hits = self.position();
        let hit_end = self.steps(found, state);
        let jump = self.program.len();
        self.program.push(Step::Jump(0));
        let misses = self.position();
        let miss_end = self.steps(&cache.miss, state);
        // A share of 0 or 1 leaves one of the ways out for good.
        self.program[branch] = Step::Branch(vec![(hit, hits), (1.0, misses)]);
        self.program[jump] = Step::Jump(self.position());
        hit_end.join(miss_end)
    }

    /// Several ways at once: none of them answers the user.
    fn parallel(&mut self, written: &Spanned<Parallel>) {
        let parallel = &written.value;
        let join = match parallel.join.as_ref().map(|join| join.value) {
            None | Some(Join::All) => model::Join::All,
            Some(Join::First) => model::Join::First,
            Some(Join::None) => model::Join::None,
        };
        let least = if join == model::Join::None { 1 } else { 2 };
        let ways = &parallel.paths.value;
        if ways.len() < least || ways.iter().any(Vec::is_empty) {
            let error = parallel
                .paths
                .error("`parallel` needs at least two paths, none of them empty");
            let help = "write `parallel: {join: all, paths: [[{visit: a}], [{visit: b}]]}`";
            self.findings.error(error.help(help).absence());
        }
        let before = self
            .nobody_waits
            .replace("a path of `parallel` cannot reply");
        let fork = self.program.len();
        self.program.push(Step::End);
        self.program.push(Step::Jump(0));
        let mut arms = Vec::new();
        for way in ways {
            arms.push(self.position());
            self.steps(way, State::WAITING);
            self.program.push(Step::End);
        }
        self.nobody_waits = before;
        self.program[fork] = Step::Fork { arms, join };
        self.program[fork + 1] = Step::Jump(self.position());
    }

    /// The path of another action, whose reply returns to this one.
    fn call(&mut self, action: &Spanned<String>, state: State) -> State {
        refer("action", action, &self.names.actions, self.findings);
        if self.calls.contains(&action.value) {
            let mut cycle = self.calls.clone();
            cycle.push(action.value.clone());
            let error = action.error(format!(
                "actions call each other in a cycle: {}",
                cycle.join(" → ")
            ));
            self.findings.error(error.help("remove one of the calls"));
            return state;
        }
        let spec = self.spec;
        let actions = &spec.actions.value.0;
        let Some((_, called)) = actions.iter().find(|(name, _)| name.value == action.value) else {
            return state;
        };
        let Some(path) = &called.path else {
            let error = action.error(format!("the action `{}` has no path", shown(&action.value)));
            self.findings
                .error(error.help("give it one, or call an action that has one"));
            return state;
        };
        let path = without_reply(&path.value);
        self.calls.push(action.value.clone());
        let end = self.steps(path, state);
        self.calls.pop();
        end
    }

    fn publish(&mut self, written: &Spanned<Publish>, state: State) -> State {
        streams::check_subject(&written.value, self.findings);
        let (stream, subject) = target(&written.value);
        let name = Spanned {
            value: stream.to_owned(),
            origin: match &written.value {
                Publish::Stream(_) => written.origin,
                Publish::As(publish) => publish.stream.origin,
            },
        };
        let id = refer("stream", &name, &self.names.streams, self.findings);
        if let Some(from) = self.stream {
            self.fed.entry((from, id)).or_insert(name.origin);
        }
        let ack = match &written.value {
            Publish::As(publish) => publish.ack.as_ref(),
            Publish::Stream(_) => None,
        };
        let subscriptions = self.subscriptions;
        if let Some(ack) = ack
            && subscriptions.appends_at_once(stream)
        {
            let error = ack.error("`ack` has no effect: the stream stores messages at once");
            self.findings
                .error(error.help("give the stream an `append` time, or remove `ack`"));
        }
        self.program.push(Step::Publish {
            stream: StreamId(id),
            subject: subject.to_owned(),
            acknowledged: ack.is_none_or(|ack| ack.value),
            consumers: subscriptions.ids(stream, subject),
        });
        let Some(consumer) = self.handed_to(&written.value, &mut BTreeSet::new()) else {
            return state;
        };
        if self.nobody_waits.is_some() || state.replied || state.handed {
            let message =
                format!("the consumer `{consumer}` replies to a user who already has a reply here");
            let help = "reply to the user once: by `reply`, by `fail`, or in a consumer";
            self.findings.error(written.error(message).help(help));
        }
        State {
            open: false,
            replied: state.replied,
            handed: true,
        }
    }

    fn answered_before(&mut self, step: &Spanned<steps::Step>, state: State) {
        if state.replied || state.handed {
            let message = match (state.open, state.handed) {
                (true, _) => "on some branch the user already has its reply here",
                (false, true) => "a consumer of a stream already replies to the user",
                (false, false) => "the user already has its reply here",
            };
            self.findings.error(
                step.error(message)
                    .help("reply to the user once, by `reply` or by `fail`"),
            );
        }
    }

    fn branch(&mut self, step: &Spanned<steps::Step>, arms: &[Arm], state: State) -> State {
        let total: f64 = arms.iter().map(|arm| arm.weight.value.0).sum();
        if arms.is_empty() || total <= 0.0 {
            let message = match arms.is_empty() {
                true => "the branch is empty",
                false => "the weights of the branch add up to 0",
            };
            self.findings.error(
                step.error(message)
                    .help("write `- branch: [{weight: 9, path: [...]}, {weight: 1, path: [...]}]`")
                    .absence(),
            );
            return state;
        }
        if let [arm] = arms {
            let weight = arm.weight.value.0;
            // What is left of one, or of a hundred; without the noise of the subtraction.
            let whole = if weight < 1.0 { 1.0 } else { 100.0 };
            let rest = libm::round((whole - weight) * 1e6) / 1e6;
            let help = match weight == 1.0 || rest <= 0.0 {
                true => "write its steps without a branch".to_owned(),
                false => format!(
                    "add the rest as another way, such as `{{weight: {rest}, path: []}}`, or write its steps without a branch"
                ),
            };
            let message = "a branch with a single way is always taken, whatever its weight";
            self.findings.error(step.error(message).help(help));
        }
        let branch = self.program.len();
        self.program.push(Step::Branch(Vec::new()));
        let mut targets = Vec::with_capacity(arms.len());
        let mut jumps = Vec::new();
        let mut sum = 0.0;
        let mut end = State::NOWHERE;
        for (number, arm) in arms.iter().enumerate() {
            if let Err(error) = numbers::weight(&arm.weight, "a way") {
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
