//! Objectives from the command line: `--slo [ACTION:]p95=100ms,errors=0.1%`, `--slo growth`.

use std::fmt::Display;
use std::str::FromStr;

use super::backend::ConsumerSlo;
use super::error::{SpecError, nearest, one_of, shown};
use super::spanned::Spanned;
use super::syntax::{Slo, Spec};
use super::units::UnitError;

/// The flag that gives them.
const FLAG: &str = "--slo";
/// The test of backlogs, which has no value.
const GROWTH: &str = "growth";
/// What may be given with a value.
const LIMITS: [&str; 6] = ["p50", "p90", "p95", "p99", "p999", "errors"];
const EXAMPLE: &str =
    "write [ACTION:]LIMIT=VALUE, comma-separated, such as p95=100ms,errors=0.1%, or growth";

/// One `--slo`, taken apart: limits of one action, or of all.
#[derive(Debug, Clone, PartialEq)]
pub struct Objectives {
    action: Option<String>,
    limits: Slo,
    /// Whether no backlog may grow.
    no_growth: bool,
}

impl Objectives {
    /// The action that they are of; `None` for all.
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// The limits that it gives, by their keys.
    pub fn given(&self) -> impl Iterator<Item = &'static str> {
        given(&self.limits)
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .chain(self.no_growth.then_some(GROWTH))
    }
}

impl FromStr for Objectives {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Objectives, SpecError> {
        // No limit has a colon in it, and a name may.
        let before_value = text.find('=').map_or(text, |end| &text[..end]);
        let (action, limits) = match before_value.rfind(':') {
            Some(colon) => (Some(text[..colon].to_owned()), &text[colon + 1..]),
            None => (None, text),
        };
        if action.as_deref() == Some("") {
            return Err(SpecError::new("there is no action before the `:`").help(EXAMPLE));
        }
        let mut read = Slo::default();
        let mut no_growth = false;
        for limit in limits.split(',') {
            if limit.trim() == GROWTH {
                if let Some(action) = &action {
                    let message = format!(
                        "`{GROWTH}` applies to consumers, not to the action `{}`",
                        shown(action)
                    );
                    let help = format!("write {FLAG} {GROWTH}, for the backlogs of all consumers");
                    return Err(SpecError::new(message).help(help));
                }
                if std::mem::replace(&mut no_growth, true) {
                    let error = SpecError::new(format!("`{GROWTH}` is given twice"));
                    return Err(error.help("give it once"));
                }
                continue;
            }
            let Some((name, value)) = limit.split_once('=') else {
                let message = format!("`{}` has no `=`", shown(limit));
                return Err(SpecError::new(message).help(EXAMPLE));
            };
            put(&mut read, name.trim(), value.trim())?;
        }
        Ok(Objectives {
            action,
            limits: read,
            no_growth,
        })
    }
}

/// Reads a limit into its place, which must be free.
fn put(slo: &mut Slo, name: &str, value: &str) -> Result<(), SpecError> {
    match name {
        "p50" => fill(&mut slo.p50, name, value),
        "p90" => fill(&mut slo.p90, name, value),
        "p95" => fill(&mut slo.p95, name, value),
        "p99" => fill(&mut slo.p99, name, value),
        "p999" => fill(&mut slo.p999, name, value),
        "errors" => fill(&mut slo.errors, name, value),
        unknown => {
            let list = format!(
                "the limits are {}, and `{GROWTH}` without a value",
                one_of(LIMITS)
            );
            let help = match nearest(unknown, LIMITS) {
                Some(near) => format!("did you mean `{near}`? {list}"),
                None => list,
            };
            Err(SpecError::new(format!("there is no limit `{}`", shown(unknown))).help(help))
        }
    }
}

fn fill<T: FromStr<Err = UnitError>>(
    place: &mut Option<Spanned<T>>,
    name: &str,
    value: &str,
) -> Result<(), SpecError> {
    let read = value.parse().map_err(|error: UnitError| {
        SpecError::new(format!("`{name}`: {error}")).help(error.help)
    })?;
    match place.replace(Spanned::flag(FLAG, read)) {
        None => Ok(()),
        Some(_) => Err(SpecError::new(format!("`{name}` is given twice")).help("give it once")),
    }
}

