//! A spec written back with defaults and overrides in place.
//!
//! What is written reads and lowers to the same model as the spec it came from. Only specs that can be lowered are
//! worth writing: the writer relies on checked names.

use std::fmt::{self, Display, Formatter};

use super::defaults::{DEFAULT_DRAIN, DEFAULT_SEED, LANGUAGE};
use super::deliveries::DeliverySlo;
use super::distribution::Distribution;
use super::error::{Origin, Place};
use super::named::Named;
use super::resolved_backend::{self, Line};
use super::resolved_live;
use super::spanned::Spanned;
use super::steps::Step;
use super::syntax::{
    Action, Arrival, BySize, Client, Dispatch, Do, Member, Members, Offset, OnTimeout, Provenance,
    Run, Service, Slo, Spec, Trace, Warmup,
};
use super::units::{Count, Duration, Number};
use super::written::{Law, Quoted, parameters};

/// What tells editors where the schema of a spec is: beside it.
const MODELINE: &str = "# yaml-language-server: $schema=spec.schema.json";

/// The text of a spec, with defaults and overrides in place. Its first line tells editors that its schema is in the
/// file `spec.schema.json` beside it.
pub fn resolved(spec: &Spec) -> String {
    Resolved(spec).to_string()
}

/// A resolved spec's text with other paths in place of those of the files it refers to.
///
/// `path` is asked for each of them; what it does not know stays as it is.
pub fn with_paths(resolved: &str, path: impl Fn(&str) -> Option<String>) -> String {
    let Ok(spec) = super::read(resolved) else {
        return resolved.to_owned();
    };
    let mut text = resolved.to_owned();
    let mut places: Vec<(Place, String)> = super::lower::wanted_files(&spec)
        .into_iter()
        .filter_map(|written| match written.origin {
            Origin::Text(place) => Some((place, Quoted(&path(&written.value)?).to_string())),
            Origin::Flag(_) | Origin::Set(_) => None,
        })
        .collect();
    // From the end, so that the places before stay where they are.
    places.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    places.dedup_by_key(|(place, _)| *place);
    for (place, path) in places {
        text.replace_range(place.range(), &path);
    }
    text
}

struct Resolved<'a>(&'a Spec);

impl Display for Resolved<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let spec = self.0;
        writeln!(f, "{MODELINE}")?;
        writeln!(f, "blis: {LANGUAGE}")?;
        writeln!(f, "name: {}", Quoted(&spec.name.value))?;
        writeln!(
            f,
            "seed: {}",
            spec.seed.as_ref().map_or(DEFAULT_SEED, |seed| seed.value.0)
        )?;
        run(f, spec.run.as_ref().map(|run| &run.value))?;
        writeln!(f, "\nclients:")?;
        for (name, entry) in &spec.clients.value.0 {
            writeln!(f, "  {}:", name.value)?;
            client(f, entry)?;
        }
        writeln!(f, "\nactions:")?;
        for (name, entry) in &spec.actions.value.0 {
            writeln!(f, "  {}:", name.value)?;
            action(f, entry)?;
        }
        if let Some(services) = &spec.services {
            writeln!(f, "\nservices:")?;
            for (name, entry) in &services.value.0 {
                writeln!(f, "  {}:", name.value)?;
                service(f, entry)?;
            }
        }
        if let Some(streams) = &spec.streams {
            writeln!(f, "\nstreams:")?;
            for (name, entry) in &streams.value.0 {
                writeln!(f, "  {}:", name.value)?;
                resolved_backend::stream(f, entry)?;
            }
        }
        if let Some(fan_outs) = &spec.fan_outs {
            writeln!(f, "\nfan_outs:")?;
            for (name, entry) in &fan_outs.value.0 {
                writeln!(f, "  {}:", name.value)?;
                resolved_backend::fan_out(f, entry)?;
            }
        }
        if let Some(network) = &spec.network {
            writeln!(f, "\nnetwork:\n  one_way: {}", Law(&network.one_way.value))?;
        }
        if let Some(connections) = &spec.connections {
            writeln!(f)?;
            resolved_live::connections(f, "", &connections.value)?;
        }
        if let Some(limit) = &spec.max_in_flight {
            writeln!(f)?;
            resolved_live::max_in_flight(f, "", &limit.value)?;
        }
        if let Some(variables) = &spec.variables {
            resolved_live::variables(f, &variables.value)?;
        }
        if let Some(provenance) = &spec.provenance {
            fitted(f, &provenance.value)?;
        }
        Ok(())
    }
}

