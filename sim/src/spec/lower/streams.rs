//! Lowers streams, consumers and fan-outs to the model.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::numbers::at_least_one;
use super::run::span;
use super::subscriptions::{Subscription, Subscriptions, target};
use super::{Findings, Names, distributions, refer};
use crate::dist::Dist;
use crate::model::{
    Batch, ClassId, Consumer, Exhausted, FanOut, Service, ServiceId, Stream, StreamId, rendered,
};
use crate::spec::backend::{self, AfterMaxDeliver};
use crate::spec::error::shown;
use crate::spec::named;
use crate::spec::spanned::Spanned;
use crate::spec::steps::{Publish, Step, Visit};
use crate::spec::syntax::{self, Spec};
use crate::time::Span;

/// How many messages may wait to be acknowledged unless a consumer says otherwise: as the NATS server has it.
const DEFAULT_MAX_ACK_PENDING: u32 = 1000;
/// How long a message waits to be acknowledged unless a consumer says otherwise: as the NATS server has it.
const DEFAULT_ACK_WAIT: Span = Span::from_nanos(30_000_000_000);
/// Most requests for messages that the members of a consumer have open at once.
const MAX_REQUESTS: u64 = 1_000_000;
/// Most subscribers of a fan-out, on average.
const MAX_SUBSCRIBERS: f64 = 1e6;

/// The streams.
pub fn streams(spec: &Spec, findings: &mut Findings) -> Vec<Stream> {
    let streams = spec.streams.iter().flat_map(|streams| &streams.value.0);
    let mut lowered = Vec::new();
    for (name, stream) in streams {
        let window = stream.duplicate_window.as_ref();
        if let Some(window) = window
            && span(window.value) == Span::ZERO
        {
            let error = window.error("a duplicate window of zero has no effect");
            findings.error(error.help("give a time above 0s, or remove it"));
        }
        lowered.push(Stream {
            name: name.value.clone(),
            append: stream
                .append
                .as_ref()
                .map_or(Dist::ZERO, |append| distributions::time(append, findings)),
            duplicate_window: window.map(|window| span(window.value)),
        });
    }
    lowered
}

/// The consumers; `entries` is where the path of each starts.
pub fn consumers(
    subscriptions: &Subscriptions<'_>,
    entries: &[u32],
    services: &[Service],
    names: &Names<'_>,
    findings: &mut Findings,
) -> Vec<Consumer> {
    let consumers = subscriptions.consumers.iter().zip(entries);
    consumers
        .map(|(subscription, &entry)| {
            consumer(
                subscription,
                subscriptions,
                entry,
                services,
                names,
                findings,
            )
        })
        .collect()
}

