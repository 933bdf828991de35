//! What containerd keeps on a node, told so that two tellings are equal exactly when nothing was lost, and ways to stop a move
//! of it at a chosen place.

use plinth_lab::Node;
use std::time::{Duration, Instant};

/// Where containerd's data is at first.
pub(crate) const FROM: &str = "/var/lib/containerd";
/// Where it goes.
pub(crate) const TO: &str = "/local/containerd";
/// Longest wait for something on a node; only a failed test waits as long.
const PATIENCE: Duration = Duration::from_secs(90);

/// Every blob and snapshot: kind, mode, owner, links, time, extended attributes, content.
const TREE: &str = r#"
import hashlib, os, stat
base = os.path.realpath("/var/lib/containerd")
for top in ("io.containerd.content.v1.content/blobs", "io.containerd.snapshotter.v1.overlayfs/snapshots"):
    for folder, folders, files in os.walk(os.path.join(base, top)):
        folders.sort()
        for name in sorted(files + folders):
            path = os.path.join(folder, name)
            s = os.lstat(path)
            names = sorted(os.listxattr(path, follow_symlinks=False))
            attributes = [n + "=" + os.getxattr(path, n, follow_symlinks=False).hex() for n in names]
            content = ""
            if stat.S_ISLNK(s.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(s.st_mode):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
                if "/blobs/sha256" in folder:
                    assert content == name, path
            size = 0 if stat.S_ISDIR(s.st_mode) else s.st_size
            links = 0 if stat.S_ISDIR(s.st_mode) else s.st_nlink
            print(path[len(base):], oct(s.st_mode), s.st_uid, s.st_gid, s.st_rdev, links, size, s.st_mtime_ns, attributes, content)
"#;

/// What containerd itself says of its content; of a blob its digest and size, since the order of its labels is not fixed.
const TOLD: &str = "ctr -n k8s.io images ls; ctr -n k8s.io images check; ctr -n k8s.io content ls | awk '{ print $1, $2 }'; \
                    ctr -n k8s.io snapshots ls; ctr -n k8s.io containers ls; systemctl is-active containerd";

/// Attributes that a careless copy loses: the seed has hard links, whiteouts, set-user-id bits, owners and holes already.
const ODD_ATTRIBUTES: &str = "cd /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs\n\
                              python3 -c 'import os; os.setxattr(\"data/part-3\", \"user.note\", b\"kept\"); \
                              os.setxattr(\"data\", \"trusted.overlay.opaque\", b\"y\")'\n\
                              setcap cap_net_raw+ep bin/setuid";

/// Everything containerd has on a node. It must be running.
pub(crate) fn content(node: &Node<'_>) -> String {
    let tree = node.fed(&["python3", "-"], TREE.as_bytes()).unwrap();
    let told = node.exec(&["/bin/sh", "-euc", TOLD]).unwrap();
    format!("{tree}{told}")
}

/// Adds attributes that a careless copy loses, and tells the content once containerd has thrown away what nobody refers to,
/// as it does after an import and when it starts.
pub(crate) fn odd_content(node: &Node<'_>) -> String {
    node.exec(&["/bin/sh", "-euc", ODD_ATTRIBUTES]).unwrap();
    node.exec(&["systemctl", "restart", "containerd"]).unwrap();
    let tell = |node: &Node<'_>| {
        let tree = node.fed(&["python3", "-"], TREE.as_bytes()).ok()?;
        Some(tree + &node.exec(&["/bin/sh", "-euc", TOLD]).ok()?)
    };
    let content = until(node, "containerd does not come to rest", |node| {
        let first = tell(node)?;
        std::thread::sleep(Duration::from_secs(1));
        tell(node).filter(|second| *second == first)
    });
    for wanted in ["user.note=", "trusted.overlay.opaque=", "security.capability=", "lab.example/seed:1", "\nactive\n"]
    {
        assert!(
            content.contains(wanted),
            "{wanted} is not on {}: the test would prove nothing\n{content}",
            node.name()
        );
    }
    content
}

