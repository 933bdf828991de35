//! The real Helm client with real Helm 3 and 4 and a real API server. Nothing runs pods here, so the Job of a hook ends when the test says.

use crate::helm_client;
use crate::helm_ground::{Ground, NAMESPACE, PASSWORD, for_each_helm, packed, release, release_name, until};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plinth_model::steps::{CrdPolicy, Release};
use plinth_world::helm::HelmClient as _;
use serde_json::{Value, json};
use std::time::Duration;

const HOOK: &str = "post-install,post-upgrade";

/// All kinds of values, one a secret.
fn values() -> Value {
    json!({
        "password": {"$secret": {"file": "password"}}, "color": "b\u{2028}\u{7f}lue: #1",
        "nothing": null, "empty": {}, "list": [], "large": 9_007_199_254_740_993_u64, "part": 1.0, "on": "yes", "zero": "007",
    })
}

fn with(more: &[(&str, Value)]) -> Release {
    let mut all = values();
    for (key, value) in more {
        all[key] = value.clone();
    }
    release("standin", "a", "1.2.3", all)
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn real_helm_keeps_the_contract() {
    for_each_helm(|ground| {
        let seen = &ground;
        let (stand, editing) = (std::sync::Arc::clone(&ground.stand), std::sync::Arc::clone(&ground.stand));
        let fingerprint = {
            let kinds = "namespaces,configmaps,secrets,deployments,jobs";
            let columns = "custom-columns=K:.kind,N:.metadata.name,V:.metadata.resourceVersion";
            move || stand.plane.kubectl(&["get", kinds, "-A", "-o", columns]).unwrap()
        };
        let suite = helm_client::Ground {
            release: with(&[]),
            // Nobody ends the Job that its hook waits for.
            failing: Release { release: "b".into(), timeout_s: 3, ..with(&[("hook", "pre-install".into())]) },
            namespaces: &seen.stand.client,
            edit: Box::new(move || {
                let patch =
                    ["patch", "configmap", "a-settings", "--type=merge", "-p", r#"{"data": {"color": "edited"}}"#];
                editing.plane.kubectl(&[&["--namespace", NAMESPACE], &patch[..]].concat()).unwrap();
            }),
            fingerprint: Box::new(fingerprint),
        };
        seen.run(helm_client::contract(&seen.client, &seen.ctx, &suite));
    });
}

/// While helm waits: its words, its environment, and every file of ours.
fn holds_no_secret(ground: &Ground, process: u32) {
    let needle = PASSWORD.as_bytes();
    let clean = |name: String, text: &[u8]| {
        assert!(!text.windows(needle.len()).any(|part| part == needle), "{name} holds a secret");
        assert!(!text.windows(9).any(|part| part == &needle[..9]), "{name} holds a part of a secret");
    };
    for file in ["cmdline", "environ"] {
        let path = format!("/proc/{process}/{file}");
        let text = std::fs::read(&path).unwrap();
        assert!(!text.is_empty());
        clean(path, &text);
    }
    let mut folders = vec![ground.stand.folder.path().join("state")];
    let work = std::fs::read_link(format!("/proc/{process}/cwd")).unwrap();
    assert_eq!(std::fs::read_dir(&work).unwrap().count(), 0, "it works in an empty folder");
    folders.push(work.parent().unwrap().to_path_buf());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                clean(entry.path().display().to_string(), &std::fs::read(entry.path()).unwrap());
            }
        }
    }
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_helm_killed_in_the_middle_is_repaired_by_the_next() {
    for_each_helm(|ground| {
        let ground = ground.settled();
        let hooked = with(&[("hook", HOOK.into())]);
        // The first installation.
        let said = ground.killed_in_its_hook(&hooked, |process| holds_no_secret(&ground, process));
        assert!(said.contains("helm says"), "{said}");
        assert_eq!(ground.status("a"), Some(("pending-install".to_owned(), 1)));
        let before = ground.kubectl(&["get", "deployment", "a", "-o", "jsonpath={.metadata.uid}"]);
        let said = ground.upgrade(&with(&[])).unwrap();
        assert!(said.len() == 1 && said[0].contains("starts over"), "{said:?}");
        assert_eq!(ground.status("a"), Some(("deployed".to_owned(), 2)));
        assert_eq!(ground.history("a"), ["1 failed", "2 deployed"], "what failed stays to be seen");
        let after = ground.kubectl(&["get", "deployment", "a", "-o", "jsonpath={.metadata.uid}"]);
        assert_eq!(before, after, "what was there was taken over");
        // An upgrade.
        ground.killed_in_its_hook(&hooked, |_| ());
        assert_eq!(ground.status("a"), Some(("pending-upgrade".to_owned(), 3)));
        let said = ground.upgrade(&with(&[("color", "red".into())])).unwrap();
        assert!(said.len() == 1 && said[0].contains("revision 3 of plinth-helm/a, pending-upgrade since"), "{said:?}");
        assert_eq!(ground.history("a"), ["1 failed", "2 superseded", "3 failed", "4 deployed"]);
        assert_eq!(ground.kubectl(&["get", "configmap", "a-settings", "-o", "jsonpath={.data.color}"]), "red");
    });
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn what_somebody_else_is_at_work_on_waits_and_is_repaired_when_it_is_old() {
    for_each_helm(|ground| {
        let ground = ground.settled();
        ground.upgrade(&with(&[])).unwrap();
        let hooked = Release { timeout_s: 3, ..with(&[("hook", HOOK.into())]) };
        ground.killed_in_its_hook(&hooked, |_| ());
        // As if it had been another machine's.
        std::fs::remove_dir_all(ground.stand.folder.path().join("state/helm/running")).unwrap();
        let plain = Release { timeout_s: 3, ..with(&[("color", "red".into())]) };
        let before = ground.everything();
        let error = ground.upgrade(&plain).unwrap_err();
        assert!(error.happened.contains("pending-upgrade since"), "{error:?}");
        assert_eq!(error.finding.unwrap().code.as_str(), "helm.in-use");
        assert_eq!(ground.everything(), before);
        std::thread::sleep(Duration::from_secs(4));
        let hasty = ground.again().abandoned_after(Duration::ZERO);
        let said = ground.run(hasty.upgrade(&ground.ctx, &plain)).unwrap();
        assert!(said[0].contains("goes on from the one before"), "{said:?}");
        assert_eq!(ground.differences(&plain), Vec::<String>::new());
    });
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_failed_installation_begins_anew_with_its_hooks() {
    for_each_helm(|ground| {
        let ground = ground.settled();
        let hooked = with(&[("hook", "pre-install".into())]);
        let error = std::thread::scope(|scope| {
            let work = scope.spawn(|| ground.upgrade(&hooked));
            ground.end_hook("a", false);
            work.join().unwrap().unwrap_err()
        });
        assert!(error.happened.contains("pre-install") && error.attempt.contains("Job of the hook"), "{error:?}");
        assert_eq!(ground.status("a"), Some(("failed".to_owned(), 1)));
        let lines = ground.differences(&hooked);
        assert_eq!(lines, ["~ status failed → deployed"]);
        let job = || ground.hook("a");
        let failed = job();
        let said = std::thread::scope(|scope| {
            let work = scope.spawn(|| ground.upgrade(&hooked));
            until(|| !job().is_empty() && job() != failed);
            ground.end_hook("a", true);
            work.join().unwrap().unwrap()
        });
        assert!(said[0].contains("failed") && said[0].contains("starts over"), "{said:?}");
        assert_eq!(ground.history("a"), ["1 failed", "2 deployed"]);
        // A Job of a failed attempt that stands in the way.
        let stale = Release { stale_jobs: vec!["a-hook".into()], ..with(&[]) };
        let said = ground.upgrade(&stale).unwrap();
        let (removed, log) = said[0].split_once("; what it left is in ").unwrap();
        assert_eq!((said.len(), removed), (1, "Job plinth-helm/a-hook of an earlier attempt was removed"));
        let log = std::fs::read_to_string(log).unwrap();
        assert!(log.starts_with("== Job plinth-helm/a-hook: "), "{log}");
        assert_eq!(job(), "");
    });
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn what_somebody_does_behind_our_back_is_named_and_put_right() {
    for_each_helm(|ground| {
        let ground = ground.settled();
        let wanted = with(&[]);
        ground.upgrade(&wanted).unwrap();
        assert_eq!(ground.differences(&wanted), Vec::<String>::new());
        let package = ground.stand.folder.path().join("by-hand.tgz");
        std::fs::write(&package, packed("standin", "1.2.4")).unwrap();
        let package = package.to_str().unwrap();
        ground.by_hand(&[
            "upgrade",
            "a",
            package,
            "--reuse-values",
            "--set",
            "color=red,extra.token=hunter2,password=x",
        ]);
        let mut lines = ground.differences(&wanted);
        lines.sort();
        let want = [
            "- extra = {\"token\":\"(secret)\"}",
            "~ color \"red\" → \"b\\u{2028}\\u{7f}lue: #1\"",
            "~ password (secret) → (secret)",
            "~ version 1.2.4 → 1.2.3",
        ];
        assert_eq!(lines, want);
        // Back to an older version only where the site file names it.
        let refused = ground.upgrade(&wanted).unwrap_err();
        assert_eq!(refused.finding.unwrap().code.as_str(), "helm.older-version");
        ground.upgrade(&Release { named_by_site: true, ..wanted.clone() }).unwrap();
        assert_eq!(ground.differences(&wanted), Vec::<String>::new());
        let there = ground.kubectl(&["get", "secret", "a-password", "-o", "jsonpath={.data.password}"]);
        assert_eq!(STANDARD.decode(there).unwrap(), PASSWORD.as_bytes());
        // Another package of the same version, and none that is known.
        let other = Release { digest: Some("cd".repeat(32)), ..wanted.clone() };
        assert_eq!(ground.differences(&other), [format!("~ package {} → {}", "ab".repeat(16), "cd".repeat(16))]);
        ground.upgrade(&other).unwrap();
        assert_eq!(ground.differences(&other), Vec::<String>::new());
        let unknown = Release { digest: None, ..with(&[("color", "red".into())]) };
        ground.upgrade(&unknown).unwrap();
        assert_eq!(ground.differences(&Release { digest: Some("ef".repeat(32)), ..unknown }), Vec::<String>::new());
        // No values are no old values.
        let bare = release("standin", "a", "1.2.3", json!({}));
        ground.upgrade(&bare).unwrap();
        assert_eq!(ground.differences(&bare), Vec::<String>::new());
        // Gone altogether, and gone from helm's memory only.
        ground.by_hand(&["uninstall", "a"]);
        assert_eq!(ground.differences(&wanted), ["+ release plinth-helm/a 1.2.3"]);
        ground.upgrade(&wanted).unwrap();
        ground.kubectl(&["delete", "secret", "-l", "owner=helm"]);
        assert_eq!(ground.differences(&wanted), ["+ release plinth-helm/a 1.2.3"]);
        ground.upgrade(&wanted).unwrap();
        assert_eq!(ground.status("a"), Some(("deployed".to_owned(), 1)));
    });
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn definitions_are_changed_and_never_lost() {
    for_each_helm(|ground| {
        let ground = ground.settled();
        let at = |version: &str, crds| Release { crds, ..release("definitions", "d", version, json!({})) };
        let description = || {
            let path = "jsonpath={.spec.versions[0].schema.openAPIV3Schema.description}";
            ground.kubectl(&["get", "customresourcedefinition", "groups.plinth.test", "-o", path])
        };
        ground.upgrade(&at("0.7.0", CrdPolicy::Templates)).unwrap();
        until(|| ground.kubectl(&["api-resources", "--api-group=plinth.test", "-o", "name"]).contains("groups"));
        let group =
            json!({"apiVersion": "plinth.test/v1", "kind": "Group", "metadata": {"name": "g", "namespace": NAMESPACE}});
        ground.stand.apply(&group);
        let before = ground.everything();
        let error = ground.upgrade(&at("0.8.0", CrdPolicy::Apply)).unwrap_err();
        assert_eq!(error.finding.clone().unwrap().code.as_str(), "helm.definitions-would-go");
        assert_eq!(ground.everything(), before);
        // The way out that it names.
        let command = error.attempt.split('`').nth(1).unwrap();
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        ground.kubectl(&words);
        ground.upgrade(&at("0.8.0", CrdPolicy::Templates)).unwrap();
        assert_eq!(description(), "of 0.8.0");
        ground.kubectl(&["get", "groups.plinth.test", "g"]);
        ground.upgrade(&at("0.9.0", CrdPolicy::Hook)).unwrap();
        assert_eq!(description(), "of 0.8.0", "helm changes none in crds/, and others are said to");
        ground.upgrade(&at("0.9.1", CrdPolicy::Apply)).unwrap();
        assert_eq!(description(), "of 0.9.1");
        ground.kubectl(&["get", "groups.plinth.test", "g"]);
    });
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn an_uninstallation_that_was_broken_off_is_brought_to_its_end() {
    for_each_helm(|ground| {
        let ground = ground.settled();
        let hooked = with(&[("hook", "pre-delete".into())]);
        ground.upgrade(&hooked).unwrap();
        let name = release_name("a");
        let job = || ground.hook("a");
        std::thread::scope(|scope| {
            let work = scope.spawn(|| ground.run(ground.client.uninstall(&ground.ctx, &name, Duration::from_secs(60))));
            until(|| !job().is_empty());
            let process = ground.process("a").unwrap().to_string();
            assert!(std::process::Command::new("kill").args(["-9", &process]).status().unwrap().success());
            work.join().unwrap().unwrap_err();
        });
        assert_eq!(ground.status("a").unwrap().0, "uninstalling");
        let first = job();
        let said = std::thread::scope(|scope| {
            let work = scope.spawn(|| ground.upgrade(&with(&[])));
            until(|| !job().is_empty() && job() != first);
            ground.end_hook("a", true);
            work.join().unwrap().unwrap()
        });
        assert!(said[0].contains("brought to its end"), "{said:?}");
        assert_eq!(ground.status("a"), Some(("deployed".to_owned(), 1)));
        ground.run(ground.client.uninstall(&ground.ctx, &name, Duration::from_secs(60))).unwrap();
        assert_eq!(ground.status("a"), None);
        assert_eq!(
            ground.kubectl(&["get", "deployments,configmaps", "--ignore-not-found", "-o", "name"]).matches("a").count(),
            0
        );
    });
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_release_goes_back_to_what_worked_also_when_that_was_broken_off() {
    for_each_helm(|ground| {
        let ground = ground.settled();
        let (name, limit) = (release_name("a"), Duration::from_secs(60));
        let back = |to| ground.run(ground.client.rollback(&ground.ctx, &name, to, limit));
        let color = || ground.kubectl(&["get", "configmap", "a-settings", "-o", "jsonpath={.data.color}"]);
        let first = with(&[("color", "red".into())]);
        ground.upgrade(&first).unwrap();
        // An upgrade whose hook fails.
        let bad = with(&[("color", "blue".into()), ("hook", "post-upgrade".into())]);
        std::thread::scope(|scope| {
            let work = scope.spawn(|| ground.upgrade(&bad));
            ground.end_hook("a", false);
            work.join().unwrap().unwrap_err();
        });
        assert_eq!(ground.history("a"), ["1 deployed", "2 failed"]);
        assert_eq!(color(), "blue");
        back(1).unwrap();
        assert_eq!(color(), "red");
        assert_eq!(ground.history("a"), ["1 superseded", "2 failed", "3 deployed"]);
        assert_eq!(ground.differences(&first), Vec::<String>::new(), "the package and its label went back, too");
        let before = ground.everything();
        back(1).unwrap();
        assert_eq!(ground.everything(), before, "it is so already");
        assert_eq!(back(2).unwrap_err().finding.unwrap().code.as_str(), "helm.no-revision");
        // A rollback that is killed in its hook, and the next one.
        let hooked = with(&[("color", "green".into()), ("hook", "post-rollback".into())]);
        ground.upgrade(&hooked).unwrap();
        ground.upgrade(&first).unwrap();
        assert_eq!(ground.history("a").last().unwrap(), "5 deployed");
        let old = ground.hook("a");
        std::thread::scope(|scope| {
            let work = scope.spawn(|| back(4));
            until(|| !ground.hook("a").is_empty() && ground.hook("a") != old);
            let process = ground.process("a").unwrap().to_string();
            assert!(std::process::Command::new("kill").args(["-9", &process]).status().unwrap().success());
            work.join().unwrap().unwrap_err();
        });
        assert_eq!(ground.status("a"), Some(("pending-rollback".to_owned(), 6)));
        let said = back(5).unwrap();
        assert!(said[0].contains("revision 6 of plinth-helm/a, pending-rollback since"), "{said:?}");
        let history = ground.history("a");
        assert_eq!(history[history.len() - 2..], ["6 failed", "7 deployed"]);
        assert_eq!(color(), "red");
    });
}
