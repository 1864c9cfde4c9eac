//! What there is to say of a signal, in one sentence.

use crate::number::{brief_percent, count};
use crate::time::Span;
use crate::verdict::{Counted, Counts, Limit, Measured, Signal, Standing};

/// How a signal stands and by how much, and what to do where that does not say enough.
pub fn sentence(signal: &Signal, standing: Standing) -> String {
    let of = &signal.of;
    let name = signal.name();
    match (signal.limit, signal.measured) {
        (_, Measured::Vanished) => return format!("{of}: it vanished during the run."),
        (
            Limit::BacklogGrowth { per_second: limit },
            Measured::BacklogGrowth { per_second, .. },
        ) => {
            return format!(
                "{of}: its backlog grew by {} messages per second, {} the limit of {}.",
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
            "{of}: {}; {} {} in time would decide it: see to it that requests of it end in the window.",
            not_measured(signal),
            count(signal.needed()),
            several(signal),
        );
    };
    let figures = figures(signal, &counted);
    let (subject, limit) = subject(signal, &counted);
    match standing {
        Standing::Over | Standing::Within => format!(
            "{of}: {subject} {} {limit}: {figures}{}.",
            side(standing),
            remark(signal, standing, &counted)
        ),
        Standing::GeneratorLimited => format!(
            "{of}: {subject} over {limit}, but the service time is within it: the generator was late; {figures}{}; use \
             a faster machine or more generators.",
            more(signal)
        ),
        Standing::TooFew if signal.is_of_few() && counted.samples >= signal.needed() => format!(
            "{of}: the deliveries of {} requests are too few to tell its {name}, which takes those of 10: {figures}; \
             lengthen the run.",
            count(signal.requests.unwrap_or(0))
        ),
        Standing::TooFew | Standing::Missing => {
            let requests = match counted.samples {
                1 => format!("1 {} is", one(signal)),
                samples => format!("{} {} are", count(samples), several(signal)),
            };
            format!(
                "{of}: {requests} too few to tell its {name}, which takes {}: {figures}{}; lengthen the run.",
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
        (Standing::Over, ..) => format!(
            "{of}: its backlog grew by {slope} messages per second, which is more than chance explains."
        ),
        (Standing::Within, ..) => {
            format!("{of}: its backlog did not grow by more than chance explains.")
        }
        (_, None, _) => format!(
            "{of}: its backlog was looked at too seldom to tell whether it grows; lengthen the run."
        ),
        (_, _, None) => format!(
            "{of}: how many messages came was not seen, and it takes {} to tell that a backlog does not grow; see to it that \
             the consumer takes all messages of its stream.",
            count(signal.needed())
        ),
        (_, _, Some(arrivals)) => format!(
            "{of}: {} messages are too few to tell that its backlog does not grow, which takes {}; {} more would decide it; \
             lengthen the run.",
            count(arrivals),
            count(signal.needed()),
            count(signal.needed().saturating_sub(arrivals)),
        ),
    }
}

/// Why a trial leaves open on which side of its limit a signal is: what was counted, how many independent ones that is worth
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
            "; they come in bursts and tell as much as {} independent {several}",
            count(libm::round(worth) as u64)
        )
    });
    let advice = match more {
        Some(more) => format!(
            "; about {} more {several} would decide it: lengthen the trial (--hold, --longest-trial)",
            count(more)
        ),
        None => "; the share over the limit is about the one allowed: try another load".to_owned(),
    };
    format!(
        "{}: on which side of its limit its {} is cannot be told yet: {}, of {}; {} allowed{worth}{advice}.",
        signal.of,
        signal.name(),
        over_parts(signal, counted),
        count(counted.samples),
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

/// What is over or within, and its limit: `the p99 of 120 ms is`, `its limit of 100 ms`.
fn subject(signal: &Signal, counted: &Counted) -> (String, String) {
    let name = signal.name();
    match (signal.limit, signal.measured) {
        (Limit::Quantile { limit, .. }, Measured::Quantile(requests)) => {
            // The quantile of those that were answered says nothing of a limit that failures count against.
            let shown = requests
                .response
                .filter(|_| counted.failed.unwrap_or(0) == 0);
            let value = shown.map_or(String::new(), |span| {
                format!(" of {}", apart(&span.brief()))
            });
            (
                format!("the {name}{value} is"),
                format!("its limit of {}", time(limit)),
            )
        }
        (Limit::Missing { .. }, _) => (
            "missing deliveries are".to_owned(),
            format!("their limit of {}", brief_percent(counted.share)),
        ),
        _ => (
            "errors are".to_owned(),
            format!("their limit of {}", brief_percent(counted.share)),
        ),
    }
}

/// `5,513 failed and 0 were over 50 ms, of 11,021; 110 allowed (50 %, 95 % interval 49.1 % to 51 %)`.
fn figures(signal: &Signal, counted: &Counted) -> String {
    let (Some(share), Some([low, high])) = (counted.share_over(), counted.share_bounds()) else {
        let sent = match signal.measured {
            Measured::Quantile(requests) => requests.sent,
            _ => 0,
        };
        return match signal.counts {
            Counts::Requests => format!("none of {} requests has a response time", count(sent)),
            Counts::Deliveries => format!("none of {} deliveries came", count(sent)),
        };
    };
    format!(
        "{}, of {}; {} allowed ({}, 95 % interval {} to {})",
        over_parts(signal, counted),
        count(counted.samples),
        count(counted.allowed),
        brief_percent(share),
        brief_percent(low),
        brief_percent(high)
    )
}

/// `5,513 failed and 0 were over 50 ms`.
fn over_parts(signal: &Signal, counted: &Counted) -> String {
    let failed = counted.failed.map(|failed| match (signal.counts, failed) {
        (Counts::Requests, failed) => format!("{} failed", count(failed)),
        (Counts::Deliveries, 1) => "1 is missing".to_owned(),
        (Counts::Deliveries, failed) => format!("{} are missing", count(failed)),
    });
    let slow = counted.slow.map(|slow| {
        let were = if slow == 1 { "was" } else { "were" };
        let limit = match signal.limit {
            Limit::Quantile { limit, .. } => time(limit),
            _ => "the limit".to_owned(),
        };
        format!("{} {were} over {limit}", count(slow))
    });
    let parts: Vec<String> = failed.into_iter().chain(slow).collect();
    parts.join(" and ")
}

/// Why it stands so where the counts alone do not say, and how near the limit is.
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
            "; {} are few, but an exact test (5 %) rules out that the limit is kept",
            several(signal)
        );
    }
    match standing {
        _ if !counted.is_near() => String::new(),
        Standing::Within => format!(
            "; near the limit: {} more over it would miss it",
            count((counted.allowed + 1).saturating_sub(over))
        ),
        _ => format!(
            "; near the limit: {} fewer over it would keep it",
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
