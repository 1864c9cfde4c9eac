//! NATS contexts: the files in which the `nats` command line keeps access to a server (ADR-21).
//!
//! A context is used only if it is named. The one selected last with `nats context select` is not used: a load generator that
//! took it unasked would load whatever was used before. Every field is supported or refused by its name; no message contains a
//! value.

use std::path::{Path, PathBuf};

use blis_live::os_error::unnumbered;
use serde_json::{Map, Value};

use crate::exit::Failure;
use crate::target::environment::variable;

/// Fields that hold a text and are honoured.
const TEXTS: [&str; 14] = [
    "url",
    "user",
    "password",
    "token",
    "creds",
    "nkey",
    "user_jwt",
    "user_seed",
    "cert",
    "key",
    "ca",
    "inbox_prefix",
    "jetstream_domain",
    "jetstream_api_prefix",
];
/// Whether TLS comes first.
const TLS_FIRST: &str = "tls_first";
/// Fields that change nothing of what is done here.
const IDLE: [&str; 4] = [
    "description",
    "color_scheme",
    "name",
    // Nothing here listens to the events of JetStream.
    "jetstream_event_prefix",
];
/// What a path starts with that is no path but a place where secrets are kept.
const KEEPERS: [&str; 4] = ["op://", "nsc://", "env://", "data:"];

/// The fields of a context that say something.
#[derive(Default)]
pub struct Context {
    name: String,
    fields: Map<String, Value>,
}

/// What is wrong with a text that is not a JSON object. What the reader says of a value could hold a secret; what it
/// says of the syntax holds no value.
fn flaw(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Syntax | serde_json::error::Category::Eof => {
            format!("it is not JSON: {error}")
        }
        _ => "it is not a JSON object".to_owned(),
    }
}

impl Context {
    /// The context of a name, or of a file that ends in `.json`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when there is none, or one that is not wholly understood.
    pub fn read(name: &str) -> Result<Context, Failure> {
        let path = place(name)?;
        let unusable = |why: String| {
            Failure::Usage(format!(
                "the NATS context {name} cannot be used: {}: {why}",
                path.display()
            ))
        };
        let text = std::fs::read_to_string(&path).map_err(|why| unusable(unnumbered(&why)))?;
        // Editors write a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let fields: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| unusable(flaw(&error)))?;
        for (field, value) in &fields {
            understood(field, value).map_err(unusable)?;
        }
        let name = name.to_owned();
        Ok(Context { name, fields })
    }

    /// The text of a field that says something.
    pub fn text(&self, field: &str) -> Option<String> {
        let value = self.fields.get(field).and_then(Value::as_str);
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// The path of a field, with `~` and variables in their places.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it names something else than a file.
    pub fn path(&self, field: &str) -> Result<Option<PathBuf>, Failure> {
        let Some(text) = self.text(field) else {
            return Ok(None);
        };
        if let Some(keeper) = KEEPERS.iter().find(|keeper| text.starts_with(**keeper)) {
            return Err(Failure::Usage(format!(
                "the field `{field}` of the NATS context {} refers to {keeper}, which is not supported; give a file",
                self.name
            )));
        }
        let text = text.strip_prefix("file://").unwrap_or(&text);
        Ok(Some(expanded(text)))
    }

    /// Whether TLS comes before the server's first word.
    pub fn tls_first(&self) -> bool {
        self.fields.get(TLS_FIRST) == Some(&Value::Bool(true))
    }
}

/// Whether a field is honoured, or says nothing.
fn understood(field: &str, value: &Value) -> Result<(), String> {
    let blank = matches!(value, Value::Null | Value::Bool(false)) || value.as_str() == Some("");
    if blank || IDLE.contains(&field) {
        return Ok(());
    }
    match (TEXTS.contains(&field), field == TLS_FIRST) {
        (true, _) if value.is_string() => Ok(()),
        (_, true) if value.is_boolean() => Ok(()),
        (true, _) => Err(format!("its field `{field}` is not a string")),
        (_, true) => Err(format!("its field `{field}` is neither true nor false")),
        _ => Err(format!(
            "its field `{field}` is not supported; remove it (accepted: {}, {TLS_FIRST})",
            TEXTS.join(", ")
        )),
    }
}

/// The file of a context.
fn place(name: &str) -> Result<PathBuf, Failure> {
    if name.ends_with(".json") {
        return Ok(PathBuf::from(name));
    }
    if name.contains("..") || name.contains(['/', '\\']) {
        return Err(Failure::Usage(format!(
            "`{name}` is not the name of a NATS context; give a name, or a file that ends in .json"
        )));
    }
    // The same place on every system.
    let root = match (variable("XDG_CONFIG_HOME"), variable("HOME")) {
        (Some(root), _) => PathBuf::from(root),
        (None, Some(home)) => PathBuf::from(home).join(".config"),
        (None, None) => {
            return Err(Failure::Usage(
                "contexts cannot be found, because HOME is not set; set it, or give the file of the context".to_owned(),
            ));
        }
    };
    Ok(root
        .join("nats")
        .join("context")
        .join(format!("{name}.json")))
}

/// A path with `~` for the home directory, and `$NAME` or `${NAME}` for variables, which are empty unless they are set.
fn expanded(path: &str) -> PathBuf {
    let (home, rest) = match (path.strip_prefix("~/"), variable("HOME")) {
        (Some(rest), Some(home)) => (Some(home), rest),
        _ => (None, path),
    };
    let mut text = String::new();
    let mut pieces = rest.split('$');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, after) = match piece
            .strip_prefix('{')
            .and_then(|piece| piece.split_once('}'))
        {
            Some(parts) => parts,
            None => {
                let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                piece.split_at(end.unwrap_or(piece.len()))
            }
        };
        text.push_str(&variable(name).unwrap_or_default());
        text.push_str(after);
    }
    match home {
        Some(home) => Path::new(&home).join(text),
        None => PathBuf::from(text),
    }
}
