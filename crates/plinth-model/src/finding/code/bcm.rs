//! What goes wrong with Base Command Manager.

findings! {
    BCM_ADDRESS_BY_NAME = "bcm.address-by-name", BcmAdmin {
        means: "Two interfaces of one node are equally good for its production address; the first one by name was taken.",
        usually: "Two interfaces of the same kind are in the production network, with the same priority in BCM.",
        fix: "Check the address in `plinth discover`. If it is the wrong one, set onNetworkPriority in BCM, or write `nodes: {overrides: {NODE: {address: ADDRESS}}}`.",
    }
    BCM_ADDRESS_IN_DHCP_POOL = "bcm.address-in-dhcp-pool", BcmAdmin {
        means: "The address of a node of the cluster lies in a range from which BCM hands out addresses, so another machine may get it too.",
        usually: "The dynamic range of the network was set without regard to fixed addresses.",
        fix: "Move the dynamic range of the network in BCM, or give the node an address outside it.",
    }
    BCM_ADDRESS_IS_GATEWAY = "bcm.address-is-gateway", BcmAdmin {
        means: "BCM records an address for this node that is also the gateway of a network. It is not used.",
        usually: "A typing error in the node's interface or in the network's gateway.",
        fix: "Correct the node or the network in BCM, or write `nodes: {overrides: {NODE: {address: ADDRESS}}}`.",
    }
    BCM_ADDRESS_NONE_SAFE = "bcm.address-none-safe", BcmAdmin {
        means: "None of the node's recorded addresses may be used for SSH and Kubernetes. For a node of the cluster this is an error; plinth never guesses.",
        usually: "BCM records only the BMC, a forbidden network, or an address that comes from DHCP. The evidence says why each one was passed over.",
        fix: "Record the production address of the node in BCM, or write `nodes: {overrides: {NODE: {address: ADDRESS}}}`; then run `plinth discover`.",
    }
    BCM_ADDRESS_UNREADABLE = "bcm.address-unreadable", BcmAdmin {
        means: "BCM records something as the address of an interface that is no address. Whether a range of the cluster or an address that it announces clashes with that machine cannot be told.",
        usually: "A typing error, or a name in place of an address.",
        fix: "Correct the interface in cmsh, then run `plinth discover`.",
    }
    BCM_BAD_ENTITY = "bcm.bad-entity", BcmAdmin {
        means: "BCM answered, but one node, network or other entity in its list makes no sense.",
        usually: "A field that is missing or has an unexpected form, after an upgrade of BCM or an edit by hand.",
        fix: "Look at this entity in cmsh and correct it there. If it looks right, report the message and the release of BCM.",
    }
    BCM_BAD_REPLY = "bcm.bad-reply", You {
        means: "What came back from the endpoint is not what BCM answers.",
        usually: "The endpoint names another service or port, a proxy answers in between, or this release of BCM is not known to plinth.",
        fix: "Check with `curl` what answers at `inventory.bcm.endpoint`. If it is BCM, report its release and this message.",
    }
    BCM_CREDENTIALS = "bcm.credentials", You {
        means: "BCM refuses the login.",
        usually: "A wrong user or password, a password that was changed, or a client certificate that BCM does not accept.",
        fix: "Check what the references under `inventory.bcm` lead to, such as the variables `BCM_USERNAME` and `BCM_PASSWORD`; then run `plinth discover`.",
    }
    BCM_HEAD_ADDRESS_UNKNOWN = "bcm.head-address-unknown", BcmAdmin {
        means: "The address of a head node could not be determined. Head nodes are never touched, so this stops nothing.",
        usually: "The head node has no fixed address in the production network.",
        fix: "Nothing, unless names of the site should lead to the head node. Otherwise record its production address in BCM.",
    }
    BCM_IDENTITY_UNKNOWN = "bcm.identity-unknown", You {
        means: "The inventory names no head node, so plinth cannot tell whether the BCM that answers is the right one.",
        usually: "A recorded inventory without its head nodes.",
        fix: "Record the inventory again with `plinth discover --save FILE`, then make a new plan.",
    }
    BCM_INTERRUPTED = "bcm.interrupted", BcmAdmin {
        means: "The connection to BCM broke before the reply was complete.",
        usually: "CMDaemon was restarted, or something on the way closes connections.",
        fix: "Run again. If it repeats, look into the log of CMDaemon on the head node.",
    }
    BCM_NETWORK_MISMATCH = "bcm.network-mismatch", BcmAdmin {
        means: "An interface cannot be on the network that BCM records for it. Its address is not used.",
        usually: "The address, the network of the interface, or the range of the network is recorded wrongly in BCM.",
        fix: "Correct the interface or the network in BCM, or write `nodes: {overrides: {NODE: {address: ADDRESS}}}`.",
    }
    BCM_NETWORK_UNKNOWN = "bcm.network-unknown", You {
        means: "BCM lists no network that fits `networks.production`. A name that is not listed is an error; a range is only a warning.",
        usually: "A typing error, or a production network that BCM does not manage.",
        fix: "Correct `networks.production`; `plinth discover` lists the networks. If BCM does not know the network, write its range and give addresses under `nodes.overrides`.",
    }
    BCM_NO_SUCH_HOST = "bcm.no-such-host", You {
        means: "The host name in the endpoint has no address.",
        usually: "A typing error, or a name that the resolver of this machine does not know.",
        fix: "Correct `inventory.bcm.endpoint`, or write the address of the head node there: `endpoint: \"https://ADDRESS:8081\"`.",
    }
    BCM_OTHER_SYSTEM = "bcm.other-system", BcmAdmin {
        means: "A head node of the inventory is not among those that answer. Going on could reach the machines of another site.",
        usually: "The endpoint leads to another cluster, or BCM was reinstalled since the plan was made.",
        fix: "Check `inventory.bcm.endpoint`. If BCM was reinstalled, run `plinth discover` and make a new plan.",
    }
    BCM_REDIRECT = "bcm.redirect", You {
        means: "The endpoint sends us elsewhere. plinth does not follow, since that would hand credentials to another host.",
        usually: "A proxy or a web front end sits in front of CMDaemon, or the endpoint names its port.",
        fix: "Name the head node itself in `inventory.bcm.endpoint`: `https://HEAD:8081`.",
    }
    BCM_REJECTED = "bcm.rejected", BcmAdmin {
        means: "BCM understood the request and refused it.",
        usually: "The evidence holds what BCM says, such as a missing right or an entity that is in use.",
        fix: "Fix what BCM complains about, then run again.",
    }
    BCM_SERVER_TROUBLE = "bcm.server-trouble", BcmAdmin {
        means: "BCM answered with a server error.",
        usually: "CMDaemon is starting, or is in trouble.",
        fix: "Run again after a moment. If it repeats, look into the log of CMDaemon on the head node.",
    }
    BCM_TIMEOUT = "bcm.timeout", NetworkTeam {
        means: "BCM did not answer in time.",
        usually: "A firewall drops packets on the way, or the head node is overloaded.",
        fix: "Check from this machine that the host and port of `inventory.bcm.endpoint` answer: `curl -k https://HEAD:8081`.",
    }
    BCM_TLS_BAD_CERTIFICATE = "bcm.tls-bad-certificate", BcmAdmin {
        means: "The TLS handshake with BCM failed, for another reason than its authority, its name or its dates.",
        usually: "A certificate that is damaged or of a kind that is not accepted, or TLS settings without a common version.",
        fix: "Give BCM a valid certificate; the finding says what is wrong with this one.",
    }
    BCM_TLS_EXPIRED = "bcm.tls-expired", BcmAdmin {
        means: "The certificate of BCM is out of date, or not valid yet.",
        usually: "It was not renewed, or the clock of one of the two machines is wrong.",
        fix: "Check the clocks of both machines, then renew the certificate of BCM.",
    }
    BCM_TLS_INSECURE = "bcm.tls-insecure", You {
        means: "The certificate of BCM is not checked, so whoever answers at its address is believed and gets the password.",
        usually: "`inventory.bcm.tls.insecure` is true.",
        fix: "Copy the certificate of BCM's authority to a file and write `tls: {caFile: FILE}` instead of `insecure: true`.",
    }
    BCM_TLS_NOT_SPOKEN = "bcm.tls-not-spoken", You {
        means: "What answers at the endpoint does not speak TLS.",
        usually: "The endpoint names another port than the TLS port of CMDaemon.",
        fix: "Write the TLS port of CMDaemon, usually 8081: `endpoint: \"https://HEAD:8081\"`.",
    }
    BCM_TLS_REFUSED = "bcm.tls-refused", BcmAdmin {
        means: "BCM refused the TLS handshake.",
        usually: "With login by certificate: BCM does not accept ours, because another authority made it or it has expired.",
        fix: "Check that BCM's own authority made `inventory.bcm.certificate` and that it is still valid.",
    }
    BCM_TLS_UNKNOWN_AUTHORITY = "bcm.tls-unknown-authority", BcmAdmin {
        means: "The certificate of BCM is signed by an authority that is not trusted here.",
        usually: "`tls.caFile` is not given, or it is of an earlier installation of BCM.",
        fix: "Copy the certificate of BCM's authority from the head node and write `tls: {caFile: FILE}` under `inventory.bcm`.",
    }
    BCM_TLS_WRONG_NAME = "bcm.tls-wrong-name", BcmAdmin {
        means: "The certificate of BCM is for another name than the one in the endpoint.",
        usually: "The endpoint holds an address or an alias that the certificate does not have.",
        fix: "Use a name of the certificate in `inventory.bcm.endpoint`; `openssl s_client -connect HEAD:8081` shows it.",
    }
    BCM_TOO_LARGE = "bcm.too-large", You {
        means: "The reply is larger than plinth reads.",
        usually: "Something else than BCM answers at the endpoint.",
        fix: "Check with `curl` what answers at `inventory.bcm.endpoint`. If it is BCM, report its release and this message.",
    }
    BCM_TRUNCATED = "bcm.truncated", BcmAdmin {
        means: "The reply of BCM ends in the middle.",
        usually: "CMDaemon was stopped while it answered, or something on the way cut the reply.",
        fix: "Run again. If it repeats, look into the log of CMDaemon on the head node.",
    }
    BCM_UNKNOWN_CALL = "bcm.unknown-call", BcmAdmin {
        means: "BCM does not know a call that plinth needs, or does not allow it to this user.",
        usually: "BCM is older than release 10, or the profile of the user is too narrow.",
        fix: "Check the release of BCM, and give the user a profile that may read nodes, networks and categories.",
    }
    BCM_UNREACHABLE = "bcm.unreachable", BcmAdmin {
        means: "No connection to BCM could be made.",
        usually: "CMDaemon does not run, the endpoint has the wrong port, or there is no route from this machine to the head node.",
        fix: "Check that service `cmd` runs on the head node and that `inventory.bcm.endpoint` is `https://HEAD:8081`; test with `curl -k https://HEAD:8081`.",
    }
}
