//! Samplers of the gamma and the Erlang distribution with scale 1.

use super::ziggurat;
use crate::random::Draw;

/// Up to this shape an Erlang draw is a plain sum, which is faster than the gamma sampler.
const SUMMED: u32 = 4;

/// A gamma draw with scale 1 (Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", 2000).
pub fn gamma(shape: f64, draw: &mut Draw) -> f64 {
    if shape >= 1.0 {
        return from_one(shape, draw);
    }
    // A gamma variable of this shape is one of shape + 1 times U^(1 / shape), and -ln U is exponential. For
    // small shapes the product may be too small for a float, and 0 is then the nearest one.
    from_one(shape + 1.0, draw) * libm::exp(-ziggurat::exponential(draw) / shape)
}

/// An Erlang draw with scale 1: the sum of `shape` exponentials.
pub fn erlang(shape: u32, draw: &mut Draw) -> f64 {
    if shape <= SUMMED {
        return (0..shape).map(|_| ziggurat::exponential(draw)).sum();
    }
    from_one(f64::from(shape), draw)
}

/// The gamma sampler proper, for shapes from 1 on.
fn from_one(shape: f64, draw: &mut Draw) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = ziggurat::normal(draw);
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        let u = draw.open_unit();
        // The squeeze accepts most draws without a logarithm.
        let x2 = x * x;
        if u < 1.0 - 0.0331 * x2 * x2 || libm::log(u) < 0.5 * x2 + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}
