//! Changes of a backend that may raise its capacity.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::model::{ConsumerId, Dispatch, MemberKind, Members, Model, Order, ServiceId};

/// A change of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Each member of a service has one more worker.
    Worker(ServiceId),
    /// A service has one more member, like its last.
    Member(ServiceId),
    /// All members of a service take from one line, instead of being drawn at random.
    Shared(ServiceId),
    /// A service takes 10 % less time.
    Faster(ServiceId),
    /// Twice as many may wait at a service.
    LongerQueue(ServiceId),
    /// Twice as many messages of a consumer may be unacknowledged.
    WiderWindow(ConsumerId),
    /// A consumer's members ask for more messages: twice as many beyond their workers.
    Prefetch(ConsumerId),
    /// A consumer works on twice as many messages together.
    LargerBatch(ConsumerId),
}

/// What a service time is multiplied by where it is to take 10 % less.
const FASTER: f64 = 0.9;

impl Change {
    /// All that can be changed in a model.
    pub fn all(model: &Model) -> Vec<Change> {
        let mut all = Vec::new();
        for (id, service) in (0u16..).map(ServiceId).zip(&model.services) {
            all.push(Change::Worker(id));
            if service.members.count() > 1 {
                all.push(Change::Member(id));
            }
            let in_turn = !matches!(service.order, Order::Shared { .. });
            if service.members.count() > 1
                && service.dispatch == Dispatch::Random
                && service.outages.iter().all(|outage| outage.member.is_none())
                && in_turn
            {
                all.push(Change::Shared(id));
            }
            all.push(Change::Faster(id));
            all.extend(service.queue_limit.map(|_| Change::LongerQueue(id)));
        }
        for (id, consumer) in (0u16..).map(ConsumerId).zip(&model.consumers) {
            all.push(Change::WiderWindow(id));
            if consumer.prefetch > 0 {
                all.push(Change::Prefetch(id));
            }
            all.extend(consumer.batch.as_ref().map(|_| Change::LargerBatch(id)));
        }
        all
    }

    /// Makes the change.
    pub fn make(self, model: &mut Model) {
        match self {
            Change::Worker(id) => members(model, id, |kind| MemberKind {
                workers: kind.workers.saturating_add(1),
                ..kind
            }),
            Change::Member(id) => {
                let service = &mut model.services[id.index()];
                let kinds = service.members.kinds().to_vec();
                if let (Some(first), Some(last)) = (kinds.first(), kinds.last()) {
                    let one = MemberKind {
                        count: NonZeroU32::MIN,
                        ..*last
                    };
                    let rest = kinds[1..].iter().copied().chain([one]);
                    service.members = Members::new(*first, rest);
                }
            }
            Change::Shared(id) => model.services[id.index()].dispatch = Dispatch::Shared,
            Change::Faster(id) => members(model, id, |kind| MemberKind {
                speed: kind.speed / FASTER,
                ..kind
            }),
            Change::LongerQueue(id) => {
                let limit = &mut model.services[id.index()].queue_limit;
                *limit = limit.map(doubled);
            }
            Change::WiderWindow(id) => {
                let window = &mut model.consumers[id.index()].max_ack_pending;
                *window = window.saturating_mul(TWO);
            }
            Change::Prefetch(id) => {
                let prefetch = &mut model.consumers[id.index()].prefetch;
                *prefetch = doubled(*prefetch);
            }
            Change::LargerBatch(id) => {
                let consumer = &mut model.consumers[id.index()];
                if let Some(batch) = &mut consumer.batch {
                    batch.size = batch.size.saturating_mul(TWO);
                    consumer.max_ack_pending = consumer.max_ack_pending.max(batch.size);
                }
            }
        }
    }

    /// What it is, in words, with the values before and after.
    pub fn words(self, model: &Model) -> String {
        let service = |id: ServiceId| &model.services[id.index()];
        let consumer = |id: ConsumerId| model.consumer_name(id);
        match self {
            Change::Worker(id) => {
                let each = match service(id).members.count() {
                    1 => "",
                    _ => " in each member",
                };
                format!("one more worker{each} of service {}", service(id).name)
            }
            Change::Member(id) => format!("one more member of service {}", service(id).name),
            Change::Shared(id) => format!(
                "one shared queue for all members of service {} instead of random dispatch",
                service(id).name
            ),
            Change::Faster(id) => format!("service {} 10 % faster", service(id).name),
            Change::LongerQueue(id) => {
                format!("twice the queue limit of service {}", service(id).name)
            }
            Change::WiderWindow(id) => {
                format!("twice the max_ack_pending of consumer {}", consumer(id))
            }
            Change::Prefetch(id) => {
                format!("twice the prefetch of consumer {}", consumer(id))
            }
            Change::LargerBatch(id) => {
                format!("twice the batch size of consumer {}", consumer(id))
            }
        }
    }

    /// The keys of the spec that make it, with their values; none where no single key does.
    pub fn keys(self, model: &Model) -> BTreeMap<String, String> {
        let one = |key: String, value: String| BTreeMap::from([(key, value)]);
        let of_service = |id: ServiceId, key: &str, value: String| {
            one(
                format!("services.{}.{key}", model.services[id.index()].name),
                value,
            )
        };
        let of_consumer = |id: ConsumerId, key: &str, value: String| {
            let consumer = &model.consumers[id.index()];
            let stream = &model.streams[consumer.stream.index()].name;
            one(
                format!("streams.{stream}.consumers.{}.{key}", consumer.name),
                value,
            )
        };
        let mut after = model.clone();
        self.make(&mut after);
        match self {
            Change::Worker(id) => match after.services[id.index()].members.kinds() {
                [kind] => of_service(id, "workers", kind.workers.to_string()),
                _ => BTreeMap::new(),
            },
            Change::Member(id) => match after.services[id.index()].members.kinds() {
                [kind] => of_service(id, "members", kind.count.to_string()),
                _ => BTreeMap::new(),
            },
            Change::Shared(id) => of_service(id, "dispatch", "shared".to_owned()),
            Change::Faster(_) => BTreeMap::new(),
            Change::LongerQueue(id) => {
                let limit = after.services[id.index()].queue_limit;
                limit.map_or_else(BTreeMap::new, |limit| {
                    of_service(id, "queue.limit", limit.to_string())
                })
            }
            Change::WiderWindow(id) => {
                let window = after.consumers[id.index()].max_ack_pending;
                of_consumer(id, "max_ack_pending", window.to_string())
            }
            Change::Prefetch(id) => {
                let prefetch = after.consumers[id.index()].prefetch;
                of_consumer(id, "prefetch", prefetch.to_string())
            }
            Change::LargerBatch(id) => {
                let batch = after.consumers[id.index()].batch.as_ref();
                batch.map_or_else(BTreeMap::new, |batch| {
                    of_consumer(id, "batch.size", batch.size.to_string())
                })
            }
        }
    }
}

const TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

fn doubled(number: u32) -> u32 {
    number.saturating_mul(2)
}

/// Changes every kind of member of a service.
fn members(model: &mut Model, id: ServiceId, change: impl Fn(MemberKind) -> MemberKind) {
    let service = &mut model.services[id.index()];
    let mut kinds = service.members.kinds().iter().map(|kind| change(*kind));
    if let Some(first) = kinds.next() {
        let rest: Vec<MemberKind> = kinds.collect();
        service.members = Members::new(first, rest);
    }
}
