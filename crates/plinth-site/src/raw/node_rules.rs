//! The rules of texts that select nodes.

use super::host_ranges::numbers;
use super::rules::{quoted, short, text_type};
use super::text::{Refusal, Rule};
use plinth_model::NodeName;
use plinth_model::finding::code;

text_type!(
    /// A glob over node names.
    NodeGlob, "a node name or glob", "dgx-*", r"^[a-z0-9*?\[\]{},!^-]+$",
    |text| check_glob(text)
);

/// Whether a selector text is a pattern.
pub(crate) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn check_glob(text: &str) -> Result<(), Refusal> {
    let parts = parts(text);
    if parts.len() > 1 && is_glob(text) && parts.iter().all(|part| check_glob(part).is_ok()) {
        let parts: Vec<String> = parts.into_iter().map(quoted).collect();
        let fix =
            format!("these are several selectors: write `[{}]` in a list, or an entry for each", parts.join(", "));
        return Err(Refusal::new(format!("`{}` would be one selector, which selects no node", short(text)), fix));
    }
    if let Some(range) = range_in(text) {
        return Err(not_a_range(text, &range));
    }
    if !is_glob(text) {
        return NodeName::read(text).map(|_| ());
    }
    if let Some(other) =
        text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "*?[]{},!^-".contains(*c)))
    {
        let fix = if other.is_ascii_uppercase() {
            format!(
                "write `{}`: names of nodes are in lower case; rename machines in BCM that are not",
                text.to_lowercase()
            )
        } else {
            "write it like `dgx-*`, `dgx-0[1-4]` or `{dgx-01,dgx-07}`; regular expressions are not known here"
                .to_owned()
        };
        return Err(Refusal::new(format!("`{}` has `{other}`, which no name of a node has", short(text)), fix));
    }
    globset::Glob::new(text).map(|_| ()).map_err(|error| {
        Refusal::new(
            format!("`{}` is not a glob: {}", short(text), error.kind()),
            "write it like `dgx-*` or `dgx-0[1-4]`",
        )
    })
}

/// The selectors of a text that stands where one is wanted: separated by commas or blanks outside of brackets and braces.
fn parts(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let is_end = |sign: char| {
        match sign {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (sign == ',' || sign.is_whitespace())
    };
    text.split(is_end).filter(|part| !part.is_empty()).collect()
}

/// A range as other programs write it, which a glob reads as a set of single characters or not at all.
struct Range<'a> {
    /// What stands before the bracket.
    begin: &'a str,
    /// The bracket with what is in it.
    bracket: &'a str,
    /// What stands behind it.
    end: &'a str,
}

/// The first bracket or brace that is a range of Ansible, Slurm, xCAT or a shell.
fn range_in(text: &str) -> Option<Range<'_>> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find(['[', '{']) {
        let open = from + found;
        let closing = if text[open..].starts_with('[') { ']' } else { '}' };
        let close = open + text[open..].find(closing)?;
        let inside = &text[open + 1..close];
        let is_range = if closing == ']' { is_host_list(inside) } else { inside.contains("..") };
        if is_range {
            return Some(Range { begin: &text[..open], bracket: &text[open..=close], end: &text[close + 1..] });
        }
        from = close + 1;
    }
    None
}

/// Whether a glob's set was meant as a list of numbers: `1-16`, `01:04`, `1-2,4`, `1..4`.
fn is_host_list(inside: &str) -> bool {
    let bytes = inside.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let wide = |(at, byte): (usize, &u8)| {
        *byte == b'-'
            && digit(at.checked_sub(1))
            && digit(Some(at + 1))
            && (digit(at.checked_sub(2)) || digit(Some(at + 2)))
    };
    inside.contains([',', ':', '.']) || bytes.iter().enumerate().any(wide)
}

