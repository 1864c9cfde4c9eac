//! The varied quantity of a search: a spec, lowered for one load after another.

use blis_sim::model::{Connections, Model, NoPath, Path};
use blis_sim::spec::error::{Origin, shown};
use blis_sim::spec::{self, Assignment, Spec};

use super::key::Key;
use super::own::Own;
use super::unit::{self, Unit};
use crate::exit::{Failure, show, tell};
use crate::workload::{Variations, Workload, bounded};

/// What gave a value that no user did: the search itself.
pub const OF_THE_SEARCH: &str = "max-rps";

/// What is varied.
#[derive(Debug, Clone)]
pub enum Parameter {
    /// The load parameter of the spec.
    Own(Own),
    /// A key of it.
    Key(Key),
}

/// A spec for any load.
#[derive(Debug)]
pub struct Varied<P> {
    variations: Variations<P>,
    parameter: Parameter,
    /// The spec as it is, for loads that are no key.
    spec: Spec,
    /// The load parameter of the spec, and the load that it has as written.
    own: Option<(Own, f64)>,
    /// The load at which a key is varied, where it is not the one as written.
    at: Option<f64>,
}

impl Varied<Path> {
    /// As [`Varied::check`], where only what a simulation looks at counts.
    ///
    /// # Errors
    /// Those of [`Varied::check`].
    pub fn check_simulated(&self, loads: &[f64]) -> Result<(), Failure> {
        self.check_by(loads, as_simulated)
    }
}

impl Varied<Option<Path>> {
    /// The same to be simulated, where the model as it is written can be.
    ///
    /// # Errors
    /// The first action of which is not said what the backend does.
    pub fn simulated(&self, written: &Model<Option<Path>>) -> Result<Varied<Path>, NoPath> {
        written.simulable()?;
        Ok(Varied {
            variations: self.variations.lowered_by(spec::lower_with),
            parameter: self.parameter.clone(),
            spec: self.spec.clone(),
            own: self.own,
            at: self.at,
        })
    }
}

/// A model without what a simulation does not look at.
pub(super) fn as_simulated(mut model: Model) -> Model {
    model.connections = Connections::default();
    model.variables.clear();
    let clients = model.clients.iter_mut();
    clients.for_each(|one| one.connections = None);
    model.actions.iter_mut().for_each(|one| one.sending = None);
    model
}

impl<P: PartialEq> Varied<P> {
    /// A spec with what the flags say is varied; `example` is one of the values that the user names. Warnings of the spec go
    /// to stderr.
    ///
    /// # Errors
    /// Those of [`Variations`]; [`Failure::Usage`] where what is named cannot be varied.
    pub fn of(
        variations: Variations<P>,
        over: Option<&str>,
        at: Option<&str>,
        example: Option<&str>,
    ) -> Result<Varied<P>, Failure> {
        let mut spec = variations.spec(&[])?;
        bounded(&mut spec, OF_THE_SEARCH);
        let (_, warnings) = variations.workload(&spec)?;
        show(&warnings);
        let of_spec = Own::of(&spec);
        let parameter = match over {
            None => Parameter::Own(of_spec),
            Some("rate") => Parameter::Own(Own::Rate),
            Some("concurrency") => Parameter::Own(Own::Concurrency),
            Some(path) => Parameter::Key(Key::of(path, example, &variations)?),
        };
        let (own, at) = match (&parameter, at) {
            (Parameter::Own(own), None) => (Some((*own, own.load(&spec)?)), None),
            (Parameter::Own(own), Some(_)) => {
                return Err(Failure::Usage(format!(
                    "--at fixes the load, but --over {} varies it; vary a key, such as --over services.NAME.workers, or \
                     leave --at out",
                    own.name()
                )));
            }
            (Parameter::Key(_), None) => {
                (of_spec.load(&spec).ok().map(|load| (of_spec, load)), None)
            }
            (Parameter::Key(_), Some(at)) => {
                let written = of_spec.load(&spec)?;
                (
                    Some((of_spec, written)),
                    Some(unit::value("--at", at, of_spec.unit())?),
                )
            }
        };
        Ok(Varied {
            variations,
            parameter,
            spec,
            own,
            at,
        })
    }

    /// What is varied.
    pub fn parameter(&self) -> &Parameter {
        &self.parameter
    }

    /// Whether a key is varied, and not the load.
    pub fn is_key(&self) -> bool {
        matches!(self.parameter, Parameter::Key(_))
    }

    /// The unit of a load.
    pub fn unit(&self) -> Unit {
        match &self.parameter {
            Parameter::Own(own) => own.unit(),
            Parameter::Key(key) => key.unit(),
        }
    }

    /// The name of what is varied, as `--over` takes it.
    pub fn name(&self) -> &str {
        match &self.parameter {
            Parameter::Own(own) => own.name(),
            Parameter::Key(key) => key.path(),
        }
    }

    /// The load that the spec has as it is written.
    pub fn written(&self) -> Option<f64> {
        match &self.parameter {
            Parameter::Own(_) => self.own.map(|(_, load)| load),
            Parameter::Key(key) => key.written(),
        }
    }

