//! The backend of a spec written back: steps, services' conditions, streams and fan-outs, in one line each.

use std::fmt::{self, Display, Formatter};

use super::backend::{AfterMaxDeliver, Consumer, Down, FanOut, SlowerWhenBusy, Stream};
use super::spanned::Spanned;
use super::steps::{Failure, Step};
use super::steps::{Join, Publish, Visit};
use super::syntax::{Order, Service};
use super::written::{Law, Quoted, list};

/// The entries of a mapping in one line, as far as they are there.
#[derive(Default)]
struct Entries(Vec<String>);

impl Entries {
    fn with(mut self, key: &str, value: Option<impl Display>) -> Entries {
        self.0.extend(value.map(|value| format!("{key}: {value}")));
        self
    }
}

impl Display for Entries {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.0.join(", "))
    }
}

fn plain<T: Display>(value: &Option<Spanned<T>>) -> Option<&T> {
    value.as_ref().map(|value| &value.value)
}

fn quoted(value: &Option<Spanned<String>>) -> Option<Quoted<'_>> {
    value.as_ref().map(|value| Quoted(&value.value))
}

fn law<Q: Display + Copy>(
    value: &Option<Spanned<super::distribution::Distribution<Q>>>,
) -> Option<Law<'_, Q>> {
    value.as_ref().map(|value| Law(&value.value))
}

fn steps(steps: &[Spanned<Step>]) -> String {
    list(steps.iter().map(|step| flow(&step.value)))
}

/// A step in one line, as an item of a list in one line.
fn flow(step: &Step) -> String {
    match step {
        Step::Reply => "reply".to_owned(),
        other => format!("{{{}}}", Line(other)),
    }
}

/// A step in one line, as an item of a list of lines.
pub(super) struct Line<'a>(pub(super) &'a Step);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Step::Reply => f.write_str("reply"),
            Step::Visit(visit) => match &visit.value {
                Visit::Service(service) => write!(f, "visit: {service}"),
                Visit::As(visit) => {
                    let entries = Entries::default()
                        .with("service", Some(&visit.service.value))
                        .with("time", law(&visit.time))
                        .with(
                            "during",
                            visit.during.as_ref().map(|during| steps(&during.value)),
                        );
                    write!(f, "visit: {entries}")
                }
            },
            Step::Delay(delay) => write!(f, "delay: {}", Law(&delay.value)),
            Step::Fail(Failure::AppError) => f.write_str("fail: app_error"),
            Step::Fail(Failure::Rejected) => f.write_str("fail: rejected"),
            Step::Fail(Failure::TransportError) => f.write_str("fail: transport_error"),
            Step::Branch(arms) => {
                let arm = |arm: &super::steps::Arm| {
                    format!(
                        "{{weight: {}, path: {}}}",
                        arm.weight.value,
                        steps(&arm.path)
                    )
                };
                write!(f, "branch: {}", list(arms.iter().map(arm)))
            }
            Step::Parallel(parallel) => {
                let join = match parallel.value.join.as_ref().map(|join| join.value) {
                    None | Some(Join::All) => "all",
                    Some(Join::First) => "first",
                    Some(Join::None) => "none",
                };
                let ways = parallel.value.paths.value.iter();
                let ways = list(ways.map(|way| steps(way)));
                write!(f, "parallel: {{join: {join}, paths: {ways}}}")
            }
            Step::Cache(cache) => {
                let cache = &cache.value;
                let entries = Entries::default()
                    .with("hit", plain(&cache.hit))
                    .with("size", plain(&cache.size))
                    .with("keys", plain(&cache.keys))
                    .with("zipf", plain(&cache.zipf))
                    .with("found", cache.found.as_ref().map(|found| steps(found)))
                    .with("miss", Some(steps(&cache.miss)));
                write!(f, "cache: {entries}")
            }
            Step::Call(action) => write!(f, "call: {}", action.value),
            Step::Publish(publish) => match &publish.value {
                Publish::Stream(stream) => write!(f, "publish: {stream}"),
                Publish::As(publish) => {
                    let entries = Entries::default()
                        .with("stream", Some(&publish.stream.value))
                        .with("subject", quoted(&publish.subject))
                        .with("ack", plain(&publish.ack));
                    write!(f, "publish: {entries}")
                }
            },
            Step::Emit(fan_out) => write!(f, "emit: {}", fan_out.value),
        }
    }
}

