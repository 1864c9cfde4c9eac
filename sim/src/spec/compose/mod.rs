//! Several specs made one: `blis compose`.
//!
//! What the parts say is carried or refused, nothing is dropped. What is compared and carried is what each part
//! resolves to, so that `1000ms` and `1s` are the same, and a default is the same as its value written out; comments
//! and spellings are not carried. Equal definitions under one name become one, the rates of clients that are otherwise
//! equal add up, and clients that cannot be added up, or definitions that differ, clash: an error, or each gets the
//! name of its spec as a prefix, with all references to it. What concerns the run as a whole (limits, seed, network)
//! has to be the same in all parts or given by a flag.
//!
//! `sections` is all that this knows of the language; the rest works on trees of nodes.

mod clashes;
mod sections;
mod tree;

use super::error::{Place, SpecError, line_and_column, one_of, shown};
use super::node::{Node, Value};
use super::overrides::{self, Overrides};
use super::set::Assignment;
use super::syntax::Spec;
use super::{Fields, yaml};
use clashes::Section;
use sections::{Rule, SECTIONS};
use tree::{Renames, entries, entry, keyed};

/// The first line of every spec that is written, by which editors find the schema.
pub const MODELINE: &str = "# yaml-language-server: $schema=spec.schema.json";

/// One of the specs to be composed.
#[derive(Debug, Clone, Copy)]
pub struct SpecPart<'a> {
    /// What the user calls it.
    pub label: &'a str,
    /// Its text.
    pub text: &'a str,
    /// What was read from the text; it can be lowered.
    pub spec: &'a Spec,
}

/// How specs are composed.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Name of the composition [default: the names of the parts joined by `+`].
    pub name: Option<String>,
    /// Whether names that clash are prefixed by the name of their spec, instead of refused.
    pub prefix: bool,
    /// What decides where parts disagree, put into the composition.
    pub overrides: Overrides,
    /// The same for any other key.
    pub set: Vec<Assignment>,
}

/// Specs made one.
#[derive(Debug, Clone)]
pub struct Composition {
    /// The composition, with what the flags say.
    pub spec: Spec,
    /// Its text, resolved, with the modeline first.
    pub text: String,
    /// What somebody should know who did not write all the parts: what is shared and what was added up or renamed.
    pub notes: Vec<String>,
}

/// Why specs cannot be composed: a sentence for each reason, with the places in the parts and what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", .reasons.join("\n"))]
pub struct Refused {
    /// The reasons, at least one.
    pub reasons: Vec<String>,
}

/// A part as composing sees it.
struct Source<'a> {
    part: &'a SpecPart<'a>,
    /// What it resolves to.
    tree: Node,
    /// What was written, for places.
    written: Node,
}

