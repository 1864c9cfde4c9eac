//! Lowers awaited deliveries and their objectives to the model.

use std::num::NonZeroU32;

use super::numbers::count;
use super::{Findings, Names, quantiles, refer};
use crate::model::{
    ActionId, Await, ConsumerId, DOUBLES, Deliverer, DeliveryLimits, FanOutId, LiveModel, token,
};
use crate::spec::deliveries::{self, DeliverySlo, Until};
use crate::spec::error::{one_of, shown};
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{self, Spec};

/// Most subscriptions of an action, each of which is an entry at the server.
const MAX_SUBSCRIBERS: u64 = 100_000;
/// Most deliveries that a request can have.
const MAX_DELIVERIES: u64 = 1_000_000;

/// What the requests of an action await; what delivers it is found by [`bind`].
pub fn awaited(action: &syntax::Action, findings: &mut Findings) -> Option<Await> {
    let delivery = action.live.as_ref();
    let delivery = delivery.and_then(|live| live.value.delivery.as_ref());
    let Some(written) = &action.r#await else {
        if let Some(delivery) = delivery {
            let error = delivery.error("`delivery` has no effect without `await`");
            let error = error.help(
                "give the number of deliveries, such as `await: {deliveries: 20}`, or remove `delivery`",
            );
            findings.error(error.absence());
        }
        let limits = action.slo.as_ref();
        if let Some(limits) = limits.and_then(|slo| slo.value.deliveries.as_ref()) {
            let error = limits.error("`deliveries` has no effect without `await`");
            let error = error.help(
                "give the number of deliveries, such as `await: {deliveries: 20}`, or remove the limits",
            );
            findings.error(error.absence());
        }
        return None;
    };
    if let Some(live) = &action.live
        && delivery.is_none()
    {
        let error = live.error("the action awaits deliveries, but `live` has no `delivery`");
        findings.error(
            error
                .help("add `delivery: {subject: room.said}` to `live`, or remove `await`")
                .absence(),
        );
    }
    let deliveries::Await {
        from: _,
        subscribers,
        deliveries,
        until,
    } = &written.value;
    let subscribers = subscribers.as_ref().map_or(NonZeroU32::MIN, |number| {
        let what = format!("{} subscribers", number.value);
        count(number, &what, MAX_SUBSCRIBERS, "subscribers", findings)
    });
    let deliveries = deliveries.as_ref().map_or(subscribers, |number| {
        let what = format!("{} deliveries", number.value);
        count(number, &what, MAX_DELIVERIES, "deliveries", findings)
    });
    let until = until
        .as_ref()
        .map_or(deliveries, |until| match until.value {
            Until::All => deliveries,
            Until::First => NonZeroU32::MIN,
            Until::Count(number) => {
                let what = format!(
                    "a request waits for {number} deliveries, but only {deliveries} are expected: it would never end"
                );
                let most = u64::from(deliveries.get());
                let number = Spanned {
                    value: number,
                    origin: until.origin,
                };
                count(&number, &what, most, "deliveries", findings)
            }
        });
    Some(Await {
        from: None,
        subscribers,
        deliveries,
        until,
    })
}

/// The objectives of deliveries.
pub fn limits(written: &Spanned<DeliverySlo>, findings: &mut Findings) -> DeliveryLimits {
    let DeliverySlo {
        first,
        each,
        last,
        missing,
    } = &written.value;
    let mut empty = false;
    let times = [first, each, last].map(|times| {
        let Some(times) = times else {
            return Vec::new();
        };
        let limits = quantiles::limits("delivery", times.value.all(), findings);
        if limits.is_empty() {
            empty = true;
            let error = times.error("an empty objective has no effect");
            findings.error(
                error
                    .help("give `p50`, `p90`, `p95`, `p99` or `p999`")
                    .absence(),
            );
        }
        limits
    });
    let [first, each, last] = times;
    let limits = DeliveryLimits {
        first,
        each,
        last,
        missing: missing.as_ref().map(|missing| missing.value.0),
    };
    if !empty && limits == DeliveryLimits::default() {
        let error = written.error("empty `deliveries` have no effect");
        findings.error(
            error
                .help("give `first`, `each`, `last` or `missing`")
                .absence(),
        );
    }
    if let Some(missing) = missing
        && missing.value.0 >= 1.0
    {
        let message = "an objective of 100 % missing deliveries cannot be missed";
        findings.warn(missing.error(message).help("write one percent as `1%`"));
    }
    limits
}

