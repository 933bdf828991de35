#![allow(clippy::unwrap_used)]

use crate::config::KubeconfigFile;

fn config(user: &str, cluster: &str) -> KubeconfigFile {
    let text = format!(
        "clusters: [{{name: a, cluster: {cluster}}}]\nusers: [{{name: a, user: {user}}}]\n\
         contexts: [{{name: a, context: {{cluster: a, user: a}}}}]\ncurrent-context: a\n"
    );
    KubeconfigFile::parse(&text).unwrap()
}

#[test]
fn a_user_that_runs_a_program_is_seen() {
    let cluster = "{certificate-authority-data: Q0E=, server: 'https://x:6443'}";
    for (user, runs) in [
        ("{token: t}", false),
        ("{client-certificate-data: QQ==, client-key-data: QQ==}", false),
        ("{exec: {command: aws}}", true),
        ("{auth-provider: {name: gcp}}", true),
    ] {
        assert_eq!(config(user, cluster).runs_program(), runs, "{user}");
    }
}

#[test]
fn a_copy_is_the_same_whenever_it_is_made() {
    let given = config("{token: t}", "{certificate-authority-data: Q0E=, server: 'https://x:6443'}");
    let copy = |config: &KubeconfigFile| config.for_site("site", "https://x:6443").unwrap().json();
    let kept = KubeconfigFile::parse(copy(&given).expose()).unwrap();
    assert_eq!(kept.json().expose(), copy(&given).expose(), "what is held is found to be the copy");
}
