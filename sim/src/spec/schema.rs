//! The JSON Schema of a spec, for editors: generated from the types that read it.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;

use super::syntax::Spec;
use super::vocabulary::{is_word, may_stand_alone};

/// The schema (draft-07, which editors know best) as pretty JSON with a line break at its end.
pub fn json_schema() -> String {
    let generator = SchemaSettings::draft07()
        .with_transform(RecursiveTransform(unwrap_forms))
        .with_transform(RecursiveTransform(forbid_null))
        .into_generator();
    let schema = generator.into_root_schema_for::<Spec>();
    format!("{:#}\n", schema.as_value())
}

/// Replaces a variant that stands for a form by the schema of what it holds: no spec contains its name.
fn unwrap_forms(schema: &mut Schema) {
    for keyword in ["oneOf", "anyOf"] {
        let Some(Value::Array(alternatives)) = schema.get_mut(keyword) else {
            continue;
        };
        let alone: Vec<Value> = alternatives.iter().filter_map(standing_alone).collect();
        alternatives.extend(alone);
        for alternative in alternatives {
            if let Some(inner) = form(alternative) {
                *alternative = inner;
            }
        }
    }
}

/// A key that may be absent may not be there without a value, though the derived schema allows it.
fn forbid_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    let Some(Value::Array(alternatives)) = schema.get_mut("anyOf") else {
        return;
    };
    let before = alternatives.len();
    alternatives.retain(|alternative| alternative.get("type") != Some(&Value::from("null")));
    if alternatives.len() < before
        && alternatives.len() == 1
        && let Some(rest) = schema.remove("anyOf")
    {
        // Draft-07 ignores what stands beside a `$ref`, so that it stays wrapped.
        schema.insert("allOf".into(), rest);
    }
}

/// The schema of a word that may stand without its parameters.
fn standing_alone(alternative: &Value) -> Option<Value> {
    let properties = alternative.get("properties")?.as_object()?;
    let (word, _) = properties.iter().next()?;
    // Classes are what a priority order is about.
    let alone = properties.len() == 1 && may_stand_alone(word) && word != "priority";
    alone.then(|| serde_json::json!({"type": "string", "enum": [word]}))
}

fn form(alternative: &Value) -> Option<Value> {
    let properties = alternative.get("properties")?.as_object()?;
    let (_, inner) = properties.iter().find(|(name, _)| !is_word(name))?;
    Some(inner.clone())
}
