//! All texts of a template, if they are few enough to check.

use super::live::{Choice, Sending, Variable};
use super::rendered::{self, Flaw, MAX_SUBJECT};
use super::template::{Piece, Template};

/// What the templates of a model are filled in with, and how much of that is still looked at.
///
/// Numbers, ids and UUIDs are digits, letters and marks without a meaning to a server, whatever they are: one of them
/// stands for all. Variables and the names of clients are texts like any other.
#[derive(Debug)]
pub struct Texts<'a> {
    variables: &'a [Variable],
    /// Bytes that may still be written, for the whole model.
    left: usize,
}

/// The result of looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked<T> {
    /// This, at some text.
    Found(T),
    /// Nothing; whether every text was looked at.
    Nothing {
        /// Whether there was no text that was not looked at.
        all: bool,
    },
}

/// Most bytes of texts that are looked at, for a whole model.
const MOST: usize = 8 << 20;
/// The same for one template, and the most of a text that is written.
const MOST_OF_ONE: usize = 1 << 20;
/// What a text costs beside its bytes.
const EACH: usize = 16;

/// A place with several texts.
#[derive(Debug, PartialEq, Eq)]
enum Axis {
    Variable(u16),
    Client,
}

impl<'a> Texts<'a> {
    /// With these variables.
    pub fn new(variables: &'a [Variable]) -> Texts<'a> {
        Texts {
            variables,
            left: MOST,
        }
    }

    /// Looks at the texts of a template until something is found: each value of each place first, then all of them
    /// together. `clients` are the names of those that send it.
    pub fn look<T>(
        &mut self,
        template: &Template,
        clients: &[&str],
        mut at: impl FnMut(&str) -> Option<T>,
    ) -> Looked<T> {
        // What has more places than a server reads bytes is never sent as a subject.
        if template.0.len() > MAX_SUBJECT {
            return Looked::Nothing { all: false };
        }
        let axes = axes(template);
        let each = EACH + template.0.len() * axes.len();
        let sizes: Vec<usize> = axes.iter().map(|axis| self.size(axis, clients)).collect();
        let mut chosen = vec![0; axes.len()];
        let mut text = String::new();
        let mut left = self.left.min(MOST_OF_ONE);
        let mut first = true;
        let mut look = |texts: &mut Texts<'a>, chosen: &[usize]| -> Result<(), Looked<T>> {
            text.clear();
            let whole = texts.write(template, clients, &axes, chosen, &mut text);
            let cost = text.len() + each;
            // One text of each template is looked at, whatever others cost.
            if cost > left && !first {
                return Err(Looked::Nothing { all: false });
            }
            first = false;
            left = left.saturating_sub(cost);
            texts.left = texts.left.saturating_sub(cost);
            match at(&text) {
                Some(found) => Err(Looked::Found(found)),
                None if !whole => Err(Looked::Nothing { all: false }),
                None => Ok(()),
            }
        };
        let all = (|| {
            look(self, &chosen)?;
            for axis in 0..axes.len() {
                for value in 1..sizes[axis] {
                    chosen[axis] = value;
                    look(self, &chosen)?;
                }
                chosen[axis] = 0;
            }
            while axes.len() > 1 && next(&mut chosen, &sizes) {
                look(self, &chosen)?;
            }
            Ok(())
        })();
        all.err().unwrap_or(Looked::Nothing { all: true })
    }

    /// The first subject of a request that is not sent, where the JetStream API is at `api`.
    pub fn subject_flaw(
        &mut self,
        sending: &Sending,
        clients: &[&str],
        api: &str,
    ) -> Looked<(String, Flaw)> {
        let template = &sending.subject;
        if self.is_too_long(template, clients) {
            return Looked::Found((String::new(), Flaw::TooLong));
        }
        self.look(template, clients, |text| {
            let flaw = rendered::flaw_of(sending.kind, text, api)?;
            Some((text.to_owned(), flaw))
        })
    }

    /// The first value of a header that is not sent.
    pub fn header_flaw(
        &mut self,
        name: &str,
        template: &Template,
        clients: &[&str],
    ) -> Looked<(String, Flaw)> {
        // A line break is one in whatever piece it stands.
        let wrong = self.look_at_pieces(template, |text| {
            let flaw = rendered::header_flaw("", text)?;
            Some((text.to_owned(), flaw))
        });
        if let Some(wrong) = wrong {
            return Looked::Found(wrong);
        }
        match rendered::is_operation(name) {
            true => self.look(template, clients, |text| {
                let flaw = rendered::header_flaw(name, text)?;
                Some((text.to_owned(), flaw))
            }),
            false => Looked::Nothing { all: true },
        }
    }

