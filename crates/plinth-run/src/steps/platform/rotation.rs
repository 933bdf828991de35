//! How far the exchange of a certificate has come in the state directory.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{compared, days};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::steps::{CertificateRotation, RotationPhase};
use plinth_world::ClientError;

impl StepKind for CertificateRotation {
    const EXPLANATION: Explanation = Explanation {
        kind: CertificateRotation::KIND,
        title: "The rotation of a certificate has come to a phase: both authorities are trusted, the leaf is new, only the new authority is trusted, or it is finished.",
        probe: "Compares what is kept with what goes out, which the plan names by fingerprint.",
        act: "Judges what comes, notes the rotation in the state directory, then writes. The private key of an authority that went out is removed at the end.",
    };

    /// The kept files have come to this phase.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let differences = env.clients.keystore.rotation_differs(&env.ctx, self).await?;
        Ok(compared(differences, || done(self.phase).to_owned()))
    }

    /// Brings them there.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let made = env.clients.keystore.rotate(&env.ctx, self).await?;
        let left = days(made.days_left);
        Ok(match self.phase {
            RotationPhase::NewLeaf => format!("a new leaf for {}, {left}", made.names.join(", ")),
            phase => done(phase).to_owned(),
        })
    }
}

const fn done(phase: RotationPhase) -> &'static str {
    match phase {
        RotationPhase::TrustBoth => "the new authority stands beside the old one",
        RotationPhase::NewLeaf => "the leaf is a new one",
        RotationPhase::TrustNew => "the old authority is out",
        RotationPhase::Finished => "nothing of the rotation is left",
    }
}
