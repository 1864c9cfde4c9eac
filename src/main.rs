//! `blis`: predict, measure and explain what load a NATS backend can carry.
//!
//! This binary is thin: it reads the command line, calls the simulated world of `blis-sim`, and is the only
//! place that prints or exits. Results go to stdout, everything else to stderr.

mod arguments;
mod calibration;
mod ceiling;
mod cli;
mod commands;
mod diagnostics;
mod exit;
mod handler_times;
mod input_files;
mod interrupt;
mod live_progress;
mod memory;
mod progress;
mod provenance;
mod report;
mod runs;
mod schemas;
mod simulate;
mod spec_file;
mod target;
mod validation;
mod workload;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, LocalBackendArgs};
use exit::Failure;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == cli::LOCAL_BACKEND)
    {
        let args = LocalBackendArgs::parse_from(std::env::args_os().skip(1));
        return exit::code(commands::local_backend::execute(&args));
    }
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => match cli::misplaced(&error) {
            Some(what) => return exit::code(Err(Failure::Usage(what))),
            None => error.exit(),
        },
    };
    let ended = match command {
        Command::Run(args) => commands::run::execute(&args),
        Command::MaxRps(args) => commands::max_rps::execute(&args),
        Command::Observe(args) => commands::observe::execute(&args),
        Command::Serve(args) => commands::serve::execute(&args),
        Command::Cleanup(args) => commands::cleanup::execute(&args),
        Command::Whatif(args) => commands::whatif::execute(&args),
        Command::Replay(args) => commands::replay::execute(&args),
        Command::Compare(args) => commands::compare::execute(&args),
        Command::Calibrate(args) => commands::calibrate::execute(&args),
        Command::Validate(args) => commands::validate::execute(&args),
        Command::Check(args) => commands::check::execute(&args),
        Command::Explain(args) => commands::explain::execute(&args),
        Command::Report(args) => commands::report::execute(&args),
        Command::Trace(args) => commands::trace::execute(&args),
        Command::Compose(args) => commands::compose::execute(&args),
        Command::Schema(args) => commands::schema::execute(&args),
        Command::Completions(args) => commands::completions::execute(&args),
        Command::Man(args) => commands::man::execute(&args),
    };
    exit::code(ended)
}
