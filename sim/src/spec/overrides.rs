//! Values from the command line, put into a spec before it is checked, so that they are checked like all others.

use super::distribution::Distribution;
use super::error::{Origin, SpecError};
use super::live::{InFlightPolicy, MaxInFlight};
use super::spanned::Spanned;
use super::syntax::{Client, Run, Spec, Warmup};
use super::units::{Count, Duration, Rate};

/// Values that override those of any spec.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Overrides {
    /// `--seed`
    pub seed: Option<u64>,
    /// `--num-requests`
    pub requests: Option<Count>,
    /// `--horizon`
    pub horizon: Option<Duration>,
    /// `--warmup`
    pub warmup: Option<Warmup>,
    /// `--timeout`, of every client
    pub timeout: Option<Duration>,
    /// `--max-in-flight` and `--in-flight-policy`
    pub max_in_flight: Option<(Count, InFlightPolicy)>,
}

/// Flags that describe the client of the embedded spec.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientFlags {
    /// `--concurrency`
    pub concurrency: Option<Count>,
    /// `--think-time` or `--think-time-ms`, with the flag
    pub think_time: Option<Spanned<Duration>>,
    /// `--rate`
    pub rate: Option<Rate>,
}

/// Puts overrides into a spec.
pub fn apply(spec: &mut Spec, overrides: &Overrides) {
    if let Some(seed) = overrides.seed {
        spec.seed = Some(Spanned::flag("--seed", Count(seed)));
    }
    if let Some(requests) = overrides.requests {
        run(spec).requests = Some(Spanned::flag("--num-requests", requests));
    }
    if let Some(horizon) = overrides.horizon {
        run(spec).horizon = Some(Spanned::flag("--horizon", horizon));
    }
    if let Some(warmup) = overrides.warmup {
        run(spec).warmup = Some(Spanned::flag("--warmup", warmup));
    }
    if let Some((limit, policy)) = overrides.max_in_flight {
        let limit = MaxInFlight {
            limit: Spanned::flag("--max-in-flight", limit),
            policy: Some(Spanned::flag("--in-flight-policy", policy)),
        };
        spec.max_in_flight = Some(Spanned::flag("--max-in-flight", limit));
    }
    if let Some(timeout) = overrides.timeout {
        for (_, client) in &mut spec.clients.value.0 {
            client.timeout = Some(Spanned::flag("--timeout", timeout));
        }
    }
}

fn run(spec: &mut Spec) -> &mut Run {
    &mut spec
        .run
        .get_or_insert_with(|| Spanned::flag("run", Run::default()))
        .value
}

/// Replaces the clients and the budget of a spec, unless `--set` gave that, by one client with these properties, which in all else is like the
/// spec's first client. Without any of the flags the spec stays as it is. Apply the [`Overrides`] afterwards.
///
/// `--concurrency` gives closed users, `--rate` Poisson arrivals, and `--think-time` a constant think time.
pub fn replace_clients(spec: &mut Spec, flags: &ClientFlags) -> Result<(), SpecError> {
    if *flags == ClientFlags::default() {
        return Ok(());
    }
    if flags.rate.is_some() && flags.concurrency.is_some() {
        return Err(
            SpecError::new("--concurrency and --rate are both given").help(
                "give --concurrency for closed-loop users, or --rate for open arrivals; a spec can have both",
            ),
        );
    }
    if let (Some(_), Some(think_time)) = (&flags.rate, &flags.think_time) {
        return Err(think_time
            .error("a think time has no effect with --rate")
            .help("use it with --concurrency"));
    }
    let Some((name, first)) = spec.clients.value.0.first().cloned() else {
        return Err(SpecError::new("the spec has no client to describe"));
    };
    let concurrency = flags
        .concurrency
        .map(|users| Spanned::flag("--concurrency", users));
    let client = Client {
        population: None,
        concurrency: if flags.rate.is_some() {
            None
        } else {
            concurrency.or(first.concurrency)
        },
        think: match flags.rate {
            Some(_) => None,
            None => flags.think_time.clone().map(constant_think).or(first.think),
        },
        rate: flags.rate.map(|rate| Spanned::flag("--rate", rate)),
        arrival: None,
        shape: None,
        session: None,
        r#do: first.r#do,
        timeout: first.timeout,
        on_failure: None,
        class: None,
        max_in_flight: None,
        connections: None,
    };
    spec.clients.value.0 = vec![(name, client)];
    // The budget suited the clients that were replaced, unless it was given beside the flags.
    let run = run(spec);
    run.requests = run
        .requests
        .take()
        .filter(|budget| matches!(budget.origin, Origin::Set(_)));
    Ok(())
}

fn constant_think(time: Spanned<Duration>) -> Spanned<Distribution<Duration>> {
    Spanned {
        origin: time.origin,
        value: Distribution::Bare(time),
    }
}
