use super::format::body;
use super::*;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::run::{Counts, RunHead, StepEnd, StepState};
use plinth_model::{Digest, EventBody, Outcome, SecretRef, SiteName, Stage, StepId};
use plinth_net::webhook::Posted;
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
    let end = StepEnd {
        seconds: 1.0,
        detail: detail.into(),
        attempts: 1,
        ..StepEnd::new(step, Stage::Nodes, StepState::Failed)
    };
    event(seq, end.into())
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

/// Messages of a run, in their order.
async fn notices() -> Vec<Notice> {
    let mut collector = collector();
    let mut all = collector.take(&began(), Instant::now());
    all.extend(collector.take(&ended(), Instant::now()));
    all
}

fn left(state: &tempfile::TempDir) -> Vec<(usize, usize, Option<String>)> {
    undelivered(state.path()).into_iter().map(|left| (left.waiting, left.refused, left.why)).collect()
}

#[tokio::test]
async fn the_queue_keeps_order_forgets_what_is_old_and_says_what_is_left() {
    let (state, now) = (tempfile::tempdir().unwrap(), Timestamp::now());
    let queue = Queue::open(state.path(), "ops", now);
    let notices = notices().await;
    notices.iter().for_each(|notice| queue.put(notice.clone()).unwrap());
    let again = Queue::open(state.path(), "ops", now);
    assert_eq!(again.first(now).as_ref(), notices.first(), "in the order in which they were made");
    queue.failed("nobody listens there");
    assert_eq!(
        undelivered(state.path())[0].sentence(),
        "webhook ops: 2 messages kept for the next run: nobody listens there"
    );
    let alone = undelivered(state.path()).remove(0).with_no_next_run();
    assert_eq!(alone.what(), "2 messages not delivered: nobody listens there");
    queue.delivered(&notices[0].id);
    assert_eq!(left(&state), [(1, 0, None)], "the trouble is over");
    assert_eq!(queue.first(now).as_ref(), notices.last());
    // While the run goes on, not only when the next one begins.
    let later = now.checked_add(jiff::SignedDuration::from_hours(25)).unwrap();
    assert_eq!(queue.first(later), None);
    assert_eq!(left(&state), [(0, 1, Some("it was older than a day".into()))]);
    assert!(hook("ops").wants(Occasion::Gate));
    let only = Webhook { on: vec![Occasion::Finish], ..hook("ops") };
    assert!(only.wants(Occasion::Finish) && !only.wants(Occasion::Start));
}

#[tokio::test]
async fn what_was_refused_is_told_once_whatever_is_delivered_after_it() {
    let (state, now) = (tempfile::tempdir().unwrap(), Timestamp::now());
    let queue = Queue::open(state.path(), "ops", now);
    let notices = notices().await;
    notices.iter().for_each(|notice| queue.put(notice.clone()).unwrap());
    queue.refused(&notices[0].id, "the answer was 404");
    queue.failed("nobody listens there");
    queue.delivered(&notices[1].id);
    let refused = [(0, 1, Some("the answer was 404".to_owned()))];
    assert_eq!(left(&state), refused);
    // Of a run that was killed, the next one tells.
    drop(Queue::open(state.path(), "ops", now));
    assert_eq!(left(&state), refused);
    queue::told(state.path(), "ops");
    assert_eq!(left(&state), refused, "for `plinth status`");
    drop(Queue::open(state.path(), "ops", now));
    assert_eq!(left(&state), []);
}

#[tokio::test]
async fn one_too_many_waits_neither_on_the_disk_nor_in_memory() {
    let (state, now) = (tempfile::tempdir().unwrap(), Timestamp::now());
    let queue = Queue::open(state.path(), "ops", now);
    let one = notices().await.remove(0);
    for n in 0..=queue::MOST {
        queue.put(Notice { id: format!("{n:04}"), ..one.clone() }).unwrap();
    }
    assert_eq!(queue.first(now).unwrap().id, "0001");
    assert_eq!(left(&state), [(queue::MOST, 1, Some("too many wait".into()))]);
}

