//! Runs as they are kept: the directories of one run and of many, records and traces, and what is read back of them.

pub(crate) mod contents;
pub(crate) mod directory;
pub(crate) mod names;
pub(crate) mod observed;
pub(crate) mod record;
pub(crate) mod recorded;
pub(crate) mod recorded_visits;
pub(crate) mod replayed;
pub(crate) mod trace_file;
pub(crate) mod trace_rows;
pub(crate) mod trials_directory;
