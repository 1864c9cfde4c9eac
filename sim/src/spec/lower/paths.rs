//! Lowers actions and consumers to the model: their paths become one flat program.
//!
//! On every route through a path the user gets at most one reply: by `reply` or `fail`, there or in a consumer of a stream that
//! the path publishes to. A request on a path without a reply ends when it is sent. Every step can be reached.

use std::collections::{BTreeMap, BTreeSet};

use super::run::span;
use super::subscriptions::{Subscription, Subscriptions, target};
use super::{Findings, Names, deliveries, distributions, live, numbers, objectives, refer};
use crate::model::SendKind;
use crate::model::{self, Action, ClassId, FanOutId, LiveModel, Path, ServiceId, Step, StreamId};
use crate::spec::error::{Origin, SpecError, shown};
use crate::spec::spanned::Spanned;
use crate::spec::steps::{self, Arm, Cache, Join, Parallel, Publish, Visit};
use crate::spec::syntax::{self, Spec};
use crate::theory::lru_hit_ratio;
use crate::time::Span;

/// Most steps of all paths together, those of called actions counted wherever they are called.
const MAX_STEPS: usize = 1_000_000;
/// Most visits of one path to one service.
const MAX_VISITS: usize = 65_535;

/// All paths, as a program.
pub struct Program {
    /// The steps.
    pub steps: Vec<Step>,
    /// The actions.
    pub actions: Vec<Action<Option<Path>>>,
    /// Where the path of each consumer starts.
    pub consumers: Vec<u32>,
    /// Services that are visited while a worker of another is held, and where first.
    pub held: BTreeMap<(u16, u16), Origin>,
    /// Streams whose consumers publish to others, and where first.
    pub fed: BTreeMap<(u16, u16), Origin>,
}

/// The paths of all actions and consumers.
pub fn lower(
    spec: &syntax::Spec,
    names: &Names<'_>,
    subscriptions: &Subscriptions<'_>,
    findings: &mut Findings,
) -> Program {
    let mut paths = Paths {
        spec,
        subscriptions,
        program: Vec::new(),
        names,
        findings,
        nobody_waits: None,
        calls: Vec::new(),
        holding: Vec::new(),
        stream: None,
        held: BTreeMap::new(),
        fed: BTreeMap::new(),
        crowded: false,
    };
    let mut actions = Vec::new();
    for (name, action) in &spec.actions.value.0 {
        actions.push(paths.action(name, action));
    }
    let mut consumers = Vec::new();
    for subscription in &subscriptions.consumers {
        consumers.push(paths.consumer(subscription));
    }
    Program {
        actions,
        consumers,
        held: paths.held,
        fed: paths.fed,
        steps: paths.program,
    }
}

fn never_replies(action: &str, end: State) -> String {
    match end.replied {
        true => format!("on some branch the path of `{action}` never replies"),
        false => format!("the path of `{action}` never replies"),
    }
}

/// The routes that lead to a point of a path: some on which the user still waits, some on which it has its reply, some on
/// which a consumer will give it. When there are none, every route has failed before and the point cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    open: bool,
    replied: bool,
    handed: bool,
}

impl State {
    const NOWHERE: State = State {
        open: false,
        replied: false,
        handed: false,
    };
    const WAITING: State = State {
        open: true,
        replied: false,
        handed: false,
    };

    fn join(self, other: State) -> State {
        State {
            open: self.open || other.open,
            replied: self.replied || other.replied,
            handed: self.handed || other.handed,
        }
    }
}

struct Paths<'a, 'f> {
    spec: &'a Spec,
    subscriptions: &'a Subscriptions<'a>,
    program: Vec<Step>,
    names: &'a Names<'a>,
    findings: &'f mut Findings,
    /// Why nobody can be answered here, where that is so.
    nobody_waits: Option<&'static str>,
    /// The actions whose paths are being followed, the one in question last.
    calls: Vec<String>,
    /// The services of which a worker is held.
    holding: Vec<u16>,
    /// The stream whose consumer's path this is.
    stream: Option<u16>,
    held: BTreeMap<(u16, u16), Origin>,
    fed: BTreeMap<(u16, u16), Origin>,
    /// Whether the program has outgrown its limit, which is said once.
    crowded: bool,
}

