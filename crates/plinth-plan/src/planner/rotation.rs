//! A small plan that exchanges a certificate, and the authority behind it, while everybody who uses it goes on.

use super::{finished, looked, made_from};
use crate::catalog::Components;
use crate::cluster::Cluster;
use crate::discover::discover;
use crate::facts::{private_authority, url};
use crate::ids;
use crate::observed::{Observed, StepObservation};
use crate::step::{Refine, step};
use plinth_model::plan::{Plan, Step};
use plinth_model::steps::{
    Certificate, CertificateRotation, CertificateServed, KubeSecret, Outgoing, RotationPhase, RunaiConnected,
    SecretContent, SecretRestart,
};
use plinth_model::{Finding, StepId, Work};
use plinth_site::Desired;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How long pods that read a secret may take to be ready again, seconds: Run:ai's control plane takes as long as for its installation.
const READY: u32 = 1500;

/// A rotation that somebody asks for.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// What is exchanged, as the site's plan has it.
    pub certificate: Certificate,
    /// What goes.
    pub outgoing: Outgoing,
    /// The authority goes, or another one comes.
    pub exchanges_authority: bool,
    /// What of Run:ai is in the cluster.
    pub installed: Installed,
    /// What is served now is still valid, so Run:ai must stay connected from the beginning.
    pub serves: bool,
    /// The phase behind which it stops; none: it goes to its end.
    pub until: Option<RotationPhase>,
    /// What is missing in the state directory, by phase.
    pub missing: Vec<(RotationPhase, Vec<String>)>,
}

/// What of Run:ai is in the cluster. Where no release is there, nobody reads the certificate yet, and the next apply hands it out.
#[derive(Clone, Debug, Default)]
pub struct Installed {
    /// Namespaces that have a release of Run:ai, sound or not: pods there may read the certificate.
    pub namespaces: BTreeSet<String>,
    /// Every release is there; only then the cluster can be connected.
    pub whole: bool,
}

impl Installed {
    fn reads(&self, namespace: &str) -> bool {
        !self.namespaces.is_empty() && (self.whole || self.namespaces.contains(namespace))
    }
}

/// A plan of these rotations, made from the site's whole plan: every secret that is made of a certificate, who restarts behind it, the URL and
/// the connection of Run:ai.
///
/// # Errors
/// With the flaws of the plan, if it has any.
pub fn rotation(
    desired: &Desired,
    observed: &mut Observed,
    catalog: &dyn Components,
    site: &Plan,
    rotations: &[Rotation],
) -> Result<Plan, Vec<Finding>> {
    let shown = shown(desired, observed, catalog);
    let mut steps = Vec::new();
    for rotation in rotations {
        let chain = Chain { site, shown: shown.as_ref(), rotation, steps: Vec::new(), before: Vec::new() };
        steps.extend(chain.planned());
        for (phase, missing) in &rotation.missing {
            let seen = if missing.is_empty() { StepObservation::Done } else { StepObservation::Todo(missing.clone()) };
            observed.steps.insert(ids::rotation(*phase, &rotation.certificate.name), seen);
        }
    }
    let plan = finished(made_from(desired, observed, catalog), desired, observed, (steps, Vec::new()), Vec::new())?;
    looked(plan, observed)
}

/// What the check of the ingress asks, also where the site skips it.
fn shown(desired: &Desired, observed: &Observed, catalog: &dyn Components) -> Option<CertificateServed> {
    let runai = desired.runai.as_ref().filter(|runai| runai.control_plane.is_none())?;
    let (cluster, _) = Cluster::new(desired, &discover(desired, &observed.inventory));
    let certificate = private_authority(runai).then(|| catalog.runai().certificate.clone());
    Some(CertificateServed { url: url(runai), address: cluster.ingress_address(desired), certificate })
}

/// One step behind the other: nothing of a phase begins before all of the phase before it is done and proved.
struct Chain<'a> {
    site: &'a Plan,
    /// Where the certificate is shown; none: the control plane is elsewhere.
    shown: Option<&'a CertificateServed>,
    rotation: &'a Rotation,
    steps: Vec<Step>,
    before: Vec<StepId>,
}

