//! Which site a state directory belongs to, beyond its name: two sites of one name must never share keys, pins and journal.

use plinth_model::{Problem, amount};
use plinth_site::Site;
use plinth_site::desired::InventorySource;
use plinth_world::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The record's file.
const FILE: &str = "site.json";
/// Largest record that is read, bytes: a static inventory of 10,000 nodes is below 1 MiB.
const LARGEST: usize = 4 * 1024 * 1024;

/// What tells one site from another of the same name.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    schema: u32,
    /// The site's name; none in records of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The site file that was used last; none: it came from standard input.
    #[serde(default)]
    file: Option<PathBuf>,
    /// Where its nodes are listed: BCM's address; none: in the file itself.
    bcm: Option<String>,
    /// `name address` of the nodes of a static inventory.
    nodes: BTreeSet<String>,
}

impl Identity {
    fn of(site: &Site) -> Self {
        let file = site.file();
        let file = file.canonicalize().ok().filter(|file| file.is_file());
        let (bcm, nodes) = match &site.desired.inventory {
            InventorySource::Bcm(access) => (Some(access.endpoint.to_lowercase()), BTreeSet::new()),
            InventorySource::Static(nodes) => {
                (None, nodes.iter().map(|node| format!("{} {}", node.name, node.address)).collect())
            }
        };
        Self { schema: 1, name: Some(site.desired.name.to_string()), file, bcm, nodes }
    }

    /// The same file may have changed as it likes; another file is of the same site when it has the same BCM, or a node in common.
    fn is_same(&self, other: &Self) -> bool {
        let same_bcm = self.bcm.is_some() && self.bcm == other.bcm;
        (self.file.is_some() && self.file == other.file) || same_bcm || !self.nodes.is_disjoint(&other.nodes)
    }

    fn place(&self) -> String {
        self.file.as_ref().map_or_else(|| "standard input".to_owned(), |file| file.display().to_string())
    }

    fn source(&self) -> String {
        match &self.bcm {
            Some(endpoint) => format!("BCM {endpoint}"),
            None => format!("{} of its own", amount(self.nodes.len(), "node")),
        }
    }
}

/// Refuses a directory that another site of the same name uses.
///
/// # Errors
/// When it does, or when the record cannot be read.
pub fn same(directory: &Path, site: &Site) -> Result<(), Problem> {
    let Some(known) = read(directory)? else { return Ok(()) };
    let wanted = Identity::of(site);
    if known.is_same(&wanted) {
        return Ok(());
    }
    let name = &site.desired.name;
    let theirs = known.name.as_deref().unwrap_or(name.as_str());
    let relation =
        if theirs == name.as_str() { "another site of that name".to_owned() } else { format!("the site `{name}`") };
    Err(Problem::while_doing("opening the state directory")
        .to(directory.display())
        .wrong_input(format!(
            "it belongs to the site `{theirs}` of {} ({}), and {} is {relation} ({}); nothing was changed",
            known.place(),
            known.source(),
            wanted.place(),
            wanted.source()
        ))
        .try_this(format!(
            "give this site another `metadata.name`, or another folder with `--state DIR`; if it is the same site after all, remove {}",
            directory.join(FILE).display()
        )))
}

/// Records which site uses the directory, whose lock is held.
///
/// # Errors
/// When another site came first, or the record cannot be written.
pub(crate) fn keep(directory: &Path, site: &Site) -> Result<(), Problem> {
    same(directory, site)?;
    let identity = Identity::of(site);
    if read(directory)?.as_ref() == Some(&identity) {
        return Ok(());
    }
    let failed = |error: String| {
        Problem::while_doing("writing")
            .to(directory.join(FILE).display())
            .wrong_input(error)
            .try_this("see that the folder can be written")
    };
    let text = serde_json::to_string_pretty(&identity).map_err(|error| failed(error.to_string()))?;
    files::replace(&directory.join(FILE), text.as_bytes(), 0o600).map_err(|error| failed(error.to_string()))
}

fn read(directory: &Path) -> Result<Option<Identity>, Problem> {
    let path = directory.join(FILE);
    let failed = |error: String| {
        Problem::while_doing("reading")
            .to(path.display())
            .wrong_input(error)
            .try_this("remove this file if the folder belongs to this site; it only says which site file was used last")
    };
    let bytes = match files::read_up_to(&path, LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SITE: &str = include_str!("../../../../examples/static.yaml");

    fn site(folder: &Path, name: &str, change: (&str, &str)) -> Site {
        let file = folder.join(name);
        std::fs::write(&file, SITE.replace(change.0, change.1)).unwrap();
        plinth_site::load(&file).unwrap()
    }

    #[test]
    fn another_site_of_the_same_name_is_refused_with_both_files_and_the_same_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let first = site(folder.path(), "a.yaml", ("", ""));
        assert!(same(&state, &first).is_ok(), "a new directory is anybody's");
        keep(&state, &first).unwrap();
        let copy = site(folder.path(), "copy.yaml", ("v1.31.9", "v1.31.8"));
        assert!(same(&state, &copy).is_ok(), "a copy with another version is the same site");
        let other = site(folder.path(), "b.yaml", ("192.0.2.", "203.0.113."));
        let problem = same(&state, &other).unwrap_err();
        for part in ["a.yaml", "b.yaml"] {
            assert!(problem.happened.contains(part), "{problem}");
        }
        let moved = site(folder.path(), "a.yaml", ("192.0.2.", "203.0.113."));
        assert!(same(&state, &moved).is_ok(), "the same file may change as it likes");
    }
}