#[tokio::test]
async fn messages_of_a_webhook_that_the_site_no_longer_has_are_forgotten() {
    let state = tempfile::tempdir().unwrap();
    let (begins, notices) = (|name: &str| Queue::open(state.path(), name, Timestamp::now()), notices().await);
    for name in ["ops", "old"] {
        begins(name).put(notices[0].clone()).unwrap();
        begins(name).failed("nobody listens there");
    }
    let names = || undelivered(state.path()).into_iter().map(|left| left.webhook).collect::<Vec<_>>();
    assert_eq!(names(), ["old", "ops"]);
    // The run with the site file that has `ops` alone, and then one that has none.
    let (directory, secrets) = (|| state.path().to_path_buf(), || Arc::new(MemorySecrets::default()));
    let told =
        |webhooks| Told { directory: directory(), is_kept: true, folder: directory(), webhooks, secrets: secrets() };
    let findings = Notifier::begin(told(vec![hook("ops")])).unwrap().end().await;
    assert!(findings.len() == 1 && findings[0].subject.contains("ops"), "{findings:?}");
    assert_eq!(names(), ["ops"]);
    assert!(Notifier::begin(told(Vec::new())).is_none());
    let until = Instant::now() + Duration::from_secs(10);
    while !names().is_empty() {
        assert!(Instant::now() < until, "{:?}", names());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Posts to nobody: the n-th attempt ends as this says, and its id is kept.
async fn delivered(
    queue: Queue,
    attempts: u32,
    until_closed: Duration,
    ends: impl Fn(usize, &str) -> Posted,
) -> Vec<String> {
    let ids = Mutex::new(Vec::new());
    let (put, received) = watch::channel(());
    let delivery = post::Delivery::new("ops".into(), Arc::new(queue), received).after(attempts);
    let work = delivery.work(|notice: Notice| {
        let mut ids = ids.lock().unwrap();
        let posted = ends(ids.len(), &notice.id);
        ids.push(notice.id);
        std::future::ready(posted)
    });
    let closing = async {
        tokio::time::sleep(until_closed).await;
        drop(put);
    };
    let both = async { tokio::join!(work, closing) };
    assert!(timeout(Duration::from_secs(20), both).await.is_ok(), "{ids:?}");
    ids.into_inner().unwrap()
}

#[tokio::test]
async fn after_a_long_outage_the_end_is_told_at_once() {
    let state = tempfile::tempdir().unwrap();
    let queue = Queue::open(state.path(), "ops", Timestamp::now());
    let notices = notices().await;
    notices.iter().for_each(|notice| queue.put(notice.clone()).unwrap());
    let gone = || Posted::Later(None, "nobody listens there".into());
    // The tenth attempt fails: the next is in five minutes, unless the run ends.
    let began = Instant::now();
    let ids = delivered(queue, 9, Duration::from_millis(200), |n, _| if n == 0 { gone() } else { Posted::Taken }).await;
    assert_eq!(ids, [&*notices[0].id, &*notices[0].id, &*notices[1].id]);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(left(&state), []);
}

#[tokio::test]
async fn a_time_that_was_asked_for_is_kept_to_at_the_end_too() {
    let state = tempfile::tempdir().unwrap();
    let queue = Queue::open(state.path(), "ops", Timestamp::now());
    queue.put(notices().await.remove(0)).unwrap();
    let asks = || Posted::Later(Some(Duration::from_secs(1)), "the answer was 429".into());
    let began = Instant::now();
    let ids = delivered(queue, 0, Duration::ZERO, |n, _| if n == 0 { asks() } else { Posted::Taken }).await;
    assert_eq!(ids.len(), 2);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_message_at_which_the_other_side_always_fails_lets_the_others_go_first() {
    let state = tempfile::tempdir().unwrap();
    let queue = Queue::open(state.path(), "ops", Timestamp::now());
    let notices = notices().await;
    notices.iter().for_each(|notice| queue.put(notice.clone()).unwrap());
    let bad = notices[0].id.clone();
    // Given up in the end, so that the test has one too.
    let ends = |n: usize, id: &str| match id == bad {
        true if n < 4 => Posted::Failed("the answer was 500".into()),
        true => Posted::Refused("the answer was 400".into()),
        false => Posted::Taken,
    };
    let ids = delivered(queue, 4, Duration::from_millis(200), ends).await;
    assert_eq!(ids[..2], [bad.clone(), notices[1].id.clone()], "{ids:?}");
    assert!(ids[2..].iter().all(|id| *id == bad) && ids.len() > 2, "{ids:?}");
}

/// A program that is asked for a secret, and takes its time.
struct Slow;

impl Secrets for Slow {
    fn get(&self, reference: &SecretRef) -> Result<plinth_model::Secret, plinth_world::secrets::SecretError> {
        std::thread::sleep(Duration::from_secs(3));
        MemorySecrets::default().get(reference)
    }

    fn keep(
        &self,
        _reference: &SecretRef,
        _value: &plinth_model::Secret,
    ) -> Result<(), plinth_world::secrets::SecretError> {
        Ok(())
    }

    fn forget(&self, reference: &SecretRef) -> Result<(), plinth_world::secrets::SecretError> {
        Err(plinth_world::secrets::SecretError::new(reference, "nothing is kept here"))
    }

    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

#[tokio::test]
async fn a_program_that_is_asked_for_an_address_holds_nothing_up() {
    let state = tempfile::tempdir().unwrap();
    let (directory, folder) = (state.path().to_path_buf(), state.path().to_path_buf());
    let (webhooks, secrets) = (vec![hook("ops")], Arc::new(Slow));
    let notifier = Notifier::begin(Told { directory, is_kept: true, folder, webhooks, secrets }).unwrap();
    let sink = notifier.before(Arc::new(|_| ()));
    let began = Instant::now();
    sink(super::tests::began());
    // There is one thread here, and the run needs it.
    while undelivered(state.path()).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(began.elapsed() < Duration::from_millis(2_500), "the run waits for the program");
    }
    let findings = notifier.end().await;
    assert!(findings[0].message.contains("1 message kept for the next run"), "{findings:?}");
}

#[tokio::test]
async fn a_run_of_which_nothing_was_counted_says_no_more() {
    let mut collector = collector();
    collector.take(&began(), Instant::now());
    let (counts, next) = (Counts::default(), Vec::new());
    let end = EventBody::RunFinished { outcome: Outcome::Done, exit: 0, counts, seconds: 3.0, next, digest: None };
    let told = collector.take(&event(2, end), Instant::now());
    assert_eq!(told[0].brief, "lab apply: done after 3 s");
}