impl Chain<'_> {
    fn planned(mut self) -> Vec<Step> {
        use RotationPhase::{Finished, NewLeaf, TrustBoth, TrustNew};
        let Rotation { exchanges_authority, serves, until, .. } = *self.rotation;
        let trusting = self.made_of(TrustBoth);
        if exchanges_authority {
            self.phase(TrustBoth, "whoever trusts the old authority must trust the new one before its leaf is shown");
            self.handed_on(TrustBoth);
            // With a leaf that has expired nobody is served, whomever he trusts: who starts again would wait for it in vain.
            if serves {
                self.restarted(TrustBoth, trusting.clone());
                self.connected(TrustBoth);
            }
        }
        if until != Some(TrustBoth) {
            self.phase(NewLeaf, "a new leaf with a new key, by the authority that stays");
            self.handed_on(NewLeaf);
            if exchanges_authority && !serves {
                self.restarted(TrustBoth, trusting);
            }
            self.restarted(NewLeaf, self.made_of(NewLeaf));
            self.served();
            self.connected(NewLeaf);
        }
        if matches!(until, Some(TrustBoth | NewLeaf)) {
            return self.steps;
        }
        if !self.rotation.outgoing.authorities.is_empty() {
            self.phase(TrustNew, "nobody needs the old authority any more, and nobody should trust it");
            self.handed_on(TrustNew);
            self.restarted(TrustNew, self.made_of(TrustNew));
            self.connected(TrustNew);
        }
        if until.is_none() {
            self.phase(Finished, "the key of what went out could still sign");
        }
        self.steps
    }

    /// The next step, behind the one before.
    fn then(&mut self, id: StepId, work: impl Into<Work>, reason: impl Into<Arc<str>>) {
        self.steps.push(step(id.clone(), work, reason).needing(std::mem::take(&mut self.before)));
        self.before = vec![id];
    }

    fn phase(&mut self, phase: RotationPhase, reason: &str) {
        let Certificate { name, names, source } = self.rotation.certificate.clone();
        let outgoing = self.rotation.outgoing.clone();
        let id = ids::rotation(phase, &name);
        self.then(id, CertificateRotation { name, names, source, outgoing, phase }, reason);
    }

    /// Secrets that are made of what changed.
    fn handed_on(&mut self, phase: RotationPhase) {
        for (secret, reason) in self.made_of(phase) {
            self.then(ids::rotated_secret(phase, &secret.namespace, &secret.name), secret, reason);
        }
    }

    /// Restarts of those who read these secrets and do not follow.
    fn restarted(&mut self, phase: RotationPhase, made: Vec<(KubeSecret, Arc<str>)>) {
        let is_leaf = phase == RotationPhase::NewLeaf;
        for (KubeSecret { namespace, name, .. }, _) in made {
            let id = ids::restart(phase, &namespace, &name);
            let reason = if is_leaf {
                "a file that is mounted by sub-path does not follow its secret"
            } else {
                "programs read whom they trust when they start"
            };
            self.then(id, SecretRestart { namespace, secret: name, read_at_start: !is_leaf, timeout_s: READY }, reason);
        }
    }

    /// Secrets that are made of what changes in a phase, with the reason of each.
    fn made_of(&self, phase: RotationPhase) -> Vec<(KubeSecret, Arc<str>)> {
        let is_leaf = phase == RotationPhase::NewLeaf;
        let made = self.site.steps.iter().filter_map(|step| match &step.work {
            Work::KubeSecret(secret)
                if self.rotation.installed.reads(&secret.namespace) && self.is_made_of(secret, is_leaf) =>
            {
                Some((secret.clone(), Arc::clone(&step.reason)))
            }
            _ => None,
        });
        made.collect()
    }

    fn is_made_of(&self, secret: &KubeSecret, is_leaf: bool) -> bool {
        let name = &self.rotation.certificate.name;
        match &secret.content {
            SecretContent::Tls { certificate } => is_leaf && certificate == name,
            SecretContent::Authority { certificate, .. } => !is_leaf && certificate == name,
            SecretContent::RegistryLogin { .. } | SecretContent::Bundle { .. } | SecretContent::Value { .. } => false,
        }
    }

    /// The URL must show the new leaf, whether or not the site wants its check: this is no check, but what the next phase rests on.
    fn served(&mut self) {
        let name = &self.rotation.certificate.name;
        let shown = self.shown.filter(|of| of.certificate.as_ref().is_none_or(|of| of == name));
        let Some(work) = shown.filter(|_| !self.rotation.installed.namespaces.is_empty()).cloned() else { return };
        let reason = format!("{} must answer with the new leaf before anything else changes", work.url);
        self.then(ids::served(&self.rotation.certificate.name), work, reason);
    }

    /// Run:ai must be connected, where the site has it.
    fn connected(&mut self, phase: RotationPhase) {
        let found = self.site.steps.iter().find_map(|step| match &step.work {
            Work::RunaiConnected(connected) => Some(RunaiConnected { next_report: true, ..connected.clone() }),
            _ => None,
        });
        let Installed { namespaces, whole } = &self.rotation.installed;
        let Some(work) = found.filter(|_| *whole && !namespaces.is_empty()) else { return };
        let reason = format!("{} must go on reporting to its control plane", work.target.cluster);
        self.then(ids::still_connected(phase, &work.target.cluster), work, reason);
    }
}