/// Composes specs.
///
/// # Errors
/// What the parts say does not go together, or cannot be read with what the flags say; all reasons in one go.
pub fn compose(parts: &[SpecPart<'_>], options: &Options) -> Result<Composition, Refused> {
    let mut sources = Vec::with_capacity(parts.len());
    for part in parts {
        sources.push(Source::new(part).map_err(|error| Refused {
            reasons: vec![error],
        })?);
    }
    let mut findings = Findings::default();
    let mut top = Vec::new();
    let mut named = Section::all(&sources, SECTIONS);
    clashes::resolve(&mut named, &sources, options.prefix, &mut findings);
    for (key, rule) in SECTIONS {
        let value = match rule {
            Rule::Name => Some(tree::text(name(&sources, options, &mut findings))),
            Rule::Agree => agree(&sources, &[key], options, &mut findings),
            Rule::AgreeByKey => agree_by_key(&sources, key, options, &mut findings),
            Rule::Named | Rule::Load => {
                let section = named.iter_mut().find(|section| section.key == *key);
                section.and_then(|section| section.compose(&sources, &mut findings))
            }
        };
        top.extend(value.map(|value| keyed(*key, value)));
    }
    refuse_other_sections(&sources, SECTIONS, &mut findings);
    if !findings.conflicts.is_empty() {
        return Err(Refused {
            reasons: findings.conflicts,
        });
    }
    let text = tree::written(&tree::node(Value::Mapping(top)), false);
    let mut spec =
        super::read_with(&text, &options.set).map_err(|errors| unreadable(&text, &errors))?;
    overrides::apply(&mut spec, &options.overrides);
    let origin = heading(&sources);
    Ok(Composition {
        text: format!("{MODELINE}\n{origin}\n{}", super::resolved(&spec)),
        spec,
        notes: findings.notes,
    })
}

/// Errors of the composition, which has no places that anybody knows: by field instead.
fn unreadable(text: &str, errors: &[SpecError]) -> Refused {
    let fields = Fields::new(text);
    let reason = |error: &SpecError| {
        let field = error.span.as_ref().and_then(|span| fields.at(span));
        let field = field.map_or(String::new(), |field| format!("{field}: "));
        let help = error.help.as_ref().map(|help| format!("; {help}"));
        format!("{field}{error}{}", help.unwrap_or_default())
    };
    Refused {
        reasons: errors.iter().map(reason).collect(),
    }
}

/// What has been found so far.
#[derive(Debug, Default)]
struct Findings {
    conflicts: Vec<String>,
    notes: Vec<String>,
    /// The new names of each part.
    renames: Vec<Renames>,
}

impl<'a> Source<'a> {
    fn new(part: &'a SpecPart<'a>) -> Result<Source<'a>, String> {
        let parse = |text: &str| match yaml::parse(text) {
            Ok((tree, _)) => Ok(tree),
            Err(error) => Err(format!("{}: {error}", shown(part.label))),
        };
        Ok(Source {
            part,
            tree: parse(&super::resolved(part.spec))?,
            written: parse(part.text)?,
        })
    }

    /// Where a key stands, as far as it was written: `file:line:column`.
    fn locate(&self, keys: &[&str]) -> String {
        let mut node = &self.written;
        let mut place: Option<Place> = None;
        for key in keys {
            match entry(node, key) {
                Some(found) => {
                    place = Some(found.place);
                    node = &found.value;
                }
                None => break,
            }
        }
        let label = shown(self.part.label);
        match place {
            Some(place) => {
                let (line, column) = line_and_column(self.part.text, place.start);
                format!("{label}:{line}:{column}")
            }
            None => label,
        }
    }

    fn find(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(&self.tree, |node, key| {
            entry(node, key).map(|entry| &entry.value)
        })
    }
}

/// Whether a flag says what stands under a key, so that the parts need not agree.
fn decided(keys: &[&str], options: &Options) -> bool {
    let given = &options.overrides;
    let by_flag = match keys {
        ["seed"] => given.seed.is_some(),
        ["run", "requests"] => given.requests.is_some(),
        ["run", "horizon"] => given.horizon.is_some(),
        ["run", "warmup"] => given.warmup.is_some(),
        _ => false,
    };
    by_flag || options.set.iter().any(|set| set.replaces(keys))
}

/// The flag that would decide a key.
fn deciding_flag(keys: &[&str]) -> String {
    match keys {
        ["seed"] => "--seed".to_owned(),
        ["run", "requests"] => "--num-requests, or --set run.requests=null for none".to_owned(),
        ["run", "horizon"] => "--horizon, or --set run.horizon=null for none".to_owned(),
        ["run", "warmup"] => "--warmup".to_owned(),
        keys => format!("--set {}=...", keys.join(".")),
    }
}

