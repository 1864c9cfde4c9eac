//! `blis max-rps`: the largest load that keeps its objectives.

use blis_sim::spec::units::Rate;

use crate::ceiling::{self, Ended, Fate};
use crate::cli::{Format, MaxRpsArgs, OverrideArgs};
use crate::commands::{first_failure, print, service};
use crate::exit::{Done, Failure, tell};
use crate::report;
use crate::workload::Basis;

/// Searches and reports what was found.
///
/// # Errors
/// Those of [`ceiling::search`]; [`Failure::Output`] when the result cannot be written, which then was at least printed if
/// it could be.
pub fn execute(args: &MaxRpsArgs) -> Result<Done, Failure> {
    let is_live = is_live(args)?;
    let (ended, [csv, out]) = ceiling::search(args, basis(args)?, is_live)?;
    let (found, fate) = match ended {
        Ended::Planned(text) => {
            print(&text)?;
            return Ok(Done::Well);
        }
        Ended::Found(found, fate) => (found, fate),
    };
    let report = report::ceiling(&found);
    let printed = print(&match args.format.chosen() {
        Format::Text => report::text(&report),
        Format::Markdown => report::markdown(&report),
        Format::Json => found.to_json()?,
    });
    first_failure([csv, out, printed])?;
    match fate {
        Fate::Failed(why) => return Err(why),
        Fate::Lost => {
            tell(
                "blis: a connection to the server was lost and did not come back within 10 s: these are the bounds until then\n",
            );
            return Ok(Done::Disconnected);
        }
        Fate::Own => {}
    }
    Ok(match found.interrupted {
        true => Done::Interrupted,
        false => Done::Judged(ceiling::status(&found)),
    })
}

/// The spec with what the flags change in it.
fn basis(args: &MaxRpsArgs) -> Result<Basis, Failure> {
    let mut overrides = OverrideArgs {
        values: args.values.clone(),
        slo: args.objectives.slo.clone(),
        ..OverrideArgs::default()
    };
    let Some(flags) = service::flags(&args.service, args.spec.file(), &mut overrides)? else {
        return Basis::of(args.spec.file(), &args.clients, &overrides);
    };
    let mut clients = args.clients.clone();
    if clients.concurrency.is_none() && clients.rate.is_none() {
        // The search finds how many per second.
        clients.rate = Some(Rate(1.0));
    }
    Basis::of_service(&flags, &clients, &overrides)
}

/// Whether a real cluster is loaded. A variable alone does not make a search live.
fn is_live(args: &MaxRpsArgs) -> Result<bool, Failure> {
    let target = &args.target;
    if target.url.is_some() || target.context.is_some() || args.service.subject.is_some() {
        return Ok(true);
    }
    let flags = [
        ("--user", target.user.is_some()),
        ("--password", target.password.is_some()),
        ("--token", target.token.is_some()),
        ("--creds", target.creds.is_some()),
        ("--nkey", target.nkey.is_some()),
        ("--tlsca", target.tlsca.is_some()),
        ("--tlscert", target.tlscert.is_some()),
        ("--tlskey", target.tlskey.is_some()),
        ("--tlsfirst", target.tlsfirst),
        ("--inbox-prefix", target.inbox_prefix.is_some()),
        ("--js-domain", target.js_domain.is_some()),
        ("--js-api-prefix", target.js_api_prefix.is_some()),
        ("--allow-target", !target.allow_target.is_empty()),
        ("--allow-public", target.allow_public),
    ];
    match flags.into_iter().find(|(_, given)| *given) {
        None => Ok(false),
        Some((flag, _)) => Err(Failure::Usage(format!(
            "{flag} is about a server, and this search is simulated: give --url too, or leave it out"
        ))),
    }
}
