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
        // From no room at all to room for all of a run but its end.
        let mut broken_off = 0;
        for room in [0, 8, 32, 128, 144, 160, 176, 192] {
            fill(&state, room * 1024);
            let _of_the_run_before = std::fs::remove_file(ground.path("events"));
            let ran = ground.apply_site();
            if ran.exit != Some(0) {
                eprintln!("with {room} KiB: {:?}\n{}", ran.exit, ran.said);
                assert_eq!(ran.exit, Some(4), "{}", ran.said);
                assert!(["disk is full", "No space left"].iter().any(|words| ran.said.contains(words)), "{}", ran.said);
                broken_off += usize::from(ground.events().iter().any(|record| record["event"] == "step.finished"));
            }
            std::fs::remove_file(state.join("ballast")).unwrap();
        }
        assert!(broken_off > 0, "no run was broken off in the middle");
        ground.apply_site().exits(0);
        ground.all_deployed();
        ground.plan_is_empty();
    });
}
