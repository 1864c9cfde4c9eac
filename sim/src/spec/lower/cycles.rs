//! Cycles that a model may not have: workers that are held for one another, and streams that feed one another.

use std::collections::BTreeMap;

use super::Findings;
use crate::model::{Consumer, Exhausted, Service, Stream};
use crate::spec::error::{Origin, SpecError};

/// Edges between entities by position, and where each is written first.
pub type Edges = BTreeMap<(u16, u16), Origin>;

/// A cycle along the edges, as the positions it passes and back to the first, with the place of its last edge.
fn cycle(edges: &Edges) -> Option<(Vec<u16>, Origin)> {
    let mut done: Vec<u16> = Vec::new();
    let starts: Vec<u16> = edges.keys().map(|(from, _)| *from).collect();
    for start in starts {
        if done.contains(&start) {
            continue;
        }
        // Depth first, with the path from the start on its own stack.
        let mut path = vec![start];
        let mut rest = vec![next(edges, start)];
        while let Some(todo) = rest.last_mut() {
            let Some((to, origin)) = todo.pop() else {
                done.extend(path.pop());
                rest.pop();
                continue;
            };
            if let Some(at) = path.iter().position(|&one| one == to) {
                let mut cycle = path.split_off(at);
                cycle.push(to);
                return Some((cycle, origin));
            }
            if !done.contains(&to) {
                path.push(to);
                rest.push(next(edges, to));
            }
        }
    }
    None
}

fn next(edges: &Edges, from: u16) -> Vec<(u16, Origin)> {
    let range = edges.range((from, 0)..=(from, u16::MAX));
    range.map(|((_, to), origin)| (*to, *origin)).collect()
}

fn named<'a>(cycle: &[u16], name: impl Fn(u16) -> Option<&'a str>) -> String {
    let names: Vec<&str> = cycle.iter().filter_map(|&one| name(one)).collect();
    names.join(" → ")
}

/// A worker of a service may not be held while one of the same service is waited for, directly or by others.
pub fn check_held(held: &Edges, services: &[Service], findings: &mut Findings) {
    let Some((cycle, origin)) = cycle(held) else {
        return;
    };
    let name = |id: u16| services.get(usize::from(id)).map(|one| one.name.as_str());
    let message = format!(
        "possible deadlock: workers are held while waiting for others in a cycle: {}",
        named(&cycle, name)
    );
    let help = "if all workers are held, no request continues; move one of the visits before or after the `during`";
    findings.error(SpecError::about(origin, message).help(help));
}

/// A message may not bring forth messages of its own stream.
pub fn check_fed(
    fed: &Edges,
    consumers: &[Consumer],
    streams: &[Stream],
    origins: &[Origin],
    findings: &mut Findings,
) {
    let mut edges = fed.clone();
    for (consumer, origin) in consumers.iter().zip(origins) {
        if let Exhausted::Publish(stream, _) = consumer.exhausted {
            edges
                .entry((consumer.stream.0, stream.0))
                .or_insert(*origin);
        }
    }
    let Some((cycle, origin)) = cycle(&edges) else {
        return;
    };
    let name = |id: u16| streams.get(usize::from(id)).map(|one| one.name.as_str());
    let message = format!(
        "streams publish to each other without end: {}",
        named(&cycle, name)
    );
    let help = "a message may not lead to another message of its own stream; publish to a different stream";
    findings.error(SpecError::about(origin, message).help(help));
}

#[cfg(test)]
mod tests {
    use super::{Edges, cycle};
    use crate::spec::error::{Origin, Place};

    fn edges(pairs: &[(u16, u16)]) -> Edges {
        let origin = Origin::Text(Place { start: 0, end: 0 });
        pairs.iter().map(|&pair| (pair, origin)).collect()
    }

    #[test]
    fn a_cycle_is_found_and_what_only_joins_again_is_none() {
        let found = |pairs: &[(u16, u16)]| cycle(&edges(pairs)).map(|(cycle, _)| cycle);
        assert_eq!(found(&[(0, 1), (0, 2), (1, 3), (2, 3)]), None);
        assert_eq!(found(&[(4, 4)]), Some(vec![4, 4]));
        assert_eq!(found(&[(0, 1), (1, 2), (2, 1)]), Some(vec![1, 2, 1]));
        assert_eq!(
            found(&[(7, 8), (1, 2), (2, 3), (3, 1)]).map(|cycle| cycle.len()),
            Some(4)
        );
    }
}
