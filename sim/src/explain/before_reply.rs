//! What a request can meet before its reply, found from its path alone.

use crate::model::{Action, Join, Model, Step};

/// What the path of an action has before its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BeforeReply {
    /// By service: whether it is visited.
    pub(super) visits: Vec<bool>,
    /// Whether time passes that is no visit: delays, acknowledgements of streams.
    pub(super) delays: bool,
}

/// Follows all ways of a path up to the reply. Arms of a fork that nothing waits for are left out.
pub(super) fn before_reply(model: &Model, action: &Action) -> BeforeReply {
    let mut found = BeforeReply {
        visits: vec![false; model.services.len()],
        delays: false,
    };
    if action.path.fire_and_forget {
        return found;
    }
    let mut seen = vec![false; model.program.len()];
    let mut ways = vec![action.path.entry];
    while let Some(at) = ways.pop() {
        let Some(step) = model.program.get(at as usize) else {
            continue;
        };
        if std::mem::replace(&mut seen[at as usize], true) {
            continue;
        }
        match step {
            Step::Visit(visit) => found.visits[visit.service.index()] = true,
            Step::Delay(_) => found.delays = true,
            Step::Publish { acknowledged, .. } => found.delays |= acknowledged,
            Step::Fork { arms, join } if *join != Join::None => ways.extend(arms),
            Step::Release | Step::Emit(_) | Step::Fork { .. } => {}
            Step::Branch(arms) => {
                ways.extend(arms.iter().map(|(_, target)| *target));
                continue;
            }
            Step::Jump(target) => {
                ways.push(*target);
                continue;
            }
            Step::Reply | Step::Fail(_) | Step::End => continue,
        }
        ways.push(at + 1);
    }
    found
}
