//! The services that a request can visit before its reply, found from its path alone.

use crate::model::{Action, Join, Model, Step};

/// What the path of an action has before its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BeforeReply {
    /// By service: whether it is visited.
    pub(super) visits: Vec<bool>,
    /// Whether time passes that is no visit: delays, acknowledgements of streams.
    pub(super) delays: bool,
}

/// Follows all ways of a path up to the reply. Arms of a fork that nothing waits for are left out. A request that awaits
/// deliveries is not done with its reply: then it is all that may come before these, also at consumers.
pub(super) fn before_reply(model: &Model, action: &Action) -> BeforeReply {
    let mut found = BeforeReply {
        visits: vec![false; model.services.len()],
        delays: false,
    };
    let awaits = action.awaited.is_some();
    found.delays |= awaits;
    if action.path.fire_and_forget && !awaits {
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
            Step::Publish {
                acknowledged,
                consumers,
                ..
            } => {
                found.delays |= acknowledged;
                let consumers = consumers.iter().filter(|_| awaits);
                ways.extend(consumers.map(|id| model.consumers[id.index()].entry));
            }
            Step::Fork { arms, join } if awaits || *join != Join::None => ways.extend(arms),
            Step::Emit(id) if awaits => {
                if let Some(service) = model.fan_outs[id.index()].service {
                    found.visits[service.index()] = true;
                }
            }
            Step::Reply if awaits => {}
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
