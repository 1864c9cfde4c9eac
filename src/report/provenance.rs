//! What only a page says of where a result is from: settings and hashes, folded at its end.

use std::collections::BTreeMap;

use blis_sim::result::{CeilingResult, Run, SpecIdentity};
use blis_sim::spec::Setting;
use blis_sim::validation::ValidationResult;

use super::number::count;
use super::parts::{Block, OnPage, Place, Section};
use super::table::Table;

/// Settings and provenance of a run; those of a live run are in its text too, and folded elsewhere.
pub fn of_run(run: &Run) -> Vec<Section> {
    let mut rows = vec![
        ("mode".to_owned(), run.mode.clone()),
        ("seed".to_owned(), run.seed.to_string()),
        ("load ended by".to_owned(), run.ended_by.clone()),
    ];
    if let Some(live) = &run.live {
        rows.push(("servers".to_owned(), live.target.join(", ")));
        rows.push(("server version".to_owned(), live.server_version.clone()));
        rows.push(("connections".to_owned(), live.connections.to_string()));
    }
    rows.extend(
        run.events
            .map(|events| ("events".to_owned(), count(events))),
    );
    rows.extend(
        run.record
            .iter()
            .map(|one| ("record".to_owned(), one.run.clone())),
    );
    let configuration = match run.live {
        Some(_) => None,
        None => Some(configuration(&run.configuration)),
    };
    let of = provenance(&run.schema, &run.blis_version, &run.spec, rows);
    configuration.into_iter().chain([of]).collect()
}

/// Settings and provenance of a search.
pub fn of_ceiling(found: &CeilingResult) -> Vec<Section> {
    let rows = vec![
        ("mode".to_owned(), found.mode.clone()),
        ("seed".to_owned(), found.seed.to_string()),
    ];
    vec![
        configuration(&found.configuration),
        provenance(&found.schema, &found.blis_version, &found.spec, rows),
    ]
}

/// Provenance of a validation.
pub fn of_validation(found: &ValidationResult) -> Section {
    provenance(&found.schema, &found.blis_version, &found.spec, Vec::new())
}

/// The values that decided, with where each came from.
fn configuration(settings: &BTreeMap<String, Setting>) -> Section {
    let mut table = Table::new(&["setting", "value", "from"]);
    for (key, setting) in settings {
        table.row([key.clone(), setting.value.clone(), setting.source.clone()]);
    }
    folded("Configuration", table)
}

/// Which program made the document, of which spec.
pub fn provenance(
    schema: &str,
    version: &str,
    spec: &SpecIdentity,
    more: Vec<(String, String)>,
) -> Section {
    let mut table = Table::new(&["provenance", "value"]);
    let own = [
        ("document", schema),
        ("blis", version),
        ("spec", &spec.name),
        ("SHA-256 of the spec", &spec.sha256),
        ("SHA-256 with flags", &spec.resolved_sha256),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let files = spec.files.iter();
    let files = files.map(|(path, hash)| (format!("SHA-256 of {path}"), hash.clone()));
    for (name, value) in own.into_iter().chain(files).chain(more) {
        table.row([name, value]);
    }
    folded("Provenance", table)
}

fn folded(heading: &'static str, table: Table) -> Section {
    let has_rows = table.rows().len() > 1;
    let table = has_rows.then_some(Block::OnPage(OnPage::Table(table)));
    Section::of(table).placed(Place::Folded(heading))
}
