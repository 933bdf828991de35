//! What may be written over: in a place that people name, only a file of the kind that plinth would write there.

use plinth_model::Problem;
use plinth_world::{files, output};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::io::Read as _;
use std::path::Path;

/// Refuses to write over a file that plinth did not write: a site file named by mistake must not be lost. `ours` judges what is there.
/// What is no plain file is not looked at: nothing in it is lost.
///
/// # Errors
/// When the file is there, holds something, and that is not ours; when it is a symbolic link to a file, or to where none is yet.
pub fn replaceable(file: &Path, ours: impl Fn(&Path) -> bool) -> Result<(), Problem> {
    if output::is_link(file) {
        return Err(Problem::while_doing("writing over")
            .to(file.display())
            .wrong_input("it is a symbolic link, and nothing is written through one")
            .try_this("name the file that it leads to, or move the link away"));
    }
    let holds = std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.len() > 0);
    if !holds || ours(file) {
        return Ok(());
    }
    Err(Problem::while_doing("writing over")
        .to(file.display())
        .wrong_input("the file is there already and is not of the kind that would be written; it was left alone")
        .try_this("name another file, or move this one away"))
}

/// Whether the file holds a plan, of any version.
#[must_use]
pub fn is_plan(file: &Path) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "that they are there is what counts")]
    struct Plan {
        schema: u32,
        hash: String,
        site: String,
        made_from: IgnoredAny,
        steps: Vec<IgnoredAny>,
    }
    holds::<Plan>(file)
}

/// Whether the file holds a recorded inventory, of any version.
#[must_use]
pub fn is_inventory(file: &Path) -> bool {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "that they are there is what counts")]
    struct Inventory {
        schema: u32,
        source: String,
        nodes: Vec<IgnoredAny>,
        networks: Vec<IgnoredAny>,
        categories: Vec<IgnoredAny>,
    }
    holds::<Inventory>(file)
}

fn holds<T: DeserializeOwned>(file: &Path) -> bool {
    files::read_up_to(file, plinth_plan::saved::LARGEST).is_ok_and(|bytes| serde_json::from_slice::<T>(&bytes).is_ok())
}

/// Whether the file holds events of a run: its first line is the first event, or the half of it that a killed process left.
#[must_use]
pub fn is_events(file: &Path) -> bool {
    let mut start = Vec::new();
    let read = std::fs::File::open(file).and_then(|opened| opened.take(4096).read_to_end(&mut start));
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = b"\"event\":\"run.started\"";
    let is_first = line == start || line.windows(first.len()).any(|part| part == first);
    read.is_ok() && line.starts_with(b"{\"seq\":") && is_first
}
