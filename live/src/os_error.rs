//! Errors of the operating system as a reader sees them.

use std::fmt::Display;

/// The text before the number of an error.
const BEFORE_NUMBER: &str = " (os error ";

/// The text of an error without the number of the operating system: `No such file or directory`.
pub fn unnumbered(error: &dyn Display) -> String {
    let text = error.to_string();
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(BEFORE_NUMBER) {
        shown.push_str(before);
        rest = match after.split_once(')') {
            Some((number, behind)) if number.bytes().all(|byte| byte.is_ascii_digit()) => behind,
            _ => {
                shown.push_str(BEFORE_NUMBER);
                after
            }
        };
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_system_is_shown_without_its_number() {
        for (text, expected) in [
            (
                "No such file or directory (os error 2)",
                "No such file or directory",
            ),
            (
                "read: Is a directory (os error 21), twice (os error 5)",
                "read: Is a directory, twice",
            ),
            ("a name (os error x)", "a name (os error x)"),
            ("cut (os error 2", "cut (os error 2"),
            ("nothing of the system", "nothing of the system"),
        ] {
            assert_eq!(unnumbered(&text), expected);
        }
        let missing = std::io::Error::from_raw_os_error(2);
        assert_eq!(
            format!("{} (os error 2)", unnumbered(&missing)),
            missing.to_string()
        );
    }
}
