//! Counted things in sentences.

/// `1 step`, `2 steps`: a number with its noun, whose plural ends in s.
#[must_use]
pub fn amount(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn only_one_is_singular() {
        assert_eq!(
            [0, 1, 2].map(|n| amount(n, "authorized key")),
            ["0 authorized keys", "1 authorized key", "2 authorized keys"]
        );
    }
}
