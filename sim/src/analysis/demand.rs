//! What one request of an action asks of the backend, on average.

use crate::model::{Action, Model, Step};

/// The expected demand of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct PathDemand {
    /// Visits of each service, by its position in the model, those after the reply included.
    pub visits: Vec<f64>,
    /// Seconds between sending and reply when nothing has to wait: services, delays and network.
    pub unloaded_response: f64,
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
}

/// Follows the path of an action with the probabilities of its branches and errors.
///
/// Full lines and timeouts are not known here, so this is the demand of requests that meet neither.
pub fn path_demand(model: &Model, action: &Action) -> PathDemand {
    let mut visits = vec![0.0; model.services.len()];
    let mut seconds = 2.0
        * model
            .one_way
            .as_ref()
            .map_or(0.0, |one_way| one_way.mean() / 1e9);
    let first = action.entry as usize;
    let mut masses = vec![Mass::default(); model.program.len() - first];
    masses[0].before_reply = 1.0;
    // Steps only lead forward, so that one pass over the path meets every probability once it is complete.
    for at in 0..masses.len() {
        let mass = masses[at];
        if mass.total() == 0.0 {
            continue;
        }
        let mut arrive = |target: usize, mass: Mass| {
            masses[target].before_reply += mass.before_reply;
            masses[target].after_reply += mass.after_reply;
        };
        match &model.program[first + at] {
            Step::Visit(visit) => {
                let visited = &model.services[visit.service.index()];
                visits[visit.service.index()] += mass.total();
                let time = visit.time.as_ref().unwrap_or(&visited.time);
                seconds += mass.before_reply * time.mean() / 1e9;
                arrive(at + 1, mass.scaled(1.0 - visited.errors));
            }
            Step::Delay(length) => {
                seconds += mass.before_reply * length.mean() / 1e9;
                arrive(at + 1, mass);
            }
            Step::Reply => arrive(
                at + 1,
                Mass {
                    before_reply: 0.0,
                    after_reply: mass.total(),
                },
            ),
            Step::Branch(arms) => {
                let mut below = 0.0;
                for &(upto, target) in arms {
                    arrive(target as usize - first, mass.scaled(upto - below));
                    below = upto;
                }
            }
            Step::Jump(target) => arrive(*target as usize - first, mass),
            Step::Release | Step::Publish { .. } | Step::Emit(_) | Step::Fork { .. } => {
                arrive(at + 1, mass);
            }
            Step::Fail(_) | Step::End => {}
        }
    }
    PathDemand {
        visits,
        unloaded_response: seconds,
    }
}
