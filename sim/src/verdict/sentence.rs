//! The sentence about a signal.

use crate::number::{brief_percent, count};
use crate::time::Span;
use crate::verdict::{Counted, Counts, Limit, Measured, Signal, Standing};

/// The standing of a signal with its figures, and the next step if it is not decided.
pub fn sentence(signal: &Signal, standing: Standing) -> String {
    let of = &signal.of;
    let name = signal.name();
    match (signal.limit, signal.measured) {
        (_, Measured::Vanished) => return format!("{of}: it was deleted during the run."),
        (
            Limit::BacklogGrowth { per_second: limit },
            Measured::BacklogGrowth { per_second, .. },
        ) => {
            return format!(
                "{of}: its backlog grew by {} messages/s, {} its objective of {} messages/s.",
                number(per_second),
                side(standing),
                number(limit)
            );
        }
        (
            Limit::NoGrowth,
            Measured::BacklogGrowth {
                per_second,
                grows,
                arrivals,
            },
        ) => return growth(signal, standing, per_second, (grows, arrivals)),
        (Limit::BacklogGrowth { .. } | Limit::NoGrowth, _) => {
            return format!(
                "{of}: its {name} was not measured; lengthen the run or shorten the warm-up."
            );
        }
        _ => {}
    }
    let Some(counted) = signal.counted() else {
        return format!(
            "{of}: {} in the window: {} ({} {} needed); lengthen the run or shorten the warm-up.",
            match signal.counts {
                Counts::Requests => "no request was sent",
                Counts::Deliveries => "no delivery was expected",
            },
            not_measured(signal),
            count(signal.needed()),
            several(signal),
        );
    };
    let (subject, objective) = subject(signal, &counted);
    let named = matches!(
        standing,
        Standing::Over | Standing::Within | Standing::GeneratorLimited
    );
    let figures = figures(signal, &counted, named);
    match standing {
        Standing::Over | Standing::Within => format!(
            "{of}: {subject} {} {objective}: {figures}{}.",
            side(standing),
            remark(signal, standing, &counted)
        ),
        Standing::GeneratorLimited => format!(
            "{of}: {subject} over {objective}, but the service time is within it: the generator was late; {figures}{}; use \
             a faster machine or more generators.",
            more(signal)
        ),
        Standing::TooFew if signal.is_of_few() && counted.samples >= signal.needed() => format!(
            "{of}: deliveries of {} requests are too few to judge its {name} (10 requests needed): {figures}; lengthen \
             the run.",
            count(signal.requests.unwrap_or(0))
        ),
        Standing::TooFew | Standing::Missing => {
            let requests = match counted.samples {
                1 => format!("1 {} is", one(signal)),
                samples => format!("{} {} are", count(samples), several(signal)),
            };
            format!(
                "{of}: {requests} too few to judge its {name} ({} needed): {figures}{}; lengthen the run.",
                count(signal.needed()),
                more(signal)
            )
        }
    }
}

/// Whether a backlog grew by more than chance explains.
fn growth(
    signal: &Signal,
    standing: Standing,
    per_second: f64,
    (grows, arrivals): (Option<bool>, Option<u64>),
) -> String {
    let of = &signal.of;
    let slope = number(per_second);
    match (standing, grows, arrivals) {
        (Standing::Over, ..) => {
            format!("{of}: its backlog grew by {slope} messages/s, more than chance explains.")
        }
        (Standing::Within, ..) => {
            format!("{of}: its backlog did not grow by more than chance explains.")
        }
        (_, None, _) => format!(
            "{of}: its backlog was observed too few times to judge its growth; lengthen the run."
        ),
        (_, _, None) => format!(
            "{of}: the number of its messages was not observed ({} needed to judge the growth of its backlog); let the \
             consumer take all messages of its stream.",
            count(signal.needed())
        ),
        (_, _, Some(arrivals)) => format!(
            "{of}: {} messages are too few to judge the growth of its backlog ({} needed); {} more would decide it; lengthen \
             the run.",
            count(arrivals),
            count(signal.needed()),
            count(signal.needed().saturating_sub(arrivals)),
        ),
    }
}

/// Why a trial cannot tell whether an objective is met: the counts, the number of independent samples that they are worth
/// where it is known, and how many more would probably decide it.
pub(crate) fn open_sentence(
    signal: &Signal,
    counted: &Counted,
    worth: Option<f64>,
    more: Option<u64>,
) -> String {
    let several = several(signal);
    let worth = worth.map_or(String::new(), |worth| {
        format!(
            "; they come in bursts and are worth {} independent {several}",
            count(libm::round(worth) as u64)
        )
    });
    let advice = match more {
        Some(more) => format!(
            "; about {} more {several} would decide it: lengthen the trial (--hold, --longest-trial)",
            count(more)
        ),
        None => "; the share that exceeds it is about the one allowed: try another load".to_owned(),
    };
    format!(
        "{}: its {} is too near its objective to judge: {}; {} allowed{worth}{advice}.",
        signal.of,
        signal.name(),
        over_parts(signal, counted, false),
        count(counted.allowed),
    )
}

/// What is counted, one of it.
fn one(signal: &Signal) -> &'static str {
    match signal.counts {
        Counts::Requests => "request",
        Counts::Deliveries => "delivery",
    }
}

/// What is counted, several of it.
fn several(signal: &Signal) -> &'static str {
    match signal.counts {
        Counts::Requests => "requests",
        Counts::Deliveries => "deliveries",
    }
}