fn fitted(f: &mut Formatter<'_>, written: &Provenance) -> fmt::Result {
    writeln!(f, "\nprovenance:\n  by: {}", Quoted(&written.by.value))?;
    let runs = written.runs.value.iter();
    let runs: Vec<String> = runs.map(|run| Quoted(&run.value).to_string()).collect();
    writeln!(f, "  runs: [{}]", runs.join(", "))?;
    for (key, text) in [("loads", &written.loads), ("fit", &written.fit)] {
        if let Some(text) = text {
            writeln!(f, "  {key}: {}", Quoted(&text.value))?;
        }
    }
    Ok(())
}

fn run(f: &mut Formatter<'_>, written: Option<&Run>) -> fmt::Result {
    let none = Run::default();
    let run = written.unwrap_or(&none);
    writeln!(f, "\nrun:")?;
    optional(f, "  ", "requests", &run.requests)?;
    optional(f, "  ", "horizon", &run.horizon)?;
    match run.warmup.as_ref().map(|warmup| warmup.value) {
        Some(Warmup::Auto) => writeln!(f, "  warmup: auto")?,
        Some(Warmup::At(time)) => writeln!(f, "  warmup: {time}")?,
        None => writeln!(f, "  warmup: {}", Duration(0.0))?,
    }
    writeln!(
        f,
        "  drain: {}",
        run.drain
            .as_ref()
            .map_or(DEFAULT_DRAIN, |drain| drain.value)
    )
}

fn optional<T: Display>(
    f: &mut Formatter<'_>,
    indent: &str,
    key: &str,
    value: &Option<Spanned<T>>,
) -> fmt::Result {
    match value {
        Some(value) => writeln!(f, "{indent}{key}: {}", value.value),
        None => Ok(()),
    }
}

fn client(f: &mut Formatter<'_>, client: &Client) -> fmt::Result {
    if let Some(class) = &client.class {
        writeln!(f, "    class: {}", Quoted(&class.value))?;
    }
    optional(f, "    ", "population", &client.population)?;
    optional(f, "    ", "concurrency", &client.concurrency)?;
    if client.concurrency.is_some() {
        writeln!(f, "    think: {}", OrNone(client.think.as_ref()))?;
    }
    match client.arrival.as_ref().map(|arrival| &arrival.value) {
        Some(Arrival::Trace(trace)) => {
            writeln!(f, "    arrival: {{trace: {trace}}}")?;
        }
        Some(Arrival::Burst(burst)) => {
            let at = burst.at.as_ref().map_or(Duration(0.0), |at| at.value);
            let count = burst.count.value;
            writeln!(f, "    arrival: {{burst: {{count: {count}, at: {at}}}}}")?;
        }
        _ => {}
    }
    if let Some(rate) = &client.rate {
        writeln!(f, "    rate: {}", rate.value)?;
        match client.arrival.as_ref().map(|arrival| &arrival.value) {
            None | Some(Arrival::Poisson) => writeln!(f, "    arrival: poisson")?,
            Some(Arrival::Trace(_) | Arrival::Burst(_)) => {}
            Some(Arrival::Constant) => writeln!(f, "    arrival: constant")?,
            Some(Arrival::Gamma(by)) => {
                writeln!(f, "    arrival: {{gamma: {{cv: {}}}}}", by.cv.value)?
            }
            Some(Arrival::Weibull(by)) => {
                writeln!(f, "    arrival: {{weibull: {{cv: {}}}}}", by.cv.value)?
            }
        }
    }
    if let Some(shape) = &client.shape {
        writeln!(f, "    shape: {}", shape.value)?;
    }
    if let Some(session) = &client.session {
        let session = &session.value;
        let (rounds, think) = (Law(&session.rounds.value), OrNone(session.think.as_ref()));
        writeln!(f, "    session: {{rounds: {rounds}, think: {think}}}")?;
    }
    match client.r#do.as_ref().map(|written| &written.value) {
        Some(Do::Action(action)) => writeln!(f, "    do: {action}")?,
        Some(Do::Mix(mix)) => writeln!(f, "    do: {}", Weights(mix))?,
        None => {}
    }
    optional(f, "    ", "timeout", &client.timeout)?;
    if let Some(connections) = &client.connections {
        resolved_live::connections(f, "    ", &connections.value)?;
    }
    if let Some(limit) = &client.max_in_flight {
        resolved_live::max_in_flight(f, "    ", &limit.value)?;
    }
    on_failure(f, client)
}

