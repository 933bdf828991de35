//! What a server wants of whoever asks without a login (RFC 9110, 11.6.1; the token protocol of registries, distribution
//! specification, "Token Authentication").

use reqwest::Url;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// A way to prove oneself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User name and password.
    Basic,
    /// A token, which another place gives.
    Bearer {
        /// That place.
        realm: String,
        /// Whom the token is for.
        service: Option<String>,
        /// What it is for.
        scope: Option<String>,
    },
}

impl Challenge {
    /// All challenges of an answer that we know how to meet, tokens first: a registry that gives tokens takes a password only there.
    pub(crate) fn of(headers: &HeaderMap) -> Vec<Self> {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok());
        let mut found: Vec<Self> = texts.filter_map(Self::parse).collect();
        found.sort_by_key(|challenge| *challenge == Self::Basic);
        found
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let get =
            |name: &str| parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
        Some(Self::Bearer { realm: get("realm")?, service: get("service"), scope: get("scope") })
    }

    /// Where a token is asked for; none when the realm is no address with TLS.
    pub(crate) fn token_url(&self) -> Option<Url> {
        let Self::Bearer { realm, service, scope } = self else { return None };
        let mut url = Url::parse(realm).ok().filter(|url| url.scheme() == "https" && url.has_host())?;
        let _no_login_in_it = (url.set_username(""), url.set_password(None));
        for (key, value) in [("service", service), ("scope", scope)] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(key, value);
            }
        }
        Some(url)
    }
}

/// `key="value", key=value`; commas and escapes may stand in quotes.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',']);
    while let Some((key, behind)) = rest.split_once('=') {
        let (value, left) = match behind.strip_prefix('"') {
            Some(quoted) => in_quotes(quoted),
            None => {
                let end = behind.find(',').unwrap_or(behind.len());
                (behind.get(..end).unwrap_or_default().trim().to_owned(), behind.get(end..).unwrap_or_default())
            }
        };
        found.push((key.trim().to_owned(), value));
        rest = left.trim_start_matches([' ', ',']);
    }
    found
}

/// The text up to the closing quote, and what is behind it.
fn in_quotes(text: &str) -> (String, &str) {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, text.get(at + 1..).unwrap_or_default()),
            _ => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn of(texts: &[&'static str]) -> Vec<Challenge> {
        let mut headers = HeaderMap::new();
        for text in texts {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(text));
        }
        Challenge::of(&headers)
    }

    #[test]
    fn tokens_come_before_passwords_and_what_is_unknown_is_left_out() {
        let found = of(&[
            "Basic realm=\"registry\"",
            "Negotiate",
            "Bearer realm=\"https://auth.example.com/token?a=b\",service=\"registry, \\\"one\\\"\",scope=repository:a/b:pull",
        ]);
        assert_eq!(found.len(), 2);
        let url = found.first().unwrap().token_url().unwrap();
        let wanted = "https://auth.example.com/token?a=b&service=registry%2C+%22one%22&scope=repository%3Aa%2Fb%3Apull";
        assert_eq!(url.as_str(), wanted);
        assert_eq!(found.last(), Some(&Challenge::Basic));
    }

    #[test]
    fn a_token_is_asked_for_over_tls_only_and_a_broken_challenge_is_none() {
        assert_eq!(of(&["Bearer realm=\"http://auth.example.com/token\""]).first().unwrap().token_url(), None);
        assert_eq!(of(&["Bearer realm=\"token\""]).first().unwrap().token_url(), None);
        let url = of(&["bearer realm=\"https://u:p@auth.example.com/\""]).first().unwrap().token_url().unwrap();
        assert_eq!(url.as_str(), "https://auth.example.com/");
        for broken in ["Bearer service=\"x\"", "Bearer realm", "Bearer", ""] {
            assert_eq!(of(&[broken]), [], "{broken}");
        }
    }
}
