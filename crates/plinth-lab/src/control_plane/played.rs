//! Kubelets that only say what kubelets say: KWOK, for as many nodes as a test likes, on which no pod runs.

use super::{ControlPlane, free_port};
use crate::error::LabResult;
use crate::parts::Parts;
use crate::tied::Tied;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;

impl ControlPlane {
    /// From now on every node that is made becomes Ready, pods on it run as soon as they are placed there, and those of Jobs end well.
    /// Connections to these ports of any pod lead to these addresses, seen from where the control plane runs. A node keeps the
    /// addresses, resources and versions that its maker wrote into its status. Not covered: logs, and programs run in pods.
    pub fn play_nodes(&mut self, forwards: &[(u16, SocketAddr)]) -> LabResult<()> {
        let parts = Parts::kwok()?;
        let port = free_port(self.address)?;
        self.write("kwok.yaml", &configuration(forwards))?;
        let mut command = Command::new(parts.program("kwok")?);
        command.current_dir(self.folder.path()).args([
            "--manage-all-nodes=true".to_owned(),
            // Without leases the controllers call nodes lost after 40 s.
            "--node-lease-duration-seconds=40".to_owned(),
            format!("--kubeconfig={}", self.admin().display()),
            format!("--config={}", self.file("kwok.yaml").display()),
            format!("--node-ip={}", self.address),
            format!("--node-port={port}"),
            format!("--tls-cert-file={}", self.file("server.crt").display()),
            format!("--tls-private-key-file={}", self.file("server.key").display()),
        ]);
        // Before all others in the order of ending; that of etcd and the API server stays.
        let kwok = Tied::start(&command, "starting kwok", &self.log("kwok"))?;
        self.programs().insert(0, kwok);
        Ok(())
    }
}

fn configuration(forwards: &[(u16, SocketAddr)]) -> String {
    let mut text = String::from(
        "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: ClusterPortForward\nmetadata: {name: all}\nspec:\n  forwards:\n",
    );
    for (port, to) in forwards {
        let _ = writeln!(text, "  - {{ports: [{port}], target: {{address: {}, port: {}}}}}", to.ip(), to.port());
    }
    if forwards.is_empty() { String::new() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_lead_where_they_are_said_to() {
        assert_eq!(configuration(&[]), "");
        let text = configuration(&[(53, "127.0.0.1:5353".parse().unwrap())]);
        assert!(text.ends_with("- {ports: [53], target: {address: 127.0.0.1, port: 5353}}\n"), "{text}");
    }
}
