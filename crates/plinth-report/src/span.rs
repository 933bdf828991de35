//! Spans of time as people read them.

/// `0.6 s`, `42 s`, `3 min 12 s`, `1 h 04 min`.
#[must_use]
pub fn span(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "0.0 s".to_owned();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = whole_seconds(seconds);
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

/// Time since the start of a run, for the left edge of a line: `12:04`, `1:02:09`.
#[must_use]
pub fn clock(seconds: f64) -> String {
    // Rounded down: a line never claims a moment that has not come.
    let whole = whole_seconds(seconds.floor());
    match whole / 3600 {
        0 => format!("{:02}:{:02}", whole / 60, whole % 60),
        hours => format!("{hours}:{:02}:{:02}", whole / 60 % 60, whole % 60),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole_seconds(seconds: f64) -> u64 {
    // A float to integer cast saturates: negative and not-a-number become 0.
    seconds.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let cases = [
            (0.0, "0.0 s"),
            (-3.0, "0.0 s"),
            (f64::NAN, "0.0 s"),
            (0.64, "0.6 s"),
            (9.97, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min 00 s"),
            (192.0, "3 min 12 s"),
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
