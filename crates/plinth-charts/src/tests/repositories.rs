use super::pack::{chart, sha256};
use super::server::{Reply, Request, Sends, Server};
use super::{Trial, basic, release, with_login};
use plinth_model::ChartVersion;
use plinth_model::steps::Release;
use plinth_world::Cause;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// An index of one chart: version, addresses, digest.
fn index(rows: &[(&str, &[&str], Option<&str>)]) -> String {
    let mut text = "apiVersion: v1\nentries:\n  demo:\n".to_owned();
    for (version, urls, digest) in rows {
        let _ = writeln!(text, "  - name: demo\n    version: {version}\n    urls: {urls:?}");
        if let Some(digest) = digest {
            let _ = writeln!(text, "    digest: {digest}");
        }
    }
    text
}

/// A repository below `/r/` whose index and packages do not change.
async fn repository(index: String, packages: Vec<(&'static str, Vec<u8>)>) -> Server {
    Server::start(move |request: &Request| {
        if request.path == "/r/index.yaml" {
            return Reply::ok(index.clone());
        }
        let package = packages.iter().find(|(path, _)| *path == request.path);
        package.map_or_else(|| Reply::status(404), |(_, bytes)| Reply::ok(bytes.clone()))
    })
    .await
}

fn at(server: &Server, version: &str) -> Release {
    release("demo", &server.url("/r"), version)
}

#[tokio::test]
async fn versions_with_and_without_v_and_addresses_of_all_kinds_are_found() {
    let other = Server::start(|_| Reply::ok(chart("demo", "1.2.0"))).await;
    let (one, two) = (sha256(&chart("demo", "1.0.0")), sha256(&chart("demo", "1.1.0")));
    let elsewhere = other.url("/x.tgz");
    let text = index(&[
        ("v1.0.0", &["charts/demo-v1.0.0.tgz"], Some(&one)),
        ("1.1.0", &["/root/demo.tgz"], Some(&two)),
        ("1.2.0", &["gone.tgz", &elsewhere], None),
    ]);
    let server = repository(
        text,
        vec![("/r/charts/demo-v1.0.0.tgz", chart("demo", "1.0.0")), ("/root/demo.tgz", chart("demo", "1.1.0"))],
    )
    .await;
    let trial = Trial::new();
    for (wanted, version) in [("1.0.0", "1.0.0"), ("v1.1.0", "1.1.0"), ("1.2.0", "1.2.0")] {
        let package = trial.package(&at(&server, wanted)).await.unwrap();
        assert_eq!((package.version.as_str(), package.digest), (version, sha256(&chart("demo", version))));
    }
    let indexes = server.paths().iter().filter(|path| path.ends_with("index.yaml")).count();
    assert_eq!(indexes, 1, "an index is read once, however many charts come from it");
}

#[tokio::test]
async fn what_is_here_needs_no_network_whether_the_catalog_the_index_or_nobody_told_its_digest() {
    let bytes = chart("demo", "1.0.0");
    for (by_catalog, by_index) in [(true, false), (false, true), (false, false)] {
        let digest = sha256(&bytes);
        let text = index(&[("1.0.0", &["demo.tgz"], by_index.then_some(&digest))]);
        let server = repository(text, vec![("/r/demo.tgz", bytes.clone())]).await;
        let trial = Trial::new();
        let wanted = Release { digest: by_catalog.then_some(digest), ..at(&server, "1.0.0") };
        let first = trial.package(&wanted).await.unwrap();
        assert_eq!(trial.told().contains("first use"), !by_catalog && !by_index);
        server.forget();
        let trial = trial.next_process();
        assert_eq!(trial.package(&wanted).await.unwrap(), first);
        assert_eq!(server.paths(), [] as [&str; 0]);
    }
}

#[tokio::test]
async fn a_line_is_resolved_once_and_moves_when_a_person_asks() {
    let newer = Arc::new(AtomicUsize::new(0));
    let grows = Arc::clone(&newer);
    let server = Server::start(move |request: &Request| match request.path.as_str() {
        "/r/index.yaml" => {
            let mut rows: Vec<(&str, &[&str], Option<&str>)> =
                vec![("2.21.9", &["2.21.9"], None), ("2.21.10-rc1", &["x"], None), ("2.22.0", &["x"], None)];
            if grows.load(Ordering::SeqCst) > 0 {
                rows.push(("2.21.43", &["2.21.43"], None));
            }
            Reply::ok(index(&rows))
        }
        path => Reply::ok(chart("demo", path.trim_start_matches("/r/"))),
    })
    .await;
    let (trial, wanted) = (Trial::new(), at(&server, "~2.21.0"));
    assert_eq!(trial.package(&wanted).await.unwrap().version.as_str(), "2.21.9");
    newer.store(1, Ordering::SeqCst);
    let trial = trial.next_process();
    let before = trial.package(&wanted).await.unwrap();
    assert_eq!(before.version.as_str(), "2.21.9");
    fs::remove_file(&before.file).unwrap();
    assert_eq!(
        trial.package(&wanted).await.unwrap(),
        before,
        "a lost package is fetched in the version that was chosen"
    );
    let trial = trial.next_process();
    let moved = trial.refresh(&wanted).await.unwrap();
    assert_eq!((moved.from.unwrap().as_str(), moved.to.as_str()), ("2.21.9", "2.21.43"));
    assert_eq!(trial.next_process().package(&wanted).await.unwrap().version.as_str(), "2.21.43");
    assert_eq!(wanted.version, "~2.21.0".parse::<ChartVersion>().unwrap());
}

#[tokio::test]
async fn a_login_goes_to_its_host_and_never_along_with_a_redirect() {
    let bytes = chart("demo", "1.0.0");
    let elsewhere = Server::start(move |_| Reply::ok(chart("demo", "1.0.0"))).await;
    let (address, behind) = (elsewhere.url("/demo.tgz?signature=abc"), elsewhere.url("/other.tgz"));
    let server = Server::start(move |request: &Request| match request.path.as_str() {
        _ if request.authorization != basic() => Reply::status(401),
        "/r/index.yaml" => Reply::ok(index(&[("1.0.0", &["demo.tgz"], None), ("1.1.0", &[&behind], None)])),
        _ => Reply::to(address.clone()),
    })
    .await;
    let trial = Trial::new();
    let host = server.host();
    let package = trial.package(&with_login(at(&server, "1.0.0"), &host)).await.unwrap();
    assert_eq!(package.digest, sha256(&bytes));
    assert_eq!(server.shown(), [basic(), basic()]);
    assert_eq!(elsewhere.shown(), [None], "neither along with a redirect");
    let _another_version = trial.refused(&with_login(at(&server, "1.1.0"), &host)).await;
    assert_eq!(elsewhere.shown(), [None, None], "nor to another host that the index names");
}

#[tokio::test]
async fn a_login_of_another_host_is_not_shown_and_a_refused_one_is_said() {
    let server = Server::start(|request: &Request| match &request.authorization {
        None => Reply::status(401).header("WWW-Authenticate", "Basic realm=\"charts\""),
        Some(_) => Reply::status(403),
    })
    .await;
    let trial = Trial::new();
    let (code, error) = trial.refused(&with_login(at(&server, "1.0.0"), "https://localhost")).await;
    assert_eq!((code.as_str(), error.cause), ("charts.refused", Cause::Refused));
    assert!(server.shown().iter().all(Option::is_none), "another port is another server");
    let (code, error) = trial.refused(&with_login(at(&server, "1.0.0"), &server.host())).await;
    assert_eq!((code.as_str(), error.cause), ("charts.refused", Cause::Credentials));
    let (_, error) = trial.refused(&at(&server, "1.0.0")).await;
    assert!(error.attempt.contains("login"), "{error:?}");
}

#[tokio::test]
async fn a_login_that_a_host_does_not_want_for_its_charts_is_left_out() {
    for refusal in [401, 403] {
        let bytes = chart("demo", "1.0.0");
        let server = Server::start(move |request: &Request| match (&request.authorization, request.path.as_str()) {
            (Some(_), _) => Reply::status(refusal),
            (None, "/r/index.yaml") => Reply::ok(index(&[("1.0.0", &["demo.tgz"], None)])),
            (None, _) => Reply::ok(bytes.clone()),
        })
        .await;
        let trial = Trial::new();
        let package = trial.package(&with_login(at(&server, "1.0.0"), &server.host())).await.unwrap();
        assert_eq!(package.digest, sha256(&chart("demo", "1.0.0")));
        assert_eq!(server.shown(), [basic(), None, None], "shown once, and not again in this task");
    }
}

#[tokio::test]
async fn a_host_that_hides_from_strangers_what_is_there_refused_the_login() {
    for (with, without) in [(401, Reply::status(404)), (403, Reply::ok("<html><body>Sign in"))] {
        let server = Server::start(move |request: &Request| match &request.authorization {
            Some(_) => Reply::status(with),
            None => without.clone(),
        })
        .await;
        let (code, error) = Trial::new().refused(&with_login(at(&server, "1.0.0"), &server.host())).await;
        assert_eq!((code.as_str(), error.cause), ("charts.refused", Cause::Credentials), "{error:?}");
        assert!(error.happened.contains(&format!("answered {with}")), "{error:?}");
    }
}

#[tokio::test]
async fn another_content_is_refused_whoever_told_the_digest() {
    let (bytes, other) = (chart("demo", "1.0.0"), sha256(b"another"));
    for (by_catalog, by_index) in [(true, false), (false, true), (true, true)] {
        let right = sha256(&bytes);
        let told = if by_catalog { &right } else { &other };
        let text = index(&[("1.0.0", &["demo.tgz"], by_index.then_some(told))]);
        let server = repository(text, vec![("/r/demo.tgz", bytes.clone())]).await;
        let trial = Trial::new();
        let wanted = Release { digest: by_catalog.then(|| other.clone()), ..at(&server, "1.0.0") };
        let (code, error) = trial.refused(&wanted).await;
        assert_eq!((code.as_str(), error.cause), ("charts.digest", Cause::BadAnswer));
        assert!(!trial.folder.path().join("charts/packages").exists(), "nothing of it is kept");
    }
}

#[tokio::test]
async fn an_index_that_is_absent_unreadable_or_without_the_chart_is_said_as_what_it_is() {
    for (reply, code, cause) in [
        (Reply::status(404), "charts.refused", Cause::Refused),
        (Reply::status(403), "charts.refused", Cause::Refused),
        (Reply::status(503), "charts.refused", Cause::Refused),
        (Reply::ok("<html><body>Sign in"), "charts.unreadable", Cause::BadAnswer),
        (Reply::ok("entries: [["), "charts.unreadable", Cause::BadAnswer),
        (Reply::ok("entries: {}"), "charts.not-found", Cause::Refused),
        (Reply::ok(index(&[("0.9.0", &["x"], None)])), "charts.not-found", Cause::Refused),
        (Reply::ok(index(&[("1.0.0", &[], None)])), "charts.unreadable", Cause::BadAnswer),
        (Reply::to("http://localhost/clear"), "charts.unreadable", Cause::BadAnswer),
        (Reply::to("ftp://x/y"), "charts.unreadable", Cause::BadAnswer),
        (Reply::status(302), "charts.unreadable", Cause::BadAnswer),
        (Reply::to("/r/index.yaml"), "charts.unreadable", Cause::BadAnswer),
    ] {
        let (server, what) = (
            Server::start({
                let reply = reply.clone();
                move |_| reply.clone()
            })
            .await,
            format!("{reply:?}"),
        );
        let (found, error) = Trial::new().refused(&at(&server, "1.0.0")).await;
        assert_eq!((found.as_str(), error.cause), (code, cause), "{what}");
    }
}

#[tokio::test]
async fn a_server_that_stalls_drips_or_breaks_off_is_waited_for_and_no_longer() {
    for (sends, cause) in
        [(Sends::Stalls(10), Cause::Timeout), (Sends::Drips, Cause::Timeout), (Sends::Cut(10), Cause::Unreachable)]
    {
        let server = Server::start(move |_| Reply::ok(vec![b'#'; 1000]).sending(sends)).await;
        let begun = Instant::now();
        let (code, error) = Trial::new().refused(&at(&server, "1.0.0")).await;
        assert_eq!((code.as_str(), error.cause), ("charts.unreachable", cause), "{sends:?}: {error:?}");
        assert!(begun.elapsed().as_secs() < 8 && error.transient.is_some(), "{sends:?}");
        assert_eq!(server.paths().len(), 2, "tried again once: {sends:?}");
    }
    let gone = at(&Server::start(|_| Reply::ok("")).await, "1.0.0");
    let address = gone.repository.replace("localhost", "nowhere.invalid");
    let (code, error) = Trial::new().refused(&Release { repository: address, ..gone }).await;
    assert_eq!((code.as_str(), error.cause), ("charts.unreachable", Cause::Unreachable));
}

#[tokio::test]
async fn a_server_that_comes_back_is_asked_again() {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |request: &Request| match request.path.as_str() {
        "/r/index.yaml" => Reply::ok(index(&[("1.0.0", &["demo.tgz"], None)])),
        _ if count.fetch_add(1, Ordering::SeqCst) == 0 => Reply::ok(chart("demo", "1.0.0")).sending(Sends::Cut(20)),
        _ => Reply::ok(chart("demo", "1.0.0")),
    })
    .await;
    let trial = Trial::new();
    trial.package(&at(&server, "1.0.0")).await.unwrap();
    assert!(trial.told().contains("tried again"), "{}", trial.told());
}

