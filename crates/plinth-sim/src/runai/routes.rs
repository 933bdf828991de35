//! The paths of a control plane.

use super::keycloak;
use super::plane::Plane;
use super::reply::{Reply, instead, spoilt};
use super::tokens::Worth;
use super::unit;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use axum::routing::{any, delete, get, patch, post};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

type Held = State<Arc<Plane>>;

/// All paths; everything else is unexpected.
pub(super) fn routes(plane: Arc<Plane>) -> Router {
    let auth = match plane.setup.keycloak {
        Some(_) => Router::new().route("/auth/{*rest}", any(behind)),
        None => Router::new()
            .route("/auth/realms/{realm}/.well-known/openid-configuration", get(discovery))
            .route("/auth/realms/{realm}/protocol/openid-connect/token", post(realm_token)),
    };
    auth.route("/", get(page))
        .route("/_version", get(version))
        .route("/api/v1/token", post(token_v1))
        .route("/api/v2/token", post(token_v2))
        .route("/api/v1/clusters", get(list).post(register))
        .route("/api/v1/clusters/{uuid}", get(cluster))
        .route("/api/v1/clusters/{uuid}/cluster-install-info", get(install_info))
        .route("/api/v1/clusters/{uuid}/nodes", get(nodes))
        .route("/api/v1/nodes", get(nodes_of_all))
        .route("/api/v1/org-unit/{kind}", get(units).post(make_unit))
        .route("/api/v1/org-unit/{kind}/{id}/resources", patch(patch_resources))
        .route("/api/v1/node-pools", get(pools))
        .route("/api/v1/workloads", get(workloads))
        .route("/api/v1/workloads/{id}", get(workload))
        .route("/api/v1/workloads/trainings", post(start))
        .route("/api/v1/workloads/trainings/{id}", delete(end))
        .route("/v1/k8s/clusters/{uuid}/node-pools", get(pools_of_cluster))
        .fallback(stranger)
        .with_state(plane)
}

async fn page(State(plane): Held) -> Response {
    serve(&plane, "page", async || Reply::page()).await
}

async fn stranger(State(plane): Held, method: Method, uri: Uri) -> Response {
    plane.held().unexpected.push(format!("{method} {}", uri.path()));
    Reply::nothing_here().response()
}

/// One call: faults before it, its answer, faults behind it.
async fn serve(plane: &Plane, call: &str, work: impl AsyncFnOnce() -> Reply) -> Response {
    answered(plane, call, false, work).await
}

/// The same, of Keycloak.
async fn serve_auth(plane: &Plane, call: &str, work: impl AsyncFnOnce() -> Reply) -> Response {
    answered(plane, call, true, work).await
}

async fn answered(plane: &Plane, call: &str, by_keycloak: bool, work: impl AsyncFnOnce() -> Reply) -> Response {
    let stage = plane.held().stage;
    if let Some(early) = stage.instead(call, by_keycloak) {
        plane.begins(call);
        return early.response();
    }
    let fault = plane.begins(call);
    if let Some(response) = fault.as_ref().and_then(instead) {
        return response;
    }
    spoilt(work().await, fault).await
}

/// A call that needs a token.
async fn authorised(plane: &Plane, call: &str, headers: &HeaderMap, work: impl AsyncFnOnce() -> Reply) -> Response {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    serve(plane, call, async || match worth(plane, token.unwrap_or_default()).await {
        Worth::By(issuer) if issuer == plane.familiar() => work().await,
        Worth::By(_) => Reply::refused(401, "Issuer is not familiar."),
        Worth::Nothing => Reply::refused(401, "Unauthorized"),
    })
    .await
}

async fn worth(plane: &Plane, token: &str) -> Worth {
    match plane.setup.keycloak {
        Some(address) => keycloak::worth(address, token).await,
        None => plane.held().tokens.worth(token),
    }
}

/// Everything below `/auth`, of a real Keycloak.
async fn behind(State(plane): Held, request: Request) -> Response {
    let call = if request.uri().path().ends_with("/token") { "token" } else { "discovery" };
    let stage = plane.held().stage;
    if let Some(early) = stage.instead(call, true) {
        plane.begins(call);
        return early.response();
    }
    let fault = plane.begins(call);
    if let Some(response) = fault.as_ref().and_then(instead) {
        return response;
    }
    match plane.setup.keycloak {
        Some(address) => keycloak::passed_on(address, request).await,
        None => Reply::nothing_here().response(),
    }
}

async fn discovery(State(plane): Held, Path(realm): Path<String>) -> Response {
    serve_auth(&plane, "discovery", async || {
        if realm != plane.setup.realm {
            return Reply::json(404, &json!({"error": "Realm does not exist"}));
        }
        let issuer = plane.issuer();
        let token = format!("{issuer}/protocol/openid-connect/token");
        Reply::json(200, &json!({"issuer": issuer, "token_endpoint": token, "claims_supported": ["sub"]}))
    })
    .await
}

async fn realm_token(State(plane): Held, Path(realm): Path<String>, body: Bytes) -> Response {
    serve_auth(&plane, "token", async || {
        if realm != plane.setup.realm {
            return Reply::json(404, &json!({"error": "Realm does not exist"}));
        }
        oauth_token(&plane, &body)
    })
    .await
}

async fn token_v2(State(plane): Held, body: Bytes) -> Response {
    if !plane.setup.is_from((2, 24)) {
        return stranger(State(plane), Method::POST, Uri::from_static("/api/v2/token")).await;
    }
    serve(&plane, "token", async || oauth_token(&plane, &body)).await
}

