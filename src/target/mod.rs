//! Where a load goes: a server that somebody names, with access to it, or one that is started on this machine.

pub(crate) mod environment;
pub(crate) mod local;
pub(crate) mod nats_access;
pub(crate) mod nats_context;
