//! The part of a spec that a process runs, and the subjects on which it listens.
//!
//! Members with their own queues in the model are separate subscribers: the server spreads requests among them, as among the
//! members of a real queue group. Services whose members share a queue, or are chosen by least load, are one subscriber:
//! there the model chooses.

use std::collections::BTreeSet;

use blis_sim::model::{
    Action, ActionId, Answer, DOUBLES, Dispatch, LiveModel, Model, Path, Service, ServiceId, token,
};

use crate::double::peers::Roster;

/// The queue group of doubles.
pub const GROUP: &str = "q";

/// What is asked for at a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// A request of an action.
    Action(ActionId),
    /// A visit of a service, by its position, that another process hands on.
    Visit(usize),
}

/// A subscription in the queue group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listening {
    /// Where.
    pub subject: String,
    /// For what.
    pub purpose: Purpose,
    /// The member whose subscription it is.
    pub member: Option<u32>,
}

/// Why a part of a spec cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unplayable {
    /// There is nothing to listen to.
    #[error("no action of the spec has a subject; give one `live: {{request: SUBJECT}}`")]
    NoSubject,
    /// Nobody knows what requests do.
    #[error(
        "no action of the spec has a path ({}); give one `path: [{{visit: SERVICE}}, reply]`",
        .0.join(", ")
    )]
    NoPath(Vec<String>),
    /// Two actions that cannot be told apart.
    #[error("the actions {0} and {1} have the same subject; give them different subjects")]
    SameSubject(String, String),
    /// A service that the spec does not have.
    #[error("there is no service {name}; give one of {}", known.join(", "))]
    NoService {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
}

/// What can be played of a model: those of its actions that have a path. The others are sent nowhere as far as a double is
/// concerned, so that nothing of them ever comes to it.
///
/// # Errors
/// [`Unplayable::NoPath`] where no action has one.
pub fn playable(model: &LiveModel) -> Result<Model, Unplayable> {
    if model.actions.iter().all(|action| action.path.is_none()) {
        let names = model.without_path().map(str::to_owned);
        return Err(Unplayable::NoPath(names.collect()));
    }
    // Where the program ends, nothing follows.
    let nowhere = Path {
        entry: u32::try_from(model.program.len()).unwrap_or(u32::MAX),
        fire_and_forget: false,
    };
    model.clone().with_paths(|action| {
        Ok(match action.path {
            Some(path) => action.with_path(path),
            None => Action {
                sending: None,
                ..action.with_path(nowhere)
            },
        })
    })
}

/// How many places a service has: one for each member with a line and its own subscription.
pub fn places(service: &Service) -> usize {
    match service.dispatch {
        Dispatch::Random => service.members.count() as usize,
        Dispatch::Shared | Dispatch::LeastLoaded => 1,
    }
}

/// Which services are played: those that are named, or all.
///
/// # Errors
/// A name that the spec does not have.
pub fn played(model: &Model, only: &[String]) -> Result<Vec<bool>, Unplayable> {
    let names: Vec<&str> = model.services.iter().map(|one| one.name.as_str()).collect();
    if let Some(name) = only.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Unplayable::NoService {
            name: name.clone(),
            known: names.into_iter().map(str::to_owned).collect(),
        });
    }
    let plays = names
        .iter()
        .map(|name| only.is_empty() || only.iter().any(|one| one == name));
    Ok(plays.collect())
}

/// The subject at which a spec's doubles hand visits of a service to one another.
pub fn visit_subject(model: &Model, service: usize) -> String {
    let service = &model.services[service].name;
    format!("{DOUBLES}.{}.visit.{service}", token(&model.name))
}

/// The subject at which the doubles of the spec of this name tell of themselves.
pub fn peers_subject(name: &str) -> String {
    format!("{DOUBLES}.{}.peers", token(name))
}

/// The subject of a fan-out's delivery to the subscriber of this number.
pub fn delivery_subject(model: &Model, fan_out: usize, number: u32) -> String {
    let name = &model.fan_outs[fan_out].name;
    format!("{DOUBLES}.{}.fanout.{name}.{number}", token(&model.name))
}

