//! Lowers the members of a queue group to the model.

use std::num::NonZeroU32;

use super::Findings;
use super::numbers::at_least_one;
use crate::model::{MemberKind, Members};
use crate::spec::distribution::Number;
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{self, Dispatch, Member, Service};
use crate::spec::units::Count;

/// Most members of a queue group.
const MAX_MEMBERS: u64 = 1_000_000;
/// Most workers of a member.
const MAX_WORKERS: u64 = 1_000_000_000;
/// Speeds are between the inverse of this and this.
const MAX_SPEED: f64 = 1e6;

/// The members of a service, each with its workers and its speed.
pub fn lower(name: &Spanned<String>, service: &Service, findings: &mut Findings) -> Members {
    let workers = service.workers.as_ref();
    let each = workers.map(|workers| count_of_workers(workers, findings));
    let Some(members) = &service.members else {
        return Members::alike(
            NonZeroU32::MIN,
            each.unwrap_or_else(|| needs(name, findings)),
        );
    };
    match &members.value {
        syntax::Members::Alike(count) => {
            let count = at_least_one(count, "member", "members", MAX_MEMBERS, findings);
            Members::alike(count, each.unwrap_or_else(|| needs(name, findings)))
        }
        syntax::Members::Each(list) => listed(members, list, service, each, findings),
    }
}

fn count_of_workers(workers: &Spanned<Count>, findings: &mut Findings) -> NonZeroU32 {
    at_least_one(workers, "worker", "workers", MAX_WORKERS, findings)
}

/// Nothing says how many workers there are.
fn needs(name: &Spanned<String>, findings: &mut Findings) -> NonZeroU32 {
    let error = name.error("a service needs the key `workers`");
    findings.error(error.help("give `workers`, such as `workers: 4`").absence());
    NonZeroU32::MIN
}

fn listed(
    members: &Spanned<syntax::Members>,
    list: &[Spanned<Member>],
    service: &Service,
    each: Option<NonZeroU32>,
    findings: &mut Findings,
) -> Members {
    if let Some(workers) = &service.workers
        && !list.is_empty()
        && list.iter().all(|member| member.value.workers.is_some())
    {
        let error = workers.error("`workers` has no effect: every member has its own `workers`");
        findings.error(error.help("remove it here, or from a member").absence());
    }
    let mut kinds = list.iter().map(|member| kind(member, each, findings));
    let Some(first) = kinds.next() else {
        drop(kinds);
        let error = members.error("there must be at least one member");
        let help = "give a list such as `[{workers: 1, speed: 0.5}, {workers: 2}]`, or a number";
        findings.error(error.help(help));
        return Members::alike(NonZeroU32::MIN, NonZeroU32::MIN);
    };
    let rest: Vec<MemberKind> = kinds.collect();
    let all = rest.iter().chain([&first]);
    let count = all.fold(0, |all: u64, kind| all + u64::from(kind.count.get()));
    let lowered = Members::new(first, rest);
    if count > MAX_MEMBERS {
        let error = members.error(format!("{count} members are too many"));
        findings.error(error.help(format!("give up to {MAX_MEMBERS} in all")));
    }
    let shared = service.dispatch.as_ref();
    if shared.is_some_and(|dispatch| dispatch.value == Dispatch::Shared)
        && !lowered.have_one_speed()
    {
        let error = members.error("members that share one queue must have the same speed");
        findings.error(error.help("give all the same `speed`, or the service another `dispatch`"));
    }
    lowered
}

fn kind(member: &Spanned<Member>, each: Option<NonZeroU32>, findings: &mut Findings) -> MemberKind {
    let Member {
        count,
        workers,
        speed,
    } = &member.value;
    let own = workers.as_ref();
    let own = own.map(|workers| count_of_workers(workers, findings));
    if own.or(each).is_none() {
        let error = member.error("a member needs the key `workers`, because its service has none");
        let help = "give it `workers`, or the service `workers` for all its members";
        findings.error(error.help(help).absence());
    }
    MemberKind {
        count: count.as_ref().map_or(NonZeroU32::MIN, |count| {
            at_least_one(count, "member", "members", MAX_MEMBERS, findings)
        }),
        workers: own.or(each).unwrap_or(NonZeroU32::MIN),
        speed: speed.as_ref().map_or(1.0, |speed| factor(speed, findings)),
    }
}

fn factor(speed: &Spanned<Number>, findings: &mut Findings) -> f64 {
    let factor = speed.value.0;
    if (1.0 / MAX_SPEED..=MAX_SPEED).contains(&factor) {
        return factor;
    }
    let error = speed.error(format!("a speed of {} is out of range", speed.value));
    findings.error(error.help(format!(
        "give a factor from {} to {MAX_SPEED}: service times are divided by it",
        1.0 / MAX_SPEED
    )));
    1.0
}
