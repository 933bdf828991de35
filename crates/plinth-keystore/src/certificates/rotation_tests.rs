#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::SiteSecrets;
use async_trait::async_trait;
use plinth_world::keystore::Keystore as _;
use plinth_world::{Clock, Context};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

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

use RotationPhase::{Finished, NewLeaf, TrustBoth, TrustNew};

const OWN: CertificateSource = CertificateSource::Generated { authority_days: 3650, leaf_days: 825 };

/// A state directory, and a folder with files that somebody gives.
struct Stand {
    folder: TempDir,
    ctx: Context,
}

impl Stand {
    async fn new(source: &CertificateSource) -> Self {
        let stand = Self::empty();
        stand.make(source).await;
        stand
    }

    fn empty() -> Self {
        let ctx = Context::quiet(Arc::new(Fixed("2026-03-01T12:00:00Z".parse().unwrap())));
        Self { folder: tempfile::tempdir().unwrap(), ctx }
    }

    /// Another process each time.
    fn keystore(&self) -> FileKeystore {
        let path = self.folder.path();
        FileKeystore::new(path, Arc::new(SiteSecrets::with_environment(path, |_| None)))
    }

    async fn make(&self, source: &CertificateSource) -> CertificateState {
        self.keystore().make_certificate(&self.ctx, "runai", &names(), source).await.unwrap()
    }

    async fn kept(&self) -> CertificateState {
        self.keystore().certificate(&self.ctx, "runai").await.unwrap().unwrap()
    }

    async fn outgoing(&self, source: &CertificateSource, authority: bool) -> ClientResult<Option<Outgoing>> {
        self.keystore().outgoing(&self.ctx, "runai", &names(), source, authority).await
    }

    fn rotation(source: &CertificateSource, outgoing: &Outgoing, phase: RotationPhase) -> CertificateRotation {
        let (source, outgoing) = (source.clone(), outgoing.clone());
        CertificateRotation { name: "runai".to_owned(), names: names(), source, outgoing, phase }
    }

    async fn missing(&self, rotation: &CertificateRotation) -> Vec<String> {
        self.keystore().rotation_differs(&self.ctx, rotation).await.unwrap()
    }

