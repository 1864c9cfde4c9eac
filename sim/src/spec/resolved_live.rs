//! What only a real cluster sees, written back.

use std::fmt::{self, Formatter};

use super::live::Connections;
use super::resolved::Quoted;
use super::syntax::Action;

/// How an action's requests are sent and what they carry.
pub(super) fn sending(f: &mut Formatter<'_>, action: &Action) -> fmt::Result {
    if let Some(live) = &action.live {
        writeln!(f, "    live:")?;
        let live = &live.value;
        let kinds = [
            ("request", &live.request),
            ("publish", &live.publish),
            ("jetstream", &live.jetstream),
        ];
        for (key, subject) in kinds {
            if let Some(subject) = subject {
                writeln!(f, "      {key}: {}", Quoted(&subject.value))?;
            }
        }
        if let Some(headers) = live
            .headers
            .as_ref()
            .filter(|headers| !headers.value.0.is_empty())
        {
            writeln!(f, "      headers:")?;
            for (name, text) in &headers.value.0 {
                writeln!(f, "        {}: {}", name.value, Quoted(&text.value))?;
            }
        }
    }
    let Some(payload) = &action.payload else {
        return Ok(());
    };
    match (&payload.value.size, &payload.value.text) {
        (Some(size), _) => writeln!(f, "    payload: {{size: {}}}", size.value),
        (None, Some(text)) => writeln!(f, "    payload: {{text: {}}}", Quoted(&text.value)),
        (None, None) => Ok(()),
    }
}

/// Over which connections users send.
pub(super) fn connections(f: &mut Formatter<'_>, connections: &Connections) -> fmt::Result {
    match connections {
        Connections::PerUser => writeln!(f, "\nconnections: per_user"),
        Connections::Shared => writeln!(f, "\nconnections: shared"),
        Connections::Pool(count) => writeln!(f, "\nconnections: {{pool: {}}}", count.value),
    }
}
