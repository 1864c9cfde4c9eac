//! Whether a path answers its user, itself or through a consumer of what it publishes.

use std::collections::BTreeSet;

use super::Paths;
use crate::spec::lower::subscriptions::target;
use crate::spec::spanned::Spanned;
use crate::spec::steps::{self, Publish, Visit};

impl Paths<'_, '_> {
    /// Whether some of these steps answers the user, or hands the answer on to a consumer that does.
    pub(super) fn answers(
        &self,
        steps: &[Spanned<steps::Step>],
        seen: &mut BTreeSet<String>,
    ) -> bool {
        steps.iter().any(|step| match &step.value {
            steps::Step::Reply => true,
            steps::Step::Branch(arms) => arms.iter().any(|arm| self.answers(&arm.path, seen)),
            steps::Step::Cache(cache) => {
                let found = cache
                    .value
                    .found
                    .iter()
                    .any(|found| self.answers(found, seen));
                found || self.answers(&cache.value.miss, seen)
            }
            steps::Step::Visit(visit) => match &visit.value {
                Visit::As(visit) => visit
                    .during
                    .iter()
                    .any(|during| self.answers(&during.value, seen)),
                Visit::Service(_) => false,
            },
            steps::Step::Publish(publish) => self.handed_to(&publish.value, seen).is_some(),
            // A called path's reply returns to the caller; one that is handed on is found in the consumer.
            steps::Step::Call(action) => {
                seen.insert(format!("call {}", action.value))
                    && self.called(&action.value).is_some_and(|path| {
                        let path = without_reply(path);
                        self.answers(path, seen)
                    })
            }
            steps::Step::Delay(_)
            | steps::Step::Parallel(_)
            | steps::Step::Emit(_)
            | steps::Step::Fail(_) => false,
        })
    }

    /// The consumer that answers the user for a publication, if one does.
    pub(super) fn handed_to(
        &self,
        publish: &Publish,
        seen: &mut BTreeSet<String>,
    ) -> Option<String> {
        let (stream, subject) = target(publish);
        let subscriptions = self.subscriptions;
        let reached = subscriptions.of(stream, subject);
        for subscription in reached {
            let name = format!("{stream}/{}", subscription.name.value);
            let during = subscription.consumer.during.as_ref();
            let batch = subscription.consumer.batch.is_some();
            if !batch
                && seen.insert(name.clone())
                && during.is_some_and(|during| self.answers(&during.value, seen))
            {
                return Some(name);
            }
        }
        None
    }

    pub(super) fn called(&self, action: &str) -> Option<&'_ [Spanned<steps::Step>]> {
        let actions = &self.spec.actions.value.0;
        let (_, action) = actions.iter().find(|(name, _)| name.value == action)?;
        Some(&action.path.as_ref()?.value)
    }
}

/// Whether some of these steps answers the user with a failure.
pub(super) fn fails(steps: &[Spanned<steps::Step>]) -> bool {
    steps.iter().any(|step| match &step.value {
        steps::Step::Fail(_) => true,
        steps::Step::Branch(arms) => arms.iter().any(|arm| fails(&arm.path)),
        steps::Step::Cache(cache) => {
            let found = cache.value.found.as_ref();
            found.is_some_and(|found| fails(found)) || fails(&cache.value.miss)
        }
        steps::Step::Visit(visit) => match &visit.value {
            Visit::As(visit) => {
                let during = visit.during.as_ref();
                during.is_some_and(|during| fails(&during.value))
            }
            Visit::Service(_) => false,
        },
        _ => false,
    })
}

/// A path without the reply that it ends with.
pub(super) fn without_reply(path: &[Spanned<steps::Step>]) -> &[Spanned<steps::Step>] {
    match path.split_last() {
        Some((last, before)) if last.value == steps::Step::Reply => before,
        _ => path,
    }
}
