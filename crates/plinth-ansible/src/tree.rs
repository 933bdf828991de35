//! Git's tree id of a folder, recomputed from its files: SHA-1 over names, modes and contents. So a source without history (a
//! tarball, a copy) is proved to be the pinned one, and a changed file is seen.

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Deepest folder that is followed. Kubespray's deepest is 9.
const DEEPEST: usize = 40;
/// Largest file, bytes. Kubespray's largest is its table of checksums, under 1 MiB.
const LARGEST: usize = 64 * 1024 * 1024;

/// An object's id.
type Id = Vec<u8>;

/// The tree id in hexadecimal digits. History (`.git` at the top) and empty folders do not count, as in git.
///
/// # Errors
/// When something cannot be read, or is neither file, link nor folder.
pub(super) fn tree_id(folder: &Path) -> io::Result<String> {
    let id = tree(folder, 0)?.unwrap_or_else(|| object("tree", &[]));
    Ok(hex(&id))
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn object(kind: &str, content: &[u8]) -> Id {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("{kind} {}\0", content.len()).as_bytes());
    context.update(content);
    context.finish().as_ref().to_vec()
}

/// One line of a tree.
struct Line {
    /// Git sorts folders as if their names ended with a slash.
    order: Vec<u8>,
    mode: &'static str,
    name: OsString,
    id: Id,
}

fn tree(folder: &Path, depth: usize) -> io::Result<Option<Id>> {
    if depth > DEEPEST {
        return Err(io::Error::other(format!("{} is nested too deep", folder.display())));
    }
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if depth > 0 || entry.file_name() != ".git" {
            lines.extend(line(&entry, depth)?);
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    lines.sort_by(|a, b| a.order.cmp(&b.order));
    let mut content = Vec::new();
    for Line { mode, name, id, .. } in lines {
        content.extend_from_slice(mode.as_bytes());
        content.push(b' ');
        content.extend_from_slice(name.as_bytes());
        content.push(0);
        content.extend_from_slice(&id);
    }
    Ok(Some(object("tree", &content)))
}

fn line(entry: &DirEntry, depth: usize) -> io::Result<Option<Line>> {
    let (path, name, kind) = (entry.path(), entry.file_name(), entry.file_type()?);
    let mut order = name.as_bytes().to_vec();
    let (mode, id) = if kind.is_dir() {
        order.push(b'/');
        let Some(id) = tree(&path, depth + 1)? else { return Ok(None) };
        ("40000", id)
    } else if kind.is_symlink() {
        ("120000", object("blob", fs::read_link(&path)?.as_os_str().as_bytes()))
    } else if kind.is_file() {
        let program = entry.metadata()?.permissions().mode() & 0o100 != 0;
        (if program { "100755" } else { "100644" }, object("blob", &plinth_world::files::read_up_to(&path, LARGEST)?))
    } else {
        return Err(io::Error::other(format!("{} is neither file, link nor folder", path.display())));
    };
    Ok(Some(Line { order, mode, name, id }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The id that `git write-tree` gives for these files.
    #[test]
    fn the_id_is_gits() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(tree_id(folder.path()).unwrap(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "the empty tree");
        fs::create_dir_all(at("a/b")).unwrap();
        fs::create_dir_all(at("empty")).unwrap();
        fs::create_dir_all(at(".git")).unwrap();
        fs::write(at(".git/config"), "x").unwrap();
        fs::write(at("a/b/file"), "hello\n").unwrap();
        fs::write(at("a.txt"), "text").unwrap();
        fs::write(at("run"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(at("run"), fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("a.txt", at("link")).unwrap();
        let id = tree_id(folder.path()).unwrap();
        assert_eq!(id, TREE);
        fs::set_permissions(at("run"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_ne!(tree_id(folder.path()).unwrap(), id, "a mode is content");
    }

    const TREE: &str = "2cf2b7ef6812af0ca2fa48e7d3e423ace9e6e5a6";
}