fn oauth_token(plane: &Plane, body: &[u8]) -> Reply {
    let fields: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    match plane.login(&fields) {
        Ok(token) => {
            let valid = plane.setup.token_valid_s;
            Reply::json(
                200,
                &json!({"access_token": token, "expires_in": valid, "token_type": "Bearer", "scope": "openid"}),
            )
        }
        Err(refused) => refused,
    }
}

/// The same in Run:ai's own words.
async fn token_v1(State(plane): Held, body: Bytes) -> Response {
    serve(&plane, "token", async || {
        let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(&body) else {
            return Reply::refused(400, "request body has an error: not an object");
        };
        let names = [
            ("grantType", "grant_type"),
            ("clientID", "client_id"),
            ("clientSecret", "client_secret"),
            ("appID", "client_id"),
            ("appSecret", "client_secret"),
            ("username", "username"),
            ("password", "password"),
        ];
        let field = |(theirs, oauth): (&str, &str)| Some((oauth.to_owned(), fields.get(theirs)?.as_str()?.to_owned()));
        // `client_credentials` came with 2.20 (API descriptions).
        let unknown =
            fields.get("grantType").is_some_and(|grant| grant == "client_credentials") && !plane.setup.is_from((2, 20));
        if unknown {
            return Reply::refused(400, "request body has an error: value is not one of the allowed values");
        }
        match plane.login(&names.into_iter().filter_map(field).collect()) {
            Ok(token) => Reply::json(200, &json!({"accessToken": token, "expiresIn": plane.setup.token_valid_s})),
            Err(refused) => Reply::refused(refused.status, "failed to get a token"),
        }
    })
    .await
}

async fn version(State(plane): Held) -> Response {
    serve(&plane, "version", async || Reply::json(200, &json!({"version": plane.setup.release.as_str()}))).await
}

async fn list(State(plane): Held, headers: HeaderMap) -> Response {
    authorised(&plane, "clusters", &headers, async || plane.list()).await
}

async fn register(State(plane): Held, headers: HeaderMap, body: Bytes) -> Response {
    authorised(&plane, "register", &headers, async || plane.register(&body)).await
}

async fn cluster(State(plane): Held, Path(uuid): Path<String>, headers: HeaderMap) -> Response {
    authorised(&plane, "cluster", &headers, async || plane.cluster(&uuid)).await
}

async fn install_info(State(plane): Held, Path(uuid): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let version = query(&uri, "version");
    authorised(&plane, "credentials", &headers, async || plane.install_info(&uuid, version.as_deref())).await
}

async fn nodes(State(plane): Held, Path(uuid): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let offset = query(&uri, "offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
    authorised(&plane, "nodes", &headers, async || plane.nodes(&uuid, offset)).await
}

/// From 2.23 on, for all clusters or for the one that the filter names.
async fn nodes_of_all(State(plane): Held, uri: Uri, headers: HeaderMap) -> Response {
    let cluster = query(&uri, "filterBy").and_then(|filter| filter.strip_prefix("clusterId==").map(str::to_owned));
    let Some(uuid) = cluster.filter(|_| plane.setup.is_from((2, 23))) else {
        return stranger(State(plane), Method::GET, uri).await;
    };
    nodes(State(plane), Path(uuid), uri, headers).await
}

async fn units(State(plane): Held, Path(kind): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(kind) = unit::kind(&kind) else { return stranger(State(plane), Method::GET, uri).await };
    let number = |name: &str| query(&uri, name).and_then(|number| number.parse().ok());
    let (offset, limit) = (number("offset").unwrap_or(0), number("limit"));
    authorised(&plane, kind, &headers, async || plane.units(kind, offset, limit)).await
}

async fn make_unit(
    State(plane): Held,
    Path(kind): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(kind) = unit::kind(&kind) else { return stranger(State(plane), Method::POST, uri).await };
    authorised(&plane, "make-unit", &headers, async || plane.make_unit(kind, &body)).await
}

async fn patch_resources(
    State(plane): Held,
    Path((kind, id)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(kind) = unit::kind(&kind) else { return stranger(State(plane), Method::PATCH, uri).await };
    authorised(&plane, "quota", &headers, async || plane.patch_resources(kind, &id, &body)).await
}

async fn pools(State(plane): Held, uri: Uri, headers: HeaderMap) -> Response {
    if !plane.setup.is_from((2, 19)) {
        return stranger(State(plane), Method::GET, uri).await;
    }
    authorised(&plane, "pools", &headers, async || plane.pools(None)).await
}

async fn pools_of_cluster(State(plane): Held, Path(uuid): Path<String>, headers: HeaderMap) -> Response {
    authorised(&plane, "pools", &headers, async || plane.pools(Some(&uuid))).await
}

async fn workloads(State(plane): Held, uri: Uri, headers: HeaderMap) -> Response {
    let filter = query(&uri, "filterBy");
    authorised(&plane, "workloads", &headers, async || plane.workloads(filter.as_deref())).await
}

async fn workload(State(plane): Held, Path(id): Path<String>, headers: HeaderMap) -> Response {
    authorised(&plane, "workload", &headers, async || plane.workload(&id)).await
}

async fn start(State(plane): Held, headers: HeaderMap, body: Bytes) -> Response {
    authorised(&plane, "start-training", &headers, async || plane.start(&body)).await
}

async fn end(State(plane): Held, Path(id): Path<String>, headers: HeaderMap) -> Response {
    authorised(&plane, "end-training", &headers, async || plane.end(&id)).await
}

fn query(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
