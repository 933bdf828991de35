//! A literal secret is refused, and shown nowhere.

use crate::{GOOD, changed, read};
use plinth_site::render::findings_text;

const SECRET: &str = "hunter2-Zürich";

/// Everything that could be shown about a file.
fn shown(text: &str) -> (String, Vec<String>) {
    let (findings, source, file) = match read(text) {
        Ok(site) => (site.findings.clone(), site.source().to_owned(), site.file().to_owned()),
        Err(rejected) => (rejected.findings, rejected.source, rejected.file),
    };
    let all = [
        findings_text(&findings, &source, &file, false),
        findings_text(&findings, &source, &file, true),
        serde_json::to_string(&findings).unwrap(),
        format!("{findings:?}"),
        source,
    ];
    (all.join("\n"), findings.into_iter().map(|finding| finding.code.to_string()).collect())
}

fn endpoint(address: &str) -> String {
    changed(&[("https://bcm-head-01:8081", address)])
}

#[test]
fn a_literal_secret_is_refused_and_shown_nowhere() {
    let quoted = format!("'{SECRET}'");
    let cases = [
        ("plain", changed(&[("{env: BCM_PASSWORD}", SECRET)]), "site.literal-secret"),
        ("quoted", changed(&[("{env: BOOTSTRAP_PASSWORD}", &quoted)]), "site.literal-secret"),
        ("token", changed(&[("{env: RUNAI_REGISTRY_TOKEN}", SECRET)]), "site.literal-secret"),
        (
            "block",
            changed(&[(
                "  admin: {email: admin@example.com, password: {env: RUNAI_ADMIN_PASSWORD}}",
                &format!("  admin:\n    email: admin@example.com\n    password: |\n      {SECRET}"),
            )]),
            "site.literal-secret",
        ),
        ("as variable name", changed(&[("env: BCM_PASSWORD", &format!("env: {SECRET}"))]), "site.secret-reference"),
        (
            "under another key",
            changed(&[("{env: BCM_PASSWORD}", &format!("{{value: {SECRET}}}"))]),
            "site.secret-reference",
        ),
        ("as key", changed(&[("{env: BCM_PASSWORD}", &format!("{{{SECRET}}}"))]), "site.secret-reference"),
        ("in a list", changed(&[("{env: BCM_PASSWORD}", &format!("[{SECRET}]"))]), "site.secret-reference"),
        (
            "beside a reference",
            changed(&[("{env: BCM_PASSWORD}", &format!("{{env: A, file: {SECRET}}}"))]),
            "site.secret-reference",
        ),
        (
            "pasted key",
            changed(&[("{env: BCM_PASSWORD}", &format!("{{file: \"-----BEGIN\\n{SECRET}\"}}"))]),
            "site.secret-reference",
        ),
        (
            "misspelled key",
            changed(&[("password: {env: BCM_PASSWORD}", &format!("pasword: {SECRET}"))]),
            "site.unknown-key",
        ),
        (
            "twice",
            changed(&[("password: {env: BCM_PASSWORD}", &format!("password: {{env: A}}, password: {SECRET}"))]),
            "site.duplicate-key",
        ),
        ("tagged", changed(&[("{env: BCM_PASSWORD}", &format!("!!str {SECRET}"))]), "site.tag"),
        ("anchored", changed(&[("{env: BCM_PASSWORD}", &format!("&x {SECRET}"))]), "site.alias"),
        ("broken file", changed(&[("{env: BCM_PASSWORD}", SECRET), ("[dgx-*]", "[dgx-*")]), "site.syntax"),
        ("tab", changed(&[("{env: BCM_PASSWORD}", SECRET), ("  gpu", "\tgpu")]), "site.tab"),
    ];
    hidden(&cases);
}

/// Each case, under its name: a file with the secret in it, and the code of a finding about it.
fn hidden(cases: &[(&str, String, &str)]) {
    for (case, text, code) in cases {
        assert!(text.contains(SECRET), "{case}");
        let (shown, codes) = shown(text);
        assert!(codes.iter().any(|found| found == code), "{case}: {codes:?}");
        assert!(!shown.contains(SECRET), "{case}:\n{shown}");
        assert!(!shown.contains("hunter2"), "{case}:\n{shown}");
    }
}

