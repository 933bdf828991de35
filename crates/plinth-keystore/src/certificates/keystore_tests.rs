#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::file::DAY_S;
use super::*;
use crate::SiteSecrets;
use plinth_world::Clock;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A clock that stands still.
struct Fixed(Timestamp);

#[async_trait]
impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    async fn sleep(&self, _: Duration) {}
}

fn ctx(day: &str) -> Context {
    Context::quiet(Arc::new(Fixed(format!("{day}T12:00:00Z").parse().unwrap())))
}

fn keystore(directory: &Path) -> FileKeystore {
    FileKeystore::new(directory, Arc::new(SiteSecrets::with_environment(directory, |_| None)))
}

fn names(names: &[&str]) -> Vec<CertificateName> {
    names.iter().map(|name| CertificateName::try_from((*name).to_owned()).unwrap()).collect()
}

fn own() -> CertificateSource {
    CertificateSource::Generated { authority_days: 3650, leaf_days: 825 }
}

fn given(directory: &Path, certificate: &str, key: &str, authority: Option<&str>) -> CertificateSource {
    let text = |file: &str| directory.join(file).display().to_string();
    CertificateSource::Files {
        certificate: text(certificate),
        key: SecretRef::File(text(key)),
        authority: authority.map(text),
    }
}

const DAY: &str = "2026-03-01";

async fn made(directory: &Path) -> CertificateState {
    keystore(directory).make_certificate(&ctx(DAY), "runai", &names(&["a.test", "*.a.test"]), &own()).await.unwrap()
}

fn file(directory: &Path, name: &str) -> PathBuf {
    directory.join("certificates/runai").join(name)
}

#[tokio::test]
async fn an_own_certificate_has_the_shape_that_clients_accept() {
    let dir = tempfile::tempdir().unwrap();
    let keystore = keystore(dir.path());
    assert_eq!(keystore.certificate(&ctx(DAY), "runai").await.unwrap(), None);
    let state = made(dir.path()).await;
    assert_eq!(state.names, ["a.test", "*.a.test"]);
    assert_eq!(state.days_left, 823, "825 days from midnight of the day before");
    assert_eq!(keystore.certificate(&ctx(DAY), "runai").await.unwrap(), Some(state));

    let text = fs::read(file(dir.path(), "tls.crt")).unwrap();
    let pems: Vec<_> = x509_parser::pem::Pem::iter_from_buffer(&text).map(Result::unwrap).collect();
    assert_eq!(pems.len(), 2, "leaf, then authority");
    let (leaf, authority) = (pems[0].parse_x509().unwrap(), pems[1].parse_x509().unwrap());
    assert!(!leaf.is_ca() && authority.is_ca());
    assert_eq!(leaf.subject().iter_common_name().next().unwrap().as_str().unwrap(), "a.test");
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth);
    assert!(authority.key_usage().unwrap().unwrap().value.key_cert_sign());
    leaf.verify_signature(Some(authority.public_key())).unwrap();
    let life = leaf.validity().not_after.timestamp() - leaf.validity().not_before.timestamp();
    assert_eq!(life, 825 * DAY_S);
    assert_ne!(leaf.raw_serial(), authority.raw_serial());
    assert_eq!(fs::read_to_string(file(dir.path(), "ca.pem")).unwrap().matches("BEGIN").count(), 1);
}

#[tokio::test]
async fn private_halves_are_readable_by_the_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path()).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in ["ca.key", "tls.key"] {
        assert_eq!(mode(&file(dir.path(), name)), 0o600, "{name}");
    }
    assert_eq!(mode(&dir.path().join("certificates/runai")), 0o700);
    assert_eq!(fs::read_dir(dir.path().join("certificates/runai")).unwrap().count(), 4);
}

#[tokio::test]
async fn a_new_leaf_keeps_the_authority_and_changes_the_key() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path()).await;
    let read = |name: &str| fs::read_to_string(file(dir.path(), name)).unwrap();
    let (authority, key) = (read("ca.pem"), read("tls.key"));
    let next =
        keystore(dir.path()).make_certificate(&ctx("2027-06-01"), "runai", &names(&["b.test"]), &own()).await.unwrap();
    assert_eq!(next.names, ["b.test"]);
    assert_eq!(read("ca.pem"), authority);
    assert_ne!(read("tls.key"), key);
    let late = keystore(dir.path()).make_certificate(&ctx("2035-01-01"), "runai", &names(&["b.test"]), &own()).await;
    assert!(late.unwrap_err().happened.contains("the authority ends in"));
    let Some(seen) = keystore(dir.path()).certificate(&ctx("2035-01-01"), "runai").await.unwrap() else { panic!() };
    assert!(seen.days_left < 0, "an expired leaf is seen, not refused");
}

