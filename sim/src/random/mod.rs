//! Keyed random draws.
//!
//! A draw is a pure function of (seed, entity, purpose, index, ordinal). Nothing is stored between draws, so a
//! virtual user needs no generator of its own, the order of events cannot change what anyone draws, and
//! adding an entity to a spec leaves the draws of all the others as they were: two variants of a spec meet
//! common random numbers.
//!
//! A [`Key`] stands for (seed, entity, purpose) and is made once, when a run is set up. [`Key::draw`] turns
//! it into a generator for one (index, ordinal): the two pass through the SplitMix64 finaliser (Steele, Lea
//! and Flood 2014) and give the state of a PCG XSL-RR 128/64 generator (O'Neill 2014).

use rand::Rng;
use rand_pcg::Pcg64Mcg;
use sha2::{Digest, Sha256};

/// The increment of SplitMix64: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a draw is for. Draws of one entity for different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The time between two arrivals of an open client.
    Arrival,
    /// A user's think time.
    Think,
    /// Which action a user chooses.
    Choice,
    /// How many rounds a session has.
    Rounds,
    /// How long a user waits before a retry.
    Backoff,
    /// The identity of a request, from which its demands are drawn.
    Request,
    /// The service time of a visit.
    Service,
    /// Whether a visit ends in an injected error.
    Error,
    /// Which member of a queue group gets a visit.
    Member,
    /// Which branch of a path a request takes.
    Branch,
    /// The length of a delay step.
    Delay,
    /// The network's delay of one message.
    Network,
    /// The time until a message is stored.
    Append,
    /// The identity of a message.
    Message,
    /// The cost of a batch.
    Batch,
    /// The cost of a message in a batch.
    Item,
    /// How many subscribers a message is sent to.
    Subscribers,
    /// The time of a delivery to a subscriber.
    Delivery,
    /// Whether a delivery to a subscriber is lost.
    Loss,
    /// The value of a variable.
    Value,
    /// The UUID of a request.
    Uuid,
    /// How many bytes a request carries.
    Size,
    /// What the emissions and publications of a path are known by.
    Path,
    /// The order in which something is dealt out anew.
    Shuffle,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::Arrival => "arrival",
            Purpose::Think => "think",
            Purpose::Choice => "choice",
            Purpose::Rounds => "rounds",
            Purpose::Backoff => "backoff",
            Purpose::Request => "request",
            Purpose::Service => "service",
            Purpose::Error => "error",
            Purpose::Member => "member",
            Purpose::Branch => "branch",
            Purpose::Delay => "delay",
            Purpose::Network => "network",
            Purpose::Append => "append",
            Purpose::Message => "message",
            Purpose::Batch => "batch",
            Purpose::Item => "item",
            Purpose::Subscribers => "subscribers",
            Purpose::Delivery => "delivery",
            Purpose::Loss => "loss",
            Purpose::Value => "value",
            Purpose::Uuid => "uuid",
            Purpose::Size => "size",
            Purpose::Path => "path",
            Purpose::Shuffle => "shuffle",
        }
    }
}

/// What kind of thing an entity's name belongs to, so that a client and a service of one name draw apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A client of the spec.
    Client,
    /// An action of the spec.
    Action,
    /// A service of the spec.
    Service,
    /// The network between clients and backend.
    Network,
    /// A stream of the spec.
    Stream,
    /// A consumer of a stream, named `STREAM/CONSUMER`.
    Consumer,
    /// A fan-out of the spec.
    FanOut,
    /// A variable of the spec for a client, named `VARIABLE/CLIENT`.
    Variable,
    /// A statistic of runs, which is no part of any spec.
    Statistic,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Client => "client",
            Kind::Action => "action",
            Kind::Service => "service",
            Kind::Network => "network",
            Kind::Stream => "stream",
            Kind::Consumer => "consumer",
            Kind::FanOut => "fan_out",
            Kind::Variable => "variable",
            Kind::Statistic => "statistic",
        }
    }
}

/// The source of one entity's draws for one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// The key of (seed, entity, purpose): the first eight bytes of a SHA-256 over them.
    pub fn new(seed: u64, kind: Kind, entity: &str, purpose: Purpose) -> Key {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        for part in [kind.name(), entity, purpose.name()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Key(u64::from_le_bytes(first))
    }

    /// The generator for the draw numbered `ordinal` of the sub-entity `index`.
    #[inline(always)]
    pub fn draw(self, index: u64, ordinal: u64) -> Draw {
        let high = mix(self.0.wrapping_add(index.wrapping_mul(GOLDEN)));
        let low = mix(high.wrapping_add(ordinal.wrapping_mul(GOLDEN)));
        Draw(Pcg64Mcg::new((u128::from(high) << 64) | u128::from(low)))
    }

    /// A 64-bit identity of (index, ordinal) under this key.
    #[inline(always)]
    pub fn identity(self, index: u64, ordinal: u64) -> u64 {
        let high = mix(self.0.wrapping_add(index.wrapping_mul(GOLDEN)));
        mix(high.wrapping_add(ordinal.wrapping_mul(GOLDEN)))
    }
}

/// The finaliser of SplitMix64: a bijection of `u64` in which every input bit moves half of the output bits.
#[inline]
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The generator of a single draw. A sampler may take as many words from it as it needs.
#[derive(Debug, Clone)]
pub struct Draw(Pcg64Mcg);

impl Draw {
    /// 64 uniform bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A uniform number in [0, 1), a multiple of 2^-53.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A uniform number in (0, 1): what a logarithm can take.
    #[inline]
    pub fn open_unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// A uniform whole number below `bound` (Lemire 2019, with rejection: exactly uniform).
    ///
    /// `bound` must not be 0.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound > 0);
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            let low = product as u64;
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }
}