impl Paths<'_, '_> {
    fn action(&mut self, name: &Spanned<String>, action: &syntax::Action) -> Action<Option<Path>> {
        let path = action.path.as_ref().map(|path| self.path(name, path));
        if path.is_none() {
            check_live_only(name, action, self.findings);
        }
        let slo = action
            .slo
            .as_ref()
            .map(|written| objectives::lower(written, self.findings))
            .unwrap_or_default();
        if let Some(deadline) = &action.deadline
            && span(deadline.value) == Span::ZERO
        {
            let error = deadline.error("a deadline of zero cannot be met");
            self.findings.error(error.help("give a time above 0s"));
        }
        let (sending, size) = live::sending(self.spec, action, self.findings);
        let awaited = deliveries::awaited(action, self.findings);
        Action {
            name: name.value.clone(),
            path,
            slo,
            class: self.class(action.class.as_ref()),
            deadline: action
                .deadline
                .as_ref()
                .map(|deadline| span(deadline.value)),
            awaited,
            size,
            sending,
        }
    }

    /// The path of an action.
    fn path(&mut self, name: &Spanned<String>, path: &Spanned<Vec<Spanned<steps::Step>>>) -> Path {
        let entry = self.position();
        let steps = &path.value;
        let answers = fails(steps) || self.answers(steps, &mut BTreeSet::new());
        self.nobody_waits = (!answers).then_some("this path never replies to the user");
        self.calls.push(name.value.clone());
        let end = self.steps(steps, State::WAITING);
        self.calls.pop();
        if end.open && answers {
            let message = never_replies(&name.value, end);
            let error = match steps.last() {
                Some(last) => last.error(message),
                None => path.error(message),
            };
            self.findings
                .error(error.help("end every way with `reply` or `fail`").absence());
        }
        if steps.is_empty() {
            let error = path.error(format!("the path of `{}` does nothing", name.value));
            self.findings.error(
                error
                    .help("write `path: [{visit: api}, reply]`, or leave `path` out where only `live` is known")
                    .absence(),
            );
        }
        self.nobody_waits = None;
        self.program.push(Step::End);
        self.check_visits(entry, name);
        Path {
            entry,
            fire_and_forget: !answers,
        }
    }

    fn class(&self, class: Option<&Spanned<String>>) -> Option<ClassId> {
        let class = class?;
        self.names
            .classes
            .get(class.value.as_str())
            .map(|&id| ClassId(id))
    }

    /// The path of a consumer's deliveries: a visit of its service, the steps meanwhile, the release.
    fn consumer(&mut self, subscription: &Subscription<'_>) -> u32 {
        let entry = self.position();
        let consumer = subscription.consumer;
        let service = refer(
            "service",
            &consumer.service,
            &self.names.services,
            self.findings,
        );
        let time = consumer
            .time
            .as_ref()
            .map(|time| distributions::time(time, self.findings));
        self.program.push(Step::Visit(model::Visit {
            service: ServiceId(service),
            time,
            holds: true,
        }));
        let none = Vec::new();
        let steps = consumer.during.as_ref().map_or(&none, |steps| &steps.value);
        if let Some(during) = &consumer.during
            && during.value.is_empty()
        {
            let error = during.error("an empty `during` has no effect");
            self.findings
                .error(error.help("give it steps, or remove it").absence());
        }
        let answers = self.answers(steps, &mut BTreeSet::new());
        self.nobody_waits = match (&consumer.batch, answers) {
            (Some(_), _) => Some("a batch cannot reply"),
            (None, false) => Some("this path never replies to the user"),
            (None, true) => None,
        };
        self.stream = Some(subscription.stream);
        self.holding.push(service);
        let end = self.steps(steps, State::WAITING);
        self.holding.pop();
        self.stream = None;
        if end.open && answers && consumer.batch.is_none() {
            let name = subscription.name;
            let error = name.error(format!(
                "only some deliveries of the consumer `{}` reply to the user",
                name.value
            ));
            self.findings.error(
                error
                    .help("end every way with `reply` or `fail`, or none with `reply`")
                    .absence(),
            );
        }
        self.nobody_waits = None;
        self.program.push(Step::Release);
        self.program.push(Step::End);
        self.check_visits(entry, subscription.name);
        entry
    }

