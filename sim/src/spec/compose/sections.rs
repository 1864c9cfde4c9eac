//! What composing knows of the language: how each top-level section is merged, and where names occur.
//!
//! A new section of the language, or a new place for a name, is added here. Tests compare the first table with the schema, and
//! the second by prefixing all names of the shipped specs.

/// How a section is put together from those of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The names of the parts, joined.
    Name,
    /// The same in all parts, as a whole.
    Agree,
    /// Each of its keys the same in all parts.
    AgreeByKey,
    /// Things by name: what is defined alike is one, what is defined differently under one name clashes.
    Named,
    /// Things by name that each bring load: alike they are added up, or clash when they cannot be.
    Load,
}

/// The sections of the top level, in the order in which they are written.
pub const SECTIONS: &[(&str, Rule)] = &[
    ("blis", Rule::Agree),
    ("name", Rule::Name),
    ("seed", Rule::Agree),
    ("run", Rule::AgreeByKey),
    (CLIENTS, Rule::Load),
    (ACTIONS, Rule::Named),
    (SERVICES, Rule::Named),
    (STREAMS, Rule::Named),
    (FAN_OUTS, Rule::Named),
    ("network", Rule::Agree),
    ("connections", Rule::Agree),
    ("max_in_flight", Rule::Agree),
    ("variables", Rule::AgreeByKey),
    ("provenance", Rule::Agree),
];

const CLIENTS: &str = "clients";
const ACTIONS: &str = "actions";
const SERVICES: &str = "services";
const STREAMS: &str = "streams";
const FAN_OUTS: &str = "fan_outs";

/// The key of a [`Rule::Load`] thing that is added up; what has none cannot be.
pub const ADDED: &str = "rate";

/// A place where the language refers to a thing by its name.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// The way of keys to it: `*` is any one key, `**` any number of keys and items of lists.
    pub at: &'static [&'static str],
    /// What stands there.
    pub form: Form,
    /// The section whose names it refers to.
    pub to: &'static str,
}

/// How names stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As the value, or as the items of a list.
    Value,
    /// As the keys of a mapping.
    Keys,
    /// As what stands before the first slash of the value.
    BeforeSlash,
}

/// Every place where a name stands.
pub const REFERENCES: &[Reference] = &[
    Reference {
        at: &[CLIENTS, "*", "do"],
        form: Form::Value,
        to: ACTIONS,
    },
    Reference {
        at: &[CLIENTS, "*", "do"],
        form: Form::Keys,
        to: ACTIONS,
    },
    Reference {
        at: &[ACTIONS, "*", "path", "**", "visit"],
        form: Form::Value,
        to: SERVICES,
    },
    Reference {
        at: &[ACTIONS, "*", "path", "**", "call"],
        form: Form::Value,
        to: ACTIONS,
    },
    Reference {
        at: &[ACTIONS, "*", "path", "**", "publish"],
        form: Form::Value,
        to: STREAMS,
    },
    Reference {
        at: &[ACTIONS, "*", "path", "**", "emit"],
        form: Form::Value,
        to: FAN_OUTS,
    },
    Reference {
        at: &[ACTIONS, "*", "await", "from", "fan_out"],
        form: Form::Value,
        to: FAN_OUTS,
    },
    Reference {
        at: &[ACTIONS, "*", "await", "from", "consumer"],
        form: Form::BeforeSlash,
        to: STREAMS,
    },
    Reference {
        at: &[ACTIONS, "*", "path", "**", "visit", "service"],
        form: Form::Value,
        to: SERVICES,
    },
    Reference {
        at: &[ACTIONS, "*", "path", "**", "publish", "stream"],
        form: Form::Value,
        to: STREAMS,
    },
    Reference {
        at: &[STREAMS, "**", "visit"],
        form: Form::Value,
        to: SERVICES,
    },
    Reference {
        at: &[STREAMS, "**", "call"],
        form: Form::Value,
        to: ACTIONS,
    },
    Reference {
        at: &[STREAMS, "**", "publish"],
        form: Form::Value,
        to: STREAMS,
    },
    Reference {
        at: &[STREAMS, "**", "emit"],
        form: Form::Value,
        to: FAN_OUTS,
    },
    Reference {
        at: &[STREAMS, "**", "visit", "service"],
        form: Form::Value,
        to: SERVICES,
    },
    Reference {
        at: &[STREAMS, "**", "publish", "stream"],
        form: Form::Value,
        to: STREAMS,
    },
    Reference {
        at: &[STREAMS, "*", "consumers", "*", "service"],
        form: Form::Value,
        to: SERVICES,
    },
    Reference {
        at: &[FAN_OUTS, "*", "service"],
        form: Form::Value,
        to: SERVICES,
    },
    Reference {
        at: &[SERVICES, "*", "queue", "order", "fair", "weights"],
        form: Form::Keys,
        to: CLIENTS,
    },
];

impl Reference {
    /// Whether a way of keys, without positions in lists, leads to such a place.
    pub fn is_at(&self, way: &[String]) -> bool {
        leads_to(self.at, way)
    }
}

fn leads_to(pattern: &[&str], way: &[String]) -> bool {
    match (pattern, way) {
        ([], []) => true,
        (["**", rest @ ..], _) => {
            leads_to(rest, way) || matches!(way, [_, further @ ..] if leads_to(pattern, further))
        }
        ([first, rest @ ..], [key, further @ ..]) => {
            (*first == "*" || first == key) && leads_to(rest, further)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_of_the_schema_has_its_rule() {
        let schema: serde_json::Value =
            serde_json::from_str(&crate::spec::json_schema()).expect("the schema is JSON");
        let known: Vec<&str> = schema["properties"]
            .as_object()
            .expect("a spec has properties")
            .keys()
            .map(String::as_str)
            .collect();
        let mut ruled: Vec<&str> = SECTIONS.iter().map(|(section, _)| *section).collect();
        ruled.sort_unstable();
        assert_eq!(
            ruled, known,
            "SECTIONS says how each section is composed; where a new one names other things, REFERENCES says where"
        );
    }

    #[test]
    fn a_way_leads_to_a_place_or_not() {
        let leads = |pattern: &[&str], way: &str| {
            let way: Vec<String> = way.split('.').map(String::from).collect();
            leads_to(pattern, &way)
        };
        assert!(leads(&["a", "*", "do"], "a.x.do"));
        assert!(!leads(&["a", "*", "do"], "a.x.y.do"));
        assert!(!leads(&["a", "*", "do"], "a.do"));
        assert!(leads(&["a", "**", "visit"], "a.visit"));
        assert!(leads(&["a", "**", "visit"], "a.path.branch.path.visit"));
        assert!(!leads(&["a", "**", "visit"], "a.path.visit.time"));
        assert!(!leads(&["a", "**", "visit"], "b.path.visit"));
    }
}
