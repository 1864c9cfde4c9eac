//! What a report says of the record of a run.

use blis_sim::result::Record;

use super::number::count;
use super::parts::Fact;

/// How much of the run is on disk, and what is not known of it.
pub fn record(record: &Record) -> Fact {
    let rows = format!("{} rows of run {}", count(record.rows), record.run);
    let mut fact = Fact::new("record", rows);
    if record.dropped > 0 {
        fact.add(format!(
            "{} entries are MISSING from it: there was no room for them, or they could not be written",
            count(record.dropped)
        ));
    }
    if let Some(recovered) = &record.recovered {
        fact.add(
            "RECOVERED: the run did not come to write its result; this is what its record has",
        );
        fact.add(format!(
            "of {} requests in flight the end is not known; they count as unresolved",
            count(recovered.unknown)
        ));
        if recovered.torn_bytes > 0 {
            fact.add(format!(
                "{} bytes at the end of the record were not whole and are left out",
                count(recovered.torn_bytes)
            ));
        }
    }
    fact
}
