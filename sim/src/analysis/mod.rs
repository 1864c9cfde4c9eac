//! Analysis of a model without a run: demands, offered load, bottleneck, and the closed form that applies, or bounds and an
//! approximation.
//!
//! One list of assumptions in `assumptions` decides which form applies; a feature that the forms do not cover gets a line
//! there.
//!
//! Reports show these figures beside the simulated ones, and `check` prints them. They depend on the model alone and change
//! nothing.

mod arrivals;
mod assumptions;
mod balanced;
mod closed_form;
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
pub use closed_form::Exact;
pub use constraints::{Binds, Constraint, Constraints, constraints};
pub use demand::{PathDemand, path_demand};
pub use estimate::{Approximation, Bounds, Estimate, estimate};
pub use exact::exact;
pub use memory::{Line, LineMemory, Longest, Memory};
pub use offered::{
    ClientLoad, ConsumerLoad, Offered, Schedule, ServiceLoad, offered, open_requests, schedule,
    scheduled,
};
pub use whole::{Analysis, memory_of};
