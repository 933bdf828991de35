//! Mounts, free space, where container images live.

use super::software::configured_root;
use crate::frame::Frames;
use plinth_model::facts::{Asked, NodeFacts, Space};
use std::collections::BTreeMap;
use std::path::Path;

pub(super) fn read(frames: &Frames, asked: &Asked, facts: &mut NodeFacts) {
    let mounts = mounts(frames);
    facts.cgroup_version = cgroup_version(frames);
    facts.spaces = spaces(frames, &mounts);
    facts.relocated = asked.images.as_ref().is_some_and(|(from, to)| relocated(frames, from, to));
    facts.home_filesystem = frames.get("home").and_then(|home| filesystem(&mounts, home)).unwrap_or_default();
}

/// Mount point to file system; of several mounts in one place the last one is on top.
fn mounts(frames: &Frames) -> BTreeMap<String, String> {
    let lines = frames.all("mount").into_iter().map(str::split_whitespace);
    lines.filter_map(|mut words| Some((unescaped(words.nth(1)?), words.next()?.to_owned()))).collect()
}

/// The kernel writes a blank in a path as `\040`.
fn unescaped(path: &str) -> String {
    path.replace("\\040", " ")
}

/// File system of the mount that a path is in.
fn filesystem(mounts: &BTreeMap<String, String>, path: &str) -> Option<String> {
    Path::new(path).ancestors().find_map(|parent| mounts.get(parent.to_str()?)).cloned()
}

/// Version 2 has one tree at the root of all; version 1 has a tree for each controller, perhaps with one of version 2 beside.
fn cgroup_version(frames: &Frames) -> u8 {
    let types = || {
        frames.all("mount").into_iter().map(|line| {
            let mut words = line.split_whitespace().skip(1);
            (words.next().unwrap_or_default(), words.next().unwrap_or_default())
        })
    };
    if types().any(|mount| mount == ("/sys/fs/cgroup", "cgroup2")) {
        2
    } else {
        u8::from(types().any(|(_, kind)| kind == "cgroup"))
    }
}

/// Answers of `df` are in the order of the paths; when one is missing, none can be told apart.
fn spaces(frames: &Frames, mounts: &BTreeMap<String, String>) -> Vec<Space> {
    let paths = frames.all("space.path");
    let rows = |key: &str| {
        let rows: Vec<&str> = frames.all(key).into_iter().skip(1).collect();
        if rows.len() == paths.len() { rows } else { Vec::new() }
    };
    let (sizes, inodes) = (rows("space.size"), rows("space.inodes"));
    let found = paths.iter().zip(&sizes).enumerate().filter_map(|(n, (path, size))| {
        let (state, path) = path.split_once(' ')?;
        let (_, [total, _, free, _, mount]) = row(size)?;
        Some(Space {
            path: path.to_owned(),
            exists: state == "there",
            mount: mount.to_owned(),
            filesystem: mounts.get(mount).cloned().unwrap_or_default(),
            total_mib: total.parse::<u64>().ok()? / 1024,
            free_mib: free.parse::<u64>().ok()? / 1024,
            free_inodes_percent: inodes.get(n).and_then(|line| free_inodes(line)),
        })
    });
    found.collect()
}

/// Device, then size, used, free, per cent and mount point. Device and mount point may hold blanks, the numbers tell where.
fn row(line: &str) -> Option<(&str, [&str; 5])> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let percent = (4..words.len()).find(|n| words[*n].ends_with('%') || words[*n] == "-")?;
    let mount = line.find(&format!("{} /", words[percent])).map(|at| line[at + words[percent].len()..].trim())?;
    Some((words[0], [words[percent - 3], words[percent - 2], words[percent - 1], words[percent], mount]))
}

/// File systems that make inodes as they go tell no number, or zero of zero.
fn free_inodes(line: &str) -> Option<u8> {
    let (_, [total, _, free, ..]) = row(line)?;
    let (total, free): (u64, u64) = (total.parse().ok()?, free.parse().ok()?);
    u8::try_from(free.checked_mul(100)?.checked_div(total)?).ok()
}

/// Images live at the larger place: by a link or bind mount there, or because containerd is told so.
fn relocated(frames: &Frames, from: &str, to: &str) -> bool {
    if from == to {
        return false;
    }
    let inside = |path: &str| path != from && Path::new(path).starts_with(to);
    frames.get("relocated").is_some()
        || frames.get("images.real").is_some_and(inside)
        || configured_root(frames).is_some_and(|root| inside(&root))
}