    /// Each text that a place may be filled in with, on its own: what holds for none of them, character by character, holds
    /// for no text of the template.
    fn look_at_pieces<T>(
        &self,
        template: &Template,
        mut at: impl FnMut(&str) -> Option<T>,
    ) -> Option<T> {
        template.0.iter().find_map(|piece| match piece {
            Piece::Text(text) => at(text),
            Piece::Variable(position) => {
                match &self.variables.get(usize::from(*position))?.choice {
                    Choice::OneOf(texts) => texts.iter().find_map(|text| at(text)),
                    Choice::Range(..) => None,
                }
            }
            _ => None,
        })
    }

    /// Whether a subject is longer than a server reads, whatever it is filled in with.
    pub fn is_too_long(&self, subject: &Template, clients: &[&str]) -> bool {
        let shortest = |piece: &Piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Client => clients.iter().map(|name| name.len()).min().unwrap_or(0),
            Piece::Variable(position) => match self.choice(*position) {
                Some(Choice::OneOf(texts)) => texts.iter().map(String::len).min().unwrap_or(0),
                Some(Choice::Range(..)) => 1,
                None => 0,
            },
            Piece::Environment(_) => 0,
            Piece::User
            | Piece::Number
            | Piece::Attempt
            | Piece::Sequence
            | Piece::Id
            | Piece::Uuid => 1,
        };
        // As soon as it is known: each place may have many texts.
        let mut bytes = 0_usize;
        subject.0.len() > MAX_SUBJECT
            || subject.0.iter().any(|piece| {
                bytes = bytes.saturating_add(shortest(piece));
                bytes > MAX_SUBJECT
            })
    }

    /// The most bytes of a template, without what its numbers and ids take.
    pub fn most_bytes(&self, template: &Template) -> usize {
        let longest = |piece: &Piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Variable(position) => self
                .variables
                .get(usize::from(*position))
                .map_or(0, |variable| variable.choice.longest()),
            _ => 0,
        };
        let bytes = template.0.iter().map(longest);
        bytes.fold(0, usize::saturating_add)
    }

    fn size(&self, axis: &Axis, clients: &[&str]) -> usize {
        let size = match axis {
            Axis::Client => clients.len(),
            Axis::Variable(position) => match self.choice(*position) {
                Some(Choice::OneOf(texts)) => texts.len(),
                Some(Choice::Range(..)) | None => 1,
            },
        };
        size.max(1)
    }

    fn choice(&self, position: u16) -> Option<&'a Choice> {
        let variable = self.variables.get(usize::from(position))?;
        Some(&variable.choice)
    }

    /// Writes a text, or its beginning where it is longer than any that is looked at; whether it is whole.
    fn write(
        &self,
        template: &Template,
        clients: &[&str],
        axes: &[Axis],
        chosen: &[usize],
        out: &mut String,
    ) -> bool {
        let value = |wanted: &Axis| {
            let mut places = axes.iter().zip(chosen);
            places
                .find(|(axis, _)| *axis == wanted)
                .map_or(0, |(_, value)| *value)
        };
        template.0.iter().all(|piece| match piece {
            Piece::Text(text) => push(out, text),
            Piece::Client => {
                let name = clients.get(value(&Axis::Client)).copied();
                push(out, name.unwrap_or("client"))
            }
            Piece::Variable(position) => match self.choice(*position) {
                Some(Choice::OneOf(texts)) => {
                    let text = texts.get(value(&Axis::Variable(*position)));
                    push(out, text.map_or("", String::as_str))
                }
                Some(Choice::Range(from, _)) => push(out, &from.to_string()),
                None => true,
            },
            Piece::Id => push(out, "client/0/0/0"),
            Piece::Environment(name) => push(out, name),
            Piece::User | Piece::Number | Piece::Attempt | Piece::Sequence | Piece::Uuid => {
                push(out, "0")
            }
        })
    }
}

/// Adds as much of a text as there is room for; whether that is all of it.
fn push(out: &mut String, text: &str) -> bool {
    let room = text.floor_char_boundary(MOST_OF_ONE.saturating_sub(out.len()));
    out.push_str(&text[..room]);
    room == text.len()
}

