use crate::rack::{
    NODES, SEED, account, elapsed, everything, kubernetes, options, prepare_node, prepare_nodes, run, scenario, secret,
    start,
};
use plinth_model::SecretRef;
use plinth_sim::{Scenario, SimOptions, SimSecrets, Simulation};
use plinth_world::secrets::Secrets;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

fn log(dir: &Path) -> String {
    std::fs::read_to_string(dir.join(plinth_sim::world::FILE)).unwrap()
}

/// A line without its time.
fn effect(line: &str) -> serde_json::Value {
    let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
    value.as_object_mut().unwrap().remove("at");
    value
}

fn error(options: SimOptions) -> String {
    Simulation::start(options).err().expect("the world must be refused").to_string()
}

#[test]
fn the_next_process_finds_the_world_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(Some(dir.path()), &[]);
    run(&first, prepare_nodes(&first)).unwrap();
    let (snapshot, records, now) = (first.snapshot(), first.records(), first.context().clock().now());
    drop(first);
    let second = start(Some(dir.path()), &[]);
    assert_eq!(second.snapshot(), snapshot);
    assert_eq!(second.records(), records);
    assert_eq!(second.context().clock().now(), now);
    assert!(second.notes().is_empty());
}

#[test]
fn every_prefix_of_the_log_is_a_world_from_which_the_job_ends_alike() {
    let dir = tempfile::tempdir().unwrap();
    let whole = start(Some(dir.path()), &[]);
    run(&whole, everything(&whole)).unwrap();
    let (wanted, text) = (whole.snapshot(), log(dir.path()));
    let lines: Vec<&str> = text.lines().collect();
    for cut in (1..lines.len()).step_by(9) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(plinth_sim::world::FILE), format!("{}\n", lines[..cut].join("\n"))).unwrap();
        let again = start(Some(dir.path()), &[]);
        run(&again, everything(&again)).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        assert_eq!(again.snapshot(), wanted, "cut at {cut}");
        assert_eq!(again.count("cluster-registered"), 1, "cut at {cut}");
    }
}

#[test]
fn a_line_that_was_cut_off_did_not_happen() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(Some(dir.path()), &[]);
    run(&first, prepare_node(&first, "cpu-03")).unwrap();
    let (records, whole) = (first.records(), log(dir.path()));
    drop(first);
    let file = dir.path().join(plinth_sim::world::FILE);
    std::fs::write(&file, &whole[..whole.len() - 10]).unwrap();
    let second = start(Some(dir.path()), &[]);
    assert_eq!(second.records(), records - 1);
    assert!(second.notes()[0].contains("cut off"), "{:?}", second.notes());
    run(&second, prepare_node(&second, "cpu-03")).unwrap();
    drop(second);
    let (again, first): (Vec<_>, Vec<_>) =
        (log(dir.path()).lines().map(effect).collect(), whole.lines().map(effect).collect());
    assert_eq!(again, first, "the cut line is written again, nothing is left of its first half");
}

#[test]
fn worlds_that_do_not_fit_are_refused() {
    let header = format!("{{\"schema\":1,\"seed\":{SEED}}}\n");
    for (content, wanted) in [
        (format!("{{\"schema\":2,\"seed\":{SEED}}}\n"), "schema 2"),
        ("{\"schema\":1,\"seed\":99}\n".to_owned(), "seed 99"),
        ("not json\n".to_owned(), "line 1"),
        (format!("{header}{{\"seq\":1,\"at\":\"2026-01-05T08:00:00Z\",\"effect\":\"from-the-future\"}}\n"), "line 2"),
        (format!("{header}{{\"seq\":5,\"at\":\"2026-01-05T08:00:00Z\",\"effect\":\"time-passed\"}}\n"), "record 5"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(plinth_sim::world::FILE), &content).unwrap();
        let message = error(options(Some(dir.path()), &[]));
        assert!(message.contains(wanted) && message.contains("try "), "{content}: {message}");
        assert_eq!(log(dir.path()), content, "a refused world is left as it was");
    }
}

#[test]
fn what_was_seen_once_is_seen_by_the_next_process_too() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(Some(dir.path()), &[]);
    run(&first, async {
        prepare_nodes(&first).await.unwrap();
        kubernetes(&first).await.unwrap();
    });
    drop(first);
    let second = start(Some(dir.path()), &[]);
    let ctx = second.context();
    for node in crate::rack::nodes() {
        let seen = run(&second, second.clients.kube.node(&ctx, &node)).unwrap();
        assert!(seen.as_ref().unwrap().ready, "{node}");
    }
}

#[test]
fn one_seed_gives_one_world_and_one_duration() {
    let both = [start(None, &[]), start(None, &[])];
    for sim in &both {
        run(sim, everything(sim)).unwrap();
    }
    assert_eq!(both[0].snapshot(), both[1].snapshot());
    assert_eq!(elapsed(&both[0]), elapsed(&both[1]));
    let minutes = elapsed(&both[0]).as_secs() / 60;
    assert!((15..60).contains(&minutes), "the main job takes {minutes} virtual minutes");
}