/// `its p99 was not measured`.
fn not_measured(signal: &Signal) -> String {
    match signal.limit {
        Limit::Errors { .. } => "its errors were not measured".to_owned(),
        Limit::Missing { .. } => "its missing deliveries were not counted".to_owned(),
        Limit::Quantile { .. } | Limit::BacklogGrowth { .. } | Limit::NoGrowth => {
            format!("its {} was not measured", signal.name())
        }
    }
}

fn side(standing: Standing) -> &'static str {
    match standing {
        Standing::Within => "within",
        _ => "over",
    }
}

/// What is over or within, and its objective: `p99 120 ms is`, `its objective of 100 ms`.
fn subject(signal: &Signal, counted: &Counted) -> (String, String) {
    let name = signal.name();
    match (signal.limit, signal.measured) {
        (Limit::Quantile { limit, .. }, Measured::Quantile(requests)) => {
            // The quantile of answered requests says nothing about an objective that failures count against.
            let shown = requests
                .response
                .filter(|_| counted.failed.unwrap_or(0) == 0);
            let value = shown.map_or(String::new(), |span| format!(" {}", apart(&span.brief())));
            (
                format!("{name}{value} is"),
                format!("its objective of {}", time(limit)),
            )
        }
        (Limit::Missing { .. }, _) => (
            "missing deliveries are".to_owned(),
            format!("their objective of {}", brief_percent(counted.share)),
        ),
        _ => (
            "errors are".to_owned(),
            format!("their objective of {}", brief_percent(counted.share)),
        ),
    }
}

/// `5,513 of 11,021 failed, which counts as over, and 0 exceeded it; 110 allowed (50 %, 95 % interval 49.1 % to 51 %)`. `named` says that the
/// sentence names the objective before.
fn figures(signal: &Signal, counted: &Counted, named: bool) -> String {
    let Some(share) = counted.share_over() else {
        let sent = match signal.measured {
            Measured::Quantile(requests) => requests.sent,
            _ => 0,
        };
        return match signal.counts {
            Counts::Requests => format!("none of {} requests has a response time", count(sent)),
            Counts::Deliveries => format!("none of {} deliveries arrived", count(sent)),
        };
    };
    let interval = counted.share_bounds().map_or(String::new(), |[low, high]| {
        let (low, high) = (brief_percent(low), brief_percent(high));
        format!(", 95 % interval {low} to {high}")
    });
    format!(
        "{}; {} allowed ({}{interval})",
        over_parts(signal, counted, named),
        count(counted.allowed),
        brief_percent(share)
    )
}

/// `5,513 of 11,021 failed, which counts as over, and 0 exceeded it`; `exceeded 50 ms` where the objective is not `named` before.
fn over_parts(signal: &Signal, counted: &Counted, named: bool) -> String {
    let of = format!(" of {}", count(counted.samples));
    let failed = counted.failed.map(|failed| {
        let end = match (signal.counts, failed) {
            (Counts::Requests, 1..) if counted.slow.is_some() => "failed, which counts as over,",
            (Counts::Requests, _) => "failed",
            (Counts::Deliveries, 1) => "is missing",
            (Counts::Deliveries, _) => "are missing",
        };
        format!("{}{of} {end}", count(failed))
    });
    let slow = counted.slow.map(|slow| {
        let of = if failed.is_some() { "" } else { of.as_str() };
        let objective = match signal.limit {
            Limit::Quantile { limit, .. } if !named => time(limit),
            _ => "it".to_owned(),
        };
        format!("{}{of} exceeded {objective}", count(slow))
    });
    let parts: Vec<String> = failed.into_iter().chain(slow).collect();
    parts.join(" and ")
}

/// Why it stands so where the counts alone do not say, and how near the objective is.
fn remark(signal: &Signal, standing: Standing, counted: &Counted) -> String {
    let over = counted.over();
    if signal.is_unanswered() {
        return match signal.counts {
            Counts::Requests => "; no request was answered".to_owned(),
            Counts::Deliveries => "; nothing was delivered".to_owned(),
        };
    }
    if counted.samples < signal.needed() {
        return format!(
            "; {} are few, but an exact test (5 %) rules out that the objective is met",
            several(signal)
        );
    }
    if counted.worth.is_none() && standing == Standing::Within && over > 0 {
        return "; too few parts of the run have any to tell how sure that is".to_owned();
    }
    if !counted.is_near() {
        return String::new();
    }
    if let Some(worth) = counted.in_bursts() {
        return format!(
            "; the {} {} come in bursts and count as {} independent {}, so another run may {} it",
            count(counted.samples),
            several(signal),
            count(worth),
            if worth == 1 { "one" } else { "ones" },
            match standing {
                Standing::Within => "miss",
                _ => "meet",
            }
        );
    }
    match standing {
        Standing::Within => format!(
            "; near the objective: {} more over it would miss it",
            count((counted.allowed + 1).saturating_sub(over))
        ),
        _ => format!(
            "; near the objective: {} fewer over it would meet it",
            count(over.saturating_sub(counted.allowed))
        ),
    }
}

fn more(signal: &Signal) -> String {
    match signal.more_needed() {
        None | Some(0) => String::new(),
        Some(1) => format!("; 1 more {} in time would decide it", one(signal)),
        Some(more) => format!(
            "; {} more {} in time would decide it",
            count(more),
            several(signal)
        ),
    }
}

fn time(span: Span) -> String {
    apart(&span.to_string())
}

/// A time with a blank before its unit: `50 ms`.
fn apart(time: &str) -> String {
    match time.find(|letter: char| letter.is_ascii_alphabetic()) {
        Some(unit) => format!("{} {}", &time[..unit], &time[unit..]),
        None => time.to_owned(),
    }
}

/// A number with at most three decimals.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
