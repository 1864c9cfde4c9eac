//! Finds clients whose users would send requests for ever without any time going by.
//!
//! A closed user without think time goes on at the instant its request ends. Where every request can end at the
//! instant it was sent, the clock never reaches the horizon; only a budget ends such a run.

use super::Findings;
use crate::dist::Dist;
use crate::model::{Client, Model, OnFailure, Service, Source, Step};
use crate::spec::syntax;

pub fn check(spec: &syntax::Spec, model: &Model, findings: &mut Findings) {
    if model.limits.requests.is_some() || !model.one_way.as_ref().is_none_or(instant) {
        return;
    }
    for ((_, written), client) in spec.clients.value.0.iter().zip(&model.clients) {
        let Source::Closed { concurrency, think } = &client.source else {
            continue;
        };
        if !instant(think) {
            continue;
        }
        let stands = Stands {
            model,
            users: u64::from(concurrency.get()),
            on_failure: &client.on_failure,
        };
        if let Some(why) = stands.why(client)
            && let Some(concurrency) = &written.concurrency
        {
            let error = concurrency.error(format!(
                "time would stand still: a user of `{}` {why} and has no think time",
                client.name
            ));
            findings.error(error.help("give `think` above 0s, a service or `delay` that takes time, or a budget (`run.requests`)"));
        }
    }
}

/// Whether a time is always less than half a nanosecond, which the clock rounds to none.
fn instant(dist: &Dist) -> bool {
    dist.upper_bound().is_some_and(|bound| bound < 0.5)
}

struct Stands<'a> {
    model: &'a Model,
    users: u64,
    on_failure: &'a OnFailure,
}

impl Stands<'_> {
    /// Why a user of this client can go round without time going by, if it can.
    fn why(&self, client: &Client) -> Option<&'static str> {
        let mut entries = client
            .mix
            .shares
            .iter()
            .map(|(action, _)| self.model.actions[action.index()].entry);
        if entries.clone().all(|entry| self.instant_from(entry)) {
            return Some("gets every answer in no time at all");
        }
        let refused = entries.any(|entry| self.refused_from(entry));
        (self.on_failure.respawn && refused).then_some("can be rejected in no time at all")
    }

    /// Whether every route from a position on answers the user in no time.
    fn instant_from(&self, mut at: u32) -> bool {
        loop {
            match self.model.program.get(at as usize) {
                Some(Step::Visit(service))
                    if !instant(&self.model.services[service.index()].time) =>
                {
                    return false;
                }
                Some(Step::Delay(delay)) if !instant(delay) => return false,
                Some(Step::Visit(_) | Step::Delay(_)) => at += 1,
                Some(Step::Jump(target)) => at = *target,
                Some(Step::Branch(arms)) => {
                    return arms.iter().all(|(_, target)| self.instant_from(*target));
                }
                // A failure that retires the user ends its requests.
                Some(Step::Fail(_)) => return self.on_failure.respawn,
                Some(Step::Reply | Step::End) | None => return true,
            }
        }
    }

    /// Whether a route from a position on can meet a full line before any time has gone by.
    fn refused_from(&self, mut at: u32) -> bool {
        loop {
            match self.model.program.get(at as usize) {
                Some(Step::Visit(service)) => {
                    let service = &self.model.services[service.index()];
                    if self.can_be_full(service) {
                        return true;
                    }
                    if !instant(&service.time) {
                        return false;
                    }
                    at += 1;
                }
                Some(Step::Delay(delay)) if !instant(delay) => return false,
                Some(Step::Delay(_)) => at += 1,
                Some(Step::Jump(target)) => at = *target,
                Some(Step::Branch(arms)) => {
                    return arms.iter().any(|(_, target)| self.refused_from(*target));
                }
                Some(Step::Fail(_) | Step::Reply | Step::End) | None => return false,
            }
        }
    }

    /// Whether the line of a service can be full when a user of this client comes.
    fn can_be_full(&self, service: &Service) -> bool {
        let Some(limit) = service.queue_limit else {
            return false;
        };
        let lone = self.model.clients.len() == 1;
        let place = match service.dispatch {
            crate::model::Dispatch::Random => u64::from(service.workers.get()),
            _ => service.servers(),
        };
        !lone || self.users > place + u64::from(limit)
    }
}
