//! The measured system: one that is running, or a server and doubles for the duration of the validation.

use blis_live::observers::Wanted;
use blis_live::run::observe;
use blis_live::run::trials::Pace;
use blis_live::target::Target;
use blis_live::target::access::Access;
use blis_sim::model::Path;
use blis_sim::time::Span;

use crate::ceiling::Varied;
use crate::ceiling::live::{self, Given, Live, Loads, Recorded, Through};
use crate::cli::ValidateArgs;
use crate::exit::{Failure, tell};
use crate::interrupt::Interrupt;
use crate::target::local::Local;
use crate::target::nats_access;

/// Where live runs go.
#[derive(Debug)]
pub enum System {
    /// Servers that run.
    Named(Box<(Target, Access)>),
    /// A server and a double of the command's own.
    Local(Box<Local>),
}

/// Live runs.
pub struct Runs<'a> {
    /// The spec.
    pub varied: &'a Varied<Option<Path>>,
    /// The loads.
    pub loads: Given,
    /// How long the parts of each are.
    pub pace: Pace,
    /// How long all of them may take.
    pub time_limit: Option<Span>,
    /// How many live runs came before these.
    pub before: usize,
    /// Is handed each of them, where somebody looks at every request.
    pub recorded: Option<&'a dyn Fn(Recorded)>,
    /// Whether no progress is shown.
    pub quiet: bool,
}

impl System {
    /// What the flags name, if that is no system of the command's own.
    ///
    /// # Errors
    /// Those of [`nats_access::resolve`]; of [`Local::check`] where it is.
    pub fn named(args: &ValidateArgs) -> Result<Option<System>, Failure> {
        match args.local {
            true => Ok(None),
            false => {
                let named = nats_access::resolve(&args.target)?;
                Ok(Some(System::Named(Box::new(named))))
            }
        }
    }

    /// The system, which is there: a server and a double of the command's own are started where none is named.
    ///
    /// # Errors
    /// What keeps it from being reached, or from starting.
    pub fn reached(named: Option<System>, args: &ValidateArgs) -> Result<System, Failure> {
        match named {
            Some(system) => {
                let (target, access) = system.at();
                observe::reach(target, access)?;
                Ok(system)
            }
            None => {
                let local = Local::start(args.spec.file(), &args.values)?;
                if !args.progress.quiet {
                    tell(&format!(
                        "blis: started a server with doubles at {}\n",
                        local.at.0.names.join(", ")
                    ));
                }
                Ok(System::Local(Box::new(local)))
            }
        }
    }

    fn at(&self) -> &(Target, Access) {
        match self {
            System::Named(named) => named,
            System::Local(local) => &local.at,
        }
    }

    /// Runs loads at it.
    ///
    /// # Errors
    /// Those of [`live::run`].
    pub fn run(&self, runs: Runs<'_>, interrupt: &Interrupt) -> Result<Through, Failure> {
        let (target, access) = self.at();
        let live = Live {
            target,
            access,
            wanted: Wanted {
                streams: &[],
                monitor: None,
            },
            pace: runs.pace,
            time_limit: runs.time_limit,
            before: runs.before as u64,
            beside: Span::ZERO,
            quiet: runs.quiet,
            says: &|_| None,
            recorded: runs.recorded,
        };
        let largest = runs.loads.largest();
        live::run(
            runs.varied,
            Loads::Given(runs.loads),
            largest,
            &live,
            interrupt,
        )
    }

    /// Whether it has ended although nobody wanted it to, as far as it is the command's own.
    pub fn is_gone(&mut self) -> bool {
        match self {
            System::Named(_) => false,
            System::Local(local) => local.is_gone(),
        }
    }

    /// Ends what is the command's own; gives what a double says of itself, in sentences.
    pub fn end(self) -> Vec<String> {
        match self {
            System::Named(_) => Vec::new(),
            System::Local(local) => local.end(),
        }
    }
}
