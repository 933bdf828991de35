//! Which package index this machine is set up for: what pip and uv would ask when the site file names none.

use std::path::{Path, PathBuf};

/// The index of everybody who has set up no other.
pub const DEFAULT_INDEX: &str = "https://pypi.org/simple";
/// Largest file of settings that is looked into, bytes.
const LARGEST: usize = 256 * 1024;

/// The index, from the environment or from pip's files, as far as they are found.
#[must_use]
pub fn package_index() -> String {
    let by_environment = ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"];
    let given = by_environment.iter().find_map(|name| std::env::var(name).ok().filter(|url| !url.is_empty()));
    given.or_else(|| files().into_iter().find_map(|file| of_file(&file))).unwrap_or_else(|| DEFAULT_INDEX.to_owned())
}

/// Files of pip's settings, what counts most first (pip documentation, "Configuration").
fn files() -> Vec<PathBuf> {
    let of_user = std::env::var_os("HOME").map(PathBuf::from).into_iter();
    let of_user = of_user.flat_map(|home| [home.join(".config/pip/pip.conf"), home.join(".pip/pip.conf")]);
    let given = std::env::var_os("PIP_CONFIG_FILE").map(PathBuf::from);
    // pip reads no file at all then (pip documentation, `PIP_CONFIG_FILE`).
    if given.as_deref() == Some(Path::new("/dev/null")) {
        return Vec::new();
    }
    given.into_iter().chain(of_user).chain([PathBuf::from("/etc/pip.conf")]).collect()
}

fn of_file(file: &Path) -> Option<String> {
    let bytes = plinth_world::files::read_up_to(file, LARGEST).ok()?;
    index_url(&String::from_utf8_lossy(&bytes))
}

fn index_url(text: &str) -> Option<String> {
    let value = |line: &str| {
        let (name, value) = line.split_once('=')?;
        matches!(name.trim(), "index-url" | "index_url").then(|| value.trim().to_owned())
    };
    text.lines().find_map(value).filter(|url| !url.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_from_settings_of_pip() {
        let text = "[global]\ntimeout = 9\nindex-url = https://mirror.example.com/simple\n";
        assert_eq!(index_url(text).as_deref(), Some("https://mirror.example.com/simple"));
        assert_eq!(index_url("[global]\nextra-index-url = https://x\n"), None);
    }
}
