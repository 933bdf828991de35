//! Starting a node: a launcher process that enters the node's control groups, mounts its root file system in a mount
//! namespace of its own (so that the mounts end with it), and boots it again for as long as it wants to be rebooted.

use crate::error::{LabError, LabResult};
use crate::odd::Odd;
use crate::program::quoted;
use crate::root::write_private;
use crate::state::{NodeState, State};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Folders that are never on the overlay, since containerd's own overlays cannot stand on one; and the larger disk.
const PLAIN: [&str; 4] = ["/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd", "/local"];

const LAUNCH: &str = include_str!("scripts/launch.sh");

/// Folders below a node's own that hold its content, and where it is put together.
const CONTENT: [&str; 4] = ["upper", "work", "disks", "plain"];
const MERGED: &str = "merged";
/// File that says that the setup has run.
const IS_SET_UP: &str = "is-set-up";

/// Writes what the launcher needs.
pub(crate) fn prepare(state: &State, node: &NodeState, odd: &Odd) -> LabResult<()> {
    let folder = state.node_folder(node);
    make_folders(&folder)?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        write_private(&path, text).map_err(LabError::at("writing", &path))
    };
    write("setup.sh", &odd.script(&node.name))?;
    write("accounts", &format!("ubuntu:{0}\nroot:{0}\n", state.password))?;
    write("launch.sh", &script(state, node))
}

fn make_folders(folder: &Path) -> LabResult<()> {
    for name in CONTENT.into_iter().chain([MERGED]) {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).map_err(LabError::at("making", &path))?;
    }
    Ok(())
}

/// Takes all content of a node that is off; it is set up anew when it boots.
pub(crate) fn wipe(state: &State, node: &NodeState) -> LabResult<()> {
    let folder = state.node_folder(node);
    for name in CONTENT {
        let path = folder.join(name);
        std::fs::remove_dir_all(&path).map_err(LabError::at("removing", &path))?;
    }
    let path = folder.join(IS_SET_UP);
    std::fs::remove_file(&path).map_err(LabError::at("removing", &path))?;
    make_folders(&folder)
}

/// Starts the launcher, which outlives us; a thread waits for it, so that no zombie is left.
pub(crate) fn start(state: &State, node: &NodeState) -> LabResult<()> {
    let folder = state.node_folder(node);
    let log = folder.join("console.log");
    let console = File::options().create(true).append(true).open(&log).map_err(LabError::at("opening", &log))?;
    let errors = console.try_clone().map_err(LabError::at("opening", &log))?;
    let child = Command::new("setsid")
        .args(["/bin/sh", "-eu"])
        .arg(folder.join("launch.sh"))
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .stdout(console)
        .stderr(errors)
        .process_group(0)
        .spawn();
    let mut child = child
        .map_err(|error| LabError::new(format!("starting {}", node.name), error.to_string(), "install util-linux"))?;
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// The launcher's script: settings, then what is the same for all.
fn script(state: &State, node: &NodeState) -> String {
    let path = |path: &Path| quoted(&path.to_string_lossy());
    let words = |all: Vec<String>| quoted(&all.join(" "));
    // The unified one first: from then on the node can be ended as a whole. Before that the launcher has done nothing, and
    // a group that was removed stops it.
    let groups = node.groups.iter().map(|group| group.to_string_lossy().into_owned()).collect();
    let apart = |place: &str| !node.disks.iter().any(|(at, _)| place.starts_with(&format!("{at}/")) || place == at);
    let plain = PLAIN.into_iter().filter(|place| apart(place)).map(str::to_owned).collect();
    let disks = node.disks.iter().map(|(at, mib)| format!("{at}:{mib}")).collect();
    let others = crate::pods::routes(state).into_iter().filter(|(_, address)| *address != node.address);
    let routes = others.map(|(range, address)| format!("{range}={address}")).collect();
    let legacy = crate::group::is_hybrid(&node.groups);
    [
        format!("GROUPS_OF_NODE={}", words(groups)),
        format!("FOLDER={}", path(&state.node_folder(node))),
        format!("ROOT={}", path(&state.root)),
        format!("NAME={}", quoted(&node.name)),
        format!("HOST={}", quoted(&node.hostname)),
        format!("NAMESPACE={}", quoted(&state.node_namespace(node))),
        format!("ADDRESS={}/{}", node.address, state.network.prefix_len()),
        format!("GATEWAY={}", state.bridge),
        format!("ROUTES={}", words(routes)),
        format!("PLAIN={}", words(plain)),
        format!("DISKS={}", words(disks)),
        format!("UNIFIED={}", if legacy { 0 } else { 1 }),
        LAUNCH.to_owned(),
    ]
    .join("\n")
}

/// The last words of a node's console, for errors.
pub(crate) fn last_words(state: &State, node: &NodeState) -> String {
    let log = std::fs::read(state.node_folder(node).join("console.log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&log).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(6)..].join(" | ")
}
