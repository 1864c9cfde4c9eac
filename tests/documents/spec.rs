//! Specs in documents: complete ones as they are, fragments put into a complete one.

use serde_json::Value;

/// What fragments are put into. A fragment may use these names, and replaces what it names itself.
const TEMPLATE: &str = "
blis: 1
name: template
run: {horizon: 60s}
clients:
  others: {rate: 1/s, do: {ask: 1, tell: 1}, timeout: 1s}
actions:
  ask: {path: [{visit: api}, {visit: store}, reply]}
  tell: {path: [{visit: cache}, reply]}
services:
  api: {workers: 4, time: 10ms}
  cache: {workers: 1, time: 1ms}
  store: {workers: 2, time: 5ms}
";

/// The sections whose entries have names of their own.
const NAMED: [&str; 4] = ["run", "clients", "actions", "services"];

/// The fragment in a complete spec, written as JSON, which is YAML too.
///
/// # Errors
/// What makes it no fragment.
pub fn complete(fragment: &str) -> Result<String, String> {
    let parse = |text: &str| serde_saphyr::from_str::<Value>(text);
    let mut spec = parse(TEMPLATE).map_err(|error| error.to_string())?;
    let fragment = parse(fragment).map_err(|error| error.to_string())?;
    let Value::Object(sections) = fragment else {
        return Err("a fragment is a mapping of sections".to_owned());
    };
    for (name, section) in sections {
        match (section, spec.get_mut(&name)) {
            (Value::Object(entries), Some(Value::Object(there)))
                if NAMED.contains(&name.as_str()) =>
            {
                there.extend(entries);
            }
            (section, _) => spec[name] = section,
        }
    }
    Ok(spec.to_string())
}

/// The part of `whole` that `part` shows: the same keys of objects, and lists of the same length.
///
/// # Errors
/// The first key that is not there.
pub fn shown(part: &Value, whole: &Value) -> Result<Value, String> {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            let mut object = serde_json::Map::new();
            for (key, value) in part {
                let there = whole
                    .get(key)
                    .ok_or_else(|| format!("there is no `{key}`"))?;
                object.insert(key.clone(), shown(value, there)?);
            }
            Ok(Value::Object(object))
        }
        (Value::Array(part), Value::Array(whole)) if part.len() == whole.len() => {
            let pairs = part.iter().zip(whole);
            pairs.map(|(part, whole)| shown(part, whole)).collect()
        }
        _ => Ok(whole.clone()),
    }
}
