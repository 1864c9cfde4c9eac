//! `blis cleanup`: lists or removes streams that doubles left behind.

use blis_live::double::serve;
use blis_sim::visible;

use crate::cli::CleanupArgs;
use crate::commands::print;
use crate::exit::{Done, Failure};
use crate::target::nats_access;

/// Removes the streams of a run, or lists the runs that have some.
///
/// # Errors
/// Those of [`nats_access::resolve`]; [`Failure::Connect`] when there is no connection; [`Failure::Usage`] when the run
/// has no streams, or is still played.
pub fn execute(args: &CleanupArgs) -> Result<Done, Failure> {
    let (target, access) = nats_access::resolve(&args.target)?;
    let names = target.names.join(", ");
    let Some(run) = &args.run else {
        let made = serve::made(&target, &access)?;
        let mut text = String::new();
        for one in &made {
            let doubt = one.doubt.map(|doubt| format!(", but {doubt}"));
            text.push_str(&format!(
                "run {} of the spec {}: stream {}{}\n",
                visible::line(&one.run),
                visible::line(&one.spec),
                visible::line(&one.stream),
                doubt.unwrap_or_default(),
            ));
        }
        if made.is_empty() {
            text = format!("no streams of blis at {names}\n");
        }
        print(&text)?;
        return Ok(Done::Well);
    };
    let removed = serve::clean_up(&target, &access, run)?;
    if removed.is_empty() {
        return Err(Failure::Usage(format!(
            "run {run} has no streams at {names}; list the runs that have with `blis cleanup`"
        )));
    }
    let text: String = removed
        .iter()
        .map(|stream| format!("removed stream {stream} of run {run}\n"))
        .collect();
    print(&text)?;
    Ok(Done::Well)
}
