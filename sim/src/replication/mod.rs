//! Independent replications of a model: run on all cores, reduced in their order.
//!
//! Replication r is a run of the model with the seed [`seed_of`]`(seed, r)`; replication 0 is the plain run. What comes
//! out is the same to the last bit for any number of threads: replications are added one after another in their
//! order, and stopping rules look at nothing else. In memory are no more replications at a time than twice the number
//! of threads.

mod length;
mod pair;
mod pilot;
mod plan;
mod pool;
mod run;
mod spread;

pub use length::{Length, Short};
pub use pair::{Paired, replicate_pair};
pub use pilot::{Pilot, Unsteady, find_warmup};
pub use plan::{Plan, Reached, Replicated, replicate};
pub use pool::{Flow, in_order};
pub use run::{Finished, Halt, Outgrown, Watch, simulate, simulate_as_far};
pub(crate) use run::{drive, finished};
pub use spread::{QUANTILES, Spread, Tail};

use sha2::{Digest, Sha256};

/// The number that stands for the pilot run in [`seed_of`].
pub const PILOT: u64 = u64::MAX;

/// The seed of a replication: the seed itself for replication 0, otherwise the first eight bytes, least significant
/// first, of the SHA-256 over `replication`, the seed and the number, both as eight bytes, least significant first.
pub fn seed_of(seed: u64, replication: u64) -> u64 {
    if replication == 0 {
        return seed;
    }
    let mut hash = Sha256::new();
    hash.update(b"replication");
    hash.update(seed.to_le_bytes());
    hash.update(replication.to_le_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_of_replications_are_fixed_and_differ() {
        assert_eq!(seed_of(42, 0), 42);
        let mut seeds: Vec<u64> = (0..1000).map(|r| seed_of(42, r)).collect();
        seeds.push(seed_of(42, PILOT));
        seeds.push(seed_of(43, 1));
        let first = seeds.clone();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), first.len());
        // printf 'replication' with 42 and 1 as little-endian words, through sha256sum.
        assert_eq!(seed_of(42, 1), 10_354_607_973_086_406_905);
    }
}
