//! The live world of `blis`: the same users, sessions and measurement as in simulated time, against a real NATS server.
//!
//! ```text
//! target ─► connection ─► world ─┐
//!                clock ──────────┼─► driver ─► the events that a simulation gives
//!                load (of blis-sim) ┘
//! ```
//!
//! - [`target`] decides, before any socket is opened, whether a server may be loaded at all.
//! - [`access`] is how a server lets one in; [`connection`] opens connections and receives what comes back over them;
//!   [`connect_failure`] says why one could not be opened.
//! - [`driver`] is the run: it wakes users when they are due, hands what they send to a [`Transport`](driver::Transport),
//!   and tells them of replies and timeouts. It is the one place that knows the [`clock`].
//! - [`nats`] is the transport that sends to NATS, [`text`] what it sends, [`reply`] what comes back means, [`deliveries`]
//!   what requests wait for besides; [`observe`] is a run from its preflight to its end, [`session`] one of several loads,
//!   [`trials`] those of a search, which [`ceiling`] runs for as long as somebody asks for more.
//! - [`limits`], [`preflight`] and [`sizes`] find before the load what would be in its way; [`denied`] is what a server
//!   refuses while it runs, [`subjects`] which subjects have messages in common.
//! - [`publications`] that wait for nothing have ended well when they are known to be written, which [`writing`] finds out.
//! - [`environment`] fills secrets into what is sent, where nothing else sees them; [`ready`] judges what is sent once it is
//!   complete.
//! - [`observers`] look on over a connection of their own.
//! - [`health`] is the generator seen by itself, [`control`] a thread that keeps time and does nothing else, [`machine`]
//!   what the system says.
//! - [`double`] is the backend of a spec in real time, [`serve`] plays it on NATS, where it [`listen`]s. [`peers`] shares the
//!   members of services among processes, [`micro`] answers for them as NATS services, [`saturation`] says whether the
//!   double was the bottleneck.
//! - [`journal`] is the record of a run on disk, which survives what the run may not.
//! - [`plan`] says what a run would do, and opens nothing. [`os_error`] shows errors of the operating system.

pub mod access;
pub mod allotment;
pub mod batches;
pub mod ceiling;
pub mod clock;
pub mod connect_failure;
pub mod connection;
pub mod control;
pub mod deliveries;
pub mod denied;
pub mod double;
pub mod driver;
pub mod environment;
pub mod health;
pub mod identity;
pub mod journal;
pub mod limits;
pub mod listen;
pub mod load_clock;
pub mod machine;
pub mod message;
pub mod micro;
pub mod nats;
pub mod observe;
pub mod observers;
pub mod os_error;
pub mod outbox;
pub mod peers;
pub mod plan;
pub mod preflight;
pub mod prepared;
pub mod publications;
pub mod ready;
pub mod reason;
pub mod recent;
pub mod rendering;
pub mod reply;
pub mod responders;
pub mod saturation;
pub mod serve;
pub mod session;
pub mod sizes;
pub mod streams;
pub mod subjects;
pub mod target;
pub mod text;
pub mod trials;
pub mod writing;
