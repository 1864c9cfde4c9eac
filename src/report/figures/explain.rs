//! Where the time of requests goes.

use blis_sim::explain::{QuantileExplained, StationTime, TimeShare};

use crate::report::number::{count, millis, percent};
use crate::report::plot::{Axis, Form, Plot, PlotRow, Quantity, Scale};

/// What took no more than this share of the time has no row.
const LEAST: f64 = 0.001;
/// What each kind of time looks like.
const WAITING: usize = 2;
const SERVICE: usize = 1;
const HELD: usize = 4;
const OTHER: usize = 3;
const WHOLE: usize = 6;

/// The parts of the time of the requests about a quantile, each beginning where the one before it ends: services in the order of the time
/// that they take.
pub fn waterfall(explained: &QuantileExplained) -> Plot {
    let name = match explained.quantile {
        0.5 => "median request".to_owned(),
        quantile => format!("p{} request", quantile * 100.0),
    };
    let mut parts: Vec<(String, TimeShare, usize)> = vec![("lag".to_owned(), explained.lag, OTHER)];
    let mut services: Vec<(&String, &StationTime)> = explained.services.iter().collect();
    services.sort_by_key(|(_, time)| std::cmp::Reverse(together(time)));
    for (service, time) in services {
        parts.push((format!("waiting for {service}"), time.waiting, WAITING));
        parts.push((format!("served by {service}"), time.service, SERVICE));
        parts.push((format!("holding a worker of {service}"), time.held, HELD));
    }
    let elsewhere = &explained.elsewhere_is;
    parts.push((elsewhere.clone(), explained.elsewhere, OTHER));
    let mut from = 0.0;
    let mut rows: Vec<PlotRow> = Vec::new();
    for (name, part, colour) in parts {
        let to = from + part.mean_ms;
        if part.share > LEAST {
            rows.push(row(name, &part, colour, [from, to]));
        }
        from = to;
    }
    let whole = &explained.response;
    rows.push(row(
        "response".to_owned(),
        whole,
        WHOLE,
        [0.0, whole.mean_ms],
    ));
    let colours = [
        (WAITING, "waiting"),
        (SERVICE, "service"),
        (HELD, "holding a worker"),
        (OTHER, "elsewhere"),
    ];
    let is_used = |colour: usize| rows.iter().any(|row| row.colour == colour);
    let used: Vec<(usize, &str)> = colours.into_iter().filter(|(at, _)| is_used(*at)).collect();
    Plot::rows(
        format!("Where the time of a {name} goes"),
        format!(
            "Mean times of the {} requests about the {name}, which are not one after the other in each of them; parts below 0.1 % are left out.",
            count(explained.band.requests)
        ),
        Axis::new("time", Quantity::Millis, Scale::FromZero),
        rows,
    )
    .coloured(&used)
}

/// All the time at a service.
fn together(time: &StationTime) -> u128 {
    time.waiting.sum_ns + time.service.sum_ns + time.held.sum_ns
}

fn row(name: String, part: &TimeShare, colour: usize, ends: [f64; 2]) -> PlotRow {
    PlotRow {
        name,
        shown: format!("{} ({})", millis(part.mean_ms), percent(part.share)),
        colour,
        form: Form::Bar(ends),
    }
}
