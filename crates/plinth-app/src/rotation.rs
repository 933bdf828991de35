//! Exchanging certificates: a small plan, made because somebody asks for it, or to go on with one that was interrupted.

use crate::failure::{Failure, client_problem};
use crate::operation::{Discovered, Operation, Planned};
use plinth_model::steps::{Certificate, CertificateRotation, CertificateSource, HelmRelease, RotationPhase};
use plinth_model::{Plan, Problem, Stage, Work};
use plinth_plan::{Installed, Observed, Rotation};
use plinth_run::StepEnv;
use plinth_world::keystore::CertificateState;
use plinth_world::{ClientError, ClientResult};
use std::collections::BTreeSet;

const PHASES: [RotationPhase; 4] =
    [RotationPhase::TrustBoth, RotationPhase::NewLeaf, RotationPhase::TrustNew, RotationPhase::Finished];

impl Operation<'_> {
    /// A plan that exchanges the certificates of the site: leaves, and with `authority` the authority that plinth made for them. Files that
    /// the site gives are judged here and exchanged for those that are kept. A rotation that was interrupted goes on as it was begun, and
    /// one that is to stop behind a phase has no step behind it. The plan has no step where the given files are those that are kept.
    ///
    /// # Errors
    /// When the site has no certificate, none is kept yet, what comes cannot be used, or the state directory cannot be read.
    pub async fn plan_rotation(
        &self,
        discovered: &Discovered,
        authority: bool,
        until: Option<RotationPhase>,
    ) -> Result<Planned, Failure> {
        let mut observed = Observed::new(discovered.inventory.clone());
        let site = self.make(&observed)?;
        let (env, certificates) = (self.env()?, certificates(&site)?);
        let look = async {
            let mut rotations = Vec::new();
            for certificate in certificates {
                rotations.extend(rotation(&env, certificate, authority).await?);
            }
            if !rotations.is_empty() {
                let installed = installed(&env, &site).await?;
                for rotation in &mut rotations {
                    (rotation.installed, rotation.until) = (installed.clone(), until);
                }
            }
            Ok(rotations)
        };
        let rotations = self.world.drive(look, false).await.map_err(|error: ClientError| client_problem(&error))?;
        let plan = plinth_plan::rotation(self.desired(), &mut observed, &self.input().catalog, &site, &rotations);
        let plan = plan.map_err(|findings| self.input().rejected_after_contact(findings))?;
        Ok(self.planned(plan, &discovered.cluster, "rotate certificates"))
    }
}

fn certificates(site: &Plan) -> Result<Vec<&Certificate>, Problem> {
    let found: Vec<&Certificate> = site
        .steps
        .iter()
        .filter_map(|step| match &step.work {
            Work::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(Problem::while_doing("looking for certificates of")
            .to(&site.site)
            .wrong_input("the site has none: only Run:ai needs one, and there is no `runai` section")
            .try_this("rotate certificates of Kubernetes itself with its own means (`kubeadm certs renew`)"));
    }
    Ok(found)
}

/// Which releases of Run:ai are there.
async fn installed(env: &StepEnv, site: &Plan) -> ClientResult<Installed> {
    let mut installed = Installed { namespaces: BTreeSet::new(), whole: true };
    for step in &site.steps {
        let Work::HelmRelease(HelmRelease { release, stage: Stage::Runai }) = &step.work else { continue };
        match env.clients.helm.release(&env.ctx, &release.namespace, &release.release).await? {
            Some(_) => {
                installed.namespaces.insert(release.namespace.clone());
            }
            None => installed.whole = false,
        }
    }
    Ok(installed)
}

/// The rotation of one certificate, whoever reads it; none: the given files are those that are kept.
async fn rotation(env: &StepEnv, certificate: &Certificate, authority: bool) -> ClientResult<Option<Rotation>> {
    let Certificate { name, names, source } = certificate;
    let (keystore, ctx) = (&env.clients.keystore, &env.ctx);
    let begun = keystore.rotation(ctx, name).await?;
    let outgoing = match begun.clone() {
        Some(outgoing) => outgoing,
        None => match keystore.outgoing(ctx, name, names, source, authority).await? {
            Some(outgoing) => outgoing,
            None => return Ok(None),
        },
    };
    let mut missing = Vec::new();
    for phase in PHASES {
        let (name, names, source) = (name.clone(), names.clone(), source.clone());
        let wanted = CertificateRotation { name, names, source, outgoing: outgoing.clone(), phase };
        // Before it begins there is no record, and at its end there must be none.
        let lines = match (phase, &begun) {
            (RotationPhase::Finished, None) => vec!["- the key of what goes out".to_owned()],
            _ => keystore.rotation_differs(ctx, &wanted).await?,
        };
        missing.push((phase, lines));
    }
    let adds = missing.iter().any(|(phase, lines)| *phase == RotationPhase::TrustBoth && !lines.is_empty());
    let is_given = matches!(source, CertificateSource::Files { .. });
    Ok(Some(Rotation {
        certificate: certificate.clone(),
        exchanges_authority: !outgoing.authorities.is_empty() || (is_given && (adds || begun.is_some())),
        outgoing,
        installed: Installed::default(),
        until: None,
        serves: keystore.certificate(ctx, name).await.is_ok_and(still_serves),
        missing,
    }))
}

/// It can be believed today, and its authority too.
fn still_serves(kept: Option<CertificateState>) -> bool {
    kept.is_some_and(|kept| kept.days_left >= 0 && kept.authority.is_none_or(|authority| authority.days_left >= 0))
}
