//! `blis completions`: shell completion scripts, generated from the definition of the command line.

use clap::CommandFactory as _;

use crate::cli::{Cli, CompletionsArgs};
use crate::commands::print;
use crate::exit::{Done, Failure};

/// Prints the script for a shell.
///
/// # Errors
/// [`Failure::Output`] when stdout cannot be written.
pub fn execute(args: &CompletionsArgs) -> Result<Done, Failure> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Done::Well)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn every_shell_is_told_every_command_and_flag() {
        let mut program = Cli::command();
        program.build();
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut program.clone(), "blis", &mut script);
            let script = String::from_utf8(script).expect("text");
            for command in program.get_subcommands() {
                let name = command.get_name();
                assert!(script.contains(name), "{shell} does not know {name}");
                for flag in command.get_arguments().filter_map(|arg| arg.get_long()) {
                    // fish writes flags without their hyphens.
                    let written = match shell {
                        Shell::Fish => format!("-l {flag}"),
                        _ => format!("--{flag}"),
                    };
                    assert!(script.contains(&written), "{shell} does not know {written}");
                }
            }
        }
    }
}
