//! The control plane as simulated nodes see it, and files that are pushed to them.

use super::*;

#[async_trait]
impl NodeControlPlane for SimNodes {
    /// Its clusters are made at once or not at all.
    async fn bootstrap(&self, _: &Context, target: &NodeTarget) -> ClientResult<Option<Bootstrap>> {
        let call = call("looking how far the cluster came on", target);
        self.log_in_as_account(&call, target, NodeOperation::Prepare).await?;
        self.centre.spend("birth-look", target.node.as_str(), timing::LOOK).await;
        Ok(None)
    }

    async fn admin_config(&self, _: &Context, target: &NodeTarget) -> ClientResult<Secret> {
        let call = call("reading the administrator's kubeconfig on", target);
        self.log_in_as_account(&call, target, NodeOperation::Kubernetes).await?;
        self.centre.spend("admin-config", target.node.as_str(), timing::LOOK).await;
        if self.centre.look(|state, _| ready_at(state, target).is_none())? {
            return Err(call.script_fails("/etc/kubernetes/admin.conf is not there", "deploy Kubernetes first"));
        }
        Ok(Secret::new(format!("apiVersion: v1\nkind: Config\nclusters: [{{name: {}}}]\n", target.node)))
    }

    async fn control_plane(&self, _: &Context, target: &NodeTarget) -> ClientResult<ControlPlane> {
        let call = call("looking at the control plane on", target);
        self.log_in_as_account(&call, target, NodeOperation::Kubernetes).await?;
        self.centre.spend("control-plane", target.node.as_str(), timing::LOOK).await;
        self.centre.look(|state, _| seen_of_control_plane(state, target))
    }
}

#[async_trait]
impl NodeFiles for SimNodes {
    async fn missing_files(
        &self,
        _: &Context,
        target: &NodeTarget,
        folder: &str,
        files: &[DownloadFile],
    ) -> ClientResult<Vec<String>> {
        let call = call("looking at pushed files on", target);
        let machine = self.log_in_as_account(&call, target, NodeOperation::Downloads).await?;
        self.centre.spend("downloads-look", target.node.as_str(), timing::LOOK).await;
        let there = |file: &&DownloadFile| machine.files.get(&format!("{folder}/{}", file.dest)) == Some(&file.sha256);
        Ok(files.iter().filter(|file| !there(file)).map(|file| file.dest.clone()).collect())
    }

    async fn push_file(&self, _: &Context, target: &NodeTarget, push: &PushFile<'_>) -> ClientResult<()> {
        let call = call(&format!("pushing {} to", push.name), target);
        let machine = self.log_in_as_account(&call, target, NodeOperation::Downloads).await?;
        let path = format!("{}/{}", push.folder, push.name);
        if machine.files.get(&path).is_some_and(|sha256| sha256 == push.sha256) {
            return Ok(());
        }
        if self.centre.look(|state, _| !state.controller.held.contains(push.sha256))? {
            return Err(call.fails(format!("{} is not here", push.name), "fetch it first"));
        }
        self.centre.spend("push-file", &format!("{}/{}", target.node, push.name), timing::PUSH).await;
        if let Some(lost) = self.dropped(&call, target, NodeOperation::Downloads)? {
            return Err(lost);
        }
        let (node, sha256) = (target.node.clone(), push.sha256.to_owned());
        self.centre.effect(Effect::FilePushed { node, path, sha256 })
    }
}
