//! The measured figures to explain, and the number of simulations for them.

use std::num::NonZeroUsize;

use nalgebra::DMatrix;

use super::least_squares::{EXACT, Fitted, Task, World};
use super::structure::Structure;
use super::weight::whitening;
use crate::replication::{Flow, in_order};

/// Sample paths by which chance is known.
const SAMPLES: u64 = 160;
/// At least this many times as many as a run has figures.
const SAMPLES_OF_FIGURES: usize = 12;
/// The part of them that tells which structures are out of the question.
const FEW: [u64; 2] = [3, 10];
/// The number of the first of them.
const FIRST_SAMPLE: u64 = 1 << 20;

/// What is to be explained, and how.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// What was measured, run by run.
    pub measured: &'a [Vec<f64>],
    /// Gives what a model has.
    pub world: &'a World<'a>,
    /// Sample paths of a fine fit.
    pub paths: u64,
    /// How many fits go on at a time.
    pub threads: NonZeroUsize,
    /// Whether to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl Question<'_> {
    /// The shortest response time among what was measured, in nanoseconds.
    pub fn shortest(&self) -> f64 {
        let logs = self.measured.iter().flatten();
        libm::exp(logs.copied().fold(f64::INFINITY, f64::min))
    }

    /// The most figures of a run.
    pub(super) fn longest(&self) -> usize {
        self.measured.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// How many sample paths tell how figures are off by chance.
    pub(super) fn samples_needed(&self) -> u64 {
        SAMPLES.max((SAMPLES_OF_FIGURES * self.longest()) as u64)
    }

    /// A fine fit of a structure to these figures.
    pub(super) fn task<'a>(
        &'a self,
        structure: &'a Structure,
        measured: &'a [f64],
        whitening: &'a DMatrix<f64>,
    ) -> Task<'a> {
        Task {
            measured,
            whitening,
            structure,
            ranges: structure.ranges(self.shortest()),
            world: self.world,
            paths: self.paths,
            settled: EXACT,
            hopeless: f64::INFINITY,
            few: None,
        }
    }

    /// How many of them tell which structures are out of the question.
    pub(super) fn few_samples(&self) -> u64 {
        self.samples_needed() * FEW[0] / FEW[1]
    }

    /// The figures of many sample paths of a model.
    pub(super) fn samples(&self, structure: &Structure, point: &[f64]) -> Option<Vec<Vec<f64>>> {
        self.samples_from(0, self.samples_needed(), (structure, point))
    }

    /// Those from a number on up to another one.
    pub(super) fn samples_from(
        &self,
        first: u64,
        end: u64,
        (structure, point): (&Structure, &[f64]),
    ) -> Option<Vec<Vec<f64>>> {
        self.each(end.saturating_sub(first), |nth| {
            (self.world)(structure, point, FIRST_SAMPLE + first + nth)
        })
    }

    /// The result of each of this many jobs, in their order; `None` where one has nothing, or it was stopped.
    pub(super) fn each<T: Send>(
        &self,
        jobs: u64,
        work: impl Fn(u64) -> Option<T> + Sync,
    ) -> Option<Vec<T>> {
        let mut all = Vec::new();
        in_order(
            jobs,
            self.threads,
            |nth, _| match (self.stop)() {
                true => None,
                false => work(nth),
            },
            |_, done| match done {
                Some(done) => {
                    all.push(done);
                    Flow::GoOn
                }
                None => Flow::Stop,
            },
        );
        (all.len() as u64 == jobs).then_some(all)
    }

    /// How far figures are off by chance, of which these are samples, as what makes differences to the mean of so many paths independent and
    /// of variance 1.
    pub(super) fn chance(&self, samples: &[Vec<f64>], paths: u64) -> Option<DMatrix<f64>> {
        let lengths: Vec<usize> = self.measured.iter().map(Vec::len).collect();
        whitening(samples, &lengths, paths)
    }

    /// The price of the numbers of a fit.
    pub(super) fn price(&self, fitted: &Fitted) -> f64 {
        let figures: usize = self.measured.iter().map(Vec::len).sum();
        libm::log(figures as f64) * fitted.point.len() as f64
    }
}
