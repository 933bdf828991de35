//! Kinds of plain scalars by the YAML 1.2 core schema.

use super::DecodeError;
use serde::de::Visitor;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    /// Quoted scalars are always text; `yes` and `no` are text too.
    pub(super) fn resolve(text: &'a str, plain: bool) -> Self {
        if !plain {
            return Scalar::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
            "true" | "True" | "TRUE" => Scalar::Bool(true),
            "false" | "False" | "FALSE" => Scalar::Bool(false),
            _ => integer(text)
                .map(Scalar::Integer)
                .or_else(|| float(text).map(Scalar::Float))
                .unwrap_or(Scalar::Text(text)),
        }
    }

    /// What a person would call it.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Scalar::Null => "nothing",
            Scalar::Bool(_) => "a truth value",
            Scalar::Integer(_) | Scalar::Float(_) => "a number",
            Scalar::Text(_) => "a text",
        }
    }

    pub(super) fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError>
    where
        'a: 'de,
    {
        match self {
            Scalar::Null => visitor.visit_unit(),
            Scalar::Bool(value) => visitor.visit_bool(value),
            Scalar::Float(value) => visitor.visit_f64(value),
            Scalar::Text(text) => visitor.visit_borrowed_str(text),
            Scalar::Integer(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => visitor.visit_i64(value),
                (_, Ok(value)) => visitor.visit_u64(value),
                _ => visitor.visit_i128(value),
            },
        }
    }
}

fn integer(text: &str) -> Option<i128> {
    if let Some(digits) = text.strip_prefix("0x") {
        return digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| i128::from_str_radix(digits, 16).ok())?;
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return digits.bytes().all(|b| matches!(b, b'0'..=b'7')).then(|| i128::from_str_radix(digits, 8).ok())?;
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" if text.starts_with('-') => return Some(f64::NEG_INFINITY),
        ".inf" | ".Inf" | ".INF" => return Some(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    let numeric = unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    let begins = unsigned.bytes().next().is_some_and(|b| b.is_ascii_digit() || b == b'.');
    let has_digit = unsigned.bytes().any(|b| b.is_ascii_digit());
    (numeric && begins && has_digit).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::Scalar;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let plain = |text| Scalar::resolve(text, true);
        assert_eq!(plain("1.31"), Scalar::Float(1.31));
        assert_eq!(plain("-0x"), Scalar::Text("-0x"));
        assert_eq!(plain("0x1F"), Scalar::Integer(31));
        assert_eq!(plain("0o17"), Scalar::Integer(15));
        assert_eq!(plain("+12"), Scalar::Integer(12));
        assert_eq!(plain("1e3"), Scalar::Float(1000.0));
        assert_eq!(plain("-.inf"), Scalar::Float(f64::NEG_INFINITY));
        for text in ["yes", "off", "v1.31.9", "1.2.3", "10.0.0.1", ".", "-", "e5", "0x", "inf", "nan"] {
            assert_eq!(plain(text), Scalar::Text(text), "{text}");
        }
        for text in ["", "~", "null"] {
            assert_eq!(plain(text), Scalar::Null);
        }
        assert_eq!(Scalar::resolve("true", false), Scalar::Text("true"));
    }
}
