//! A service account signs in, by the ways of each line of versions.

use crate::runai_stand::{Stand, code, setup};
use plinth_catalog::Catalog;
use plinth_model::{Secret, SecretRef};
use plinth_sim::runai::RunaiSetup;
use plinth_world::runai::RunaiClient as _;
use plinth_world::secrets::Secrets as _;

const LINES: [&str; 10] = ["2.18", "2.19", "2.20", "2.21", "2.22", "2.23", "2.24", "2.25", "2.26", "3.0"];
const ID: &str = "plinth-4c1e";
const SECRET: &str = "Account-secret-of-these-tests-51aa";

/// A control plane where nobody has a password of its own: no client of the realm takes one.
fn stand(line: &str) -> Stand {
    let account = Some((ID.to_owned(), Secret::new(SECRET.to_owned())));
    let mut stand = Stand::of(RunaiSetup { account, clients: Vec::new(), ..setup(line) }, vec![]);
    let reference = SecretRef::Generated("account".to_owned());
    stand.secrets.keep(&reference, &Secret::new(SECRET.to_owned())).unwrap();
    stand.target.api = Catalog::embedded().unwrap().runai().account_api(&stand.target.version);
    (stand.target.admin, stand.target.password) = (ID.to_owned(), reference);
    stand
}

#[tokio::test]
async fn every_line_of_versions_takes_a_service_account() {
    for line in LINES {
        let stand = stand(line);
        let made =
            stand.client.register(&stand.ctx, &stand.target).await.unwrap_or_else(|error| panic!("{line}: {error}"));
        stand.client.keep_credentials(&stand.ctx, &stand.target, &made.uuid).await.unwrap();
        assert_eq!(stand.server.entries(crate::runai_stand::CLUSTER).len(), 1, "{line}");
        assert_eq!(stand.server.unexpected(), Vec::<String>::new(), "{line}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_and_shown_nowhere() {
    for line in ["2.18", "2.21", "2.25"] {
        let stand = stand(line);
        stand.secrets.keep(&stand.target.password, &Secret::new("Wrong-secret-of-these-tests".to_owned())).unwrap();
        let error = stand.client.clusters(&stand.ctx, &stand.target).await.unwrap_err();
        assert!(!error.to_string().contains("Wrong-secret"), "{line}: {error}");
        assert_eq!(code(&error), "runai.credentials", "{line}: {error}");
    }
}
