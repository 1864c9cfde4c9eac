//! The paths of a model as the backend walks them: operations of eight bytes, with what is larger set apart.

use crate::dist::Dist;
use crate::event::Outcome;
use crate::model::{Failure, Model, ServiceId, Step};

/// One operation of a path. Positions are those of the model's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    /// Visit a service.
    Visit(ServiceId),
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
    pub(super) delays: Vec<Dist>,
    /// The arms of each branch: cumulative share and target.
    pub(super) branches: Vec<Vec<(f64, u32)>>,
}

impl Program {
    pub(super) fn new(model: &Model) -> Program {
        let mut program = Program::default();
        for (at, step) in model.program.iter().enumerate() {
            let op = match step {
                Step::Visit(service) => Op::Visit(*service),
                Step::Delay(length) => {
                    program.delays.push(length.clone());
                    Op::Delay(program.delays.len() as u32 - 1)
                }
                Step::Reply if model.program.get(at + 1) == Some(&Step::End) => Op::ReplyAndEnd,
                Step::Reply => Op::Reply,
                Step::Fail(Failure::AppError) => Op::Fail(Outcome::AppError),
                Step::Fail(Failure::Rejected) => Op::Fail(Outcome::Rejected),
                Step::Fail(Failure::TransportError) => Op::Fail(Outcome::TransportError),
                Step::Branch(arms) => {
                    program.branches.push(arms.clone());
                    Op::Branch(program.branches.len() as u32 - 1)
                }
                Step::Jump(target) => Op::Jump(*target),
                Step::End => Op::End,
            };
            program.ops.push(op);
        }
        program
    }
}
