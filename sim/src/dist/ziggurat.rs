//! Ziggurat samplers of the exponential and the normal distribution.
//!
//! The method is that of Marsaglia and Tsang ("The Ziggurat Method for Generating Random Variables", 2000)
//! with 256 layers. The bits that choose the layer and the sign are not those that choose the place within
//! the layer, and that place has 53 bits, which removes the defects Doornik ("An Improved Ziggurat Method
//! to Generate Normal Random Samples", 2005) found in the original.
//!
//! The tables are computed by the compiler from additions, multiplications and divisions alone, so they have the
//! same bits on every platform. Nothing here keeps state.

use crate::random::Draw;

/// Layers of a ziggurat; the lowest, number 0, contains the tail.
const LAYERS: usize = 256;

/// Where the tail of the exponential's ziggurat begins (Marsaglia and Tsang 2000).
const EXPONENTIAL_TAIL: f64 = 7.697_117_470_131_05;

/// Where the tail of the normal's ziggurat begins (Marsaglia and Tsang 2000).
const NORMAL_TAIL: f64 = 3.654_152_885_361_009;

/// Area under exp(-x²/2) to the right of [`NORMAL_TAIL`]: the square root of pi/2 times erfc(tail / sqrt 2).
const NORMAL_TAIL_AREA: f64 = 3.233_957_646_633_212_4e-4;

/// A ziggurat: layer `i` is the rectangle of width `x[i]` between the heights `f[i]` and `f[i + 1]`.
struct Ziggurat {
    /// Widths, descending. The first is the layer's area over its height, for the layer with the tail.
    x: [f64; LAYERS + 1],
    /// The unnormalised density at each width.
    f: [f64; LAYERS + 1],
}

static EXPONENTIAL: Ziggurat = exponential_table();
static NORMAL: Ziggurat = normal_table();

/// A draw from the exponential distribution with mean 1.
#[inline]
pub fn exponential(draw: &mut Draw) -> f64 {
    let bits = draw.bits();
    let layer = (bits & 0xff) as usize;
    let x = place(bits) * EXPONENTIAL.x[layer];
    if x < EXPONENTIAL.x[layer + 1] {
        x
    } else {
        exponential_edge(draw, layer, x)
    }
}

/// What follows when a place is not inside the part of its layer that is certainly below the density.
#[cold]
#[inline(never)]
fn exponential_edge(draw: &mut Draw, mut layer: usize, mut x: f64) -> f64 {
    loop {
        if layer == 0 {
            // The tail of an exponential is the exponential again, moved.
            return EXPONENTIAL_TAIL - libm::log(draw.open_unit());
        }
        if height(&EXPONENTIAL, layer, draw) < libm::exp(-x) {
            return x;
        }
        let bits = draw.bits();
        layer = (bits & 0xff) as usize;
        x = place(bits) * EXPONENTIAL.x[layer];
        if x < EXPONENTIAL.x[layer + 1] {
            return x;
        }
    }
}

/// A draw from the normal distribution with mean 0 and variance 1.
#[inline]
pub fn normal(draw: &mut Draw) -> f64 {
    let bits = draw.bits();
    let layer = (bits & 0xff) as usize;
    let x = place(bits) * NORMAL.x[layer];
    if x < NORMAL.x[layer + 1] {
        signed(x, bits)
    } else {
        normal_edge(draw, bits, layer, x)
    }
}

#[cold]
#[inline(never)]
fn normal_edge(draw: &mut Draw, mut bits: u64, mut layer: usize, mut x: f64) -> f64 {
    loop {
        if layer == 0 {
            return signed(normal_tail(draw), bits);
        }
        if height(&NORMAL, layer, draw) < libm::exp(-0.5 * x * x) {
            return signed(x, bits);
        }
        bits = draw.bits();
        layer = (bits & 0xff) as usize;
        x = place(bits) * NORMAL.x[layer];
        if x < NORMAL.x[layer + 1] {
            return signed(x, bits);
        }
    }
}

