//! The rules of registries and their mirrors.

use super::rules::{is_host_port, refuse_address_unless, short, text_type};
use super::text::{Refusal, Rule};
use plinth_model::finding::code;

text_type!(
    /// Host of a registry, as images carry it.
    RegistryHost, "a registry host", "docker.io", r"^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$",
    |text| check_registry(text)
);
text_type!(
    /// A container image with its registry.
    ImageName, "a container image", "docker.io/library/busybox:1.36.1", r"^[a-z0-9.-]+(:[0-9]{1,5})?(/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$",
    |text| {
        refuse_address_unless(is_image(text), text, "a container image",
            "write it with its registry and a tag or digest: `docker.io/library/busybox:1.36.1`")
    }
);
text_type!(
    /// Address of a registry mirror.
    MirrorEndpoint, "the address of a mirror", "https://mirror.example.com", r"^https?://[^/\s]+(/[^\s]*)?$",
    |text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let (host, path) = rest.map_or((None, ""), |rest| rest.split_once('/').map_or((Some(rest), ""), |(host, path)| (Some(host), path)));
        let plain = !path.contains(|c: char| c.is_whitespace() || matches!(c, '?' | '#' | '@' | '"' | '\\'));
        let fix = if rest.is_none() && is_host_port(text.split('/').next().unwrap_or_default()) {
            format!("write `https://{}`", short(text))
        } else {
            "write it like `https://mirror.example.com:5000`, or `https://mirror.example.com/v2/PROJECT`; ports go up to 65535".to_owned()
        };
        refuse_address_unless(host.is_some_and(is_host_port) && plain, text, "the address of a mirror", &fix)
    }
);

text_type!(
    /// Address of a mirror of charts: a repository with an index, or a registry.
    ChartMirror, "the address of a mirror of charts", "https://mirror.example.com/charts",
    r"^(https|oci)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$",
    |text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("oci://"));
        let (host, path) = rest.map_or((None, ""), |rest| rest.split_once('/').map_or((Some(rest), ""), |(host, path)| (Some(host), path)));
        let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'-' | b'/'));
        refuse_address_unless(host.is_some_and(is_host_port) && plain, text, "the address of a mirror of charts",
            "write `https://HOST/PATH` of a repository with an index.yaml, or `oci://HOST/PATH` of a registry")
    }
);

text_type!(
    /// SHA-256 of a file.
    Sha256, "a SHA-256", "0000000000000000000000000000000000000000000000000000000000000000", r"^(sha256:)?[0-9A-Fa-f]{64}$",
    |text| {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let right = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        refuse_address_unless(right, text, "a SHA-256", "write the 64 digits that `sha256sum FILE` prints")
    }
);

/// Names under which people know registries, and the name that images carry. containerd asks a mirror by the image's name
/// (containerd documentation, `hosts.md`).
const ALIASES: [(&str, &str); 12] = [
    ("registry-1.docker.io", "docker.io"),
    ("index.docker.io", "docker.io"),
    ("hub.docker.com", "docker.io"),
    ("registry.hub.docker.com", "docker.io"),
    ("registry.docker.io", "docker.io"),
    ("auth.docker.io", "docker.io"),
    ("docker.com", "docker.io"),
    ("www.docker.com", "docker.io"),
    ("k8s.gcr.io", "registry.k8s.io"),
    ("gcr.io.k8s.io", "registry.k8s.io"),
    ("kubernetes.io", "registry.k8s.io"),
    ("ngc.nvidia.com", "nvcr.io"),
];

/// The name that images carry, and why the text is not it; none when it is.
fn named_otherwise(text: &str) -> Option<(String, &'static str)> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default().trim_end_matches('.').to_lowercase();
    let host = host.strip_suffix(":443").unwrap_or(&host).to_owned();
    if let Some((alias, name)) = ALIASES.iter().find(|(alias, _)| *alias == host) {
        let why = if *alias == "k8s.gcr.io" { "that registry is gone" } else { "no image carries that name" };
        return Some(((*name).to_owned(), why));
    }
    let why = if rest != text {
        return None;
    } else if rest.contains(|c: char| c.is_ascii_uppercase()) {
        "names of registries are in lower case"
    } else if rest.ends_with(":443") {
        "images carry no port 443"
    } else {
        return None;
    };
    is_host_port(&host).then_some((host, why))
}

fn check_registry(text: &str) -> Result<(), Refusal> {
    if !text.contains('@')
        && let Some((name, why)) = named_otherwise(text)
    {
        let message = format!("no image is pulled from `{}`: {why}", short(text));
        return Err(Refusal::new(message, format!("write `{name}`, as images begin")).code(code::SITE_REGISTRY_NAME));
    }
    refuse_address_unless(
        is_host_port(text),
        text,
        "a registry host",
        "write it without scheme and path, like `docker.io`",
    )
}

