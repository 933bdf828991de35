use super::pack::{chart, sha256};
use super::{Trial, release};
use plinth_world::Cause;
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
    assert_eq!(code, "charts.digest", "fetched anew, it has to be what it was");
    let error = trial.refresh(&wanted).await.unwrap_err();
    assert_eq!(error.finding.unwrap().code.as_str(), "charts.digest", "not even when a person asks for a newer one");
    fs::remove_dir_all(trial.folder.path().join("charts/versions")).unwrap();
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
    let records = trial.folder.path().join("charts/versions");
    let record = fs::read_dir(&records).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&record).unwrap();
    assert!(text.contains("\"trust\": \"firstUse\"") && text.contains("\"selector\": \"1.0.0\""), "{text}");
    fs::write(&record, "{").unwrap();
    let (code, error) = trial.refused(&wanted).await;
    assert_eq!(code, "charts.not-kept");
    assert!(error.attempt.contains("trusted anew"), "{error:?}");
}
