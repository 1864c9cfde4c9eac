//! The part of a report about the record of a run.

use blis_sim::result::Record;

use super::number::count;
use super::parts::Fact;

/// How much of the run is on disk, and what is not known of it.
pub fn record(record: &Record) -> Fact {
    let rows = format!("{} rows of run {}", count(record.rows), record.run);
    let mut fact = Fact::new("record", rows);
    if record.dropped > 0 {
        fact.add(format!(
            "{} entries are MISSING: the buffer was full, or they could not be written",
            count(record.dropped)
        ));
    }
    if let Some(recovered) = &record.recovered {
        fact.add("RECOVERED: the run ended before it wrote its result; this is from its record");
        fact.add(format!(
            "{} requests in flight have no known outcome; they count as unresolved",
            count(recovered.unknown)
        ));
        if recovered.torn_bytes > 0 {
            fact.add(format!(
                "{} incomplete bytes at the end of the record are left out",
                count(recovered.torn_bytes)
            ));
        }
    }
    fact
}
