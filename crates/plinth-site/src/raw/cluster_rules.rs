//! The rules of single texts of the cluster: quantities, gates, proxies, issuers, certificates.

use super::rules::{is_host, is_host_port, network, refuse_address_unless, refuse_unless, short, text_type};
use super::text::{Refusal, Rule};
use plinth_model::finding::code;
use std::net::Ipv4Addr;

text_type!(
    /// An amount as Kubernetes writes it.
    Quantity, "an amount", "4Gi", r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$",
    |text| refuse_unless(is_quantity(text), text, "an amount", "write it like `500m`, `2`, `512Mi` or `4Gi`")
);
text_type!(
    /// Name of a feature gate.
    FeatureGate, "the name of a feature gate", "InPlacePodVerticalScaling", "^[A-Z][A-Za-z0-9]{0,79}$",
    |text| refuse_unless(is_gate(text), text, "the name of a feature gate",
        "write it as Kubernetes does, like `InPlacePodVerticalScaling`")
);
text_type!(
    /// `http://host[:port]` of a proxy.
    ProxyAddress, "the address of a proxy", "http://proxy.example.com:3128", r"^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$",
    |text| refuse_address_unless(web_host(text).is_some_and(|(host, path)| is_host_port(host) && path.is_empty()), text,
        "the address of a proxy", "write it like `http://proxy.example.com:3128`")
);
text_type!(
    /// A folder of a web server.
    FilesAddress, "the address of a mirror of files", "https://mirror.example.com/files", r"^https?://[^/\s@]+(/[^\s]*)?$",
    |text| refuse_address_unless(
        web_host(text).is_some_and(|(host, path)| is_host_port(host) && !path.contains(char::is_whitespace)), text,
        "the address of a mirror of files", "write it like `https://mirror.example.com/files`")
);
text_type!(
    /// Address of an issuer of tokens.
    IssuerAddress, "the https address of an issuer", "https://login.example.com/realms/people",
    r"^https://[^/\s@?#]+(/[^\s?#]*)?$",
    |text| refuse_address_unless(
        text.starts_with("https://") && !text.contains(['?', '#'])
            && web_host(text).is_some_and(|(host, path)| is_host_port(host) && !path.contains(char::is_whitespace)),
        text, "the https address of an issuer", "write it exactly as it stands in tokens, like `https://login.example.com/realms/people`")
);
text_type!(
    /// What is reached without a proxy.
    NoProxy, "a host, a domain or a network", ".example.com", r"^\.?[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5}|/[0-9]{1,2})?$",
    |text| refuse_unless(is_no_proxy(text), text, "a host, a domain or a network",
        "write `host.example.com`, `.example.com` or `192.0.2.0/24`")
);
text_type!(
    /// A certificate as PEM text.
    Pem, "a certificate as PEM text", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    r"^\s*-----BEGIN CERTIFICATE-----",
    |text| check_pem(text)
);

/// Host with port, and what stands behind it.
fn web_host(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    Some((host, path))
}

fn is_quantity(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let units = ["", "m", "k", "Ki", "M", "Mi", "G", "Gi", "T", "Ti", "P", "Pi"];
    units.contains(&unit)
        && number.parse::<f64>().is_ok_and(|amount| amount > 0.0)
        && number.bytes().next().is_some_and(|b| b.is_ascii_digit())
        && number.bytes().next_back().is_some_and(|b| b.is_ascii_digit())
}

fn is_gate(text: &str) -> bool {
    text.len() <= 80
        && text.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_no_proxy(text: &str) -> bool {
    let host = text.strip_prefix('.').unwrap_or(text);
    network(text).is_some() || text.parse::<Ipv4Addr>().is_ok() || is_host(host) || is_host_port(host)
}

fn check_pem(text: &str) -> Result<(), Refusal> {
    if text.contains("PRIVATE KEY") {
        let fix = "remove the key, and take it for known to others; only the authority's certificate belongs here";
        return Err(Refusal::new("a private key stands here", fix).code(code::SITE_PRIVATE_KEY));
    }
    let whole = text.trim();
    let framed = whole.starts_with("-----BEGIN CERTIFICATE-----") && whole.ends_with("-----END CERTIFICATE-----");
    refuse_unless(
        framed,
        &short(text),
        "a certificate as PEM text",
        "paste the file's text behind `authority: |`, indented",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn takes<T: Rule>(good: &[&str], bad: &[&str]) {
        assert!(T::read(T::EXAMPLE).is_ok(), "{}", T::WHAT);
        good.iter().for_each(|text| assert!(T::read(text).is_ok(), "{}: {text}", T::WHAT));
        bad.iter().for_each(|text| assert!(T::read(text).is_err(), "{}: {text}", T::WHAT));
    }

    #[test]
    fn texts_of_the_cluster_obey_their_rules() {
        takes::<Quantity>(&["500m", "2", "0.5", "512Mi"], &["", "Mi", "1.", ".5", "-1", "4 Gi", "4GB", "0"]);
        takes::<FeatureGate>(&["A1"], &["a", "", "A=true", "A b"]);
        takes::<ProxyAddress>(&["https://p:1/"], &["p:3128", "http://u:p@p:3128", "http://p:99999", "http://p/x"]);
        takes::<FilesAddress>(&["http://10.0.0.1:8080"], &["ftp://m", "https://u@m/x", "https://m/a b"]);
        takes::<IssuerAddress>(&["https://a.b/c/"], &["http://a.b", "https://a.b/?c", "https://u@a.b"]);
        takes::<NoProxy>(&["10.0.0.0/8", "a.b", "a.b:80", "localhost"], &["http://a", "a b", "", "*.a/"]);
        takes::<Pem>(&[], &["MIIB", "-----BEGIN CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----\nx\n"]);
    }

    #[test]
    fn a_private_key_is_named_as_one() {
        let text = "-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\nabc\n-----END CERTIFICATE-----";
        let refusal = Pem::read(text).map(|_| ()).unwrap_err();
        assert!(refusal.code == "site.private-key" && !refusal.message.contains("abc"));
    }
}
