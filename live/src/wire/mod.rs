//! The wire: what is between a load and a NATS server.
//!
//! - [`transport`] is the seam to the driver of a run. [`nats`] is the transport that sends to NATS.
//! - [`connection`] opens connections and receives what comes back over them; [`allotment`] says whose they are.
//! - [`prepared`] is what the requests of an action have in common, [`text`] fills in the rest, [`rendering`] does so into
//!   buffers; [`sizes`] checks that the server takes it.
//! - [`event_loop`] says who runs the connections: a thread of its own, or the driver.
//! - [`without_waiting`] tries what may have to wait.
//! - [`batches`] and [`outbox`] are between the transport and the connection; [`writing`] finds out what was written, and
//!   [`publications`] that wait for nothing end by it.
//! - [`identity`] and [`reply_id`] say whose a request and a reply are; [`reply`] what a reply means, [`reason`] why a
//!   request failed, [`awaited_deliveries`] what requests wait for besides.
//! - [`told`] is what servers say beside replies, [`denied`] what they refuse, [`responders`] who answers at all.
//! - [`message`] and [`subjects`] read messages and subjects.
//!
//! It knows the guard of targets and the clock, and nothing of runs, observers and doubles.

pub mod allotment;
pub mod awaited_deliveries;
pub mod batches;
pub mod connection;
pub mod denied;
pub mod event_loop;
pub mod identity;
pub mod message;
pub mod nats;
pub mod outbox;
pub mod prepared;
pub mod publications;
pub mod reason;
pub mod rendering;
pub mod reply;
pub mod reply_id;
pub mod responders;
pub mod sizes;
pub mod subjects;
pub mod text;
pub mod told;
pub mod transport;
pub mod without_waiting;
pub mod writing;
