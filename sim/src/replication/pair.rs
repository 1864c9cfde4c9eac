//! Two models on common random numbers.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use super::plan::Replicated;
use super::pool::{Flow, in_order};
use super::run::{Finished, Halt, Watch, simulate};
use super::seed_of;
use crate::engine::LoadEnd;
use crate::model::Model;

/// Two models, replicated on the same seeds: replication r of one and of the other meet the same draws wherever
/// names are the same.
#[derive(Debug, Clone)]
pub struct Paired {
    /// Of the first model.
    pub base: Replicated,
    /// Of the second.
    pub variant: Replicated,
}

impl Paired {
    fn interrupt(&mut self) {
        for side in [&mut self.base, &mut self.variant] {
            side.together.ended_by = LoadEnd::Interrupted;
        }
    }
}

/// Runs this many replications of two models, each pair on the seed [`seed_of`] derives from the first model's; `see` is
/// told how many pairs are done.
///
/// When they are told to stop, the pairs that were completed are kept, and both are marked as interrupted.
///
/// # Errors
/// The [`Halt`] of the first pair that has one.
pub fn replicate_pair(
    [base, variant]: [&Model; 2],
    replications: u64,
    threads: NonZeroUsize,
    watch: Watch<'_>,
    mut see: impl FnMut(u64),
) -> Result<Paired, Halt> {
    let job = |number: u64, unwanted: &AtomicBool| -> (u64, Result<[Finished; 2], Halt>) {
        let seed = seed_of(base.seed, number);
        let stop = || (watch.stop)() || unwanted.load(Ordering::Relaxed);
        let watch = Watch {
            stop: &stop,
            ..watch
        };
        let run = |model: &Model| {
            let mut model = model.clone();
            model.seed = seed;
            simulate(&model, watch, |_| {})
        };
        let both = run(base).and_then(|base| Ok([base, run(variant)?]));
        (seed, both)
    };
    let mut so_far: Option<Paired> = None;
    let mut halted = None;
    in_order(replications.max(1), threads, job, |number, (seed, both)| {
        let [base, variant] = match both {
            Ok(both) => both,
            Err(halt) => {
                halted = Some(halt);
                return Flow::Stop;
            }
        };
        let stopped = |run: &Finished| run.ended_by == LoadEnd::Interrupted;
        let interrupted = stopped(&base) || stopped(&variant);
        match &mut so_far {
            None => {
                so_far = Some(Paired {
                    base: Replicated::first(seed, base),
                    variant: Replicated::first(seed, variant),
                });
            }
            Some(_) if interrupted => {}
            Some(pairs) => {
                pairs.base.add(seed, base);
                pairs.variant.add(seed, variant);
            }
        }
        see(number + 1);
        if interrupted {
            so_far.iter_mut().for_each(Paired::interrupt);
            return Flow::Stop;
        }
        Flow::GoOn
    });
    match (so_far, halted) {
        (_, Some(halt)) => Err(halt),
        (Some(pairs), None) => Ok(pairs),
        (None, None) => unreachable!("there is at least one pair, which ends or halts"),
    }
}
