//! axe-core, the accessibility checker of Deque, from the npm registry: fetched once by npm, proved by its digest, kept in the cache.

use crate::cache;
use crate::error::{LabError, LabResult};
use crate::needs;
use crate::program::{program, run};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Its release.
pub const AXE: &str = "4.14.1";
/// SHA-256 of its package.
const PACKAGE: &str = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745";

/// Its text, for a page. Needs npm the first time.
///
/// # Errors
/// When it cannot be fetched, or is not what was expected.
pub fn axe() -> LabResult<String> {
    let path = cache::folder().join(format!("axe-core-{AXE}-{}", &PACKAGE[..16]));
    cache::made(&path, |beside| {
        needs::npm()?;
        std::fs::create_dir_all(beside).map_err(LabError::at("making", beside))?;
        fetch(beside)
    })?;
    let file = path.join("axe.min.js");
    std::fs::read_to_string(&file).map_err(LabError::at("reading", &file))
}

fn fetch(at: &Path) -> LabResult<()> {
    let mut npm = program("npm", &["pack", "--silent", &format!("axe-core@{AXE}"), "--pack-destination"]);
    run(npm.arg(at).current_dir(at), "fetching axe-core")?;
    let package = at.join(format!("axe-core-{AXE}.tgz"));
    let found = hex::encode(Sha256::digest(std::fs::read(&package).map_err(LabError::at("reading", &package))?));
    if found != PACKAGE {
        let happened = format!("its SHA-256 is {found}, and not {PACKAGE}");
        return Err(LabError::new(
            "checking the package of axe-core",
            happened,
            "ask who changed it before you run it",
        ));
    }
    let name = package.to_string_lossy().into_owned();
    let mut tar = program("tar", &["-xzf", &name, "--strip-components=1", "-C"]);
    run(tar.arg(at).args(["package/axe.min.js", "package/LICENSE"]), "unpacking axe-core")?;
    std::fs::remove_file(&package).map_err(LabError::at("removing", &package))
}
