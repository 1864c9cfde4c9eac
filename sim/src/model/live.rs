//! What a model says of the live world: how requests are sent to a real cluster. A simulation does not look at it.

use std::num::NonZeroU32;

/// How the requests of an action are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// What ends a request.
    pub kind: SendKind,
    /// Where it is sent.
    pub subject: Template,
    /// Headers beside the request's id, in the order of the spec.
    pub headers: Vec<(String, Template)>,
    /// What it carries.
    pub payload: Payload,
}

/// What ends a request in the live world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendKind {
    /// The reply.
    Request,
    /// The connection has taken it.
    Publish,
    /// The acknowledgement of a stream.
    Jetstream,
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// So many bytes of filling.
    Size(usize),
    /// A text.
    Text(Template),
}

/// Over which connections users send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connections {
    /// Each closed user has its own, and all sessions of open clients share one.
    #[default]
    PerUser,
    /// So many are shared by all, in turn.
    Pool(NonZeroU32),
}

/// A text with places that each request fills in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// The client's name.
    Client,
    /// The user's number within its client.
    User,
    /// The request's number within its user.
    Number,
    /// Which try it is.
    Attempt,
    /// The request's number within the run.
    Sequence,
    /// A variable of the environment, by its name; it is filled in before a live run, and nowhere else.
    Environment(String),
}

/// What the words start with that stand for a variable of the environment.
pub const ENVIRONMENT: &str = "env:";

/// The words that a template may hold in braces.
pub const PLACES: [(&str, Piece); 5] = [
    ("client", Piece::Client),
    ("user", Piece::User),
    ("n", Piece::Number),
    ("attempt", Piece::Attempt),
    ("seq", Piece::Sequence),
];

/// What a request puts in the places of a template.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The client's name.
    pub client: &'a str,
    /// The user's number within its client.
    pub user: u64,
    /// The request's number within its user.
    pub number: u64,
    /// Which try it is.
    pub attempt: u16,
    /// The request's number within the run.
    pub sequence: u64,
}

impl Template {
    /// Takes a text apart.
    ///
    /// # Errors
    /// The word in braces that is no place, or an opening brace that is not closed.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((word, after)) = after.split_once('}') else {
                return Err("a `{` is not closed".to_owned());
            };
            let place = PLACES.iter().find(|(known, _)| *known == word);
            let piece = match (place, word.strip_prefix(ENVIRONMENT)) {
                (Some((_, piece)), _) => piece.clone(),
                (None, Some(name)) if !name.is_empty() => Piece::Environment(name.to_owned()),
                _ => return Err(format!("`{{{word}}}` is no place of a template")),
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(piece);
            rest = after;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Template(pieces))
    }

    /// The text of a request, written to the end of `out`.
    pub fn write(&self, values: &Values<'_>, out: &mut String) {
        use std::fmt::Write as _;
        for piece in &self.0 {
            // Writing to a string does not fail.
            let _ = match piece {
                Piece::Text(text) => out.write_str(text),
                Piece::Client => out.write_str(values.client),
                Piece::User => write!(out, "{}", values.user),
                Piece::Number => write!(out, "{}", values.number),
                Piece::Attempt => write!(out, "{}", values.attempt),
                Piece::Sequence => write!(out, "{}", values.sequence),
                Piece::Environment(name) => write!(out, "{{{ENVIRONMENT}{name}}}"),
            };
        }
    }

    /// The text of a request.
    pub fn text(&self, values: &Values<'_>) -> String {
        let mut out = String::new();
        self.write(values, &mut out);
        out
    }

    /// The text without any places, where it has none.
    pub fn fixed(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'_> = Values {
        client: "users",
        user: 7,
        number: 3,
        attempt: 1,
        sequence: 99,
    };

    #[test]
    fn places_are_filled_in() {
        let template =
            Template::parse("chat.{client}.{user}.{n}-{attempt}/{seq}").expect("a template");
        assert_eq!(template.text(&VALUES), "chat.users.7.3-1/99");
        assert_eq!(template.fixed(), None);
        let plain = Template::parse("demo.ask").expect("a template");
        assert_eq!(plain.fixed(), Some("demo.ask"));
        let secret = Template::parse("Bearer {env:TOKEN}").expect("a template");
        assert_eq!(secret.0[1], Piece::Environment("TOKEN".to_owned()));
        assert_eq!(secret.text(&VALUES), "Bearer {env:TOKEN}");
        assert_eq!(Template::parse("").expect("a template").text(&VALUES), "");
    }

    #[test]
    fn what_is_no_place_is_refused() {
        assert_eq!(
            Template::parse("a.{room}").expect_err("refused"),
            "`{room}` is no place of a template"
        );
        assert!(Template::parse("{env:}").is_err());
        assert_eq!(
            Template::parse("a.{user").expect_err("refused"),
            "a `{` is not closed"
        );
    }
}
