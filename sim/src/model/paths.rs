//! The paths of the actions of a model, as far as they are known.

use std::ops::Range;

use super::action::Action;
use super::ids::{ActionId, ServiceId, StreamId};
use super::service::Service;
use super::step::{Path, Step};
use super::{LiveModel, Model};

impl Model {
    /// The steps of an action's path, with all ways that it may go.
    pub fn steps_of(&self, action: ActionId) -> &[Step] {
        let Some(action) = self.actions.get(action.index()) else {
            return &[];
        };
        self.steps_from(action.path.entry)
    }

    /// The same of the path of an action or a consumer that starts at this position.
    pub fn steps_from(&self, entry: u32) -> &[Step] {
        let actions = self.actions.iter().map(|other| other.path.entry);
        let consumers = self.consumers.iter().map(|consumer| consumer.entry);
        let next = actions.chain(consumers).filter(|at| *at > entry).min();
        let end = next.map_or(self.program.len(), |at| at as usize);
        self.program.get(entry as usize..end).unwrap_or_default()
    }

    /// The stream that the path of an action publishes to before anything else, if it begins so.
    pub fn begins_with_stream(&self, action: ActionId) -> Option<StreamId> {
        match self.steps_of(action).first()? {
            Step::Publish { stream, .. } => Some(*stream),
            _ => None,
        }
    }

    /// Whether the path of an action answers its user itself, on some way at least; otherwise a consumer does, or nobody.
    pub fn answers_itself(&self, action: ActionId) -> bool {
        self.steps_of(action).contains(&Step::Reply)
    }

    /// The service that the path of an action visits first, and whether that is its first step; `None` when it visits
    /// none.
    pub fn entrance(&self, action: ActionId) -> Option<(ServiceId, bool)> {
        let steps = self.steps_of(action).iter().enumerate();
        let mut visits = steps.filter_map(|(at, step)| match step {
            Step::Visit(visit) => Some((visit.service, at == 0)),
            _ => None,
        });
        visits.next()
    }

    /// The queues of a service among those of all, by which [`Event::Visit`](crate::event::Event::Visit) names them: those
    /// of its members, or the one that all take from.
    pub fn lines_of(&self, service: ServiceId) -> Range<u32> {
        let before = self.services.iter().take(service.index());
        let first = before.map(Service::lines).sum();
        let own = self.services.get(service.index()).map_or(0, Service::lines);
        first..first + own
    }
}

/// An action has no path, so that the model cannot be simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("action {0} has no path")]
pub struct NoPath(pub String);

impl<P> Model<P> {
    /// The same model with other knowledge of its paths.
    ///
    /// # Errors
    /// The first that `known` returns.
    pub fn with_paths<Q, E>(
        self,
        known: impl FnMut(Action<P>) -> Result<Action<Q>, E>,
    ) -> Result<Model<Q>, E> {
        Ok(Model {
            actions: self
                .actions
                .into_iter()
                .map(known)
                .collect::<Result<_, E>>()?,
            name: self.name,
            seed: self.seed,
            limits: self.limits,
            clients: self.clients,
            services: self.services,
            streams: self.streams,
            consumers: self.consumers,
            fan_outs: self.fan_outs,
            classes: self.classes,
            one_way: self.one_way,
            program: self.program,
            connections: self.connections,
            max_in_flight: self.max_in_flight,
            variables: self.variables,
            fitted: self.fitted,
        })
    }
}

impl<P: Clone + Into<Option<Path>>> Model<P> {
    /// The same model for a real backend.
    pub fn live(&self) -> LiveModel {
        let known = |action: Action<P>| {
            let path = action.path.clone().into();
            Ok::<_, std::convert::Infallible>(action.with_path(path))
        };
        match self.clone().with_paths(known) {
            Ok(model) => model,
            Err(never) => match never {},
        }
    }
}

impl LiveModel {
    /// The model to be simulated.
    ///
    /// # Errors
    /// The first action without a path.
    pub fn simulable(&self) -> Result<Model, NoPath> {
        self.clone().with_paths(|action| match action.path {
            Some(path) => Ok(action.with_path(path)),
            None => Err(NoPath(action.name)),
        })
    }

    /// The names of the actions without a path.
    pub fn without_path(&self) -> impl Iterator<Item = &str> {
        let actions = self.actions.iter();
        let without = actions.filter(|action| action.path.is_none());
        without.map(|action| action.name.as_str())
    }
}
