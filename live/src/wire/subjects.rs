//! Subjects with wildcards, and whether two of them overlap.

/// Whether a subject can be one of both.
pub fn overlap(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(mine), Some(theirs)) if mine == "*" || theirs == "*" || mine == theirs => {}
            _ => return false,
        }
    }
}

/// Whether every subject of the second is one of the first.
pub fn covers(first: &str, second: &str) -> bool {
    let (mut first, mut second) = (first.split('.'), second.split('.'));
    loop {
        match (first.next(), second.next()) {
            (None, None) => return true,
            (Some(">"), Some(_)) => return true,
            (Some("*"), Some(token)) if token != ">" => {}
            (Some(mine), Some(theirs)) if mine == theirs => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_overlap_where_one_fits_both() {
        for (one, other) in [
            ("a.b", "a.b"),
            ("a.*", "*.b"),
            ("a.>", "a.b.c"),
            (">", "a"),
            ("a.*.c", "a.>"),
        ] {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        for (one, other) in [("a.b", "a"), ("a.>", "a"), ("a.*", "a.b.c"), ("a.b", "a.c")] {
            assert!(
                !overlap(one, other) && !overlap(other, one),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_wider_subject_covers_a_narrower_one() {
        for (wide, narrow) in [(">", "a.>"), ("a.>", "a.*"), ("*.b", "a.b"), ("a", "a")] {
            assert!(covers(wide, narrow), "{wide} {narrow}");
        }
        for (one, other) in [("a.*", "a.>"), ("a.b", "a.*"), ("*", ">"), ("a.>", "a")] {
            assert!(!covers(one, other), "{one} {other}");
        }
    }
}
