//! Packages for tests.

use flate2::Compression;
use flate2::write::GzEncoder;
use plinth_model::Digest;
use std::io::Write as _;
use tar::{Builder, EntryType, Header};

/// A package that is written entry by entry.
pub(crate) struct Pack(Builder<GzEncoder<Vec<u8>>>);

impl Pack {
    pub(crate) fn new() -> Self {
        Self(Builder::new(GzEncoder::new(Vec::new(), Compression::fast())))
    }

    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name, EntryType::Regular, content)
    }

    /// With a name that the library would refuse to write.
    pub(crate) fn entry(mut self, name: &str, kind: EntryType, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(kind);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0.into_inner().unwrap().finish().unwrap()
    }
}

/// A small chart.
pub(crate) fn chart(name: &str, version: &str) -> Vec<u8> {
    let about = format!("apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: 1.10\n");
    Pack::new()
        .file(&format!("{name}/Chart.yaml"), about.as_bytes())
        .file(&format!("{name}/templates/a.yaml"), b"a: 1\n")
        .file(&format!("{name}/charts/sub/Chart.yaml"), b"name: sub\nversion: 9.9.9\n")
        .done()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Digest::of_bytes(bytes).as_str().to_owned()
}

/// Zeros, of which a gzip of little size is full.
pub(crate) fn bomb() -> Vec<u8> {
    let mut all = GzEncoder::new(Vec::new(), Compression::best());
    let mut header = Header::new_gnu();
    header.set_path("demo/zeros").unwrap();
    header.set_size(8 * 1024 * 1024 * 1024);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    all.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..110 {
        all.write_all(&zeros).unwrap();
    }
    all.finish().unwrap()
}
