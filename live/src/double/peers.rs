//! The other processes that run the same spec at the same target, and the members that each process runs.
//!
//! Every process announces its services: at its start, when it hears of a new process, at intervals, and at its end. Each of
//! the processes of a service takes every n-th of its members, in the order of their ids, so that all come to the same result
//! without asking. A process that is silent for long is gone.

use std::collections::BTreeMap;

use blis_sim::time::{Span, Time};
use serde_json::{Value, json};

/// How often a process tells that it is there.
pub const BEAT: Span = Span::from_nanos(1_000_000_000);
/// A process that has told nothing for so long is gone.
pub const SILENCE: Span = Span::from_nanos(5_000_000_000);

/// What a process tells the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The process.
    pub id: String,
    /// The run whose streams it uses; empty where there are none.
    pub run: String,
    /// The services that it plays, by name.
    pub services: Vec<String>,
    /// Whether it goes.
    pub leaves: bool,
}

impl Announcement {
    /// As it is sent.
    pub fn text(&self) -> String {
        json!({"id": self.id, "run": self.run, "services": self.services, "leaves": self.leaves})
            .to_string()
    }

    /// What was sent; `None` when it is no announcement.
    pub fn parse(text: &[u8]) -> Option<Announcement> {
        let read: Value = serde_json::from_slice(text).ok()?;
        let services = read.get("services")?.as_array()?.iter();
        Some(Announcement {
            id: read.get("id")?.as_str()?.to_owned(),
            run: read.get("run")?.as_str()?.to_owned(),
            services: services
                .filter_map(|name| Some(name.as_str()?.to_owned()))
                .collect(),
            leaves: read.get("leaves")?.as_bool()?,
        })
    }
}

/// Another process.
#[derive(Debug, Clone)]
struct Peer {
    /// By service, whether it plays it.
    plays: Vec<bool>,
    heard: Time,
}

/// All that play the same spec.
#[derive(Debug, Clone)]
pub struct Roster {
    own: String,
    run: String,
    names: Vec<String>,
    plays: Vec<bool>,
    /// How many places each service has: its members, or one where they take from one line.
    places: Vec<usize>,
    peers: BTreeMap<String, Peer>,
}

impl Roster {
    /// A process of this id that knows of nobody else. Services have a name, a number of places, and are played or not.
    pub fn new(own: String, services: impl Iterator<Item = (String, usize, bool)>) -> Roster {
        let mut roster = Roster {
            own,
            run: String::new(),
            names: Vec::new(),
            plays: Vec::new(),
            places: Vec::new(),
            peers: BTreeMap::new(),
        };
        for (name, places, plays) in services {
            roster.names.push(name);
            roster.places.push(places);
            roster.plays.push(plays);
        }
        roster
    }

    /// Whether this process plays a service, or would if there were members left for it.
    pub fn plays(&self, service: usize) -> bool {
        self.plays[service]
    }

    /// The streams of this run are used.
    pub fn join(&mut self, run: String) {
        self.run = run;
    }

    /// The run whose streams are used; empty where there are none.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The id of this process.
    pub fn own(&self) -> &str {
        &self.own
    }

    /// How many others there are.
    pub fn others(&self) -> usize {
        self.peers.len()
    }

    /// What this process tells the others.
    pub fn announcement(&self, leaves: bool) -> Announcement {
        let played = self.names.iter().zip(&self.plays);
        Announcement {
            id: self.own.clone(),
            run: self.run.clone(),
            services: played
                .filter(|(_, plays)| **plays)
                .map(|(name, _)| name.clone())
                .collect(),
            leaves,
        }
    }

    /// Hears of a process; whether it was not known, or goes.
    pub fn hear(&mut self, told: &Announcement, now: Time) -> bool {
        if told.id == self.own {
            return false;
        }
        if told.leaves {
            return self.peers.remove(&told.id).is_some();
        }
        let plays = self.names.iter().map(|name| told.services.contains(name));
        let peer = Peer {
            plays: plays.collect(),
            heard: now,
        };
        self.peers.insert(told.id.clone(), peer).is_none()
    }

    /// Forgets the processes that have been silent for too long; whether there were any.
    pub fn forget_silent(&mut self, now: Time) -> bool {
        let before = self.peers.len();
        self.peers
            .retain(|_, peer| now.since(peer.heard.min(now)) <= SILENCE);
        self.peers.len() < before
    }

    /// Which places of a service this process plays.
    pub fn places(&self, service: usize) -> Vec<bool> {
        let places = self.places[service];
        if !self.plays[service] {
            return vec![false; places];
        }
        let others = self.peers.iter().filter(|(_, peer)| peer.plays[service]);
        let (mut rank, mut number) = (0, 1);
        for (id, _) in others {
            number += 1;
            rank += usize::from(*id < self.own);
        }
        (0..places).map(|place| place % number == rank).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(own: &str, plays: bool) -> Roster {
        let services = [("api", 3, plays), ("db", 1, true)];
        let services = services.map(|(name, places, plays)| (name.to_owned(), places, plays));
        Roster::new(own.to_owned(), services.into_iter())
    }

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn members_are_shared_without_gap_or_overlap() {
        let mut all = ["a", "b", "c", "d"].map(|own| roster(own, true));
        let told = all.each_ref().map(|one| one.announcement(false));
        for one in &mut all {
            let new = told.iter().filter(|told| one.hear(told, at(1))).count();
            assert_eq!(new, 3, "its own announcement is no news");
            assert!(
                told.iter().all(|told| !one.hear(told, at(1))),
                "heard twice"
            );
        }
        for service in 0..2 {
            let places = all.each_ref().map(|one| one.places(service));
            for place in 0..places[0].len() {
                let players = places.iter().filter(|of| of[place]).count();
                assert_eq!(players, 1, "{places:?}");
            }
        }
    }

    #[test]
    fn who_does_not_play_a_service_has_no_share_in_it() {
        let (mut one, other) = (roster("b", true), roster("a", false));
        one.hear(&other.announcement(false), at(1));
        assert_eq!(one.places(0), [true; 3]);
        assert_eq!(one.places(1), [false]);
        assert_eq!(other.places(0), [false; 3]);
    }

    #[test]
    fn who_leaves_or_is_silent_gives_its_members_back() {
        let (mut one, other) = (roster("a", true), roster("b", true));
        one.hear(&other.announcement(false), at(1));
        assert_eq!(one.places(0), [true, false, true]);
        assert!(one.hear(&other.announcement(true), at(2)));
        assert_eq!(one.places(0), [true; 3]);
        one.hear(&other.announcement(false), at(3));
        assert!(!one.forget_silent(at(8)));
        assert!(one.forget_silent(at(9)));
        assert_eq!((one.places(0), one.others()), (vec![true; 3], 0));
    }

    #[test]
    fn an_announcement_reads_as_it_was_sent() {
        let told = roster("a", false).announcement(true);
        assert_eq!(Announcement::parse(told.text().as_bytes()), Some(told));
        assert_eq!(Announcement::parse(b"{\"id\": 1}"), None);
    }
}
