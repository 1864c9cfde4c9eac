//! What can be said of a model without running it: demands, offered load, the service that limits it, and the
//! closed form that applies.
//!
//! Reports set these figures beside the simulated ones, and `check` prints them. They look at the model alone
//! and change nothing.

mod demand;
mod exact;
mod offered;

pub use demand::{PathDemand, path_demand};
pub use exact::{Exact, exact};
pub use offered::{ClientLoad, Offered, ServiceLoad, offered};
