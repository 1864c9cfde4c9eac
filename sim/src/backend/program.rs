//! The paths of a model as the backend walks them: operations of eight bytes, with what is larger set apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::dist::Dist;
use crate::event::Outcome;
use crate::model::{Failure, Model, ServiceId, Step};

/// One operation of a path. Positions are those of the model's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    /// Visit a service: the path's visit of this number to it.
    Visit(ServiceId, u32),
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
    /// Go on elsewhere.
    Jump(u32),
    /// Nothing follows.
    End,
}

/// All paths of a model.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    pub(super) ops: Vec<Op>,
    pub(super) delays: Vec<Delay>,
    pub(super) branches: Vec<Branch>,
}

/// A delay, with its number among the delays of its path.
#[derive(Debug, Clone)]
pub(super) struct Delay {
    pub(super) length: Dist,
    pub(super) ordinal: u32,
}

/// A branch, with its number among the branches of its path.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    /// Cumulative share and target of each arm.
    pub(super) arms: Vec<(f64, u32)>,
    pub(super) ordinal: u32,
}

/// Numbers of the steps of one path, by what they draw for. A visit is numbered among the visits to its service, so
/// that a further step elsewhere on the path leaves its demand as it was.
#[derive(Debug, Default)]
struct Ordinals {
    visits: BTreeMap<ServiceId, u32>,
    delays: u32,
    branches: u32,
}

/// Counts one more, and returns the number before.
fn next(counter: &mut u32) -> u32 {
    *counter += 1;
    *counter - 1
}

impl Program {
    pub(super) fn new(model: &Model) -> Program {
        let mut program = Program::default();
        let mut ordinals = Ordinals::default();
        let entries: BTreeSet<usize> = model
            .actions
            .iter()
            .map(|action| action.entry as usize)
            .collect();
        for (at, step) in model.program.iter().enumerate() {
            if entries.contains(&at) {
                ordinals = Ordinals::default();
            }
            let op = match step {
                Step::Visit(visit) => {
                    let ordinal = next(ordinals.visits.entry(visit.service).or_default());
                    Op::Visit(visit.service, ordinal)
                }
                Step::Delay(length) => {
                    program.delays.push(Delay {
                        length: length.clone(),
                        ordinal: next(&mut ordinals.delays),
                    });
                    Op::Delay(program.delays.len() as u32 - 1)
                }
                Step::Reply if model.program.get(at + 1) == Some(&Step::End) => Op::ReplyAndEnd,
                Step::Reply => Op::Reply,
                Step::Fail(Failure::AppError) => Op::Fail(Outcome::AppError),
                Step::Fail(Failure::Rejected) => Op::Fail(Outcome::Rejected),
                Step::Fail(Failure::TransportError) => Op::Fail(Outcome::TransportError),
                Step::Branch(arms) => {
                    program.branches.push(Branch {
                        arms: arms.clone(),
                        ordinal: next(&mut ordinals.branches),
                    });
                    Op::Branch(program.branches.len() as u32 - 1)
                }
                Step::Jump(target) => Op::Jump(*target),
                Step::Release
                | Step::Fork { .. }
                | Step::Publish { .. }
                | Step::Emit(_)
                | Step::End => Op::End,
            };
            program.ops.push(op);
        }
        program
    }
}