fn consumer(
    subscription: &Subscription<'_>,
    subscriptions: &Subscriptions<'_>,
    entry: u32,
    services: &[Service],
    names: &Names<'_>,
    findings: &mut Findings,
) -> Consumer {
    let written = subscription.consumer;
    let service = names
        .services
        .get(written.service.value.as_str())
        .copied()
        .unwrap_or(0);
    let count = |value: &Option<Spanned<_>>, one: &str, many: &str, findings: &mut Findings| {
        value
            .as_ref()
            .map(|value| at_least_one(value, one, many, u64::from(u32::MAX), findings))
    };
    let max_ack_pending = count(&written.max_ack_pending, "message", "messages", findings)
        .or(NonZeroU32::new(DEFAULT_MAX_ACK_PENDING))
        .unwrap_or(NonZeroU32::MIN);
    let prefetch = prefetch(written, services.get(usize::from(service)), findings);
    let ack_wait = written
        .ack_wait
        .as_ref()
        .map_or(DEFAULT_ACK_WAIT, |wait| span(wait.value));
    if let Some(wait) = &written.ack_wait
        && ack_wait == Span::ZERO
    {
        let error = wait.error("an `ack_wait` of zero redelivers without end");
        findings.error(error.help("give a time above 0s, such as `30s`"));
    }
    let max_deliver = count(&written.max_deliver, "delivery", "deliveries", findings);
    let exhausted = exhausted(written, subscriptions, names, findings);
    if let Some(delays) = &written.nak_delay
        && delays.value.is_empty()
    {
        let error = delays.error("an empty `nak_delay` has no effect");
        findings.error(
            error
                .help("give times such as `[1s, 5s, 30s]`, or remove it")
                .absence(),
        );
    }
    let slo = written.slo.as_ref().map(|slo| &slo.value);
    let growth_limit = slo.and_then(|slo| slo.backlog_growth.as_ref());
    let no_growth = slo.and_then(|slo| slo.no_growth.as_ref());
    if let Some(slo) = &written.slo
        && growth_limit.is_none()
        && !no_growth.is_some_and(|no_growth| no_growth.value)
    {
        let error = slo.error("an empty `slo` of a consumer has no effect");
        let help = "give `no_growth: true` or a limit such as `backlog_growth: 1/s`, or remove it";
        findings.error(error.help(help).absence());
    }
    Consumer {
        name: subscription.name.value.clone(),
        stream: StreamId(subscription.stream),
        filter: written
            .filter
            .iter()
            .flat_map(|filter| &filter.value)
            .map(|subject| subject.value.clone())
            .collect(),
        entry,
        service: ServiceId(service),
        class: written
            .class
            .as_ref()
            .and_then(|class| names.classes.get(class.value.as_str()))
            .map(|&class| ClassId(class)),
        max_ack_pending,
        prefetch,
        ack_wait,
        max_deliver,
        exhausted,
        nak_delay: written
            .nak_delay
            .iter()
            .flat_map(|delays| &delays.value)
            .map(|delay| span(delay.value))
            .collect(),
        batch: written
            .batch
            .as_ref()
            .map(|batch| self::batch(batch, written, max_ack_pending, findings)),
        growth_limit: growth_limit.map(|limit| limit.value.0),
        no_growth: no_growth.is_some_and(|no_growth| no_growth.value),
    }
}

fn prefetch(
    written: &backend::Consumer,
    service: Option<&Service>,
    findings: &mut Findings,
) -> u32 {
    let asked = written
        .prefetch
        .as_ref()
        .map_or(0, |prefetch| prefetch.value.0);
    let (lines, workers) = service.map_or((1, 1), |service| {
        (u64::from(service.lines()), service.servers())
    });
    let requests = workers.saturating_add(asked.saturating_mul(lines));
    if requests > MAX_REQUESTS {
        let error = written.prefetch.as_ref().map_or_else(
            || written.service.error(too_many(requests)),
            |prefetch| prefetch.error(too_many(requests)),
        );
        let help = format!("keep members times (workers + prefetch) within {MAX_REQUESTS}");
        findings.error(error.help(help));
    }
    u32::try_from(asked).unwrap_or(u32::MAX)
}

fn too_many(requests: u64) -> String {
    format!("the members would have {requests} pull requests open at once")
}

fn exhausted(
    written: &backend::Consumer,
    subscriptions: &Subscriptions<'_>,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Exhausted {
    let Some(after) = &written.after_max_deliver else {
        return Exhausted::Drop;
    };
    if written.max_deliver.is_none() {
        let error = after.error("`after_max_deliver` has no effect without `max_deliver`");
        findings.error(error.help("give `max_deliver`, or remove it"));
    }
    match &after.value {
        AfterMaxDeliver::Drop => Exhausted::Drop,
        AfterMaxDeliver::Publish(stream) => {
            let id = refer("stream", stream, &names.streams, findings);
            let consumers = subscriptions.ids(&stream.value, &stream.value);
            Exhausted::Publish(StreamId(id), consumers)
        }
    }
}