#[test]
fn other_seeds_give_other_machines() {
    let make = |seed| {
        let addresses = NODES.into_iter().zip(1..).map(|(n, i)| (crate::rack::name(n), [10, 0, 0, i].into())).collect();
        let inventory = plinth_model::inventory::Inventory {
            schema: 1,
            source: String::new(),
            nodes: Vec::new(),
            networks: Vec::new(),
            categories: Vec::new(),
            overlays: plinth_model::Observed::Absent,
        };
        Scenario::from_inventory(&inventory, &addresses, &BTreeSet::new(), seed)
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
}

#[test]
fn a_snapshot_has_no_times() {
    let sim = start(None, &[]);
    run(&sim, everything(&sim)).unwrap();
    let text = sim.snapshot().to_string();
    assert!(!text.contains("2026-"), "{text}");
    assert!(!text.contains("SHA256:"), "{text}");
}

#[test]
fn no_secret_is_written_to_the_log_or_the_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let sim = start(Some(dir.path()), &["node:dgx-05:drop@account"]);
    run(&sim, async {
        assert!(prepare_node(&sim, "dgx-05").await.is_err());
        everything(&sim).await.unwrap();
    });
    let generated = |name: &str| SecretRef::Generated(name.to_owned());
    let references = [
        secret("BOOTSTRAP_PASSWORD"),
        secret("RUNAI_ADMIN_PASSWORD"),
        secret("RUNAI_REGISTRY_TOKEN"),
        account().key,
        generated("runai-client-secret"),
        generated("runai-cluster-uid"),
    ];
    let mut written = sim.snapshot().to_string();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        write!(written, "{}", std::fs::read_to_string(path).unwrap()).unwrap();
    }
    assert!(written.contains("secret-kept"), "the search looks at the log");
    let mut values = BTreeSet::new();
    for reference in &references {
        let value = sim.secrets.get(reference).unwrap();
        assert_eq!(value.expose(), SimSecrets::synthetic(SEED, reference).expose());
        assert!(!written.contains(value.expose()), "{reference}");
        assert_eq!(sim.secrets.redact(&format!("a {} b", value.expose())), "a [secret] b");
        values.insert(value.expose().to_owned());
    }
    assert_eq!(values.len(), references.len(), "each reference has its own value");
    assert!(!written.contains("rehearsal-"), "nothing made up is written");
}

#[test]
fn kept_secrets_come_back_and_only_generated_ones_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let reference = SecretRef::Generated("grafana-admin-password".to_owned());
    let value = plinth_model::Secret::new("made elsewhere".to_owned());
    let first = start(Some(dir.path()), &[]);
    first.secrets.keep(&reference, &value).unwrap();
    assert!(first.secrets.keep(&secret("X"), &value).is_err());
    drop(first);
    let second = start(Some(dir.path()), &[]);
    assert_eq!(second.secrets.get(&reference).unwrap().expose(), "made elsewhere");
    assert_eq!(second.count("secret-kept"), 1);
    assert!(!log(dir.path()).contains("made elsewhere"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = std::fs::read_dir(dir.path().join("rehearsal-secrets")).unwrap().next().unwrap().unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn what_is_forgotten_is_kept_no_longer_here_and_in_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let reference = SecretRef::Generated("runai-client-secret".to_owned());
    let value = plinth_model::Secret::new("made elsewhere".to_owned());
    let first = start(Some(dir.path()), &[]);
    let found = |sim: &Simulation| sim.secrets.find(&reference).unwrap().map(|value| value.expose().to_owned());
    assert_eq!(found(&first), None, "nobody learnt it yet");
    first.secrets.keep(&reference, &value).unwrap();
    assert_eq!(found(&first).as_deref(), Some("made elsewhere"));
    for _ in 0..2 {
        first.secrets.forget(&reference).unwrap();
        assert_eq!(found(&first), None);
    }
    assert!(first.secrets.forget(&secret("X")).is_err(), "it is somebody else's");
    drop(first);
    let second = start(Some(dir.path()), &[]);
    assert_eq!(found(&second), None);
    assert_ne!(second.secrets.get(&reference).unwrap().expose(), "made elsewhere");
    assert_eq!(second.count("secret-forgotten"), 1);
}

#[test]
fn a_machine_that_joins_the_site_later_is_put_in() {
    let dir = tempfile::tempdir().unwrap();
    let small: SimOptions = {
        let mut options = options(Some(dir.path()), &[]);
        let inventory = plinth_model::inventory::Inventory {
            schema: 1,
            source: String::new(),
            nodes: Vec::new(),
            networks: Vec::new(),
            categories: Vec::new(),
            overlays: plinth_model::Observed::Absent,
        };
        let one = [(crate::rack::name("cpu-03"), [10, 184, 162, 100].into())].into();
        options.scenario = Scenario::from_inventory(&inventory, &one, &BTreeSet::new(), SEED);
        options
    };
    let first = Simulation::start(small).unwrap();
    run(&first, prepare_node(&first, "cpu-03")).unwrap();
    drop(first);
    assert_eq!(scenario().nodes().count(), 5);
    let second = start(Some(dir.path()), &[]);
    assert_eq!(second.count("machine-installed"), 5);
    let snapshot = second.snapshot();
    assert_eq!(snapshot["machines"]["cpu-03"]["account"]["complete"], true, "what was done stays");
}

#[test]
fn the_log_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    drop(start(Some(dir.path()), &[]));
    let mode = dir.path().join("world.ndjson").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