/// Finds for every action that awaits deliveries what delivers them in the simulation.
pub fn bind(spec: &Spec, model: &mut LiveModel, names: &Names<'_>, findings: &mut Findings) {
    for (index, (name, action)) in (0u16..).zip(&spec.actions.value.0) {
        let Some(written) = &action.r#await else {
            continue;
        };
        let id = ActionId(index);
        let from = match (&written.value.from, &action.path) {
            (None, None) => None,
            (Some(from), None) => {
                let error = from.error("`from` has no effect without a `path`");
                findings.error(error.help("remove `from`, or give the action a `path`"));
                None
            }
            (given, Some(_)) => {
                let reached = model.deliverers(id);
                match given {
                    Some(from) => named(from, &name.value, &reached, model, names, findings),
                    None => only(written, &name.value, &reached, model, findings),
                }
            }
        };
        let Some(awaited) = &mut model.actions[id.index()].awaited else {
            continue;
        };
        awaited.from = from;
        let awaited = *awaited;
        warn_of_subject(spec, action, awaited, model, findings);
        match (from, &written.value.subscribers) {
            (Some(Deliverer::FanOut(fan_out)), _) => {
                warn_of_other_number(written, awaited, fan_out, model, findings);
                warn_of_waiting_for_ever(written, awaited, (id, fan_out), model, findings);
            }
            (Some(Deliverer::Consumer(_)), Some(subscribers)) if awaited.subscribers.get() > 1 => {
                let error = subscribers.error("a consumer is a single subscriber");
                findings.error(error.help("give `deliveries`, or let a fan-out deliver"));
            }
            _ => {}
        }
    }
}

