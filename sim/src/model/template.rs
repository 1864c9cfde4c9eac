//! Templates: texts with placeholders for subjects, headers and payloads of what is sent to a real cluster.
//!
//! A placeholder is a word in braces. Braces around anything else, as in JSON, are braces; a word in double braces is that word
//! in braces.

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
    /// The user's number within its client; of an open client the session's.
    User,
    /// The request's number within its user.
    Number,
    /// Which try it is.
    Attempt,
    /// The request's number within the run.
    Sequence,
    /// Client, user, number and try, as the header with the request's id has them.
    Id,
    /// A UUID of the request's own.
    Uuid,
    /// The variable at this position of the model.
    Variable(u16),
    /// A variable of the environment, by its name; it is filled in before a live run, and nowhere else.
    Environment(String),
}

/// What the words start with that stand for a variable of the environment.
pub const ENVIRONMENT: &str = "env:";

/// The words that a template may hold in braces, beside variables.
pub const PLACES: [(&str, Piece); 9] = [
    ("client", Piece::Client),
    ("user", Piece::User),
    ("session", Piece::User),
    ("n", Piece::Number),
    ("round", Piece::Number),
    ("attempt", Piece::Attempt),
    ("seq", Piece::Sequence),
    ("id", Piece::Id),
    ("uuid", Piece::Uuid),
];

impl Template {
    /// Takes a text apart; `variables` are the names of the model's.
    ///
    /// # Errors
    /// The word in braces that is no place.
    pub fn parse<'a>(
        text: &str,
        variables: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let (before, at_brace) = rest.split_at(start);
            literal.push_str(before);
            if let Some((word, after)) = at_brace.strip_prefix("{{").and_then(word)
                && let Some(after) = after.strip_prefix('}')
            {
                literal.push_str(&format!("{{{word}}}"));
                rest = after;
            } else if let Some((word, after)) = at_brace.strip_prefix('{').and_then(word) {
                let piece = place(word, variables.clone())?;
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                }
                pieces.push(piece);
                rest = after;
            } else {
                literal.push('{');
                rest = &at_brace[1..];
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Template(pieces))
    }

    /// This template with a text before it.
    pub fn after(self, text: &str) -> Template {
        let mut pieces = vec![Piece::Text(text.to_owned())];
        for piece in self.0 {
            match (pieces.last_mut(), piece) {
                (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
                (_, piece) => pieces.push(piece),
            }
        }
        Template(pieces)
    }

    /// The text without any places, where it has none.
    pub fn fixed(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The subject to subscribe to for every subject that this stands for: a wildcard for each token with a place.
    pub fn wildcards(&self) -> String {
        const PLACE: &str = "\u{0}";
        let text: String = self
            .0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                _ => PLACE,
            })
            .collect();
        let tokens = text.split('.').map(|token| match token.contains(PLACE) {
            true => "*",
            false => token,
        });
        let tokens: Vec<&str> = tokens.collect();
        tokens.join(".")
    }
}

/// The word up to a closing brace, and what comes after it.
fn word(text: &str) -> Option<(&str, &str)> {
    let (word, after) = text.split_once('}')?;
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name = word.strip_prefix(ENVIRONMENT).unwrap_or(word);
    let is_word =
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(inner);
    is_word.then_some((word, after))
}

fn place<'a>(word: &str, variables: impl Iterator<Item = &'a str>) -> Result<Piece, String> {
    if let Some(name) = word.strip_prefix(ENVIRONMENT) {
        return Ok(Piece::Environment(name.to_owned()));
    }
    let known = PLACES.iter().find(|(known, _)| *known == word);
    if let Some((_, piece)) = known {
        return Ok(piece.clone());
    }
    let variable = (0u16..)
        .zip(variables)
        .find(|(_, variable)| *variable == word);
    match variable {
        Some((position, _)) => Ok(Piece::Variable(position)),
        None => Err(format!("`{{{word}}}` is not a placeholder")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Template, String> {
        Template::parse(text, ["room", "tenant"].into_iter())
    }

    #[test]
    fn a_text_is_taken_apart_at_its_places() {
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(
            parse("chat.{client}.{tenant}-{n}"),
            Ok(Template(vec![
                text("chat."),
                Piece::Client,
                text("."),
                Piece::Variable(1),
                text("-"),
                Piece::Number,
            ]))
        );
        let plain = parse("demo.ask").expect("a template");
        assert_eq!(plain.fixed(), Some("demo.ask"));
        assert_eq!(parse("").expect("a template").fixed(), Some(""));
    }

    #[test]
    fn braces_around_anything_else_are_braces() {
        let json = r#"{"user": {user}, "of": {"a": {}}, x: {a b}, "#;
        let pieces = parse(json).expect("a template").0;
        assert_eq!(
            pieces,
            vec![
                Piece::Text(r#"{"user": "#.to_owned()),
                Piece::User,
                Piece::Text(r#", "of": {"a": {}}, x: {a b}, "#.to_owned()),
            ]
        );
        assert_eq!(
            parse("{{user}} {").expect("a template").fixed(),
            Some("{user} {")
        );
        assert_eq!(parse(r#"{"a":{"b":{n}}}"#).expect("a template").0.len(), 3);
    }

    #[test]
    fn a_word_that_is_no_place_is_refused() {
        assert_eq!(
            parse("a.{shelf}").expect_err("refused"),
            "`{shelf}` is not a placeholder"
        );
    }

    #[test]
    fn a_variable_of_the_environment_is_a_place_by_its_name() {
        let secret = parse("Bearer {env:TOKEN}").expect("a template");
        assert_eq!(secret.0[1], Piece::Environment("TOKEN".to_owned()));
        let none = parse("{env:}").expect("a template");
        assert_eq!(none.fixed(), Some("{env:}"));
    }

    #[test]
    fn a_token_with_a_place_is_a_wildcard() {
        let wildcards = |text: &str| parse(text).expect("a template").wildcards();
        assert_eq!(wildcards("chat.{room}.u{user}.all"), "chat.*.*.all");
        assert_eq!(wildcards("demo.ask"), "demo.ask");
    }
}
