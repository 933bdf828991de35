//! What verbs write where `--out` says: never over a file that plinth did not write.

use clap::builder::{PathBufValueParser, TypedValueParser};
use flate2::read::GzDecoder;
use plinth_app::overwrite::replaceable;
use plinth_model::Problem;
use plinth_world::files;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How much of the beginning of a file is looked at.
const START: u64 = 4096;
/// What a trace begins with; plinth's name comes late in it.
const TRACE: &[u8] = br#"{"traceEvents":[{"ph":"M","name":"process_name","pid":1,"tid":0,"#;

/// Places for output: `-` is none, since a file of that name is never meant.
pub(crate) fn place() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|given| match given.to_str() {
        Some("-") => Err("it would be a file named `-`; standard output is `/dev/stdout`"),
        _ => Ok(given),
    })
}

/// Writes a file as a whole, over nothing that is not of the same kind; `kind` is what is written, for the message.
///
/// # Errors
/// When something else is there, or it cannot be written.
pub(crate) fn write(
    file: &Path,
    content: &[u8],
    mode: u32,
    kind: &'static str,
    ours: impl Fn(&Path) -> bool,
) -> Result<(), Problem> {
    replaceable(file, ours)?;
    files::replace(file, content, mode).map_err(|error| {
        Problem::while_doing(kind)
            .to(file.display())
            .wrong_input(error)
            .try_this("choose a folder that you can write to")
    })
}

/// Whether the file is an export of a run in the format of this one.
pub(crate) fn is_export(file: &Path, text: &str) -> bool {
    let start = start(File::open(file).ok());
    let begins_alike = start.get(..8).is_some_and(|begin| text.as_bytes().starts_with(begin));
    begins_alike && (start.starts_with(TRACE) || contains(&start, b"plinth"))
}

/// Whether the file is an archive of `plinth support`, whose files are in this folder.
pub(crate) fn is_archive(file: &Path, folder: &str) -> bool {
    start(File::open(file).ok().map(GzDecoder::new)).starts_with(format!("{folder}/").as_bytes())
}

/// Whether the file is a report of a run.
pub(crate) fn is_report(file: &Path) -> bool {
    contains(&start(File::open(file).ok()), br#"name="generator" content="plinth""#)
}

fn start(from: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read to there is judged by what came.
    let _some = from.map(|from| from.take(START).read_to_end(&mut bytes));
    bytes
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
