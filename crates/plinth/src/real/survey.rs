//! Stage 0 of the real site.

use super::Real;
use crate::clients;
use plinth_model::Problem;
use plinth_plan::Cluster;
use plinth_run::survey::Survey;
use plinth_site::Desired;

impl Real {
    /// Visits every node of the cluster before anything is changed.
    pub(crate) async fn survey(&self, desired: &Desired, cluster: &Cluster) -> Result<Survey, Problem> {
        let visits = plinth_plan::visits(desired, cluster);
        let survey = plinth_run::survey::survey(&visits, &self.world().env, desired.run.parallel).await;
        survey.map_err(|error| clients::problem(&error))
    }
}
