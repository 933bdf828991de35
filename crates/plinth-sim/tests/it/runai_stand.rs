//! The real Run:ai client and a simulated control plane over real TLS, put together.

use plinth_catalog::Catalog;
use plinth_model::steps::RunaiTarget;
use plinth_model::{Secret, SecretRef};
use plinth_runai::{RunaiRest, RunaiTiming};
use plinth_sim::runai::{RunaiFault, RunaiServer, RunaiSetup, RunaiStage};
use plinth_world::keystore::{CertificateFiles, CertificatePart};
use plinth_world::secrets::{MemorySecrets, Secrets as _};
use plinth_world::{ClientError, ClientResult, Context, SystemClock};
use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

pub(crate) const PASSWORD: &str = "Correct-Horse+7f3a";
/// A name that has no address anywhere (RFC 2606).
pub(crate) const DOMAIN: &str = "runai.invalid";
pub(crate) const CLUSTER: &str = "bcm-gpu-cluster";

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());

/// The authority of one server, under any name.
struct Authority(String);

impl CertificateFiles for Authority {
    fn read(&self, certificate: &str, part: CertificatePart) -> Result<Secret, String> {
        match (certificate, part) {
            ("runai", CertificatePart::Authority) => Ok(Secret::new(self.0.clone())),
            _ => Err("it is not there".to_owned()),
        }
    }
}

/// A client, the control plane that it talks to, and what it keeps.
pub(crate) struct Stand {
    pub(crate) server: RunaiServer,
    pub(crate) client: RunaiRest,
    pub(crate) target: RunaiTarget,
    pub(crate) secrets: Arc<MemorySecrets>,
    pub(crate) ctx: Context,
    timing: RunaiTiming,
}

fn client(server: &RunaiServer, secrets: &Arc<MemorySecrets>, timing: RunaiTiming) -> RunaiRest {
    let authority = Arc::new(Authority(server.ca_pem().to_owned()));
    RunaiRest::new(authority, Arc::<MemorySecrets>::clone(secrets)).timing(timing)
}

pub(crate) fn setup(release: &str) -> RunaiSetup {
    RunaiSetup::new(DOMAIN, release.parse().unwrap(), Secret::new(PASSWORD.to_owned()))
}

/// Waits that a test has time for.
pub(crate) fn quick() -> RunaiTiming {
    RunaiTiming {
        connect: Duration::from_secs(5),
        request: Duration::from_secs(5),
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(20),
        read_back: Duration::from_millis(50),
        read_back_pause: Duration::from_millis(5),
        reply_max: 256 * 1024,
        login_pause: Duration::ZERO,
        ..RunaiTiming::default()
    }
}

impl Stand {
    /// A control plane of this release, with these faults.
    pub(crate) fn new(faults: Vec<RunaiFault>) -> Self {
        Self::of(setup("2.21"), faults)
    }

    pub(crate) fn of(setup: RunaiSetup, faults: Vec<RunaiFault>) -> Self {
        Self::timed(setup, faults, quick())
    }

    pub(crate) fn timed(setup: RunaiSetup, faults: Vec<RunaiFault>, timing: RunaiTiming) -> Self {
        let version = format!("{}.5", setup.release).parse().unwrap();
        let server = RunaiServer::start(setup, faults).unwrap();
        let secrets = Arc::new(MemorySecrets::default());
        secrets.keep(&password(), &Secret::new(PASSWORD.to_owned())).unwrap();
        let client = client(&server, &secrets, timing);
        let target = RunaiTarget {
            url: server.url().to_owned(),
            address: Some(Ipv4Addr::LOCALHOST),
            realm: "runai".to_owned(),
            admin: "admin@example.com".to_owned(),
            password: password(),
            authority: Some("runai".to_owned()),
            cluster: CLUSTER.to_owned(),
            authority_text: None,
            cluster_url: None,
            api: CATALOG.runai().api(&version),
            version,
        };
        let ctx = Context::quiet(Arc::new(SystemClock::new()));
        Self { server, client, target, secrets, ctx, timing }
    }

    /// The control plane, part by part.
    pub(crate) fn comes_up(&self) -> [Pin<Box<dyn Future<Output = ()> + '_>>; 4] {
        let to = |stage| -> Pin<Box<dyn Future<Output = ()> + '_>> {
            Box::pin(async move { self.server.comes_up_to(stage) })
        };
        [RunaiStage::Keycloak, RunaiStage::Realm, RunaiStage::Administrator, RunaiStage::Whole].map(to)
    }

    /// A client of another process: it knows nothing but what was kept.
    pub(crate) fn another_client(&self) -> RunaiRest {
        client(&self.server, &self.secrets, RunaiTiming { request: Duration::from_secs(30), ..self.timing })
    }

    /// How often a call was served.
    pub(crate) fn count(&self, call: &str) -> usize {
        self.server.served().iter().filter(|served| *served == call).count()
    }

    /// An error: has its four parts, and shows no secret in any form.
    pub(crate) fn failure<T: Debug>(&self, result: ClientResult<T>) -> ClientError {
        let error = result.expect_err("the call must fail");
        let whole = format!("{error} {error:?}");
        for secret in self.server.secrets_given().iter().map(String::as_str).chain([PASSWORD]) {
            assert!(!whole.contains(secret), "{whole}");
            assert!(!whole.contains(secret.get(..12).unwrap()), "not even its beginning: {whole}");
        }
        assert!(error.doing.contains("https://"), "{error:?}");
        for part in [&error.doing, &error.happened, &error.attempt] {
            assert!(!part.trim().is_empty(), "{error:?}");
        }
        assert_eq!(error.client, "runai");
        let finding = error.finding.as_ref().expect("each failure has a finding");
        assert!(finding.code.declaration().is_some() && !finding.fix.is_empty(), "{finding:?}");
        error
    }
}

fn password() -> SecretRef {
    SecretRef::Env("RUNAI_ADMIN_PASSWORD".to_owned())
}

pub(crate) fn code(error: &ClientError) -> &str {
    error.finding.as_ref().map_or("", |finding| finding.code.as_str())
}
