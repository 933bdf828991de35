//! What somebody probably meant by a text that a rule refuses: slips of the keyboard, of word processors and of other programs' habits.

use super::rules::short;
use super::text::{Refusal, Rule};

/// Signs that word processors and web pages put in place of those of the keyboard.
const TYPOGRAPHIC: [(char, &str); 9] = [
    ('\u{2010}', "-"),
    ('\u{2011}', "-"),
    ('\u{2013}', "-"),
    ('\u{2014}', "-"),
    ('\u{2212}', "-"),
    ('\u{201c}', ""),
    ('\u{201d}', ""),
    ('\u{2018}', ""),
    ('\u{2019}', ""),
];

/// The refusal with what to write, where one slip explains it.
pub(super) fn explained<T: Rule>(text: &str, refusal: Refusal) -> Refusal {
    // A login is hidden in messages, so nothing of such a text is repeated.
    if text.contains('@') {
        return refusal;
    }
    let trimmed = text.trim();
    if trimmed != text && T::read(trimmed).is_ok() {
        let message = format!("`{}` begins or ends with a blank or a line break", short(trimmed));
        return Refusal { message, fix: format!("write `{}` on one line", short(trimmed)), ..refusal };
    }
    let slips: [(String, &str); 3] = [
        (keyboard(text), ", with the quotes and dashes of the keyboard"),
        (text.trim_end_matches('.').to_owned(), ", without the dot at the end"),
        (text.to_lowercase(), ""),
    ];
    let meant = slips.into_iter().find(|(meant, _)| meant != text && T::read(meant).is_ok());
    match meant {
        Some((meant, why)) if !refusal.fix.contains("lower case") => {
            Refusal { fix: format!("write `{}`{why}", short(&meant)), ..refusal }
        }
        _ => refusal,
    }
}

fn keyboard(text: &str) -> String {
    let plain = |sign: char| TYPOGRAPHIC.iter().find(|(other, _)| *other == sign).map(|(_, plain)| *plain);
    text.chars().fold(String::with_capacity(text.len()), |mut all, sign| {
        match plain(sign) {
            Some(plain) => all.push_str(plain),
            None => all.push(sign),
        }
        all
    })
}

/// The items of a text that stands where a list is wanted: Ansible and shells separate them by commas or blanks. A glob may hold commas.
pub(crate) fn items(text: &str) -> Vec<&str> {
    if text.contains(['{', '[']) {
        return vec![text];
    }
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::{NodeName, Version};

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        let fix = |refused: Result<(), Refusal>| refused.unwrap_err().fix;
        let name = |text: &str| NodeName::read(text).map(|_| ()).map_err(|why| explained::<NodeName>(text, why));
        let version = |text: &str| Version::read(text).map(|_| ()).map_err(|why| explained::<Version>(text, why));
        assert!(fix(name("\u{201c}gpu-1\u{201d}")).starts_with("write `gpu-1`, with the quotes"));
        assert!(fix(name("gpu\u{2013}1")).starts_with("write `gpu-1`"));
        assert!(fix(version("v1.31.9\n")).contains("on one line"));
        assert!(fix(version("V1.31.9")).starts_with("write `v1.31.9`"));
        assert!(!fix(version("newest")).contains("newest"), "what cannot be guessed is not guessed");
    }

    #[test]
    fn items_of_a_text() {
        assert_eq!(items("cp-1, cp-2 cp-3"), ["cp-1", "cp-2", "cp-3"]);
        assert_eq!(items("gpu-{1,2}"), ["gpu-{1,2}"]);
    }
}
