//! Ranges of host names as other programs write them.

use plinth_model::NodeName;

/// Most numbers of a range that the fix writes out.
const WRITTEN_OUT: u32 = 32;
/// Most digits of a number in such a list.
const DIGITS: usize = 9;

/// The names of a range that is written without brackets: `gpu-1..3`, `gpu-01..gpu-03`.
pub(super) fn names_of_range(text: &str) -> Option<Vec<String>> {
    let (first, last) = text.split_once("..")?;
    let digits = first.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    let (begin, low) = (first.get(..digits)?, first.get(digits..)?);
    let high = last.strip_prefix(begin).unwrap_or(last);
    let names: Vec<String> =
        numbers(&format!("[{low}..{high}]"))?.into_iter().map(|number| format!("{begin}{number}")).collect();
    names.iter().all(|name| NodeName::new(name).is_ok()).then_some(names)
}

/// The numbers of a range written out; none when they are too many or it is no such list.
pub(super) fn numbers(bracket: &str) -> Option<Vec<String>> {
    let inside = bracket.get(1..bracket.len() - 1)?;
    let mut all = Vec::new();
    for part in inside.split(',') {
        let part = part.trim();
        let ends = ["..", ":", "-"].iter().find_map(|sign| part.split_once(*sign));
        let (first, last) = ends.unwrap_or((part, part));
        if first.len() > DIGITS || last.len() > DIGITS {
            return None;
        }
        let (low, high): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if low > high || high - low >= WRITTEN_OUT {
            return None;
        }
        // Leading zeros count: `01` to `12`.
        let width = if first.starts_with('0') { first.len() } else { 0 };
        all.extend((low..=high).map(|number| format!("{number:0width$}")));
    }
    (all.len() <= WRITTEN_OUT as usize).then_some(all)
}