fn not_a_range(text: &str, range: &Range<'_>) -> Refusal {
    let message = format!(
        "`{}` is no range to a glob: `{}` stands for one single character, so other nodes would be selected than meant",
        short(text),
        short(range.bracket)
    );
    let message = if range.bracket.starts_with('{') {
        format!("`{}` is no range to a glob: `..` is not known", short(text))
    } else {
        message
    };
    let fix = match numbers(range.bracket) {
        Some(numbers) => format!("write `{}{{{}}}{}`, or name each node", range.begin, numbers.join(","), range.end),
        None => "name each node, or write the numbers out like `dgx-{01,02,03}`; `[1-4]` is one digit from 1 to 4"
            .to_owned(),
    };
    Refusal::new(message, fix).code(code::SITE_RANGE_SELECTOR)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_range_of_other_programs_is_refused_with_what_to_write() {
        let cases = [
            ("gpu-[1-16]", "`gpu-{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16}`"),
            ("dgx[01:04]", "`dgx{01,02,03,04}`"),
            ("dgx[1-2,4]", "`dgx{1,2,4}`"),
            ("dgx-[08-11]-a", "`dgx-{08,09,10,11}-a`"),
            ("dgx{1..3}", "`dgx{1,2,3}`"),
            ("r[1-3]n[01-02]", "`r[1-3]n{01,02}`"),
            ("dgx[1,3]", "`dgx{1,3}`"),
            ("dgx[001-128]", "name each node"),
            ("dgx[1-4:2]", "name each node"),
            ("dgx[10-8]", "name each node"),
        ];
        for (text, fix) in cases {
            let refusal = NodeGlob::read(text).unwrap_err();
            assert_eq!(refusal.code, code::SITE_RANGE_SELECTOR, "{text}");
            assert!(refusal.fix.contains(fix), "{text}: {}", refusal.fix);
        }
    }

    #[test]
    fn several_in_one_text_are_told_apart() {
        let fix = |text: &str| NodeGlob::read(text).unwrap_err().fix;
        assert_eq!(
            fix("gpu-[1-2],cp-9"),
            "these are several selectors: write `[\"gpu-[1-2]\", cp-9]` in a list, or an entry for each"
        );
        assert!(fix("gpu-* cp-*").contains("`[\"gpu-*\", \"cp-*\"]`"), "{}", fix("gpu-* cp-*"));
        assert!(fix("gpu-1..2").contains("several nodes: write `[gpu-1, gpu-2]`"), "{}", fix("gpu-1..2"));
        assert!(fix("gpu-01..gpu-03").contains("`[gpu-01, gpu-02, gpu-03]`"), "{}", fix("gpu-01..gpu-03"));
        for text in ["gpu-1..x", "gpu-3..1", "10.1.2.3", "10.x"] {
            assert!(!fix(text).starts_with("write `"), "{text}: {}", fix(text));
        }
        assert!(fix("10.1.2.3").contains("host name"), "{}", fix("10.1.2.3"));
    }

    #[test]
    fn sets_and_alternatives_are_globs() {
        assert!(NodeGlob::read(NodeGlob::EXAMPLE).is_ok());
        for good in [
            "gpu-[12]",
            "gpu-[1-4]",
            "dgx-h100-r[1-3]-n0[1-8]",
            "{dgx-01,dgx-07}",
            "dgx-[!5]",
            "dgx-[^5]",
            "dgx-0?",
            "a[0-9a-f]",
            "*",
        ] {
            assert!(NodeGlob::read(good).is_ok(), "{good}");
        }
        for bad in ["dgx-[", "dgx/5", "~dgx-.*", "dgx-0[1-4]|cpu", "DGX-*", "dgx_*", "dgx 01", "{a,b"] {
            assert!(NodeGlob::read(bad).is_err(), "{bad}");
        }
        assert!(NodeGlob::read("DGX-*").unwrap_err().fix.contains("`dgx-*`"));
        assert!(NodeGlob::read("DGX_01").unwrap_err().fix.contains("`dgx-01`"));
    }
}
