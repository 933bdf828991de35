//! Names of nodes, short: `dgx-[001-047,050]`.

use std::collections::BTreeMap;

/// Names as ranges of their last number, in order; those without a number as they are. Numbers of another width are another range, so that
/// what is written is exactly what is meant.
#[must_use]
pub fn ranges<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut groups: BTreeMap<(&str, usize, &str), Vec<u64>> = BTreeMap::new();
    let mut plain: Vec<&str> = Vec::new();
    for name in names {
        let numbered = parts(name).and_then(|parts| Some((parts, parts.1.parse().ok()?)));
        match numbered {
            Some(((before, digits, after), number)) => {
                groups.entry((before, digits.len(), after)).or_default().push(number);
            }
            None => plain.push(name),
        }
    }
    plain.sort_unstable();
    plain.dedup();
    let grouped = groups.into_iter().map(|((before, width, after), numbers)| written(before, width, after, numbers));
    let mut all: Vec<String> = grouped.collect();
    all.extend(plain.into_iter().map(str::to_owned));
    all.join(", ")
}

/// In front of the last digits, the digits, behind them. Numbers of more than 18 digits are none.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = name
        .get(..end)?
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + name.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    let digits = name.get(start..end)?;
    (digits.len() <= 18).then_some((name.get(..start)?, digits, name.get(end..)?))
}

fn written(before: &str, width: usize, after: &str, mut numbers: Vec<u64>) -> String {
    numbers.sort_unstable();
    numbers.dedup();
    if let [one] = numbers.as_slice() {
        return format!("{before}{one:0width$}{after}");
    }
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let texts: Vec<String> = runs
        .into_iter()
        .map(|(first, last)| match last - first {
            0 => format!("{first:0width$}"),
            _ => format!("{first:0width$}-{last:0width$}"),
        })
        .collect();
    format!("{before}[{}]{after}", texts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ranges_and_stay_exact() {
        let many: Vec<String> = (1..=47).map(|n| format!("dgx-{n:03}")).collect();
        assert_eq!(ranges(many.iter().map(String::as_str)), "dgx-[001-047]");
        assert_eq!(ranges(["dgx-5", "dgx-05", "dgx-06", "head", "dgx-08"]), "dgx-5, dgx-[05-06,08], head");
        assert_eq!(ranges(["r1-n7.site", "r1-n8.site", "ä1ö"]), "r1-n[7-8].site, ä1ö");
        assert_eq!(ranges(["n8", "n9", "n10", "n11", "n9"]), "n[8-9], n[10-11]");
        assert_eq!(ranges([]), "");
        assert_eq!(ranges(["x99999999999999999999", "x1"]), "x1, x99999999999999999999");
    }
}
