//! Whether there is any objective to miss.

use blis_sim::model::Model;

use crate::exit::Failure;

/// Refuses a model without an objective: any load would do.
///
/// # Errors
/// [`Failure::Usage`] that says how to give one.
pub fn refuse_none<P>(model: &Model<P>) -> Result<(), Failure> {
    let judged = model.actions.iter().any(|action| {
        let slo = &action.slo;
        slo.judges_tries() || slo.deliveries.is_some() || slo.overall.is_some()
    });
    let mut consumers = model.consumers.iter();
    let grows = consumers.any(|one| one.growth_limit.is_some() || one.no_growth);
    match judged || grows {
        true => Ok(()),
        false => Err(Failure::Usage(
            "no objective is set; give one with --slo, such as --slo p99=50ms,errors=0.1%, or in the spec as `slo` of an action"
                .to_owned(),
        )),
    }
}
