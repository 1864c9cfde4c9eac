//! Names that several parts define: which definitions are equal, which clash, and the resulting names.

use std::collections::BTreeMap;

use super::sections::{ADDED, Rule};
use super::tree::{self, Renames, entries, entry, keyed};
use super::{Findings, Source};
use crate::spec::error::shown;
use crate::spec::named::{self, MAX_NAME};
use crate::spec::node::{Node, Value};
use crate::spec::units::Rate;

/// A section of things by name, over all parts.
pub struct Section {
    /// Its key at the top level.
    pub key: &'static str,
    loads: bool,
    things: Vec<Thing>,
}

/// What the parts define under one name.
struct Thing {
    name: String,
    /// Part and definition, in the order of the parts.
    definitions: Vec<(usize, Node)>,
    /// Which definitions are one, by their positions.
    groups: Vec<Vec<usize>>,
}

impl Section {
    /// The sections of things by name.
    pub fn all(sources: &[Source<'_>], sections: &[(&'static str, Rule)]) -> Vec<Section> {
        sections
            .iter()
            .filter(|(_, rule)| matches!(rule, Rule::Named | Rule::Load))
            .map(|(key, rule)| Section {
                key,
                loads: *rule == Rule::Load,
                things: things(sources, key),
            })
            .collect()
    }

    /// The section as one, under the names that were settled.
    pub fn compose(&mut self, sources: &[Source<'_>], findings: &mut Findings) -> Option<Node> {
        let renames = std::mem::take(&mut findings.renames);
        let mut composed = Vec::new();
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        for (position, thing) in self.things.iter().enumerate() {
            for group in &thing.groups {
                let part = thing.definitions[group[0]].0;
                let name = self.name_of(thing, part, &renames);
                // Twice within one thing has been told already: a clash, or prefixes that are the same.
                if *taken.entry(name.clone()).or_insert(position) != position {
                    findings.conflicts.push(format!(
                        "`{}.{}` would exist twice; rename one of them in its spec",
                        self.key,
                        shown(&name)
                    ));
                }
                if name.len() > MAX_NAME {
                    findings.conflicts.push(format!(
                        "`{}.{}` is too long for a name; shorten the name of the spec {}",
                        self.key,
                        shown(&name),
                        shown(sources[part].part.label)
                    ));
                }
                let one = self.one(thing, group, &renames, sources, findings);
                composed.push(keyed(name, one));
            }
        }
        findings.renames = renames;
        (!composed.is_empty()).then(|| tree::node(Value::Mapping(composed)))
    }

    fn name_of(&self, thing: &Thing, part: usize, renames: &[Renames]) -> String {
        let new = renames
            .get(part)
            .and_then(|renames| renames.get(&(self.key, thing.name.clone())));
        new.unwrap_or(&thing.name).clone()
    }

    /// The definition that those of a group make together.
    fn one(
        &self,
        thing: &Thing,
        group: &[usize],
        renames: &[Renames],
        sources: &[Source<'_>],
        findings: &mut Findings,
    ) -> Node {
        let (part, definition) = &thing.definitions[group[0]];
        let mut one = tree::renamed(definition, self.key, &thing.name, &renames[*part]);
        if group.len() < 2 {
            return one;
        }
        let parts = group
            .iter()
            .map(|&nth| shown(sources[thing.definitions[nth].0].part.label));
        let parts = parts.collect::<Vec<_>>().join(" and ");
        let what = format!("`{}.{}`", self.key, self.name_of(thing, *part, renames));
        if !self.loads {
            let note = format!("{what} is the same in {parts}; it is kept once");
            findings.notes.push(note);
            return one;
        }
        let rates = group
            .iter()
            .filter_map(|&nth| rate(&thing.definitions[nth].1));
        let total = Rate(rates.map(|rate| rate.0).sum());
        if let Value::Mapping(entries) = &mut one.value
            && let Some(entry) = entries.iter_mut().find(|entry| entry.key == ADDED)
        {
            entry.value = tree::text(total.to_string());
        }
        findings
            .notes
            .push(format!("the rates of {what} in {parts} add up to {total}"));
        one
    }
}

fn things(sources: &[Source<'_>], section: &str) -> Vec<Thing> {
    let mut things: Vec<Thing> = Vec::new();
    let mut positions: BTreeMap<&str, usize> = BTreeMap::new();
    for (part, source) in sources.iter().enumerate() {
        for entry in source.find(&[section]).map(entries).unwrap_or_default() {
            let position = *positions.entry(&entry.key).or_insert(things.len());
            if position == things.len() {
                things.push(Thing {
                    name: entry.key.clone(),
                    definitions: Vec::new(),
                    groups: Vec::new(),
                });
            }
            things[position]
                .definitions
                .push((part, entry.value.clone()));
        }
    }
    things
}

/// What a thing brings, when that can be added up: its rate, where no other rate stands in it that would have to grow
/// too.
fn rate(definition: &Node) -> Option<Rate> {
    let added = entry(definition, ADDED)?;
    let mut others = entries(definition)
        .iter()
        .filter(|entry| entry.key != ADDED);
    let alone = !others.any(|entry| tree::holds_rate(&entry.value));
    match &added.value.value {
        Value::Scalar(scalar) if alone => scalar.text.parse().ok(),
        _ => None,
    }
}

/// Settles which definitions are one and what they are called; the new names go to `findings`. Definitions that refer
/// to what has two names are not the same any more, so this goes on until nothing changes: groups only ever split, so it
/// ends.
pub fn resolve(
    sections: &mut [Section],
    sources: &[Source<'_>],
    prefix: bool,
    findings: &mut Findings,
) {
    findings.renames = vec![Renames::new(); sources.len()];
    loop {
        let mut renames = vec![Renames::new(); sources.len()];
        for section in sections.iter_mut() {
            for thing in &mut section.things {
                thing.groups = groups(section.key, section.loads, thing, &findings.renames);
                if thing.groups.len() < 2 {
                    continue;
                }
                if !prefix {
                    findings
                        .conflicts
                        .push(clash(section.key, thing, section.loads, sources));
                    continue;
                }
                for group in &thing.groups {
                    let first = thing.definitions[group[0]].0;
                    let name = format!("{}-{}", prefix_of(&sources[first]), thing.name);
                    for &nth in group {
                        let old = (section.key, thing.name.clone());
                        renames[thing.definitions[nth].0].insert(old, name.clone());
                    }
                }
            }
        }
        if renames == findings.renames {
            break;
        }
        findings.renames = renames;
    }
    let renamed = findings.renames.iter().any(|renames| !renames.is_empty());
    if renamed {
        distinct_prefixes(sources, findings);
    }
    for (source, renames) in sources.iter().zip(&findings.renames) {
        for ((section, old), new) in renames {
            findings.notes.push(format!(
                "`{section}.{}` of {} is now `{new}`",
                shown(old),
                shown(source.part.label)
            ));
        }
    }
}

/// Definitions that say the same, by position. What brings load and cannot be added up is never the same.
fn groups(
    section: &'static str,
    loads: bool,
    thing: &Thing,
    renames: &[Renames],
) -> Vec<Vec<usize>> {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for (nth, (part, definition)) in thing.definitions.iter().enumerate() {
        let mut same = tree::renamed(definition, section, &thing.name, &renames[*part]);
        let mut alone = false;
        if loads {
            alone = rate(definition).is_none();
            if let Value::Mapping(entries) = &mut same.value {
                entries.retain(|entry| entry.key != ADDED);
            }
        }
        let text = tree::written(&same, true);
        match groups.iter_mut().find(|(other, _)| *other == text) {
            Some((_, group)) if !alone => group.push(nth),
            _ => groups.push((text, vec![nth])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn clash(section: &str, thing: &Thing, loads: bool, sources: &[Source<'_>]) -> String {
    let places: Vec<String> = thing
        .definitions
        .iter()
        .map(|(part, _)| sources[*part].locate(&[section, &thing.name]))
        .collect();
    let why = match loads {
        true => {
            "cannot be merged: only rates of otherwise equal clients add up, and closed clients keep their concurrency"
        }
        false => "are defined differently",
    };
    format!(
        "the {section} called `{}` in {} {why}; rename one of them or give --prefix",
        shown(&thing.name),
        places.join(" and ")
    )
}

/// The name of a spec as names can begin.
fn prefix_of(source: &Source<'_>) -> String {
    let name = source.part.spec.name.value.trim();
    let mut prefix: String = name
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || c == '_' || c == '-' => c,
            _ => '-',
        })
        .collect();
    if named::flaw(&prefix).is_some() {
        prefix.insert(0, '_');
    }
    prefix
}

fn distinct_prefixes(sources: &[Source<'_>], findings: &mut Findings) {
    for (nth, source) in sources.iter().enumerate() {
        let prefix = prefix_of(source);
        let mut before = sources[..nth].iter();
        if let Some(other) = before.find(|other| prefix_of(other) == prefix) {
            findings.conflicts.push(format!(
                "{} and {} both have the name `{prefix}`, so the prefix does not separate them; give one another `name`",
                other.locate(&["name"]),
                source.locate(&["name"])
            ));
        }
    }
}