fn batch(
    written: &Spanned<backend::Batch>,
    consumer: &backend::Consumer,
    max_ack_pending: NonZeroU32,
    findings: &mut Findings,
) -> Batch {
    let batch = &written.value;
    if batch.size.is_none() && batch.linger.is_none() {
        let error = written.error("a batch needs `size` or `linger`");
        findings.error(
            error
                .help("write `batch: {size: 500, linger: 5s}`, or one of the two")
                .absence(),
        );
    }
    if let Some(time) = &consumer.time {
        let error = time.error("`time` has no effect on a consumer with `batch`");
        findings.error(error.help("give `per_batch` and `per_item` in `batch`"));
    }
    let size = batch.size.as_ref().map_or(max_ack_pending, |size| {
        at_least_one(size, "message", "messages", u64::from(u32::MAX), findings)
    });
    if let Some(written) = &batch.size
        && size > max_ack_pending
    {
        let error = written.error(format!(
            "a batch of {size} is never full, because `max_ack_pending` is {max_ack_pending}"
        ));
        findings.error(error.help(format!(
            "give a `size` of at most {max_ack_pending}, or a `max_ack_pending` of at least {size}"
        )));
    }
    if let Some(linger) = &batch.linger
        && span(linger.value) == Span::ZERO
    {
        let error = linger.error("a `linger` of zero closes every batch at its first message");
        findings.error(error.help("give a time above 0s, or remove `batch`"));
    }
    let cost = |cost: &Option<Spanned<_>>, findings: &mut Findings| {
        cost.as_ref()
            .map_or(Dist::ZERO, |cost| distributions::time(cost, findings))
    };
    Batch {
        size,
        linger: batch.linger.as_ref().map(|linger| span(linger.value)),
        per_batch: cost(&batch.per_batch, findings),
        per_item: cost(&batch.per_item, findings),
    }
}

/// The fan-outs.
pub fn fan_outs(spec: &Spec, names: &Names<'_>, findings: &mut Findings) -> Vec<FanOut> {
    let fan_outs = spec.fan_outs.iter().flat_map(|fan_outs| &fan_outs.value.0);
    let mut lowered = Vec::new();
    for (name, fan_out) in fan_outs {
        let subscribers = distributions::number(&fan_out.subscribers, findings);
        let mean = subscribers.mean();
        if !(1.0..=MAX_SUBSCRIBERS).contains(&mean) {
            let error = fan_out
                .subscribers
                .error(format!("a fan-out cannot have {mean} subscribers"));
            findings.error(error.help(format!("give 1 to {MAX_SUBSCRIBERS} on average")));
        }
        lowered.push(FanOut {
            name: name.value.clone(),
            subscribers,
            delay: fan_out
                .delay
                .as_ref()
                .map_or(Dist::ZERO, |delay| distributions::time(delay, findings)),
            each: fan_out
                .each
                .as_ref()
                .map_or(Span::ZERO, |each| span(each.value)),
            loss: fan_out.loss.as_ref().map_or(0.0, |loss| loss.value.0),
            within: fan_out.within.as_ref().map(|within| span(within.value)),
            service: fan_out
                .service
                .as_ref()
                .map(|service| ServiceId(refer("service", service, &names.services, findings))),
        });
    }
    lowered
}

/// The subjects that are published to each stream.
fn published<'a>(steps: &'a [Spanned<Step>], subjects: &mut BTreeSet<(&'a str, &'a str)>) {
    for step in steps {
        match &step.value {
            Step::Publish(publish) => {
                subjects.insert(target(&publish.value));
            }
            Step::Branch(arms) => arms.iter().for_each(|arm| published(&arm.path, subjects)),
            Step::Cache(cache) => {
                published(&cache.value.miss, subjects);
                cache
                    .value
                    .found
                    .iter()
                    .for_each(|found| published(found, subjects));
            }
            Step::Parallel(parallel) => {
                let ways = &parallel.value.paths.value;
                ways.iter().for_each(|way| published(way, subjects));
            }
            Step::Visit(visit) => {
                if let Visit::As(visit) = &visit.value {
                    let during = visit.during.iter();
                    during.for_each(|during| published(&during.value, subjects));
                }
            }
            Step::Delay(_) | Step::Reply | Step::Fail(_) | Step::Call(_) | Step::Emit(_) => {}
        }
    }
}

