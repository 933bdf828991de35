//! What is packed with gzip and tar, read with bounds: it comes from elsewhere. Helm's own rules are the measure (helm 3.18,
//! `pkg/chart/loader/archive.go`): no path leads out, what is inside is bounded.

use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use tar::EntryType;

/// What may be unpacked in all: of an archive, and of those inside it.
#[derive(Debug)]
pub struct Budget {
    most: u64,
    left: Cell<u64>,
    entries: Cell<usize>,
}

impl Budget {
    /// So many bytes, and so many entries.
    #[must_use]
    pub const fn of(bytes: u64, entries: usize) -> Self {
        Self { most: bytes, left: Cell::new(bytes), entries: Cell::new(entries) }
    }
}

/// A gzip stream, of however many members, unpacked. It ends with an error of the kind `FileTooLarge` where more comes than the budget
/// has left: a plain limit would look like the end of what is in it.
pub struct Unpacked<'a, R> {
    inner: MultiGzDecoder<R>,
    budget: &'a Budget,
}

impl<'a, R: Read> Unpacked<'a, R> {
    /// Nothing is read yet.
    pub fn new(packed: R, budget: &'a Budget) -> Self {
        Self { inner: MultiGzDecoder::new(packed), budget }
    }
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        let Some(left) = self.budget.left.get().checked_sub(read as u64) else {
            let happened = format!("it has more than {} MiB inside", self.budget.most >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, happened));
        };
        self.budget.left.set(left);
        Ok(read)
    }
}

/// A plain file in an archive.
pub struct PackedFile<'a> {
    /// Its path in the archive; it leads nowhere else.
    pub path: PathBuf,
    /// Bytes, as the archive says.
    pub size: u64,
    content: &'a mut dyn Read,
}

impl PackedFile<'_> {
    /// Its whole content.
    ///
    /// # Errors
    /// When it is longer than `most` bytes, or the archive is damaged or over its budget.
    pub fn bytes(&mut self, most: u64) -> io::Result<Vec<u8>> {
        if self.size > most {
            let happened = format!("{} in it is longer than {} MiB", self.path.display(), most >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, happened));
        }
        let mut bytes = Vec::new();
        self.content.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The same as text.
    ///
    /// # Errors
    /// As for [`Self::bytes`], and when it is no UTF-8.
    pub fn text(&mut self, most: u64) -> io::Result<String> {
        let bytes = self.bytes(most)?;
        let no_text =
            |_| io::Error::new(io::ErrorKind::InvalidData, format!("{} in it is no text", self.path.display()));
        String::from_utf8(bytes).map_err(no_text)
    }
}

/// Goes through the plain files of a packed archive, in its order, until `visit` fails.
///
/// # Errors
/// When it is damaged, over its budget, or holds a link, a device or a path that leads out of it; what `visit` says.
pub fn each_file<E: From<io::Error>>(
    packed: impl Read,
    budget: &Budget,
    mut visit: impl FnMut(PackedFile<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = tar::Archive::new(Unpacked::new(packed, budget));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let left = budget.entries.get().checked_sub(1).ok_or_else(|| invalid("it has too many files"))?;
        budget.entries.set(left);
        let (path, kind, size) = (entry.path()?.into_owned(), entry.header().entry_type(), entry.size());
        if !is_harmless(&path, kind) {
            return Err(invalid("it holds a link, a device, or a path that leads out of it").into());
        }
        if kind.is_file() || kind.is_contiguous() {
            visit(PackedFile { path, size, content: &mut entry })?;
        }
    }
    Ok(())
}

fn invalid(happened: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, happened)
}

fn is_harmless(path: &Path, kind: EntryType) -> bool {
    let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let known = matches!(
        kind,
        EntryType::Regular
            | EntryType::Continuous
            | EntryType::Directory
            | EntryType::XGlobalHeader
            | EntryType::XHeader
    );
    inside && known && !path.to_string_lossy().contains('\\')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    /// An archive, not packed yet.
    fn archive(files: &[(&str, EntryType, usize)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, kind, size) in files {
            let mut header = tar::Header::new_gnu();
            // As it stands: `set_path` refuses what this is about.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(*size as u64);
            header.set_cksum();
            archive.append(&header, vec![b'x'; *size].as_slice()).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn names(packed: &[u8], budget: &Budget) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        each_file(packed, budget, |mut file| {
            let long = file.bytes(1 << 20)?.len();
            names.push(format!("{} {long}", file.path.display()));
            Ok::<(), io::Error>(())
        })?;
        Ok(names)
    }

    #[test]
    fn files_are_found_also_when_the_stream_has_several_parts() {
        let whole = archive(&[
            ("a/", EntryType::Directory, 0),
            ("a/x", EntryType::Regular, 700),
            ("a/y", EntryType::Regular, 3),
        ]);
        let (one, other) = whole.split_at(1030);
        let packed = [gzip(one), gzip(other)].concat();
        assert_eq!(names(&packed, &Budget::of(1 << 20, 9)).unwrap(), ["a/x 700", "a/y 3"]);
    }

    #[test]
    fn a_budget_is_for_all_that_is_read_from_it() {
        let packed = gzip(&archive(&[("x", EntryType::Regular, 3000)]));
        let budget = Budget::of(7000, 9);
        names(&packed, &budget).unwrap();
        let error = names(&packed, &budget).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{error}");
        assert!(names(&packed, &Budget::of(7000, 0)).unwrap_err().to_string().contains("too many"));
        let long = gzip(&archive(&[("x", EntryType::Regular, (1 << 20) + 1)]));
        assert!(
            names(&long, &Budget::of(9 << 20, 9)).unwrap_err().to_string().contains("x in it is longer than 1 MiB")
        );
    }

    #[test]
    fn what_leads_out_or_is_cut_off_is_refused() {
        for (name, kind) in [
            ("/x", EntryType::Regular),
            ("a/../../x", EntryType::Regular),
            ("a\\..\\x", EntryType::Regular),
            ("x", EntryType::Symlink),
            ("x", EntryType::Link),
            ("x", EntryType::Fifo),
        ] {
            let error = names(&gzip(&archive(&[(name, kind, 0)])), &Budget::of(1 << 20, 9)).unwrap_err();
            assert!(error.to_string().contains("leads out"), "{name}: {error}");
        }
        let whole = gzip(&archive(&[("x", EntryType::Regular, 3000)]));
        assert!(names(&whole[..whole.len() / 2], &Budget::of(1 << 20, 9)).is_err());
        assert!(names(b"no archive", &Budget::of(1 << 20, 9)).is_err());
    }
}
