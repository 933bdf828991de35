//! What the page of runs is made from, and the page beside a run.

mod beside;
mod shelf;

pub(crate) use beside::PageBeside;
pub(crate) use shelf::Shelf;

use plinth_model::Problem;
use plinth_web::Token;
use plinth_world::{files, private_file};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What is in it. None: others may read it, or put a token of theirs there, so that it keeps nobody out.
fn read(file: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let is_writable = std::fs::metadata(file)?.permissions().mode() & 0o022 != 0;
    if is_writable || private_file::readable_by_others(file)? {
        Ok(None)
    } else {
        files::read_up_to(file, LARGEST).map(Some)
    }
}

/// Largest file that is read for a token, bytes.
const LARGEST: usize = 1024;

/// The token that is kept in a file, made when there is none; without a file a new one.
pub(crate) fn token(file: Option<&Path>) -> Result<Token, Problem> {
    let Some(file) = file else { return Token::new() };
    let doing = || Problem::while_doing("reading the token of the page").to(file.display());
    let failed =
        |error: std::io::Error| doing().wrong_input(error).try_this("give a file in a folder that you can write to");
    match read(file) {
        Ok(None) => {
            let fix = "remove it, for somebody may have read it: then a new token is made and kept there";
            Err(doing().wrong_input("others may read it, or write it").try_this(fix))
        }
        Ok(Some(bytes)) => Token::given(&String::from_utf8_lossy(&bytes)).map_err(|problem| problem.to(file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let token = Token::new()?;
            private_file::write(file, token.expose().as_bytes()).map_err(failed)?;
            Ok(token)
        }
        Err(error) => Err(failed(error)),
    }
}