/// What all parts say under a key, or the first that says something when a flag decides.
fn agree(
    sources: &[Source<'_>],
    keys: &[&str],
    options: &Options,
    findings: &mut Findings,
) -> Option<Node> {
    let said: Vec<Option<&Node>> = sources.iter().map(|source| source.find(keys)).collect();
    let first = said.iter().flatten().next().map(|node| (*node).clone());
    let texts: Vec<Option<String>> = said
        .iter()
        .map(|node| node.map(|node| tree::written(node, true)))
        .collect();
    if decided(keys, options) {
        return first;
    }
    if texts.iter().any(|text| *text != texts[0]) {
        let each = sources.iter().zip(&said).map(|(source, node)| {
            let place = source.locate(keys);
            match node {
                Some(node) => format!("{} in {place}", one_line(node)),
                None => format!("not given in {place}"),
            }
        });
        findings.conflicts.push(format!(
            "`{}` is {}; make them agree or give {}",
            keys.join("."),
            each.collect::<Vec<_>>().join(" and "),
            deciding_flag(keys)
        ));
    } else if keys == ["run", "requests"] && first.is_some() {
        let budget = first.as_ref().map(one_line).unwrap_or_default();
        findings.notes.push(format!(
            "the clients of all parts share the budget of {budget} requests"
        ));
    }
    first
}

/// A value as a message shows it.
fn one_line(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) => shown(&scalar.text),
        _ => shown(&tree::written(node, false).replace('"', "")),
    }
}

fn agree_by_key(
    sources: &[Source<'_>],
    section: &str,
    options: &Options,
    findings: &mut Findings,
) -> Option<Node> {
    let mut keys: Vec<&str> = Vec::new();
    for source in sources {
        for entry in source.find(&[section]).map(entries).unwrap_or_default() {
            if !keys.contains(&entry.key.as_str()) {
                keys.push(&entry.key);
            }
        }
    }
    let mut agreed = Vec::new();
    for key in keys {
        let value = agree(sources, &[section, key], options, findings);
        agreed.extend(value.map(|value| keyed(key, value)));
    }
    (!agreed.is_empty()).then(|| tree::node(Value::Mapping(agreed)))
}

/// The name of the composition.
fn name(sources: &[Source<'_>], options: &Options, findings: &mut Findings) -> String {
    let joined = || {
        let names = sources
            .iter()
            .map(|source| source.part.spec.name.value.as_str());
        names.collect::<Vec<_>>().join("+")
    };
    let name = options.name.clone().unwrap_or_else(joined);
    if options.name.is_none() && name.len() > super::lower::MAX_NAME {
        findings.conflicts.push(format!(
            "the joined names of the parts are too long; give --name with up to {} characters",
            super::lower::MAX_NAME
        ));
    }
    name
}

/// A section that the table does not have would otherwise be lost.
fn refuse_other_sections(
    sources: &[Source<'_>],
    sections: &[(&'static str, Rule)],
    findings: &mut Findings,
) {
    for source in sources {
        for entry in entries(&source.tree) {
            if !sections.iter().any(|(known, _)| *known == entry.key) {
                findings.conflicts.push(format!(
                    "the section `{}` in {} cannot be composed; use only {}",
                    shown(&entry.key),
                    source.locate(&[&entry.key]),
                    one_of(sections.iter().map(|(known, _)| *known))
                ));
            }
        }
    }
}

/// The comment that says where a composition is from.
fn heading(sources: &[Source<'_>]) -> String {
    let parts: Vec<String> = sources
        .iter()
        .map(|source| {
            let name = shown(&source.part.spec.name.value);
            format!("{name} ({})", shown(source.part.label))
        })
        .collect();
    format!(
        "# Composed by `blis compose` of {}, without their comments.\n",
        parts.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_that_the_table_does_not_have_is_refused() {
        let text = include_str!("../../../../specs/quickstart.yaml");
        let spec = super::super::read(text).expect("a spec");
        let part = SpecPart {
            label: "one.yaml",
            text,
            spec: &spec,
        };
        let sources = [Source::new(&part).expect("a tree")];
        let without: Vec<_> = SECTIONS
            .iter()
            .copied()
            .filter(|(section, _)| *section != "services")
            .collect();
        let mut findings = Findings::default();
        refuse_other_sections(&sources, SECTIONS, &mut findings);
        assert_eq!(findings.conflicts, Vec::<String>::new());
        refuse_other_sections(&sources, &without, &mut findings);
        let told = "the section `services` in one.yaml:33:1 cannot be composed; use only `blis`, `name`, `seed`, `run`, \
                    `clients`, `actions`, `streams`, `fan_outs`, `network`, `connections`, `max_in_flight`, \
                    `variables` or `provenance`";
        assert_eq!(findings.conflicts, [told]);
    }
}
