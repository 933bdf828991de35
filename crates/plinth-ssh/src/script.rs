//! One operation on a node as data: POSIX `sh` text with its parameters before it.
//!
//! The text travels by standard input, never in an argument list, so parameters may be secret. Everything is inside functions,
//! and the call of `main` is the last line: a text that is cut off on its way does nothing at all.

use plinth_model::Secret;
use std::fmt::{self, Write as _};
use std::time::Duration;

/// Functions that every operation may use.
const PRELUDE: &str = include_str!("scripts/sh/prelude.sh");
/// Calls `main` away from standard input, and tells how it ended.
const LAST_LINES: &str = "main </dev/null\nend $?\n";

/// One operation on a node as a script, with its parameters, as whom it runs, and for how long at most.
pub struct Script {
    name: &'static str,
    body: &'static str,
    parameters: String,
    root: bool,
    changing: bool,
    deadline: Duration,
}

impl Script {
    /// An operation whose body defines the function `main`. `name` is for messages: `reading facts`.
    #[must_use]
    pub const fn new(name: &'static str, body: &'static str, deadline: Duration) -> Self {
        Self { name, body, parameters: String::new(), root: false, changing: false, deadline }
    }

    /// Runs as root.
    #[must_use]
    pub const fn as_root(mut self) -> Self {
        self.root = true;
        self
    }

    /// Changes things: as root, no second operation that changes things runs beside it on its node.
    #[must_use]
    pub const fn changing(mut self) -> Self {
        self.changing = true;
        self
    }

    /// A parameter: the shell variable `name`. Any text is safe.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        let _ = writeln!(self.parameters, "{name}={}", quoted(value));
        self
    }

    /// A parameter of lines; empty lines are left out by [`Script`]'s convention of reading them with `while read`.
    #[must_use]
    pub fn lines<'a>(self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let text: Vec<&str> = values.into_iter().collect();
        self.text(name, &text.join("\n"))
    }

    /// A secret parameter. It is in the text, and in nothing that is printed.
    #[must_use]
    pub fn secret(self, name: &str, value: &Secret) -> Self {
        self.text(name, value.expose())
    }

    /// For messages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it needs root.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.root
    }

    /// Whether it changes things.
    #[must_use]
    pub const fn is_changing(&self) -> bool {
        self.changing
    }

    /// How long it may take.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The whole text; its frames carry `nonce`. Holds the secrets.
    #[must_use]
    pub fn render(&self, nonce: &str) -> String {
        format!("frame={}\n{}{PRELUDE}{}{LAST_LINES}", quoted(nonce), self.parameters, self.body)
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("name", &self.name).field("root", &self.root).finish_non_exhaustive()
    }
}

/// A shell word that means exactly this text. A NUL byte cannot be in one and is left out.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\0', "").replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_means_itself_and_is_not_printed() {
        let secret = Secret::new("it's $HOME `id`\nline".to_owned());
        let script = Script::new("trying", "main() { emit p \"$p\"; }\n", Duration::from_secs(1)).secret("p", &secret);
        assert!(script.render("n").contains("p='it'\\''s $HOME `id`\nline'\n"));
        assert!(!format!("{script:?}").contains("HOME"));
    }
}
