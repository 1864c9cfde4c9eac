//! Who gets what is published to a stream.

use crate::model::{ConsumerId, rendered};
use crate::spec::backend;
use crate::spec::error::Origin;
use crate::spec::spanned::Spanned;
use crate::spec::steps::Publish;
use crate::spec::syntax::Spec;

/// A consumer as it is written.
pub struct Subscription<'a> {
    /// The position of its stream.
    pub stream: u16,
    /// Its name.
    pub name: &'a Spanned<String>,
    /// What it is.
    pub consumer: &'a backend::Consumer,
}

/// Who gets what is published.
pub struct Subscriptions<'a> {
    spec: &'a Spec,
    /// All consumers, stream by stream.
    pub consumers: Vec<Subscription<'a>>,
}

impl<'a> Subscriptions<'a> {
    pub fn new(spec: &'a Spec) -> Subscriptions<'a> {
        let streams = spec.streams.iter().flat_map(|streams| &streams.value.0);
        let consumers = (0u16..).zip(streams).flat_map(|(stream, (_, written))| {
            let consumers = written.consumers.iter().flat_map(|named| &named.0);
            consumers.map(move |(name, consumer)| Subscription {
                stream,
                name,
                consumer,
            })
        });
        Subscriptions {
            spec,
            consumers: consumers.collect(),
        }
    }

    fn stream(&self, name: &str) -> Option<(u16, &'a backend::Stream)> {
        let streams = self
            .spec
            .streams
            .iter()
            .flat_map(|streams| &streams.value.0);
        let mut streams = (0u16..).zip(streams);
        let (id, (_, stream)) = streams.find(|(_, (known, _))| known.value == name)?;
        Some((id, stream))
    }

    /// Whether a stream takes no time to store a message.
    pub fn appends_at_once(&self, stream: &str) -> bool {
        let stream = self.stream(stream);
        stream.is_some_and(|(_, stream)| stream.append.is_none())
    }

    fn matching(&self, stream: &str, subject: &str) -> impl Iterator<Item = usize> {
        let id = self.stream(stream).map(|(id, _)| id);
        (0..self.consumers.len()).filter(move |&index| {
            let subscription = &self.consumers[index];
            let filter = subscription.consumer.filter.as_ref();
            Some(subscription.stream) == id
                && filter.is_none_or(|filter| {
                    filter
                        .value
                        .iter()
                        .any(|one| rendered::fits(&one.value, subject))
                })
        })
    }

    /// Where each consumer says what happens to messages that are given up, or what it is called.
    pub fn dead_letters(&self) -> impl Iterator<Item = Origin> {
        let after = |one: &Subscription<'_>| match &one.consumer.after_max_deliver {
            Some(after) => after.origin,
            None => one.name.origin,
        };
        self.consumers.iter().map(after)
    }

    /// The consumers that get a message.
    pub fn of(&self, stream: &str, subject: &str) -> Vec<&Subscription<'a>> {
        let matching = self.matching(stream, subject);
        matching.map(|index| &self.consumers[index]).collect()
    }

    /// The positions of the consumers that get a message, ascending.
    pub fn ids(&self, stream: &str, subject: &str) -> Vec<ConsumerId> {
        let matching = self.matching(stream, subject);
        matching.map(|index| ConsumerId(index as u16)).collect()
    }
}

/// The stream and the subject of a publication.
pub fn target(publish: &Publish) -> (&str, &str) {
    match publish {
        Publish::Stream(stream) => (stream, stream),
        Publish::As(publish) => {
            let stream = publish.stream.value.as_str();
            let subject = publish.subject.as_ref();
            (stream, subject.map_or(stream, |subject| &subject.value))
        }
    }
}
