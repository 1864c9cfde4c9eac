//! `blis whatif`: compares a spec with its variant on common random numbers.

use std::collections::BTreeMap;

use blis_sim::analysis::memory_of;
use blis_sim::replication::replicate_pair;
use blis_sim::result::{self, Compares, Comparison, compare};

use crate::cli::WhatifArgs;
use crate::commands::{Of, present};
use crate::exit::{Done, Failure};
use crate::interrupt::Interrupt;
use crate::progress::RunProgress;
use crate::provenance::identity;
use crate::report;
use crate::simulate::{threads, warm_up, watch};
use crate::workload::{self, Workload};

/// Runs both and reports how they differ. The exit code is the variant's.
///
/// # Errors
/// Those of [`workload::load_variant`] and of a run; [`Failure::Usage`] when nothing makes a variant, or the two would
/// not meet the same draws.
pub fn execute(args: &WhatifArgs) -> Result<Done, Failure> {
    let overrides = &args.overrides.judged_by(&args.objectives);
    let Some(file) = args.spec.file() else {
        return Err(Failure::Usage("there is no spec to compare".to_owned()));
    };
    if overrides.values.set.is_empty() {
        return Err(Failure::Usage(
            "the variant has no change; give one with --set, such as --set services.api.workers=5"
                .to_owned(),
        ));
    }
    let both = workload::load_variant(file, overrides)?;
    if both[0].model.seed != both[1].model.seed {
        return Err(Failure::Usage(
            "both sides use the same seed; set it with --seed".to_owned(),
        ));
    }
    let comparison = run(&both, args, &Interrupt::listen()?)?;
    present(
        args.format.chosen(),
        Of::Other,
        || report::whatif(&comparison),
        || comparison.to_json(),
    )?;
    let variant = &comparison.variant;
    Ok(match &variant.verdict {
        _ if variant.ended_by == result::INTERRUPTED => Done::Interrupted,
        Some(verdict) => Done::Judged(verdict.status),
        None => Done::Well,
    })
}

fn run(
    both: &[Workload; 2],
    args: &WhatifArgs,
    interrupt: &Interrupt,
) -> Result<Comparison, Failure> {
    let stop = || interrupt.asked();
    let [mut base, mut variant] = [both[0].model.clone(), both[1].model.clone()];
    let found = [
        warm_up(&mut base, &stop)?.is_some(),
        warm_up(&mut variant, &stop)?.is_some(),
    ];
    if found == [true, true] {
        // What is compared is the same stretch of the load.
        let later = base.limits.warmup.max(variant.limits.warmup);
        (base.limits.warmup, variant.limits.warmup) = (later, later);
    }
    let threads = threads(&base, args.threads).min(threads(&variant, args.threads));
    let mut progress = RunProgress::new(args.progress.quiet);
    let pairs = replicate_pair(
        [&base, &variant],
        args.replications,
        threads,
        watch(&stop, threads),
        |done| progress.show_replications(done, args.replications),
    );
    progress.finish();
    let changes: BTreeMap<String, String> = args
        .overrides
        .values
        .set
        .iter()
        .map(|set| (set.path().to_owned(), set.value().to_owned()))
        .collect();
    let sides = [
        Compares {
            model: &base,
            memory: memory_of(&base),
            spec: identity(&both[0]),
        },
        Compares {
            model: &variant,
            memory: memory_of(&variant),
            spec: identity(&both[1]),
        },
    ];
    Ok(compare(sides, changes, &pairs?))
}
