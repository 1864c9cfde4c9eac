//! `blis man`: manual pages, generated from the definition of the command line.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::cli::{Cli, ManArgs};
use crate::commands::print;
use crate::exit::{Done, Failure};

/// Prints the page of a command, or writes those of all commands into a directory.
///
/// # Errors
/// [`Failure::Usage`] when there is no such command; [`Failure::Output`] when a page cannot be written.
pub fn execute(args: &ManArgs) -> Result<Done, Failure> {
    let program = program();
    if let Some(directory) = &args.out {
        write_all(&program, directory).map_err(|why| Failure::Output {
            to: directory.display().to_string(),
            why,
        })?;
        return Ok(Done::Well);
    }
    let command = match &args.command {
        None => &program,
        Some(name) => program
            .find_subcommand(name)
            .ok_or_else(|| Failure::Usage(unknown(&program, name)))?,
    };
    let mut written = Vec::new();
    page(command)
        .render(&mut written)
        .map_err(|why| Failure::Output {
            to: "memory".to_owned(),
            why,
        })?;
    print(&String::from_utf8_lossy(&written))?;
    Ok(Done::Well)
}

fn page(command: &Command) -> Man {
    Man::new(command.clone()).source(concat!("blis ", env!("CARGO_PKG_VERSION")))
}

/// The program with the full names of its commands. `help` has no page of its own.
fn program() -> Command {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    program
}

fn write_all(program: &Command, directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    for command in std::iter::once(program).chain(program.get_subcommands()) {
        page(command).generate_to(directory)?;
    }
    Ok(())
}

fn unknown(program: &Command, name: &str) -> String {
    let known: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
    format!(
        "there is no command {name}; give one of {}",
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roff(command: &Command) -> String {
        let mut written = Vec::new();
        page(command).render(&mut written).expect("memory");
        String::from_utf8(written).expect("text")
    }

    #[test]
    fn every_command_has_a_page_with_all_its_flags() {
        let program = program();
        let whole = roff(&program);
        assert!(whole.contains(".SH EXTRA\nExit codes: 0 "), "{whole}");
        let mut flags = 0;
        for command in program.get_subcommands() {
            let name = command.get_name();
            let listed = format!("\nblis\\-{}(1)\n", name.replace('-', "\\-"));
            assert!(whole.contains(&listed), "{whole}");
            let one = roff(command);
            let version = env!("CARGO_PKG_VERSION");
            let title = format!("\n.TH blis-{name} 1  \"blis {version}\" \n");
            assert!(one.contains(&title), "{one}");
            let about = command.get_about().expect("what it does").to_string();
            assert!(
                one.replace(r"\*(Aq", "'")
                    .replace('\\', "")
                    .contains(&about),
                "{one}"
            );
            for long in command.get_arguments().filter_map(|arg| arg.get_long()) {
                let shown = format!("\\fB\\-\\-{}\\fR", long.replace('-', "\\-"));
                assert!(one.contains(&shown), "no {shown} in\n{one}");
                flags += 1;
            }
        }
        assert!(flags > 20, "{flags}");
    }
}
