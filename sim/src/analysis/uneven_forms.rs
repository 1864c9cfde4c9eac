//! The closed form of a single service whose members differ in workers or speed.

use crate::analysis::arrivals::{Arrivals, arrivals};
use crate::analysis::assumptions::{Scope, broken, members_differ};
use crate::analysis::closed_form::{Exact, QUANTILES, Why};
use crate::analysis::traffic::{Traffic, has_one_line, is_exponential};
use crate::model::{Dispatch, MemberKind, Order, Service};
use crate::theory::{GeneralService, Means, MultiServer, TheoryError, quantile};

/// Members that are drawn at random from a Poisson stream, each with the same probability, busy or not: independent queues
/// at equal shares of the rate, M/M/w or M/G/1, each with service times of its own. A request is one of any of them.
pub fn uneven(traffic: &Traffic<'_>, service: &Service) -> Result<Exact, Why> {
    let differ = || (!is_split(service)).then(|| members_differ(traffic));
    if let Some(why) = broken(traffic, Scope::Lines).or_else(|| differ().flatten()) {
        return Err(Why::Assumption(why));
    }
    if traffic.closed().is_some() {
        return Err(Why::Assumption(format!(
            "the members of service {} differ in a closed model",
            service.name
        )));
    }
    let Arrivals::Poisson { rate } = arrivals(traffic)? else {
        return Err(Why::Assumption(format!(
            "arrivals are not Poisson and the members of service {} differ",
            service.name
        )));
    };
    let share = rate / f64::from(service.lines());
    let members = service.members.kinds().iter();
    let members: Vec<Member> = members
        .map(|kind| Member::new(kind, share, service))
        .collect::<Result<_, _>>()?;
    Ok(together(&members, rate, service))
}

/// Whether every member is a queue for itself.
fn is_split(service: &Service) -> bool {
    let drawn = has_one_line(service) || service.dispatch == Dispatch::Random;
    let many = service.members.most_workers().get() > 1;
    let solved = is_exponential(service) || !many;
    drawn && solved && service.order == Order::Fifo && service.queue_limit.is_none()
}

/// Members that are alike, by one of them.
struct Member {
    /// The share of all members that they are.
    weight: f64,
    count: f64,
    form: String,
    means: Means,
    exponential: Option<MultiServer>,
}

impl Member {
    fn new(kind: &MemberKind, rate: f64, service: &Service) -> Result<Member, TheoryError> {
        let seconds = service.time.mean() / kind.speed / 1e9;
        let workers = u64::from(kind.workers.get());
        let count = f64::from(kind.count.get());
        let (form, means, exponential) = match is_exponential(service) {
            true => {
                let queue = MultiServer::new(workers, rate, seconds)?;
                (format!("M/M/{workers}"), queue.means, Some(queue))
            }
            false => {
                let queue = GeneralService::new(rate, seconds, service.time.scv())?;
                ("M/G/1".to_owned(), queue.means, None)
            }
        };
        Ok(Member {
            weight: count / f64::from(service.members.count()),
            count,
            form,
            means,
            exponential,
        })
    }
}

fn together(members: &[Member], rate: f64, service: &Service) -> Exact {
    let mean = |of: fn(&Means) -> f64| -> f64 {
        let each = members.iter();
        each.map(|member| member.weight * of(&member.means)).sum()
    };
    let sum = |of: fn(&Means) -> f64| -> f64 {
        let each = members.iter();
        each.map(|member| member.count * of(&member.means)).sum()
    };
    // Busy workers by Little's law, of all.
    let busy = sum(|means| means.throughput * (means.response - means.wait));
    let means = Means {
        throughput: rate,
        utilisation: busy / service.servers() as f64,
        queue: sum(|means| means.queue),
        in_system: sum(|means| means.in_system),
        wait: mean(|means| means.wait),
        response: mean(|means| means.response),
    };
    let queues: Option<Vec<(f64, &MultiServer)>> = members
        .iter()
        .map(|member| Some((member.weight, member.exponential.as_ref()?)))
        .collect();
    let quantiles = queues.map(|queues| {
        let tail = |t: f64| -> f64 {
            let each = queues.iter();
            each.map(|(weight, queue)| weight * queue.response_tail(t))
                .sum()
        };
        QUANTILES.map(|p| quantile(p, means.response, tail))
    });
    let forms: Vec<String> = members
        .iter()
        .map(|member| match member.count {
            1.0 => member.form.clone(),
            many => format!("{many} × {}", member.form),
        })
        .collect();
    Exact {
        form: forms.join(" + "),
        services: vec![(service.name.clone(), means)],
        throughput: means.throughput * (1.0 - service.errors),
        response: means.response,
        quantiles,
        classes: Vec::new(),
    }
}
