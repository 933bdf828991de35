//! A disk that is full in the middle: said clearly, nothing lost, and gone on with when there is room again.

use crate::ground::{FEW, Ground};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system, which is gone when this is dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn at(path: &Path, size: &str) -> Self {
        std::fs::create_dir_all(path).unwrap();
        let options = format!("size={size},mode=0700");
        let words = ["-t", "tmpfs", "-o", &options, "plinth-test"];
        assert!(Command::new("mount").args(words).arg(path).status().unwrap().success());
        Self(path.to_path_buf())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Leaves this much room.
fn fill(folder: &Path, room: u64) {
    let ballast = folder.join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    let _until_it_is_full = std::io::copy(&mut std::io::repeat(0), &mut file);
    let size = file.metadata().unwrap().len();
    file.set_len(size - room).unwrap();
}

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_full_disk_is_said_and_loses_nothing() {
    Ground::with("helm3", FEW, |ground| {
        let state = ground.path("state");
        let _mounted = Mounted::at(&state, "2m");
        // From no room at all to room for about half of a run.
        for room in [0, 8, 16, 32, 64] {
            fill(&state, room * 1024);
            let ran = ground.apply_site();
            let done = ran.exit == Some(0);
            eprintln!("{room} KiB: {:?}\n{}", ran.exit, ran.said);
            if !done {
                assert!(matches!(ran.exit, Some(1 | 4)), "{:?}\n{}", ran.exit, ran.said);
                ran.says("No space left");
            }
            std::fs::remove_file(state.join("ballast")).unwrap();
        }
        ground.apply_site().exits(0);
        ground.all_deployed();
        ground.plan_is_empty();
    });
}