/// Filters that match nothing, streams without publications or consumers, fan-outs that nothing is sent to.
pub fn check(spec: &Spec, subscriptions: &Subscriptions<'_>, findings: &mut Findings) {
    let mut subjects = BTreeSet::new();
    let actions = spec.actions.value.0.iter();
    for path in actions.filter_map(|(_, action)| action.path.as_ref()) {
        published(&path.value, &mut subjects);
    }
    for subscription in &subscriptions.consumers {
        let consumer = subscription.consumer;
        if let Some(during) = &consumer.during {
            published(&during.value, &mut subjects);
        }
        if let Some(after) = &consumer.after_max_deliver
            && let AfterMaxDeliver::Publish(stream) = &after.value
        {
            subjects.insert((&stream.value, &stream.value));
        }
    }
    let streams = spec.streams.iter().flat_map(|streams| &streams.value.0);
    for (name, stream) in streams {
        let here: Vec<&str> = subjects
            .iter()
            .filter(|(stream, _)| *stream == name.value)
            .map(|(_, subject)| *subject)
            .collect();
        if here.is_empty() {
            findings.warn(name.error(format!(
                "nothing is published to the stream `{}`",
                name.value
            )));
        }
        let consumers = stream.consumers.iter().flat_map(|named| &named.0);
        let filters = consumers.filter_map(|(_, consumer)| consumer.filter.as_ref());
        for filter in filters {
            check_filter(name, filter, &here, findings);
        }
        if stream
            .consumers
            .as_ref()
            .is_none_or(|named| named.0.is_empty())
        {
            let message = format!("the stream `{}` has no consumer", name.value);
            findings.warn(name.error(message));
        }
    }
}

fn check_filter(
    stream: &Spanned<String>,
    filter: &Spanned<Vec<Spanned<String>>>,
    subjects: &[&str],
    findings: &mut Findings,
) {
    if filter.value.is_empty() {
        let error = filter.error("an empty filter matches nothing");
        findings.error(
            error
                .help("give subjects, or remove `filter` for all messages")
                .absence(),
        );
    }
    for one in &filter.value {
        if subjects.is_empty()
            || subjects
                .iter()
                .any(|subject| rendered::fits(&one.value, subject))
        {
            continue;
        }
        let error = one.error(format!(
            "the filter `{}` matches nothing that is published to the stream `{}`",
            one.value, stream.value
        ));
        let help = format!("published there: {}", subjects.join(", "));
        findings.error(error.help(help));
    }
}

/// What a spec says of publications must name streams: their subjects are checked here.
pub fn check_subject(publish: &Publish, findings: &mut Findings) {
    let Publish::As(publish) = publish else {
        return;
    };
    let Some(subject) = &publish.subject else {
        return;
    };
    let text = subject.value.as_str();
    let flawed = rendered::subject_flaw(text, rendered::API).is_some();
    if flawed || text.contains(['*', '>']) || text.starts_with('$') {
        let error = subject.error(format!("`{}` cannot be published to", shown(text)));
        findings.error(error.help("write tokens separated by dots, such as `orders.created`"));
    }
}

/// Refuses classes that cannot be names.
pub fn check_classes(spec: &syntax::Spec, findings: &mut Findings) {
    for class in named_classes(spec) {
        if let Some(flaw) = named::flaw(&class.value) {
            let error = class.error(format!("the class `{}` {flaw}", shown(&class.value)));
            findings.error(error.help(named::RULE));
        }
    }
}

/// The classes of requests, in the order in which the spec names them first.
pub fn classes(spec: &syntax::Spec) -> Vec<&str> {
    let mut classes: Vec<&str> = Vec::new();
    for class in named_classes(spec) {
        if !classes.contains(&class.value.as_str()) {
            classes.push(&class.value);
        }
    }
    classes
}

/// The classes of actions, clients and consumers, as often as they are named.
fn named_classes(spec: &syntax::Spec) -> impl Iterator<Item = &Spanned<String>> {
    let actions = spec.actions.value.0.iter().map(|(_, action)| &action.class);
    let clients = spec.clients.value.0.iter().map(|(_, client)| &client.class);
    let streams = spec.streams.iter().flat_map(|streams| &streams.value.0);
    let consumers = streams
        .flat_map(|(_, stream)| stream.consumers.iter().flat_map(|named| &named.0))
        .map(|(_, consumer)| &consumer.class);
    actions.chain(clients).chain(consumers).flatten()
}
