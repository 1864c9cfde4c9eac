//! The path of a request, on average and by branch.

use crate::model::{Action, Client, Model, Step};

/// The expected way of a request that meets no full queue and no timeout. Visits are by the position of the service in
/// the model, times in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Visits in all, those after the reply included.
    pub visits: Vec<f64>,
    /// Visits before the reply or the failure.
    pub before_reply: Vec<f64>,
    /// Delays before the reply or the failure, without the network.
    pub delay: f64,
    /// The probability of ending as `ok`.
    pub ok: f64,
    /// Visits before the reply, counted where the request ends as `ok`.
    pub ok_visits: Vec<f64>,
    /// Delays before the reply, counted where the request ends as `ok`.
    pub ok_delay: f64,
}

impl Route {
    fn none(services: usize) -> Route {
        Route {
            visits: vec![0.0; services],
            before_reply: vec![0.0; services],
            delay: 0.0,
            ok: 0.0,
            ok_visits: vec![0.0; services],
            ok_delay: 0.0,
        }
    }

    /// Adds a share of another route.
    fn add(&mut self, share: f64, other: &Route) {
        let add = |to: &mut Vec<f64>, from: &[f64]| {
            for (to, from) in to.iter_mut().zip(from) {
                *to += share * from;
            }
        };
        add(&mut self.visits, &other.visits);
        add(&mut self.before_reply, &other.before_reply);
        add(&mut self.ok_visits, &other.ok_visits);
        self.delay += share * other.delay;
        self.ok += share * other.ok;
        self.ok_delay += share * other.ok_delay;
    }

    /// The mean of `ok` responses in seconds, network excluded, when a visit to service i takes `response(i)`. NaN when
    /// no request ends as `ok`.
    pub fn ok_response(&self, response: impl Fn(usize) -> f64) -> f64 {
        let visits = self.ok_visits.iter().enumerate();
        let visited = visits.filter(|(_, visits)| **visits > 0.0);
        let seconds: f64 = visited.map(|(at, visits)| visits * response(at)).sum();
        (self.ok_delay + seconds) / self.ok
    }
}

/// The route of a client's requests, averaged over its actions.
pub fn client_route(model: &Model, client: &Client) -> Route {
    let mut route = Route::none(model.services.len());
    for (action, share) in &client.mix.shares {
        route.add(*share, &action_route(model, &model.actions[action.index()]));
    }
    route
}

/// The steps of an action, and the position of the first in the program.
fn steps<'a>(model: &'a Model, action: &Action) -> (usize, &'a [Step]) {
    let first = action.path.entry as usize;
    let later = model.actions.iter().map(|other| other.path.entry as usize);
    let consumers = model.consumers.iter().map(|other| other.entry as usize);
    let end = later
        .chain(consumers)
        .filter(|entry| *entry > first)
        .min()
        .unwrap_or(model.program.len());
    (first, &model.program[first..end])
}

/// The steps of an action.
pub fn steps_of<'a>(model: &'a Model, action: &Action) -> std::slice::Iter<'a, Step> {
    steps(model, action).1.iter()
}

