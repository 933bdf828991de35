//! Every script that changes a node is killed before each of its effects, and in the middle of those that have more than one: the
//! half-made node is recognised, mended, and in the end as if nothing had happened.

mod operations;
mod states;
mod table;

use crate::clients::Nodes;
use operations::Site;
use plinth_lab::{Lab, LabSpec, Node};
use plinth_world::ClientError;
use states::{ALL, Operation};
use std::time::Instant;
use tokio::runtime::Handle;

/// Stands before every program by which scripts change a node: each effect is a line in /run/sweep/done, and the one whose number
/// is in /run/sweep/at does not come: the whole operation is killed, as by a loss of power.
const COUNTED: &str = r#"#!/bin/sh
name=${0##*/}
real=/usr/bin/$name
[ -x "$real" ] || real=/usr/sbin/$name
read -r at 2>/dev/null </run/sweep/at || exec "$real" "$@"
for last; do :; done
first=${1-}
half=
case "$name $*" in
    "systemctl show "* | "systemctl is-"* | "systemctl list-"* | "ip "*" show"*) exec "$real" "$@" ;;
    "systemctl "*" --now "*) half='"$real" "$first" "$last"' ;;
    "find "*" -delete") half='[ ! -d "$first" ] || /usr/bin/find "$first" -xdev -mindepth 1 ! -type d -print -quit | /usr/bin/xargs -r /usr/bin/rm' ;;
    "find "*) exec "$real" "$@" ;;
    # What changes nothing is no effect.
    "rm -f "*) [ -e "$last" ] || [ -L "$last" ] || exec "$real" "$@" ;;
    "mkdir -p "*) [ ! -d "$last" ] || exec "$real" "$@" ;;
    "rm -rf "*) half='[ ! -d "$last" ] || /usr/bin/find "$last" -mindepth 1 ! -type d -print -quit | /usr/bin/xargs -r /usr/bin/rm' ;;
esac
point() {
    echo "$name $*" >>/run/sweep/done
    n=0
    while read -r line; do n=$((n + 1)); done </run/sweep/done
    [ "$n" = "$at" ] || return 0
    [ "$1" != half ] || eval "$half" >/dev/null 2>&1
    read -r _ _ _ _ group _ </proc/$$/stat
    echo "$group" >/run/sweep/killer
    exec sleep 60
}
point "$@"
[ -z "$half" ] || point half "$@"
exec "$real" "$@"
"#;

/// Programs by which scripts change a node. What `sync` does, only a loss of power would show.
const PROGRAMS: &str = "chmod chown chpasswd cp find gpasswd groupadd ip iptables-restore ip6tables-restore ln mkdir mktemp \
                        modprobe mv rm rmdir swapoff systemctl touch umount useradd usermod";

/// Kills whoever is told, as root: a program of another user cannot end the whole of its operation.
const KILLER: &str = "PATH=/usr/sbin:/usr/bin:/sbin:/bin; mkdir -p /run/sweep; chmod 777 /run/sweep; mkfifo -m 666 /run/sweep/killer; \
                      while :; do read -r group </run/sweep/killer && rm -f /run/sweep/at && kill -KILL -\"$group\"; done";

/// What stands on a node from the start.
fn counted(node: &Node<'_>) -> std::process::Child {
    for program in PROGRAMS.split_whitespace() {
        node.write_file(&format!("/usr/local/bin/{program}"), "0755", COUNTED.as_bytes()).unwrap();
    }
    // In the background for as long as the node is up.
    let mut killer = node.command(&["/bin/sh", "-c", KILLER]).unwrap();
    killer.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).spawn().unwrap()
}

/// A script of the test's own, past the programs that count.
fn by_hand(node: &Node<'_>, script: &str) -> String {
    let script = format!("PATH=/usr/sbin:/usr/bin:/sbin:/bin; {script}");
    node.exec(&["/bin/sh", "-euc", &script]).unwrap_or_else(|error| panic!("{}: {error}", node.name()))
}

/// One operation on one node.
struct Sweep<'a> {
    site: Site<'a>,
    operation: &'a Operation,
    node: &'a Node<'a>,
    runtime: &'a Handle,
}

