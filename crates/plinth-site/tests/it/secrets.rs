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
    (all.join("\n"), findings.into_iter().map(|finding| finding.code).collect())
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
    for (case, text, code) in cases {
        assert!(text.contains(SECRET), "{case}");
        let (shown, codes) = shown(&text);
        assert!(codes.iter().any(|found| found == code), "{case}: {codes:?}");
        assert!(!shown.contains(SECRET), "{case}:\n{shown}");
        assert!(!shown.contains("hunter2"), "{case}:\n{shown}");
    }
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
fn a_good_file_hides_nothing() {
    assert_eq!(read(GOOD).unwrap().source(), GOOD);
}
