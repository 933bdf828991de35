//! Style and scripts. They are part of the binary; their name says what is in them, so a browser may keep them for ever and never
//! mixes two releases.

use crate::answer::pack;
use flate2::Compression;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

const FILES: [(&str, &str, &str); 4] = [
    ("style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
    ("live.js", "text/javascript; charset=utf-8", include_str!("assets/live.js")),
    ("keys.js", "text/javascript; charset=utf-8", include_str!("assets/keys.js")),
    ("timeline.js", "text/javascript; charset=utf-8", include_str!("assets/timeline.js")),
];

/// A file.
pub(crate) struct Asset {
    name: &'static str,
    pub(crate) kind: &'static str,
    /// As it is.
    pub(crate) plain: &'static str,
    /// Packed with gzip.
    pub(crate) packed: Vec<u8>,
}

/// All files, and the digest of all that is in them.
struct Assets {
    digest: String,
    files: Vec<Asset>,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let mut all = Sha256::new();
    FILES.iter().for_each(|(name, _, text)| all.update(format!("{name} {} {text}", text.len())));
    let pack_one = |(name, kind, plain): &(&'static str, &'static str, &'static str)| Asset {
        name,
        kind,
        plain,
        packed: pack(plain.as_bytes(), Compression::best()),
    };
    let digest = hex::encode(all.finalize()).chars().take(12).collect();
    Assets { digest, files: FILES.iter().map(pack_one).collect() }
});

/// The address of a file. One digest for all, so that modules find each other beside them.
pub(crate) fn address(name: &str) -> String {
    format!("/assets/{}/{name}", ASSETS.digest)
}

/// A file by the end of its address: its digest and its name. Of another release there is none here.
pub(crate) fn find(digest: &str, name: &str) -> Option<&'static Asset> {
    if digest != ASSETS.digest {
        return None;
    }
    ASSETS.files.iter().find(|file| file.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_style_stay_small() {
        let size = |end: &str| -> usize {
            ASSETS.files.iter().filter(|file| file.name.ends_with(end)).map(|file| file.packed.len()).sum()
        };
        assert!(size(".js") <= 12 * 1024, "{} bytes of script", size(".js"));
        assert!(size(".css") <= 6 * 1024, "{} bytes of style", size(".css"));
    }

    #[test]
    fn nothing_in_them_asks_elsewhere() {
        for (name, _, text) in FILES {
            for sign in ["http://", "https://", "innerHTML", "eval(", "document.write", "insertAdjacentHTML"] {
                let ours = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!ours.contains(sign), "{name} has {sign}");
            }
        }
    }
}
