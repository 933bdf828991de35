//! Spans of time in sentences.

use std::time::Duration;

/// `20 s`, `1 min 50 s`, `20 min`, `1 h 04 min`. Rounded down.
pub(crate) fn span(duration: Duration) -> String {
    let whole = duration.as_secs();
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, 0, _) => format!("{h} h"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (110, "1 min 50 s"),
            (121, "2 min 01 s"),
            (1200, "20 min"),
            (3600, "1 h"),
            (3899, "1 h 04 min"),
        ];
        for (seconds, text) in cases {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
