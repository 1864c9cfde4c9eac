//! Lowers services to the model.

use super::{Findings, Names, conditions, distributions, members, sizes};
use crate::model::{Admission, Dispatch, LiveModel, OnTimeout, Order, Service, Step};
use crate::spec::spanned::Spanned;
use crate::spec::syntax;

pub fn lower(spec: &syntax::Spec, names: &Names<'_>, findings: &mut Findings) -> Vec<Service> {
    let services = spec.services.iter().flat_map(|services| &services.value.0);
    services
        .map(|(name, written)| {
            let mut service = lower_one(name, written, findings);
            conditions::lower(written, &mut service, spec, names, findings);
            service
        })
        .collect()
}

fn lower_one(
    name: &Spanned<String>,
    service: &syntax::Service,
    findings: &mut Findings,
) -> Service {
    let members = members::lower(name, service, findings);
    if let Some(dispatch) = &service.dispatch
        && members.count() == 1
    {
        let error = dispatch.error("`dispatch` has no effect on a service with one member");
        findings.error(
            error
                .help("remove it, or give `members` of 2 or more")
                .absence(),
        );
    }
    Service {
        name: name.value.clone(),
        members,
        dispatch: match service.dispatch.as_ref().map(|dispatch| dispatch.value) {
            None | Some(syntax::Dispatch::Random) => Dispatch::Random,
            Some(syntax::Dispatch::Shared) => Dispatch::Shared,
            Some(syntax::Dispatch::LeastLoaded) => Dispatch::LeastLoaded,
        },
        time: distributions::time(&service.time, findings),
        per_byte: sizes::per_byte(service, findings),
        queue_limit: queue_limit(service, findings),
        errors: service.errors.as_ref().map_or(0.0, |errors| errors.value.0),
        on_timeout: match service
            .on_timeout
            .as_ref()
            .map(|on_timeout| on_timeout.value)
        {
            None | Some(syntax::OnTimeout::Stay) => OnTimeout::Stay,
            Some(syntax::OnTimeout::Leave) => OnTimeout::Leave,
            Some(syntax::OnTimeout::Abandon) => OnTimeout::Abandon,
        },
        order: Order::Fifo,
        load: None,
        cold_start: None,
        admission: Admission::default(),
        outages: Vec::new(),
        slow_downs: Vec::new(),
        error_bursts: Vec::new(),
    }
}

fn queue_limit(service: &syntax::Service, findings: &mut Findings) -> Option<u32> {
    let queue = service.queue.as_ref()?;
    if queue.value.limit.is_none() && queue.value.order.is_none() {
        findings.error(
            queue
                .error("an empty `queue` has no effect")
                .help("give `limit`, or remove `queue`")
                .absence(),
        );
    }
    let limit = queue.value.limit.as_ref()?;
    let narrow = u32::try_from(limit.value.0);
    if narrow.is_err() {
        let error = limit.error(format!("a queue limit of {} is too large", limit.value));
        findings.error(error.help(format!(
            "give up to {}, or leave `limit` out for no limit",
            u32::MAX
        )));
    }
    narrow.ok()
}

/// Work can only be withdrawn when somebody gives up waiting.
pub fn check_timeouts(spec: &syntax::Spec, model: &LiveModel, findings: &mut Findings) {
    let services = spec.services.iter().flat_map(|services| &services.value.0);
    for ((_, service), lowered) in services.zip(&model.services) {
        if let Some(on_timeout) = &service.on_timeout
            && lowered.on_timeout != OnTimeout::Stay
            && model.clients.iter().all(|client| client.timeout.is_none())
        {
            let error =
                on_timeout.error("`on_timeout` has no effect because no client has a timeout");
            findings.error(error.help("give a client a `timeout`, or remove `on_timeout`"));
        }
    }
    warn_of_unvisited(spec, model, findings);
}

fn warn_of_unvisited(spec: &syntax::Spec, model: &LiveModel, findings: &mut Findings) {
    let mut visited = vec![false; model.services.len()];
    for step in &model.program {
        if let Step::Visit(visit) = step {
            visited[visit.service.index()] = true;
        }
    }
    // A consumer's deliveries visit its service; copies of a fan-out have no path of their own.
    for service in model.fan_outs.iter().filter_map(|fan_out| fan_out.service) {
        visited[service.index()] = true;
    }
    let services = spec.services.iter().flat_map(|services| &services.value.0);
    for ((name, _), visited) in services.zip(visited) {
        if !visited {
            findings.warn(name.error(format!("the service `{}` is never visited", name.value)));
        }
    }
}
