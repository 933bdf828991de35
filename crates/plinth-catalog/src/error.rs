//! What can be wrong with the catalog itself. The one inside the binary is tested, so people meet this with one of their own.

use plinth_model::Problem;

/// Why a catalog could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// A file or folder could not be read.
    #[error("{file}: {happened}")]
    Read {
        /// File or folder.
        file: String,
        /// What the system said.
        happened: String,
    },
    /// A file is not YAML, or uses a key twice.
    #[error("{file}: not readable as YAML: {happened}")]
    Yaml {
        /// Its name below the catalog's folder: `components/metallb.yaml`.
        file: String,
        /// What the parser said, with line and column.
        happened: String,
    },
    /// A value does not fit.
    #[error("{file}: {path}: {happened}")]
    Shape {
        /// As in [`CatalogError::Yaml`].
        file: String,
        /// Dotted path inside the file.
        path: String,
        /// What does not fit.
        happened: String,
    },
    /// Files that do not fit each other.
    #[error("{file}: {happened}")]
    Content {
        /// The one that is to be changed, as in [`CatalogError::Yaml`].
        file: String,
        /// What does not fit.
        happened: String,
    },
}

impl CatalogError {
    pub(crate) fn content(file: impl Into<String>, happened: impl Into<String>) -> Self {
        CatalogError::Content { file: file.into(), happened: happened.into() }
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        Problem::while_doing("reading the catalog")
            .wrong_input(error)
            .try_this("correct the file, or leave the built-in catalog in place")
    }
}