/// A registry, a path, and a tag or a digest. Without a registry the nodes' container runtime would ask another one than people expect.
fn is_image(text: &str) -> bool {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    let Some((host, rest)) = name.split_once('/') else { return false };
    let (path, tag) = rest.rsplit_once(':').map_or((rest, None), |(path, tag)| (path, Some(tag)));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
    let is_path = !path.is_empty() && !path.split('/').any(str::is_empty) && path.chars().all(plain);
    let in_tag = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_tag = tag.is_none_or(|tag| !tag.is_empty() && tag.len() <= 128 && tag.chars().all(in_tag));
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let is_sha256 =
        |digest: &str| digest.strip_prefix("sha256:").is_some_and(|hash| hash.len() == 64 && hash.chars().all(hex));
    let is_host = (host.contains(['.', ':']) || host == "localhost") && is_host_port(host);
    is_host && is_path && is_tag && digest.is_none_or(is_sha256) && (tag.is_some() || digest.is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_that_no_image_carries_is_refused_with_the_one_that_they_do() {
        let cases = [
            ("registry-1.docker.io", "docker.io"),
            ("index.docker.io", "docker.io"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("hub.docker.com", "docker.io"),
            ("registry-1.docker.io:443", "docker.io"),
            ("Docker.io", "docker.io"),
            ("docker.io:443", "docker.io"),
            ("k8s.gcr.io", "registry.k8s.io"),
            ("Mirror.Example.com:5000", "mirror.example.com:5000"),
        ];
        for (text, name) in cases {
            let refusal = RegistryHost::read(text).unwrap_err();
            assert_eq!(refusal.code, code::SITE_REGISTRY_NAME, "{text}");
            assert!(refusal.fix.contains(&format!("`{name}`")), "{text}: {}", refusal.fix);
        }
        for good in [
            "docker.io",
            "registry.k8s.io",
            "quay.io",
            "gcr.io",
            "us-docker.pkg.dev",
            "nvcr.io",
            "mirror.example.com:5000",
            "localhost:5000",
        ] {
            assert!(RegistryHost::read(good).is_ok(), "{good}");
        }
        assert_eq!(RegistryHost::read("https://mirror.example.com").unwrap_err().code, code::SITE_WRONG_VALUE);
    }

    #[test]
    fn an_image_says_where_it_comes_from_and_which_it_is() {
        let digest = format!("nvcr.io/nvidia/cuda@sha256:{}", "a".repeat(64));
        for good in [ImageName::EXAMPLE, "localhost:5000/a:1", "registry.example.com:5000/team/a_b/c:v1.2-x", &digest] {
            assert!(ImageName::read(good).is_ok(), "{good}");
        }
        for bad in [
            "busybox",
            "busybox:1",
            "library/busybox:1",
            "docker.io/busybox",
            "docker.io//a:1",
            "docker.io/A:1",
            "docker.io/a:",
            "docker.io/a:1 x",
            "docker.io/a@sha256:12",
            "https://docker.io/a:1",
        ] {
            assert!(ImageName::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn charts_come_over_tls_and_their_address_has_no_login() {
        for good in
            [ChartMirror::EXAMPLE, "https://m", "oci://m.example.com:5000/charts/", "oci://[fd00::1]:5000/a-b_c.d"]
        {
            assert!(ChartMirror::read(good).is_ok(), "{good}");
        }
        for bad in [
            "http://m",
            "m.example.com/charts",
            "https://",
            "oci://m/a b",
            "https://m/a?x=1",
            "oci://m/a:1.0",
            "https://m:0/x",
        ] {
            assert_eq!(ChartMirror::read(bad).unwrap_err().code, code::SITE_WRONG_VALUE, "{bad}");
        }
        for bad in ["https://u:hunter2@m/charts", "oci://u:hunter2@m/charts", "u:hunter2@m"] {
            let refusal = ChartMirror::read(bad).unwrap_err();
            assert_eq!(refusal.code, code::SITE_LOGIN_IN_ADDRESS, "{bad}");
            assert!(!refusal.message.contains("hunter2"), "{}", refusal.message);
        }
    }

    #[test]
    fn the_address_of_a_mirror_has_no_login_and_no_question() {
        assert!(MirrorEndpoint::read(MirrorEndpoint::EXAMPLE).is_ok());
        for bad in ["ftp://m", "https://", "https://m/a b", "https://m/v2/a?x=1", "https://u:p@m/v2"] {
            assert!(MirrorEndpoint::read(bad).is_err(), "{bad}");
        }
    }
}