/// The route of an action's requests.
fn action_route(model: &Model, action: &Action) -> Route {
    let (first, steps) = steps(model, action);
    let count = model.services.len();
    // From each step on: the route of an unanswered request, and the visits of one that has its reply. Steps only lead
    // forward, so that both are known for what follows a step.
    let mut ahead: Vec<(Route, Vec<f64>)> =
        vec![(Route::none(count), vec![0.0; count]); steps.len() + 1];
    for (at, step) in steps.iter().enumerate().rev() {
        ahead[at] = match step {
            Step::Visit(visit) => {
                let service = visit.service;
                let going_on = 1.0 - model.services[service.index()].errors;
                let (next, next_answered) = &ahead[at + 1];
                let mut route = Route::none(count);
                route.add(going_on, next);
                route.visits[service.index()] += 1.0;
                route.before_reply[service.index()] += 1.0;
                route.ok_visits[service.index()] += route.ok;
                let mut answered: Vec<f64> = next_answered
                    .iter()
                    .map(|visits| going_on * visits)
                    .collect();
                answered[service.index()] += 1.0;
                (route, answered)
            }
            Step::Delay(length) => {
                let seconds = length.mean() / 1e9;
                let (mut route, answered) = ahead[at + 1].clone();
                route.delay += seconds;
                route.ok_delay += route.ok * seconds;
                (route, answered)
            }
            Step::Reply => {
                let answered = ahead[at + 1].1.clone();
                let mut route = Route::none(count);
                route.visits.clone_from(&answered);
                route.ok = 1.0;
                (route, answered)
            }
            Step::Branch(arms) => {
                let (mut route, mut answered) = (Route::none(count), vec![0.0; count]);
                let mut below = 0.0;
                for &(upto, target) in arms {
                    let (taken, taken_answered) = &ahead[target as usize - first];
                    route.add(upto - below, taken);
                    for (sum, visits) in answered.iter_mut().zip(taken_answered) {
                        *sum += (upto - below) * visits;
                    }
                    below = upto;
                }
                (route, answered)
            }
            Step::Jump(target) => ahead[*target as usize - first].clone(),
            // No form knows what these do: the assumptions rule them out.
            Step::Release | Step::Publish { .. } | Step::Emit(_) | Step::Fork { .. } => {
                ahead[at + 1].clone()
            }
            Step::Fail(_) | Step::End => (Route::none(count), vec![0.0; count]),
        };
    }
    ahead.swap_remove(0).0
}

/// One way through an action that ends as `ok`.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// The probability that a request takes it and is not stopped by an error.
    pub probability: f64,
    /// The services visited before the reply, in order.
    pub before_reply: Vec<usize>,
    /// The services visited after the reply, in order; further branches there are not followed but listed one after
    /// the other.
    pub after_reply: Vec<usize>,
    /// Seconds of delay before the reply, `None` if they are not always the same.
    pub delay: Option<f64>,
}

/// The most ways that are told apart.
const MOST_WAYS: usize = 64;

/// The ways through a client's actions that end as `ok`, with the client's shares, `None` if there are too many.
pub fn ways(model: &Model, client: &Client) -> Option<Vec<Way>> {
    let mut all = Vec::new();
    for (action, share) in &client.mix.shares {
        let (first, steps) = steps(model, &model.actions[action.index()]);
        let start = Way {
            probability: *share,
            before_reply: Vec::new(),
            after_reply: Vec::new(),
            delay: Some(0.0),
        };
        // (the way so far, the next step)
        let mut open = vec![(start, 0)];
        while let Some((way, at)) = open.pop() {
            if open.len() + all.len() > MOST_WAYS {
                return None;
            }
            follow(model, way, &steps[at..], first, &mut open, &mut all);
        }
    }
    Some(all)
}

/// Follows a way through `steps` up to its reply, a branch or a jump. The action starts at `first` in the program.
fn follow(
    model: &Model,
    mut way: Way,
    steps: &[Step],
    first: usize,
    open: &mut Vec<(Way, usize)>,
    all: &mut Vec<Way>,
) {
    for (ahead, step) in steps.iter().enumerate() {
        match step {
            Step::Visit(visit) => {
                let service = visit.service.index();
                way.probability *= 1.0 - model.services[service].errors;
                way.before_reply.push(service);
            }
            Step::Release | Step::Publish { .. } | Step::Emit(_) | Step::Fork { .. } => {}
            Step::Delay(length) => {
                let constant = length.scv() == 0.0;
                way.delay = way
                    .delay
                    .filter(|_| constant)
                    .map(|delay| delay + length.mean() / 1e9);
            }
            Step::Reply => {
                way.after_reply = rest(&steps[ahead + 1..]);
                all.push(way);
                return;
            }
            Step::Branch(arms) => {
                let mut below = 0.0;
                for &(upto, target) in arms {
                    let mut taken = way.clone();
                    taken.probability *= upto - below;
                    open.push((taken, target as usize - first));
                    below = upto;
                }
                return;
            }
            Step::Jump(target) => {
                open.push((way, *target as usize - first));
                return;
            }
            Step::Fail(_) | Step::End => return,
        }
    }
}

/// All services among these steps.
fn rest(steps: &[Step]) -> Vec<usize> {
    let visits = steps.iter().filter_map(|step| match step {
        Step::Visit(visit) => Some(visit.service.index()),
        _ => None,
    });
    visits.collect()
}
