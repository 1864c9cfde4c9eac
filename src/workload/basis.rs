//! A spec with the changes by flags, which may be lowered again with other values.

use std::path::{Path, PathBuf};

use blis_sim::model::Model;
use blis_sim::spec::service::ServiceFlags;
use blis_sim::spec::{self, Assignment, Files, Spec, SpecError};

use super::{
    Lower, QUICKSTART, QUICKSTART_NAME, SERVICE, SERVICE_NAME, Source, Whose, Workload, apply,
    bounded, read, refuse_client_flags, refuse_contradictions, refuse_service_set_twice, settings,
};
use crate::cli::{ClientArgs, OverrideArgs};
use crate::diagnostics::{self, Style};
use crate::exit::Failure;
use crate::input_files;
use crate::memory;

/// A spec, whose it is, and what the flags change in it.
#[derive(Debug, Clone)]
pub struct Basis {
    source: Source,
    whose: Whose,
    clients: ClientArgs,
    overrides: OverrideArgs,
}

impl Basis {
    /// That of a spec, or of the embedded quickstart where none is given.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the spec cannot be read, or flags describe clients that it describes itself.
    pub fn of(
        file: Option<&Path>,
        clients: &ClientArgs,
        overrides: &OverrideArgs,
    ) -> Result<Basis, Failure> {
        if file.is_some() {
            refuse_client_flags(clients)?;
        }
        let (source, whose) = match file {
            Some(file) => (read(file)?, Whose::User),
            None => (embedded(QUICKSTART_NAME, QUICKSTART), Whose::Quickstart),
        };
        Ok(Basis {
            source,
            whose,
            clients: clients.clone(),
            overrides: overrides.clone(),
        })
    }

    /// That of requests to a service without a spec.
    ///
    /// # Errors
    /// [`Failure::Usage`] where `--set` gives what the flags give too.
    pub fn of_service(
        flags: &ServiceFlags,
        clients: &ClientArgs,
        overrides: &OverrideArgs,
    ) -> Result<Basis, Failure> {
        refuse_service_set_twice(flags, overrides)?;
        Ok(Basis {
            source: embedded(SERVICE_NAME, SERVICE),
            whose: Whose::Service(flags.clone()),
            clients: clients.clone(),
            overrides: overrides.clone(),
        })
    }

    /// This with other overrides.
    pub fn overridden_by(self, overrides: &OverrideArgs) -> Basis {
        Basis {
            overrides: overrides.clone(),
            ..self
        }
    }

    /// The workload, and its warnings as text.
    pub(super) fn prepare<P>(&self, lower: Lower<P>) -> Result<(Workload<P>, String), Failure> {
        let variations = Variations::of(self.clone(), lower)?;
        let spec = variations.spec(&[])?;
        variations.workload(&spec)
    }

    /// The text about errors of the spec.
    fn refused(&self, errors: &[SpecError]) -> Failure {
        let Source { name, text, .. } = &self.source;
        Failure::Spec(diagnostics::errors(name, text, errors, Style::for_stderr()))
    }
}

fn embedded(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        text: text.to_owned(),
        folder: PathBuf::new(),
    }
}

/// A spec whose files were read once, to be lowered with one set of values after the other.
#[derive(Debug)]
pub struct Variations<P> {
    basis: Basis,
    files: Files,
    lower: Lower<P>,
    /// Who bounds specs that have no bound.
    bounded_by: Option<&'static str>,
}

impl<P> Variations<P> {
    /// The same specs, with a bound where they have none, for a command that has its own.
    pub fn bounded_by(self, by: &'static str) -> Variations<P> {
        Variations {
            bounded_by: Some(by),
            ..self
        }
    }

    /// The same specs, lowered otherwise.
    pub fn lowered_by<Q>(&self, lower: Lower<Q>) -> Variations<Q> {
        Variations {
            basis: self.basis.clone(),
            files: self.files.clone(),
            lower,
            bounded_by: self.bounded_by,
        }
    }

    /// Those of a spec, which is read here and so are its files.
    ///
    /// # Errors
    /// [`Failure::Usage`] where flags contradict one another, [`Failure::Spec`] where the spec or a file is at fault.
    pub fn of(basis: Basis, lower: Lower<P>) -> Result<Variations<P>, Failure> {
        refuse_contradictions(&basis.clients, &basis.overrides)?;
        let mut variations = Variations {
            basis,
            files: Files::default(),
            lower,
            bounded_by: None,
        };
        let spec = variations.spec(&[])?;
        let Basis {
            source, overrides, ..
        } = &variations.basis;
        let files = input_files::read(&spec, &source.folder, &overrides.values.allow_files);
        variations.files = files.map_err(|errors| variations.basis.refused(&errors))?;
        Ok(variations)
    }

    /// The spec with the values of the flags, and these set in it besides.
    ///
    /// # Errors
    /// [`Failure::Spec`] where it cannot be read so.
    pub fn spec(&self, more: &[Assignment]) -> Result<Spec, Failure> {
        let Basis {
            source,
            whose,
            clients,
            overrides,
        } = &self.basis;
        let assignments: Vec<Assignment> =
            overrides.values.set.iter().chain(more).cloned().collect();
        let read = spec::read_with(&source.text, &assignments);
        let mut spec = read.map_err(|errors| self.basis.refused(&errors))?;
        apply(&mut spec, whose, clients, overrides)?;
        if let Some(by) = self.bounded_by {
            bounded(&mut spec, by);
        }
        Ok(spec)
    }

    /// The model of one of these specs, without its warnings.
    ///
    /// # Errors
    /// [`Failure::Spec`] where it is not accepted, [`Failure::Usage`] where memory does not suffice.
    pub fn model(&self, spec: &Spec) -> Result<Model<P>, Failure> {
        Ok(self.lowered(spec)?.model)
    }

    fn lowered(&self, spec: &Spec) -> Result<spec::Lowered<P>, Failure> {
        let lowered = (self.lower)(spec, &self.files);
        let lowered = lowered.map_err(|errors| self.basis.refused(&errors))?;
        memory::suffices(&lowered.model)?;
        Ok(lowered)
    }

    /// The workload of one of these specs, and its warnings as text.
    ///
    /// # Errors
    /// Those of [`model`](Variations::model).
    pub fn workload(&self, spec: &Spec) -> Result<(Workload<P>, String), Failure> {
        let Source { name, text, .. } = &self.basis.source;
        let lowered = self.lowered(spec)?;
        let warnings = match lowered.warnings.is_empty() {
            true => String::new(),
            false => diagnostics::warnings(name, text, &lowered.warnings, Style::for_stderr()),
        };
        let workload = Workload {
            file: matches!(self.basis.whose, Whose::User).then(|| name.clone()),
            sha256: spec::sha256(text),
            resolved: spec::resolved(spec),
            files: input_files::copies(&self.files),
            configuration: settings(spec, &self.basis.whose),
            model: lowered.model,
        };
        Ok((workload, warnings))
    }

    /// The text of the spec.
    pub fn text(&self) -> &str {
        &self.basis.source.text
    }

    /// What `--set` sets.
    pub fn set(&self) -> &[Assignment] {
        &self.basis.overrides.values.set
    }
}