impl Sweep<'_> {
    /// Brings the node to where the operation begins; the effect of this number is the one that does not come, none with 0.
    fn begin(&self, at: usize) {
        let arm = format!(": >/run/sweep/done; chmod 666 /run/sweep/done; echo {at} >/run/sweep/at");
        by_hand(self.node, &format!("{}\n{arm}", self.operation.begins));
    }

    /// All that the operation may change on the node.
    fn told(&self) -> String {
        by_hand(self.node, &format!("rm -f /run/sweep/at\n{}", self.operation.tells))
    }

    fn acts(&self) -> Result<(), ClientError> {
        self.runtime.block_on(self.site.acts(self.operation.name))
    }

    fn lacks(&self) -> Vec<String> {
        self.runtime.block_on(self.site.lacks(self.operation.name))
    }

    /// Effects of the operation that is not killed, in words, and what the node is then.
    fn whole(&self) -> (Vec<String>, String) {
        self.begin(0);
        let before = by_hand(self.node, self.operation.tells);
        assert_ne!(self.lacks(), Vec::<String>::new(), "{}: there is nothing to do", self.operation.name);
        let looked = by_hand(self.node, "cat /run/sweep/done");
        assert_eq!(looked, "", "{}: a look changes nothing", self.operation.name);
        self.acts().unwrap_or_else(|error| panic!("{}: {error:?}", self.operation.name));
        let effects = by_hand(self.node, "cat /run/sweep/done");
        let whole = self.told();
        assert_ne!(whole, before, "{}: what is told does not show what is done", self.operation.name);
        assert_eq!(self.lacks(), Vec::<String>::new(), "{}", self.operation.name);
        (effects.lines().map(str::to_owned).collect(), whole)
    }

    /// Killed before this effect, looked at, mended.
    fn killed(&self, at: usize, effect: &str, whole: &str) {
        let place = format!("{} killed at {at}, {effect}", self.operation.name);
        self.begin(at);
        let began = Instant::now();
        let error = self.acts().expect_err(&place);
        let told = if self.operation.name == "push" { "on its way" } else { "cut off" };
        assert!(error.transient.is_some() && error.happened.contains(told), "{place}: {error:?}");
        assert!(began.elapsed().as_secs() < 20, "{place}: it was waited for {:?}", began.elapsed());
        if self.lacks().is_empty() {
            assert_eq!(self.told(), whole, "{place}: a half-made node is taken for a whole one");
            return;
        }
        self.acts().unwrap_or_else(|error| panic!("{place}: {error:?}"));
        // It looked itself once more, at its end.
        assert_eq!(self.told(), whole, "{place}: mended otherwise");
    }

    fn run(&self) -> usize {
        let began = Instant::now();
        let (effects, whole) = self.whole();
        assert!(effects.len() >= self.operation.least, "{}: too few are counted: {effects:#?}", self.operation.name);
        for (at, effect) in (1..).zip(&effects) {
            self.killed(at, effect, &whole);
        }
        eprintln!("{}: {} places in {:?}", self.operation.name, effects.len(), began.elapsed());
        effects.len()
    }
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_script_that_is_killed_before_any_of_its_effects_is_recognised_and_mended() {
    let mut names: Vec<&str> = ALL.iter().map(|operation| operation.node).collect();
    names.dedup();
    let spec = names.iter().fold(LabSpec::unique("effects"), |spec, name| spec.node(plinth_lab::NodeSpec::new(*name)));
    let lab = Lab::up(&spec).unwrap();
    let nodes = Nodes::of(&lab);
    let all: Vec<Node<'_>> = lab.nodes().collect();
    let mut killers: Vec<_> = all.iter().map(counted).collect();
    nodes.inside(&lab, async || {
        let runtime = Handle::current();
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                all.iter().map(|node| scope.spawn(|| one_after_the_other(&lab, &nodes, node, &runtime))).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    });
    killers.iter_mut().for_each(|killer| {
        killer.kill().unwrap();
        killer.wait().unwrap();
    });
}

/// All operations of one node.
fn one_after_the_other(lab: &Lab, nodes: &Nodes, node: &Node<'_>, runtime: &Handle) {
    let site = Site::of(lab, nodes, node);
    runtime.block_on(site.is_met());
    for operation in ALL.iter().filter(|operation| operation.node == node.name()) {
        by_hand(node, operation.stands);
        runtime.block_on(site.ready(operation.name));
        by_hand(node, operation.keeps);
        let sweep = Sweep { site: site.clone(), operation, node, runtime };
        sweep.run();
    }
    if node.name() == "files" {
        by_hand(node, ": >/run/sweep/done; chmod 666 /run/sweep/done; echo 0 >/run/sweep/at");
        runtime.block_on(site.looks());
        assert_eq!(by_hand(node, "cat /run/sweep/done; rm -f /run/sweep/at"), "", "what only looks changes nothing");
    }
}
