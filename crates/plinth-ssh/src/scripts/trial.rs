//! Runs a script in a directory that stands for a node: `root` is its prefix, and programs that ask or change the system are
//! replaced by ones that keep to the directory.

use crate::frame::{Decoder, Frames};
use crate::script::Script;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const NONCE: &str = "trial";

/// A directory that stands for a node.
pub(crate) struct Trial {
    dir: tempfile::TempDir,
}

impl Trial {
    /// With these programs: name and text.
    pub(crate) fn new(programs: &[(&str, &str)]) -> Self {
        let trial = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(trial.dir.path().join("bin")).unwrap();
        fs::create_dir(trial.dir.path().join("root")).unwrap();
        for (name, text) in programs {
            trial.program(name, text);
        }
        trial
    }

    /// Puts another program in place.
    pub(crate) fn program(&self, name: &str, text: &str) {
        let path = self.dir.path().join("bin").join(name);
        let root = self.root();
        fs::write(&path, format!("#!/bin/sh\nroot='{}'\n{text}\n", root.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The prefix.
    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// The prefix as a parameter.
    pub(crate) fn prefix(&self) -> String {
        self.root().to_str().unwrap().to_owned()
    }

    /// A file below the prefix, with its directories.
    pub(crate) fn file(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What a file says, nothing when it is not there.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_default()
    }

    /// A path below the prefix.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root().join(path.trim_start_matches('/'))
    }

    /// Permission bits.
    pub(crate) fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.at(path)).unwrap().mode() & 0o7777
    }

    /// Who runs the tests: uid and gid.
    pub(crate) fn me(&self) -> (u32, u32) {
        let meta = fs::metadata(self.dir.path()).unwrap();
        (meta.uid(), meta.gid())
    }

    /// Starts a script in a process group of its own.
    pub(crate) fn start(&self, script: &Script) -> Child {
        self.start_with("sh", script)
    }

    fn start_with(&self, shell: &str, script: &Script) -> Child {
        let path = format!("{}:{}", self.dir.path().join("bin").display(), std::env::var("PATH").unwrap());
        let mut child = Command::new(shell)
            .env("PATH", path)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let written = child.stdin.take().unwrap().write_all(script.render(NONCE).as_bytes());
        written.unwrap();
        child
    }

    /// Runs a script to its end.
    pub(crate) fn run(&self, script: &Script) -> Frames {
        self.run_with("sh", script)
    }

    /// Runs a script by this shell to its end.
    pub(crate) fn run_with(&self, shell: &str, script: &Script) -> Frames {
        let output = self.start_with(shell, script).wait_with_output().unwrap();
        let mut decoder = Decoder::new(NONCE);
        let frames = decoder.push(&output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let said_fail = frames.iter().any(|frame| frame.key == "fail");
        assert_eq!(decoder.status(), Some(i32::from(said_fail)), "{} {errors}", decoder.noise());
        assert!(!errors.contains("not found"), "{errors}");
        Frames::new(frames, false)
    }
}

/// Whether a program is on the path.
pub(crate) fn is_here(program: &str) -> bool {
    std::env::var("PATH").unwrap().split(':').any(|dir| Path::new(dir).join(program).exists())
}

/// Every shell that is here takes the text as its own language. `sh` is always here.
pub(crate) fn assert_all_shells_accept(script: &Script) {
    let text = script.render(NONCE);
    for shell in [&["sh"][..], &["dash"], &["bash", "--posix"], &["busybox", "sh"]] {
        if !is_here(shell[0]) {
            assert_ne!(shell[0], "sh");
            continue;
        }
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .arg("-n")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{shell:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
