//! The password of Run:ai's first administrator, held against Run:ai's rule before anything is contacted.

use plinth_keystore::SiteSecrets;
use plinth_model::Finding;
use plinth_site::Desired;

/// Where it stands in the site file.
const PLACE: &str = "runai.admin.password";

/// A finding when Run:ai would not make the administrator of a control plane that plinth installs. `path` is the part of the site file
/// that is asked for; empty: all.
pub(crate) fn weak(secrets: &SiteSecrets, desired: &Desired, path: &str) -> Option<Finding> {
    let runai = desired.runai.as_ref().filter(|runai| runai.control_plane.is_none())?;
    PLACE.starts_with(path).then(|| secrets.weak_password(PLACE, &runai.admin_password))?
}
