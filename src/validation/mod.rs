//! A validation: the loads and their length, the predictions, the measurements, and the fit before them.

mod fitted;
mod knee;
mod pace;
mod runs;
mod subject;
mod system;

pub use fitted::{Field, Fitted, fitted, loads_to_fit};
pub use knee::{USUAL, needs_loads, usual_loads};
pub use pace::{Lengths, Plan};
pub use runs::{measured, predicted};
pub use subject::{Subject, simulated};
pub use system::{Runs, System};
