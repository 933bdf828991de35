//! Which storage classes are the default of a cluster that was there before, as they were seen last, kept in the state directory: a plan
//! that looks at nothing is made with what is known.

use plinth_model::{DefaultClass, Problem};
use plinth_world::files;
use std::path::Path;

const FILE: &str = "storage-classes.json";
/// Largest file that is read, bytes. A class is some 200 bytes, and a cluster should have one.
const LARGEST: usize = 1024 * 1024;

/// Those of an earlier look. None are no error, broken ones are: they decide which class is the default.
pub(crate) fn read(directory: &Path) -> Result<Vec<DefaultClass>, Problem> {
    let file = directory.join(FILE);
    if !file.exists() {
        return Ok(Vec::new());
    }
    let broken = |error: &dyn std::fmt::Display| {
        Problem::while_doing("reading the storage classes of an earlier look")
            .to(file.display())
            .wrong_input(error)
            .try_this("remove the file: the cluster is asked again")
    };
    let bytes = files::read_up_to(&file, LARGEST).map_err(|error| broken(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| broken(&error))
}

/// Keeps what was just seen, unless that is known.
pub(crate) fn keep(directory: &Path, seen: &[DefaultClass]) -> Result<(), Problem> {
    let file = directory.join(FILE);
    if read(directory)? == seen {
        return Ok(());
    }
    let failed = |error: &dyn std::fmt::Display| {
        let attempt = "free some space, or choose another folder with `--state DIR`";
        Problem::while_doing("keeping the storage classes").to(file.display()).wrong_input(error).try_this(attempt)
    };
    let text = serde_json::to_vec_pretty(seen).map_err(|error| failed(&error))?;
    files::write_whole(&file, &text).map_err(|error| failed(&error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_kept_and_broken_ones_are_told() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(directory.path()).unwrap(), []);
        let seen = [DefaultClass { name: "nfs".to_owned(), release: None }];
        keep(directory.path(), &seen).unwrap();
        assert_eq!(read(directory.path()).unwrap(), seen);
        keep(directory.path(), &[]).unwrap();
        assert_eq!(read(directory.path()).unwrap(), [], "the mark was taken away");
        std::fs::write(directory.path().join(FILE), "{").unwrap();
        assert!(read(directory.path()).unwrap_err().to_string().contains("storage classes"));
    }
}
