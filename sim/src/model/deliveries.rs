//! Awaited deliveries, and the parts of a model that can deliver them.

use std::num::NonZeroU32;

use super::ids::{ActionId, ConsumerId, FanOutId};
use super::step::Step;
use super::{LiveModel, Model};

/// What the subjects start with over which doubles speak with one another, and fan-outs are sent.
pub const DOUBLES: &str = "blis";

/// A spec's name as a token of these subjects.
pub fn token(name: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    name.replace(|c| !kept(c), "_")
}

/// Deliveries that the requests of an action await.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Await {
    /// What delivers them in the simulation; `None` of an action that is live only.
    pub from: Option<Deliverer>,
    /// How many subscriptions there are.
    pub subscribers: NonZeroU32,
    /// How many deliveries are to come for each request.
    pub deliveries: NonZeroU32,
    /// How many of them the request waits for; at most all.
    pub until: NonZeroU32,
}

impl Await {
    /// How many deliveries each subscriber may have.
    pub fn share(&self) -> u32 {
        self.deliveries.get().div_ceil(self.subscribers.get())
    }
}

/// What delivers in a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deliverer {
    /// A fan-out: each message that reaches a subscriber.
    FanOut(FanOutId),
    /// A consumer: each delivery of a message to a member of its service.
    Consumer(ConsumerId),
}

impl<P> Model<P> {
    /// Whether requests await what is delivered by this.
    pub fn is_awaited(&self, by: Deliverer) -> bool {
        let mut awaited = self.actions.iter().filter_map(|action| action.awaited);
        awaited.any(|awaited| awaited.from == Some(by))
    }
}

impl LiveModel {
    /// The fan-outs and consumers that a request of an action may reach, in their order: on its own path and on those of
    /// the consumers of what it publishes.
    pub fn deliverers(&self, action: ActionId) -> Vec<Deliverer> {
        let mut found = Vec::new();
        let Some(path) = self.actions[action.index()].path else {
            return found;
        };
        let mut seen = vec![false; self.program.len()];
        let mut ahead = vec![path.entry];
        while let Some(position) = ahead.pop() {
            let place = position as usize;
            if seen.get(place).copied().unwrap_or(true) {
                continue;
            }
            seen[place] = true;
            match &self.program[place] {
                Step::End | Step::Fail(_) => continue,
                Step::Jump(to) => {
                    ahead.push(*to);
                    continue;
                }
                Step::Branch(arms) => {
                    ahead.extend(arms.iter().map(|(_, to)| *to));
                    continue;
                }
                Step::Fork { arms, .. } => ahead.extend(arms),
                Step::Publish { consumers, .. } => {
                    for &consumer in consumers {
                        found.push(Deliverer::Consumer(consumer));
                        ahead.push(self.consumers[consumer.index()].entry);
                    }
                }
                Step::Emit(fan_out) => found.push(Deliverer::FanOut(*fan_out)),
                Step::Visit(_) | Step::Release | Step::Delay(_) | Step::Reply => {}
            }
            ahead.push(position + 1);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
