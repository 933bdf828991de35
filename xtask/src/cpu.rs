//! Processor time of programs that we started and that have ended, their own children included.

use crate::commands::Failure;

/// What `/proc` counts in; Linux shows it in hundredths of a second on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds so far, user and system together. What a program left running behind it is not in it.
pub(crate) fn of_children() -> Result<f64, Failure> {
    let stat =
        std::fs::read_to_string("/proc/self/stat").map_err(|error| format!("reading /proc/self/stat: {error}"))?;
    ticks(&stat).map(|ticks| ticks / TICKS_PER_SECOND).ok_or_else(|| format!("/proc/self/stat says {stat:?}"))
}

/// `cutime` and `cstime`, fields 16 and 17. The second field is the program's name and may hold anything.
fn ticks(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    Some(field(16)? + field(17)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_spaces_and_brackets() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194304 100 200 0 0 11 12 130 14 20 0 1 0 5 1000 10\n";
        assert_eq!(ticks(stat), Some(144.0));
        assert_eq!(ticks("7 (a) S 1"), None);
    }
}
