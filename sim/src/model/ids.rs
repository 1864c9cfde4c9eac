//! Positions of what a model has, a type for each kind.

/// An index type for one kind of entity, so that a service's index cannot be used for a client.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// The position of this entity in the model's list.
            #[inline]
            pub fn index(self) -> usize {
                usize::from(self.0)
            }
        }
    )*};
}

ids! {
    /// Position of a client in [`Model::clients`](super::Model::clients).
    ClientId,
    /// Position of an action in [`Model::actions`](super::Model::actions).
    ActionId,
    /// Position of a service in [`Model::services`](super::Model::services).
    ServiceId,
    /// Position of a stream in [`Model::streams`](super::Model::streams).
    StreamId,
    /// Position of a consumer in [`Model::consumers`](super::Model::consumers).
    ConsumerId,
    /// Position of a fan-out in [`Model::fan_outs`](super::Model::fan_outs).
    FanOutId,
    /// Position of a class of requests in [`Model::classes`](super::Model::classes).
    ClassId,
}
