//! Permissions that a server denies: its error message, and the denied subjects of a connection.
//!
//! A denied publication has no reply: the server sends an error with the subject over the connection. Requests in flight to
//! that subject then fail, and the connection sends no more to it.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most subjects of a connection that are remembered.
const MOST: usize = 4096;

/// What was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// Publishing to this subject.
    Publish(String),
    /// Subscribing to this subject.
    Subscribe(String),
}

impl Denial {
    /// Of the word of a server; `None` when it is about something else.
    pub fn parse(said: &str) -> Option<Denial> {
        let (_, what) = said.split_once("Permissions Violation for ")?;
        let (kind, rest) = what.split_once(" to \"")?;
        let subject = rest.split('"').next()?.to_owned();
        match kind {
            "Publish" => Some(Denial::Publish(subject)),
            "Subscription" => Some(Denial::Subscribe(subject)),
            _ => None,
        }
    }
}

/// What stands for a subject where its text is too much to keep.
pub fn key(subject: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(subject)
}

/// The subjects that a connection may not publish to, as far as that is known.
#[derive(Debug, Default)]
pub struct Denied {
    any: AtomicBool,
    subjects: Mutex<HashSet<u64>>,
}

impl Denied {
    /// One more, unless there are too many.
    pub fn add(&self, subject: u64) {
        if let Ok(mut subjects) = self.subjects.lock()
            && subjects.len() < MOST
        {
            subjects.insert(subject);
            self.any.store(true, Ordering::Release);
        }
    }

    /// Whether a subject is one of them.
    pub fn holds(&self, subject: u64) -> bool {
        self.any.load(Ordering::Acquire)
            && self
                .subjects
                .lock()
                .is_ok_and(|subjects| subjects.contains(&subject))
    }

    /// A new connection may do something else.
    pub fn forget(&self) {
        if let Ok(mut subjects) = self.subjects.lock() {
            subjects.clear();
            self.any.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_server_names_the_subject() {
        let publish = Denial::parse("nats: Permissions Violation for Publish to \"a.b\"");
        assert_eq!(publish, Some(Denial::Publish("a.b".to_owned())));
        let word = "Permissions Violation for Subscription to \"a.>\" using queue \"q\"";
        assert_eq!(
            Denial::parse(word),
            Some(Denial::Subscribe("a.>".to_owned()))
        );
        assert_eq!(Denial::parse("nats: slow consumer"), None);
    }

    #[test]
    fn what_was_denied_is_known_until_it_is_forgotten() {
        let denied = Denied::default();
        assert!(!denied.holds(key("a")));
        denied.add(key("a"));
        assert!(denied.holds(key("a")) && !denied.holds(key("b")));
        denied.forget();
        assert!(!denied.holds(key("a")));
        (0..MOST as u64 + 1).for_each(|subject| denied.add(subject));
        assert!(denied.holds(MOST as u64 - 1) && !denied.holds(MOST as u64));
    }
}