#[test]
fn a_login_in_an_address_is_refused_and_shown_nowhere() {
    let cases = [
        ("in the endpoint", endpoint(&format!("https://root:{SECRET}@host:8081")), "site.login-in-address"),
        ("in the endpoint, long", endpoint(&format!("https://{}:{SECRET}@h", "r".repeat(70))), "site.login-in-address"),
        ("in the endpoint, bare", endpoint(&format!("root:{SECRET}@host")), "site.login-in-address"),
        ("in the endpoint, spelled", endpoint(&format!("https:\\/\\/root:{SECRET}@host")), "site.login-in-address"),
        ("in the endpoint, with a slash", endpoint(&format!("https://root:a/{SECRET}@h")), "site.login-in-address"),
        (
            "in the endpoint of a broken file",
            endpoint(&format!("https://root:{SECRET}@host")).replace("[dgx-*]", "[dgx-*"),
            "site.syntax",
        ),
        (
            "in the endpoint of a later format",
            endpoint(&format!("https://root:{SECRET}@host")).replace("plinth/v1", "plinth/v2"),
            "site.newer-format",
        ),
        (
            "in a domain",
            changed(&[("bcm-head-01.eth.cluster", &format!("https://u:{SECRET}@h"))]),
            "site.login-in-address",
        ),
        (
            "in a mirror",
            changed(&[(
                "platform:\n",
                &format!(
                    "registries: {{mirrors: [{{registry: docker.io, endpoints: [\"https://u:{SECRET}@m\"]}}]}}\nplatform:\n"
                ),
            )]),
            "site.login-in-address",
        ),
        (
            "in the source of Kubespray",
            changed(&[(
                "  version: v1.31.9",
                &format!("  version: v1.31.9\n  kubespray: {{source: \"https://{SECRET}@git.example.com/k\"}}"),
            )]),
            "site.login-in-address",
        ),
        (
            "in Run:ai's mirror",
            changed(&[("  domain:", &format!("  mirror: u:{SECRET}@mirror.example.com/runai\n  domain:"))]),
            "site.login-in-address",
        ),
        (
            "in a place that takes no address",
            changed(&[("name: basepod-a", &format!("name: \"https://u:{SECRET}@h\""))]),
            "site.name",
        ),
    ];
    hidden(&cases);
}

#[test]
fn the_fix_says_how_to_refer_to_a_secret() {
    let rejected = read(changed(&[("{env: BCM_PASSWORD}", SECRET)])).unwrap_err();
    assert!(rejected.findings[0].fix.contains("{env: NAME}"), "{:?}", rejected.findings[0].fix);
    assert_eq!(rejected.source.len(), changed(&[("{env: BCM_PASSWORD}", SECRET)]).len(), "positions stay true");
}

#[test]
fn literal_secrets_in_helm_values_are_warned_about_and_hidden() {
    let values = format!(
        "  ingress: {{http: 30080, https: 30443}}\n  components: {{grafana-stack: {{values: {{grafana: {{adminPassword: {SECRET}}}}}}}}}"
    );
    let text = changed(&[("  ingress: {http: 30080, https: 30443}", &values)]);
    let (shown, codes) = shown(&text);
    assert_eq!(codes, ["site.secret-in-values"]);
    assert!(!shown.contains("hunter2"), "{shown}");
    let reference = text.replace(SECRET, "{$secret: {env: GRAFANA}}");
    let site = read(&reference).unwrap();
    assert_eq!(site.findings, []);
    let refs = plinth_site::secret_refs(&site.desired);
    assert!(
        refs.iter().any(|(path, _)| path == "platform.components.grafana-stack.values.grafana.adminPassword"),
        "{refs:?}"
    );
}

#[test]
fn the_host_of_an_address_with_a_login_is_still_shown() {
    let rejected = read(endpoint("https://root:hunter2@host:8081")).unwrap_err();
    assert!(rejected.source.contains("\"https://************@host:8081\""), "{}", rejected.source);
    let ssh = "  version: v1.31.9\n  kubespray: {source: \"ssh://git@git.example.com/kubespray\"}";
    let ssh = changed(&[("  version: v1.31.9", ssh)]);
    assert_eq!(read(&ssh).unwrap().source(), ssh, "the user of SSH is no secret");
}

#[test]
fn a_good_file_hides_nothing() {
    assert_eq!(read(GOOD).unwrap().source(), GOOD);
}
