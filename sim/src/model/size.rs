//! The sizes of requests: bytes, drawn for each of them.
//!
//! A size is keyed by the name of the action and the identity of the request, so that a retry has the size of the first try,
//! and a simulation, a live run and the double of a backend agree on the size of every request.

use super::Model;
use super::ids::ActionId;
use crate::dist::Dist;
use crate::event::Request;
use crate::random::{Key, Kind, Purpose};

/// The size of the requests of an action, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizes {
    law: Dist,
    most: u32,
}

impl Sizes {
    /// Draws of this distribution, to the nearest whole byte; what is more than `most` is that.
    pub fn new(law: Dist, most: u32) -> Sizes {
        let bound = law.upper_bound().map_or(most, |bound| rounded(bound, most));
        Sizes { law, most: bound }
    }

    /// Always this many bytes.
    pub fn fixed(bytes: u32) -> Sizes {
        let law = Dist::constant(f64::from(bytes)).unwrap_or(Dist::ZERO);
        Sizes { law, most: bytes }
    }

    /// The largest size.
    pub fn most(&self) -> u32 {
        self.most
    }

    /// The mean size: the integral of the probability of more than x, from 0 to the largest, but for the rounding.
    pub fn mean(&self) -> f64 {
        /// Steps of the trapezoid rule, of one length in the logarithm: every scale is met alike.
        const STEPS: u32 = 4_096;
        let bound = self.law.upper_bound();
        let most = f64::from(self.most);
        if bound.is_some_and(|bound| bound <= most + 0.5) || most == 0.0 {
            return self.law.mean().min(most);
        }
        let more = |x: f64| 1.0 - self.law.cdf(x);
        // Below a thousandth of a byte nothing is.
        let (least, width) = (1e-3_f64, libm::log(most / 1e-3) / f64::from(STEPS));
        let at = |step: u32| least * libm::exp(width * f64::from(step));
        let piece = |step: u32| {
            let (from, to) = (at(step), at(step + 1).min(most));
            0.5 * (more(from) + more(to)) * (to - from)
        };
        least + (0..STEPS).map(piece).sum::<f64>()
    }

    fn draw(&self, key: Key, identity: u64) -> u32 {
        rounded(self.law.sample(&mut key.draw(identity, 0)), self.most)
    }
}

/// The nearest whole number, up to `most`.
fn rounded(bytes: f64, most: u32) -> u32 {
    // The cast saturates.
    ((bytes + 0.5) as u32).min(most)
}

/// The sizes of a model's requests as they are drawn.
#[derive(Debug, Clone)]
pub struct SizeDraws {
    /// The keys of the requests' identities, by client.
    requests: Vec<Key>,
    /// By action; `None` where the size is not known.
    actions: Vec<Option<(Sizes, Key)>>,
}

impl SizeDraws {
    /// Those of a model.
    pub fn new<P>(model: &Model<P>) -> SizeDraws {
        let key = |kind, name: &str, purpose| Key::new(model.seed, kind, name, purpose);
        let clients = model.clients.iter();
        let actions = model.actions.iter();
        SizeDraws {
            requests: clients
                .map(|client| key(Kind::Client, &client.name, Purpose::Request))
                .collect(),
            actions: actions
                .map(|action| {
                    let sizes = action.size.clone()?;
                    Some((sizes, key(Kind::Action, &action.name, Purpose::Size)))
                })
                .collect(),
        }
    }

    /// The size of a request in bytes.
    pub fn of(&self, request: &Request) -> u32 {
        let key = self.requests[request.client.index()];
        let identity = key.identity(request.user_number, request.number);
        self.drawn(request.action, identity)
    }

    /// The size of the request of an action that has this identity; 0 where there is no such action, or no size is
    /// known.
    pub fn drawn(&self, action: ActionId, identity: u64) -> u32 {
        match self.actions.get(action.index()) {
            Some(Some((sizes, key))) => sizes.draw(*key, identity),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-4, "{found} {expected}");
    }

    #[test]
    fn the_mean_is_that_of_what_is_cut() {
        let law = Dist::exponential(1000.0).expect("a mean");
        // E min(X, m) = mean (1 - e^(-m / mean)).
        near(
            Sizes::new(law.clone(), 2_000).mean(),
            1000.0 * (1.0 - (-2.0_f64).exp()),
        );
        near(Sizes::new(law, 1_000_000).mean(), 1000.0);
        let even = Dist::uniform(100.0, 300.0).expect("bounds");
        near(Sizes::new(even.clone(), 1_000).mean(), 200.0);
        // Half of them are cut to 200, and the others 150 on average.
        near(Sizes::new(even, 200).mean(), 175.0);
        assert_eq!(Sizes::fixed(7).mean(), 7.0);
        assert_eq!(Sizes::fixed(0).mean(), 0.0);
    }

    #[test]
    fn sizes_are_whole_and_bounded() {
        let law = Dist::exponential(1000.0).expect("a mean");
        let sizes = Sizes::new(law, 1_500);
        let key = Key::new(1, Kind::Action, "send", Purpose::Size);
        let drawn: Vec<u32> = (0..10_000).map(|n| sizes.draw(key, n)).collect();
        assert_eq!(drawn.iter().max(), Some(&1_500));
        let cut = drawn.iter().filter(|size| **size == 1_500).count() as f64 / 10_000.0;
        assert!((cut - (-1.5_f64).exp()).abs() < 0.02, "{cut}");
        let even = Dist::uniform(10.0, 20.0).expect("bounds");
        assert_eq!(Sizes::new(even, 1_000).most(), 20);
    }
}
