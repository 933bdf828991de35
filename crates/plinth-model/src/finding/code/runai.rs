//! Run:ai: what its control plane answers, and what a site wants of it.

findings! {
    RUNAI_AIRGAPPED_VALUES = "runai.airgapped-values", You {
        means: "The vendor's package for air-gapped sites writes values of its own, and plinth does not have them.",
        usually: "`runai.source` is `airgapped`.",
        fix: "Put the content of `custom-env.yaml` from that package under `platform.components.runai-control-plane.values`.",
    }
    RUNAI_ARTIFACT_SOURCE = "runai.artifact-source", You {
        means: "This Run:ai release is not published at the source that the site file names.",
        usually: "An old release with `ngc`, or a new one with `jfrog`.",
        fix: "Set `runai.source` to one of those that the fix names, or remove it: plinth then chooses by the version.",
    }
    RUNAI_BAD_ANSWER = "runai.bad-answer", You {
        means: "What came back from Run:ai's URL is not what its control plane answers.",
        usually: "A proxy or another site answers there, or this release is not known to plinth.",
        fix: "Check with `curl` what answers at the URL. If it is Run:ai, report its release and this message.",
    }
    RUNAI_CLUSTER_NOT_CONNECTED = "runai.cluster-not-connected", You {
        means: "Run:ai does not call the cluster connected, or does not see every GPU node.",
        usually: "The agent cannot reach the control plane, a required dependency is missing, or a GPU node is not ready.",
        fix: "Look at the deployments runai-agent, cluster-sync and assets-sync in namespace runai, and at the conditions of the runaiconfig object.",
    }
    RUNAI_CLUSTER_NOT_REGISTERED = "runai.cluster-not-registered", You {
        means: "The cluster is not registered at the control plane, so it will never connect.",
        usually: "Somebody removed it after it was registered.",
        fix: "Find out who removed it. Put it back by hand, or choose another name in `runai.cluster.name`; then run again.",
    }
    RUNAI_CLUSTER_REGISTERED_TWICE = "runai.cluster-registered-twice", You {
        means: "Several clusters of the same name are registered at the control plane. plinth does not guess which one is ours.",
        usually: "Another installation uses the same name, or a cluster was registered by hand as well.",
        fix: "Remove the entries that do not belong to this site in the control plane, or choose another `runai.cluster.name`; then run again.",
    }
    RUNAI_CLUSTER_SECRET = "runai.cluster-secret", You {
        means: "This Run:ai release registers clusters in a way that this plinth does not know.",
        usually: "`runai.version` is newer than what this plinth can register.",
        fix: "Use the release that the fix names, or an older one.",
    }
    RUNAI_CREDENTIALS = "runai.credentials", You {
        means: "Run:ai refuses the login of its administrator, or the token that it gave for it.",
        usually: "The password was changed in the UI, or the control plane was installed with another one.",
        fix: "Check what `runai.admin` leads to. A forgotten password is set again in the UI by another administrator.",
    }
    RUNAI_ISSUER_ABSENT = "runai.issuer-absent", You {
        means: "Keycloak, the login service of Run:ai, did not answer in time at the platform's URL.",
        usually: "Its pods do not run, its database has no volume, or the name does not lead to the ingress.",
        fix: "Look at keycloak and postgresql: `kubectl -n runai-backend get pods`; then at the ingress of the domain. Run again when the cause is fixed.",
    }
    RUNAI_ISSUER_MISMATCH = "runai.issuer-mismatch", You {
        means: "Keycloak names another issuer than Run:ai expects. The two are compared letter by letter, so every login would fail.",
        usually: "A URL with a port, which Keycloak was not told, or another host name in its settings.",
        fix: "Serve Run:ai on port 443. With a node port, KC_HOSTNAME must be the whole URL with the port, and keycloakExternalEndpoint the host with the port.",
    }
    RUNAI_LOGIN = "runai.login", You {
        means: "The site file does not say who signs in to Run:ai's control plane, or says it twice.",
        usually: "`runai.admin` was left out, or stands beside `runai.controlPlane.serviceAccount`.",
        fix: "Give `runai.admin`, or for a control plane elsewhere `runai.controlPlane.serviceAccount`, and not both.",
    }
    RUNAI_NO_SUCH_HOST = "runai.no-such-host", You {
        means: "This machine finds no address for the host name of Run:ai.",
        usually: "The name is known inside the site only, and the plan knows no ingress address.",
        fix: "Write `platform: {ingress: {address: ADDRESS}}`, or let this machine's name service know the name.",
    }
    RUNAI_NOT_CONNECTED = "runai.not-connected", You {
        means: "The cluster did not report to the control plane in time.",
        usually: "Pods do not resolve the platform's name, do not trust its certificate, or a required dependency is missing. The evidence holds the state.",
        fix: "Look at runai-agent and cluster-sync: `kubectl -n runai logs deployment/runai-agent`. Then run again.",
    }
    RUNAI_OIDC_AUTHORITY = "runai.oidc-authority", You {
        means: "The API servers are told that Run:ai is an issuer of tokens, and not which authority signs its certificate, so that they take none of them.",
        usually: "The authority is plinth's own, which is made after the API servers were set up.",
        fix: "Put the authority that `plinth render certs` shows under `kubernetes.api.oidc.authority`, and run `plinth apply` again.",
    }
    RUNAI_OIDC_ISSUER = "runai.oidc-issuer", You {
        means: "The API server is told an issuer at Run:ai's own host that is not the one that Run:ai writes into tokens. The two are compared letter by letter, so everybody's login to the API server would fail.",
        usually: "The port is missing or too much, or another realm stands in `kubernetes.api.oidc.issuer`.",
        fix: "Write the issuer that the fix names into `kubernetes.api.oidc.issuer`.",
    }
    RUNAI_PORT_MODE = "runai.port-mode", You {
        means: "Run:ai's URL has a port other than 443. The vendor does not document that, and no public report shows a cluster connected this way.",
        usually: "The ingress is reached through a node port, with no load balancer.",
        fix: "Use port 443: give `platform.loadBalancer.addresses`, or put a proxy for 443 before the node port and write `runai: {port: 443}`.",
    }
    RUNAI_PROJECT_ELSEWHERE = "runai.project-elsewhere", You {
        means: "A project of this name is there, in another department than the site file says. It was left alone: workloads and people's rights hang on it.",
        usually: "Somebody made it by hand, or it was moved to another department of the site file.",
        fix: "Write it under the department where it is, or choose another name.",
    }
    RUNAI_REFUSED = "runai.refused", You {
        means: "The control plane of Run:ai understands what it is asked, and says no.",
        usually: "The administrator may not manage clusters, the entry is gone, or the name is taken by an entry that is being deleted.",
        fix: "Read what it says, fix that in the control plane, then run again.",
    }
    RUNAI_REGISTRATION_UNKNOWN = "runai.registration-unknown", You {
        means: "The answer to the registration of the cluster was lost, and no entry of its name appeared afterwards. It was not sent again: that could make a second entry.",
        usually: "The connection broke, or the control plane was restarted in this moment.",
        fix: "Look at the clusters in the UI, then run again: an entry of that name is used, and without one it is registered.",
    }
    RUNAI_SAME_MINOR = "runai.same-minor", You {
        means: "Control plane and cluster of Run:ai would be of different minor releases.",
        usually: "The `version` of one of the two components was set by hand.",
        fix: "Keep both on the same minor: remove `version` of the component, so that `runai.version` decides.",
    }
    RUNAI_SERVER_TROUBLE = "runai.server-trouble", You {
        means: "The control plane of Run:ai answers that something is wrong with itself, or that it is asked too much.",
        usually: "Its database or one of its services is not ready.",
        fix: "Look at its pods: `kubectl -n runai-backend get pods`. Then run again.",
    }
    RUNAI_TARGET_UNUSABLE = "runai.target-unusable", You {
        means: "Something that is needed to speak to Run:ai cannot be used: its URL, the kept authority, or the administrator's password. Nobody was contacted.",
        usually: "A secret that is not set, or a certificate that was removed from the state directory.",
        fix: "Correct what the message names, then run again.",
    }
    RUNAI_TIMEOUT = "runai.timeout", You {
        means: "Run:ai did not answer in time.",
        usually: "A firewall on the way drops packets, or the control plane is under load.",
        fix: "Open the way from this machine to the ingress address. Then look at `kubectl -n runai-backend get pods`.",
    }
    RUNAI_TLS_BAD_CERTIFICATE = "runai.tls-bad-certificate", You {
        means: "The certificate, or the TLS, of what answers at Run:ai's URL cannot be used.",
        usually: "Something else listens on this port, or its certificate is the authority's own.",
        fix: "Check with `openssl s_client` what answers there, and what secret runai-backend-tls holds.",
    }
    RUNAI_TLS_EXPIRED = "runai.tls-expired", You {
        means: "The certificate of Run:ai's URL is out of date, or not valid yet.",
        usually: "It was not renewed, or a clock is wrong.",
        fix: "Renew the certificate and run again. Check the clock of this machine.",
    }
    RUNAI_TLS_UNKNOWN_AUTHORITY = "runai.tls-unknown-authority", You {
        means: "The certificate of Run:ai's URL is by an authority that is not trusted for it.",
        usually: "The ingress does not use secret runai-backend-tls and shows its own certificate, or an authority is missing in the site file.",
        fix: "Check secret runai-backend-tls in namespace runai-backend. With files of your own, name their authority in `runai.certificate`.",
    }
    RUNAI_TLS_WRONG_NAME = "runai.tls-wrong-name", You {
        means: "The certificate of Run:ai's URL is for other names.",
        usually: "Another site answers at this address, or the certificate was made for an older name.",
        fix: "Check the names in the certificate and `runai.domain`; both must be the same.",
    }
    RUNAI_UNREACHABLE = "runai.unreachable", You {
        means: "Nothing answers at Run:ai's URL, or the connection breaks.",
        usually: "The ingress does not run, listens on another port, or its address is not reached from this machine.",
        fix: "Look at the ingress: `kubectl get pods -A | grep ingress`. Then check the way from this machine to its address.",
    }
    RUNAI_VERSION_NOT_PINNED = "runai.version-not-pinned", You {
        means: "The site file names a line such as `2.21`, not a version with three numbers. The newest release of that line is chosen when the chart is first used, and kept; it moves when a person asks.",
        usually: "`runai.version` or the version of a component was written with one or two numbers.",
        fix: "Nothing, if the newest is what you want: `plinth plan --refresh` chooses again. To get the same result on every machine, write all three numbers at the place that the finding names.",
    }
    RUNAI_WEAK_PASSWORD = "runai.weak-password", You {
        means: "The password of Run:ai's first administrator breaks Run:ai's own rule: 8 characters or more, with a digit, a lower case letter, an upper case letter and a special character. The administrator would not be made.",
        usually: "A simple password for a test.",
        fix: "Take a password that keeps the rule.",
    }
    RUNAI_WORKLOAD_DOES_NOT_RUN = "runai.workload-does-not-run", You {
        means: "A small training that was started over Run:ai's interface did not run in time. The evidence holds what the scheduler says of it.",
        usually: "The project has no quota of GPUs, all GPUs are in use, or the image cannot be pulled in the project's namespace.",
        fix: "Read the evidence; look at the pods of namespace `runai-PROJECT`, and at deployment runai-scheduler in namespace runai.",
    }
    RUNAI_WORKLOAD_NAMES = "runai.workload-names", You {
        means: "Run:ai gives workloads host names of their own below its domain. The certificate that plinth makes is for them, and the cluster part gets it; names in DNS are the site's.",
        usually: "`clusterConfig.global.subdomainSupport: true` in the values of runai-cluster.",
        fix: "Have the site's DNS answer for `*.DOMAIN` with the address of the ingress; a certificate of your own must be for these names, too. Or remove the value: workloads are reached by paths then.",
    }
}
