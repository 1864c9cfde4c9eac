//! The subject of a validation: a spec, or a service with only a known subject, and the fitted values.

use blis_sim::model::{Model, Path};
use blis_sim::spec::error::shown;
use blis_sim::spec::units::Count;
use blis_sim::spec::{self, Assignment};

use crate::calibration::backend;
use crate::ceiling::Varied;
use crate::cli::{OverrideArgs, ValidateArgs};
use crate::commands::service;
use crate::exit::Failure;
use crate::workload::{Basis, Variations};

/// The users of a service without a spec as it is written: what is validated varies them.
const FIRST_USERS: Count = Count(1);

/// A spec with the values that flags and a fit put into it.
#[derive(Debug, Clone)]
pub struct Subject {
    basis: Basis,
    overrides: OverrideArgs,
    over: Option<String>,
    example: Option<String>,
}

impl Subject {
    /// What the flags name.
    ///
    /// # Errors
    /// Those of [`Basis`] and of [`service::flags`].
    pub fn of(args: &ValidateArgs) -> Result<Subject, Failure> {
        let mut overrides = OverrideArgs {
            values: args.values.clone(),
            slo: args.objectives.slo.clone(),
            ..OverrideArgs::default()
        };
        let basis = match service::flags(&args.service, args.spec.file(), &mut overrides)? {
            None => Basis::of(args.spec.file(), &args.clients, &overrides)?,
            Some(flags) => {
                let mut clients = args.clients.clone();
                if clients.rate.is_none() {
                    clients.concurrency.get_or_insert(FIRST_USERS);
                }
                Basis::of_service(&flags, &clients, &overrides)?
            }
        };
        let loads = args.runs.predict_at.as_ref();
        let loads = loads.or(args.runs.calibrate_at.as_ref());
        let example = loads.and_then(|loads| loads.split(',').next());
        Ok(Subject {
            basis,
            overrides,
            over: args.runs.over.clone(),
            example: example.map(str::to_owned),
        })
    }

    /// The spec at any load.
    ///
    /// # Errors
    /// Those of [`Varied::of`].
    pub fn varied(&self) -> Result<Varied<Option<Path>>, Failure> {
        let variations = Variations::of(self.basis.clone(), spec::lower_live)?;
        let (over, example) = (self.over.as_deref(), self.example.as_deref());
        Varied::of(variations, over, None, example)
    }

    /// The same with a backend for actions of which the spec says nothing, of this many members where they are known.
    ///
    /// # Errors
    /// Those of [`backend`].
    pub fn with_backend(
        &self,
        model: &Model<Option<Path>>,
        members: Option<u64>,
    ) -> Result<Subject, Failure> {
        let mut set = backend(model, members)?;
        // What the user sets is put into that.
        set.extend(self.overrides.values.set.iter().cloned());
        Ok(self.clone().set_to(set))
    }

    /// The same with these values.
    pub fn with(&self, more: Vec<Assignment>) -> Subject {
        let set = self.overrides.values.set.iter().cloned();
        self.clone().set_to(set.chain(more).collect())
    }

    fn set_to(mut self, set: Vec<Assignment>) -> Subject {
        self.overrides.values.set = set;
        self.basis = self.basis.overridden_by(&self.overrides);
        self
    }

    /// The spec as one that is fitted to runs.
    ///
    /// # Errors
    /// Those of [`Variations`].
    pub fn to_fit(&self) -> Result<Variations<Path>, Failure> {
        let variations = Variations::of(self.basis.clone(), spec::lower_with)?;
        Ok(variations.bounded_by("validate"))
    }
}

/// The model to be simulated: a spec that does not say what its backend does predicts nothing.
///
/// # Errors
/// [`Failure::Usage`] where an action has no path.
pub fn simulated(
    varied: &Varied<Option<Path>>,
    written: &Model<Option<Path>>,
) -> Result<Varied<Path>, Failure> {
    varied.simulated(written).map_err(|missing| {
        let name = shown(&missing.0);
        Failure::Usage(format!(
            "action {name} has no path to predict from; add actions.{name}.path to the spec, or fit a model first \
             (--calibrate-at)"
        ))
    })
}
