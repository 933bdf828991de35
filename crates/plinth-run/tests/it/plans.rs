//! Small plans.

use indexmap::IndexMap;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::plan::{Answer, Change, Condition, Gate, MadeFrom};
use plinth_model::steps::{
    AcceptanceCheck, Check, Credential, KubesprayRecovery, KubesprayRelease, KubesprayRemoval, KubesprayRun,
    KubespraySource, NodeLabels, NodePrepare, NodeReady, NodeTarget, Preparation, Removal, RunInputs, RunaiApi,
    RunaiRegister, RunaiTarget,
};
use plinth_model::{Digest, NodeName, Plan, SecretRef, SiteName, Step, StepId, Version, Work};
use std::net::Ipv4Addr;

pub fn id(text: &str) -> StepId {
    StepId::try_from(text.to_owned()).unwrap()
}

pub fn gate(text: &str) -> GateId {
    text.parse().unwrap()
}

fn version() -> Version {
    "v1.31.9".parse().unwrap()
}

fn work(id: &StepId) -> Work {
    let name = id.to_string();
    let node = || NodeName::new(id.target()).unwrap();
    match (id.area(), id.verb()) {
        ("nodes", _) => prepare(node(), name),
        ("kubernetes", "deploy") => deploy(),
        ("kubernetes", "wait") => Work::NodeReady(NodeReady { node: node(), version: None }),
        ("kubernetes", _) => labels(node(), name),
        ("runai", "register") => register(name),
        ("checks", _) => Work::AcceptanceCheck(AcceptanceCheck {
            check: Check::GpuPod { node: node(), image: String::new(), resource: "nvidia.com/gpu".to_owned() },
        }),
        _ => Work::KubespraySource(KubespraySource { release: KubesprayRelease { source: name, ..kubespray().0 } }),
    }
}

fn prepare(node: NodeName, module: String) -> Work {
    let target = NodeTarget {
        node,
        address: Ipv4Addr::LOCALHOST,
        port: 22,
        user: "plinth".to_owned(),
        credential: Credential::Agent,
        legacy_keys: false,
        jump: None,
    };
    Work::NodePrepare(NodePrepare { target, wanted: Preparation { modules: vec![module], ..Preparation::default() } })
}

fn register(cluster: String) -> Work {
    let target = RunaiTarget {
        url: "https://runai.test".to_owned(),
        address: None,
        realm: "runai".to_owned(),
        admin: "admin@runai.test".to_owned(),
        password: SecretRef::Env("PASSWORD".to_owned()),
        authority: None,
        cluster,
        authority_text: None,
        cluster_url: None,
        version: version(),
        api: RunaiApi::default(),
    };
    Work::RunaiRegister(RunaiRegister { target, release: None })
}

fn labels(node: NodeName, taint: String) -> Work {
    Work::NodeLabels(NodeLabels { node, labels: IndexMap::new(), taints: vec![taint] })
}

fn kubespray() -> (KubesprayRelease, RunInputs) {
    let text = String::new;
    let release = KubesprayRelease {
        tag: version(),
        source: text(),
        commit: text(),
        tree: text(),
        python: text(),
        ansible_core: text(),
        ansible: text(),
    };
    let parts = RunInputs { tag: version(), version: version(), variables: Digest::of(""), hosts: IndexMap::new() };
    (release, parts)
}

fn deploy() -> Work {
    let (release, parts) = kubespray();
    Work::KubesprayRun(KubesprayRun { release, targets: Vec::new(), parts, without: Vec::new(), removes_docker: false })
}

/// Takes Kubernetes away.
pub fn removal(removal: Removal) -> Work {
    let (release, parts) = kubespray();
    Work::KubesprayRemoval(KubesprayRemoval { release, targets: Vec::new(), removal, parts })
}

/// Brings a member back.
pub fn recovery() -> Work {
    let (release, parts) = kubespray();
    let broken = vec![NodeName::new("n0").unwrap()];
    Work::KubesprayRecovery(KubesprayRecovery { release, targets: Vec::new(), broken, parts })
}

/// A step by its id: `nodes/...` and `checks/...` touch the node they name, `kubernetes/deploy/...` is exclusive.
pub fn step(text: &str, needs: &[&str]) -> Step {
    let id = id(text);
    Step {
        work: work(&id),
        needs: needs.iter().map(|need| self::id(need)).collect(),
        reason: "a test wants it".into(),
        change: Change::Apply { diff: Vec::new() },
        when: None,
        id,
    }
}

pub fn plan(steps: Vec<Step>) -> Plan {
    let made_from = MadeFrom {
        site: Digest::of("site"),
        inventory: Digest::of("inventory"),
        catalog: Digest::of("catalog"),
        plinth: "0".to_owned(),
        without: Vec::new(),
    };
    let site = SiteName::new("basepod-a").unwrap();
    let mut plan = Plan {
        schema: plinth_model::plan::SCHEMA,
        hash: Digest::of(""),
        site,
        made_from,
        steps,
        gates: Vec::new(),
        findings: Vec::new(),
        expected: None,
    };
    plan.hash = plan.content_hash();
    plan
}

/// Facts open a storage gate on which a relocation depends.
pub fn gated() -> Plan {
    let mut relocate = step("nodes/storage/a", &["nodes/facts/a"]);
    relocate.when = Some(Condition { gate: gate("storage/a"), answer: GateAnswer::RELOCATE });
    let mut plan = plan(vec![step("nodes/facts/a", &[]), relocate, step("nodes/registries/a", &["nodes/storage/a"])]);
    let answer = |answer| Answer { answer, meaning: String::new() };
    plan.gates.push(Gate {
        id: gate("storage/a"),
        question: "is the disk large enough?".to_owned(),
        opened_by: id("nodes/facts/a"),
        answers: vec![answer(GateAnswer::FITS), answer(GateAnswer::RELOCATE)],
    });
    plan.hash = plan.content_hash();
    plan
}

/// Per node connect, account, registries; then one deploy; then one ready per node, a release and a check.
pub fn site(nodes: usize) -> Plan {
    let mut steps = Vec::new();
    let mut last = Vec::new();
    for n in 0..nodes {
        let [connect, account, registries] =
            ["connect", "account", "registries"].map(|verb| format!("nodes/{verb}/n{n}"));
        steps.push(step(&connect, &[]));
        steps.push(step(&account, &[&connect]));
        steps.push(step(&registries, &[&account]));
        last.push(registries);
    }
    let last: Vec<&str> = last.iter().map(String::as_str).collect();
    steps.push(step("kubernetes/deploy/s", &last));
    for n in 0..nodes {
        steps.push(step(&format!("kubernetes/ready/n{n}"), &["kubernetes/deploy/s"]));
    }
    steps.push(step("runai/register/c", &["kubernetes/deploy/s"]));
    steps.push(step("checks/gpu-pod/n0", &["runai/register/c", "kubernetes/ready/n0"]));
    plan(steps)
}