impl Display for Trace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let file = Quoted(&self.file().value);
        if matches!(self, Trace::File(_)) {
            return write!(f, "{file}");
        }
        let offset = self.offset().map(|offset| match &offset.value {
            Offset::First => "first".to_owned(),
            Offset::At(time) => Quoted(time).to_string(),
        });
        let entries = [
            ("file", Some(file.to_string())),
            ("offset", offset),
            ("unit", Some(self.unit().word().to_owned())),
        ];
        parameters(f, entries)
    }
}

fn on_failure(f: &mut Formatter<'_>, client: &Client) -> fmt::Result {
    let written = client
        .on_failure
        .as_ref()
        .map(|on_failure| &on_failure.value);
    let retry = written
        .and_then(|on_failure| on_failure.retry.as_ref())
        .map(|retry| &retry.value);
    if client.concurrency.is_none() && retry.is_none() {
        return Ok(());
    }
    writeln!(f, "    on_failure:")?;
    if client.concurrency.is_some() {
        let respawn = written
            .and_then(|on_failure| on_failure.respawn.as_ref())
            .is_none_or(|respawn| respawn.value);
        writeln!(f, "      respawn: {respawn}")?;
    }
    match retry {
        Some(retry) => {
            let backoff = OrNone(retry.backoff.as_ref());
            writeln!(
                f,
                "      retry: {{times: {}, backoff: {backoff}}}",
                retry.times.value
            )
        }
        None => Ok(()),
    }
}

struct Weights<'a>(&'a Named<Spanned<Number>>);

impl Display for Weights<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let entries = self
            .0
            .0
            .iter()
            .map(|(name, weight)| (name.value.as_str(), Some(weight.value)));
        parameters(f, entries)
    }
}

fn action(f: &mut Formatter<'_>, action: &Action) -> fmt::Result {
    if let Some(written) = &action.path {
        path(f, "    ", &written.value)?;
    }
    if let Some(class) = &action.class {
        writeln!(f, "    class: {}", Quoted(&class.value))?;
    }
    optional(f, "    ", "deadline", &action.deadline)?;
    if let Some(awaited) = &action.r#await {
        resolved_live::awaited(f, &awaited.value)?;
    }
    resolved_live::sending(f, action)?;
    let Some(slo) = &action.slo else {
        return Ok(());
    };
    writeln!(f, "    slo:")?;
    objectives(f, "      ", &slo.value)
}

fn objectives(f: &mut Formatter<'_>, indent: &str, slo: &Slo) -> fmt::Result {
    for (name, _, limit) in slo.quantiles() {
        optional(f, indent, name, limit)?;
    }
    let Slo {
        p50: _,
        p90: _,
        p95: _,
        p99: _,
        p999: _,
        errors,
        deliveries,
        overall,
    } = slo;
    optional(f, indent, "errors", errors)?;
    if let Some(deliveries) = deliveries {
        of_deliveries(f, indent, &deliveries.value)?;
    }
    let Some(overall) = overall else {
        return Ok(());
    };
    writeln!(f, "{indent}overall:")?;
    objectives(f, &format!("{indent}  "), &overall.value)
}

fn of_deliveries(f: &mut Formatter<'_>, indent: &str, slo: &DeliverySlo) -> fmt::Result {
    writeln!(f, "{indent}deliveries:")?;
    for (name, times) in [
        ("first", &slo.first),
        ("each", &slo.each),
        ("last", &slo.last),
    ] {
        let Some(times) = times else { continue };
        writeln!(f, "{indent}  {name}:")?;
        for (name, _, limit) in times.value.all() {
            optional(f, &format!("{indent}    "), name, limit)?;
        }
    }
    optional(f, &format!("{indent}  "), "missing", &slo.missing)
}

