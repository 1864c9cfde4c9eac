//! The visits of the requests of an action in the headers of their replies.

use blis_sim::backend::RecordedVisit;
use blis_sim::event::{Outcome, ReplyHeaders};
use blis_sim::model::{
    ActionId, Dispatch, MEMBER, Model, Path, SERVICE_TIME, Service, ServiceId, VISITS,
};
use blis_sim::spec::error::shown;
use blis_sim::time::Span;
use blis_sim::trace::Row;

use super::paths::{only_service, refuse_undetermined, service_named, visited};
use super::{Requests, Wanted};

/// How much longer than its request a service time may seem, as a share and besides: no two clocks are the same.
const SKEW: f64 = 0.01;
const SLACK: Span = Span::from_nanos(1_000_000);

/// Where the visits of an action's requests stand in the headers of their replies.
#[derive(Debug)]
pub(super) struct Source {
    wanted: Wanted,
    /// Whether there is nothing to take from a record.
    has_no_visits: bool,
    /// The service that is visited, where the path has a single visit.
    only: Option<ServiceId>,
    member: Option<usize>,
    time: Option<usize>,
    visits: Option<usize>,
    /// Requests that had a reply, and those whose reply says what is wanted.
    answered: u64,
    told: u64,
}

impl Source {
    /// Of the requests of an action.
    ///
    /// # Errors
    /// Where the visits are not determined, or not recorded.
    pub(super) fn of(
        requests: Requests<'_>,
        id: ActionId,
        wanted: Wanted,
    ) -> Result<Source, String> {
        let Requests { model, of_run, .. } = requests;
        let action = &model.actions[id.index()];
        let mut source = Source {
            wanted,
            has_no_visits: visited(model.steps_of(id)).next().is_none(),
            only: None,
            member: None,
            time: None,
            visits: None,
            answered: 0,
            told: 0,
        };
        if action.path.fire_and_forget {
            return Ok(source);
        }
        refuse_undetermined(model, id, wanted)?;
        if source.has_no_visits {
            return Ok(source);
        }
        source.only = only_service(requests, id)?;
        let mut known = of_run.actions.iter();
        let sending = known.find(|known| known.name == action.name);
        let sending = sending.and_then(|known| known.sending.as_ref());
        let names = sending.map_or(&[][..], |sending| &sending.record_headers);
        let place = |name: &str| names.iter().position(|one| one == name);
        (source.member, source.time) = (place(MEMBER), place(SERVICE_TIME));
        source.visits = place(VISITS);
        source.needs(names, &action.name)?;
        Ok(source)
    }

    /// The headers that say what is wanted.
    fn headers(&self) -> impl Iterator<Item = (&'static str, Option<usize>)> {
        let is_single = self.only.is_some();
        let all = [
            (MEMBER, self.member, is_single && self.wanted.members),
            (SERVICE_TIME, self.time, is_single && self.wanted.times),
            (VISITS, self.visits, !is_single),
        ];
        let wanted = all.into_iter().filter(|(.., is_wanted)| *is_wanted);
        wanted.map(|(name, place, _)| (name, place))
    }

    fn needs(&self, recorded: &[String], action: &str) -> Result<(), String> {
        let missing = self.headers().filter(|(_, place)| place.is_none());
        let missing: Vec<&str> = missing.map(|(name, _)| name).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let names = recorded.iter().map(String::as_str);
        let all: Vec<&str> = names.chain(missing.iter().copied()).collect();
        Err(format!(
            "the run did not record {} of the replies of the action {}; add `record_headers: [{}]` to `actions.{}.live` \
             of its spec, and observe again",
            missing.join(" and "),
            shown(action),
            all.join(", "),
            shown(action)
        ))
    }

    /// Whether requests of this action visit nothing.
    pub(super) fn has_no_visits(&self) -> bool {
        self.has_no_visits
    }

    /// Refuses requests that were answered when none of the replies says anything.
    ///
    /// # Errors
    /// What to do then.
    pub(super) fn is_told(&self, action: &str) -> Result<(), String> {
        if self.answered == 0 || self.told > 0 {
            return Ok(());
        }
        let names: Vec<&str> = self.headers().map(|(name, _)| name).collect();
        Err(format!(
            "no reply of the action {} has {}, which `blis serve` sends; observe doubles of this version, or leave out --recorded",
            shown(action),
            names.join(" and ")
        ))
    }