#[tokio::test]
async fn a_certificate_of_nobody_and_an_answer_without_tls_are_refused() {
    let server = Server::in_clear(|_| Reply::ok(index(&[]))).await;
    let (code, error) = Trial::new().refused(&at(&server, "1.0.0")).await;
    assert_eq!((code.as_str(), error.cause), ("charts.unreachable", Cause::BadCertificate));
    let server = Server::start(|_| Reply::ok("")).await;
    let folder = tempfile::tempdir().unwrap();
    let strict = crate::Charts::new(folder.path(), folder.path(), Arc::new(super::OneSecret)).unwrap();
    let ctx = plinth_world::Context::quiet(Arc::new(plinth_world::SystemClock::new()));
    let error = plinth_world::charts::ChartPackages::package(&strict, &ctx, &at(&server, "1.0.0")).await.unwrap_err();
    assert_eq!(error.cause, Cause::UnknownAuthority, "{error:?}");
    assert!(error.transient.is_none());
}

#[tokio::test]
async fn an_address_in_clear_is_followed_only_where_a_digest_proves_the_package() {
    let clear = Server::in_clear(|_| Reply::ok(chart("demo", "1.0.0"))).await;
    let address = clear.url("/demo.tgz").replace("https", "http");
    let digest = sha256(&chart("demo", "1.0.0"));
    for (told, good) in [(Some(digest.as_str()), true), (None, false)] {
        let server = repository(index(&[("1.0.0", &[&address], told)]), Vec::new()).await;
        let trial = Trial::new();
        let wanted = with_login(at(&server, "1.0.0"), &server.host());
        assert_eq!(trial.package(&wanted).await.is_ok(), good, "{told:?}");
        assert!(clear.shown().iter().all(Option::is_none));
    }
}

