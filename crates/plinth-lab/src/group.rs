//! Control groups of a node: one below our own in every hierarchy. They hold every process of the node, its launcher
//! included, so that ending, freezing and finding them needs no process id that could come back as another's.

use crate::error::{LabError, LabResult};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long processes may take to be gone or frozen after the kernel was told.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mounted hierarchy and the group we are in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hierarchy {
    /// Folder of our own group.
    own: PathBuf,
    /// Control groups version 2.
    unified: bool,
}

/// Folders of the groups called `name` below our own; the unified one first. None without a unified hierarchy.
pub(crate) fn folders(name: &str) -> Option<Vec<PathBuf>> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let mut all = hierarchies(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    all.sort_by_key(|hierarchy| !hierarchy.unified);
    all.first()?.unified.then(|| all.iter().map(|hierarchy| hierarchy.own.join(name)).collect())
}

/// Whether controllers sit in version 1 hierarchies on this machine, as nodes then need them, too.
pub(crate) fn is_hybrid(folders: &[PathBuf]) -> bool {
    folders.len() > 1
}

fn hierarchies(own: &str, mounts: &str) -> Vec<Hierarchy> {
    let folder = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let at = mounts.lines().find_map(|mount| mounted(mount, controllers))?;
        let own = at.1.join(Path::new(path).strip_prefix(&at.0).ok()?);
        Some(Hierarchy { own, unified: controllers.is_empty() })
    };
    own.lines().filter_map(folder).collect()
}

/// Root within the hierarchy and mount point, if the line of mountinfo is the hierarchy of these controllers.
fn mounted(mount: &str, controllers: &str) -> Option<(PathBuf, PathBuf)> {
    let (before, after) = mount.split_once(" - ")?;
    let (before, after): (Vec<&str>, Vec<&str>) = (before.split(' ').collect(), after.split(' ').collect());
    let options: Vec<&str> = after.get(2)?.split(',').collect();
    let fits = match *after.first()? {
        "cgroup2" => controllers.is_empty(),
        "cgroup" => !controllers.is_empty() && controllers.split(',').all(|one| options.contains(&one)),
        _ => false,
    };
    fits.then_some((PathBuf::from(before.get(3)?), PathBuf::from(before.get(4)?)))
}

/// Makes the groups; those that are there stay.
pub(crate) fn make(folders: &[PathBuf]) -> LabResult<()> {
    for folder in folders {
        std::fs::create_dir_all(folder).map_err(LabError::at("making the control group", folder))?;
        // A version 1 group without processors and memory nodes takes no process.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            let Some(parent) = folder.parent() else { continue };
            if let (true, Ok(given)) = (is_version_one_cpuset(folder), std::fs::read_to_string(parent.join(file))) {
                std::fs::write(folder.join(file), given.trim()).map_err(LabError::at("filling", &folder.join(file)))?;
            }
        }
    }
    Ok(())
}

fn is_version_one_cpuset(folder: &Path) -> bool {
    folder.join("cpuset.cpu_exclusive").exists()
}

/// Every process in the group and below it.
pub(crate) fn processes(folder: &Path) -> Vec<u32> {
    let listed = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    let mut all: Vec<u32> = listed.lines().filter_map(|line| line.parse().ok()).collect();
    all.extend(children(folder).iter().flat_map(|child| processes(child)));
    all
}

/// Ends every process of the group at once, and waits until they are gone.
pub(crate) fn kill(folder: &Path) -> LabResult<()> {
    if !folder.exists() {
        return Ok(());
    }
    let until = Instant::now() + PATIENCE;
    while says(folder, "populated 1") {
        if Instant::now() > until {
            let left = processes(folder);
            return Err(LabError::new(
                format!("ending the processes of {}", folder.display()),
                format!("processes {left:?} do not end"),
                "look at what they wait for in /proc/PID/stack, then run `cargo xtask lab down` again",
            ));
        }
        let _ = std::fs::write(folder.join("cgroup.kill"), "1");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Stops every process of the group where it stands, or lets them go on.
pub(crate) fn freeze(folder: &Path, frozen: bool) -> LabResult<()> {
    let file = folder.join("cgroup.freeze");
    std::fs::write(&file, if frozen { "1" } else { "0" }).map_err(LabError::at("writing", &file))?;
    let want = if frozen { "frozen 1" } else { "frozen 0" };
    let until = Instant::now() + PATIENCE;
    while !says(folder, want) {
        if Instant::now() > until {
            let doing = format!("waiting for {want} of {}", folder.display());
            return Err(LabError::new(doing, "a process does not stop", "look at /proc/PID/stack of its processes"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Ends what still enters the groups (the unified one is first) and removes them with all below them.
pub(crate) fn remove(folders: &[PathBuf]) -> LabResult<()> {
    for folder in folders {
        let until = Instant::now() + PATIENCE;
        // The kernel lets go of a group a moment after its last process; a launcher may just have entered.
        while let Err(error) = remove_tree(folder) {
            let _ = std::fs::write(folder.join("cgroup.kill"), "1");
            if Instant::now() > until {
                return Err(LabError::at("removing the control group", folder)(error));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    Ok(())
}

fn remove_tree(folder: &Path) -> std::io::Result<()> {
    for child in children(folder) {
        remove_tree(&child)?;
    }
    match std::fs::remove_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

fn says(folder: &Path, line: &str) -> bool {
    let events = std::fs::read_to_string(folder.join("cgroup.events")).unwrap_or_default();
    events.lines().any(|said| said == line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:4 - cgroup cgroup rw,cpu,cpuacct\n\
        40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn hybrid_machines() {
        let own = "4:memory:/a/b\n2:cpu,cpuacct:/\n1:name=systemd:/x\n3:pids:/gone\n0::/\n";
        let found = hierarchies(own, HYBRID);
        let paths: Vec<_> = found.iter().map(|one| (one.own.to_str().unwrap(), one.unified)).collect();
        let want = [
            ("/sys/fs/cgroup/memory/a/b", false),
            ("/sys/fs/cgroup/cpu,cpuacct/", false),
            ("/sys/fs/cgroup/systemd/x", false),
            ("/sys/fs/cgroup/unified/", true),
        ];
        assert_eq!(paths.len(), want.len());
        for (found, want) in paths.iter().zip(want) {
            assert_eq!((Path::new(found.0), found.1), (Path::new(want.0), want.1));
        }
    }

    #[test]
    fn unified_machines_and_mounts_of_a_part() {
        let mounts = "30 23 0:26 /user /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
        let found = hierarchies("0::/user/shell\n", mounts);
        assert_eq!(found, [Hierarchy { own: "/sys/fs/cgroup/shell".into(), unified: true }]);
        assert!(hierarchies("0::/other\n", mounts).is_empty());
    }
}
