//! Command lines of a control plane's programs.

use std::net::Ipv4Addr;
use std::path::Path;

/// Writes are recorded, reads are not.
pub(super) const AUDIT: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n\
                                - {level: None, verbs: [get, list, watch]}\n- {level: Metadata}\n";

/// Where everything of one control plane is.
pub(super) struct Layout<'a> {
    pub(super) folder: &'a Path,
    pub(super) address: Ipv4Addr,
    /// Of the API server.
    pub(super) port: u16,
    /// Of etcd, for the API server.
    pub(super) client: u16,
    /// Of etcd, for other members; there are none.
    pub(super) peer: u16,
}

impl Layout<'_> {
    /// Names and arguments, in the order in which they start.
    pub(super) fn programs(&self, controllers: bool) -> Vec<(&'static str, Vec<String>)> {
        let mut all = vec![("etcd", self.etcd()), ("kube-apiserver", self.api_server(controllers))];
        if controllers {
            all.push(("kube-controller-manager", self.controllers()));
            all.push(("kube-scheduler", self.scheduler()));
        }
        all
    }

    fn etcd(&self) -> Vec<String> {
        let (client, peer) = (self.local(self.client), self.local(self.peer));
        vec![
            format!("--data-dir={}", self.file("etcd")),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ]
    }

    fn api_server(&self, controllers: bool) -> Vec<String> {
        let mut all = vec![
            format!("--etcd-servers={}", self.local(self.client)),
            format!("--bind-address={}", self.address),
            format!("--advertise-address={}", self.address),
            format!("--secure-port={}", self.port),
            format!("--tls-cert-file={}", self.file("server.crt")),
            format!("--tls-private-key-file={}", self.file("server.key")),
            format!("--client-ca-file={}", self.file("ca.crt")),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            format!("--service-account-key-file={}", self.file("accounts.pub")),
            format!("--service-account-signing-key-file={}", self.file("accounts.key")),
            "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
            "--authorization-mode=Node,RBAC".to_owned(),
            // Loopback is no address for the endpoints of the service `kubernetes`.
            "--endpoint-reconciler-type=none".to_owned(),
            format!("--audit-policy-file={}", self.file("audit.yaml")),
            format!("--audit-log-path={}", self.file("audit.log")),
        ];
        if !controllers {
            all.push("--disable-admission-plugins=ServiceAccount".to_owned());
        }
        all
    }

    fn controllers(&self) -> Vec<String> {
        let mut all = self.of_client();
        all.push("--controllers=*".to_owned());
        all.push("--use-service-account-credentials".to_owned());
        all.push(format!("--service-account-private-key-file={}", self.file("accounts.key")));
        all.push(format!("--root-ca-file={}", self.file("ca.crt")));
        all
    }

    fn scheduler(&self) -> Vec<String> {
        self.of_client()
    }

    /// Those that only ask, and answer nobody.
    fn of_client(&self) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.file("admin.conf")),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
        ]
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    fn local(&self, port: u16) -> String {
        format!("http://{}:{port}", Ipv4Addr::LOCALHOST)
    }
}