/// Puts objectives into a spec. They replace the limits that they name and leave the others; those of an action go before
/// those of all actions.
///
/// # Errors
/// When there is no such action, or a limit is given twice.
pub fn apply(spec: &mut Spec, objectives: &[Objectives]) -> Result<(), SpecError> {
    for (nth, one) in objectives.iter().enumerate() {
        let mut before = objectives[..nth].iter();
        let twice = one.given().find(|name| {
            before.any(|other| other.action == one.action && other.given().any(|of| of == *name))
        });
        if let Some(name) = twice {
            let of = one
                .action()
                .map_or("all actions".to_owned(), |of| format!("`{}`", shown(of)));
            let message = format!("{FLAG} gives `{name}` of {of} twice");
            return Err(SpecError::new(message).help("give it once"));
        }
    }
    if objectives.iter().any(|one| one.no_growth) {
        forbid_growth(spec)?;
    }
    let limits_anything = |one: &&Objectives| given(&one.limits).iter().any(Option::is_some);
    let actions = &mut spec.actions.value.0;
    let of_all = objectives.iter().filter(|one| one.action.is_none());
    for one in of_all.filter(limits_anything) {
        for (_, action) in actions.iter_mut() {
            replace(&mut action.slo, &one.limits);
        }
    }
    for one in objectives {
        let Some(name) = one.action() else { continue };
        match actions.iter_mut().find(|(known, _)| known.value == name) {
            Some((_, action)) => replace(&mut action.slo, &one.limits),
            None => {
                let names = || actions.iter().map(|(known, _)| known.value.as_str());
                let list = format!("the actions are {}", one_of(names()));
                let help = match nearest(name, names()) {
                    Some(near) => format!("did you mean `{near}`? {list}"),
                    None => list,
                };
                let message = format!("{FLAG}: there is no action `{}`", shown(name));
                return Err(SpecError::new(message).help(help));
            }
        }
    }
    Ok(())
}

/// No backlog of any consumer may grow.
fn forbid_growth(spec: &mut Spec) -> Result<(), SpecError> {
    let streams = spec
        .streams
        .iter_mut()
        .flat_map(|streams| &mut streams.value.0);
    let consumers = streams.flat_map(|(_, stream)| &mut stream.consumers);
    let mut is_any = false;
    for (_, consumer) in consumers.flat_map(|consumers| &mut consumers.0) {
        let slo = consumer
            .slo
            .get_or_insert_with(|| Spanned::flag(FLAG, ConsumerSlo::default()));
        slo.value.no_growth = Some(Spanned::flag(FLAG, true));
        is_any = true;
    }
    if is_any {
        return Ok(());
    }
    let message = format!("{FLAG} {GROWTH}: the spec has no consumer");
    Err(SpecError::new(message).help("leave it out, or add `streams` with `consumers`"))
}

fn replace(slo: &mut Option<Spanned<Slo>>, by: &Slo) {
    let slo = &mut slo
        .get_or_insert_with(|| Spanned::flag(FLAG, Slo::default()))
        .value;
    let quantiles = [
        (&mut slo.p50, &by.p50),
        (&mut slo.p90, &by.p90),
        (&mut slo.p95, &by.p95),
        (&mut slo.p99, &by.p99),
        (&mut slo.p999, &by.p999),
    ];
    for (mine, others) in quantiles {
        if others.is_some() {
            mine.clone_from(others);
        }
    }
    if by.errors.is_some() {
        slo.errors.clone_from(&by.errors);
    }
}

