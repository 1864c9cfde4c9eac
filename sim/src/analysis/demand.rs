//! The mean demand of one request of an action on the backend.

use crate::model::{Action, Consumer, Join, Model, Sizes, Step, Visit};

/// The expected demand of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct PathDemand {
    /// Visits of each service, by its position in the model: those after the reply, of consumers and of subscribers
    /// included.
    pub visits: Vec<f64>,
    /// Seconds that workers of each service are busy with the request or held by it, when nothing has to wait.
    pub busy: Vec<f64>,
    /// Seconds of service at each service, were all its members at the speed of 1.
    pub work: Vec<f64>,
    /// Messages for each consumer, by its position in the model.
    pub messages: Vec<f64>,
    /// What the reply waits for, and what comes after it.
    pub reply: WaitsFor,
    /// Seconds between sending and reply when nothing has to wait: services, delays, storing and network.
    pub unloaded_response: f64,
}

/// On which queues a reply depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitsFor {
    /// By service: whether it is visited before the reply, or while the request holds a worker.
    pub services: Vec<bool>,
    /// By consumer: whether what it does with a message answers the request.
    pub consumers: Vec<bool>,
    /// By service: whether it is visited after the reply, by a consumer or for a subscriber.
    pub later: Vec<bool>,
}

/// Follows the path of an action with the probabilities of its branches and errors.
///
/// Full queues, timeouts and deliveries after the first are not known here, so this is the demand of requests that meet
/// none of them. Batches are taken to be full, and ways that go at once to last as long as their means.
pub fn path_demand(model: &Model, action: &Action) -> PathDemand {
    let bytes = match model.services.iter().any(|one| one.per_byte.is_some()) {
        true => action.size.as_ref().map_or(0.0, Sizes::mean),
        false => 0.0,
    };
    let mut walk = Walk::new(model, bytes);
    let network = model
        .one_way
        .as_ref()
        .map_or(0.0, |one_way| one_way.mean() / 1e9);
    let waiting = Mass {
        before_reply: 1.0,
        after_reply: 0.0,
    };
    let spent = walk.follow(action.path.entry as usize, waiting);
    PathDemand {
        visits: walk.visits,
        busy: walk.busy,
        work: walk.work,
        messages: walk.messages,
        reply: walk.reply,
        unloaded_response: match action.path.fire_and_forget {
            true => 0.0,
            false => 2.0 * network + spent.before_reply,
        },
    }
}

/// Seconds from the delivery of a message to its acknowledgement when a worker is idle: those of the work on it, or on a
/// full batch.
pub(super) fn delivery_time(model: &Model, consumer: &Consumer) -> f64 {
    let once = Mass {
        before_reply: 0.0,
        after_reply: 1.0,
    };
    // Which actions publish to it, and so how large its messages are, is not known here.
    let seconds = Walk::new(model, 0.0)
        .follow(consumer.entry as usize, once)
        .total;
    match &consumer.batch {
        None => seconds,
        Some(batch) => {
            // The path says the service's own time, where a batch has its cost.
            let service = &model.services[consumer.service.index()];
            let own = service.time.mean();
            let size = f64::from(batch.size.get());
            let cost = batch.per_batch.mean() + size * batch.per_item.mean();
            seconds + service.slowness() * (cost - own) / 1e9
        }
    }
}

/// Where a request can be on its path, and with what probability, before and after its reply.
#[derive(Debug, Clone, Copy, Default)]
struct Mass {
    before_reply: f64,
    after_reply: f64,
}

impl Mass {
    fn total(self) -> f64 {
        self.before_reply + self.after_reply
    }

    fn scaled(self, factor: f64) -> Mass {
        Mass {
            before_reply: self.before_reply * factor,
            after_reply: self.after_reply * factor,
        }
    }

    fn answered(self) -> Mass {
        Mass {
            before_reply: 0.0,
            after_reply: self.total(),
        }
    }
}

/// Seconds that a request spends on a way, weighted with the probability of being there.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    before_reply: f64,
    total: f64,
}

/// Whether what a consumer does with a message answers somebody, itself or by another consumer.
pub(super) fn answers(model: &Model, consumer: &Consumer) -> bool {
    Walk::new(model, 0.0).answers(consumer.entry as usize)
}