    /// A draw numbers the visits of a path to a service in 16 bits.
    fn check_visits(&mut self, entry: u32, name: &Spanned<String>) {
        let mut visits: BTreeMap<ServiceId, usize> = BTreeMap::new();
        for step in &self.program[entry as usize..] {
            if let Step::Visit(visit) = step {
                *visits.entry(visit.service).or_default() += 1;
            }
        }
        if visits.values().any(|&visits| visits > MAX_VISITS) {
            let error = name.error(format!(
                "`{}` visits one service more than {MAX_VISITS} times",
                name.value
            ));
            self.findings.error(error.help("split the path"));
        }
    }

    /// Whether some of these steps answers the user, or hands the answer on to a consumer that does.
    fn answers(&self, steps: &[Spanned<steps::Step>], seen: &mut BTreeSet<String>) -> bool {
        steps.iter().any(|step| match &step.value {
            steps::Step::Reply => true,
            steps::Step::Branch(arms) => arms.iter().any(|arm| self.answers(&arm.path, seen)),
            steps::Step::Cache(cache) => {
                let found = cache
                    .value
                    .found
                    .iter()
                    .any(|found| self.answers(found, seen));
                found || self.answers(&cache.value.miss, seen)
            }
            steps::Step::Visit(visit) => match &visit.value {
                Visit::As(visit) => visit
                    .during
                    .iter()
                    .any(|during| self.answers(&during.value, seen)),
                Visit::Service(_) => false,
            },
            steps::Step::Publish(publish) => self.handed_to(&publish.value, seen).is_some(),
            // A called path's reply returns to the caller; one that is handed on is found in the consumer.
            steps::Step::Call(action) => {
                seen.insert(format!("call {}", action.value))
                    && self.called(&action.value).is_some_and(|path| {
                        let path = without_reply(path);
                        self.answers(path, seen)
                    })
            }
            steps::Step::Delay(_)
            | steps::Step::Parallel(_)
            | steps::Step::Emit(_)
            | steps::Step::Fail(_) => false,
        })
    }

    /// The consumer that answers the user for a publication, if one does.
    fn handed_to(&self, publish: &Publish, seen: &mut BTreeSet<String>) -> Option<String> {
        let (stream, subject) = target(publish);
        let subscriptions = self.subscriptions;
        let reached = subscriptions.of(stream, subject);
        for subscription in reached {
            let name = format!("{stream}/{}", subscription.name.value);
            let during = subscription.consumer.during.as_ref();
            let batch = subscription.consumer.batch.is_some();
            if !batch
                && seen.insert(name.clone())
                && during.is_some_and(|during| self.answers(&during.value, seen))
            {
                return Some(name);
            }
        }
        None
    }

