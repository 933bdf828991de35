//! Names the commit that this binary is made from. Only this crate is built again for a new commit, and none where there is no git.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A copy of the sources inside of another clone has no commit of its own.
    let is_ours = git(&["ls-files", "build.rs"]).is_some();
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).filter(|_| is_ours);
    let version = env!("CARGO_PKG_VERSION");
    let text = commit.map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"));
    println!("cargo:rustc-env=PLINTH_VERSION={text}");
    // HEAD names a branch, whose commit is in a file of its own or among the packed ones.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().map(str::to_owned).chain(branch) {
        if let Some(path) = git(&["rev-parse", "--git-path", &name]).filter(|path| std::path::Path::new(path).exists())
        {
            println!("cargo:rerun-if-changed={path}");
        }
    }
}

/// One line of git's answer; none without git, or outside of a clone.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
