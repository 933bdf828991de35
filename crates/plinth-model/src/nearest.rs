//! The known name that somebody probably meant. One measure for keys, nodes, components, variables and faults.

/// Names that begin alike (Jaro-Winkler, 0 to 1) are taken for slips above this.
const BEGINS_ALIKE: f64 = 0.75;
/// Names that differ by few keystrokes (Damerau-Levenshtein, 0 to 1) are taken for slips from this on: `bmc` for `bcm`.
const FEW_KEYSTROKES: f64 = 0.6;
/// One holds the other, `nvidia-gpu-operator` and `gpu-operator`: as good as a slip of one key.
const HOLDS: f64 = 0.95;
/// Least characters of a name that is looked for in another one.
const WHOLE: usize = 4;
/// Characters that are compared; longer texts are no slips.
const COMPARED: usize = 80;

/// The known name most like the text, if it is much like it. Case, dashes, underscores and the stars of globs do not count; among equals the
/// first one wins.
#[must_use]
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_few(text, known).into_iter().next()
}

/// At most three known names that are much like the text, most alike first.
#[must_use]
pub fn nearest_few<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let text = plain(text);
    let mut alike: Vec<(f64, &str)> =
        known.into_iter().filter_map(|name| Some((likeness(&text, &plain(name))?, name))).collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike.into_iter().take(3).map(|(_, name)| name).collect()
}

/// The better of both measures; none when neither calls it a slip.
fn likeness(text: &str, name: &str) -> Option<f64> {
    let (short, long) = if text.len() < name.len() { (text, name) } else { (name, text) };
    if short.len() >= WHOLE && short != long && long.contains(short) {
        return Some(HOLDS);
    }
    let begins = strsim::jaro_winkler(text, name);
    let keystrokes = strsim::normalized_damerau_levenshtein(text, name);
    (begins > BEGINS_ALIKE || keystrokes >= FEW_KEYSTROKES).then(|| begins.max(keystrokes))
}

fn plain(text: &str) -> String {
    text.chars().take(COMPARED).filter(|c| !matches!(c, '-' | '_' | '*')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::{nearest, nearest_few};

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let known = ["controlPlane", "workers", "etcd", "gpu"];
        assert_eq!(nearest("control_plane", known), Some("controlPlane"));
        assert_eq!(nearest("worker", known), Some("workers"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("bmc", ["static", "bcm"]), Some("bcm"));
        assert_eq!(nearest("nvidia-gpu-operator", ["knative-operator", "gpu-operator"]), Some("gpu-operator"));
        assert_eq!(nearest("username", ["user", "password"]), Some("user"));
    }

    #[test]
    fn at_most_three_are_named_and_the_most_alike_comes_first() {
        let nodes = ["dgx-01", "dgx-02", "dgx-03", "dgx-04", "bcm-head-01"];
        assert_eq!(nearest_few("dgx-2", nodes).first(), Some(&"dgx-02"));
        assert_eq!(nearest_few("dgx-0", nodes).len(), 3);
    }
}