    /// Takes what the headers say of the visits of a request; whether they say all that is wanted.
    ///
    /// # Errors
    /// What a header says that cannot be.
    pub(super) fn take(
        &mut self,
        model: &Model<Path>,
        row: &Row,
        headers: &ReplyHeaders,
        found: &mut Vec<RecordedVisit>,
    ) -> Result<bool, String> {
        let is_told = self.read(model, row, headers, found)?;
        self.answered += u64::from(row.reply_bytes.is_some());
        self.told += u64::from(is_told);
        Ok(is_told)
    }

    fn read(
        &self,
        model: &Model<Path>,
        row: &Row,
        headers: &ReplyHeaders,
        found: &mut Vec<RecordedVisit>,
    ) -> Result<bool, String> {
        let value = |place: Option<usize>| {
            let (_, value) = headers.iter().find(|(at, _)| Some(*at) == place)?;
            Some(value)
        };
        if let Some(all) = value(self.visits) {
            if all.is_empty() && self.only.is_some() {
                // It was answered before the visit ended.
                return Ok(false);
            }
            if all.ends_with('…') {
                return Err(cut());
            }
            for text in all.split(',').filter(|text| !text.is_empty()) {
                found.push(self.of_text(model, row, text)?);
            }
            return Ok(true);
        }
        let Some(service) = self.only else {
            return Ok(false);
        };
        let of = &model.services[service.index()];
        let member = value(self.member.filter(|_| self.wanted.members));
        // A request that found no room was not served.
        let is_served = row.outcome != Outcome::Rejected;
        let time = value(self.time.filter(|_| self.wanted.times && is_served));
        let is_whole = (member.is_some() || !self.wanted.members)
            && (time.is_some() || !self.wanted.times || !is_served);
        found.push(RecordedVisit {
            service,
            member: match member {
                Some(text) => self.member(of, MEMBER, text)?,
                None => None,
            },
            time: match time {
                Some(text) => self.time(row, SERVICE_TIME, text)?,
                None => None,
            },
        });
        Ok(is_whole)
    }

    /// A visit as [`VISITS`] has it.
    fn of_text(&self, model: &Model<Path>, row: &Row, text: &str) -> Result<RecordedVisit, String> {
        let mut parts = text.split('/');
        let (Some(name), Some(member), Some(time), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(format!(
                "{VISITS} has `{}`, which is not SERVICE/MEMBER/NANOSECONDS, or was cut to 128 bytes; leave out --recorded",
                shown(text)
            ));
        };
        let service = service_named(model, name)?;
        let of = &model.services[usize::from(service.0)];
        Ok(RecordedVisit {
            service,
            member: self.member(of, VISITS, member)?,
            time: match time {
                "-" => None,
                time => self.time(row, VISITS, time)?,
            },
        })
    }

    /// The member that a value names, where the model would draw one.
    fn member(&self, of: &Service, header: &str, text: &str) -> Result<Option<u32>, String> {
        let count = of.members.count();
        let member = text.parse().ok().filter(|member| *member < count);
        let draws = of.dispatch == Dispatch::Random && count > 1;
        match member {
            _ if !self.wanted.members => Ok(None),
            Some(member) => Ok(draws.then_some(member)),
            None => Err(format!(
                "the member in {header} is `{}`, but the service {} of the model has {count}, numbered from 0; replay \
                 the spec of the run, or leave member out of --recorded",
                shown(text),
                shown(&of.name)
            )),
        }
    }

    /// The service time that a value names.
    fn time(&self, row: &Row, header: &str, text: &str) -> Result<Option<Span>, String> {
        if !self.wanted.times {
            return Ok(None);
        }
        let took = row.service();
        let longest = (took + SLACK).as_nanos() as f64 * (1.0 + SKEW);
        let why = match text.parse::<u64>() {
            Ok(time) if time as f64 <= longest => return Ok(Some(Span::from_nanos(time))),
            Ok(_) => format!("which is longer than the {took} from sending to reply"),
            Err(_) => "which is not a number of nanoseconds".to_owned(),
        };
        Err(format!(
            "the service time in {header} is `{}`, {why}; leave service out of --recorded",
            shown(text)
        ))
    }
}

/// The text about a value that is not whole.
fn cut() -> String {
    format!("{VISITS} was cut to 128 bytes, and this request has more visits; leave out --recorded")
}
