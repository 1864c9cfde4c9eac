//! Numbers for people, in the sentences of this crate and of its users.

/// A count with its thousands apart: `12,345`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share as a percentage with three significant digits, without zeros at its end: `2 %`, `0.369 %`, `50.1 %`.
pub fn brief_percent(share: f64) -> String {
    let percent = share * 100.0;
    let magnitude = match percent.abs() {
        0.0 => 0.0,
        // What rounds up to a power of ten has one digit less after the point.
        size => libm::floor(libm::log10(size * (1.0 + 0.5e-3))),
    };
    // A float-to-integer cast saturates.
    let digits = (2.0 - magnitude).clamp(0.0, 9.0) as usize;
    let text = format!("{percent:.digits$}");
    let text = match digits {
        0 => &text,
        _ => text.trim_end_matches('0').trim_end_matches('.'),
    };
    format!("{text} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(11_021), "11,021");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn percentages_keep_three_digits() {
        assert_eq!(brief_percent(0.0), "0 %");
        assert_eq!(brief_percent(0.02), "2 %");
        assert_eq!(brief_percent(0.001), "0.1 %");
        assert_eq!(brief_percent(0.500_227), "50 %");
        assert_eq!(brief_percent(0.501), "50.1 %");
        assert_eq!(brief_percent(1.0), "100 %");
        assert_eq!(brief_percent(0.996_314), "99.6 %");
        assert_eq!(brief_percent(0.999_96), "100 %");
        assert_eq!(brief_percent(3.688_87e-6), "0.000369 %");
    }
}
