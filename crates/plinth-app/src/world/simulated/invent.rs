//! Names that a glob matches, made up.

use plinth_model::{NodeName, misread};

/// What `*` can stand for.
const NUMBERS: usize = 99;
/// Names that are looked at before giving up.
const TRIED: usize = 1000;

/// One place of a glob.
enum Part {
    Text(char),
    /// `*`: a number.
    Any,
    /// `?` and `[..]`.
    One(Vec<char>),
    /// `{a,b}`.
    Either(Vec<Vec<Part>>),
}

impl Part {
    fn count(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::Any => NUMBERS,
            Self::One(characters) => characters.len(),
            Self::Either(branches) => branches.iter().map(|branch| count(branch)).fold(0, usize::saturating_add),
        }
    }

    fn put(&self, index: usize, name: &mut String) {
        match self {
            Self::Text(character) => name.push(*character),
            // A name of digits alone is none.
            Self::Any if name.is_empty() => *name = format!("node-{:02}", index + 1),
            Self::Any => name.push_str(&format!("{:02}", index + 1)),
            Self::One(characters) => name.extend(characters.get(index)),
            Self::Either(branches) => {
                let mut rest = index;
                for branch in branches {
                    let size = count(branch);
                    if rest < size {
                        put(branch, rest, name);
                        return;
                    }
                    rest -= size;
                }
            }
        }
    }
}

fn count(parts: &[Part]) -> usize {
    parts.iter().map(Part::count).fold(1, usize::saturating_mul)
}

/// The name with this number; the last place changes first.
fn put(parts: &[Part], index: usize, name: &mut String) {
    let mut rest = index;
    let mut chosen: Vec<usize> = Vec::with_capacity(parts.len());
    for part in parts.iter().rev() {
        let size = part.count().max(1);
        chosen.push(rest % size);
        rest /= size;
    }
    for (part, index) in parts.iter().zip(chosen.into_iter().rev()) {
        part.put(index, name);
    }
}

/// Names that a glob matches and that nodes may have, at most this many; none where nothing comes to mind.
pub(super) fn names(glob: &str, wanted: usize) -> Vec<String> {
    let Ok(matcher) = globset::Glob::new(glob).map(|glob| glob.compile_matcher()) else { return Vec::new() };
    let characters: Vec<char> = glob.chars().collect();
    let (parts, _) = parse(&characters, 0, false);
    let mut found: Vec<String> = Vec::new();
    for index in 0..count(&parts).min(TRIED) {
        let mut name = String::new();
        put(&parts, index, &mut name);
        let fits = matcher.is_match(&name) && NodeName::new(&name).is_ok() && misread(&name).is_none();
        if found.len() < wanted && fits && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Reads from a place on; inside braces up to a comma or the closing brace. Answers where it stopped.
fn parse(glob: &[char], from: usize, inside: bool) -> (Vec<Part>, usize) {
    let mut parts = Vec::new();
    let mut at = from;
    while let Some(character) = glob.get(at) {
        match character {
            ',' | '}' if inside => break,
            '*' if matches!(parts.last(), Some(Part::Any)) => {}
            '*' => parts.push(Part::Any),
            '?' => parts.push(Part::One(('0'..='9').collect())),
            '[' => {
                let (set, end) = set(glob, at + 1);
                parts.push(Part::One(set));
                at = end;
            }
            '{' => {
                let mut branches = Vec::new();
                loop {
                    let (branch, end) = parse(glob, at + 1, true);
                    branches.push(branch);
                    at = end;
                    if glob.get(at) != Some(&',') {
                        break;
                    }
                }
                parts.push(Part::Either(branches));
            }
            other => parts.push(Part::Text(*other)),
        }
        at += 1;
    }
    (parts, at)
}

/// The characters of `[..]`, and where its closing bracket stands.
fn set(glob: &[char], from: usize) -> (Vec<char>, usize) {
    let negated = matches!(glob.get(from), Some('!' | '^'));
    let mut at = from + usize::from(negated);
    let mut members = Vec::new();
    while let Some(character) = glob.get(at).filter(|c| **c != ']') {
        match (glob.get(at + 1), glob.get(at + 2)) {
            (Some('-'), Some(last)) if *last != ']' => {
                members.extend(*character..=*last);
                at += 3;
            }
            _ => {
                members.push(*character);
                at += 1;
            }
        }
    }
    if negated {
        members = ('0'..='9').chain('a'..='z').filter(|c| !members.contains(c)).collect();
    }
    (members, at)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn every_glob_that_can_be_matched_gets_names() {
        let cases: [(&str, &[&str]); 12] = [
            ("dgx-*", &["dgx-01", "dgx-02", "dgx-03"]),
            ("gpu-[12]", &["gpu-1", "gpu-2"]),
            ("dgx-h100-r[1-3]-n0[1-8]", &["dgx-h100-r1-n01", "dgx-h100-r1-n02", "dgx-h100-r1-n03"]),
            ("{dgx-01,dgx-07}", &["dgx-01", "dgx-07"]),
            ("dgx-{a,b}-?", &["dgx-a-0", "dgx-a-1", "dgx-a-2"]),
            ("*", &["node-01", "node-02", "node-03"]),
            ("*-gpu", &["node-01-gpu", "node-02-gpu", "node-03-gpu"]),
            ("n[!0-8]", &["n9", "na", "nb"]),
            ("n[^0-8]", &["n9", "na", "nb"]),
            ("a**b", &["a01b", "a02b", "a03b"]),
            ("{x{1,2},z}", &["x1", "x2", "z"]),
            ("[12]", &[]),
        ];
        for (glob, expected) in cases {
            assert_eq!(names(glob, 3), expected, "{glob}");
        }
    }
}
