//! Lowers actions and consumers to the model: their paths become one flat program.
//!
//! On every route through a path the user gets at most one reply: by `reply` or `fail`, there or in a consumer of a stream that
//! the path publishes to. A request on a path without a reply ends when it is sent. Every step can be reached.

mod answers;
mod missing;
mod step;

pub use missing::{check_network, check_simulable, warn_of_unanswered};

use std::collections::{BTreeMap, BTreeSet};

use super::run::span;
use super::subscriptions::{Subscription, Subscriptions};
use super::{Findings, Names, deliveries, distributions, live, objectives, refer};
use crate::model::{self, Action, ClassId, Path, ServiceId, Step};
use crate::spec::error::Origin;
use crate::spec::spanned::Spanned;
use crate::spec::steps;
use crate::spec::syntax::{self, Spec};
use crate::time::Span;
use answers::fails;
use missing::check_live_only;

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

    /// The position of the next step. A text of a mebibyte cannot hold more steps than 32 bits count.
    fn position(&self) -> u32 {
        u32::try_from(self.program.len()).unwrap_or(u32::MAX)
    }
}
