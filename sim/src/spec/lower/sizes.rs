//! Lowers the sizes of requests, and their share of service times.

use super::{Findings, distributions};
use crate::dist::Dist;
use crate::model::{LiveModel, Payload, Sizes, Step, Template};
use crate::spec::distribution::Distribution;
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{BySize, Service, Spec};
use crate::spec::units::Size;

/// The most bytes of a payload: the most that a server can be set to take.
pub const MAX_PAYLOAD: u64 = 64 << 20;
/// The most bytes that are drawn unless the spec says it: what a server takes by default is 1 MiB with the headers.
const DEFAULT_MOST: u64 = 1_000_000;

/// A payload of a size, or of one that is drawn.
pub fn payload(
    size: &Spanned<Distribution<Size>>,
    at_most: Option<&Spanned<Size>>,
    findings: &mut Findings,
) -> (Payload, Sizes) {
    match &size.value {
        Distribution::Bare(bytes) | Distribution::Constant(bytes) => {
            if let Some(at_most) = at_most {
                let error = at_most.error("`at_most` has no effect on a constant size");
                findings.error(error.help("remove it, or give a distribution of sizes"));
            }
            fixed(bounded(bytes, findings))
        }
        _ => {
            let law = distributions::size(size, findings);
            let most = u32::try_from(most(size, &law, at_most, findings)).unwrap_or(u32::MAX);
            let sizes = Sizes::new(law, most);
            let most = sizes.most() as usize;
            (Payload::Drawn { most }, sizes)
        }
    }
}

/// A payload that is always so large.
pub fn fixed(bytes: u64) -> (Payload, Sizes) {
    let sizes = Sizes::fixed(u32::try_from(bytes).unwrap_or(u32::MAX));
    (Payload::Size(usize::try_from(bytes).unwrap_or(0)), sizes)
}

/// A text, whose size is known where it has no places.
pub fn text(text: Template) -> (Payload, Option<Sizes>) {
    let bytes = text
        .fixed()
        .map(|text| Sizes::fixed(u32::try_from(text.len()).unwrap_or(u32::MAX)));
    (Payload::Text(text), bytes)
}

/// A number of bytes that some server takes.
fn bounded(bytes: &Spanned<Size>, findings: &mut Findings) -> u64 {
    if bytes.value.0 > MAX_PAYLOAD {
        let error = bytes.error(format!(
            "a payload of {} is more than any server takes",
            bytes.value
        ));
        findings.error(error.help("a payload may have up to 64MiB"));
    }
    bytes.value.0.min(MAX_PAYLOAD)
}

/// The most bytes that are drawn of a law.
fn most(
    size: &Spanned<Distribution<Size>>,
    law: &Dist,
    at_most: Option<&Spanned<Size>>,
    findings: &mut Findings,
) -> u64 {
    let bound = law.upper_bound().map(|bound| (bound + 0.5) as u64);
    let Some(at_most) = at_most else {
        if let Some(bound) = bound.filter(|bound| *bound > MAX_PAYLOAD) {
            let error = size.error(format!(
                "a payload of {bound}B is more than any server takes"
            ));
            findings.error(error.help("give up to 64MiB, or cut drawn sizes with `at_most`"));
        }
        return bound.unwrap_or(DEFAULT_MOST).min(MAX_PAYLOAD);
    };
    let most = bounded(at_most, findings);
    if most == 0 {
        let error = at_most.error("`at_most` is 0B: every request would be empty");
        findings.error(error.help("give a size above zero"));
    }
    if let Some(bound) = bound.filter(|bound| *bound <= most) {
        let error = at_most.error(format!(
            "`at_most` has no effect on sizes of up to {bound}B"
        ));
        findings.error(error.help("remove it, or give a smaller one"));
    }
    most
}

/// Whether any service time depends on the size of requests.
pub fn matter(spec: &Spec) -> bool {
    let services = spec.services.iter().flat_map(|services| &services.value.0);
    services
        .into_iter()
        .any(|(_, service)| service.by_size.is_some())
}

/// Nanoseconds for each byte.
pub fn per_byte(service: &Service, findings: &mut Findings) -> Option<f64> {
    let BySize { time, per } = &service.by_size.as_ref()?.value;
    if time.value.0 <= 0.0 {
        let error = time.error(format!("`time` is {}", time.value));
        findings.error(error.help("give a time above zero, or remove `by_size`"));
    }
    if per.value.0 == 0 {
        let error = per.error(format!("`per` is {}", per.value));
        findings.error(error.help("give a size above zero, such as `1KiB`"));
        return None;
    }
    Some(time.value.0 / per.value.0 as f64)
}

/// Sizes are of requests: whoever else works at a service has none, and neither have all requests.
pub fn check(spec: &Spec, model: &LiveModel, findings: &mut Findings) {
    let services = spec.services.iter().flat_map(|services| &services.value.0);
    for ((name, service), at) in services.zip(0..) {
        let Some(by_size) = &service.by_size else {
            continue;
        };
        let visits =
            |step: &Step| matches!(step, Step::Visit(visit) if visit.service.index() == at);
        let consumes = model.consumers.iter().any(|consumer| {
            let steps = steps_from(model, consumer.entry as usize);
            steps.iter().any(visits)
        });
        let subscribes = model
            .fan_outs
            .iter()
            .any(|fan_out| fan_out.service.is_some_and(|service| service.index() == at));
        if consumes || subscribes {
            let who = if consumes { "a consumer" } else { "a fan-out" };
            let error = by_size.error(format!(
                "{who} uses the service `{}`, which is `by_size`, but deliveries have no size",
                name.value
            ));
            findings
                .error(error.help("remove `by_size`, or use a separate service for deliveries"));
        }
        let mut sized = false;
        for (action, written) in model.actions.iter().zip(&spec.actions.value.0) {
            let path = action
                .path
                .map(|path| steps_from(model, path.entry as usize));
            if !path.unwrap_or_default().iter().any(visits) {
                continue;
            }
            let payload = written.1.payload.as_ref();
            sized |= action.size.as_ref().is_some_and(|size| size.most() > 0);
            if let (None, Some(payload)) = (&action.size, payload) {
                sized = true;
                let error = payload.error(format!(
                    "the size of this payload is not known before it is sent, but the service `{}` is `by_size`",
                    name.value
                ));
                findings.error(error.help("give `size`, or a text without placeholders"));
            }
        }
        if !sized {
            let error = by_size.error(format!(
                "`by_size` has no effect because no request that visits `{}` has a payload",
                name.value
            ));
            findings.error(error.help("give its action one, such as `payload: {size: 4KiB}`"));
        }
    }
}

/// The steps of the path that begins here.
fn steps_from(model: &LiveModel, first: usize) -> &[Step] {
    let paths = model.actions.iter().filter_map(|action| action.path);
    let actions = paths.map(|path| path.entry as usize);
    let consumers = model
        .consumers
        .iter()
        .map(|consumer| consumer.entry as usize);
    let end = actions
        .chain(consumers)
        .filter(|entry| *entry > first)
        .min()
        .unwrap_or(model.program.len());
    &model.program[first..end]
}
