//! What can be said of a model without running it: demands, offered load, what limits it, and the
//! closed form that applies, or bounds and an approximation where none does.
//!
//! Which form applies is decided by one list of assumptions in `assumptions`; a feature that the forms do not know
//! gets a line there.
//!
//! Reports set these figures beside the simulated ones, and `check` prints them. They look at the model alone
//! and change nothing.

mod assumptions;
mod balanced;
mod constraints;
mod demand;
mod estimate;
mod exact;
mod memory;
mod network_forms;
mod offered;
mod order_forms;
mod route;
mod station_forms;
mod traffic;
mod uneven_forms;
mod whole;

pub use balanced::{Balanced, balanced};
pub use constraints::{Binds, Constraint, Constraints, constraints};
pub use demand::{PathDemand, path_demand};
pub use estimate::{Approximation, Bounds, Estimate, estimate};
pub use exact::{Exact, exact};
pub use memory::{Line, LineMemory, Longest, Memory};
pub use offered::{
    ClientLoad, ConsumerLoad, Offered, Schedule, ServiceLoad, offered, open_requests, schedule,
    scheduled,
};
pub use whole::{Analysis, memory_of};