fn axes(template: &Template) -> Vec<Axis> {
    let mut axes = Vec::new();
    for piece in &template.0 {
        let axis = match piece {
            Piece::Variable(position) => Axis::Variable(*position),
            Piece::Client => Axis::Client,
            _ => continue,
        };
        if !axes.contains(&axis) {
            axes.push(axis);
        }
    }
    axes
}

/// The next choice of all; whether there is one.
fn next(chosen: &mut [usize], sizes: &[usize]) -> bool {
    for (place, size) in chosen.iter_mut().zip(sizes) {
        *place += 1;
        if *place < *size {
            return true;
        }
        *place = 0;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, choice: Choice) -> Variable {
        Variable {
            name: name.to_owned(),
            choice,
            of_user: false,
        }
    }

    fn variables() -> Vec<Variable> {
        let texts =
            |texts: &[&str]| Choice::OneOf(texts.iter().map(|text| (*text).to_owned()).collect());
        vec![
            variable("room", texts(&["north", "so.uth"])),
            variable("word", texts(&["a", "b", "c"])),
            variable("shelf", Choice::Range(3, u64::MAX)),
        ]
    }

    fn all(text: &str) -> Vec<String> {
        let variables = variables();
        let template = Template::parse(text, variables.iter().map(|one| one.name.as_str()));
        let mut seen = Vec::new();
        let looked = Texts::new(&variables).look(
            &template.expect("a template"),
            &["users", "others"],
            |text| {
                seen.push(text.to_owned());
                None::<()>
            },
        );
        assert_eq!(looked, Looked::Nothing { all: true });
        seen.sort();
        seen.dedup();
        seen
    }

    #[test]
    fn every_text_is_looked_at() {
        assert_eq!(all("plain"), ["plain"]);
        assert_eq!(all("{room}-{n}"), ["north-0", "so.uth-0"]);
        assert_eq!(all("{room}{room}"), ["northnorth", "so.uthso.uth"]);
        assert_eq!(all("{client}.{room}.{word}.{shelf}").len(), 2 * 2 * 3);
    }

    #[test]
    fn what_is_too_much_is_not_looked_at_and_told() {
        let many = Choice::OneOf((0..3_000).map(|n| format!("v{n}")).collect());
        let variables = [variable("a", many.clone()), variable("b", many)];
        let template = Template::parse("{a}.{b}", ["a", "b"].into_iter()).expect("a template");
        let mut texts = Texts::new(&variables);
        let looked = texts.look(&template, &[], |_| None::<()>);
        assert_eq!(looked, Looked::Nothing { all: false });
        // Each value was looked at all the same.
        let mut texts = Texts::new(&variables);
        let looked = texts.look(&template, &[], |text| (text == "v0.v2999").then_some(()));
        assert_eq!(looked, Looked::Found(()));
        assert_eq!(texts.most_bytes(&template), 11);
    }

    #[test]
    fn a_text_is_written_no_further_than_it_is_looked_at() {
        let variables = [variable("v", Choice::OneOf(vec!["ä".repeat(100_000)]))];
        let template = Template::parse(&"{v}".repeat(20), ["v"].into_iter()).expect("a template");
        let mut longest = 0;
        let looked = Texts::new(&variables).look(&template, &[], |text| {
            longest = longest.max(text.len());
            None::<()>
        });
        assert_eq!(looked, Looked::Nothing { all: false });
        assert_eq!(longest, MOST_OF_ONE);
        // What is wrong at its beginning is found.
        let looked = Texts::new(&variables).look(&template, &[], |text| {
            rendered::subscription_flaw(text).map(|flaw| (text.len(), flaw))
        });
        assert_eq!(looked, Looked::Found((MOST_OF_ONE, Flaw::TooLong)));
    }

    #[test]
    fn a_subject_is_too_long_where_its_shortest_text_is() {
        let lengths = |short: usize, long: usize| {
            let texts = vec!["x".repeat(long), "x".repeat(short)];
            let variables = [variable("v", Choice::OneOf(texts))];
            let template = Template::parse("{v}{n}{client}", ["v"].into_iter());
            let template = template.expect("a template");
            Texts::new(&variables).is_too_long(&template, &["users", "all"])
        };
        assert!(!lengths(MAX_SUBJECT - 4, 200_000));
        assert!(lengths(MAX_SUBJECT - 3, 200_000));
    }
}