#[tokio::test]
async fn damaged_files_are_named_and_never_taken_for_absent() {
    let cases: [(&str, Option<&str>, &str); 7] = [
        ("tls.key", None, "tls.key is not there"),
        ("tls.key", Some("-----BEGIN PRIVATE KEY-----\nMC4C"), "tls.key: the private key cannot be read"),
        ("tls.crt", Some(""), "tls.crt: it holds no certificate"),
        ("tls.crt", Some("-----BEGIN CERTIFICATE-----\nMIIB"), "tls.crt: it is damaged"),
        (
            "tls.crt",
            Some("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
            "tls.crt: a certificate cannot be read",
        ),
        ("ca.pem", None, "ca.pem is not there"),
        ("ca.key", Some("x"), "ca.key: the private key cannot be read"),
    ];
    for (name, content, wanted) in cases {
        let dir = tempfile::tempdir().unwrap();
        made(dir.path()).await;
        match content {
            None => fs::remove_file(file(dir.path(), name)).unwrap(),
            Some(content) => fs::write(file(dir.path(), name), content).unwrap(),
        }
        let error = keystore(dir.path()).certificate(&ctx(DAY), "runai").await.unwrap_err();
        assert!(error.happened.contains(wanted), "{name}: {}", error.happened);
        assert!(error.attempt.contains("move it away"));
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_not_called_damaged() {
    for name in ["tls.crt", "tls.key", "ca.pem", "ca.key"] {
        let dir = tempfile::tempdir().unwrap();
        made(dir.path()).await;
        fs::rename(file(dir.path(), name), file(dir.path(), "aside")).unwrap();
        fs::create_dir(file(dir.path(), name)).unwrap();
        let error = keystore(dir.path()).certificate(&ctx(DAY), "runai").await.unwrap_err();
        assert!(error.happened.contains(&format!("reading {name} failed")), "{error}");
        assert!(!error.attempt.contains("move it away") && error.attempt.contains("run again"), "{error}");
    }
}

#[tokio::test]
async fn a_key_of_another_certificate_does_not_match() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    made(dir.path()).await;
    made(other.path()).await;
    fs::copy(file(other.path(), "tls.key"), file(dir.path(), "tls.key")).unwrap();
    let error = keystore(dir.path()).certificate(&ctx(DAY), "runai").await.unwrap_err();
    assert!(error.happened.contains("does not belong to the certificate"), "{}", error.happened);
    made(dir.path()).await;
    fs::copy(file(other.path(), "ca.pem"), file(dir.path(), "ca.pem")).unwrap();
    let error = keystore(dir.path()).certificate(&ctx(DAY), "runai").await.unwrap_err();
    assert!(error.happened.contains("does not lead to the authority"), "{}", error.happened);
}

#[tokio::test]
async fn an_interrupted_change_leaves_no_certificate_and_is_made_good() {
    for gone in [&["tls.crt"][..], &["tls.crt", "tls.key"], &["tls.crt", "tls.key", "ca.pem"]] {
        let dir = tempfile::tempdir().unwrap();
        made(dir.path()).await;
        for name in gone {
            fs::remove_file(file(dir.path(), name)).unwrap();
        }
        let keystore = keystore(dir.path());
        assert_eq!(keystore.certificate(&ctx(DAY), "runai").await.unwrap(), None, "{gone:?}");
        let state = made(dir.path()).await;
        assert_eq!(keystore.certificate(&ctx(DAY), "runai").await.unwrap(), Some(state));
    }
}

#[tokio::test]
async fn given_files_are_taken_over_and_compared() {
    let (dir, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let state = made(from.path()).await;
    let source = given(&from.path().join("certificates/runai"), "tls.crt", "tls.key", Some("ca.pem"));
    let keystore = keystore(dir.path());
    let wanted = names(&["a.test", "grafana.a.test"]);
    assert_eq!(keystore.make_certificate(&ctx(DAY), "runai", &wanted, &source).await.unwrap(), state);
    assert_eq!(keystore.certificate(&ctx(DAY), "runai").await.unwrap(), Some(state));
    assert!(keystore.source_differs(&ctx(DAY), "runai", &source).await.unwrap().is_empty());
    assert_eq!(keystore.source_differs(&ctx(DAY), "runai", &own()).await.unwrap().len(), 1);
    made(from.path()).await;
    let differences = self::keystore(dir.path()).source_differs(&ctx(DAY), "runai", &source).await.unwrap();
    assert_eq!(differences.len(), 1, "{differences:?}");
}

#[tokio::test]
async fn everything_wrong_with_given_files_is_said_at_once_and_nothing_is_changed() {
    let (dir, from, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let kept = made(dir.path()).await;
    made(from.path()).await;
    made(other.path()).await;
    let folder = from.path().join("certificates/runai");
    fs::copy(file(other.path(), "tls.key"), folder.join("other.key")).unwrap();
    fs::copy(file(other.path(), "ca.pem"), folder.join("other-ca.pem")).unwrap();
    let source = given(&folder, "tls.crt", "other.key", Some("other-ca.pem"));
    let wanted = names(&["c.test"]);
    let error = keystore(dir.path()).make_certificate(&ctx("2031-01-01"), "runai", &wanted, &source).await.unwrap_err();
    for part in ["does not belong", "does not lead to the authority", "does not cover c.test", "it expired"] {
        assert!(error.happened.contains(part), "{part}: {}", error.happened);
    }
    assert_eq!(keystore(dir.path()).certificate(&ctx(DAY), "runai").await.unwrap(), Some(kept));
}

#[tokio::test]
async fn a_chain_in_the_wrong_order_is_refused() {
    let (dir, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    made(from.path()).await;
    let folder = from.path().join("certificates/runai");
    let text = fs::read_to_string(folder.join("tls.crt")).unwrap();
    let second = text.rfind("-----BEGIN").unwrap();
    fs::write(folder.join("swapped.crt"), format!("{}{}", &text[second..], &text[..second])).unwrap();
    let source = given(&folder, "swapped.crt", "tls.key", Some("ca.pem"));
    let error =
        keystore(dir.path()).make_certificate(&ctx(DAY), "runai", &names(&["a.test"]), &source).await.unwrap_err();
    assert!(error.happened.contains("the leaf must stand first"), "{}", error.happened);
    assert!(!file(dir.path(), "tls.crt").exists());
}

#[tokio::test]
async fn going_over_to_files_keeps_the_own_authority_aside() {
    let (dir, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    made(dir.path()).await;
    let own_authority = fs::read_to_string(file(dir.path(), "ca.pem")).unwrap();
    made(from.path()).await;
    let source = given(&from.path().join("certificates/runai"), "tls.crt", "tls.key", None);
    let keystore = keystore(dir.path());
    keystore.make_certificate(&ctx(DAY), "runai", &names(&["a.test"]), &source).await.unwrap();
    assert_eq!(fs::read_to_string(file(dir.path(), "replaced-ca.pem")).unwrap(), own_authority);
    assert!(!file(dir.path(), "ca.pem").exists() && !file(dir.path(), "ca.key").exists());
    assert!(keystore.certificate(&ctx(DAY), "runai").await.unwrap().is_some());
}

#[tokio::test]
async fn refused_wishes_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let keystore = keystore(dir.path());
    let long = CertificateSource::Generated { authority_days: 3650, leaf_days: 826 };
    for (name, names, source) in
        [("runai", names(&["a.test"]), &long), ("runai", names(&[]), &own()), ("../x", names(&["a.test"]), &own())]
    {
        assert!(keystore.make_certificate(&ctx(DAY), name, &names, source).await.is_err(), "{name} {names:?}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let endless = CertificateSource::Generated { authority_days: u32::MAX, leaf_days: 365 };
    let new = tempfile::tempdir().unwrap();
    let refused = self::keystore(new.path()).make_certificate(&ctx(DAY), "runai", &names(&["a.test"]), &endless).await;
    assert!(refused.unwrap_err().doing.starts_with("making certificate `runai`"));
    assert!(!file(new.path(), "ca.key").exists());
}

#[tokio::test]
async fn a_review_shows_names_dates_and_issuers_and_reads_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let keystore = keystore(dir.path());
    let now = ctx(DAY).clock().now();
    let wanted = names(&["a.test", "*.a.test"]);
    assert_eq!(
        keystore.review("runai", &wanted, &own(), now).unwrap(),
        crate::Review::default(),
        "nothing is there yet"
    );
    made(dir.path()).await;
    let files = ["tls.crt", "ca.pem"];
    for name in files {
        fs::copy(file(dir.path(), name), dir.path().join(name)).unwrap();
    }
    fs::remove_file(file(dir.path(), "tls.key")).unwrap();
    let given = given(dir.path(), "tls.crt", "no-such-key", Some("ca.pem"));
    let seen = keystore.review("runai", &wanted, &given, now).unwrap();
    assert_eq!((seen.kept.len(), seen.given.len(), seen.authority.len()), (2, 2, 1));
    assert_eq!(seen.given, seen.kept);
    let (leaf, authority) = (&seen.given[0], &seen.given[1]);
    let texts: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    assert_eq!((&leaf.names, leaf.is_authority, authority.is_authority), (&texts, false, true));
    assert_eq!((&leaf.issuer, authority), (&authority.subject, &seen.authority[0]));
    assert!(leaf.from < now && now < leaf.until && leaf.until < authority.until);
    assert_eq!(seen.wrong, Vec::<String>::new());
    let other = names(&["b.test"]);
    let late = "2031-01-01T00:00:00Z".parse().unwrap();
    let wrong = keystore.review("runai", &other, &given, late).unwrap().wrong.join("; ");
    assert!(wrong.contains("does not cover b.test") && wrong.contains("it expired"), "{wrong}");
    let absent = super::tests::given(dir.path(), "nothing.pem", "no-such-key", None);
    assert!(keystore.review("runai", &wanted, &absent, now).unwrap().wrong[0].contains("nothing.pem"));
}
