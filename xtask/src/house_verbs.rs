//! House rule about verbs: each reads from top to bottom as a list, so no function of theirs is long.

use crate::house_sources::is_test;

/// Where verbs stand.
const VERBS: &str = "crates/plinth/src/verbs/";
/// Lines that a function there may have. What needs more is logic, which belongs to `plinth-app` or to the crate whose noun it is.
const LINES: usize = 40;

/// Functions of a verb that are too long.
pub(crate) fn judged(name: &str, text: &str) -> Vec<String> {
    if !name.starts_with(VERBS) || is_test(name) {
        return Vec::new();
    }
    let long = functions(text).into_iter().filter(|function| function.lines > LINES);
    let told = |Function { name: function, at, lines }: Function<'_>| {
        format!("{name}:{at}: `{function}` has {lines} lines, and in a verb {LINES} are allowed")
    };
    long.map(told).collect()
}

/// A function as it stands in a source.
struct Function<'a> {
    name: &'a str,
    at: usize,
    lines: usize,
}

/// Functions of a formatted source: one begins where a line names it, and ends at the brace below that name.
fn functions(text: &str) -> Vec<Function<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let begun = lines.iter().enumerate().filter_map(|(at, line)| Some((at, *line, named(line)?)));
    let function = |(at, line, name): (usize, &str, _)| {
        let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let lines = lines[at..].iter().position(|line| *line == end).map_or(1, |last| last + 1);
        Function { name, at: at + 1, lines }
    };
    begun.map(function).collect()
}

/// The name of the function that a line begins, unless all of it is on this line.
fn named(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let code = match code.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1.trim_start(),
        Some(rest) => rest.trim_start(),
        None => code,
    };
    let code = ["const ", "async ", "unsafe "].iter().fold(code, |code, word| code.strip_prefix(word).unwrap_or(code));
    let rest = code.strip_prefix("fn ")?;
    (!line.ends_with('}')).then_some(())?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        let inside = "        f();\n".repeat(lines - 2);
        format!("impl A {{\n    pub(crate) async fn run(\n{inside}    }}\n\n    fn short() {{}}\n}}\n")
    }

    #[test]
    fn a_function_of_a_verb_is_at_most_forty_lines() {
        let wrong = |name: &str, lines| judged(name, &function(lines));
        assert!(wrong("crates/plinth/src/verbs/apply.rs", LINES).is_empty());
        let found = wrong("crates/plinth/src/verbs/apply.rs", LINES + 1);
        assert_eq!(found, ["crates/plinth/src/verbs/apply.rs:2: `run` has 41 lines, and in a verb 40 are allowed"]);
        assert!(wrong("crates/plinth/src/printer.rs", LINES + 1).is_empty(), "others have clippy's limit");
    }

    #[test]
    fn a_function_ends_at_its_own_brace() {
        let text = "pub fn a() {\n    if b {\n    }\n}\n\nconst fn c() -> u8 {\n    1\n}\n";
        let found: Vec<_> = functions(text).into_iter().map(|f| (f.name, f.at, f.lines)).collect();
        assert_eq!(found, [("a", 1, 4), ("c", 6, 3)]);
    }
}