/// The order of a queue.
pub(super) fn order(order: &Order) -> String {
    match order {
        Order::Fifo => "fifo".to_owned(),
        Order::Deadline => "deadline".to_owned(),
        Order::Priority(priority) => {
            let classes = priority.classes.as_ref().map(|classes| {
                list(
                    classes
                        .value
                        .iter()
                        .map(|class| Quoted(&class.value).to_string()),
                )
            });
            let entries = Entries::default()
                .with("classes", classes)
                .with("ageing", plain(&priority.ageing))
                .with("preempt", plain(&priority.preempt));
            format!("{{priority: {entries}}}")
        }
        Order::Fair(fair) => match &fair.weights {
            None => "fair".to_owned(),
            Some(weights) => {
                let weights = weights.0.iter();
                let weights =
                    weights.map(|(name, weight)| format!("{}: {}", name.value, weight.value));
                let weights: Vec<String> = weights.collect();
                format!("{{fair: {{weights: {{{}}}}}}}", weights.join(", "))
            }
        },
        Order::Shared(shared) => match &shared.limit {
            None => "shared".to_owned(),
            Some(limit) => format!("{{shared: {{limit: {}}}}}", limit.value),
        },
    }
}

/// What a service has beyond workers, time and queue.
pub(super) fn conditions(f: &mut Formatter<'_>, service: &Service) -> fmt::Result {
    if let Some(load) = &service.slower_when_busy {
        let load = match &load.value {
            SlowerWhenBusy::Usl(law) => {
                let entries = Entries::default()
                    .with("contention", Some(&law.contention.value))
                    .with("coherency", plain(&law.coherency));
                format!("usl: {entries}")
            }
            SlowerWhenBusy::Table(table) => {
                let point = |point: &super::backend::LoadPoint| {
                    format!(
                        "{{busy: {}, factor: {}}}",
                        point.busy.value, point.factor.value
                    )
                };
                format!("table: {}", list(table.value.iter().map(point)))
            }
        };
        writeln!(f, "    slower_when_busy: {{{load}}}")?;
    }
    if let Some(cold) = &service.cold_start {
        let (factor, lasts) = (&cold.value.factor.value, &cold.value.lasts.value);
        writeln!(f, "    cold_start: {{factor: {factor}, lasts: {lasts}}}")?;
    }
    if let Some(admission) = &service.admission {
        let admission = &admission.value;
        let entries = Entries::default()
            .with("rate", plain(&admission.rate))
            .with("burst", plain(&admission.burst))
            .with("in_flight", plain(&admission.in_flight));
        writeln!(f, "    admission: {entries}")?;
    }
    if let Some(outages) = &service.outages {
        let outage = |outage: &Spanned<super::backend::Outage>| {
            let outage = &outage.value;
            let down = match outage.down.as_ref().map(|down| down.value) {
                None | Some(Down::Gone) => "gone",
                Some(Down::Hung) => "hung",
            };
            let entries = Entries::default()
                .with("from", Some(&outage.from.value))
                .with("to", Some(&outage.to.value))
                .with("member", plain(&outage.member))
                .with("down", Some(down));
            entries.to_string()
        };
        writeln!(f, "    outages: {}", list(outages.value.iter().map(outage)))?;
    }
    if let Some(slow_downs) = &service.slow_downs {
        let slow_down = |slow: &Spanned<super::backend::SlowDown>| {
            let slow = &slow.value;
            let entries = Entries::default()
                .with("from", Some(&slow.from.value))
                .with("to", Some(&slow.to.value))
                .with("member", plain(&slow.member))
                .with("factor", Some(&slow.factor.value));
            entries.to_string()
        };
        writeln!(
            f,
            "    slow_downs: {}",
            list(slow_downs.value.iter().map(slow_down))
        )?;
    }
    if let Some(bursts) = &service.error_bursts {
        let burst = |burst: &Spanned<super::backend::ErrorBurst>| {
            let burst = &burst.value;
            let (from, to, errors) = (&burst.from.value, &burst.to.value, &burst.errors.value);
            format!("{{from: {from}, to: {to}, errors: {errors}}}")
        };
        writeln!(
            f,
            "    error_bursts: {}",
            list(bursts.value.iter().map(burst))
        )?;
    }
    Ok(())
}

