//! Charts that are rendered without a cluster.

use super::*;

fn how() -> Rendering {
    let kinds = vec!["x.test/v1/Thing".to_owned()];
    Rendering { kubernetes: Some("1.31.9".parse().unwrap()), kinds, may_fetch: false }
}

#[tokio::test]
async fn a_chart_is_rendered_without_secrets_and_once_for_each_question() {
    let bench = Bench::new("v3.18.6", "printf 'kind: A\n---\nkind: B\n'");
    let (client, release) = (bench.renderer(), release());
    let first = client.render(&bench.ctx, &release, &how()).await.unwrap();
    let Rendered::Manifests { objects, definitions } = &first else { panic!("{first:?}") };
    assert_eq!((objects.len(), definitions.len()), (2, 0));
    let seen = bench.seen();
    let want = "args=template a ";
    assert!(
        seen.contains(want) && seen.contains("--namespace n --values - --skip-tests --kube-version v1.31.9"),
        "{seen}"
    );
    assert!(seen.contains("--api-versions x.test/v1/Thing --api-versions x.test/v1"), "{seen}");
    assert!(
        seen.contains("stands-in-for-a-secret") && !seen.contains(SECRET) && !seen.contains("kubeconfig"),
        "{seen}"
    );
    fs::remove_file(bench.folder.path().join("seen")).unwrap();
    assert_eq!(client.render(&bench.ctx, &release, &how()).await.unwrap(), first);
    assert_eq!(bench.seen(), "", "it is known");
    let other = Rendering { kubernetes: Some("1.32.0".parse().unwrap()), ..how() };
    client.render(&bench.ctx, &release, &other).await.unwrap();
    assert!(bench.seen().contains("--kube-version v1.32.0"));
}

#[tokio::test]
async fn what_is_not_here_is_not_rendered_and_a_refusal_is_told() {
    let bench = Bench::new("v3.18.6", "echo 'Error: execution error at (a/x.yaml:1:2): say more' >&2; exit 1");
    let away = Release { repository: "https://away.test".to_owned(), ..release() };
    let said = bench.renderer().render(&bench.ctx, &away, &how()).await.unwrap();
    assert!(matches!(&said, Rendered::NotHere(why) if why.contains("package")), "{said:?}");
    assert_eq!(bench.seen(), "");
    let said = bench.renderer().render(&bench.ctx, &release(), &how()).await.unwrap();
    let lines = vec!["execution error at (a/x.yaml:1:2): say more".to_owned()];
    assert_eq!(said, Rendered::Refused { by_schema: false, lines });
    let bench = Bench::new("v2.17.0", "exit 0");
    let said = bench.renderer().render(&bench.ctx, &release(), &how()).await.unwrap();
    assert!(matches!(&said, Rendered::NotHere(why) if why.contains("helm")), "{said:?}");
    let bench = Bench::new("v3.18.6", "printf 'kind: ['");
    assert!(
        bench.renderer().render(&bench.ctx, &release(), &how()).await.unwrap_err().happened.contains("cannot be read")
    );
}
