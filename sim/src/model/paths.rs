//! Whether a model knows what its actions do in the backend.

use super::{Action, Model};

/// What the requests of an action do in the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// Where it starts in [`Model::program`].
    pub entry: u32,
    /// Whether the request is done when it is sent: nothing on its path ever answers.
    pub fire_and_forget: bool,
}

/// A model for a real backend: of actions without a path only their sending is known.
pub type LiveModel = Model<Option<Path>>;

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
        })
    }
}

impl<P> Action<P> {
    /// The same action with other knowledge of its path.
    pub fn with_path<Q>(self, path: Q) -> Action<Q> {
        Action {
            path,
            name: self.name,
            slo: self.slo,
            class: self.class,
            deadline: self.deadline,
            awaited: self.awaited,
            size: self.size,
            sending: self.sending,
        }
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