    fn called(&self, action: &str) -> Option<&'_ [Spanned<steps::Step>]> {
        let actions = &self.spec.actions.value.0;
        let (_, action) = actions.iter().find(|(name, _)| name.value == action)?;
        Some(&action.path.as_ref()?.value)
    }

    /// The position of the next step. A text of a mebibyte cannot hold more steps than 32 bits count.
    fn position(&self) -> u32 {
        u32::try_from(self.program.len()).unwrap_or(u32::MAX)
    }

    /// Adds steps to the program and gives the routes that lead past them.
    fn steps(&mut self, steps: &[Spanned<steps::Step>], mut state: State) -> State {
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
        super::streams::check_subject(&written.value, self.findings);
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
        if let [_] = arms {
            self.findings
                .warn(step.error("a branch with a single way has no effect"));
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

/// What has no path is sent to a real backend, and nothing that is said of it concerns a simulated one.
fn check_live_only(name: &Spanned<String>, action: &syntax::Action, findings: &mut Findings) {
    if action.live.is_none() {
        let error = name.error(format!(
            "the action `{}` has neither `path` nor `live`",
            shown(&name.value)
        ));
        findings.error(
            error
                .help(
                    "write `path: [{visit: api}, reply]` to simulate it, or `live: {request: SUBJECT}` to send it to a \
                     real service",
                )
                .absence(),
        );
    }
    let class = action.class.as_ref().map(|class| ("class", class.origin));
    let deadline = action.deadline.as_ref();
    let deadline = deadline.map(|deadline| ("deadline", deadline.origin));
    for (key, origin) in class.into_iter().chain(deadline) {
        let message = format!("`{key}` has no effect on an action without a path");
        let error = SpecError::about(origin, message);
        findings.error(error.help("remove it, or give the action a `path`"));
    }
}

/// Messages take their time only on the way to a backend that is simulated.
pub fn check_network(spec: &Spec, findings: &mut Findings) {
    let mut actions = spec.actions.value.0.iter();
    if let Some(network) = &spec.network
        && actions.all(|(_, action)| action.path.is_none())
    {
        let error = network
            .one_way
            .error("`network` has no effect: no action has a path");
        findings.error(
            error
                .help("remove it, or give an action a `path`")
                .absence(),
        );
    }
}

/// Refuses, for a simulation, every action that does not say what its requests do.
pub fn check_simulable(spec: &Spec, findings: &mut Findings) {
    let actions = spec.actions.value.0.iter();
    for (name, _) in actions.filter(|(_, action)| action.path.is_none()) {
        let error = name.error(format!(
            "the action `{}` has no path and cannot be simulated",
            shown(&name.value)
        ));
        findings.error(
            error
                .labelled("the work of its requests in the backend is not known")
                .help(
                    "add `path: [{visit: api}, reply]` and the service in `services`, or send it to a real one with \
                     `blis observe`",
                ),
        );
    }
}

/// Whether some of these steps answers the user with a failure.
fn fails(steps: &[Spanned<steps::Step>]) -> bool {
    steps.iter().any(|step| match &step.value {
        steps::Step::Fail(_) => true,
        steps::Step::Branch(arms) => arms.iter().any(|arm| fails(&arm.path)),
        steps::Step::Cache(cache) => {
            let found = cache.value.found.as_ref();
            found.is_some_and(|found| fails(found)) || fails(&cache.value.miss)
        }
        steps::Step::Visit(visit) => match &visit.value {
            Visit::As(visit) => {
                let during = visit.during.as_ref();
                during.is_some_and(|during| fails(&during.value))
            }
            Visit::Service(_) => false,
        },
        _ => false,
    })
}

/// A path without the reply that it ends with.
fn without_reply(path: &[Spanned<steps::Step>]) -> &[Spanned<steps::Step>] {
    match path.split_last() {
        Some((last, before)) if last.value == steps::Step::Reply => before,
        _ => path,
    }
}

/// Warns of requests to a real service whose path answers nobody: a simulation is done with them when they are sent.
pub fn warn_of_unanswered(spec: &Spec, model: &LiveModel, findings: &mut Findings) {
    for ((name, written), action) in spec.actions.value.0.iter().zip(&model.actions) {
        let is_request = action
            .sending
            .as_ref()
            .is_some_and(|sending| sending.kind == SendKind::Request);
        let unanswered = action
            .path
            .as_ref()
            .is_some_and(|path| path.fire_and_forget);
        if let Some(live) = written.live.as_ref().filter(|_| is_request && unanswered) {
            let message = format!(
                "`{}` is sent as a request and awaits a reply in a live run, but its path has no `reply`, so a \
                 simulation does not wait",
                name.value
            );
            let help = "add the step `reply` to the path, or send it with `publish`";
            findings.warn(live.error(message).help(help));
        }
    }
}