    async fn rotate(&self, rotation: &CertificateRotation) -> CertificateState {
        let state = self.keystore().rotate(&self.ctx, rotation).await.unwrap();
        assert_eq!(self.missing(rotation).await, Vec::<String>::new(), "{:?}", rotation.phase);
        state
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.folder.path().join("certificates/runai").join(file)
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Files of an authority that somebody has, as a company would give them.
    fn give(&self, name: &str, domain: &str, days: u32) -> CertificateSource {
        let now = self.ctx.clock().now();
        let authority = issue::authority(name, now, 3650).unwrap();
        let leaf = issue::leaf(&authority, &[domain.to_owned().try_into().unwrap()], now, days).unwrap();
        let file = |suffix: &str, text: &str| {
            let path = self.folder.path().join(format!("{name}.{suffix}"));
            plinth_world::private_file::write(&path, text.as_bytes()).unwrap();
            path.display().to_string()
        };
        CertificateSource::Files {
            certificate: file("crt", &leaf.certificate),
            key: SecretRef::File(file("key", &leaf.key)),
            authority: Some(file("pem", &authority.certificate)),
        }
    }
}

fn names() -> Vec<CertificateName> {
    vec!["a.test".to_owned().try_into().unwrap()]
}

fn bundle(state: &CertificateState) -> Vec<String> {
    state.authority.as_ref().unwrap().fingerprints.clone()
}

fn believed_by(chain: &Path, bundle: &str) -> bool {
    let chain = Chain::parse(&fs::read_to_string(chain).unwrap()).unwrap();
    chain.check_authority(&Chain::parse(bundle).unwrap()).is_ok()
}

#[tokio::test]
async fn a_new_leaf_leaves_the_authority_as_it_is() {
    let stand = Stand::new(&OWN).await;
    let before = stand.kept().await;
    let out = stand.outgoing(&OWN, false).await.unwrap().unwrap();
    assert_eq!(out, Outgoing { leaf: before.fingerprint.clone(), authorities: Vec::new() });
    let leaf = Stand::rotation(&OWN, &out, NewLeaf);
    assert_eq!(stand.missing(&leaf).await, ["~ the leaf: a new one"]);
    let after = stand.rotate(&leaf).await;
    assert_ne!(after.fingerprint, before.fingerprint);
    assert_eq!(after.authority, before.authority);
    assert_eq!(stand.keystore().rotation(&stand.ctx, "runai").await.unwrap(), Some(out.clone()), "it can go on");
    stand.rotate(&Stand::rotation(&OWN, &out, Finished)).await;
    assert_eq!(stand.files(), ["ca.key", "ca.pem", "tls.crt", "tls.key"]);
    assert_eq!(stand.make(&OWN).await.authority, before.authority, "the next leaf is by the same authority");
}

#[tokio::test]
async fn at_no_phase_does_anybody_lose_trust() {
    let stand = Stand::new(&OWN).await;
    let before = stand.kept().await;
    let old_trust = fs::read_to_string(stand.path("ca.pem")).unwrap();
    let out = stand.outgoing(&OWN, true).await.unwrap().unwrap();
    assert_eq!(out.authorities, bundle(&before));

    let both = stand.rotate(&Stand::rotation(&OWN, &out, TrustBoth)).await;
    assert_eq!(both.fingerprint, before.fingerprint, "what is served is the old leaf");
    assert_eq!(bundle(&both).len(), 2);
    assert_eq!(bundle(&both)[0], out.authorities[0]);
    let both_trust = fs::read_to_string(stand.path("ca.pem")).unwrap();
    assert!(believed_by(&stand.path("tls.crt"), &old_trust) && believed_by(&stand.path("tls.crt"), &both_trust));

    let leaf = stand.rotate(&Stand::rotation(&OWN, &out, NewLeaf)).await;
    assert_ne!(leaf.fingerprint, before.fingerprint);
    assert_eq!(bundle(&leaf), bundle(&both), "whoever was given both keeps them");
    assert!(!believed_by(&stand.path("tls.crt"), &old_trust) && believed_by(&stand.path("tls.crt"), &both_trust));

    let new = stand.rotate(&Stand::rotation(&OWN, &out, TrustNew)).await;
    assert_eq!(bundle(&new), bundle(&both)[1..]);
    let new_trust = fs::read_to_string(stand.path("ca.pem")).unwrap();
    assert!(believed_by(&stand.path("tls.crt"), &new_trust));
    stand.rotate(&Stand::rotation(&OWN, &out, Finished)).await;
    assert_eq!(stand.files(), ["ca.key", "ca.pem", "replaced-ca.pem", "tls.crt", "tls.key"], "no old key is left");
    // What comes after it is by the new authority.
    assert_eq!(bundle(&stand.make(&OWN).await), bundle(&new));
}

#[tokio::test]
async fn what_an_apply_makes_in_between_breaks_nothing() {
    let stand = Stand::new(&OWN).await;
    let out = stand.outgoing(&OWN, true).await.unwrap().unwrap();
    stand.rotate(&Stand::rotation(&OWN, &out, TrustBoth)).await;
    let both = bundle(&stand.kept().await);
    // Killed while the leaf was written: there is none, and an apply makes one.
    fs::remove_file(stand.path("tls.crt")).unwrap();
    let made = stand.make(&OWN).await;
    assert_eq!(bundle(&made), both);
    let leaf = Stand::rotation(&OWN, &out, NewLeaf);
    assert_eq!(stand.missing(&leaf).await.len(), 1, "a leaf by the old authority is no new one");
    stand.rotate(&leaf).await;
    stand.make(&OWN).await;
    assert_eq!(stand.missing(&leaf).await, Vec::<String>::new(), "the new authority signs now");
}

#[tokio::test]
async fn killed_between_two_files_it_goes_on() {
    let stand = Stand::new(&OWN).await;
    let out = stand.outgoing(&OWN, true).await.unwrap().unwrap();
    let both = Stand::rotation(&OWN, &out, TrustBoth);
    stand.rotate(&both).await;
    let twice = bundle(&stand.rotate(&both).await);
    assert_eq!(twice.len(), 2, "not a third one");
    // The key has moved already, and the leaf has not been written.
    let next = fs::read_to_string(stand.path("next-ca.key")).unwrap();
    fs::copy(stand.path("ca.key"), stand.path("replaced-ca.key")).unwrap();
    plinth_world::private_file::write(&stand.path("ca.key"), next.as_bytes()).unwrap();
    assert_eq!(bundle(&stand.kept().await), twice, "what is kept is sound in between");
    let leaf = Stand::rotation(&OWN, &out, NewLeaf);
    stand.rotate(&leaf).await;
    for phase in [TrustNew, Finished] {
        stand.rotate(&Stand::rotation(&OWN, &out, phase)).await;
    }
    assert_eq!(bundle(&stand.kept().await), twice[1..]);
    assert!(!stand.path("replaced-ca.key").exists() && !stand.path("next-ca.key").exists());
}

#[tokio::test]
async fn only_one_rotation_at_a_time() {
    let stand = Stand::new(&OWN).await;
    let out = stand.outgoing(&OWN, true).await.unwrap().unwrap();
    stand.rotate(&Stand::rotation(&OWN, &out, TrustBoth)).await;
    let other = Outgoing { leaf: out.leaf.clone(), authorities: Vec::new() };
    let refused = stand.keystore().rotate(&stand.ctx, &Stand::rotation(&OWN, &other, NewLeaf)).await.unwrap_err();
    assert!(refused.happened.contains("another rotation was begun"), "{refused}");
}

#[tokio::test]
async fn given_files_are_exchanged_with_their_authority() {
    let stand = Stand::empty();
    let first = stand.give("first", "a.test", 300);
    stand.make(&first).await;
    assert_eq!(stand.outgoing(&first, false).await.unwrap(), None, "they are those that are kept");
    let second = stand.give("second", "a.test", 300);
    let out = stand.outgoing(&second, false).await.unwrap().unwrap();
    assert_eq!(out.authorities, bundle(&stand.kept().await));
    let differs = |source: CertificateSource| {
        let (keystore, ctx) = (stand.keystore(), stand.ctx.clone());
        async move { keystore.source_differs(&ctx, "runai", &source).await.unwrap() }
    };
    assert!(!differs(second.clone()).await.is_empty());
    let both = stand.rotate(&Stand::rotation(&second, &out, TrustBoth)).await;
    assert_eq!(bundle(&both).len(), 2);
    assert_eq!(differs(second.clone()).await, Vec::<String>::new(), "an apply in between leaves it to the rotation");
    for phase in [NewLeaf, TrustNew, Finished] {
        stand.rotate(&Stand::rotation(&second, &out, phase)).await;
    }
    assert_eq!(bundle(&stand.kept().await), bundle(&both)[1..]);
    assert_eq!(differs(second).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_own_authority_gives_way_to_files_and_comes_back() {
    let stand = Stand::new(&OWN).await;
    let given = stand.give("company", "a.test", 300);
    for source in [&given, &OWN] {
        let old = bundle(&stand.kept().await);
        let out = stand.outgoing(source, false).await.unwrap().unwrap();
        assert_eq!(out.authorities, old);
        let both = stand.rotate(&Stand::rotation(source, &out, TrustBoth)).await;
        assert_eq!(bundle(&both).len(), 2);
        for phase in [NewLeaf, TrustNew, Finished] {
            stand.rotate(&Stand::rotation(source, &out, phase)).await;
        }
        assert_eq!(bundle(&stand.kept().await), bundle(&both)[1..]);
        assert_eq!(stand.keystore().source_differs(&stand.ctx, "runai", source).await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_before_anything_is_written() {
    let stand = Stand::new(&OWN).await;
    let before = (stand.files(), fs::read(stand.path("tls.crt")).unwrap());
    let CertificateSource::Files { certificate, authority, key } = stand.give("one", "a.test", 300) else { panic!() };
    let CertificateSource::Files { key: other_key, authority: other, .. } = stand.give("other", "a.test", 300) else {
        panic!()
    };
    let files = |key: &SecretRef, authority: &Option<String>| CertificateSource::Files {
        certificate: certificate.clone(),
        key: key.clone(),
        authority: authority.clone(),
    };
    let cases = [
        (files(&other_key, &authority), "the private key does not belong to the certificate"),
        (files(&key, &other), "the chain does not lead to the authority"),
        (stand.give("names", "b.test", 300), "it does not cover a.test, only b.test"),
        (stand.give("late", "a.test", 1), "it expired"),
        (files(&key, &None), "the site moves between an authority of its own and one that everybody trusts"),
    ];
    for (source, why) in cases {
        let refused = stand.outgoing(&source, false).await.unwrap_err();
        assert!(refused.happened.contains(why), "{why}: {refused}");
        let out = Outgoing { leaf: stand.kept().await.fingerprint, authorities: Vec::new() };
        if !why.starts_with("the site moves") {
            let refused =
                stand.keystore().rotate(&stand.ctx, &Stand::rotation(&source, &out, NewLeaf)).await.unwrap_err();
            assert!(refused.happened.contains(why), "{why}: {refused}");
        }
        assert_eq!((stand.files(), fs::read(stand.path("tls.crt")).unwrap()), before, "{why}");
    }
    let late = Context::quiet(Arc::new(Fixed("2035-01-01T12:00:00Z".parse().unwrap())));
    let refused = stand.keystore().outgoing(&late, "runai", &names(), &OWN, false).await.unwrap_err();
    assert!(refused.happened.contains("give `--authority`"), "{refused}");
    assert!(stand.keystore().outgoing(&late, "runai", &names(), &OWN, true).await.is_ok());
}

/// The same leaf and key, with these authorities in the bundle.
fn with_bundle(source: &CertificateSource, path: &Path, authorities: &[&CertificateSource]) -> CertificateSource {
    let CertificateSource::Files { certificate, key, .. } = source else { panic!() };
    let pem = |one: &&CertificateSource| match one {
        CertificateSource::Files { authority: Some(file), .. } => fs::read_to_string(file).unwrap(),
        _ => panic!(),
    };
    fs::write(path, authorities.iter().map(pem).collect::<String>()).unwrap();
    let authority = Some(path.display().to_string());
    CertificateSource::Files { certificate: certificate.clone(), key: key.clone(), authority }
}

#[tokio::test]
async fn a_bundle_that_changes_behind_the_same_leaf_is_exchanged_to_the_end() {
    let stand = Stand::empty();
    let (company, other) = (stand.give("company", "a.test", 300), stand.give("other", "a.test", 300));
    let path = |name: &str| stand.folder.path().join(name);
    let both = with_bundle(&company, &path("both.pem"), &[&company, &other]);
    let turned = with_bundle(&company, &path("turned.pem"), &[&other, &company]);
    stand.make(&company).await;
    for (source, authorities) in [(&both, 2), (&company, 1), (&turned, 2)] {
        let leaf = stand.kept().await.fingerprint;
        let out = stand.outgoing(source, false).await.unwrap().unwrap();
        for phase in [TrustBoth, NewLeaf, TrustNew, Finished] {
            stand.rotate(&Stand::rotation(source, &out, phase)).await;
        }
        let kept = stand.kept().await;
        assert_eq!((kept.fingerprint.as_str(), bundle(&kept).len()), (leaf.as_str(), authorities));
        assert_eq!(stand.outgoing(source, false).await.unwrap(), None, "nothing is left to exchange, in any order");
    }
}

#[tokio::test]
async fn trust_is_taken_by_an_authority_that_leaves_and_by_a_leaf_of_an_unknown_one() {
    let stand = Stand::empty();
    let (old, new) = (stand.give("old", "a.test", 300), stand.give("new", "a.test", 300));
    let path = |name: &str| stand.folder.path().join(name);
    stand.make(&old).await;
    let CertificateSource::Files { certificate, key, .. } = &new else { panic!() };
    let public = CertificateSource::Files { certificate: certificate.clone(), key: key.clone(), authority: None };
    let cases = [
        (old.clone(), false),
        (with_bundle(&old, &path("more.pem"), &[&old, &new]), false),
        (new.clone(), true),
        // Nothing leaves, and yet those who read the old bundle do not know the leaf.
        (with_bundle(&new, &path("transition.pem"), &[&old, &new]), true),
        // Values of charts change too: not a rotation's.
        (public, false),
        (OWN, true),
    ];
    for (source, wanted) in cases {
        let said = stand.keystore().takes_trust(&stand.ctx, "runai", &source).await;
        assert_eq!(said.unwrap(), wanted, "{source:?}");
    }
    let gone = with_bundle(&new, &path("gone.pem"), &[&new]);
    fs::remove_file(path("gone.pem")).unwrap();
    assert!(stand.keystore().takes_trust(&stand.ctx, "runai", &gone).await.is_err(), "not seen is not no");
}
