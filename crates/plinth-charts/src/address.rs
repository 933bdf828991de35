//! Addresses: how they are shown, and which host answers for a name.

use reqwest::Url;

/// An address as it may be shown: its query may hold a signature.
pub(crate) fn plain(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let _no_login_in_it = (url.set_username(""), url.set_password(None));
    url.to_string()
}

/// The host that answers for one that an address names: Docker's registry answers under another name than its images carry.
pub(crate) fn answering(host: &str) -> &str {
    if host == "docker.io" { "registry-1.docker.io" } else { host }
}
