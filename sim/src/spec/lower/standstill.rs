//! Finds zero-time loops of clients: users that would send requests without end while no time passes.
//!
//! A closed-loop user without think time continues at the time at which its request ends. If every request can end at the time
//! at which it was sent, the clock never reaches the horizon; only a budget ends such a run.

use std::collections::BTreeSet;

use super::Findings;
use crate::dist::Dist;
use crate::model::{Client, Dispatch, LiveModel, OnFailure, Service, Source, Step};
use crate::spec::syntax;

pub fn check(spec: &syntax::Spec, model: &LiveModel, findings: &mut Findings) {
    if model.limits.requests.is_some() || !model.one_way.as_ref().is_none_or(instant) {
        return;
    }
    for ((_, written), client) in spec.clients.value.0.iter().zip(&model.clients) {
        let Source::Closed { think, .. } = &client.source else {
            continue;
        };
        if !instant(think) {
            continue;
        }
        let stands = Stands {
            model,
            users: client.closed_users(),
            on_failure: &client.on_failure,
        };
        if let Some(why) = stands.why(client)
            && let Some(concurrency) = &written.concurrency
        {
            let error = concurrency.error(format!(
                "zero-time loop: a user of `{}` {why} and has no think time",
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

/// What can happen to a request at the instant it is sent.
struct AtOnce {
    /// Every route answers the user then.
    always: bool,
    /// Some route meets a line that can be full.
    refused: bool,
}

impl AtOnce {
    /// Where there is no path, a real backend takes its time.
    const UNKNOWN: AtOnce = AtOnce {
        always: false,
        refused: false,
    };
}

struct Stands<'a> {
    model: &'a LiveModel,
    users: u64,
    on_failure: &'a OnFailure,
}

impl Stands<'_> {
    /// Why a user of this client can go round without time going by, if it can.
    fn why(&self, client: &Client) -> Option<&'static str> {
        let actions = client.mix.shares.iter().map(|(action, _)| action.index());
        let routes: Vec<AtOnce> = actions
            .map(|action| match self.model.actions[action].path {
                Some(path) => self.at_once(path.entry),
                None => AtOnce::UNKNOWN,
            })
            .collect();
        if routes.iter().all(|route| route.always) {
            return Some("gets every reply in zero time");
        }
        let refused = routes.iter().any(|route| route.refused);
        // Tries that take their time keep a user from going round at one instant for ever.
        let patient = self.on_failure.retries > 0 && !instant(&self.on_failure.backoff);
        let refused = refused && !patient;
        (self.on_failure.respawn && refused).then_some("can be rejected in zero time")
    }

    /// What can happen on the routes from a position on before any time has gone by.
    fn at_once(&self, entry: u32) -> AtOnce {
        let mut found = AtOnce {
            always: true,
            refused: false,
        };
        // Routes join again, so that there may be far more of them than positions.
        let mut seen = BTreeSet::new();
        let mut next = vec![entry];
        while let Some(at) = next.pop() {
            if !seen.insert(at) {
                continue;
            }
            match self.model.program.get(at as usize) {
                Some(Step::Visit(visit)) => {
                    let service = &self.model.services[visit.service.index()];
                    found.refused |= self.can_be_full(service);
                    match instant(visit.time.as_ref().unwrap_or(&service.time)) {
                        true => next.push(at + 1),
                        false => found.always = false,
                    }
                }
                Some(Step::Delay(delay)) if instant(delay) => next.push(at + 1),
                Some(Step::Delay(_)) => found.always = false,
                Some(Step::Jump(target)) => next.push(*target),
                Some(Step::Branch(arms)) => next.extend(arms.iter().map(|(_, target)| *target)),
                // A failure that retires the user ends its requests.
                Some(Step::Fail(_)) => found.always &= self.on_failure.respawn,
                // What is published or emitted goes its own way, and what runs beside the path is not looked at.
                Some(Step::Release | Step::Publish { .. } | Step::Emit(_)) => next.push(at + 1),
                Some(Step::Fork { .. }) => found.always = false,
                Some(Step::Reply | Step::End) | None => {}
            }
        }
        found
    }

    /// Whether the line of a service can be full when a user of this client comes.
    fn can_be_full(&self, service: &Service) -> bool {
        let Some(limit) = service.queue_limit else {
            return false;
        };
        let lone = self.model.clients.len() == 1;
        let place = match service.dispatch {
            Dispatch::Random => service.fewest_workers_of_a_line(),
            _ => service.servers(),
        };
        !lone || self.users > place + u64::from(limit)
    }
}
