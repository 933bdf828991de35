//! The check that Run:ai's scheduler places a training: the real client against a simulated control plane, over real TLS.

use crate::runai_stand::{CLUSTER, Stand, setup};
use async_trait::async_trait;
use plinth_check::workload;
use plinth_model::Verdict;
use plinth_model::steps::{Check, OrgUnit};
use plinth_world::runai::{RunaiClient, RunaiTraining};
use plinth_world::{ClientResult, Clock, Context, SystemClock};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const IMAGE: &str = "nvcr.io/nvidia/cuda:13.0.0-base-ubi9";

/// The machine's time; waits are counted and take none of it.
#[derive(Default)]
struct Hasty {
    clock: SystemClock,
    slept: Mutex<Duration>,
}

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }
    fn elapsed(&self) -> Duration {
        self.clock.elapsed() + *self.slept.lock().unwrap()
    }
    async fn sleep(&self, duration: Duration) {
        *self.slept.lock().unwrap() += duration;
        tokio::task::yield_now().await;
    }
}

/// A control plane of this release with a registered cluster and, if wanted, a project.
async fn stand(release: &str, with_project: bool) -> Stand {
    let stand = Stand::of(setup(release), vec![]);
    let uuid = stand.server.registered_by_hand(CLUSTER);
    if with_project {
        let department = OrgUnit { name: "research".to_owned(), department: None, gpus: 8 };
        let project = OrgUnit { name: "team-a".to_owned(), department: Some("research".to_owned()), gpus: 8 };
        for unit in [&department, &project] {
            stand.client.make_org_unit(&stand.ctx, &stand.target, &uuid, unit).await.unwrap();
        }
    }
    stand
}

async fn checked(stand: &Stand, project: &str) -> ClientResult<Verdict> {
    let ctx = Context::quiet(Arc::new(Hasty::default()));
    let target = stand.target.clone();
    let check = Check::RunaiWorkload {
        target: Box::new(target.clone()),
        project: project.to_owned(),
        gpus: 1,
        image: IMAGE.to_owned(),
    };
    let said = workload::check(&ctx, &stand.client, &check, &target, (project, 1, IMAGE)).await;
    assert_eq!(stand.server.trainings(), Vec::<serde_json::Value>::new(), "it is removed, whatever came of it");
    assert_eq!(stand.server.unexpected(), Vec::<String>::new());
    said
}

fn evidence(verdict: Verdict) -> Vec<String> {
    let Verdict::Fail { finding } = verdict else { panic!("it must not hold: {verdict:?}") };
    assert_eq!(finding.code, "runai.workload-does-not-run");
    finding.evidence
}

#[tokio::test]
async fn a_training_that_is_placed_holds_in_every_line_of_versions() {
    for line in ["2.18", "2.19", "2.21", "2.24", "3.0"] {
        let stand = stand(line, true).await;
        let verdict = checked(&stand, "team-a").await.unwrap();
        let Verdict::Pass { evidence } = verdict else { panic!("{line}: {verdict:?}") };
        assert_eq!(evidence, ["a training of project team-a that asks for 1 GPU is Running"], "{line}");
        assert_eq!((stand.count("start-training"), stand.count("end-training")), (1, 1), "{line}");
    }
    // It ended before it was looked at.
    let stand = stand("2.21", true).await;
    stand.server.schedules("Completed", "");
    assert!(matches!(checked(&stand, "team-a").await.unwrap(), Verdict::Pass { .. }));
}

#[tokio::test]
async fn what_the_scheduler_says_is_in_the_verdict() {
    let stand = stand("2.21", true).await;
    stand.server.schedules("Pending", "Not enough resources in the requested nodepool");
    let Verdict::Skip { reason } = checked(&stand, "team-a").await.unwrap() else {
        panic!("it is no failure of Run:ai")
    };
    assert!(reason.starts_with("a training of project team-a that asks for 1 GPU is Pending; "), "{reason}");
    assert!(reason.contains("Not enough resources in the requested nodepool"), "{reason}");
    stand.server.schedules("Pending", "the webhook of the operator does not answer");
    let lines = evidence(checked(&stand, "team-a").await.unwrap());
    assert!(lines[0].ends_with("is Pending") && lines[1].contains("webhook"), "{lines:?}");
    stand.server.schedules("Failed", "ImagePullBackOff");
    let lines = evidence(checked(&stand, "team-a").await.unwrap());
    assert!(lines[0].ends_with("is Failed") && lines[1].contains("ImagePullBackOff"), "{lines:?}");
}

#[tokio::test]
async fn a_project_that_is_not_there_is_told() {
    let with = stand("2.21", true).await;
    let lines = evidence(checked(&with, "team-b").await.unwrap());
    assert_eq!(lines, [format!("there is no project team-b in cluster {CLUSTER}")]);
    let without = stand("2.21", false).await;
    let lines = evidence(checked(&without, "team-a").await.unwrap());
    assert_eq!(lines, [format!("there is no project team-a in cluster {CLUSTER}")]);
    let nobody = Stand::of(setup("2.21"), vec![]);
    let lines = evidence(checked(&nobody, "team-a").await.unwrap());
    assert_eq!(lines, [format!("0 clusters are named `{CLUSTER}`; exactly one should be")]);
}

#[tokio::test]
async fn what_a_killed_check_left_goes_before_the_next_begins() {
    let stand = stand("2.21", true).await;
    let uuid = &stand.server.entries(CLUSTER)[0];
    let project = stand.client.projects(&stand.ctx, &stand.target, uuid).await.unwrap().remove(0);
    let left = RunaiTraining {
        name: workload::NAME.to_owned(),
        image: IMAGE.to_owned(),
        script: "echo \"it's left\"".to_owned(),
        gpus: 1,
    };
    stand.client.start_training(&stand.ctx, &stand.target, (uuid, &project.id), &left).await.unwrap();
    let spec = stand.server.trainings().remove(0);
    assert_eq!((&spec["compute"]["gpuDevicesRequest"], &spec["command"]), (&1.into(), &"sh".into()), "{spec}");
    assert_eq!(spec["args"], r#"-c 'echo "it'\''s left"'"#, "{spec}");
    let verdict = checked(&stand, "team-a").await.unwrap();
    assert!(matches!(verdict, Verdict::Pass { .. }), "{verdict:?}");
    assert_eq!(stand.count("end-training"), 2);
}
