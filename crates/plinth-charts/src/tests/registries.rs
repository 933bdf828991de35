use super::pack::{chart, sha256};
use super::server::{Reply, Request, Server};
use super::{Trial, basic, release, with_login};
use plinth_model::steps::Release;
use plinth_world::Cause;
use serde_json::json;
use std::sync::Arc;

const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// The manifest of a chart, as `helm push` writes it.
fn manifest(layer: &str, digest: &str) -> Vec<u8> {
    let document = json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": format!("sha256:{}", sha256(b"{}"))},
        "layers": [
            {"mediaType": "application/vnd.cncf.helm.chart.provenance.v1.prov", "digest": format!("sha256:{}", sha256(b"x"))},
            {"mediaType": layer, "digest": digest, "size": 1},
        ],
    });
    document.to_string().into_bytes()
}

fn of(bytes: &[u8]) -> Vec<u8> {
    manifest(LAYER, &format!("sha256:{}", sha256(bytes)))
}

/// What a registry holds under `charts/demo`.
#[derive(Clone)]
struct Held {
    tags: Vec<&'static str>,
    manifest: Vec<u8>,
    blob: Vec<u8>,
}

impl Held {
    fn demo(tags: &[&'static str]) -> Self {
        let blob = chart("demo", "1.2.3");
        Self { tags: tags.to_vec(), manifest: of(&blob), blob }
    }

    fn answer(&self, path: &str) -> Reply {
        let rest = path.strip_prefix("/v2/charts/demo/").unwrap_or("");
        if let Some(tag) = rest.strip_prefix("manifests/") {
            return if self.tags.contains(&tag) { Reply::ok(self.manifest.clone()) } else { Reply::status(404) };
        }
        match rest {
            "tags/list?n=1000" => Reply::ok(json!({"name": "charts/demo", "tags": self.tags[..1]}).to_string())
                .header("Link", "</v2/charts/demo/tags/list?n=1000&last=x>; rel=\"next\""),
            "tags/list?n=1000&last=x" => Reply::ok(json!({"tags": self.tags[1..]}).to_string()),
            blob if blob.starts_with("blobs/sha256:") => Reply::ok(self.blob.clone()),
            _ => Reply::status(404),
        }
    }

    async fn open(self) -> Server {
        Server::start(move |request: &Request| self.answer(&request.path)).await
    }
}

fn at(server: &Server, version: &str) -> Release {
    release(&format!("oci://{}/charts/demo", server.host()), "", version)
}

#[tokio::test]
async fn a_tag_is_the_version_literally_with_or_without_v() {
    for (tag, wanted) in [("1.2.3", "1.2.3"), ("v1.2.3", "1.2.3"), ("1.2.3", "v1.2.3"), ("v1.2.3", "v1.2.3")] {
        let server = Held::demo(&[tag]).open().await;
        let trial = Trial::new();
        let package = trial.package(&at(&server, wanted)).await.unwrap();
        assert_eq!((package.version.as_str(), package.digest), ("1.2.3", sha256(&chart("demo", "1.2.3"))));
        let split = Release {
            chart: "demo".into(),
            repository: format!("oci://{}/charts", server.host()),
            ..at(&server, wanted)
        };
        server.forget();
        assert_eq!(trial.package(&split).await.unwrap().version.as_str(), "1.2.3");
        assert!(server.paths().is_empty(), "the same place, written in two parts");
    }
    let server = Held::demo(&["0.9.0"]).open().await;
    let (code, error) = Trial::new().refused(&at(&server, "1.2.3")).await;
    assert_eq!((code.as_str(), error.cause), ("charts.not-found", Cause::Refused));
    assert!(error.finding.unwrap().evidence.iter().any(|line| line.contains("0.9.0")));
}

#[tokio::test]
async fn a_line_is_the_newest_tag_over_all_pages() {
    let held = Held::demo(&["1.2.0", "v1.2.3", "1.2.4-rc1", "1.3.0", "latest", "sha256-abc.sig"]);
    let server = held.open().await;
    let package = Trial::new().package(&at(&server, "~1.2.0")).await.unwrap();
    assert_eq!(package.version.as_str(), "1.2.3");
    assert!(server.paths().contains(&"/v2/charts/demo/manifests/v1.2.3".to_owned()), "{:?}", server.paths());
}

/// A registry whose tokens come from another server, and whose packages lie on a third one.
async fn guarded(with_login: bool) -> (Server, Server, Server) {
    let store = Server::start(|_| Reply::ok(chart("demo", "1.2.3"))).await;
    let tokens = Server::start(move |request: &Request| {
        let scope = request.path.contains("scope=repository%3Acharts%2Fdemo%3Apull");
        let good = scope && (!with_login || request.authorization == basic());
        if good { Reply::ok(r#"{"access_token": "t0ken"}"#) } else { Reply::status(401) }
    })
    .await;
    let (realm, blob, held) = (tokens.url("/token"), store.url("/blob?signed=1"), Held::demo(&["1.2.3"]));
    let registry = Server::start(move |request: &Request| {
        if request.authorization.as_deref() != Some("Bearer t0ken") {
            let challenge = format!(r#"Bearer realm="{realm}",service="registry",scope="repository:charts/demo:pull""#);
            return Reply::status(401).header("WWW-Authenticate", challenge);
        }
        if request.path.contains("/blobs/") { Reply::to(blob.clone()) } else { held.answer(&request.path) }
    })
    .await;
    (registry, tokens, store)
}

#[tokio::test]
async fn a_token_is_got_with_the_login_or_without_and_a_package_elsewhere_is_asked_for_without_either() {
    for login in [true, false] {
        let (registry, tokens, store) = guarded(login).await;
        let wanted = at(&registry, "1.2.3");
        let wanted = if login { with_login(wanted, &registry.host()) } else { wanted };
        Trial::new().package(&wanted).await.unwrap();
        assert_eq!(tokens.shown(), [if login { basic() } else { None }], "one token serves all requests");
        let token = Some("Bearer t0ken".to_owned());
        assert_eq!(
            registry.shown(),
            [None, token.clone(), token],
            "and the password never goes to the registry itself"
        );
        assert_eq!(store.shown(), [None]);
    }
}

#[tokio::test]
async fn a_login_of_another_host_is_not_given_to_a_token_service_and_a_refused_one_is_said() {
    let (registry, tokens, _) = guarded(true).await;
    let (code, error) = Trial::new().refused(&with_login(at(&registry, "1.2.3"), "other.example.com")).await;
    assert_eq!((code.as_str(), error.cause), ("charts.refused", Cause::Refused));
    assert!(!tokens.shown().is_empty() && tokens.shown().iter().all(Option::is_none));
    let deny = Server::start(|_| Reply::status(401)).await;
    let realm = deny.url("/token");
    let registry = Server::start(move |_| {
        Reply::status(401).header("WWW-Authenticate", format!(r#"Bearer realm="{realm}",service="x""#))
    })
    .await;
    let (code, error) = Trial::new().refused(&with_login(at(&registry, "1.2.3"), &registry.host())).await;
    assert_eq!((code.as_str(), error.cause), ("charts.refused", Cause::Credentials));
}

#[tokio::test]
async fn a_challenge_behind_a_redirect_gets_no_login() {
    let thief_tokens = Server::start(|_| Reply::ok(r#"{"token": "x"}"#)).await;
    let realm = thief_tokens.url("/token");
    let thief = Server::start(move |_| {
        Reply::status(401)
            .header("WWW-Authenticate", format!(r#"Bearer realm="{realm}""#))
            .header("WWW-Authenticate", "Basic realm=\"x\"")
    })
    .await;
    let address = thief.url("/v2/charts/demo/manifests/1.2.3");
    let registry = Server::start(move |_| Reply::to(address.clone())).await;
    let (code, _) = Trial::new().refused(&with_login(at(&registry, "1.2.3"), &registry.host())).await;
    assert_eq!(code, "charts.refused");
    let shown = [thief.shown(), thief_tokens.shown()].concat();
    assert!(shown.iter().flatten().all(|text| text == "Bearer x"), "{shown:?}");
}

#[tokio::test]
async fn a_registry_that_wants_a_password_gets_it() {
    let held = Held::demo(&["1.2.3"]);
    let registry = Server::start(move |request: &Request| match request.authorization == basic() {
        false => Reply::status(401).header("WWW-Authenticate", "Basic realm=\"registry\""),
        true => held.answer(&request.path),
    })
    .await;
    Trial::new().package(&with_login(at(&registry, "1.2.3"), &registry.host())).await.unwrap();
    let (code, error) = Trial::new().refused(&at(&registry, "1.2.3")).await;
    assert_eq!((code.as_str(), error.cause), ("charts.refused", Cause::Refused));
}

#[tokio::test]
async fn the_digest_of_a_manifest_and_that_of_a_package_are_two_numbers_and_both_bind() {
    let held = Held::demo(&["1.2.3"]);
    let (package, manifest) = (sha256(&held.blob), sha256(&held.manifest));
    let server = held.open().await;
    for (digest, manifest_digest, good) in [
        (Some(&package), None, true),
        (None, Some(&manifest), true),
        (Some(&package), Some(&manifest), true),
        (Some(&manifest), None, false),
        (None, Some(&package), false),
    ] {
        let wanted =
            Release { digest: digest.cloned(), manifest_digest: manifest_digest.cloned(), ..at(&server, "1.2.3") };
        let trial = Trial::new();
        if good {
            let first = trial.package(&wanted).await.unwrap();
            server.forget();
            assert_eq!(trial.package(&wanted).await.unwrap(), first);
            assert!(server.paths().is_empty(), "what was proved once needs no network");
        } else {
            let (code, error) = trial.refused(&wanted).await;
            assert_eq!((code.as_str(), error.cause), ("charts.digest", Cause::BadAnswer));
        }
    }
}

#[tokio::test]
async fn a_catalog_that_pins_another_manifest_later_counts_more_than_what_was_kept() {
    let server = Held::demo(&["1.2.3"]).open().await;
    let trial = Trial::new();
    trial.package(&at(&server, "1.2.3")).await.unwrap();
    let wanted = Release { manifest_digest: Some(sha256(b"another")), ..at(&server, "1.2.3") };
    assert_eq!(trial.refused(&wanted).await.0, "charts.digest");
}

#[tokio::test]
async fn what_a_registry_gives_instead_of_a_chart_is_said_as_what_it_is() {
    let whole = Held::demo(&["1.2.3"]);
    let image = manifest("application/vnd.oci.image.layer.v1.tar+gzip", &format!("sha256:{}", sha256(b"x")));
    let sum = manifest(LAYER, "md5:d41d8cd98f00b204e9800998ecf8427e");
    let other = of(&chart("other", "1.2.3"));
    for (what, held, code) in [
        ("an image", Held { manifest: image, ..whole.clone() }, "charts.unreadable"),
        ("another sum", Held { manifest: sum, ..whole.clone() }, "charts.unreadable"),
        ("no manifest", Held { manifest: b"<html>".to_vec(), ..whole.clone() }, "charts.unreadable"),
        ("another package", Held { blob: chart("demo", "1.2.4"), ..whole.clone() }, "charts.digest"),
        ("another chart", Held { manifest: other, blob: chart("other", "1.2.3"), ..whole }, "charts.unreadable"),
    ] {
        let server = held.open().await;
        let (found, error) = Trial::new().refused(&at(&server, "1.2.3")).await;
        assert_eq!((found.as_str(), error.cause), (code, Cause::BadAnswer), "{what}");
    }
}

#[tokio::test]
async fn a_list_of_tags_without_an_end_ends() {
    let server = Server::start(|_| {
        Reply::ok(r#"{"tags": ["1.2.3"]}"#).header("Link", "</v2/charts/demo/tags/list?n=1000&last=x>; rel=\"next\"")
    })
    .await;
    let (code, _) = Trial::new().refused(&at(&server, "~1.2.0")).await;
    assert_eq!(code, "charts.unreadable");
    assert!(server.paths().len() <= 101);
}

#[tokio::test]
async fn an_index_may_name_a_package_in_a_registry() {
    let registry = Arc::new(Held::demo(&["1.2.3"]).open().await);
    let address = format!("oci://{}/charts/demo:1.2.3", registry.host());
    let text = format!("entries:\n  demo:\n  - version: 1.2.3\n    urls: [\"{address}\"]\n");
    let server = Server::start(move |_| Reply::ok(text.clone())).await;
    let package = Trial::new().package(&release("demo", &server.url("/r"), "1.2.3")).await.unwrap();
    assert_eq!(package.digest, sha256(&chart("demo", "1.2.3")));
}
