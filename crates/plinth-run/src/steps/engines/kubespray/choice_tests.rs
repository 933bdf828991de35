#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use plinth_model::Digest;

const CONTROL: &[&str] = &["kube_control_plane", "etcd"];
const WORKER: &[&str] = &["kube_node"];

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn host(name: &str, groups: &[&str]) -> (NodeName, HostInputs) {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    (node(name), HostInputs { groups, variables: Digest::of(name) })
}

fn inputs(tag: &str, version: &str, workers: &[&str]) -> RunInputs {
    let hosts = std::iter::once(host("cpu-01", CONTROL)).chain(workers.iter().map(|name| host(name, WORKER)));
    RunInputs {
        tag: tag.parse().unwrap(),
        version: version.parse().unwrap(),
        variables: Digest::of("variables"),
        hosts: hosts.collect(),
    }
}

fn usual() -> RunInputs {
    inputs("v2.27.1", "v1.31.9", &["dgx-01", "dgx-02"])
}

fn after(last: RunInputs) -> KubesprayRecord {
    KubesprayRecord { last: Some(last), begun: None, at: None }
}

fn unfinished_play(last: Option<RunInputs>, play: Play) -> KubesprayRecord {
    KubesprayRecord { last, begun: Some(Begun { play, inputs: usual(), since: None }), at: None }
}

fn nobody() -> BTreeMap<NodeName, Sight> {
    BTreeMap::new()
}

/// The play that is chosen; none: nothing.
fn play(deployed: &KubesprayRecord, wanted: &RunInputs, seen: &BTreeMap<NodeName, Sight>) -> Option<Play> {
    match choose(deployed, wanted, seen, None).unwrap() {
        Choice::Nothing => None,
        Choice::Anew(lines) => panic!("anew: {lines:?}"),
        Choice::Run(play, lines) => {
            assert!(!lines.is_empty());
            Some(play)
        }
    }
}

#[test]
fn an_upgrade_leaves_no_member_behind() {
    let out = [node("dgx-02")];
    let mut wanted = inputs("v2.28.0", "v1.32.5", &["dgx-01"]);
    let finding = left_behind(&usual(), &wanted, &out).unwrap();
    assert_eq!(finding.code, code::KUBESPRAY_TWO_CHANGES_AT_ONCE);
    assert_eq!(left_behind(&wanted.clone(), &wanted, &out), None, "it never was a member");
    wanted = inputs("v2.27.1", "v1.31.9", &["dgx-01"]);
    assert_eq!(left_behind(&usual(), &wanted, &out), None, "the version stays");
}

#[test]
fn the_smallest_play_is_chosen() {
    let scale = |nodes: &[&str]| Some(Play::Scale { nodes: nodes.iter().map(|name| node(name)).collect() });
    let variables = RunInputs { variables: Digest::of("others"), ..usual() };
    let mut moved = usual();
    moved.hosts[1].variables = Digest::of("another place for images");
    let mut promoted = usual();
    promoted.hosts[2].groups = vec!["kube_control_plane".to_owned()];
    let mut more_control = usual();
    more_control.hosts.extend([host("cpu-02", CONTROL), host("cpu-03", CONTROL)]);
    let mut both = variables.clone();
    both.hosts.extend([host("dgx-03", WORKER)]);
    let newer = inputs("v2.28.1", "v1.31.9", &["dgx-01", "dgx-02"]);
    let cases: [(&str, KubesprayRecord, RunInputs, Option<Play>); 14] = [
        ("first", KubesprayRecord::default(), usual(), Some(Play::Cluster)),
        ("first, begun", unfinished_play(None, Play::Cluster), usual(), Some(Play::Cluster)),
        ("the same", after(usual()), usual(), None),
        ("a worker more", after(inputs("v2.27.1", "v1.31.9", &["dgx-01"])), usual(), scale(&["dgx-02"])),
        ("two more", after(inputs("v2.27.1", "v1.31.9", &[])), usual(), scale(&["dgx-01", "dgx-02"])),
        ("control plane more", after(usual()), more_control, Some(Play::Cluster)),
        ("variables", after(usual()), variables, Some(Play::Cluster)),
        ("a host's variables", after(usual()), moved, Some(Play::Cluster)),
        ("another role", after(usual()), promoted, Some(Play::Cluster)),
        ("a worker more and variables", after(usual()), both, Some(Play::Cluster)),
        ("patch", after(inputs("v2.27.1", "v1.31.8", &["dgx-01", "dgx-02"])), usual(), Some(Play::Upgrade)),
        ("minor", after(inputs("v2.27.1", "v1.30.13", &["dgx-01", "dgx-02"])), usual(), Some(Play::Upgrade)),
        ("release line", after(usual()), newer, Some(Play::Upgrade)),
        ("unfinished", unfinished_play(Some(usual()), Play::Cluster), usual(), Some(Play::Cluster)),
    ];
    for (case, deployed, wanted, expected) in cases {
        assert_eq!(play(&deployed, &wanted, &nobody()), expected, "{case}");
    }
}