struct Walk<'a> {
    model: &'a Model,
    /// What a request carries on average, where a service time depends on it.
    bytes: f64,
    visits: Vec<f64>,
    busy: Vec<f64>,
    work: Vec<f64>,
    messages: Vec<f64>,
    reply: WaitsFor,
    /// The services of which a worker is held.
    holders: Vec<usize>,
    /// Whether a worker waits for the arm of a fork that is followed, which does not count for how long it is held.
    is_awaited: bool,
}

impl Walk<'_> {
    fn new(model: &Model, bytes: f64) -> Walk<'_> {
        Walk {
            model,
            bytes,
            visits: vec![0.0; model.services.len()],
            busy: vec![0.0; model.services.len()],
            work: vec![0.0; model.services.len()],
            messages: vec![0.0; model.consumers.len()],
            reply: WaitsFor {
                services: vec![false; model.services.len()],
                consumers: vec![false; model.consumers.len()],
                later: vec![false; model.services.len()],
            },
            holders: Vec::new(),
            is_awaited: false,
        }
    }

    /// A service works.
    fn serve(&mut self, service: usize, seconds: f64) {
        self.work[service] += seconds;
        self.busy[service] += seconds * self.model.services[service].slowness();
    }

    /// Time goes by, which those who are held see too.
    fn spend(&mut self, spent: &mut Spent, before_reply: f64, total: f64) {
        spent.before_reply += before_reply;
        spent.total += total;
        for &holder in &self.holders {
            self.busy[holder] += total;
        }
    }

    /// Follows a path, or an arm, from its first step to its end.
    fn follow(&mut self, first: usize, mass: Mass) -> Spent {
        let model = self.model;
        let mut spent = Spent::default();
        let mut masses = vec![Mass::default(); model.program.len() - first];
        masses[0] = mass;
        let held = self.holders.len();
        // Steps only lead forward, so that one pass meets every probability once it is complete.
        for at in 0..masses.len() {
            let mass = masses[at];
            let step = &model.program[first + at];
            match step {
                Step::Release if self.holders.len() > held => {
                    self.holders.pop();
                }
                Step::End if masses[at + 1..].iter().all(|mass| mass.total() == 0.0) => break,
                _ => {}
            }
            if mass.total() == 0.0 {
                if let Step::Visit(visit) = step
                    && visit.holds
                {
                    self.holders.push(visit.service.index());
                }
                continue;
            }
            let mut arrive = |target: usize, mass: Mass| {
                masses[target].before_reply += mass.before_reply;
                masses[target].after_reply += mass.after_reply;
            };
            match step {
                Step::Visit(visit) => {
                    let going_on = 1.0 - model.services[visit.service.index()].errors;
                    arrive(at + 1, mass.scaled(going_on));
                    self.visit(visit, mass, &mut spent);
                }
                Step::Delay(length) => {
                    arrive(at + 1, mass);
                    let seconds = length.mean() / 1e9;
                    self.spend(
                        &mut spent,
                        mass.before_reply * seconds,
                        mass.total() * seconds,
                    );
                }
                Step::Reply => arrive(at + 1, mass.answered()),
                Step::Branch(arms) => {
                    let mut below = 0.0;
                    for &(upto, target) in arms {
                        arrive(target as usize - first, mass.scaled(upto - below));
                        below = upto;
                    }
                }
                Step::Jump(target) => arrive(*target as usize - first, mass),
                Step::Release => arrive(at + 1, mass),
                Step::Fork { arms, join } => {
                    arrive(at + 1, mass);
                    self.fork(arms, *join, mass, &mut spent);
                }
                Step::Publish {
                    stream,
                    acknowledged,
                    consumers,
                    ..
                } => {
                    let append = model.streams[stream.index()].append.mean() / 1e9;
                    if *acknowledged {
                        let total = mass.total() * append;
                        self.spend(&mut spent, mass.before_reply * append, total);
                    }
                    let mut rest = mass;
                    for consumer in consumers {
                        let id = consumer.index();
                        self.messages[id] += mass.total();
                        let consumer = &model.consumers[id];
                        if self.answers(consumer.entry as usize) {
                            let later = if *acknowledged { 0.0 } else { append };
                            self.reply.consumers[id] |= mass.before_reply > 0.0;
                            let handed = self.deliver(consumer, mass);
                            spent.before_reply += handed.before_reply + mass.before_reply * later;
                            rest = mass.answered();
                        } else {
                            self.deliver(consumer, mass.answered());
                        }
                    }
                    arrive(at + 1, rest);
                }
                Step::Emit(fan_out) => {
                    arrive(at + 1, mass);
                    let fan_out = &model.fan_outs[fan_out.index()];
                    if let Some(service) = fan_out.service {
                        let copies =
                            mass.total() * fan_out.subscribers.mean() * (1.0 - fan_out.loss);
                        let seconds = model.services[service.index()].time.mean() / 1e9;
                        self.visits[service.index()] += copies;
                        self.reply.later[service.index()] |= copies > 0.0;
                        self.serve(service.index(), copies * seconds);
                    }
                }
                Step::Fail(_) | Step::End => {}
            }
        }
        self.holders.truncate(held);
        spent
    }

    fn visit(&mut self, visit: &Visit, mass: Mass, spent: &mut Spent) {
        let service = visit.service.index();
        let time = visit.time.as_ref();
        let own = time.unwrap_or(&self.model.services[service].time).mean();
        let by_size = self.model.services[service].per_byte.unwrap_or(0.0) * self.bytes;
        let seconds = (own + by_size) / 1e9;
        self.visits[service] += mass.total();
        self.reply.services[service] |=
            mass.before_reply > 0.0 || self.is_awaited || !self.holders.is_empty();
        self.reply.later[service] |= mass.after_reply > 0.0;
        self.serve(service, mass.total() * seconds);
        let seconds = seconds * self.model.services[service].slowness();
        self.spend(spent, mass.before_reply * seconds, mass.total() * seconds);
        if visit.holds {
            self.holders.push(service);
        }
    }

    fn fork(&mut self, arms: &[u32], join: Join, mass: Mass, spent: &mut Spent) {
        let holders = std::mem::take(&mut self.holders);
        let was_awaited = self.is_awaited;
        self.is_awaited = join != Join::None && (was_awaited || !holders.is_empty());
        let ways: Vec<Spent> = arms
            .iter()
            .map(|arm| self.follow(*arm as usize, mass))
            .collect();
        self.is_awaited = was_awaited;
        self.holders = holders;
        let longest = ways.iter().map(|way| way.total).reduce(match join {
            Join::All => f64::max,
            Join::First => f64::min,
            Join::None => |_, _| 0.0,
        });
        let longest = match join {
            Join::None => 0.0,
            Join::All | Join::First => longest.unwrap_or(0.0),
        };
        let before_reply = longest * mass.before_reply / mass.total();
        self.spend(spent, before_reply, longest);
    }

    /// A message is delivered once, alone or in a full batch.
    fn deliver(&mut self, consumer: &Consumer, mass: Mass) -> Spent {
        let holders = std::mem::take(&mut self.holders);
        let was_awaited = std::mem::replace(&mut self.is_awaited, false);
        let spent = match &consumer.batch {
            None => self.follow(consumer.entry as usize, mass),
            Some(batch) => {
                let size = f64::from(batch.size.get());
                let service = consumer.service.index();
                let own = self.model.services[service].time.mean() / 1e9;
                let cost = (batch.per_batch.mean() / size + batch.per_item.mean()) / 1e9;
                let spent = self.follow(consumer.entry as usize, mass.scaled(1.0 / size));
                // The path says the service's own time, where a batch has its cost.
                self.serve(service, mass.total() * (cost - own / size));
                spent
            }
        };
        self.is_awaited = was_awaited;
        self.holders = holders;
        spent
    }

    /// Whether the path from here on answers somebody, itself or by a consumer.
    fn answers(&self, first: usize) -> bool {
        let path = self.model.program[first..].iter();
        let mut depth = 0usize;
        for step in path {
            match step {
                Step::Reply => return true,
                Step::Publish { consumers, .. } => {
                    let mut entries = consumers
                        .iter()
                        .map(|one| &self.model.consumers[one.index()]);
                    if entries.any(|one| self.answers(one.entry as usize)) {
                        return true;
                    }
                }
                Step::Fork { arms, .. } => depth += arms.len(),
                Step::End if depth == 0 => return false,
                Step::End => depth -= 1,
                _ => {}
            }
        }
        false
    }
}