    /// The load parameter of the spec and the load at which a key is varied, where there is one.
    pub fn fixed(&self) -> Option<(Own, f64)> {
        let (own, written) = self.own?;
        match &self.parameter {
            Parameter::Own(_) => None,
            Parameter::Key(_) => Some((own, self.at.unwrap_or(written))),
        }
    }

    /// The spec at a load.
    ///
    /// # Errors
    /// [`Failure::Spec`] where the language does not take it.
    pub fn spec_at(&self, load: f64) -> Result<Spec, Failure> {
        match &self.parameter {
            Parameter::Own(own) => {
                let mut spec = self.spec.clone();
                let written = self.own.map_or(load, |(_, written)| written);
                own.set(&mut spec, load, written);
                Ok(spec)
            }
            Parameter::Key(_) => self.changed_spec_at(load, &[]),
        }
    }

    /// The spec at a load, with these values set in it besides.
    ///
    /// # Errors
    /// [`Failure::Spec`] where the language does not take it.
    fn changed_spec_at(&self, load: f64, changes: &[Assignment]) -> Result<Spec, Failure> {
        match &self.parameter {
            Parameter::Own(own) => {
                let mut spec = self.variations.spec(changes)?;
                bounded(&mut spec, OF_THE_SEARCH);
                let written = own.load(&spec)?;
                own.set(&mut spec, load, written);
                Ok(spec)
            }
            Parameter::Key(key) => {
                let mut all = changes.to_vec();
                all.push(key.at(load)?);
                let mut spec = self.variations.spec(&all)?;
                bounded(&mut spec, OF_THE_SEARCH);
                if let (Some((own, _)), Some(at)) = (self.own, self.at) {
                    // The key may be one of those that the load is made of.
                    let written = own.load(&spec)?;
                    own.set(&mut spec, at, written);
                }
                Ok(spec)
            }
        }
    }

    /// The spec as it is written.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Says once what of a user's spec no trial heeds, and which flags bound trials instead.
    pub fn tell_of_bounds(&self, workload: &Workload<P>, flags: &str) {
        let given = self.bounds_of_spec();
        // The embedded spec is nobody's who would wonder.
        if !given.is_empty() && workload.file.is_some() {
            tell(&format!(
                "blis: {} of the spec {} not apply to trials; use {flags}\n",
                given.join(" and "),
                if given.len() == 1 { "does" } else { "do" }
            ));
        }
    }

    /// What in the spec bounds a run and no trial: its keys.
    fn bounds_of_spec(&self) -> Vec<&'static str> {
        let run = self.spec.run.as_ref().map(|run| &run.value);
        let requests = run.is_some_and(|run| run.requests.is_some());
        let horizon = run.and_then(|run| run.horizon.as_ref());
        let horizon = horizon.is_some_and(|horizon| !matches!(horizon.origin, Origin::Flag(_)));
        let keys = [("run.requests", requests), ("run.horizon", horizon)];
        let given = keys.into_iter().filter(|(_, given)| *given);
        given.map(|(key, _)| key).collect()
    }

    /// The model at a load.
    ///
    /// # Errors
    /// [`Failure::Spec`] where the language does not take it, [`Failure::Usage`] where memory does not suffice.
    pub fn model_at(&self, load: f64) -> Result<Model<P>, Failure> {
        let model = |spec| self.variations.model(&spec);
        let model = self.spec_at(load).and_then(model);
        model.map_err(|why| why.of_flag("--over", self.name()))
    }

    /// The model at a load, with these values set in the spec besides.
    ///
    /// # Errors
    /// Those of [`Varied::model_at`].
    pub fn changed_model_at(&self, load: f64, changes: &[Assignment]) -> Result<Model<P>, Failure> {
        self.variations.model(&self.changed_spec_at(load, changes)?)
    }

    /// The workload as the spec is written.
    ///
    /// # Errors
    /// Those of [`Varied::model_at`].
    pub fn as_written(&self) -> Result<Workload<P>, Failure> {
        self.workload(&self.spec)
    }

    /// The workload of a spec of this one.
    ///
    /// # Errors
    /// Those of [`Varied::model_at`].
    pub fn workload(&self, spec: &Spec) -> Result<Workload<P>, Failure> {
        Ok(self.variations.workload(spec)?.0)
    }

    /// Holds where each of these loads can be tried, and they are not all the same.
    ///
    /// # Errors
    /// Those of [`Varied::model_at`]; [`Failure::Usage`] where the load changes nothing.
    pub fn check(&self, loads: &[f64]) -> Result<(), Failure> {
        self.check_by(loads, |model| model)
    }

    fn check_by(&self, loads: &[f64], seen: impl Fn(Model<P>) -> Model<P>) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (loads.first(), loads.last()) else {
            return Ok(());
        };
        let (low, high) = (self.model_at(*first)?, self.model_at(*last)?);
        if loads.len() > 1 && seen(low) == seen(high) {
            return Err(Failure::Usage(format!(
                "--over {} changes nothing: the load is the same at {} and {}; {}",
                shown(self.name()),
                self.unit().shown(*first),
                self.unit().shown(*last),
                match self.at {
                    Some(_) => "--at may set it; leave --at out, or name another key",
                    None => "name another key",
                }
            )));
        }
        Ok(())
    }
}
