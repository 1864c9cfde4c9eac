//! The hit ratio of a cache.

/// Ranks up to this one are summed one by one; beyond, they are taken together in bands.
const EXACT_RANKS: u64 = 4096;
/// Width of a band relative to its first rank.
const BAND: f64 = 0.01;
/// Steps of Newton's method; it takes a dozen.
const MOST_STEPS: u32 = 200;

/// Hit ratio of a cache of `size` objects, least recently used out, when `keys` objects are asked for independently
/// with the popularities of a Zipf law of this exponent.
///
/// By the approximation of Che, Tung and Wang (2002, equations 3 to 5): an object is found when it was asked for
/// within the characteristic time of the cache, which is such that the expected number of objects asked for within it
/// is the size. Its error is far below that of knowing the exponent (Fricker, Robert and Roberts 2012).
pub fn lru_hit_ratio(size: u64, keys: u64, exponent: f64) -> f64 {
    if size >= keys {
        return 1.0;
    }
    if size == 0 {
        return 0.0;
    }
    let bands = popularities(keys, exponent);
    // How many objects were asked for within a time is concave in it and at most the number of requests. So Newton's
    // method from as many requests as there are places comes closer from below in every step.
    let mut time = size as f64;
    for _ in 0..MOST_STEPS {
        let (held, gained, _) = within(&bands, time);
        let step = (size as f64 - held) / gained;
        if !step.is_finite() || step <= time * 1e-15 {
            break;
        }
        time += step;
    }
    within(&bands, time).2.clamp(0.0, 1.0)
}

/// Of the requests of so long a time, counted in requests: how many objects are asked for, how many more in the next
/// unit of time, and the share of requests for one of them.
fn within(bands: &[(f64, f64)], time: f64) -> (f64, f64, f64) {
    let mut sums = (0.0, 0.0, 0.0);
    for &(count, share) in bands {
        let present = -libm::expm1(-share * time);
        sums.0 += count * present;
        sums.1 += count * share * (1.0 - present);
        sums.2 += count * share * present;
    }
    sums
}

/// How many objects have about which share of the requests.
fn popularities(keys: u64, exponent: f64) -> Vec<(f64, f64)> {
    let weight = |rank: f64| libm::pow(rank, -exponent);
    let mut bands = Vec::new();
    let mut first = 1;
    while first <= keys {
        let width = match first {
            0..=EXACT_RANKS => 1,
            _ => ((first as f64 * BAND) as u64).min(keys - first + 1),
        };
        let middle = first as f64 + (width - 1) as f64 / 2.0;
        bands.push((width as f64, weight(middle)));
        // The last band may end at the largest number there is.
        let Some(next) = first.checked_add(width) else {
            break;
        };
        first = next;
    }
    let total: f64 = bands.iter().map(|(count, weight)| count * weight).sum();
    for (_, share) in &mut bands {
        *share /= total;
    }
    bands
}

#[cfg(test)]
mod tests {
    use super::lru_hit_ratio;
    use crate::random::{Key, Kind, Purpose};

    /// The hit ratio of a cache that is played through.
    fn played(size: usize, keys: u64, exponent: f64) -> f64 {
        let weights: Vec<f64> = (1..=keys)
            .map(|rank| (rank as f64).powf(-exponent))
            .collect();
        let total: f64 = weights.iter().sum();
        let mut upto = 0.0;
        let cumulative: Vec<f64> = weights
            .iter()
            .map(|weight| {
                upto += weight / total;
                upto
            })
            .collect();
        let key = Key::new(7, Kind::Service, "cache", Purpose::Choice);
        let mut cache: Vec<usize> = Vec::new();
        let (mut hits, rounds) = (0, 60_000);
        for round in 0..rounds {
            let unit = key.draw(0, round).unit();
            let object = cumulative.partition_point(|&upto| upto <= unit);
            match cache.iter().position(|&held| held == object) {
                Some(at) => {
                    cache.remove(at);
                    hits += u64::from(round >= rounds / 2);
                }
                None if cache.len() == size => {
                    cache.remove(0);
                }
                None => {}
            }
            cache.push(object);
        }
        hits as f64 / (rounds / 2) as f64
    }

    #[test]
    fn the_ratio_is_that_of_a_cache_that_is_played_through() {
        for (size, keys, exponent) in [(50, 1000, 0.8), (200, 1000, 0.0), (100, 5000, 1.2)] {
            let (found, expected) = (
                lru_hit_ratio(size, keys, exponent),
                played(size as usize, keys, exponent),
            );
            assert!(
                (found - expected).abs() < 0.012,
                "{size} {keys} {exponent}: {found} {expected}"
            );
        }
    }

    #[test]
    fn as_many_keys_as_there_are_numbers_are_few_bands() {
        let bands = super::popularities(u64::MAX, 0.8);
        assert!(bands.len() < 10_000, "{}", bands.len());
        let keys: f64 = bands.iter().map(|(count, _)| count).sum();
        assert!((keys / u64::MAX as f64 - 1.0).abs() < 1e-9, "{keys}");
        let ratio = lru_hit_ratio(u64::MAX - 1, u64::MAX, 0.8);
        assert!(ratio > 0.99, "{ratio}");
    }

    #[test]
    fn few_steps_find_the_time_of_a_cache() {
        for (size, keys, exponent) in [
            (1u64, 9_000_000_000, 0.0),
            (1, 9_000_000_000, 10.0),
            (1_000_000, 9_000_000_000, 0.8),
            (8_999_999_999, 9_000_000_000, 1.5),
            (4_999, 5_000, 3.0),
        ] {
            let bands = super::popularities(keys, exponent);
            let mut time = size as f64;
            let mut steps = 0;
            loop {
                let (held, gained, _) = super::within(&bands, time);
                assert!(
                    held <= size as f64 * (1.0 + 1e-9),
                    "{size} {keys} {exponent}: {held}"
                );
                let step = (size as f64 - held) / gained;
                if !step.is_finite() || step <= time * 1e-15 {
                    break;
                }
                steps += 1;
                time += step;
            }
            assert!(steps <= 60, "{size} {keys} {exponent}: {steps}");
        }
    }

    #[test]
    fn bands_change_nothing() {
        // Alike objects are found in proportion to the size, however many there are.
        let ratio = lru_hit_ratio(1_000_000, 10_000_000, 0.0);
        assert!((ratio - 0.1).abs() < 1e-9, "{ratio}");
        assert_eq!(lru_hit_ratio(10, 10, 1.0), 1.0);
        assert_eq!(lru_hit_ratio(0, 10, 1.0), 0.0);
    }
}
