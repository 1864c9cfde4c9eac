//! Checks of actions without a path, and of paths that answer nobody.

use crate::model::{LiveModel, SendKind};
use crate::spec::error::{SpecError, shown};
use crate::spec::lower::Findings;
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{self, Spec};

/// What has no path is sent to a real backend, and nothing that is said of it concerns a simulated one.
pub(super) fn check_live_only(
    name: &Spanned<String>,
    action: &syntax::Action,
    findings: &mut Findings,
) {
    if action.live.is_none() {
        let error = name.error(format!(
            "the action `{}` has neither `path` nor `live`",
            shown(&name.value)
        ));
        findings.error(
            error
                .help(
                    "write `path: [{visit: api}, reply]` to simulate it, or `live: {request: SUBJECT}` to send it to a \
                     real service",
                )
                .absence(),
        );
    }
    let class = action.class.as_ref().map(|class| ("class", class.origin));
    let deadline = action.deadline.as_ref();
    let deadline = deadline.map(|deadline| ("deadline", deadline.origin));
    for (key, origin) in class.into_iter().chain(deadline) {
        let message = format!("`{key}` has no effect on an action without a path");
        let error = SpecError::about(origin, message);
        findings.error(error.help("remove it, or give the action a `path`"));
    }
}

/// Messages take their time only on the way to a backend that is simulated.
pub fn check_network(spec: &Spec, findings: &mut Findings) {
    let mut actions = spec.actions.value.0.iter();
    if let Some(network) = &spec.network
        && actions.all(|(_, action)| action.path.is_none())
    {
        let error = network
            .one_way
            .error("`network` has no effect: no action has a path");
        findings.error(
            error
                .help("remove it, or give an action a `path`")
                .absence(),
        );
    }
}

/// Refuses, for a simulation, every action that does not say what its requests do.
pub fn check_simulable(spec: &Spec, findings: &mut Findings) {
    let actions = spec.actions.value.0.iter();
    for (name, _) in actions.filter(|(_, action)| action.path.is_none()) {
        let error = name.error(format!(
            "the action `{}` has no path and cannot be simulated",
            shown(&name.value)
        ));
        findings.error(
            error
                .labelled("the work of its requests in the backend is not known")
                .help(
                    "add `path: [{visit: api}, reply]` and the service in `services`, or send it to a real one with \
                     `blis observe`",
                ),
        );
    }
}

/// Warns of requests to a real service whose path answers nobody: a simulation is done with them when they are sent.
pub fn warn_of_unanswered(spec: &Spec, model: &LiveModel, findings: &mut Findings) {
    for ((name, written), action) in spec.actions.value.0.iter().zip(&model.actions) {
        let is_request = action
            .sending
            .as_ref()
            .is_some_and(|sending| sending.kind == SendKind::Request);
        let unanswered = action
            .path
            .as_ref()
            .is_some_and(|path| path.fire_and_forget);
        if let Some(live) = written.live.as_ref().filter(|_| is_request && unanswered) {
            let message = format!(
                "`{}` is sent as a request and awaits a reply in a live run, but its path has no `reply`, so a \
                 simulation does not wait",
                name.value
            );
            let help = "add the step `reply` to the path, or send it with `publish`";
            findings.warn(live.error(message).help(help));
        }
    }
}
