//! The hit ratio of a cache.

/// Ranks up to this one are summed one by one; beyond, they are taken together in bands.
const EXACT_RANKS: u64 = 4096;
/// Width of a band relative to its first rank.
const BAND: f64 = 0.01;

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
    let held = |time: f64| -> f64 {
        let present = |&(count, share): &(f64, f64)| count * -libm::expm1(-share * time);
        bands.iter().map(present).sum()
    };
    let (mut low, mut high) = (0.0, size as f64);
    while held(high) < size as f64 && high < 1e300 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if held(middle) < size as f64 {
            low = middle;
        } else {
            high = middle;
        }
    }
    let hits = |&(count, share): &(f64, f64)| count * share * -libm::expm1(-share * high);
    bands.iter().map(hits).sum::<f64>().clamp(0.0, 1.0)
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
        first += width;
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
    fn bands_change_nothing() {
        // Alike objects are found in proportion to the size, however many there are.
        let ratio = lru_hit_ratio(1_000_000, 10_000_000, 0.0);
        assert!((ratio - 0.1).abs() < 1e-9, "{ratio}");
        assert_eq!(lru_hit_ratio(10, 10, 1.0), 1.0);
        assert_eq!(lru_hit_ratio(0, 10, 1.0), 0.0);
    }
}
