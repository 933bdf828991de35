use super::pack::{chart, sha256};
use super::{Trial, release};
use plinth_world::Cause;
use plinth_world::charts::ChartPackages as _;
use std::fs;

#[tokio::test]
async fn a_package_is_taken_from_a_folder_by_its_version_with_and_without_v() {
    let trial = Trial::new();
    let folder = trial.folder.path().join("packages");
    fs::create_dir(&folder).unwrap();
    for (name, bytes) in [
        ("demo-v1.0.0.tgz", chart("demo", "1.0.0")),
        ("demo-1.0.4.tgz", chart("demo", "1.0.4")),
        ("demo-1.0.5-rc1.tgz", chart("demo", "1.0.5-rc1")),
        ("demo-1.1.0.tgz", chart("demo", "1.1.0")),
        ("demo-extra-1.0.9.tgz", chart("demo-extra", "1.0.9")),
        ("README", b"hello".to_vec()),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
    }
    for (wanted, version) in [("v1.0.4", "1.0.4"), ("1.0.0", "1.0.0"), ("~1.0.0", "1.0.4")] {
        let package = trial.package(&release("demo", "packages", wanted)).await.unwrap();
        assert_eq!(package.version.as_str(), version, "{wanted}");
        assert_eq!(package.digest, sha256(&chart("demo", version)));
    }
    assert!(trial.told().contains("trusted on this first use"));
    let (code, error) = trial.refused(&release("demo", "packages", "2.0.0")).await;
    assert_eq!((code.as_str(), error.cause), ("charts.not-found", Cause::Refused));
    assert!(error.finding.unwrap().evidence.iter().any(|line| line.contains("1.1.0")));
}

#[tokio::test]
async fn a_folder_that_is_not_there_and_a_package_that_is_another_chart_are_refused() {
    let trial = Trial::new();
    let (code, error) = trial.refused(&release("demo", "nowhere", "1.0.0")).await;
    assert_eq!((code.as_str(), error.cause), ("charts.place", Cause::Input));
    fs::write(trial.folder.path().join("demo-1.0.0.tgz"), chart("other", "1.0.0")).unwrap();
    fs::write(trial.folder.path().join("demo-2.0.0.tgz"), chart("demo", "2.0.1")).unwrap();
    for version in ["1.0.0", "2.0.0"] {
        let (code, error) = trial.refused(&release("demo", trial.folder.path().to_str().unwrap(), version)).await;
        assert_eq!((code.as_str(), error.cause), ("charts.unreadable", Cause::BadAnswer), "{version}");
    }
}

#[tokio::test]
async fn the_catalogs_digest_binds_a_folder_too_and_what_was_used_first_stays() {
    let trial = Trial::new();
    let file = trial.folder.path().join("demo-1.0.0.tgz");
    let mut wanted = release("demo", trial.folder.path().to_str().unwrap(), "1.0.0");
    fs::write(&file, chart("demo", "1.0.0")).unwrap();
    wanted.digest = Some(sha256(b"another"));
    let (code, error) = trial.refused(&wanted).await;
    assert_eq!((code.as_str(), error.cause), ("charts.digest", Cause::BadAnswer));

    wanted.digest = None;
    let first = trial.package(&wanted).await.unwrap();
    fs::write(&file, super::pack::Pack::new().file("demo/Chart.yaml", b"name: demo\nversion: 1.0.0\n").done()).unwrap();
    assert_eq!(trial.package(&wanted).await.unwrap(), first, "what is here is used");
    fs::remove_file(&first.file).unwrap();
    let (code, _) = trial.refused(&wanted).await;
    assert_eq!(code, "charts.digest", "fetched again, it has to be what it was");
    let error = trial.refresh(&wanted).await.unwrap_err();
    assert_eq!(error.finding.unwrap().code.as_str(), "charts.digest", "not even when a person asks for a newer one");
    fs::remove_file(trial.folder.path().join("charts/digests/demo/1.0.0.json")).unwrap();
    assert_ne!(trial.package(&wanted).await.unwrap().digest, first.digest, "only when the record is gone");
}

#[tokio::test]
async fn a_kept_package_that_was_changed_is_fetched_anew_and_a_broken_record_is_said() {
    let trial = Trial::new();
    let wanted = release("demo", ".", "1.0.0");
    fs::write(trial.folder.path().join("demo-1.0.0.tgz"), chart("demo", "1.0.0")).unwrap();
    let first = trial.package(&wanted).await.unwrap();
    fs::write(&first.file, b"changed").unwrap();
    assert_eq!(trial.package(&wanted).await.unwrap(), first);
    let record = trial.folder.path().join("charts/digests/demo/1.0.0.json");
    let text = fs::read_to_string(&record).unwrap();
    assert!(text.contains("\"trust\": \"firstUse\"") && text.contains("\"version\": \"1.0.0\""), "{text}");
    fs::write(&record, "{").unwrap();
    let (code, error) = trial.refused(&wanted).await;
    assert_eq!(code, "charts.not-kept");
    assert!(error.attempt.contains("trusted again"), "{error:?}");
}

