//! `blis trace`: prints one row per request of a recorded run, as `--trace` writes them.

use std::io::{self, BufWriter, Write};

use blis_live::journal::What;

use crate::cli::TraceArgs;
use crate::exit::{Done, Failure, tell};
use crate::runs::recorded::{Counted, Recorded, losses};
use crate::runs::trace_rows::Rows;

/// Prints the rows as they are read.
///
/// # Errors
/// [`Failure::Usage`] when the directory holds none, or not all that its result says, which is found when those that are
/// there have been printed; [`Failure::Output`] when stdout cannot be written.
pub fn execute(args: &TraceArgs) -> Result<Done, Failure> {
    let recorded = Recorded::read(&args.run, "trace")?;
    let (workload, mut entries) = recorded.rows()?;
    let unwritten = |why: io::Error| Failure::Output {
        to: "stdout".to_owned(),
        why,
    };
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let rows = match recorded.is_live() {
        true => Rows::of_live,
        false => Rows::new,
    };
    let mut rows = rows(out, args.format, &workload.model);
    let mut written = rows.header(&workload);
    let mut counted = Counted::default();
    for entry in entries.by_ref() {
        let entry = entry?;
        counted.count(&entry);
        if let What::Done(row) = entry.what {
            written = written.and_then(|()| rows.row(&row, &entry.headers));
        }
        if written.is_err() {
            break;
        }
    }
    let is_whole = match written.and_then(|()| rows.out().flush()) {
        Ok(()) => true,
        // A reader that has seen enough is not an error, and not all was read.
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => false,
        Err(why) => return Err(unwritten(why)),
    };
    match recorded {
        Recorded::Ended(finished) if is_whole => finished.hold_against(&counted, &entries)?,
        Recorded::Ended(_) => {}
        Recorded::Unfinished(_) => {
            tell(&format!(
                "blis: {} has no result: the run was interrupted or is still going on; showing the requests known to have ended\n",
                args.run.display()
            ));
            for loss in losses(counted.rows, &entries) {
                tell(&format!("blis: {loss}\n"));
            }
        }
    }
    Ok(Done::Well)
}
