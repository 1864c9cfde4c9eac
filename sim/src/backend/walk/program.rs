//! The paths of a model as the backend walks them: operations of eight bytes, with what is larger set apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::dist::Dist;
use crate::event::Outcome;
use crate::model::{ConsumerId, Failure, FanOutId, Join, Model, ServiceId, Step, StreamId};

/// One operation of a path. Positions are those of the model's program; what follows them is the backend's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// Visit a service: the path's visit of this number to it.
    Visit(ServiceId, u16),
    /// Visit a service with options; how is in [`Program::visits`].
    VisitAs(u32),
    /// Let go the worker of the innermost visit that holds one.
    Release,
    /// Wait; the length is in [`Program::delays`].
    Delay(u32),
    /// Answer the user and go on.
    Reply,
    /// Answer the user; nothing follows.
    ReplyAndEnd,
    /// Answer the user with a failure; nothing follows.
    Fail(Outcome),
    /// Choose a way; the arms are in [`Program::branches`].
    Branch(u32),
    /// Go several ways; they are in [`Program::forks`].
    Fork(u32),
    /// Publish a message; which is in [`Program::publications`].
    Publish(u32),
    /// Store a message whose append time is over.
    Store(u32),
    /// Send a message to all subscribers; how is in [`Program::emissions`].
    Emit(u32),
    /// Go on elsewhere.
    Jump(u32),
    /// Nothing follows.
    End,
}

/// All paths of a model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) ops: Vec<Op>,
    pub(crate) visits: Vec<VisitAs>,
    pub(crate) delays: Vec<Delay>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) forks: Vec<Fork>,
    pub(crate) publications: Vec<Publication>,
    pub(crate) emissions: Vec<Emission>,
    /// Where the copies of each fan-out that queue begin; the position of an end for the others.
    pub(crate) copies: Vec<u32>,
    /// A position where nothing follows.
    pub(crate) end: u32,
    /// The path that another process walks for the visit at a position.
    pub(crate) calls: BTreeMap<u32, u32>,
}

/// A visit that is more than a service time.
#[derive(Debug, Clone)]
pub(crate) struct VisitAs {
    pub(crate) service: ServiceId,
    pub(crate) ordinal: u16,
    /// Its own service time.
    pub(crate) time: Option<Dist>,
    /// Whether the worker is held after the service time.
    pub(crate) holds: bool,
    /// Whether it is the visit that a delivery of a consumer begins with.
    pub(crate) begins_delivery: bool,
}

/// A delay, with its number among the delays of its path.
#[derive(Debug, Clone)]
pub(crate) struct Delay {
    pub(crate) length: Dist,
    pub(crate) ordinal: u32,
}

/// A branch, with its number among the branches of its path.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    /// Cumulative share and target of each arm.
    pub(crate) arms: Vec<(f64, u32)>,
    pub(crate) ordinal: u32,
}

/// A fork.
#[derive(Debug, Clone)]
pub(crate) struct Fork {
    pub(crate) arms: Vec<u32>,
    pub(crate) join: Join,
}

/// A publication, with its number among those of its path to the same stream.
#[derive(Debug, Clone)]
pub(crate) struct Publication {
    pub(crate) stream: StreamId,
    pub(crate) subject: String,
    pub(crate) acknowledged: bool,
    pub(crate) consumers: Vec<ConsumerId>,
    pub(crate) ordinal: u32,
    /// Where an acknowledged one goes on when its append time is over.
    pub(crate) store: u32,
}

/// An emission, with its number among those of its path to the same fan-out.
#[derive(Debug, Clone)]
pub(crate) struct Emission {
    pub(crate) fan_out: FanOutId,
    pub(crate) ordinal: u32,
}

/// Numbers of the steps of one path, by what they draw for. A visit is numbered among the visits to its service, and so
/// is what is published to a stream or sent to a fan-out, so that a further step elsewhere on the path leaves its draws as
/// they were.
#[derive(Debug, Default)]
struct Ordinals {
    visits: BTreeMap<ServiceId, u16>,
    delays: u32,
    branches: u32,
    publications: BTreeMap<StreamId, u32>,
    emissions: BTreeMap<FanOutId, u32>,
}

/// Counts one more, and returns the number before.
fn next(counter: &mut u32) -> u32 {
    *counter += 1;
    *counter - 1
}

impl Ordinals {
    fn visit(&mut self, service: ServiceId) -> u16 {
        let counter = self.visits.entry(service).or_default();
        // A path visits no service more often than a u16 counts: the spec is refused before.
        let ordinal = *counter;
        *counter = counter.wrapping_add(1);
        ordinal
    }
}

