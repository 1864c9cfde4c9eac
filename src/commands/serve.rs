//! `blis serve`: plays the backend of a spec on NATS.

use blis_live::double::Played;
use blis_live::serve;
use blis_sim::measure::Times;

use crate::cli::ServeArgs;
use crate::commands::print;
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::nats_access;
use crate::workload;

/// Plays the backend until it is interrupted, and says how well it kept up.
///
/// # Errors
/// Those of [`workload::load`] and [`nats_access::resolve`]; [`Failure::Connect`] when there is no connection.
pub fn execute(args: &ServeArgs) -> Result<Done, Failure> {
    let workload = workload::load(args.spec.as_deref(), &Default::default(), &args.overrides)?;
    let (target, access) = nats_access::resolve(&args.target)?;
    if blis_live::double::subjects(&workload.model).is_empty() {
        return Err(Failure::Usage(
            "no action of the spec says to which subject it is sent: give one `live: {request: SUBJECT}`".to_owned(),
        ));
    }
    let interrupt = Interrupt::listen()?;
    let played = serve::serve(
        &workload.model,
        &target,
        &access,
        &|| interrupt.asked(),
        |subjects| {
            tell(&format!(
                "blis: {} plays its backend at {}, listening to {}; Ctrl-C ends it\n",
                workload.model.name,
                target.names.join(", "),
                subjects.join(", ")
            ));
        },
    )?;
    print(&text(&played))?;
    Ok(Done::Well)
}

fn text(played: &Played) -> String {
    let mut text = format!("{} requests came", played.requests);
    for (outcome, number) in &played.answers {
        text.push_str(&format!(", {number} {outcome}"));
    }
    text.push('\n');
    if played.unknown > 0 {
        text.push_str(&format!(
            "{} of them were of no request of this spec, and have service times of their own\n",
            played.unknown
        ));
    }
    let quantile = |times: &Times, q| {
        times
            .quantile(q)
            .map_or(0.0, |span| span.as_millis_f64() * 1e3)
    };
    if !played.overrun.is_empty() {
        text.push_str(&format!(
            "overrun: half of what the model does was at most {:.0} us late, 99 % at most {:.0} us\n",
            quantile(&played.overrun, 0.5),
            quantile(&played.overrun, 0.99)
        ));
    }
    text.push_str(&format!(
        "at most {} requests were present together\n",
        played.most_present
    ));
    text
}