/// A stream with its consumers.
pub(super) fn stream(f: &mut Formatter<'_>, stream: &Stream) -> fmt::Result {
    let append = law(&stream.append).map_or_else(|| "0s".to_owned(), |append| append.to_string());
    writeln!(f, "    append: {append}")?;
    if let Some(window) = &stream.duplicate_window {
        writeln!(f, "    duplicate_window: {}", window.value)?;
    }
    let Some(consumers) = &stream.consumers else {
        return Ok(());
    };
    writeln!(f, "    consumers:")?;
    for (name, written) in &consumers.0 {
        writeln!(f, "      {}:", name.value)?;
        consumer(f, written)?;
    }
    Ok(())
}

fn consumer(f: &mut Formatter<'_>, consumer: &Consumer) -> fmt::Result {
    let filter = consumer.filter.as_ref().map(|filter| {
        list(
            filter
                .value
                .iter()
                .map(|one| Quoted(&one.value).to_string()),
        )
    });
    let nak_delay = consumer
        .nak_delay
        .as_ref()
        .map(|delays| list(delays.value.iter().map(|delay| delay.value.to_string())));
    let after = consumer
        .after_max_deliver
        .as_ref()
        .map(|after| match &after.value {
            AfterMaxDeliver::Drop => "drop".to_owned(),
            AfterMaxDeliver::Publish(stream) => format!("{{publish: {}}}", stream.value),
        });
    let batch = consumer.batch.as_ref().map(|batch| {
        let batch = &batch.value;
        Entries::default()
            .with("size", plain(&batch.size))
            .with("linger", plain(&batch.linger))
            .with("per_batch", law(&batch.per_batch))
            .with("per_item", law(&batch.per_item))
    });
    let entries = Entries::default()
        .with("service", Some(&consumer.service.value))
        .with("filter", filter)
        .with("time", law(&consumer.time))
        .with(
            "during",
            consumer.during.as_ref().map(|during| steps(&during.value)),
        )
        .with("class", quoted(&consumer.class))
        .with("max_ack_pending", plain(&consumer.max_ack_pending))
        .with("prefetch", plain(&consumer.prefetch))
        .with("ack_wait", plain(&consumer.ack_wait))
        .with("max_deliver", plain(&consumer.max_deliver))
        .with("after_max_deliver", after)
        .with("nak_delay", nak_delay)
        .with("batch", batch)
        .with(
            "slo",
            consumer.slo.as_ref().map(|slo| {
                let slo = &slo.value;
                let limit = slo.backlog_growth.as_ref();
                let limit = limit.map(|limit| format!("backlog_growth: {}", limit.value));
                let none = slo.no_growth.as_ref();
                let none = none.map(|none| format!("no_growth: {}", none.value));
                let both: Vec<String> = limit.into_iter().chain(none).collect();
                format!("{{{}}}", both.join(", "))
            }),
        );
    for entry in entries.0 {
        writeln!(f, "        {entry}")?;
    }
    Ok(())
}

/// A fan-out.
pub(super) fn fan_out(f: &mut Formatter<'_>, fan_out: &FanOut) -> fmt::Result {
    let entries = Entries::default()
        .with("subscribers", Some(Law(&fan_out.subscribers.value)))
        .with("delay", law(&fan_out.delay))
        .with("each", plain(&fan_out.each))
        .with("loss", plain(&fan_out.loss))
        .with("within", plain(&fan_out.within))
        .with("service", plain(&fan_out.service));
    for entry in entries.0 {
        writeln!(f, "    {entry}")?;
    }
    Ok(())
}
