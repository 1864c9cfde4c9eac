//! A backend for actions without a path: one service that all of them visit, with the known number of members.

use blis_sim::model::{Model, Path};
use blis_sim::spec::Assignment;

use super::world::assignments;
use crate::exit::Failure;

/// The name of the service.
const BACKEND: &str = "backend";

/// What makes a spec one whose actions all have a path: those without one visit a service that the spec does not have. Nothing where
/// all have one.
///
/// # Errors
/// None that a lowered spec gives; those of [`assignments`] are passed on.
pub fn backend(
    model: &Model<Option<Path>>,
    members: Option<u64>,
) -> Result<Vec<Assignment>, Failure> {
    let actions = model.actions.iter().filter(|action| action.path.is_none());
    let unknown: Vec<&str> = actions.map(|action| action.name.as_str()).collect();
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let is_taken = |name: &String| model.services.iter().any(|one| one.name == *name);
    let mut names = (2..).map(|nth| format!("{BACKEND}{nth}"));
    let name = match is_taken(&BACKEND.to_owned()) {
        true => names.find(|name| !is_taken(name)).unwrap_or_default(),
        false => BACKEND.to_owned(),
    };
    let paths = unknown
        .iter()
        .map(|action| format!("actions.{action}.path=[{{visit: {name}}}, reply]"));
    // As a whole, so that a part of it may be set besides.
    let members = members.map_or(String::new(), |members| format!("members: {members}, "));
    let service = [format!(
        "services.{name}={{{members}workers: 1, time: 1ms}}"
    )];
    assignments(&paths.chain(service).collect::<Vec<_>>())
}
