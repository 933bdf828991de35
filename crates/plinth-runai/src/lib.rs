//! The real Run:ai client: the control plane's REST interface and the Keycloak in front of it, over TLS.
//!
//! Paths, ways to a token and the kind of credential come with each target, from the catalog: no version is named here. Sources of
//! what is: OpenAPI descriptions in the vendor's client, 2.18 to 2.24; NVIDIA Run:ai docs 2.25 and 3.0; answers of Keycloak 26.
//!
//! Not covered: the old interface below `/v1/k8s` (but for node pools of 2.18), and logins other than an administrator's password (single
//! sign-on, applications, service accounts), of the service (SaaS) too.

mod answer;
mod client;
mod failure;
mod jwt;
mod link;
mod org_unit;
mod refusal;
mod register;
mod session;
mod timing;
mod token;
mod up;
mod wire;
mod workload;

pub use client::RunaiRest;
pub use timing::RunaiTiming;