impl Program {
    pub(crate) fn new(model: &Model) -> Program {
        let mut program = Program::default();
        let mut ordinals = Ordinals::default();
        let actions = model.actions.iter().map(|action| action.path.entry);
        let consumers: BTreeSet<u32> = model.consumers.iter().map(|one| one.entry).collect();
        let entries: BTreeSet<u32> = actions.chain(consumers.iter().copied()).collect();
        for (at, step) in (0u32..).zip(&model.program) {
            if entries.contains(&at) {
                ordinals = Ordinals::default();
            }
            let next = model.program.get(at as usize + 1);
            let op = program.compile(step, next, consumers.contains(&at), &mut ordinals);
            program.ops.push(op);
        }
        program.end = program.ops.len() as u32;
        program.ops.push(Op::End);
        program.add_stores(model.program.len() as u32);
        program.add_copies(model);
        program
    }

    fn compile(
        &mut self,
        step: &Step,
        following: Option<&Step>,
        begins_delivery: bool,
        ordinals: &mut Ordinals,
    ) -> Op {
        match step {
            Step::Visit(visit) => {
                let ordinal = ordinals.visit(visit.service);
                if !begins_delivery && !visit.holds && visit.time.is_none() {
                    return Op::Visit(visit.service, ordinal);
                }
                self.visits.push(VisitAs {
                    service: visit.service,
                    ordinal,
                    time: visit.time.clone(),
                    holds: visit.holds,
                    begins_delivery,
                });
                Op::VisitAs(self.visits.len() as u32 - 1)
            }
            Step::Release => Op::Release,
            Step::Delay(length) => {
                self.delays.push(Delay {
                    length: length.clone(),
                    ordinal: next(&mut ordinals.delays),
                });
                Op::Delay(self.delays.len() as u32 - 1)
            }
            Step::Reply if following == Some(&Step::End) => Op::ReplyAndEnd,
            Step::Reply => Op::Reply,
            Step::Fail(Failure::AppError) => Op::Fail(Outcome::AppError),
            Step::Fail(Failure::Rejected) => Op::Fail(Outcome::Rejected),
            Step::Fail(Failure::TransportError) => Op::Fail(Outcome::TransportError),
            Step::Branch(arms) => {
                self.branches.push(Branch {
                    arms: arms.clone(),
                    ordinal: next(&mut ordinals.branches),
                });
                Op::Branch(self.branches.len() as u32 - 1)
            }
            Step::Fork { arms, join } => {
                self.forks.push(Fork {
                    arms: arms.clone(),
                    join: *join,
                });
                Op::Fork(self.forks.len() as u32 - 1)
            }
            Step::Publish {
                stream,
                subject,
                acknowledged,
                consumers,
            } => {
                self.publications.push(Publication {
                    stream: *stream,
                    subject: subject.clone(),
                    acknowledged: *acknowledged,
                    consumers: consumers.clone(),
                    ordinal: next(ordinals.publications.entry(*stream).or_default()),
                    store: 0,
                });
                Op::Publish(self.publications.len() as u32 - 1)
            }
            Step::Emit(fan_out) => {
                self.emissions.push(Emission {
                    fan_out: *fan_out,
                    ordinal: next(ordinals.emissions.entry(*fan_out).or_default()),
                });
                Op::Emit(self.emissions.len() as u32 - 1)
            }
            Step::Jump(target) => Op::Jump(*target),
            Step::End => Op::End,
        }
    }

    /// Every publication that is waited for goes on, when its append time is over, by storing the message.
    fn add_stores(&mut self, steps: u32) {
        for at in 0..steps {
            let Op::Publish(publication) = self.ops[at as usize] else {
                continue;
            };
            self.publications[publication as usize].store = self.ops.len() as u32;
            self.ops.push(Op::Store(publication));
            self.ops.push(Op::Jump(at + 1));
        }
    }

    /// For every visit its own path, which ends with it: what a process does for another one.
    pub(crate) fn add_calls(&mut self) {
        for at in 0..self.ops.len() as u32 {
            let visit = match self.ops[at as usize] {
                Op::VisitAs(visit) => {
                    let mut alone = self.visits[visit as usize].clone();
                    (alone.holds, alone.begins_delivery) = (false, false);
                    self.visits.push(alone);
                    Op::VisitAs(self.visits.len() as u32 - 1)
                }
                visit @ Op::Visit(..) => visit,
                _ => continue,
            };
            self.calls.insert(at, self.ops.len() as u32);
            self.ops.extend([visit, Op::ReplyAndEnd]);
        }
    }

    /// The path of a delivery of a fan-out that queues: one visit.
    fn add_copies(&mut self, model: &Model) {
        for fan_out in &model.fan_outs {
            let Some(service) = fan_out.service else {
                self.copies.push(self.end);
                continue;
            };
            self.copies.push(self.ops.len() as u32);
            self.ops.push(Op::Visit(service, 0));
            self.ops.push(Op::End);
        }
    }
}
