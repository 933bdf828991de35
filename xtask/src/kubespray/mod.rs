//! Carries what a release of Kubespray knows into the catalog: the names of its variables, and the versions it can install.
//!
//! Ansible never reports an unknown variable, and a version that is not in the release's checksum tables fails in the middle of a
//! run; so both are carried as data and looked up before anything starts. Only names and versions are taken, and only from a tree
//! whose id is one of the pins of `catalog/kubespray.yaml`.

mod expression;
mod files;
mod names;
mod pins;
mod tables;

use crate::commands::{Failure, root};
use names::Names;
use pins::Pin;
use std::path::{Path, PathBuf};
use tables::Tables;

/// Where the data is kept.
const FOLDER: &str = "catalog/kubespray";

/// Reads checkouts and writes the data. Releases that are not given stay as they are.
pub(crate) fn run(sources: &[PathBuf]) -> Result<bool, Failure> {
    let (names_file, tables_file) = (root().join(FOLDER).join("names.txt"), root().join(FOLDER).join("versions.yaml"));
    let mut names = Names::parse(&text_or_empty(&names_file)?)?;
    let mut tables = Tables::parse(&text_or_empty(&tables_file)?)?;
    for source in sources {
        let pin = Pin::of(source)?;
        let found = names::read(source)?;
        println!("kubespray: {} ({}): {} names", pin.tag, pin.commit, found.len());
        tables.set(&pin, tables::read(source)?);
        names.set(&pin, found);
    }
    written(&names_file, &names.text())?;
    written(&tables_file, &tables.text())?;
    Ok(true)
}

fn text_or_empty(file: &Path) -> Result<String, Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(format!("reading {}: {error}", file.display())),
    }
}

fn written(file: &Path, text: &str) -> Result<(), Failure> {
    let told = |error: std::io::Error| format!("writing {}: {error}", file.display());
    std::fs::create_dir_all(root().join(FOLDER)).map_err(told)?;
    std::fs::write(file, text).map_err(told)
}
