//! Sources as the house rules read them: which are only there for tests, and which of their lines are product.

/// Sources that are only compiled for tests, benches and examples.
pub(crate) fn is_test(name: &str) -> bool {
    name.ends_with("tests.rs") || ["/tests/", "/benches/", "/examples/", "fuzz/"].iter().any(|part| name.contains(part))
}

/// Numbered lines without comments and without items that are only there for tests.
pub(crate) fn product(text: &str) -> Vec<(usize, &str)> {
    let (mut kept, mut skipping) = (Vec::new(), false);
    for (at, line) in text.lines().enumerate() {
        if line == "#[cfg(test)]" {
            skipping = true;
        } else if skipping {
            skipping = !(line == "}" || line.ends_with(';') && !line.starts_with(' '));
        } else if !line.trim_start().starts_with("//") {
            kept.push((at + 1, line));
        }
    }
    kept
}
