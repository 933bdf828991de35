//! The whole platform: installed, proved, and left alone.

use crate::audit::Audit;
use crate::charts::objects;
use crate::drift::put_right;
use crate::ground::{Ground, older, plan_of, site, whole};
use crate::secrets::Watch;
use plinth_model::Digest;

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn the_whole_platform_is_installed_once_shows_no_secret_and_is_put_right_with_helm_3() {
    Ground::with("helm3", &whole(), |ground| {
        let watch = Watch::begin();
        installed(ground);
        let seen = watch.end();
        left_alone(ground);
        seen.hold_nothing_secret(ground);
        put_right(ground);
    });
}

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn the_whole_platform_is_installed_once_with_helm_4_while_the_api_server_dies() {
    Ground::with("helm4", &whole(), |ground| {
        let mut run = ground.begin();
        let is_under_way = |ground: &Ground| {
            ground.events().iter().any(|record| {
                record["event"] == "step.acting" && record["step"] == "platform/release/kube-prometheus-stack"
            })
        };
        while !is_under_way(ground) {
            assert!(run.try_wait().unwrap().is_none(), "it ended early");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        ground.plane.kill_api_server();
        // How things stand is told while the cluster is dead, and what cannot be asked is said so.
        let status = ground.plinth(&["status", "--drift", "--detailed-exitcode"]).exits(6);
        assert!(status.out.contains("drift: the cluster was not asked: "), "{}", status.out);
        ground.plane.start_api_server().unwrap();
        let ran = ground.ended(&mut run);
        // What was asked at that very moment may have failed; nothing else may have gone wrong.
        assert!(matches!(ran.exit, Some(0 | 4 | 6)), "{:?}\n{}", ran.exit, ran.said);
        println!("the run in which it died:\n{}", ran.said);
        ground.apply_site().exits(0);
        ground.all_deployed();
        left_alone(ground);
    });
}

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn an_older_line_is_installed_once_with_its_ingress_snapshots_and_files_of_objects() {
    let unknown = "0".repeat(64);
    Ground::with("helm3", &older([&unknown, &unknown]), |ground| {
        let plan = plan_of(&ground.path("site.yaml"));
        let digests = ["cosi-controller-v0.2.2", "training-operator-v1.9.2"].map(|file| {
            let text = objects(&plan, file.rsplit_once("-v").unwrap().0);
            ground.write(&format!("charts/{file}.yaml"), &text);
            Digest::of_bytes(text.as_bytes()).to_string()
        });
        ground.write("site.yaml", site("{folder: charts}", &older(digests.each_ref().map(String::as_str))));
        installed(ground);
        let there = ["deployment/ingress-nginx-controller", "--namespace", "ingress-nginx"];
        ground.plane.kubectl(&[&["get"], &there[..]].concat()).unwrap();
        left_alone(ground);
    });
}

fn installed(ground: &Ground) {
    let before = Audit::from_now(&ground.plane.audit());
    ground.apply_site().exits(0);
    assert!(before.writes().len() > 100, "the search for writes finds those of an installation");
    let releases = ground.all_deployed();
    assert!(releases.iter().all(|(_, _, revision)| revision == "1"), "{releases:?}");
}

/// A second apply writes nothing, by what the API server wrote down, and nothing is left to do.
fn left_alone(ground: &Ground) {
    let again = Audit::from_now(&ground.plane.audit());
    ground.apply_site().exits(0);
    assert_eq!(ground.changed(), Vec::<String>::new());
    assert_eq!(again.writes(), Vec::<String>::new(), "a second apply writes nothing");
    ground.plan_is_empty();
}