/// The deliverer of this name, which requests of the action reach.
fn named(
    from: &Spanned<deliveries::Deliverer>,
    action: &str,
    reached: &[Deliverer],
    model: &LiveModel,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Option<Deliverer> {
    let before = findings.errors.len();
    let (found, name) = match &from.value {
        deliveries::Deliverer::FanOut(name) => {
            let position = refer("fan-out", name, &names.fan_outs, findings);
            (Some(Deliverer::FanOut(FanOutId(position))), name)
        }
        deliveries::Deliverer::Consumer(name) => (consumer(name, model, findings), name),
    };
    if findings.errors.len() > before {
        return None;
    }
    let found = found?;
    if !reached.contains(&found) {
        let error = name.error(format!(
            "no request of `{action}` reaches {}",
            shown(&name_of(found, model))
        ));
        let help = match reached {
            [] => "let its path `emit` to a fan-out or `publish` to a stream with a consumer"
                .to_owned(),
            _ => format!("it reaches {}", list(reached, model)),
        };
        findings.error(error.help(help).absence());
    }
    Some(found)
}

fn consumer(
    name: &Spanned<String>,
    model: &LiveModel,
    findings: &mut Findings,
) -> Option<Deliverer> {
    let all = || (0u16..).map(ConsumerId).take(model.consumers.len());
    let full = |id: ConsumerId| model.consumer_name(id);
    let found = all().find(|id| full(*id) == name.value);
    if found.is_none() {
        let error = name.error(format!("there is no consumer `{}`", shown(&name.value)));
        let names: Vec<String> = all().map(full).collect();
        let help = match names.is_empty() {
            true => "there are no consumers".to_owned(),
            false => format!(
                "the consumers are {}",
                one_of(names.iter().map(String::as_str))
            ),
        };
        findings.error(error.help(help));
    }
    found.map(Deliverer::Consumer)
}

/// The one that there is no doubt about.
fn only(
    written: &Spanned<deliveries::Await>,
    action: &str,
    reached: &[Deliverer],
    model: &LiveModel,
    findings: &mut Findings,
) -> Option<Deliverer> {
    let is_fan_out = |one: &&Deliverer| matches!(one, Deliverer::FanOut(_));
    let fan_outs: Vec<Deliverer> = reached.iter().filter(is_fan_out).copied().collect();
    let candidates = match fan_outs.is_empty() {
        true => reached,
        false => &fan_outs,
    };
    match candidates {
        [one] => Some(*one),
        [] => {
            let error = written.error(format!("the path of `{action}` has no deliveries to await"));
            let error = error.help(
                "let it `emit` to a fan-out, or `publish` to a stream with a consumer, or remove `await`",
            );
            findings.error(error.absence());
            None
        }
        several => {
            let error = written.error(format!(
                "requests of `{action}` reach {}, and `await` does not choose one",
                list(several, model)
            ));
            findings.error(
                error.help("add `from: {fan_out: NAME}` or `from: {consumer: STREAM/NAME}`"),
            );
            None
        }
    }
}

fn name_of(one: Deliverer, model: &LiveModel) -> String {
    match one {
        Deliverer::FanOut(id) => format!("fan-out {}", model.fan_outs[id.index()].name),
        Deliverer::Consumer(id) => format!("consumer {}", model.consumer_name(id)),
    }
}

fn list(several: &[Deliverer], model: &LiveModel) -> String {
    let names: Vec<String> = several.iter().map(|one| name_of(*one, model)).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// Warns where a delivery that is lost is waited for by somebody who never gives up.
fn warn_of_waiting_for_ever(
    written: &Spanned<deliveries::Await>,
    awaited: Await,
    (action, fan_out): (ActionId, FanOutId),
    model: &LiveModel,
    findings: &mut Findings,
) {
    let fan_out = &model.fan_outs[fan_out.index()];
    let waits = model.clients.iter().find(|client| {
        let mut shares = client.mix.shares.iter();
        client.timeout.is_none() && shares.any(|(of, _)| *of == action)
    });
    if let Some(client) = waits
        && fan_out.loss > 0.0
        && awaited.until == awaited.deliveries
    {
        let warning = written.error(format!(
            "fan-out {} loses deliveries, and requests of {} that wait for a lost one never end",
            fan_out.name, client.name
        ));
        findings.warn(warning.help("give the client a `timeout`, or wait for fewer: `until`"));
    }
}

/// Warns of a subject of a double that no double of this spec publishes to, and of several subscriptions to one that has a
/// message for each subscriber.
fn warn_of_subject(
    spec: &Spec,
    action: &syntax::Action,
    awaited: Await,
    model: &LiveModel,
    findings: &mut Findings,
) {
    let live = action.live.as_ref();
    let Some(delivery) = live.and_then(|live| live.value.delivery.as_ref()) else {
        return;
    };
    let subject = &delivery.value.subject;
    let tokens: Vec<&str> = subject.value.split('.').collect();
    let [DOUBLES, name, "fanout", fan_out, ..] = tokens[..] else {
        return;
    };
    let known = |one: &str| model.fan_outs.iter().any(|of| of.name == one);
    let own = token(&spec.name.value);
    let is_own = name == own || name == "*";
    if !is_own || !(known(fan_out) || fan_out == "*") {
        let warning = subject.error(format!(
            "no double of this spec publishes to `{}`",
            shown(&subject.value)
        ));
        let from = model.fan_outs.first().map_or("NAME", |of| of.name.as_str());
        let help = format!("write `{DOUBLES}.{own}.fanout.{from}.*`");
        findings.warn(warning.help(help));
    } else if awaited.subscribers.get() > 1 && tokens.last() == Some(&"*") {
        let warning = subject.error(format!(
            "a double publishes one message per subscriber, and each of {} subscriptions here gets all of them",
            awaited.subscribers
        ));
        findings.warn(warning.help(format!(
            "write `await: {{deliveries: {}}}` to take them over one subscription",
            awaited.deliveries
        )));
    }
}

/// Warns where a fan-out never has as many subscribers as a request is to get deliveries.
fn warn_of_other_number(
    written: &Spanned<deliveries::Await>,
    awaited: Await,
    fan_out: FanOutId,
    model: &LiveModel,
    findings: &mut Findings,
) {
    let fan_out = &model.fan_outs[fan_out.index()];
    if fan_out.subscribers.variance() > 0.0 {
        return;
    }
    let subscribers = libm::round(fan_out.subscribers.mean());
    let expected = f64::from(awaited.deliveries.get());
    if subscribers == expected {
        return;
    }
    let comes = match subscribers > expected {
        true => "the others are duplicates",
        false => "the others are always missing",
    };
    let error = written.error(format!(
        "fan-out {} has {subscribers} subscribers, but {expected} deliveries are expected for each request: {comes}",
        fan_out.name
    ));
    findings.warn(error.help(format!("write `deliveries: {subscribers}`")));
}
