//! Counting: what `cargo test` says, line by line, and checks of our own.

use std::fmt;
use std::ops::{Add, AddAssign};

/// Passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Tally {
    pub(crate) const fn check(passed: bool) -> Self {
        Self { passed: passed as usize, failed: !passed as usize }
    }

    /// Whether something ran and nothing failed.
    pub(crate) const fn is_good(self) -> bool {
        self.passed > 0 && self.failed == 0
    }

    /// Reads `test result: ok. 12 passed; 0 failed; ...`; none for any other line.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let counts = line.trim().strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |word: &str| {
            let part = counts.split(';').find_map(|part| part.trim().strip_suffix(word))?;
            part.trim().parse().ok()
        };
        Some(Self { passed: count(" passed")?, failed: count(" failed")? })
    }

    /// The test that failed, of `test a::b ... FAILED`; none for any other line.
    pub(crate) fn failed_test(line: &str) -> Option<&str> {
        line.trim().strip_prefix("test ")?.strip_suffix(" ... FAILED")
    }

    /// Reads our own closing line, `12 passed, 0 failed`; none for any other line.
    pub(crate) fn of_closing_line(line: &str) -> Option<Self> {
        let (passed, failed) = line.strip_suffix(" failed")?.split_once(" passed, ")?;
        Some(Self { passed: passed.parse().ok()?, failed: failed.parse().ok()? })
    }

    /// What a `cargo test` run counts as. One that ended badly without a failed test did not build, or a test binary was
    /// killed; one that ran nothing proves nothing. Both are a failure.
    pub(crate) const fn closed(mut self, ended_well: bool) -> Self {
        let nothing = self.passed + self.failed == 0;
        if (!ended_well || nothing) && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines() {
        let cases = [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s",
                Some((12, 0)),
            ),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", Some((3, 2))),
            ("running 12 tests", None),
            ("test foo ... ok", None),
            ("test result: ok. many passed; 0 failed;", None),
            ("the test result: ok. 1 passed; 0 failed;", None),
            ("", None),
        ];
        for (line, want) in cases {
            assert_eq!(Tally::of_line(line).map(|t| (t.passed, t.failed)), want, "{line}");
        }
    }

    #[test]
    fn failed_tests_and_closing_lines() {
        assert_eq!(Tally::failed_test("test a::b ... FAILED"), Some("a::b"));
        assert_eq!(Tally::failed_test("test a::b ... ok"), None);
        let closing = |line| Tally::of_closing_line(line).map(|tally| (tally.passed, tally.failed));
        assert_eq!(closing("12 passed, 3 failed"), Some((12, 3)));
        assert_eq!(closing("== nodes: 12 passed, 3 failed"), None);
    }

    #[test]
    fn a_run_that_did_not_build_or_ran_nothing_failed() {
        let cases = [
            ((3, 0), true, (3, 0)),
            ((3, 2), false, (3, 2)),
            ((3, 0), false, (3, 1)),
            ((0, 0), true, (0, 1)),
            ((0, 0), false, (0, 1)),
        ];
        for ((passed, failed), ended_well, want) in cases {
            let closed = Tally { passed, failed }.closed(ended_well);
            assert_eq!((closed.passed, closed.failed), want);
        }
    }

    #[test]
    fn the_closing_line() {
        let mut all = Tally::check(true);
        all += Tally { passed: 40, failed: 1 };
        assert_eq!(all.to_string(), "41 passed, 1 failed");
        assert!(!all.is_good() && Tally::check(true).is_good() && !Tally::default().is_good());
    }
}
