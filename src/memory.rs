//! Whether a model fits into free memory, checked before it is built.
//!
//! Only what the spec fixes is counted: closed-loop users, the figures of services and of clients' actions, and the members of
//! queue groups. The queues of an open load are not known beforehand: a run checks [`most_requests`] as it goes.

use std::num::NonZeroUsize;
use std::path::Path;

use blis_sim::model::{Client, Model, Source};

use crate::exit::Failure;

/// Bytes that a closed user takes at most: itself, its event, and its request in flight inside the backend, while
/// the tables that hold them grow.
const PER_USER: u64 = 384;
/// Bytes of the arrival process of one member of an open client: itself and its event, while the tables that hold them
/// grow.
const PER_PROCESS: u64 = 128;
/// Bytes of the histogram of one service's waiting times.
const PER_SERVICE: u64 = 450_000;
/// Bytes of one member of a queue group.
const PER_MEMBER: u64 = 32;
/// Bytes of the histograms of one action of one client, on one side of the warm-up.
const PER_CELL: u64 = 450_000;

/// Bytes of the batches of one action of one client, where there are few enough to be kept apart.
const PER_SECTIONED: u64 = 660_000;
/// The most actions of clients of which batches are kept.
const MOST_SECTIONED: u64 = 64;

/// Refuses a model that would not fit into the memory that is free.
///
/// Where the machine does not say how much that is, the model is let through.
///
/// # Errors
/// [`Failure::Usage`] with the memory it would take, and what takes most of it.
pub fn suffices<P>(model: &Model<P>) -> Result<(), Failure> {
    let parts = parts(model);
    let needed = sum(&parts);
    let (Some(available), Some(largest)) =
        (available(), parts.iter().max_by_key(|part| part.bytes))
    else {
        return Ok(());
    };
    if needed <= available {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "this spec needs up to {} MB of memory, but only {} MB are free; most of it is for {} {}: use fewer",
        needed / 1_000_000,
        available / 1_000_000,
        largest.number,
        largest.what
    )))
}

/// The largest number of requests that may be waiting or in flight together in the memory that is free.
///
/// Unlimited where the machine does not say how much that is.
pub fn most_requests() -> u64 {
    available().map_or(u64::MAX, |bytes| bytes / PER_USER)
}

/// As many of these threads as there is memory for the replications of a model that they hold: each has one that runs,
/// and one that waits to be merged. At least one.
pub fn threads<P>(model: &Model<P>, wanted: NonZeroUsize) -> NonZeroUsize {
    let each = 2 * sum(&parts(model)).max(1);
    let fit = available().map_or(u64::MAX, |bytes| bytes / each);
    let fit = usize::try_from(fit).unwrap_or(usize::MAX);
    NonZeroUsize::new(fit).map_or(NonZeroUsize::MIN, |fit| fit.min(wanted))
}

fn sum(parts: &[Holding]) -> u64 {
    parts
        .iter()
        .fold(0u64, |sum, part| sum.saturating_add(part.bytes))
}

/// Something of which a model has a number.
struct Holding {
    what: &'static str,
    number: u64,
    bytes: u64,
}

fn parts<P>(model: &Model<P>) -> [Holding; 5] {
    let part = |what, number: u64, each: u64| Holding {
        what,
        number,
        bytes: number.saturating_mul(each),
    };
    let users = model.clients.iter().map(Client::closed_users);
    let open = model
        .clients
        .iter()
        .filter(|client| matches!(client.source, Source::Open { .. }));
    let processes = open.map(|client| u64::from(client.population.get()));
    let members = model.services.iter().map(|service| service.members.count());
    let cells: usize = model
        .clients
        .iter()
        .map(|client| client.mix.shares.len())
        .sum();
    let warms_up = model.limits.find_warmup || model.limits.warmup > blis_sim::time::Time::ZERO;
    let sides = 1 + u64::from(warms_up);
    let batches = match cells as u64 {
        few if few <= MOST_SECTIONED => PER_SECTIONED,
        _ => 0,
    };
    [
        part("users", users.sum(), PER_USER),
        part("copies of cohorts", processes.sum(), PER_PROCESS),
        part("services", model.services.len() as u64, PER_SERVICE),
        part("members", members.map(u64::from).sum(), PER_MEMBER),
        part(
            "actions of clients (counted by client)",
            cells as u64,
            sides * PER_CELL + batches,
        ),
    ]
}

/// Bytes that can be had without swapping: the least of what the machine, the control group and the limits of the
/// process leave, as far as Linux tells them.
fn available() -> Option<u64> {
    let control_group_2 = || {
        let folder = Path::new("/sys/fs/cgroup");
        group_leaves(&folder.join("memory.max"), &folder.join("memory.current"))
    };
    let control_group_1 = || {
        let folder = Path::new("/sys/fs/cgroup/memory");
        group_leaves(
            &folder.join("memory.limit_in_bytes"),
            &folder.join("memory.usage_in_bytes"),
        )
    };
    [
        machine_leaves(),
        control_group_2(),
        control_group_1(),
        address_space(),
    ]
    .into_iter()
    .flatten()
    .min()
}

fn machine_leaves() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// What a control group (a container's, for one) leaves; `None` when it has no limit.
fn group_leaves(limit: &Path, used: &Path) -> Option<u64> {
    let number = |path: &Path| -> Option<u64> {
        let text = std::fs::read_to_string(path).ok()?;
        text.trim().parse().ok()
    };
    Some(number(limit)?.saturating_sub(number(used)?))
}

/// The limit of the process's address space; `None` when there is none.
fn address_space() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/limits").ok()?;
    let limit = text
        .lines()
        .find_map(|line| line.strip_prefix("Max address space"))?;
    limit.split_whitespace().next()?.parse().ok()
}
