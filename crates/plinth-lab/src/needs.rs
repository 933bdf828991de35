//! What the machine must have, and putting it there.

use crate::error::{LabError, LabResult};
use crate::group;
use crate::program::{program, run};
use std::path::Path;

/// Programs and the Debian packages that bring them.
const PROGRAMS: [(&str, &str); 11] = [
    ("mmdebstrap", "mmdebstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("setsid", "util-linux"),
    ("setpriv", "util-linux"),
    ("mount", "mount"),
    ("mkfs.ext4", "e2fsprogs"),
    ("chroot", "coreutils"),
    ("ssh", "openssh-client"),
];

/// The same for Keycloak.
const JAVA: [(&str, &str); 2] = [("java", "default-jre-headless"), ("mvn", "maven")];

/// The same for pages in a browser.
const CHROMIUM: [(&str, &str); 1] = [("chromium", "chromium")];

/// The same for what comes from npm's registry.
const NPM: [(&str, &str); 1] = [("npm", "npm")];

/// The same for files of XML that have a schema.
const XML: [(&str, &str); 1] = [("xmllint", "libxml2-utils")];

/// Event queues a node's systemd and containers take, and the kernel's limit for all of them together.
const INOTIFY_PER_NODE: usize = 24;
const INOTIFY: &str = "/proc/sys/fs/inotify/max_user_instances";

/// Makes sure of everything a lab needs: installs programs where this is Debian and we are root.
pub(crate) fn met(told: &dyn Fn(&str)) -> LabResult<()> {
    let doing = "preparing this machine for a lab";
    let id = run(&mut program("id", &["-u"]), doing)?;
    let root = id.trim() == "0";
    let mut packages = missing();
    if root && !packages.is_empty() && found("apt-get") {
        told(&format!("installing {}", packages.join(", ")));
        install(&packages)?;
        packages = missing();
    }
    let wrong = lacking(&packages, root, group::folders("probe").is_some());
    if wrong.is_empty() {
        return Ok(());
    }
    let happened = format!("missing: {}", wrong.join("; "));
    Err(LabError::new(
        doing,
        happened,
        "run as root on Debian 12 or newer, in a machine of its own rather than a container",
    ))
}

/// Makes sure of what Keycloak needs: Java and Maven.
pub(crate) fn java() -> LabResult<()> {
    installed(&JAVA, "Keycloak")
}

/// Makes sure of a browser.
pub(crate) fn chromium() -> LabResult<()> {
    installed(&CHROMIUM, "pages in a real browser")
}

/// Makes sure of what fetches packages of npm's registry.
pub(crate) fn npm() -> LabResult<()> {
    installed(&NPM, "axe-core")
}

/// Makes sure of `xmllint`, which holds files of XML against their schemas; on Debian, and as root, it is installed when it is missing.
///
/// # Errors
/// When it is missing and cannot be installed.
pub fn xml_validator() -> LabResult<()> {
    installed(&XML, "files of XML with a schema")
}

/// Makes sure of programs, which are installed where this is Debian and we are root.
fn installed(programs: &[(&str, &'static str)], what: &str) -> LabResult<()> {
    let missing = || -> Vec<&'static str> {
        programs.iter().filter(|(name, _)| !found(name)).map(|(_, package)| *package).collect()
    };
    if !missing().is_empty() && found("apt-get") {
        install(&missing())?;
    }
    match missing().as_slice() {
        [] => Ok(()),
        packages => {
            let happened = format!("missing: {}", packages.join(", "));
            let doing = format!("preparing this machine for {what}");
            Err(LabError::new(doing, happened, "install them, or run as root on Debian"))
        }
    }
}

/// Everything that is missing, in words.
fn lacking(packages: &[&str], root: bool, unified: bool) -> Vec<String> {
    let mut wrong: Vec<String> = packages.iter().map(|package| format!("the package {package}")).collect();
    if !root {
        wrong.push("root".to_owned());
    }
    if !unified {
        wrong.push("a mounted hierarchy of control groups version 2 (at least beside version 1)".to_owned());
    }
    wrong
}

/// Packages whose programs are not there, each once.
fn missing() -> Vec<&'static str> {
    let mut packages: Vec<_> = PROGRAMS.iter().filter(|(name, _)| !found(name)).map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

fn found(name: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|folder| Path::new(folder).join(name).exists())
}

fn install(packages: &[&str]) -> LabResult<()> {
    let doing = format!("installing {}", packages.join(", "));
    let mut command = program("apt-get", &["install", "--yes", "--no-install-recommends", "-qq"]);
    command.args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    if run(&mut command, &doing).is_err() {
        // Lists that are old or were cleaned away are the usual reason.
        run(&mut program("apt-get", &["update", "-qq"]), "refreshing the package lists")?;
        run(&mut command, &doing)?;
    }
    Ok(())
}

/// Raises the kernel's limit of event queues for this many nodes; it stays raised until the machine's next boot.
pub(crate) fn room_for(nodes: usize, told: &dyn Fn(&str)) -> LabResult<()> {
    let path = Path::new(INOTIFY);
    let text = std::fs::read_to_string(path).map_err(LabError::at("reading", path))?;
    let (now, want) = (text.trim().parse::<usize>().unwrap_or(0), 128 + nodes * INOTIFY_PER_NODE);
    if now >= want {
        return Ok(());
    }
    let want = want.max(8192);
    told(&format!("raising fs.inotify.max_user_instances of this machine from {now} to {want}"));
    std::fs::write(path, want.to_string()).map_err(LabError::at("writing", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_thing_is_named() {
        assert_eq!(lacking(&[], true, true), Vec::<String>::new());
        let all = lacking(&["mmdebstrap", "iproute2"], false, false).join("; ");
        for part in ["mmdebstrap", "iproute2", "root", "control groups"] {
            assert!(all.contains(part), "{all}");
        }
    }

    #[test]
    fn programs_are_found_by_name() {
        assert!(found("sh") && !found("no-program-is-called-this"));
    }
}
