//! A login for one host.

use crate::address::answering;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plinth_model::Secret;
use plinth_model::text::host_of;
use reqwest::Url;
use reqwest::header::HeaderValue;

/// A user name and a password, and the one host that they are for.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    /// Host in lower case, and port.
    host: String,
    username: String,
    password: Secret,
}

impl Login {
    /// For a registry or a repository, as a site file or the vendor writes it: with or without scheme and path.
    pub(crate) fn new(place: &str, username: &str, password: Secret) -> Self {
        let host = host_of(place).to_lowercase();
        Self { host: with_port(answering(&host)), username: username.to_owned(), password }
    }

    /// Whether an address is on its host. Nothing without TLS is.
    pub(crate) fn is_for(&self, url: &Url) -> bool {
        let host = url.host_str().map(str::to_lowercase);
        let place = host.zip(url.port_or_known_default()).map(|(host, port)| format!("{host}:{port}"));
        url.scheme() == "https" && place.is_some_and(|place| place == self.host)
    }

    /// As a header, marked so that it is printed nowhere; none when the two cannot stand in one.
    pub(crate) fn basic(&self) -> Option<HeaderValue> {
        let text = STANDARD.encode(format!("{}:{}", self.username, self.password.expose()));
        sensitive(&format!("Basic {text}"))
    }
}

/// A header that is printed nowhere.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn with_port(host: &str) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) && !host.ends_with(']');
    if has_port { host.to_owned() } else { format!("{host}:443") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_for_its_host_and_port_over_tls_and_nobody_else() {
        let login = |place: &str| Login::new(place, "user", Secret::new("pw".into()));
        let url = |text: &str| Url::parse(text).unwrap();
        for (place, good) in [
            ("https://Charts.example.com/path", "https://charts.example.com/x"),
            ("charts.example.com", "https://CHARTS.example.com:443/"),
            ("charts.example.com:8443/project", "https://charts.example.com:8443/v2/"),
            ("[fd00::1]", "https://[fd00::1]/x"),
            ("[fd00::1]:5000", "https://[fd00::1]:5000/x"),
            ("docker.io", "https://registry-1.docker.io/v2/"),
            ("oci://Docker.io/org", "https://registry-1.docker.io/v2/org/chart/manifests/1.0.0"),
        ] {
            assert!(login(place).is_for(&url(good)), "{place}");
        }
        for bad in [
            "http://charts.example.com/",
            "https://charts.example.com:8443/",
            "https://charts.example.com.evil.example/",
            "https://evil.example/charts.example.com",
            "https://sub.charts.example.com/",
        ] {
            assert!(!login("https://charts.example.com").is_for(&url(bad)), "{bad}");
        }
    }
}
