//! What a state directory must be: the user's own, closed to everybody else, with nothing in it that leads elsewhere. Keys are written
//! there, and files are replaced; whoever could prepare it would choose where.

use plinth_model::Problem;
use plinth_world::files;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Bits of a mode that let others write.
const WRITABLE: u32 = 0o022;
/// Bits of a mode that let others in.
const OPEN: u32 = 0o011;
/// Folders whose content decides whom plinth believes. What is below others came from somewhere else: sources, downloads.
const TRUSTED: [&str; 3] = ["secrets", "certificates", "host-keys"];
/// Folders below the state directory in which files are replaced, at most so deep.
const DEPTH: usize = 2;

/// Refuses a directory that others can write, or in which something is no plain file or folder. One that is not there is fine.
///
/// # Errors
/// When that is so, or it cannot be looked into.
pub fn inspect(directory: &Path) -> Result<(), Problem> {
    let found = match fs::metadata(directory) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(directory, &error.to_string(), "check the folder given with `--state`")),
    };
    if !found.is_dir() {
        return Err(refused(directory, "it is no folder", "give a folder with `--state DIR`"));
    }
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own {
        let happened = format!("it belongs to user id {}, and this is user id {own}", found.uid());
        return Err(refused(directory, &happened, "give a folder of your own with `--state DIR`; nothing was changed"));
    }
    closed(directory, &found)?;
    let mut depth = |path: &Path, found: &Metadata| {
        let trusted = path.ancestors().any(|above| {
            above.parent() == Some(directory)
                && TRUSTED.iter().any(|name| above.file_name().is_some_and(|is| is == *name))
        });
        let deeper = found.is_dir() && trusted;
        if found.mode() & OPEN != 0 && deeper { closed(path, found).map(|()| deeper) } else { Ok(deeper) }
    };
    walk(directory, &mut depth)
}

/// Others may not write.
fn closed(directory: &Path, found: &Metadata) -> Result<(), Problem> {
    if found.mode() & WRITABLE == 0 {
        return Ok(());
    }
    let happened =
        format!("others may write into it (mode {:04o}): they could put keys and links there", found.mode() & 0o7777);
    let attempt = format!(
        "look at what is in it, then `chmod go-w {}`; or give another folder with `--state DIR`",
        directory.display()
    );
    Err(refused(directory, &happened, &attempt))
}

/// Looks at all entries, and into those folders of which `enter` says so.
fn walk(folder: &Path, enter: &mut impl FnMut(&Path, &Metadata) -> Result<bool, Problem>) -> Result<(), Problem> {
    let unreadable = |error: io::Error| refused(folder, &error.to_string(), "check the folder given with `--state`");
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            // A run is on, and replaced it just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(error)),
        };
        if !found.is_file() && !found.is_dir() {
            let what = if found.is_symlink() { "a symbolic link" } else { "no plain file" };
            let attempt = "remove it, or give another folder with `--state DIR`; nothing was changed";
            return Err(refused(
                &path,
                &format!("it is {what}; a state directory holds plain files and folders"),
                attempt,
            ));
        }
        if enter(&path, &found)? {
            walk(&path, enter)?;
        }
    }
    Ok(())
}

fn refused(path: &Path, happened: &str, attempt: &str) -> Problem {
    Problem::while_doing("opening the state directory").to(path.display()).wrong_input(happened).try_this(attempt)
}

/// Removes half-written files that killed processes left: among them are hidden copies of keys. Only the holder of the site's lock may.
pub(crate) fn sweep(directory: &Path) {
    sweep_below(directory, DEPTH);
}

fn sweep_below(folder: &Path, depth: usize) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth > 0 {
            sweep_below(&entry.path(), depth - 1);
        } else if kind.is_file() && files::is_neighbour(&entry.file_name().to_string_lossy()) {
            // What cannot be removed now is tried again by the next run.
            let removed = fs::remove_file(entry.path());
            tracing::info!(path = %entry.path().display(), gone = removed.is_ok(), "half-written file of a killed process");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn refusal(directory: &Path) -> String {
        let problem = inspect(directory).unwrap_err();
        assert_eq!(problem.exit, plinth_model::Exit::Input);
        problem.happened
    }

    #[test]
    fn a_directory_that_others_can_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        inspect(&state).unwrap();
        fs::create_dir_all(state.join("secrets/more")).unwrap();
        fs::create_dir_all(state.join("kubespray/source")).unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for (bits, good) in [(0o700, true), (0o755, true), (0o775, false), (0o757, false), (0o1777, false)] {
            mode(&state, bits);
            assert_eq!(inspect(&state).is_ok(), good, "{bits:o}");
        }
        mode(&state, 0o755);
        mode(&state.join("kubespray"), 0o775);
        inspect(&state).unwrap();
        mode(&state.join("secrets/more"), 0o777);
        assert!(refusal(&state).contains("others may write"));
    }

    #[test]
    fn what_leads_elsewhere_or_waits_for_somebody_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("certificates/runai")).unwrap();
        fs::create_dir_all(at("kubespray/source")).unwrap();
        symlink("x", at("kubespray/source/link")).unwrap();
        inspect(folder.path()).unwrap();
        for name in ["rehearsal", "facts.json", "certificates/runai/ca.key", "secrets"] {
            symlink("/etc/passwd", at(name)).unwrap();
            assert!(refusal(folder.path()).contains("symbolic link"), "{name}");
            fs::remove_file(at(name)).unwrap();
            rustix::fs::mknodat(rustix::fs::CWD, at(name), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
                .unwrap();
            assert!(refusal(folder.path()).contains("no plain file"), "{name}");
            fs::remove_file(at(name)).unwrap();
        }
        let link = folder.path().with_extension("link");
        symlink(folder.path(), &link).unwrap();
        inspect(&link).unwrap();
        fs::remove_file(link).unwrap();
        assert!(refusal(Path::new("/dev/null")).contains("no folder"));
    }

    #[test]
    fn hidden_copies_are_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mark = "0123456789abcdef0123456789abcdef";
        fs::create_dir_all(folder.path().join("certificates/runai")).unwrap();
        for name in [".facts.json", "certificates/.x", "certificates/runai/.tls.key"] {
            fs::write(folder.path().join(format!("{name}.{mark}")), "k").unwrap();
        }
        let kept = [".profile", "certificates/runai/tls.key", "certificates/runai/.note"];
        kept.iter().for_each(|name| fs::write(folder.path().join(name), "k").unwrap());
        sweep(folder.path());
        let left =
            |folder: &Path| fs::read_dir(folder).unwrap().filter(|e| e.as_ref().unwrap().path().is_file()).count();
        assert!(kept.iter().all(|name| folder.path().join(name).exists()));
        assert_eq!(left(folder.path()) + left(&folder.path().join("certificates/runai")), kept.len());
        assert_eq!(left(&folder.path().join("certificates")), 0);
    }
}
