//! Files of a catalog: read from a folder or from the binary, and decoded with the place of what does not fit.

use crate::CatalogError;
use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Name below the catalog's folder to content. Only data: `.yaml` and `.txt`.
pub(crate) type Files = BTreeMap<String, String>;

pub(crate) fn embedded() -> Result<Files, CatalogError> {
    static CATALOG: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../catalog");
    let mut files = Files::new();
    let mut folders = vec![&CATALOG];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files().filter(|file| is_data(file.path())) {
            let name = name_of(file.path());
            let text = file.contents_utf8().ok_or_else(|| CatalogError::content(&name, "not UTF-8"))?;
            files.insert(name, text.to_owned());
        }
    }
    Ok(files)
}

pub(crate) fn folder(root: &Path) -> Result<Files, CatalogError> {
    let failed = |path: &Path, error: std::io::Error| CatalogError::Read {
        file: path.display().to_string(),
        happened: error.to_string(),
    };
    let mut files = Files::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| failed(&folder, error))? {
            let path = entry.map_err(|error| failed(&folder, error))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_data(&path) {
                let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
                files.insert(name_of(path.strip_prefix(root).unwrap_or(&path)), text);
            }
        }
    }
    Ok(files)
}

fn is_data(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "txt")
}

/// With `/` on every system, so that digests agree.
fn name_of(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

pub(crate) fn decode<T: DeserializeOwned>(files: &Files, name: &str) -> Result<T, CatalogError> {
    let text = files.get(name).ok_or_else(|| CatalogError::content(name, "is missing"))?;
    let value: Value = serde_saphyr::from_str(text)
        .map_err(|error| CatalogError::Yaml { file: name.to_owned(), happened: error.to_string() })?;
    serde_path_to_error::deserialize(value).map_err(|error| CatalogError::Shape {
        file: name.to_owned(),
        path: error.path().to_string(),
        happened: error.into_inner().to_string(),
    })
}
