//! A repository of charts that is slow, breaks off, serves something else, and is gone: bounded, said clearly, and no matter once the
//! package is here.

use crate::charts;
use crate::ground::{FEW, Ground, INGRESS, plan_of, site};
use crate::run::Ran;
use plinth_model::Digest;
use plinth_sim::files::{FileFault, FileServer};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// The server's address is its name: nobody resolves names in this network.
pub(crate) const MIRROR: &str = "https://10.20.0.100/charts";
const PACKAGE: &str = "metrics-server-3.13.1.tgz";

/// The packages of a ground as a repository with an index.
pub(crate) fn repository(ground: &Ground) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut index = "apiVersion: v1\nentries:\n".to_owned();
    for name in charts::pack(&plan_of(&ground.path("site.yaml")), &ground.path("charts")) {
        let bytes = std::fs::read(ground.path("charts").join(&name)).unwrap();
        let (chart, version) = name.trim_end_matches(".tgz").rsplit_once('-').unwrap();
        let digest = Digest::of_bytes(&bytes);
        writeln!(index, "  {chart}:\n  - {{name: {chart}, version: {version}, digest: {digest}, urls: [{name}]}}")
            .unwrap();
        files.insert(format!("/charts/{name}"), bytes);
    }
    files.insert("/charts/index.yaml".to_owned(), index.into_bytes());
    files
}

/// Runs it with the mirror's authority trusted.
pub(crate) fn run(ground: &Ground, words: &[&str]) -> Ran {
    let file = |name: &str| std::fs::File::create(ground.path(name)).unwrap();
    let mut command = ground.command(words);
    command.env("SSL_CERT_FILE", ground.path("mirror-ca.pem"));
    let mut run = command.stdout(file("out")).stderr(file("said")).spawn().unwrap();
    ground.ended(&mut run)
}

pub(crate) fn apply(ground: &Ground) -> Ran {
    run(ground, &["apply", "-y", "--events", "events"])
}

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_bad_repository_of_charts_is_named_and_a_package_that_is_here_needs_none() {
    Ground::with("helm3", FEW, |ground| {
        let server = FileServer::start(&INGRESS.to_string(), (INGRESS, 443).into(), repository(ground)).unwrap();
        ground.write("mirror-ca.pem", server.ca_pem());
        ground.write("site.yaml", site(&format!("{{mirror: \"{MIRROR}\"}}"), FEW));
        let faults = [
            (FileFault::Gone, "answered 404"),
            (FileFault::Truncated, "charts.unreachable"),
            (FileFault::Changed, "digest"),
        ];
        for (fault, words) in faults {
            server.fail(Some((PACKAGE, fault.clone())));
            let began = Instant::now();
            let ran = apply(ground).exits(4);
            eprintln!("{fault:?} in {:?}:\n{}", began.elapsed(), ran.said);
            ran.says(words).says("platform/release/metrics-server");
            assert!(began.elapsed() < Duration::from_secs(60), "{fault:?} took {:?}", began.elapsed());
        }
        // What does not come from it was finished long ago, and is left alone.
        assert!(
            ground.plane.kubectl(&["get", "deployment", "--namespace", "lws-system", "lws-controller-manager"]).is_ok()
        );
        server.fail(Some((PACKAGE, FileFault::Slow { millis: 300 })));
        apply(ground).exits(0);
        assert_eq!(ground.changed(), ["platform/release/metrics-server"]);
        ground.all_deployed();
        // The repository is gone for good, and somebody uninstalls: the package is here.
        server.served();
        drop(server);
        ground.by_hand(&["uninstall", "metrics-server", "--namespace", "metrics-server"]);
        apply(ground).exits(0);
        assert_eq!(ground.changed(), ["platform/release/metrics-server"]);
        ground.all_deployed();
        ground.plan_is_empty();
    });
}
