//! The engine: future events, requests in flight with their timeouts, and the load that both worlds share.
//!
//! [`Calendar`] is the future-event list, [`InFlight`] the table of requests in flight, and [`Load`] joins the users to a
//! [`World`] within its [`Lifecycle`]. The simulated world is in [`simulation`](crate::simulation).

mod arena;
mod calendar;
mod given_up;
mod in_flight;
mod lifecycle;
mod load;
mod room;
mod task;

pub use arena::Arena;
pub use calendar::Calendar;
pub(crate) use given_up::GivenUp;
pub use in_flight::{Flight, InFlight};
pub use lifecycle::{Ahead, Lifecycle, LoadEnd, Phase, Turn};
pub use load::{Load, WakeUp, World};
pub use room::Released;
pub use task::{Task, Timer};