/// A draw from the normal distribution beyond [`NORMAL_TAIL`] (Marsaglia 1964).
fn normal_tail(draw: &mut Draw) -> f64 {
    loop {
        let x = -libm::log(draw.open_unit()) / NORMAL_TAIL;
        let y = -libm::log(draw.open_unit());
        if 2.0 * y > x * x {
            return NORMAL_TAIL + x;
        }
    }
}

/// The place within a layer, in [0, 1): the upper 53 bits of a word.
#[inline]
fn place(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// The sign of a normal draw: a bit that chooses neither the layer nor the place.
#[inline]
fn signed(x: f64, bits: u64) -> f64 {
    if bits & 0x100 == 0 { x } else { -x }
}

/// A uniform height between the bottom and the top of a layer.
fn height(table: &Ziggurat, layer: usize, draw: &mut Draw) -> f64 {
    let (bottom, top) = (table.f[layer], table.f[layer + 1]);
    bottom + (top - bottom) * draw.unit()
}

const fn exponential_table() -> Ziggurat {
    // The lowest layer is a rectangle of width `tail` and the tail itself, whose area is exp(-tail).
    let density = exp(-EXPONENTIAL_TAIL);
    let area = (EXPONENTIAL_TAIL + 1.0) * density;
    let mut table = lowest_layer(EXPONENTIAL_TAIL, density, area);
    let mut layer = 1;
    while layer < LAYERS - 1 {
        let top = table.f[layer] + area / table.x[layer];
        table.x[layer + 1] = -ln(top);
        table.f[layer + 1] = top;
        layer += 1;
    }
    table
}

const fn normal_table() -> Ziggurat {
    let density = exp(-0.5 * NORMAL_TAIL * NORMAL_TAIL);
    let area = NORMAL_TAIL * density + NORMAL_TAIL_AREA;
    let mut table = lowest_layer(NORMAL_TAIL, density, area);
    let mut layer = 1;
    while layer < LAYERS - 1 {
        let top = table.f[layer] + area / table.x[layer];
        table.x[layer + 1] = sqrt(-2.0 * ln(top));
        table.f[layer + 1] = top;
        layer += 1;
    }
    table
}

/// A table with the lowest layer in place; the peak, of width 0 and height 1, is there too.
const fn lowest_layer(tail: f64, density: f64, area: f64) -> Ziggurat {
    let mut table = Ziggurat {
        x: [0.0; LAYERS + 1],
        f: [0.0; LAYERS + 1],
    };
    table.x[0] = area / density;
    table.x[1] = tail;
    table.f[1] = density;
    table.f[LAYERS] = 1.0;
    table
}

/// The exponential function for -20 < x <= 0, at compile time: exp(x) = 2^-k exp(r) with |r| <= ln(2) / 2.
const fn exp(x: f64) -> f64 {
    // ln 2 as a number with trailing zeros and its remainder, so that k times it is exact.
    const LN_2_HIGH: f64 = 0.693_145_751_953_125;
    const LN_2_LOW: f64 = std::f64::consts::LN_2 - LN_2_HIGH;
    let k = (0.5 - x / std::f64::consts::LN_2) as u64;
    let r = (x + k as f64 * LN_2_HIGH) + k as f64 * LN_2_LOW;
    let mut sum = 1.0;
    let mut power = 18;
    while power > 0 {
        sum = 1.0 + sum * r / power as f64;
        power -= 1;
    }
    sum / (1u64 << k) as f64
}

/// The natural logarithm for 2^-30 < x <= 1, at compile time: ln(x) = -k ln(2) + 2 artanh((m - 1) / (m + 1)).
const fn ln(x: f64) -> f64 {
    let (mut m, mut k) = (x, 0.0);
    while m < std::f64::consts::FRAC_1_SQRT_2 {
        m *= 2.0;
        k += 1.0;
    }
    let s = (m - 1.0) / (m + 1.0);
    let mut sum = 0.0;
    let mut power = 25;
    while power > 0 {
        sum = sum * s * s + 1.0 / power as f64;
        power -= 2;
    }
    2.0 * s * sum - k * std::f64::consts::LN_2
}

/// The square root for 0 < x < 100 by Newton's iteration, at compile time.
const fn sqrt(x: f64) -> f64 {
    let mut root = if x > 1.0 { x } else { 1.0 };
    let mut step = 0;
    while step < 40 {
        root = 0.5 * (root + x / root);
        step += 1;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Kind, Purpose};

    fn assert_near(found: f64, expected: f64, relative: f64) {
        assert!(
            (found - expected).abs() <= relative * expected.abs(),
            "{found} is not {expected}"
        );
    }

    /// The layers must have equal areas and the last must end at the peak, or the density is not the one meant.
    fn assert_layers(table: &Ziggurat, density: impl Fn(f64) -> f64) {
        let area = table.x[0] * table.f[1];
        for layer in 1..LAYERS {
            assert_near(
                table.x[layer] * (table.f[layer + 1] - table.f[layer]),
                area,
                1e-11,
            );
            assert_near(table.f[layer], density(table.x[layer]), 1e-14);
            assert!(table.x[layer] > table.x[layer + 1] && table.f[layer] < table.f[layer + 1]);
        }
        assert_eq!((table.x[LAYERS], table.f[LAYERS]), (0.0, 1.0));
    }

    #[test]
    fn the_layers_have_equal_areas_under_the_density() {
        assert_layers(&EXPONENTIAL, |x| libm::exp(-x));
        assert_layers(&NORMAL, |x| libm::exp(-0.5 * x * x));
    }

    #[test]
    fn the_tail_of_the_normal_has_the_area_that_the_table_assumes() {
        let area =
            std::f64::consts::FRAC_PI_2.sqrt() * libm::erfc(NORMAL_TAIL / std::f64::consts::SQRT_2);
        assert_near(NORMAL_TAIL_AREA, area, 1e-14);
    }

    /// The largest distance to the distribution function, times the root of the number: above 1.95 once in a thousand
    /// (Kolmogorov 1933).
    #[test]
    fn the_tail_of_the_normal_has_its_distribution() {
        let key = Key::new(4, Kind::Client, "tail", Purpose::Think);
        let n = 200_000;
        let mut samples: Vec<f64> = (0..n).map(|i| normal_tail(&mut key.draw(i, 0))).collect();
        samples.sort_by(f64::total_cmp);
        let beyond = |x: f64| libm::erfc(x / std::f64::consts::SQRT_2);
        let distance = (0..).zip(&samples).fold(0.0_f64, |worst, (rank, &x)| {
            let expected = 1.0 - beyond(x) / beyond(NORMAL_TAIL);
            worst.max((expected - (f64::from(rank) + 0.5) / n as f64).abs())
        });
        assert!(distance * (n as f64).sqrt() < 1.95, "{distance}");
    }

    #[test]
    fn the_edges_and_tails_are_reached_as_often_as_their_areas_say() {
        let key = Key::new(3, Kind::Client, "z", Purpose::Think);
        let n = 400_000_u64;
        let beyond = |sample: fn(&mut Draw) -> f64, tail: f64| {
            (0..n)
                .filter(|&i| sample(&mut key.draw(i, 0)).abs() > tail)
                .count() as f64
        };
        let check = |found: f64, probability: f64| {
            let expected = n as f64 * probability;
            assert!(
                (found - expected).abs() < 4.5 * expected.sqrt(),
                "{found} beyond the tail, expected {expected}"
            );
        };
        check(
            beyond(exponential, EXPONENTIAL_TAIL),
            libm::exp(-EXPONENTIAL_TAIL),
        );
        check(
            beyond(normal, NORMAL_TAIL),
            libm::erfc(NORMAL_TAIL / std::f64::consts::SQRT_2),
        );
    }
}
