//! Every secret that a site refers to.

use crate::desired::{BcmLogin, ChartSource, Desired, InventorySource};
use crate::path::Path;
use plinth_model::steps::{CertificateSource, Credential};
use plinth_model::{SecretRef, Values};

/// Where the secrets stand that no run needs: without them nobody is told, and nothing else changes.
pub const NOTIFY: &str = "notify.";

/// All references to secrets with the path of each, in the order of the file's sections; so that missing ones can be named
/// all at once. Generated ones, which plinth makes itself, are left out.
#[must_use]
pub fn secret_refs(desired: &Desired) -> Vec<(String, SecretRef)> {
    let mut found = Vec::new();
    let mut add = |path: String, reference: &SecretRef| {
        if !matches!(reference, SecretRef::Generated(_)) {
            found.push((path, reference.clone()));
        }
    };
    if let InventorySource::Bcm(bcm) = &desired.inventory {
        bcm_login(&bcm.login, &mut add);
    }
    access(desired, &mut add);
    for (index, login) in desired.registries.logins.iter().enumerate() {
        add(format!("registries.logins[{index}].password"), &login.password);
    }
    if let Some(ChartSource::Mirror { login: Some(login), .. }) = &desired.platform.charts {
        add("platform.charts.login.password".to_owned(), &login.password);
    }
    for (name, choice) in &desired.platform.components {
        let base = Path::parse("platform.components").key(name).key("values");
        for (path, reference) in choice.values.iter().flat_map(Values::secret_refs) {
            add(base.below(&path).to_string(), &reference);
        }
    }
    runai(desired, &mut add);
    for (at, webhook) in desired.notify.iter().enumerate() {
        add(format!("{NOTIFY}webhooks[{at}].url"), &webhook.url);
        webhook.key.iter().for_each(|key| add(format!("{NOTIFY}webhooks[{at}].key"), key));
    }
    found
}

fn bcm_login(login: &BcmLogin, add: &mut impl FnMut(String, &SecretRef)) {
    match login {
        BcmLogin::Password { username, password } => {
            add("inventory.bcm.username".to_owned(), username);
            add("inventory.bcm.password".to_owned(), password);
        }
        BcmLogin::Certificate { key, .. } => add("inventory.bcm.key".to_owned(), key),
    }
}

fn access(desired: &Desired, add: &mut impl FnMut(String, &SecretRef)) {
    let logins = [("bootstrap", Some(&desired.access.bootstrap.credential))];
    let jump = [("jump", desired.access.jump.as_ref().map(|jump| &jump.credential))];
    for (place, credential) in logins.into_iter().chain(jump) {
        match credential {
            Some(Credential::Password(password)) => add(format!("access.{place}.password"), password),
            Some(Credential::Key(key)) => add(format!("access.{place}.key"), key),
            Some(Credential::Agent) | None => {}
        }
    }
    add("access.account.key".to_owned(), &desired.access.account.key);
}

fn runai(desired: &Desired, add: &mut impl FnMut(String, &SecretRef)) {
    let Some(runai) = &desired.runai else { return };
    if let Some(token) = &runai.registry_token {
        add("runai.registry.token".to_owned(), token);
    }
    let is_account = runai.control_plane.as_ref().is_some_and(|elsewhere| elsewhere.service_account);
    let login = if is_account { "runai.controlPlane.serviceAccount.secret" } else { "runai.admin.password" };
    add(login.to_owned(), &runai.admin_password);
    if let CertificateSource::Files { key, .. } = &runai.certificate {
        add("runai.certificate.files.key".to_owned(), key);
    }
}
