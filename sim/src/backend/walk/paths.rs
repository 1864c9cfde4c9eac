//! The paths of actions and of consumers: where they start, and what is drawn on them.

use std::ops::Index;

use super::program::Program;
use crate::model::Model;
use crate::random::{Key, Kind, Purpose};

/// All paths.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) program: Program,
    /// Those of the actions, then those of the consumers.
    starts: Vec<Path>,
}

/// Where a path starts, and the keys of its draws.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path {
    pub(crate) entry: u32,
    pub(crate) branch: Key,
    pub(crate) delay: Key,
    /// What its emissions and publications are known by, wherever it stands among the paths.
    pub(crate) place: Key,
    /// Whether its requests are done when they are sent.
    pub(crate) fire_and_forget: bool,
}

impl Paths {
    pub(crate) fn new(model: &Model) -> Paths {
        Paths {
            program: Program::new(model),
            starts: starts(model),
        }
    }

    /// Where a path starts; `None` where there is no such path.
    pub(crate) fn entry(&self, path: u16) -> Option<u32> {
        self.starts.get(usize::from(path)).map(|path| path.entry)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }
}

impl Index<u16> for Paths {
    type Output = Path;

    #[inline(always)]
    fn index(&self, path: u16) -> &Path {
        &self.starts[usize::from(path)]
    }
}

/// Where all paths start: those of the actions, then those of the consumers.
fn starts(model: &Model) -> Vec<Path> {
    let actions = model.actions.iter().map(|action| {
        let key = |purpose| Key::new(model.seed, Kind::Action, &action.name, purpose);
        Path {
            entry: action.path.entry,
            branch: key(Purpose::Branch),
            delay: key(Purpose::Delay),
            place: key(Purpose::Path),
            fire_and_forget: action.path.fire_and_forget,
        }
    });
    let consumers = model.consumers.iter().zip(model.consumer_names());
    let consumers = consumers.map(|(consumer, name)| {
        let key = |purpose| Key::new(model.seed, Kind::Consumer, &name, purpose);
        Path {
            entry: consumer.entry,
            branch: key(Purpose::Branch),
            delay: key(Purpose::Delay),
            place: key(Purpose::Path),
            fire_and_forget: false,
        }
    });
    actions.chain(consumers).collect()
}