#[tokio::test]
async fn an_index_of_20_mb_is_read() {
    let mut text = index(&[("1.0.0", &["demo.tgz"], None)]);
    let filler = "an annotation of the size that real ones have, of which there are many".repeat(4);
    for number in 0..45_000 {
        let _ = writeln!(text, "  - version: 0.{number}.0\n    urls: [x]\n    annotations: {{changes: \"{filler}\"}}");
    }
    let mut lines = text.len();
    while lines < 20 * 1024 * 1024 {
        let _ = writeln!(text, "# {filler}");
        lines += filler.len() + 3;
    }
    let server = Server::start(move |request: &Request| match request.path.as_str() {
        "/r/index.yaml" => Reply::ok(text.clone()),
        _ => Reply::ok(chart("demo", "1.0.0")),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let limits = crate::web::Limits::default();
    let charts =
        crate::Charts::with(folder.path(), folder.path(), Arc::new(super::OneSecret), super::server::roots(), limits);
    let ctx = plinth_world::Context::quiet(Arc::new(plinth_world::SystemClock::new()));
    let package = plinth_world::charts::ChartPackages::package(&charts.unwrap(), &ctx, &at(&server, "1.0.0")).await;
    assert_eq!(package.unwrap().version.as_str(), "1.0.0");
}

#[tokio::test]
async fn several_at_once_in_one_process_and_in_two_get_the_same_whole_package() {
    let text = index(&[("1.0.0", &["demo.tgz"], None)]);
    let server = repository(text, vec![("/r/demo.tgz", chart("demo", "1.0.0"))]).await;
    let (trial, wanted) = (Trial::new(), at(&server, "1.0.0"));
    let other = super::charts(trial.folder.path());
    let other = plinth_world::charts::ChartPackages::package(&other, &trial.ctx, &wanted);
    let (a, b, c) = tokio::join!(trial.package(&wanted), trial.package(&wanted), other);
    assert_eq!(a.unwrap(), b.unwrap());
    assert_eq!(c.unwrap().digest, sha256(&chart("demo", "1.0.0")));
    let fetched = server.paths().iter().filter(|path| path.ends_with("demo.tgz")).count();
    assert_eq!(fetched, 2, "once in each process");
    let kept = fs::read_dir(trial.folder.path().join("charts/packages")).unwrap().count();
    assert_eq!(kept, 1, "and no part of it lies about");
}

#[tokio::test]
async fn a_folder_and_a_repository_give_the_same_package() {
    let bytes = chart("demo", "1.0.0");
    let server = repository(index(&[("v1.0.0", &["demo.tgz"], None)]), vec![("/r/demo.tgz", bytes.clone())]).await;
    let trial = Trial::new();
    fs::write(trial.folder.path().join("demo-1.0.0.tgz"), &bytes).unwrap();
    let from_folder = trial.package(&release("demo", ".", "1.0.0")).await.unwrap();
    let from_repository = trial.package(&at(&server, "1.0.0")).await.unwrap();
    assert_eq!(from_folder, from_repository);
}

#[tokio::test]
async fn a_state_directory_that_cannot_be_written_is_said() {
    let text = index(&[("1.0.0", &["demo.tgz"], None)]);
    let server = repository(text, vec![("/r/demo.tgz", chart("demo", "1.0.0"))]).await;
    let trial = Trial::new();
    fs::create_dir(trial.folder.path().join("charts")).unwrap();
    fs::write(trial.folder.path().join("charts/packages"), b"a file where a folder should be").unwrap();
    let (code, error) = trial.refused(&at(&server, "1.0.0")).await;
    assert_eq!((code.as_str(), error.cause), ("charts.not-kept", Cause::Other));
}