/// The subjects of the actions that are requests or publications. Streams and buckets that the spec's users send to
/// answer for themselves.
///
/// # Errors
/// [`Unplayable`] when there are none, or two are the same.
pub fn subjects(model: &Model) -> Result<Vec<(String, ActionId)>, Unplayable> {
    let actions = (0u16..).map(ActionId).zip(&model.actions);
    let sent: Vec<_> = actions
        .filter_map(|(id, action)| Some((id, action.sending.as_ref()?)))
        .collect();
    if sent.is_empty() {
        return Err(Unplayable::NoSubject);
    }
    let mut listened: Vec<(String, ActionId)> = Vec::new();
    for (id, sending) in sent {
        if !matches!(sending.kind.answer(), Answer::Nothing | Answer::Reply) {
            continue;
        }
        let subject = sending.subject.wildcards();
        if let Some((_, other)) = listened.iter().find(|(known, _)| *known == subject) {
            let name = |id: ActionId| model.actions[id.index()].name.clone();
            return Err(Unplayable::SameSubject(name(*other), name(id)));
        }
        listened.push((subject, id));
    }
    Ok(listened)
}

/// A subject that is listened to.
#[derive(Debug, Clone)]
struct Entrance {
    subject: String,
    purpose: Purpose,
    /// The service that its requests visit first, by its position.
    service: Option<usize>,
    /// Whether that is the first thing that they do, so that the server can choose the member.
    at_once: bool,
}

/// The services that a process plays, and what is asked for at which subject of theirs.
#[derive(Debug, Clone)]
pub struct PlayedServices {
    entrances: Vec<Entrance>,
}

impl PlayedServices {
    /// Of a model whose subjects can be told apart.
    ///
    /// # Errors
    /// Those of [`subjects`].
    pub fn new(model: &Model) -> Result<PlayedServices, Unplayable> {
        let actions = subjects(model)?.into_iter().map(|(subject, action)| {
            let first = model.entrance(action);
            Entrance {
                subject,
                purpose: Purpose::Action(action),
                service: first.map(|(ServiceId(id), _)| usize::from(id)),
                at_once: first.is_some_and(|(_, at_once)| at_once),
            }
        });
        let visits = (0..model.services.len()).map(|service| Entrance {
            subject: visit_subject(model, service),
            purpose: Purpose::Visit(service),
            service: Some(service),
            at_once: true,
        });
        Ok(PlayedServices {
            entrances: actions.chain(visits).collect(),
        })
    }

    /// What requests of this purpose come to first: the service and the number of its endpoint.
    pub fn endpoint(&self, purpose: Purpose) -> Option<(usize, usize)> {
        let entrance = self.entrances.iter().find(|one| one.purpose == purpose)?;
        let service = entrance.service?;
        let number = self
            .endpoints(service)
            .position(|(_, one)| one == purpose)?;
        Some((service, number))
    }

    /// What a service listens to.
    pub fn endpoints(&self, service: usize) -> impl Iterator<Item = (&str, Purpose)> {
        let own = self.entrances.iter();
        own.filter(move |one| one.service == Some(service))
            .map(|one| (one.subject.as_str(), one.purpose))
    }

    /// The subscriptions of a process that plays what the roster says.
    pub fn listening(&self, roster: &Roster) -> BTreeSet<Listening> {
        let mut all = BTreeSet::new();
        for entrance in &self.entrances {
            let mut add = |member| {
                all.insert(Listening {
                    subject: entrance.subject.clone(),
                    purpose: entrance.purpose,
                    member,
                });
            };
            let Some(service) = entrance.service else {
                // Requests that visit nobody are anybody's.
                add(None);
                continue;
            };
            let places = roster.places(service);
            let here = (0u32..).zip(&places).filter(|(_, here)| **here);
            match entrance.at_once && places.len() > 1 {
                true => here.for_each(|(member, _)| add(Some(member))),
                false => here.take(1).for_each(|_| add(None)),
            }
        }
        all
    }
}
