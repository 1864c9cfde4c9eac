//! Lowers clients to the model.

use std::num::NonZeroU32;

use super::distributions::{number, placed, time, warn_of_rounding};
use super::numbers::{at_least_one, weight};
use super::run::{horizon, span};
use super::{Findings, Names, live, recordings, refer, shapes};
use crate::dist::Dist;
use crate::model::{ActionId, Arrival, ClassId, Client, Mix, OnFailure, Rounds, Session, Source};
use crate::spec::distribution::{Distribution, Uniform};
use crate::spec::error::SpecError;
use crate::spec::named::Named;
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{self, Do};
use crate::spec::units::{Count, Number, Rate};
use crate::time::{Span, Time};

/// Most closed users of all clients together.
pub const MAX_USERS: u64 = 100_000_000;
/// Memory of one user, for the message that refuses too many.
const BYTES_PER_USER: u64 = 384;
/// Most members of a cohort: the numbers of their sessions share 64 bits.
const MAX_POPULATION: u64 = 10_000_000;
/// Most sessions of one burst: each may have a request in flight.
const MAX_BURST: u64 = 100_000_000;
/// The lowest rate per second that the clock can show.
const MIN_RATE: f64 = 1e-9;
/// Most retries of one request.
const MAX_RETRIES: u64 = 65_535;
/// Most rounds of a session.
const MAX_ROUNDS: f64 = 1e9;

pub fn lower(spec: &syntax::Spec, names: &Names<'_>, findings: &mut Findings) -> Vec<Client> {
    check_users(spec, findings);
    let mut used = vec![false; spec.actions.value.0.len()];
    let mut clients = Vec::new();
    for (name, client) in &spec.clients.value.0 {
        let population = population(client, findings);
        let (source, recorded) = source(name, client, (spec, names), findings);
        let mix = recorded_or_drawn(name, client, recorded, names, findings);
        for (action, _) in &mix.shares {
            if let Some(used) = used.get_mut(action.index()) {
                *used = true;
            }
        }
        clients.push(Client {
            name: name.value.clone(),
            population,
            source,
            mix,
            timeout: timeout(client, findings),
            on_failure: on_failure(client, findings),
            class: client
                .class
                .as_ref()
                .and_then(|class| names.classes.get(class.value.as_str()))
                .map(|&class| ClassId(class)),
            max_in_flight: live::of_client(client, spec.max_in_flight.as_ref(), findings),
            connections: client
                .connections
                .as_ref()
                .map(|written| live::connections(&written.value, findings)),
        });
    }
    for ((name, _), used) in spec.actions.value.0.iter().zip(used) {
        if !used {
            findings.warn(name.error(format!("no client does the action `{}`", name.value)));
        }
    }
    clients
}

fn check_users(spec: &syntax::Spec, findings: &mut Findings) {
    let mut users = 0u64;
    for (_, client) in &spec.clients.value.0 {
        let Some(size) = client.population.as_ref().or(client.concurrency.as_ref()) else {
            continue;
        };
        let count =
            |count: &Option<Spanned<Count>>| count.as_ref().map_or(1, |count| count.value.0);
        let members = count(&client.population);
        users = users.saturating_add(members.saturating_mul(count(&client.concurrency)));
        if users > MAX_USERS {
            let gigabytes = users.saturating_mul(BYTES_PER_USER) / 1_000_000_000;
            let message = format!("{users} users need about {gigabytes} GB of memory");
            let help = format!(
                "use up to {MAX_USERS} closed-loop users, of about {BYTES_PER_USER} bytes each"
            );
            findings.error(size.error(message).help(help));
            return;
        }
    }
}

/// Members of a cohort.
fn population(client: &syntax::Client, findings: &mut Findings) -> NonZeroU32 {
    let Some(population) = &client.population else {
        return NonZeroU32::MIN;
    };
    at_least_one(population, "member", "members", MAX_POPULATION, findings)
}