/// The limits of an `slo` by their keys, each as it is written.
pub(super) fn given(slo: &Slo) -> [Option<(&'static str, Spanned<String>)>; 6] {
    fn written<T: Display>(value: &Option<Spanned<T>>) -> Option<Spanned<String>> {
        value.as_ref().map(|value| Spanned {
            value: value.value.to_string(),
            origin: value.origin,
        })
    }
    let limits = [
        written(&slo.p50),
        written(&slo.p90),
        written(&slo.p95),
        written(&slo.p99),
        written(&slo.p999),
        written(&slo.errors),
    ];
    let mut names = LIMITS.into_iter();
    limits.map(|limit| names.next().zip(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Objectives {
        text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    fn spec() -> Spec {
        let text = "{blis: 1, name: a, run: {requests: 9}, clients: {c: {rate: 1/s, do: {ask: 1, tell: 1}}}, \
                    actions: {ask: {path: [reply], slo: {p95: 80ms, p99: 1s, errors: 1%}}, tell: {path: [reply]}}}";
        super::super::read(text).unwrap_or_else(|why| panic!("{why:?}"))
    }

    fn limits(spec: &Spec, action: usize) -> Vec<(&'static str, String)> {
        let slo = spec.actions.value.0[action].1.slo.as_ref();
        let slo = slo.unwrap_or_else(|| panic!("it has objectives"));
        let given = given(&slo.value).into_iter().flatten();
        given.map(|(name, value)| (name, value.value)).collect()
    }

    #[test]
    fn named_limits_are_replaced_and_others_stay() {
        let mut spec = spec();
        let own = read("ask:p95=50ms");
        assert_eq!(own.action(), Some("ask"));
        // The action's own goes before the one for all, in whichever order they stand.
        for given in [
            [own.clone(), read("p95=100ms,p999=2s")],
            [read("p95=100ms, p999=2s"), own],
        ] {
            assert!(apply(&mut spec, &given).is_ok());
            let text = |limits: [(&'static str, &str); 4]| limits.map(|(k, v)| (k, v.to_owned()));
            let ask = text([
                ("p95", "50ms"),
                ("p99", "1s"),
                ("p999", "2s"),
                ("errors", "0.01"),
            ]);
            assert_eq!(limits(&spec, 0), ask);
            let tell = [("p95", "100ms".to_owned()), ("p999", "2s".to_owned())];
            assert_eq!(limits(&spec, 1), tell);
        }
    }

    #[test]
    fn growth_is_forbidden_to_all_backlogs() {
        let text = "{blis: 1, name: a, run: {requests: 9}, clients: {c: {rate: 1/s, do: ask}}, actions: {ask: {path: [reply, \
                    {publish: log}]}}, services: {s: {workers: 1, time: 1ms}}, streams: {log: {consumers: {one: {service: s}, \
                    two: {service: s, slo: {backlog_growth: 5/s}}}}}}";
        let with = |given: &[&str]| {
            let mut spec = super::super::read(text).unwrap_or_else(|why| panic!("{why:?}"));
            let given: Vec<Objectives> = given.iter().map(|text| read(text)).collect();
            apply(&mut spec, &given).unwrap_or_else(|why| panic!("{why}"));
            let lowered = super::super::lower(&spec).unwrap_or_else(|why| panic!("{why:?}"));
            let model = lowered.model;
            let consumers = model.consumers.iter();
            let of_consumers: Vec<_> = consumers
                .map(|consumer| (consumer.no_growth, consumer.growth_limit))
                .collect();
            (of_consumers, model.actions[0].slo.quantiles.len())
        };
        let both = vec![(true, None), (true, Some(5.0))];
        assert_eq!(with(&["growth"]), (both.clone(), 0));
        assert_eq!(with(&["p95=1s, growth"]), (both, 1));
        assert_eq!(with(&["p95=1s"]).0, [(false, None), (false, Some(5.0))]);
        // The limit stays a limit on the figure.
        assert_eq!(read("growth").given().collect::<Vec<_>>(), ["growth"]);
        let refused = apply(&mut spec(), &[read("growth")]).err();
        assert!(
            refused.is_some_and(|error| { error.message.contains("the spec has no consumer") })
        );
    }

    #[test]
    fn what_is_not_accepted_is_named_with_what_is() {
        for (text, message, help) in [
            ("p95", "`p95` has no `=`", "p95=100ms,errors=0.1%"),
            ("", "`` has no `=`", "LIMIT=VALUE"),
            ("p95=1ms,", "`` has no `=`", "LIMIT=VALUE"),
            (
                ":p95=1ms",
                "no action before the `:`",
                "[ACTION:]LIMIT=VALUE",
            ),
            (
                "p98=1ms",
                "there is no limit `p98`",
                "`p50`, `p90`, `p95`, `p99`, `p999` or `errors`",
            ),
            (
                "error=1%",
                "there is no limit `error`",
                "did you mean `errors`?",
            ),
            ("p95=fast", "`p95`", "ns, us, ms, s, m, h"),
            ("errors=200%", "`errors`", "%"),
            ("growth,growth", "`growth` is given twice", "once"),
            ("ask:growth", "not to the action `ask`", "--slo growth"),
            (
                "growth=1/s",
                "there is no limit `growth`",
                "`growth` without a value",
            ),
            ("p95=1ms,p95=2ms", "`p95` is given twice", "once"),
        ] {
            let Err(error) = text.parse::<Objectives>() else {
                panic!("{text} is accepted");
            };
            assert!(error.message.contains(message), "{text}: {error}");
            let told = error.help.unwrap_or_default();
            assert!(told.contains(help), "{text}: {told}");
        }
    }

    #[test]
    fn unknown_actions_and_limits_given_twice_are_refused() {
        let refused = |given: &[&str]| {
            let given: Vec<Objectives> = given.iter().map(|text| read(text)).collect();
            let mut spec = spec();
            let error = apply(&mut spec, &given).err();
            error.map(|error| format!("{error}; {}", error.help.clone().unwrap_or_default()))
        };
        assert_eq!(
            refused(&["aks:p95=1ms"]).as_deref(),
            Some(
                "--slo: there is no action `aks`; did you mean `ask`? the actions are `ask` or `tell`"
            )
        );
        assert_eq!(
            refused(&["ask:p95=1ms", "ask:errors=1%,p95=2ms"]).as_deref(),
            Some("--slo gives `p95` of `ask` twice; give it once")
        );
        assert_eq!(refused(&["ask:p95=1ms", "tell:p95=2ms", "p95=3ms"]), None);
    }
}
