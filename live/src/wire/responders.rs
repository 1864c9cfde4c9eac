//! Actions without responders, detected during the load.

use std::sync::atomic::{AtomicU64, Ordering};

use blis_sim::model::{ActionId, Model};

use crate::wire::reason::{Ending, Reason};

/// Replies by action: from whoever answers, and from the server where nobody subscribes. Connections count, the driver's
/// thread looks.
#[derive(Debug, Default)]
pub struct Responders(Box<[Replies]>);

#[derive(Debug, Default)]
struct Replies {
    somebody: AtomicU64,
    nobody: AtomicU64,
}

impl Replies {
    /// How often it was said that nobody subscribes, where nobody else answered; `None` where somebody did or nothing came.
    fn of_nobody(&self) -> Option<u64> {
        let nobody = self.nobody.load(Ordering::Relaxed);
        (nobody > 0 && self.somebody.load(Ordering::Relaxed) == 0).then_some(nobody)
    }
}

impl Responders {
    /// Nothing heard yet, of a model.
    pub fn new<P>(model: &Model<P>) -> Responders {
        Responders(model.actions.iter().map(|_| Replies::default()).collect())
    }

    /// Forgets what was heard.
    pub fn forget(&self) {
        for replies in &self.0 {
            replies.somebody.store(0, Ordering::Relaxed);
            replies.nobody.store(0, Ordering::Relaxed);
        }
    }

    /// A reply to a request of this action came, or that nobody subscribes to its subject: whoever is there may answer with
    /// any status.
    pub fn heard(&self, action: ActionId, ending: Ending) {
        if let Some(replies) = self.0.get(action.index()) {
            let counter = match ending {
                Err(Reason::NoResponders) => &replies.nobody,
                _ => &replies.somebody,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Who has been warned of.
#[derive(Debug)]
pub struct Silence {
    /// Name and subject of each action that was not warned of; `None` for the others.
    actions: Vec<Option<(String, String)>>,
}

impl Silence {
    /// Nobody yet, of a model.
    pub fn new<P>(model: &Model<P>) -> Silence {
        let actions = model.actions.iter().map(|action| {
            let subject = action.sending.as_ref()?.subject.wildcards();
            Some((action.name.clone(), subject))
        });
        Silence {
            actions: actions.collect(),
        }
    }

    /// A warning for each action that nobody has answered so far although replies came, once.
    pub fn look(&mut self, responders: &Responders) -> Vec<String> {
        let mut warnings = Vec::new();
        for (action, replies) in self.actions.iter_mut().zip(&responders.0) {
            let Some(nobody) = replies.of_nobody() else {
                continue;
            };
            if let Some((name, subject)) = action.take() {
                let all = match nobody {
                    1 => "its first request".to_owned(),
                    _ => format!("all {nobody} requests so far"),
                };
                warnings.push(format!(
                    "nobody subscribes to {subject}, the subject of action {name}: {all} had no responders; start the \
                     service, or correct the subject"
                ));
            }
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_that_nobody_answers_is_warned_of_once() {
        let spec = "{blis: 1, name: a, run: {requests: 9}, clients: {c: {concurrency: 1, do: {a: 1, b: 1, c: 1}}}, \
                    actions: {a: {path: [reply], live: {request: \"told.{user}\"}}, \
                    b: {path: [reply], live: {request: b}}, c: {path: [reply], live: {request: c}}}}";
        let spec = blis_sim::spec::read(spec).expect("it reads");
        let model = blis_sim::spec::lower(&spec).expect("it lowers").model;
        let responders = Responders::new(&model);
        let mut silence = Silence::new(&model);
        assert_eq!(silence.look(&responders), Vec::<String>::new());
        let nobody = Err(Reason::NoResponders);
        for ending in [nobody, nobody] {
            responders.heard(ActionId(0), ending);
        }
        for ending in [nobody, Ok(())] {
            responders.heard(ActionId(1), ending);
        }
        for ending in [Err(Reason::StatusError), nobody] {
            responders.heard(ActionId(2), ending);
        }
        let warnings = silence.look(&responders);
        assert_eq!(
            warnings,
            [
                "nobody subscribes to told.*, the subject of action a: all 2 requests so far had no responders; start the \
                 service, or correct the subject"
            ]
        );
        assert_eq!(silence.look(&responders), Vec::<String>::new());
    }
}
