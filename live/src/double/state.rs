//! The state of a double: its work, the other processes of the spec, and its answers to questions.

use std::collections::BTreeMap;

use async_nats::{HeaderMap, Subject};
use blis_sim::measure::Times;
use blis_sim::model::ServiceId;
use blis_sim::time::{Span, Time};
use bytes::Bytes;

use super::messages::{Heard, Outgoing, Outlet};
use super::record::MemberTally;
use super::{Double, entrances};
use crate::clock::Clock;
use crate::double::peers::Announcement;
use crate::double::saturation::Health;
use crate::double::service_protocol::{Question, Verb};
use crate::generator::jitter::Control;

/// What a double did.
#[derive(Debug, Default, Clone)]
pub struct Played {
    /// Requests that arrived.
    pub requests: u64,
    /// Those of them whose header named no request of this spec.
    pub unknown: u64,
    /// Visits that other processes handed in.
    pub taken: u64,
    /// Visits that were handed to other processes.
    pub handed_on: u64,
    /// Messages that streams delivered.
    pub fetched: u64,
    /// Deliveries of fan-outs that were sent.
    pub deliveries: u64,
    /// Answers to requests by outcome.
    pub answers: BTreeMap<&'static str, u64>,
    /// Messages that the connection did not take.
    pub not_sent: u64,
    /// How much later than the model said things happened.
    pub overrun: Times,
    /// The most work that was there together.
    pub most_present: usize,
}

/// How a double stands, while it plays and at its end.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Since when.
    pub elapsed: Span,
    /// What it did.
    pub played: Played,
    /// How it kept up.
    pub health: Health,
    /// By service that it plays: the name, and what each of the members did that it plays or played.
    pub services: Vec<(String, Vec<(usize, MemberTally)>)>,
    /// Whether nobody else plays the same spec.
    pub alone: bool,
}

/// What looks at a double while it plays.
pub struct DoubleWatch<'a> {
    /// Whether to stop.
    pub stop: &'a dyn Fn() -> bool,
    /// Is shown how it stands once in a while.
    pub show: &'a mut dyn FnMut(&Statement),
}

impl<C: Clock<Heard>, O: Outlet> Double<C, O> {
    /// Tells other processes what this one plays.
    pub(super) fn tell(&mut self, leaves: bool) {
        let subject = entrances::peers_subject(&self.model.name);
        let text = self.setup.roster.announcement(leaves).text();
        self.publish(Outgoing {
            subject: Subject::from(subject),
            reply: None,
            headers: HeaderMap::new(),
            payload: Bytes::from(text),
        });
    }

    /// Hears of another process.
    pub(super) fn meet(&mut self, told: &Announcement, at: Time) {
        if self.setup.roster.hear(told, at) && self.leaving.is_none() {
            // Whoever comes has to know of those that are there.
            if !told.leaves {
                self.tell(false);
            }
            self.share();
        }
    }

    /// Plays the members that are this process's share.
    pub(super) fn share(&mut self) {
        for service in 0..self.model.services.len() {
            let places = self.setup.roster.places(service);
            self.backend.play(ServiceId(service as u16), &places);
        }
        let listening = self.plays.listening(&self.setup.roster);
        // Where nobody listens to that any more, the process is at its end.
        let _ = self.setup.listener.send(listening);
        self.pull_all();
    }

    /// Answers who asks for the services of this process.
    pub(super) fn answer_question(&mut self, question: &Question) {
        for service in 0..self.instances.len() {
            let meant = question.service.is_none_or(|of| of == service);
            if !meant || !self.setup.roster.plays(service) {
                continue;
            }
            let members = match question.verb {
                Verb::Stats => self.members(service),
                Verb::Ping | Verb::Info => Vec::new(),
            };
            let text = self.instances[service].answer(question.verb, &members);
            self.publish(Outgoing {
                subject: question.reply.clone(),
                reply: None,
                headers: HeaderMap::new(),
                payload: Bytes::from(text),
            });
        }
    }

    /// The members of a service that this process plays, or has played, and what they did.
    fn members(&self, service: usize) -> Vec<(usize, MemberTally)> {
        let here = self.setup.roster.places(service);
        let all = self.record.members(service).iter().enumerate();
        all.filter(|(member, tally)| {
            let plays = here.get(*member).or(here.first());
            plays.copied().unwrap_or(false) || **tally != MemberTally::default()
        })
        .map(|(member, tally)| (member, *tally))
        .collect()
    }

    /// How it stands.
    pub(super) fn statement(&self, now: Time) -> Statement {
        let control = self.setup.control.as_ref();
        let control = control.map(Control::times).unwrap_or_default();
        let elapsed = now.since(self.usage.began());
        let worked = Span::from_nanos(elapsed.as_nanos().saturating_sub(self.idle.as_nanos()));
        let (visits, service) = self.record.total();
        let mut health = Health::new(&self.played.overrun, &control, &self.usage, now, worked);
        health.not_sent = self.played.not_sent;
        let played = (0..self.instances.len()).filter(|one| self.setup.roster.plays(*one));
        Statement {
            elapsed,
            played: self.played.clone(),
            health: health.with_service(visits, service).with_work(
                self.played.requests + self.played.taken + self.played.fetched,
                elapsed,
            ),
            services: played
                .map(|one| (self.instances[one].name.clone(), self.members(one)))
                .collect(),
            alone: self.setup.roster.others() == 0,
        }
    }
}