#[test]
fn an_unfinished_upgrade_goes_on_as_one_and_any_other_play_is_a_full_run() {
    let old = inputs("v2.27.1", "v1.30.13", &["dgx-01", "dgx-02"]);
    let upgrade = unfinished_play(Some(old), Play::Upgrade);
    assert_eq!(play(&upgrade, &usual(), &nobody()), Some(Play::Upgrade));
    let scale = unfinished_play(Some(usual()), Play::Scale { nodes: vec![node("dgx-02")] });
    assert_eq!(play(&scale, &usual(), &nobody()), Some(Play::Cluster));
    let Choice::Run(_, lines) = choose(&scale, &usual(), &nobody(), None).unwrap() else { panic!("nothing") };
    assert_eq!(lines, ["! an earlier scale.yml did not end", "→ cluster.yml: a full run is how Kubespray resumes"]);
}

#[test]
fn what_cannot_be_gone_on_with_begins_anew() {
    let anew = |play: Play, stillborn: Option<&NodeName>| match choose(
        &unfinished_play(None, play),
        &usual(),
        &nobody(),
        stillborn,
    )
    .unwrap()
    {
        Choice::Anew(lines) => lines,
        other => panic!("{other:?}"),
    };
    let host = node("cpu-01");
    let lines = anew(Play::Cluster, Some(&host));
    assert!(lines[2].starts_with("! kubeadm broke off on cpu-01"), "{lines:?}");
    let lines = anew(Play::Reset, None);
    let told = ["! an earlier reset.yml did not end", "→ reset.yml, then cluster.yml: the reset is finished first"];
    assert_eq!(lines[1..], told);
}

#[test]
fn what_the_cluster_says_counts_and_what_it_cannot_say_does_not() {
    let seen = |dgx: Sight, cpu: Sight| BTreeMap::from([(node("dgx-02"), dgx), (node("cpu-01"), cpu)]);
    let member = || Sight::Member("v1.31.9".parse().unwrap());
    assert_eq!(play(&after(usual()), &usual(), &seen(member(), member())), None);
    let lost = play(&after(usual()), &usual(), &seen(Sight::Gone, member()));
    assert_eq!(lost, Some(Play::Scale { nodes: vec![node("dgx-02")] }));
    assert_eq!(play(&after(usual()), &usual(), &seen(member(), Sight::Gone)), Some(Play::Cluster));
    let anew = play(&after(usual()), &usual(), &seen(Sight::Bare, member()));
    assert_eq!(anew, Some(Play::Scale { nodes: vec![node("dgx-02")] }), "BCM re-imaged a worker");
}

#[test]
fn what_no_play_can_do_is_refused() {
    let refused = |deployed: KubesprayRecord, wanted: &RunInputs, seen: &BTreeMap<NodeName, Sight>| {
        let finding = choose(&deployed, wanted, seen, None).unwrap_err();
        assert!(!finding.fix.is_empty() && !finding.evidence.is_empty(), "{finding:?}");
        finding.code
    };
    let workers = ["dgx-01", "dgx-02"];
    let old = |tag: &str, version: &str| after(inputs(tag, version, &workers));
    let mut other_first = usual();
    other_first.hosts.shift_insert(0, node("cpu-00"), host("cpu-00", CONTROL).1);
    let behind = BTreeMap::from([(node("dgx-01"), Sight::Member("v1.29.1".parse().unwrap()))]);
    let ahead = BTreeMap::from([(node("dgx-01"), Sight::Member("v1.32.0".parse().unwrap()))]);
    let bare = BTreeMap::from([(node("cpu-01"), Sight::Bare)]);
    let recovery = Play::Recover { nodes: vec![node("cpu-01")], reset: Vec::new() };
    let one = inputs("v2.27.1", "v1.31.9", &["dgx-01"]);
    let cases = [
        (after(usual()), one, nobody(), "kubespray.host-left"),
        (after(usual()), other_first, nobody(), "kubespray.first-host-moved"),
        (old("v2.27.1", "v1.32.1"), usual(), nobody(), "kubespray.downgrade"),
        (old("v2.28.1", "v1.31.9"), usual(), nobody(), "kubespray.downgrade"),
        (old("v2.27.1", "v1.29.1"), usual(), nobody(), "kubespray.upgrade-too-far"),
        (old("v2.25.1", "v1.31.9"), usual(), nobody(), "kubespray.upgrade-too-far"),
        (old("v2.27.1", "v1.30.1"), usual(), behind, "kubespray.version-skew"),
        (after(usual()), usual(), ahead, "kubespray.version-skew"),
        (after(inputs("v2.27.1", "v1.30.1", &["dgx-01"])), usual(), nobody(), "kubespray.two-changes-at-once"),
        (after(usual()), usual(), bare, "kubespray.control-plane-lost"),
        (unfinished_play(Some(usual()), recovery), usual(), nobody(), "kubespray.recovery-unfinished"),
        (unfinished_play(Some(usual()), Play::Reset), usual(), nobody(), "kubespray.removal-unfinished"),
    ];
    for (deployed, wanted, seen, code) in cases {
        assert_eq!(refused(deployed, &wanted, &seen), code);
    }
}

#[test]
fn a_record_whose_versions_cannot_be_read_is_no_record() {
    let mut record = serde_json::to_value(after(usual())).unwrap();
    for field in ["tag", "version"] {
        let good = std::mem::replace(&mut record["last"][field], "main".into());
        assert!(
            serde_json::from_value::<KubesprayRecord>(record.clone()).is_err(),
            "{field} would stand in no way back"
        );
        record["last"][field] = good;
    }
    assert!(serde_json::from_value::<KubesprayRecord>(record).is_ok());
}