/// The same work on many nodes at once.
pub(crate) fn each<T: Send>(nodes: &[Node<'_>], work: impl Fn(usize, &Node<'_>) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = nodes.iter().enumerate().map(|(n, node)| scope.spawn(move || work(n, node))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Panics with the first lines that differ.
pub(crate) fn assert_same(node: &Node<'_>, before: &str) {
    let after = content(node);
    let gone: Vec<&str> = before.lines().filter(|line| !after.lines().any(|other| other == *line)).take(3).collect();
    let new: Vec<&str> = after.lines().filter(|line| !before.lines().any(|other| other == *line)).take(3).collect();
    assert!(before == after, "{}: gone: {gone:#?}\nnew: {new:#?}", node.name());
}

/// The image can be mounted by containerd, and what a container would see in it is there.
pub(crate) fn assert_usable(node: &Node<'_>) {
    let script = "mkdir -p /run/seen; ctr -n k8s.io images mount lab.example/seed:1 /run/seen >/dev/null; ls /run/seen/data; \
                  cat '/run/seen/data/a name with blanks' /run/seen/data/part-7 | sha256sum >/dev/null; \
                  ctr -n k8s.io images unmount --rm /run/seen >/dev/null";
    let seen = node.exec(&["/bin/sh", "-euc", script]).unwrap();
    assert!(seen.contains("a name with blanks\n") && !seen.contains("victim"), "{}: {seen}", node.name());
}

/// The data is at the new place, the old copy is gone, /var is free again and nothing of the move is left over.
pub(crate) fn assert_moved(node: &Node<'_>) {
    let script = format!(
        "readlink {FROM}; ls -d {FROM}.plinth* {TO}.plinth* /var/lib/plinth/storage.moving 2>/dev/null || true; \
         systemctl is-active containerd; sed -n s/^stage=//p /var/lib/plinth/storage"
    );
    let seen = node.exec(&["/bin/sh", "-euc", &script]).unwrap();
    assert_eq!(seen, format!("{TO}\nactive\ndone\n"), "{}", node.name());
    let used: u64 =
        node.exec(&["/bin/sh", "-c", "df -Pm /var | awk 'NR == 2 { print $3 }'"]).unwrap().trim().parse().unwrap();
    assert!(used < 150, "{used} MiB of /var are in use on {}: it was not freed", node.name());
}

/// Stands before programs of the node: waits, after the one that the pattern in /run/hold names, until that file is gone.
/// The pattern is matched with `STAGE PROGRAM ARGUMENTS`; `within STAGE` stops a copy in its middle.
const HOLD: &str = r#"#!/bin/sh
name=${0##*/}
wanted=$(cat /run/hold 2>/dev/null)
real=/usr/bin/$name
[ -x "$real" ] || real=/usr/sbin/$name
[ -n "$wanted" ] || exec "$real" "$@"
stage=$(sed -n 's/^stage=//p' /var/lib/plinth/storage 2>/dev/null)
held() {
    echo "$1" >/run/held
    while [ -e /run/hold ]; do sleep 0.1; done
}
if [ "$wanted $name" = "within $stage cp" ]; then
    "$real" "$@" &
    work=$!
    while kill -0 "$work" 2>/dev/null; do
        mib=$(du -sm /local/containerd.plinth-part | cut -f 1)
        [ "$mib" -lt 20 ] || break
    done
    kill -STOP "$work"
    held "$(du -sm /local/containerd.plinth-part | cut -f 1)"
    kill -CONT "$work"
    wait "$work"
    exit
fi
"$real" "$@"
status=$?
case "$stage $name $*" in
    $wanted) held after ;;
esac
exit "$status"
"#;

/// Lets the next move on this node stop where the pattern says.
pub(crate) fn hold(node: &Node<'_>, pattern: &str) {
    for program in ["sync", "mv", "cp", "rm", "ln", "systemctl", "useradd", "df"] {
        node.write_file(&format!("/usr/local/bin/{program}"), "0755", HOLD.as_bytes()).unwrap();
    }
    node.exec(&["rm", "-f", "/run/held"]).unwrap();
    node.write_file("/run/hold", "0644", pattern.as_bytes()).unwrap();
}

/// Waits until the move has come there. Answers what the programs said: how many MiB were copied by then, within a copy.
pub(crate) fn until_held(node: &Node<'_>) -> String {
    until(node, "the move did not come to the place where it is held", |node| {
        Some(node.exec(&["cat", "/run/held"]).unwrap_or_default()).filter(|text| !text.is_empty())
    })
}

/// Lets moves go on.
pub(crate) fn release(node: &Node<'_>) {
    node.exec(&["rm", "-f", "/run/hold", "/run/held"]).unwrap();
}

/// Waits until nothing that plinth started runs on the node.
pub(crate) fn until_idle(node: &Node<'_>) {
    let found = until(node, "what plinth started still runs", |node| {
        let found = operations(node);
        found.is_empty().then_some(found)
    });
    drop(found);
}

/// Processes of operations on this node: each has the operation's number in its arguments.
pub(crate) fn operations(node: &Node<'_>) -> String {
    node.exec(&["/bin/sh", "-c", "pgrep -af 'plinth .*[0-9a-f]{32} (user|root|lock)' || true"]).unwrap()
}

/// Waits for something on a node.
pub(crate) fn until<T>(node: &Node<'_>, otherwise: &str, look: impl Fn(&Node<'_>) -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look(node) {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "{}: {otherwise}; running there:\n{}", node.name(), operations(node));
        std::thread::sleep(Duration::from_millis(100));
    }
}