/// A package of `demo` in another make.
fn rebuilt(version: &str) -> Vec<u8> {
    let about = format!("name: demo\nversion: {version}\n# another content\n");
    super::pack::Pack::new().file("demo/Chart.yaml", about.as_bytes()).done()
}

#[tokio::test]
async fn a_version_keeps_its_content_in_every_place_and_under_every_selector() {
    let trial = Trial::new();
    let folder = |name: &str| trial.folder.path().join(name);
    for (name, bytes) in [("one", chart("demo", "1.0.0")), ("two", rebuilt("1.0.0"))] {
        fs::create_dir(folder(name)).unwrap();
        fs::write(folder(name).join("demo-1.0.0.tgz"), bytes).unwrap();
    }
    let first = trial.package(&release("demo", "one", "1.0.0")).await.unwrap();
    for version in ["1.0.0", "v1.0.0"] {
        assert_eq!(trial.package(&release("demo", "two", version)).await.unwrap(), first, "what is here is used");
    }
    assert_eq!(trial.refused(&release("demo", "two", "~1.0.0")).await.0, "charts.digest");

    // The line moves on and back again: what 1.0.0 was is not forgotten by that.
    let line = release("demo", "one", "~1.0.0");
    assert_eq!(trial.refresh(&line).await.unwrap().to.as_str(), "1.0.0");
    fs::write(folder("one").join("demo-1.0.1.tgz"), chart("demo", "1.0.1")).unwrap();
    assert_eq!(trial.refresh(&line).await.unwrap().to.as_str(), "1.0.1");
    fs::remove_file(folder("one").join("demo-1.0.1.tgz")).unwrap();
    fs::write(folder("one").join("demo-1.0.0.tgz"), rebuilt("1.0.0")).unwrap();
    let error = trial.refresh(&line).await.unwrap_err();
    assert_eq!(error.finding.unwrap().code.as_str(), "charts.digest");
    assert!(error.attempt.contains("digests/demo/1.0.0.json"), "{}", error.attempt);
}

#[tokio::test]
async fn a_line_moves_when_it_is_settled_and_not_when_it_is_asked_for() {
    let trial = Trial::new();
    let line = release("demo", ".", "~1.0.0");
    let add = |version: &str| {
        fs::write(trial.folder.path().join(format!("demo-{version}.tgz")), chart("demo", version)).unwrap();
    };
    let meant = || trial.charts.meaning(&line).unwrap().map(|version| version.to_string());
    add("1.0.0");
    assert_eq!(meant(), None);
    trial.package(&line).await.unwrap();
    add("1.0.1");
    let newest = trial.charts.newest(&trial.ctx, &line).await.unwrap();
    assert_eq!((meant().as_deref(), newest.to.as_str()), (Some("1.0.0"), "1.0.1"));
    assert_eq!(trial.package(&line).await.unwrap().version.as_str(), "1.0.0");
    trial.charts.settle(&newest).unwrap();
    assert_eq!(meant().as_deref(), Some("1.0.1"));
    assert_eq!(trial.charts.meaning(&release("demo", ".", "1.0.0")).unwrap(), None, "that is no line");
}

#[tokio::test]
async fn what_is_at_hand_needs_no_network_and_nothing_is_chosen_for_it() {
    let trial = Trial::new();
    let at_hand = |release: plinth_model::steps::Release| {
        let trial = &trial;
        async move { trial.charts.at_hand(&trial.ctx, &release).await.unwrap().map(|package| package.version.to_string()) }
    };
    fs::write(trial.folder.path().join("demo-1.0.0.tgz"), chart("demo", "1.0.0")).unwrap();
    let away = || release("demo", "https://nowhere.invalid/charts", "1.0.0");
    assert_eq!(at_hand(away()).await, None, "nobody is asked");
    assert_eq!(at_hand(release("demo", ".", "~1.0.0")).await, None, "the line means nothing yet");
    assert_eq!(trial.charts.meaning(&release("demo", ".", "~1.0.0")).unwrap(), None);
    assert_eq!(at_hand(release("demo", ".", "1.0.0")).await.as_deref(), Some("1.0.0"));
    assert_eq!(at_hand(away()).await, None, "a look keeps nothing");
    trial.package(&release("demo", ".", "1.0.0")).await.unwrap();
    assert_eq!(at_hand(away()).await.as_deref(), Some("1.0.0"), "its content is kept now");
    trial.package(&release("demo", ".", "~1.0.0")).await.unwrap();
    assert_eq!(at_hand(release("demo", ".", "~1.0.0")).await.as_deref(), Some("1.0.0"));
}
