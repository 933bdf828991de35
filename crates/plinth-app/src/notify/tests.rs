use super::format::body;
use super::*;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::run::{Counts, RunHead, StepState};
use plinth_model::{Digest, EventBody, Outcome, SecretRef, SiteName, Stage, StepId};
use plinth_site::desired::{Occasion, WebhookFormat};
use plinth_world::secrets::MemorySecrets;
use serde_json::Value;
use std::time::Duration;

fn event(seq: u64, body: EventBody) -> Event {
    Event { seq, after: None, at: jiff::Timestamp::UNIX_EPOCH, body }
}

fn began() -> Event {
    let head = RunHead {
        verb: "apply".into(),
        steps: 97,
        hosts: 5,
        ..RunHead::new("run-1", Digest::of(""), SiteName::new("lab").unwrap())
    };
    event(1, EventBody::RunStarted(head))
}

fn failed(seq: u64, node: &str, detail: &str) -> Event {
    let step = StepId::try_from(format!("nodes/downloads/{node}")).unwrap();
    event(
        seq,
        EventBody::StepFinished {
            step,
            stage: Stage::Nodes,
            node: None,
            outcome: StepState::Failed,
            seconds: 1.0,
            detail: detail.into(),
            finding: None,
            digest: None,
            installed: None,
            attempts: 1,
            failure: None,
            held_by: None,
        },
    )
}

fn ended() -> Event {
    let (counts, next) = (Counts { changed: 3, failed: 2, ..Counts::default() }, vec!["run it again".to_owned()]);
    event(99, EventBody::RunFinished { outcome: Outcome::Partly, exit: 4, counts, seconds: 61.0, next, digest: None })
}

fn collector() -> Collector {
    let secrets = MemorySecrets::default();
    let token = SecretRef::Env("TOKEN".into());
    secrets.keep(&token, &plinth_model::Secret::new("s3cr3t-token".into())).unwrap();
    secrets.get(&token).unwrap();
    Collector::new(Arc::new(secrets))
}

fn hook(name: &str) -> Webhook {
    Webhook {
        name: name.into(),
        url: SecretRef::Env("URL".into()),
        format: WebhookFormat::Json,
        key: None,
        on: Vec::new(),
        ca_file: None,
    }
}

#[tokio::test]
async fn a_thousand_failures_of_a_minute_are_two_messages() {
    let mut collector = collector();
    let now = Instant::now();
    assert_eq!(collector.take(&began(), now).len(), 1);
    let mut told = 0;
    for n in 0..1_000 {
        told += collector
            .take(&failed(2 + n, &format!("dgx-{n}"), "no route to host"), now + Duration::from_millis(n))
            .len();
    }
    assert_eq!(told, 1, "the first is told at once");
    assert!(collector.due().is_some_and(|due| due > now + Duration::from_secs(50)));
    let gate = |n: u64| {
        let node = plinth_model::NodeName::new(&format!("dgx-{n}")).unwrap();
        event(n, EventBody::GateOpened { gate: GateId::storage(&node), answer: GateAnswer::RELOCATE, by: None })
    };
    let told: usize = (0..40).map(|n| collector.take(&gate(2_000 + n), now).len()).sum();
    assert_eq!(told, 1);
    let rest = collector.take(&ended(), now + Duration::from_secs(2));
    let briefs: Vec<&str> = rest.iter().map(|notice| notice.brief.as_str()).collect();
    assert_eq!(
        briefs,
        [
            "lab apply: 999 steps failed",
            "lab apply: 39 gates opened",
            "lab apply: not done after 1 min 01 s: 3 changed, 2 failed"
        ]
    );
    assert_eq!(rest[0].lines.last().unwrap(), "and 994 more");
    assert_eq!(rest[1].lines, ["storage: relocate, 39 times"]);
    assert_eq!((rest[2].exit, rest[2].lines.as_slice()), (Some(4), &["run it again".to_owned()][..]));
    assert_eq!(collector.due(), None);
}

#[tokio::test]
async fn text_of_others_is_text_in_every_form_and_within_the_limits() {
    let mut collector = collector();
    let now = Instant::now();
    collector.take(&began(), now);
    let evil = format!("<!channel> *x* [a](http://x) s3cr3t-token \u{202e}\u{1b}[31m {}", "&".repeat(10_000));
    let notice = collector.take(&failed(2, "dgx-1", &evil), now).remove(0);
    let json: Value = serde_json::from_slice(&body(&notice, WebhookFormat::Json)).unwrap();
    assert_eq!(
        (json["type"].as_str(), json["schema"].as_u64(), json["seq"].as_u64()),
        (Some("run.failure"), Some(1), Some(2))
    );
    for format in [WebhookFormat::Json, WebhookFormat::Slack, WebhookFormat::Teams] {
        let bytes = body(&notice, format);
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(bytes.len() < 13_000, "{} bytes", bytes.len());
        assert!(!text.contains("s3cr3t-token") && !text.contains('\u{202e}') && !text.contains("\\u001b"), "{text}");
    }
    let slack: Value = serde_json::from_slice(&body(&notice, WebhookFormat::Slack)).unwrap();
    let section = slack["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(
        section.chars().count() <= 3_000 && !section.contains("<!channel>") && !section.contains("*x*"),
        "{section}"
    );
    assert!(slack["blocks"].as_array().unwrap().len() <= 50);
    let teams: Value = serde_json::from_slice(&body(&notice, WebhookFormat::Teams)).unwrap();
    let card = &teams["attachments"][0]["content"];
    assert_eq!(card["body"][1]["type"], "RichTextBlock", "no markup is read in it");
}

#[test]
fn the_queue_keeps_order_forgets_what_is_old_and_says_what_is_left() {
    let state = tempfile::tempdir().unwrap();
    let queue = Queue::of(state.path(), "ops");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let notices = runtime.block_on(async {
        let mut collector = collector();
        let mut all = collector.take(&began(), Instant::now());
        all.extend(collector.take(&ended(), Instant::now()));
        all
    });
    notices.iter().rev().for_each(|notice| queue.put(notice).unwrap());
    let now = jiff::Timestamp::now();
    assert_eq!(queue.waiting(now), notices, "in the order in which they were made");
    queue.failed("nobody listens there");
    let left = undelivered(state.path());
    assert_eq!(left[0].sentence(), "webhook ops: 2 messages kept for the next run: nobody listens there");
    queue.delivered(&notices[0].id);
    assert_eq!(undelivered(state.path())[0].why, None, "the trouble is over");
    let later = now.checked_add(jiff::SignedDuration::from_hours(25)).unwrap();
    assert_eq!(queue.waiting(later), []);
    let left = undelivered(state.path());
    assert_eq!((left[0].waiting, left[0].refused), (0, 1), "{left:?}");
    assert!(hook("ops").wants(Occasion::Gate));
    let only = Webhook { on: vec![Occasion::Finish], ..hook("ops") };
    assert!(only.wants(Occasion::Finish) && !only.wants(Occasion::Start));
}
