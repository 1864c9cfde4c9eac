//! Flags for the workload spec of a command.

use std::path::{Path, PathBuf};

use clap::Args;

/// The spec of a command that has a default workload.
#[derive(Debug, Clone, Default, Args)]
pub struct SpecArgs {
    /// Workload spec; - reads stdin [default: the embedded quickstart].
    #[arg(value_name = "SPEC")]
    spec: Option<PathBuf>,

    /// Same as SPEC.
    #[arg(long = "spec", value_name = "FILE", conflicts_with = "spec")]
    spec_flag: Option<PathBuf>,
}

impl SpecArgs {
    /// The spec, if one is given.
    pub fn file(&self) -> Option<&Path> {
        self.spec.as_deref().or(self.spec_flag.as_deref())
    }
}

/// The spec of a command that needs one.
#[derive(Debug, Clone, Args)]
pub struct NeededSpecArgs {
    /// Workload spec; - reads stdin.
    #[arg(value_name = "SPEC", required_unless_present = "spec_flag")]
    spec: Option<PathBuf>,

    /// Same as SPEC.
    #[arg(long = "spec", value_name = "FILE", conflicts_with = "spec")]
    spec_flag: Option<PathBuf>,
}

impl NeededSpecArgs {
    /// The spec; `None` only where the command line was not read.
    pub fn file(&self) -> Option<&Path> {
        self.spec.as_deref().or(self.spec_flag.as_deref())
    }
}