fn path(f: &mut Formatter<'_>, indent: &str, steps: &[Spanned<Step>]) -> fmt::Result {
    if steps.is_empty() {
        return writeln!(f, "{indent}path: []");
    }
    writeln!(f, "{indent}path:")?;
    for step in steps {
        write!(f, "{indent}  - ")?;
        match &step.value {
            Step::Branch(arms) => {
                writeln!(f, "branch:")?;
                let inner = format!("{indent}        ");
                for arm in arms {
                    writeln!(f, "{indent}      - weight: {}", arm.weight.value)?;
                    path(f, &inner, &arm.path)?;
                }
            }
            other => writeln!(f, "{}", Line(other))?,
        }
    }
    Ok(())
}

/// Writes the members with their workers, and says how many there are.
fn members(f: &mut Formatter<'_>, service: &Service) -> Result<u64, fmt::Error> {
    let workers = service.workers.as_ref().map(|workers| workers.value);
    let list = match service.members.as_ref().map(|members| &members.value) {
        Some(Members::Each(list)) => list,
        alike => {
            let members = match alike {
                Some(Members::Alike(count)) => count.value.0,
                _ => 1,
            };
            writeln!(f, "    workers: {}", workers.unwrap_or(Count(1)))?;
            writeln!(f, "    members: {members}")?;
            return Ok(members);
        }
    };
    writeln!(f, "    members:")?;
    let mut members = 0u64;
    for member in list {
        let Member {
            count,
            workers: own,
            speed,
        } = &member.value;
        let count = count.as_ref().map_or(Count(1), |count| count.value);
        let own = own.as_ref().map(|own| own.value);
        let own = own.or(workers).unwrap_or(Count(1));
        let speed = speed.as_ref().map_or(Number(1.0), |speed| speed.value);
        writeln!(
            f,
            "      - {{count: {count}, workers: {own}, speed: {speed}}}"
        )?;
        members = members.saturating_add(count.0);
    }
    Ok(members)
}

fn service(f: &mut Formatter<'_>, service: &Service) -> fmt::Result {
    if members(f, service)? > 1 {
        let dispatch = match service.dispatch.as_ref().map(|dispatch| dispatch.value) {
            None | Some(Dispatch::Random) => "random",
            Some(Dispatch::Shared) => "shared",
            Some(Dispatch::LeastLoaded) => "least_loaded",
        };
        writeln!(f, "    dispatch: {dispatch}")?;
    }
    writeln!(f, "    time: {}", Law(&service.time.value))?;
    if let Some(by_size) = &service.by_size {
        let BySize { time, per } = &by_size.value;
        let (time, per) = (time.value, per.value);
        writeln!(f, "    by_size: {{time: {time}, per: {per}}}")?;
    }
    let queue = service.queue.as_ref().map(|queue| &queue.value);
    let order = queue.and_then(|queue| queue.order.as_ref()).map_or_else(
        || "fifo".to_owned(),
        |order| resolved_backend::order(&order.value),
    );
    match queue.and_then(|queue| queue.limit.as_ref()) {
        Some(limit) => writeln!(f, "    queue: {{limit: {}, order: {order}}}", limit.value)?,
        None => writeln!(f, "    queue: {{order: {order}}}")?,
    }
    writeln!(
        f,
        "    errors: {}",
        service.errors.as_ref().map_or(0.0, |errors| errors.value.0)
    )?;
    let on_timeout = match service
        .on_timeout
        .as_ref()
        .map(|on_timeout| on_timeout.value)
    {
        None | Some(OnTimeout::Stay) => "stay",
        Some(OnTimeout::Leave) => "leave",
        Some(OnTimeout::Abandon) => "abandon",
    };
    writeln!(f, "    on_timeout: {on_timeout}")?;
    resolved_backend::conditions(f, service)
}

/// A distribution, or no time at all where there is none.
struct OrNone<'a>(Option<&'a Spanned<Distribution<Duration>>>);

impl Display for OrNone<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(distribution) => write!(f, "{}", Law(&distribution.value)),
            None => write!(f, "{}", Duration(0.0)),
        }
    }
}
