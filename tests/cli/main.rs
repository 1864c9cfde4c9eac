//! The command line held to its word: what the binary prints, writes, refuses and exits with.

mod backlog;
mod bad_input;
mod calibrate;
mod check;
mod compare;
mod completions;
mod compose;
mod explain;
mod exports;
mod files;
mod formats;
mod html;
#[cfg(target_os = "linux")]
mod interrupt;
mod live_only;
mod max_rps;
mod output;
mod record;
mod replay;
mod run;
mod service;
mod set;
mod statistics;
mod streams;
mod support;
mod trace;
mod validate;
mod verdict;
