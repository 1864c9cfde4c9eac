//! The keys of the language as its schema has them.

use serde_json::Value;

/// A key of a mapping, or a word that may stand for a value.
pub struct Key {
    /// The mapping or the value: a definition of the schema.
    pub of: String,
    pub word: String,
    /// Whether it is a key of a mapping.
    pub is_key: bool,
    pub required: bool,
    pub describes: String,
    /// What its value is.
    pub value: String,
}

impl Key {
    /// How examples.txt writes it.
    pub fn name(&self) -> String {
        let sign = if self.is_key { '.' } else { '=' };
        format!("{}{sign}{}", self.of, self.word)
    }
}

/// A definition, which is a type of the language: its name and what it is.
pub struct Definition {
    pub name: String,
    pub describes: String,
    /// What may stand for it besides mappings of its keys and its words.
    pub forms: Vec<String>,
    pub keys: Vec<Key>,
}

impl Definition {
    /// Whether it is one value and nothing else, such as a duration.
    pub fn is_scalar(&self) -> bool {
        self.forms.is_empty() && self.keys.is_empty()
    }
}

/// Definitions of distributions are there for these quantities; the same code reads all.
const QUANTITIES: [&str; 3] = ["Duration", "Number", "Size"];
/// What stands for them in the one definition that is shown.
const ANY_QUANTITY: &str = "value";

/// The name of a distribution's definition without its quantity, and the quantity.
fn split(name: &str) -> (&str, Option<&'static str>) {
    let of = |quantity: &'static str| {
        let name = name.strip_suffix(quantity)?.strip_suffix("Of")?;
        Some((name, Some(quantity)))
    };
    QUANTITIES.into_iter().find_map(of).unwrap_or((name, None))
}

fn common(name: &str) -> &str {
    split(name).0
}

fn schema() -> Value {
    serde_json::from_str(&blis_sim::spec::json_schema()).expect("the schema is JSON")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The definition that a schema refers to.
fn referred(schema: &Value) -> Option<String> {
    let name = schema["$ref"].as_str()?.rsplit('/').next()?;
    Some(common(name).to_owned())
}

/// What a schema accepts, in a few words.
fn accepted(schema: &Value) -> String {
    if let Some(name) = referred(schema) {
        return name;
    }
    if let Some(all) = schema["allOf"].as_array().and_then(|all| all.first()) {
        return accepted(all);
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", accepted(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("{} by name", accepted(&schema["additionalProperties"]))
        }
        Some("string") => "text".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        _ => String::new(),
    }
}

/// What may stand for a value besides its words.
fn forms_of(schema: &Value) -> Vec<String> {
    let words = ["const", "enum", "properties"];
    let one_of = schema["oneOf"].as_array().into_iter().flatten();
    let forms = one_of.filter(|form| words.iter().all(|word| form[*word].is_null()));
    forms.map(accepted).collect()
}

fn keys_of(name: &str, schema: &Value) -> Vec<Key> {
    let required = |word: &str| {
        let required = schema["required"].as_array();
        required.is_some_and(|required| required.iter().any(|one| one == word))
    };
    let mut keys = Vec::new();
    for (word, of_key) in schema["properties"].as_object().into_iter().flatten() {
        keys.push(Key {
            of: name.to_owned(),
            word: word.clone(),
            is_key: true,
            required: required(word),
            describes: text(&of_key["description"]),
            value: accepted(of_key),
        });
    }
    let one_of = schema["oneOf"].as_array().into_iter().flatten();
    for form in one_of {
        let mut add = |word: &str, value: String| {
            if !keys.iter().any(|key: &Key| key.word == word) {
                keys.push(Key {
                    of: name.to_owned(),
                    word: word.to_owned(),
                    is_key: false,
                    required: false,
                    describes: text(&form["description"]),
                    value,
                });
            }
        };
        if let Some(word) = form["const"].as_str() {
            add(word, String::new());
        }
        for word in form["enum"].as_array().into_iter().flatten() {
            add(word.as_str().unwrap_or_default(), String::new());
        }
        for (word, value) in form["properties"].as_object().into_iter().flatten() {
            add(word, accepted(value));
        }
    }
    keys
}

/// All definitions, the spec itself first, then in the order in which they are met from there.
pub fn definitions() -> Vec<Definition> {
    let schema = schema();
    let named = schema["definitions"].as_object().expect("definitions");
    let mut order = vec![("Spec".to_owned(), &schema)];
    let mut at = 0;
    while at < order.len() {
        let mut met = Vec::new();
        references(order[at].1, &mut met);
        for name in met {
            if !order
                .iter()
                .any(|(known, _)| common(known) == common(&name))
            {
                let schema = &named[&name];
                order.push((name, schema));
            }
        }
        at += 1;
    }
    let definitions = order.into_iter().map(|(full, schema)| {
        let (name, quantity) = split(&full);
        let mut definition = Definition {
            keys: keys_of(name, schema),
            forms: forms_of(schema),
            describes: text(&schema["description"]),
            name: name.to_owned(),
        };
        if let Some(quantity) = quantity {
            let forms = definition.forms.iter_mut();
            let values = definition.keys.iter_mut().map(|key| &mut key.value);
            for value in forms.chain(values) {
                *value = value.replace(quantity, ANY_QUANTITY);
            }
        }
        definition
    });
    definitions.collect()
}

/// The definitions that a schema refers to, in its order, but for those that are the schema's own list.
fn references(schema: &Value, met: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Value::as_str) {
                met.extend(name.rsplit('/').next().map(str::to_owned));
            }
            let inner = members.iter().filter(|(name, _)| *name != "definitions");
            inner.for_each(|(_, inner)| references(inner, met));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, met)),
        _ => {}
    }
}

/// All keys and words.
pub fn keys() -> Vec<Key> {
    definitions()
        .into_iter()
        .flat_map(|definition| definition.keys)
        .collect()
}
