//! DNS names: where the platform is reached, and what a certificate is for.

use crate::checked::{TextError, checked_text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

checked_text!(
    /// A DNS host name in lower case: no address, scheme or port. The issuer of tokens is compared letter by letter, so there is one way
    /// to write it.
    Domain,
    judge
);

impl Domain {
    const DOING: &'static str = "reading a domain";
}

const fn judge(text: &str) -> Result<(), (&'static str, &'static str)> {
    let text = text.as_bytes();
    if has(text, b'/') {
        return Err(("is a URL, not a host name", "write only the host, like `runai.example.com`"));
    }
    if has(text, b':') {
        return Err(("holds a port", "write only the host here, and the port under `runai.port`"));
    }
    if is_address(text) {
        return Err((
            "is an address; certificates and single sign-on need a name",
            "write a DNS name that resolves to it",
        ));
    }
    if has_upper_case(text) {
        return Err((
            "has upper-case letters",
            "write it in lower case: the issuer of tokens is compared letter by letter",
        ));
    }
    if is_this_machine(text) {
        return Err(("means every machine itself", "write the name by which people and nodes reach the platform"));
    }
    if !is_host(text) {
        return Err(("is not a DNS host name", "use letters, digits, dashes and dots, like `runai.example.com`"));
    }
    Ok(())
}

/// `localhost`, and what is below it (RFC 6761, section 6.3).
const fn is_this_machine(text: &[u8]) -> bool {
    const NAME: &[u8] = b"localhost";
    if text.len() < NAME.len() {
        return false;
    }
    let (before, last) = text.split_at(text.len() - NAME.len());
    let mut at = 0;
    while at < NAME.len() {
        if last[at] != NAME[at] {
            return false;
        }
        at += 1;
    }
    before.is_empty() || before[before.len() - 1] == b'.'
}

const fn has(text: &[u8], wanted: u8) -> bool {
    let mut at = 0;
    while at < text.len() {
        if text[at] == wanted {
            return true;
        }
        at += 1;
    }
    false
}

const fn has_upper_case(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        if text[at].is_ascii_uppercase() {
            return true;
        }
        at += 1;
    }
    false
}

/// Digits and dots only: an IPv4 address, or what nobody could tell from one. No top-level domain is a number (RFC 3696, section 2).
const fn is_address(text: &[u8]) -> bool {
    let (mut at, mut digits) = (0, false);
    while at < text.len() {
        if text[at] != b'.' && !text[at].is_ascii_digit() {
            return false;
        }
        digits |= text[at].is_ascii_digit();
        at += 1;
    }
    digits
}

/// Labels of 1 to 63 letters, digits and dashes, no dash at either end; 253 signs at most (RFC 1123).
const fn is_host(text: &[u8]) -> bool {
    if text.len() > 253 {
        return false;
    }
    let (mut at, mut length) = (0, 0);
    while at < text.len() {
        let byte = text[at];
        if byte == b'.' {
            if length == 0 || text[at - 1] == b'-' {
                return false;
            }
            length = 0;
        } else {
            let dash = byte == b'-';
            if !byte.is_ascii_alphanumeric() && !dash || dash && length == 0 || length == 63 {
                return false;
            }
            length += 1;
        }
        at += 1;
    }
    length > 0 && text[at - 1] != b'-'
}

/// One DNS entry that a certificate holds (subject alternative name), written `host` or `*.domain`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum CertificateName {
    /// Just this name: `runai.example.com`.
    Host(Domain),
    /// Every host right below a domain: `*.runai.example.com`.
    Below(Domain),
}

impl TryFrom<String> for CertificateName {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        match text.strip_prefix("*.") {
            Some(domain) => Domain::new(domain).map(Self::Below),
            None => Domain::new(&text).map(Self::Host),
        }
    }
}

impl From<CertificateName> for String {
    fn from(name: CertificateName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(domain) => write!(f, "{domain}"),
            Self::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{CertificateName, Domain};
    use crate::Problem;

    #[test]
    fn domains_are_names_in_lower_case_without_scheme_or_port() {
        for good in ["bcm-head-01.eth.cluster", "notlocalhost", "1a.example", "a.b-c.d", "xn--bcher-kva.example"] {
            assert_eq!(Domain::new(good).unwrap().as_str(), good);
        }
        let wrong = [
            ("https://a.b", "is a URL, not a host name"),
            ("localhost", "means every machine itself"),
            ("a.localhost", "means every machine itself"),
            ("a.b/", "is a URL, not a host name"),
            ("a.b:443", "holds a port"),
            ("10.0.0.1", "is an address; certificates and single sign-on need a name"),
            ("A.b", "has upper-case letters"),
            ("", "is not a DNS host name"),
            ("a..b", "is not a DNS host name"),
            (".a", "is not a DNS host name"),
            ("a.", "is not a DNS host name"),
            ("-a.b", "is not a DNS host name"),
            ("a-.b", "is not a DNS host name"),
            ("a.b-", "is not a DNS host name"),
            ("a_b.c", "is not a DNS host name"),
            ("*.a.b", "is not a DNS host name"),
        ];
        for (text, happened) in wrong {
            let error = Domain::new(text).unwrap_err();
            assert_eq!(error.happened, happened, "{text}");
            let problem = Problem::from(error);
            assert!(problem.doing == "reading a domain" && !problem.attempt.is_empty(), "{problem}");
        }
        assert!(Domain::new(&"a".repeat(63)).is_ok() && Domain::new(&"a".repeat(64)).is_err());
        assert!(Domain::new(&"a.".repeat(127)).is_err() && Domain::new(&format!("{}a", "a.".repeat(126))).is_ok());
        assert!(Domain::new(&format!("{}a", "a.".repeat(127))).is_err(), "254 signs and more are too many");
    }

    #[test]
    fn a_certificate_is_for_hosts_and_for_all_below_a_domain() {
        let names: Vec<CertificateName> = serde_json::from_str(r#"["a.test", "*.a.test"]"#).unwrap();
        let domain = Domain::fixed("a.test");
        assert_eq!(names, [CertificateName::Host(domain.clone()), CertificateName::Below(domain)]);
        assert_eq!(serde_json::to_string(&names).unwrap(), r#"["a.test","*.a.test"]"#);
        for bad in ["*", "*.", "*.*.a", "a.*.b", "10.0.0.1"] {
            assert!(CertificateName::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
