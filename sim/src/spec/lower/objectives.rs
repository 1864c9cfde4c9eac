//! Lowers the objectives of actions to the model: limits on quantiles and errors, each of which can be met and missed.

use super::run::span;
use super::{Findings, deliveries, quantiles};
use crate::model::{LiveModel, Slo};
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{self, Spec};
use crate::time::Span;

/// Warns of limits that no run can break: a response time is at most the timeout of those who wait for it.
pub fn warn_of_unmissable(spec: &Spec, model: &LiveModel, findings: &mut Findings) {
    for (index, (name, action)) in spec.actions.value.0.iter().enumerate() {
        let Some(slo) = &action.slo else { continue };
        let senders = model.clients.iter().filter(|client| {
            let mut shares = client.mix.shares.iter();
            shares.any(|(chosen, _)| chosen.index() == index)
        });
        let longest = senders
            .map(|client| client.timeout.unwrap_or(Span::MAX))
            .max();
        let Some(longest) = longest else { continue };
        let slo = &slo.value;
        for limit in slo
            .quantiles()
            .into_iter()
            .filter_map(|(.., limit)| limit.as_ref())
        {
            // The timeout counts from the sending, which may be late where requests wait for room.
            if span(limit.value) > longest && !model.holds_back() {
                let message = format!(
                    "the timeout of the clients of `{}` is {longest}, so this objective of {} cannot be missed",
                    name.value, limit.value
                );
                let help = "give a limit below the timeout, and `errors` for timeouts";
                findings.warn(limit.error(message).help(help));
            }
        }
        let overall = slo
            .overall
            .as_ref()
            .and_then(|slo| slo.value.errors.as_ref());
        for errors in slo.errors.iter().chain(overall) {
            if errors.value.0 < 1.0 {
                continue;
            }
            let message = "an objective of 100 % errors cannot be missed";
            findings.warn(errors.error(message).help("write one percent as `1%`"));
        }
    }
}

/// The objectives of an action.
pub fn lower(written: &Spanned<syntax::Slo>, findings: &mut Findings) -> Slo {
    let slo = &written.value;
    let quantiles = slo.quantiles();
    if slo.errors.is_none()
        && slo.overall.is_none()
        && slo.deliveries.is_none()
        && quantiles.iter().all(|(_, _, limit)| limit.is_none())
    {
        findings.error(
            written
                .error("an empty `slo` has no effect")
                .help(
                    "give `p50`, `p90`, `p95`, `p99`, `p999`, `errors`, `deliveries` or `overall`",
                )
                .absence(),
        );
    }
    let overall = slo.overall.as_ref().map(|overall| {
        if let Some(nested) = &overall.value.overall {
            findings.error(
                nested
                    .error("`overall` cannot contain `overall`")
                    .help("give its limits once, in the `overall` of the `slo`"),
            );
        }
        if let Some(deliveries) = &overall.value.deliveries {
            findings.error(
                deliveries
                    .error("`deliveries` cannot be in `overall`")
                    .help("give `deliveries` beside `overall`"),
            );
        }
        Box::new(lower(overall, findings))
    });
    Slo {
        quantiles: quantiles::limits("response", quantiles, findings),
        errors: slo.errors.as_ref().map(|errors| errors.value.0),
        deliveries: slo
            .deliveries
            .as_ref()
            .map(|written| Box::new(deliveries::limits(written, findings))),
        overall,
    }
}
