//! Signed tokens (JWT, RFC 7519), read without checking the signature: only to say what they are about.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// How every signed token begins: `{"` in Base64.
const BEGINNING: &str = "eyJ";

/// A claim of a token; none when it is no such token, or does not say.
pub(crate) fn claim(token: &str, name: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let mut claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get_mut(name).map(Value::take)
}

/// The text with everything that looks like a signed token taken out.
pub(crate) fn hidden(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(BEGINNING) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.=".contains(c))).unwrap_or(from.len());
        let (token, behind) = from.split_at(end);
        out.push_str(before);
        out.push_str(if token.len() > 20 { "[token]" } else { token });
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_and_nonsense_says_nothing() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"iss":"https://a","exp":7}"#);
        let token = format!("eyJhbGciOi.{payload}.c2ln");
        assert_eq!(claim(&token, "iss"), Some(Value::from("https://a")));
        assert_eq!(claim(&token, "exp"), Some(Value::from(7)));
        for nothing in [claim(&token, "aud"), claim("opaque", "iss"), claim("a.b.c", "iss"), claim("", "iss")] {
            assert_eq!(nothing, None);
        }
    }

    #[test]
    fn a_token_in_a_text_is_taken_out_whole() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.abc-_def";
        assert_eq!(hidden(&format!("bad token '{token}', and {token}")), "bad token '[token]', and [token]");
        assert_eq!(hidden("eyJ is how they begin"), "eyJ is how they begin");
    }
}