/// What the requests of a client are: the recorded actions, or what `do` says.
fn recorded_or_drawn(
    name: &Spanned<String>,
    client: &syntax::Client,
    recorded: Recorded,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Mix {
    match (&client.r#do, recorded) {
        (None, Recorded::Actions(mix)) => mix,
        (Some(written), Recorded::Nothing | Recorded::Unknown) => mix(written, names, findings),
        (Some(written), Recorded::Actions(mix)) => {
            let what = "a client whose recording has the action of each arrival";
            let help = "remove it, or the column `action` of the file";
            findings.error(no_effect(written, "do", what, help));
            mix
        }
        (None, Recorded::Unknown) => Mix { shares: Vec::new() },
        (None, Recorded::Nothing) => {
            let error = name.error("a client needs the key `do`");
            let help = "give an action, or a weighted mix: `do: ask` or `do: {ask: 9, tell: 1}`";
            findings.error(error.help(help).absence());
            Mix { shares: Vec::new() }
        }
    }
}

/// What a recording says of actions.
enum Recorded {
    /// Nothing: there is none, or it has times only.
    Nothing,
    /// It could not be read.
    Unknown,
    /// The action of each arrival, with these shares.
    Actions(Mix),
}

/// Whether a client's arrivals are given by their instants, and not by a rate.
fn gives_instants(client: &syntax::Client) -> bool {
    let arrival = client.arrival.as_ref().map(|arrival| &arrival.value);
    matches!(
        arrival,
        Some(syntax::Arrival::Trace(_) | syntax::Arrival::Burst(_))
    )
}

/// Where a client's requests come from, and what its recording says of actions.
fn source(
    name: &Spanned<String>,
    client: &syntax::Client,
    (spec, names): (&syntax::Spec, &Names<'_>),
    findings: &mut Findings,
) -> (Source, Recorded) {
    let arrival = client.arrival.as_ref().map(|arrival| &arrival.value);
    match (&client.concurrency, arrival) {
        (None, Some(syntax::Arrival::Trace(trace))) => {
            return recorded(client, trace, names, findings);
        }
        (None, Some(syntax::Arrival::Burst(burst))) => {
            return (self::burst(client, burst, findings), Recorded::Nothing);
        }
        _ => {}
    }
    let source = stationary_or_closed(name, client, spec, findings);
    (source, Recorded::Nothing)
}

/// Keys that say something of a rate have no effect where the instants of arrivals are given.
fn no_rate(
    client: &syntax::Client,
    what: &str,
    [instants, members]: [&str; 2],
    findings: &mut Findings,
) {
    if let Some(rate) = &client.rate {
        findings.error(no_effect(rate, "rate", what, instants));
    }
    if let Some(shape) = &client.shape {
        findings.error(no_effect(shape, "shape", what, instants));
    }
    if let Some(population) = &client.population {
        findings.error(no_effect(population, "population", what, members));
    }
    no_think(client, findings);
}

/// A client whose sessions start together.
fn burst(client: &syntax::Client, burst: &syntax::Burst, findings: &mut Findings) -> Source {
    let help = [
        "`burst` sets the number and time of sessions; remove it, or give it to another client",
        "give a larger `count`; remove it",
    ];
    no_rate(client, "a burst", help, findings);
    let count = at_least_one_of(&burst.count, findings);
    let at = burst.at.as_ref().map_or(Span::ZERO, |at| span(at.value));
    Source::Open {
        arrival: Arrival::Burst {
            count,
            at: Time::ZERO + at,
        },
        shape: None,
        session: session(client, findings),
    }
}

/// The number of sessions of a burst.
fn at_least_one_of(count: &Spanned<Count>, findings: &mut Findings) -> u64 {
    let found = count.value.0;
    if (1..=MAX_BURST).contains(&found) {
        return found;
    }
    let message = match found {
        0 => "a burst of 0 sends nothing".to_owned(),
        _ => format!("a burst of {found} is too large for memory"),
    };
    findings.error(count.error(message).help(format!("give 1 to {MAX_BURST}")));
    1
}

/// A client whose arrivals were recorded.
fn recorded(
    client: &syntax::Client,
    trace: &syntax::Trace,
    names: &Names<'_>,
    findings: &mut Findings,
) -> (Source, Recorded) {
    let help = [
        "the file sets when sessions start; remove it",
        "every copy would send at the same times; remove it",
    ];
    no_rate(client, "recorded arrivals", help, findings);
    let session = session(client, findings);
    match recordings::arrivals(trace, names, findings) {
        None => (placeholder(), Recorded::Unknown),
        Some((recording, mix)) => {
            let source = Source::Open {
                arrival: Arrival::Recorded(recording),
                shape: None,
                session,
            };
            (source, mix.map_or(Recorded::Nothing, Recorded::Actions))
        }
    }
}

fn stationary_or_closed(
    name: &Spanned<String>,
    client: &syntax::Client,
    spec: &syntax::Spec,
    findings: &mut Findings,
) -> Source {
    let how = "`concurrency` makes a closed client, `rate` an open one";
    match (&client.concurrency, &client.rate) {
        (Some(concurrency), None) => closed(client, concurrency, findings),
        (None, Some(rate)) => open(client, rate, spec, findings),
        (Some(_), Some(rate)) => {
            let message = format!(
                "the client `{}` has both `concurrency` and `rate`",
                name.value
            );
            findings.error(rate.error(message).help(format!("keep one of them: {how}")));
            placeholder()
        }
        (None, None) => {
            let message = format!(
                "the client `{}` has neither `concurrency` nor `rate`",
                name.value
            );
            findings.error(
                name.error(message)
                    .help(format!("give one of them: {how}"))
                    .absence(),
            );
            placeholder()
        }
    }
}

fn placeholder() -> Source {
    Source::Closed {
        concurrency: NonZeroU32::MIN,
        think: Dist::ZERO,
    }
}

fn closed(
    client: &syntax::Client,
    concurrency: &Spanned<Count>,
    findings: &mut Findings,
) -> Source {
    if let Some(arrival) = &client.arrival {
        findings.error(no_effect(
            arrival,
            "arrival",
            "a closed client",
            "an open client has `rate` instead of `concurrency`",
        ));
    }
    if let Some(shape) = &client.shape {
        findings.error(no_effect(
            shape,
            "shape",
            "a closed client",
            "an open client has `rate` instead of `concurrency`",
        ));
    }
    if let Some(session) = &client.session {
        findings.error(no_effect(
            session,
            "session",
            "a closed client",
            "a closed-loop user sends requests without end",
        ));
    }
    // Too many users are found in the sum over all clients; here the limit only serves the advice.
    let most = match concurrency.value.0 {
        0 => MAX_USERS,
        _ => u64::MAX,
    };
    Source::Closed {
        concurrency: at_least_one(concurrency, "user", "users", most, findings),
        think: client
            .think
            .as_ref()
            .map_or(Dist::ZERO, |think| time(think, findings)),
    }
}

fn open(
    client: &syntax::Client,
    rate: &Spanned<Rate>,
    spec: &syntax::Spec,
    findings: &mut Findings,
) -> Source {
    no_think(client, findings);
    if rate.value.0 < MIN_RATE {
        let message = match rate.value.0 {
            0.0 => format!("a rate of {} sends nothing", rate.value),
            _ => format!("`{}` is less than one in 30 years", rate.value),
        };
        findings.error(
            rate.error(message)
                .help("give a higher rate, such as `200/s` or `3/h`"),
        );
        return placeholder();
    }
    let shape = client.shape.as_ref();
    Source::Open {
        arrival: arrival(client, rate, findings),
        shape: shape.and_then(|shape| shapes::lower(shape, rate, horizon(spec), findings)),
        session: session(client, findings),
    }
}

/// An open client thinks within its sessions only.
fn no_think(client: &syntax::Client, findings: &mut Findings) {
    if let Some(think) = &client.think {
        let help = "move it into `session`, between its rounds";
        findings.error(no_effect(think, "think", "an open client", help).absence());
    }
}

fn session(client: &syntax::Client, findings: &mut Findings) -> Option<Session> {
    client.session.as_ref().map(|session| Session {
        rounds: rounds(&session.value.rounds, findings),
        think: session
            .value
            .think
            .as_ref()
            .map_or(Dist::ZERO, |think| time(think, findings)),
    })
}

fn no_effect<T>(value: &Spanned<T>, key: &str, what: &str, help: &str) -> SpecError {
    value
        .error(format!("`{key}` has no effect on {what}"))
        .help(help)
}

fn arrival(client: &syntax::Client, rate: &Spanned<Rate>, findings: &mut Findings) -> Arrival {
    let mean = 1e9 / rate.value.0;
    let written = client.arrival.as_ref();
    let interarrival = match written.map(|arrival| &arrival.value) {
        Some(syntax::Arrival::Constant) => return Arrival::Constant { rate: rate.value.0 },
        None
        | Some(syntax::Arrival::Poisson | syntax::Arrival::Trace(_) | syntax::Arrival::Burst(_)) => {
            placed(Dist::exponential(mean), rate.origin, &[])
        }
        Some(syntax::Arrival::Gamma(by)) => {
            placed(Dist::gamma_mean_cv(mean, by.cv.value.0), by.cv.origin, &[])
        }
        Some(syntax::Arrival::Weibull(by)) => placed(
            Dist::weibull_mean_cv(mean, by.cv.value.0),
            by.cv.origin,
            &[],
        ),
    };
    let interarrival = interarrival.unwrap_or_else(|error| {
        findings.error(error);
        Dist::ZERO
    });
    warn_of_rounding(&interarrival, rate.origin, findings);
    Arrival::Renewal { interarrival }
}

/// A whole number from 1 on, as a number of rounds.
fn whole(value: &Spanned<Number>, findings: &mut Findings) -> NonZeroU32 {
    let number = value.value.0;
    if number.fract() != 0.0 || !(1.0..=MAX_ROUNDS).contains(&number) {
        let error = value.error(format!("a session cannot have {} rounds", value.value));
        findings.error(error.help(format!("give a whole number from 1 to {MAX_ROUNDS}")));
        return NonZeroU32::MIN;
    }
    NonZeroU32::new(number as u32).unwrap_or(NonZeroU32::MIN)
}

fn rounds(written: &Spanned<Distribution<Number>>, findings: &mut Findings) -> Rounds {
    match &written.value {
        Distribution::Bare(value) | Distribution::Constant(value) => {
            Rounds::Constant(whole(value, findings))
        }
        Distribution::Uniform(Uniform { min, max }) => {
            let (least, most) = (whole(min, findings), whole(max, findings));
            if most < least {
                let message = format!("`max` ({}) is below `min` ({})", max.value, min.value);
                findings.error(max.error(message).help("give a `max` of at least `min`"));
            }
            Rounds::Uniform {
                min: least,
                max: most,
            }
        }
        _ => Rounds::Rounded(number(written, findings)),
    }
}

fn mix(written: &Spanned<Do>, names: &Names<'_>, findings: &mut Findings) -> Mix {
    match &written.value {
        Do::Action(action) => {
            let action = Spanned {
                value: action.clone(),
                origin: written.origin,
            };
            Mix {
                shares: vec![(
                    ActionId(refer("action", &action, &names.actions, findings)),
                    1.0,
                )],
            }
        }
        Do::Mix(weights) => weighted(written, weights, names, findings),
    }
}

fn weighted(
    written: &Spanned<Do>,
    weights: &Named<Spanned<Number>>,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Mix {
    let total: f64 = weights.0.iter().map(|(_, weight)| weight.value.0).sum();
    if total <= 0.0 {
        let message = match weights.0.is_empty() {
            true => "the mix is empty",
            false => "the weights of the mix add up to 0",
        };
        findings.error(
            written
                .error(message)
                .help("give at least one action a weight above 0: `do: {ask: 1}`")
                .absence(),
        );
    }
    let mut shares = Vec::new();
    for (name, written) in &weights.0 {
        let action = ActionId(refer("action", name, &names.actions, findings));
        match weight(written, "an action") {
            Ok(weight) => shares.push((action, weight / total)),
            Err(error) if total > 0.0 => findings.error(error),
            Err(_) => {}
        }
    }
    Mix { shares }
}

fn timeout(client: &syntax::Client, findings: &mut Findings) -> Option<Span> {
    let timeout = client.timeout.as_ref()?;
    let length = span(timeout.value);
    if length == Span::ZERO {
        let error = timeout.error(format!(
            "a timeout of {} fails every request",
            timeout.value
        ));
        findings
            .error(error.help("give at least 1ns, or leave `timeout` out to wait without limit"));
    }
    Some(length)
}

fn on_failure(client: &syntax::Client, findings: &mut Findings) -> OnFailure {
    let mut lowered = OnFailure {
        retries: 0,
        backoff: Dist::ZERO,
        respawn: true,
    };
    let Some(written) = &client.on_failure else {
        return lowered;
    };
    if written.value.respawn.is_none() && written.value.retry.is_none() {
        findings.error(
            written
                .error("an empty `on_failure` has no effect")
                .help("give `respawn` or `retry`, or remove it")
                .absence(),
        );
    }
    if let Some(respawn) = &written.value.respawn {
        lowered.respawn = respawn.value;
        let open = client.rate.is_some() || gives_instants(client);
        if open && client.concurrency.is_none() {
            let help = "open sessions never restart; remove it";
            findings.error(no_effect(respawn, "respawn", "an open client", help).absence());
        }
    }
    if let Some(retry) = &written.value.retry {
        let times = &retry.value.times;
        if times.value.0 == 0 || times.value.0 > MAX_RETRIES {
            let error = times.error(format!("a request cannot be retried {} times", times.value));
            findings.error(error.help(format!("give 1 to {MAX_RETRIES}, or remove `retry`")));
        }
        lowered.retries = u16::try_from(times.value.0).unwrap_or(u16::MAX);
        lowered.backoff = retry
            .value
            .backoff
            .as_ref()
            .map_or(Dist::ZERO, |backoff| time(backoff, findings));
    }
    lowered
}
