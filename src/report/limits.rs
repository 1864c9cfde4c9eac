//! The bottleneck and the limits of the system, in words and as a table: the same for a check and for a run.

use blis_sim::result::{Bottleneck, ConstraintResult, LimitKind};

use super::number::{count, millis, percent, significant};
use super::parts::Fact;
use super::table::Table;

/// What limits the system first. `in_use` says of how much of it was in use, where that is known.
pub fn fact(bottleneck: &Bottleneck, in_use: impl Fn(&ConstraintResult, f64) -> String) -> Fact {
    let constraint = &bottleneck.constraint;
    let used = constraint
        .utilisation
        .map_or(String::new(), |used| in_use(constraint, used));
    let mut fact = Fact::new("limit", format!("{}{used}", sentence(constraint)));
    if let Some(left) = constraint.available {
        fact.add(format!(
            "outages and slow-downs leave {} of its capacity",
            percent(left)
        ));
    }
    if let Some(usable) = constraint.usable {
        fact.add(format!(
            "members are drawn at random: the slowest is overloaded from {} of their total capacity on",
            percent(usable)
        ));
    }
    if !bottleneck.tied_with.is_empty() {
        fact.add(format!(
            "same capacity: {}",
            bottleneck.tied_with.join(", ")
        ));
    }
    if let Some(users) = bottleneck.saturation_users {
        fact.add(format!(
            "saturation at {} users (N*); with more, some always wait",
            count(users.floor() as u64)
        ));
    }
    fact
}

/// How much of a limit a run had in use.
pub fn was_used(constraint: &ConstraintResult, used: f64) -> String {
    match constraint.limit {
        LimitKind::Workers => format!(", {} busy", percent(used)),
        LimitKind::AdmissionRate => format!(", {} used", percent(used)),
        _ => format!(", {} in use", percent(used)),
    }
}

/// How much of a limit the offered load is.
pub fn is_offered(_: &ConstraintResult, load: f64) -> String {
    format!("; offered load: {} of that", percent(load))
}

fn sentence(constraint: &ConstraintResult) -> String {
    let of = constraint.of().unwrap_or_default();
    let key = constraint.limit.key();
    let places = significant_whole(constraint.places);
    let held = millis(constraint.held_ms);
    let through = |what: &str| match rates(constraint) {
        (_, Some(requests), true) => format!("let {requests} requests/s through"),
        (own, Some(requests), false) => {
            format!("let {own} {what}/s through, at this mix {requests} requests/s")
        }
        (own, None, _) => format!("let {own} {what}/s through"),
    };
    match constraint.limit {
        LimitKind::Workers => {
            let carry = match rates(constraint) {
                (_, Some(requests), true) => format!("carry {requests} requests/s"),
                (own, Some(requests), false) => {
                    format!("serve {own} visits/s, at this mix {requests} requests/s")
                }
                (own, None, _) => format!("serve {own} visits/s"),
            };
            format!("{of} limits the system: its workers {carry}")
        }
        LimitKind::MaxAckPending | LimitKind::Prefetch => format!(
            "{key} of {of} limits the system: {places} messages of {held} each {}",
            through("messages")
        ),
        LimitKind::AdmissionInFlight => format!(
            "{key} of {of} limits the system: {places} visits of {held} each {}",
            through("visits")
        ),
        LimitKind::AdmissionRate => format!(
            "{key} of {of} limits the system: its tokens {}",
            through("visits")
        ),
        LimitKind::MaxInFlight => {
            let (requests, lets) = match constraint.places <= 1.0 {
                true => ("request", through("requests").replacen("let", "lets", 1)),
                false => ("requests", through("requests")),
            };
            format!("{key} limits the load: {places} {requests} of {held} each {lets}")
        }
    }
}

/// What goes through per second, in its own unit and in requests, and whether they are the same: where not every request
/// needs one of it, the two differ and want explaining.
fn rates(constraint: &ConstraintResult) -> (String, Option<String>, bool) {
    let own = significant(constraint.capacity_per_s);
    let requests = constraint.capacity_rps.map(significant);
    let same = requests.as_ref() == Some(&own);
    (own, requests, same)
}

fn significant_whole(places: f64) -> String {
    count(places.round() as u64)
}

/// Every limit, the tightest first. Nothing where there are only workers, which the table of services has.
pub fn table(constraints: &[ConstraintResult], in_use: &str) -> Option<Table> {
    let more = |one: &ConstraintResult| one.limit != LimitKind::Workers || one.available.is_some();
    if !constraints.iter().any(more) {
        return None;
    }
    let mut table = Table::new(&["limit", "of", "places", "held for", "capacity", in_use]);
    for one in constraints {
        let through = match one.capacity_rps {
            Some(requests) => format!("{} requests/s", significant(requests)),
            None => format!("{}/s", significant(one.capacity_per_s)),
        };
        table.row([
            one.limit.key().to_owned(),
            one.of().unwrap_or("the run").to_owned(),
            significant_whole(one.places),
            millis(one.held_ms),
            through,
            one.utilisation.map_or("-".to_owned(), percent),
        ]);
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_of_an_admission_rate_are_used() {
        let constraint = ConstraintResult {
            limit: LimitKind::AdmissionRate,
            service: Some("api".to_owned()),
            consumer: None,
            client: None,
            places: 1.0,
            held_ms: 20.0,
            available: None,
            usable: None,
            capacity_per_s: 50.0,
            capacity_rps: Some(50.0),
            utilisation: Some(0.664),
        };
        // Refused requests used no tokens.
        assert_eq!(
            format!("{}{}", sentence(&constraint), was_used(&constraint, 0.664)),
            "admission.rate of api limits the system: its tokens let 50.00 requests/s through, 66.4 % used"
        );
    }
}
