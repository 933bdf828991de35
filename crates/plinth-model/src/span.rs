//! Spans of time as people read them: one form for terminal, findings, status and pages.

use std::time::Duration;

/// `0.6 s`, `3 s`, `42 s`, `3 min 12 s`, `20 min`, `1 h 04 min`. Tenths only below ten seconds, and nothing that is zero. What is no
/// span (negative, not a number) is `0 s`.
#[must_use]
pub fn span(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.05 {
        return "0 s".to_owned();
    }
    let tenths = whole(seconds * 10.0);
    if tenths < 100 && !tenths.is_multiple_of(10) {
        return format!("{seconds:.1} s");
    }
    let whole = whole(seconds);
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, 0, _) => format!("{h} h"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

/// The span of a duration.
#[must_use]
pub fn of(duration: Duration) -> String {
    span(duration.as_secs_f64())
}

/// Time since the start of a run, for the left edge of a line: `12:04`, `1:02:09`.
#[must_use]
pub fn clock(seconds: f64) -> String {
    // Rounded down: a line never claims a moment that has not come.
    let whole = whole(seconds.floor());
    match whole / 3600 {
        0 => format!("{:02}:{:02}", whole / 60, whole % 60),
        hours => format!("{hours}:{:02}:{:02}", whole / 60 % 60, whole % 60),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> u64 {
    // A float to integer cast saturates: negative and not-a-number become 0.
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let cases = [
            (0.0, "0 s"),
            (-3.0, "0 s"),
            (f64::NAN, "0 s"),
            (0.64, "0.6 s"),
            (3.0, "3 s"),
            (9.97, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min"),
            (110.0, "1 min 50 s"),
            (121.0, "2 min 01 s"),
            (1200.0, "20 min"),
            (3600.0, "1 h"),
            (3840.0, "1 h 04 min"),
        ];
        for (seconds, text) in cases {
            assert_eq!(span(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn clocks() {
        for (seconds, text) in [(0.9, "00:00"), (724.0, "12:04"), (3729.0, "1:02:09"), (-1.0, "00:00")] {
            assert_eq!(clock(seconds), text, "{seconds}");
        }
    }
}
