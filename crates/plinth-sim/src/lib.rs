//! A data centre in a process: BCM over TLS, nodes, Kubernetes, Helm, Run:ai; scripted faults, virtual time.
