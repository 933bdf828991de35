//! Bad files, and what a person is told about them. A new case is one more line.

use crate::{changed, read, summary};
use plinth_site::render::findings_text;

/// What a person sees.
fn told(bytes: impl AsRef<[u8]>) -> String {
    match read(bytes) {
        Ok(site) => findings_text(&site.findings, site.source(), site.file(), false),
        Err(rejected) => findings_text(&rejected.findings, &rejected.source, &rejected.file, false),
    }
}

#[test]
fn files_that_are_no_site_files() {
    let cases: [(&str, Vec<u8>); 10] = [
        ("empty", Vec::new()),
        ("blank", b"\n  \n# nothing\n".to_vec()),
        ("binary", vec![0x7f, b'E', b'L', b'F', 0, 0xff]),
        ("not utf-8", b"kind: Site\nmetadata: {name: caf\xe9}\n".to_vec()),
        ("50 MB", vec![b'a'; 50 * 1024 * 1024]),
        ("a text", b"hello world\n".to_vec()),
        ("a list", b"- a\n- b\n".to_vec()),
        ("two documents", b"kind: Site\n---\nkind: Site\n".to_vec()),
        ("not yaml", b"kind: Site\nnodes: [a, b\nnetworks: {}\n".to_vec()),
        ("later format", crate::changed(&[("plinth/v1", "plinth/v2"), ("kind: Site", "sort: Site")]).into_bytes()),
    ];
    let text: Vec<String> = cases.iter().map(|(name, bytes)| format!("== {name}\n{}", told(bytes))).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn yaml_that_is_refused() {
    let cases = [
        ("tab", changed(&[("  workers:", "\tworkers:")])),
        ("tab behind blanks", changed(&[("  workers:", " \tworkers:")])),
        ("duplicate key", changed(&[("kind: Site\n", "kind: Site\nkind: Site\n")])),
        ("duplicate inner key", changed(&[("  gpu: [dgx-*]", "  gpu: [dgx-*]\n  workers: [dgx-07]")])),
        ("bomb", changed(&[("[dgx-05, dgx-06]", "&w [dgx-05, dgx-06]"), ("[dgx-*]", "*w")])),
        ("tag", changed(&[("v1.31.9", "!!str v1.31.9")])),
        ("key that is no text", changed(&[("metadata: {name: basepod-a}", "metadata: {[a]: b}")])),
    ];
    let text: Vec<String> = cases.iter().map(|(name, file)| format!("== {name}\n{}", told(file))).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn values_that_are_refused() {
    let cases = [
        ("unknown key", changed(&[("controlPlane", "control_plane")])),
        ("misplaced key", changed(&[("  version: v1.31.9", "  version: v1.31.9\n  pods: 172.29.0.0/16")])),
        ("unknown top key", changed(&[("metadata:", "colour: blue\nmetadata:")])),
        ("missing keys", "apiVersion: plinth/v1\nkind: Site\n".to_owned()),
        ("number for text", changed(&[("version: v1.31.9", "version: 1.31")])),
        ("number for a release line", changed(&[("version: \"2.21\"", "version: 2.21")])),
        ("nothing for text", changed(&[("access:\n", "access:\n  account: {name: , uid: 6000}\n")])),
        ("null for text", changed(&[("access:\n", "access:\n  account: {name: ~, shell: null}\n")])),
        ("list for text", changed(&[("name: basepod-a", "name: [basepod-a]")])),
        ("text for list", changed(&[("[dgx-05, dgx-06]", "dgx-05")])),
        ("nothing for list", changed(&[("[dgx-05, dgx-06]", "")])),
        ("text for number", changed(&[("30080", "\"30080\"")])),
        ("slash in name", changed(&[("basepod-a", "base/pod")])),
        ("address for network", changed(&[("10.184.162.0/24", "10.184.162.7/24"), ("172.29.0.0/16", "172.29.1.0/16")])),
        ("unknown plugin", changed(&[("calico", "calcio")])),
        ("two inventories", changed(&[("inventory:\n", "inventory:\n  static: []\n")])),
        ("unknown inventory", changed(&[("  bcm: {", "  bmc: {")])),
        ("literal secret", changed(&[("{env: BOOTSTRAP_PASSWORD}", "hunter2")])),
        ("selector", changed(&[("[dgx-*]", "[{kategory: x}, DGX-1, \"dgx-[\"]")])),
        ("domain", changed(&[("domain: bcm-head-01.eth.cluster", "domain: https://Runai.example.com:443/")])),
        ("out of range", changed(&[("30080", "80"), ("30443", "70000")])),
    ];
    let text: Vec<String> = cases.iter().map(|(name, file)| format!("== {name}\n{}", told(file))).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn sites_that_do_not_fit_together() {
    let bcm =
        "  bcm: {endpoint: \"https://bcm-head-01:8081\", username: {env: BCM_USERNAME}, password: {env: BCM_PASSWORD}}";
    let fixed = "  static:\n    - {name: cpu-03, address: 10.184.162.3}\n    - {name: cpu-03, address: 10.184.162.3}\n    - {name: dgx-05, address: 10.229.10.5}\n    - {name: dgx-06, address: 10.1.1.1}";
    let cases = [
        ("overlaps", changed(&[("pods: 172.29.0.0/16", "pods: 10.0.0.0/8"), ("10.150.0.0/16", "172.16.0.0/12")])),
        ("forbidden production", changed(&[("[10.229.10.0/24]", "[10.184.0.0/16]")])),
        ("two roles", changed(&[("[dgx-05, dgx-06]", "[dgx-05, cpu-05, dgx-05]")])),
        ("even control plane", changed(&[("[cpu-03, cpu-05, cpu-06]", "[cpu-03, cpu-05]")])),
        ("even etcd", changed(&[("  gpu:", "  etcd: [cpu-03, cpu-05]\n  gpu:")])),
        ("gpu not worker", changed(&[("[dgx-*]", "[dgx-07]")])),
        ("static nodes", changed(&[(bcm, fixed)])),
        ("engine", changed(&[("  version: v1.31.9", "  engine: existing\n  version: v1.31")])),
        ("bcm login", changed(&[("password: {env: BCM_PASSWORD}", "tls: {insecure: true, caFile: ca.pem}")])),
        ("bootstrap", changed(&[("password: {env: BOOTSTRAP_PASSWORD}", "agent: false")])),
        (
            "account",
            changed(&[("access:\n", "access:\n  account: {name: root, uid: 0, gid: 70000, authorizedKeys: [abc]}\n")]),
        ),
        ("ports", changed(&[("30080", "30443"), ("  domain:", "  port: 8443\n  domain:")])),
        ("pod capacity", changed(&[("plugin: calico", "nodePrefix: 16")])),
        ("artefacts", changed(&[("  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}", "  mirror: mirror.example.com")])),
        ("air-gapped", changed(&[("  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}", "  source: airgapped")])),
        (
            "mirrors",
            changed(&[(
                "platform:\n",
                "registries: {mirrors: [{registry: docker.io, endpoints: [\"http://m\"]}, {registry: docker.io, endpoints: []}]}\nplatform:\n",
            )]),
        ),
        (
            "overrides",
            changed(&[(
                "  gpu:",
                "  overrides: {dgx-05: {address: 10.229.10.9, labels: {a b: c}, taints: [x]}}\n  gpu:",
            )]),
        ),
        ("docker", changed(&[("172.29.0.0/16", "172.17.0.0/16")])),
    ];
    let text: Vec<String> = cases.iter().map(|(name, file)| format!("== {name}\n{}", told(file))).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn what_would_reach_nobody_is_refused() {
    let site = |changes: &[(&str, &str)]| summary(&changed(changes));
    assert_eq!(
        site(&[("plugin: calico", "plugin: cilium, mtu: 8950")]),
        ["17:34 site.mtu-plugin kubernetes.network.mtu"]
    );
    assert_eq!(site(&[("plugin: calico", "plugin: calico, mtu: 8950")]), [""; 0]);
    let files = "  certificate: {files: {certificate: a.crt, key: {file: a.key}}}\n";
    let login = "  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}\n";
    let mirror = format!("{files}  source: airgapped\n  mirror: mirror.example.com/runai\n");
    assert_eq!(site(&[(login, &mirror)]), ["23:17 site.airgapped-authority runai.certificate.files"]);
    assert_eq!(site(&[(login, &mirror.replace("a.crt,", "a.crt, authority: ca.crt,"))]), [""; 0]);
    let vars = "  extraVars: {etcd_data: {a: [{$secret: {env: X}}]}}\n  version: v1.31.9";
    assert_eq!(site(&[("  version: v1.31.9", vars)]), ["16:15 site.secret-in-values kubernetes.extraVars.etcd_data"]);
}

#[test]
fn a_place_has_no_sign_that_nobody_sees() {
    let site = |key: &str, place: &str| {
        summary(&changed(&[("  version: v1.31.9", &format!("  kubespray: {{{key}: {place}}}\n  version: v1.31.9"))]))
    };
    for key in ["source", "index", "python", "wheels"] {
        assert_eq!(site(key, "\"https://mirror.example.com/a b\""), [""; 0], "{key}");
        for odd in ["a\\u001b[2Jb", "a\\nb", "a\\u202eb"] {
            let told = site(key, &format!("\"{odd}\""));
            assert!(
                told.len() == 1 && told[0].ends_with(&format!("site.wrong-value kubernetes.kubespray.{key}")),
                "{told:?}"
            );
        }
    }
    let login = "password: {env: BCM_PASSWORD}";
    let file = |name: &str| summary(&changed(&[(login, &format!("{login}, tls: {{caFile: \"{name}\"}}"))]));
    assert_eq!((file("ca.pem").len(), file("c\\u001ba.pem").len()), (0, 1));
}

#[test]
fn charts_come_from_one_place_without_a_login_in_its_address() {
    let site = |charts: &str| summary(&changed(&[("platform:\n", &format!("platform:\n  charts: {charts}\n"))]));
    for good in [
        "{mirror: https://mirror.example.com/charts}",
        "{mirror: \"oci://mirror.example.com:5000/charts\", login: {username: puller, password: {env: MIRROR}}}",
        "{folder: charts}",
    ] {
        assert_eq!(site(good), [""; 0], "{good}");
    }
    let both = site("{mirror: https://mirror.example.com, folder: charts}");
    assert_eq!(both, ["19:3 site.charts platform.charts"]);
    assert_eq!(site("{}"), both);
    assert_eq!(site("{folder: charts, login: {username: a, password: {env: B}}}"), both);
    assert_eq!(site("{mirror: http://mirror.example.com}"), ["19:20 site.wrong-value platform.charts.mirror"]);
    assert_eq!(
        site("{mirror: \"https://puller:hunter2@mirror.example.com\"}"),
        ["19:20 site.login-in-address platform.charts.mirror"]
    );
    assert_eq!(
        site("{mirror: https://m, login: {username: a, password: hunter2}}"),
        ["19:62 site.literal-secret platform.charts.login.password"]
    );
    let helm = summary(&changed(&[("platform:\n", "platform:\n  helm: {source: \"https://u:hunter2@m/files\"}\n")]));
    assert_eq!(helm, ["19:18 site.login-in-address platform.helm.source"]);
}

#[test]
fn single_addresses_of_the_load_balancer_become_networks() {
    let balancer = "  loadBalancer: {addresses: [10.184.162.200, 10.184.162.208/29]}\n  ingress:";
    let site = read(changed(&[("  ingress:", balancer)])).unwrap();
    assert_eq!(site.desired.platform.load_balancer, ["10.184.162.200/32", "10.184.162.208/29"]);
}

#[test]
fn all_findings_come_at_once_each_with_its_place() {
    let text = changed(&[
        ("basepod-a", "base/pod"),
        ("password: {env: BCM_PASSWORD}", "password: geheim"),
        ("  production: 10.184.162.0/24\n", ""),
        ("forbidden: [10.229.10.0/24]", "forbidden: [10.229.10.1/24, nonsense, 10.8.0.0/16]"),
        ("workers: [dgx-05, dgx-06]", "worker: [dgx-05]\n  workers: [dgx-05, DGX-06, cpu-03]"),
        ("version: v1.31.9", "version: 1.31"),
        ("10.150.0.0/16", "10.8.1.0/24"),
        ("https: 30443", "htps: 30443, https: 3044"),
        ("email: admin@example.com", "email: admin"),
    ]);
    assert_eq!(
        summary(&text),
        [
            "3:18 site.name metadata.name",
            "5:88 site.literal-secret inventory.bcm.password",
            "6:1 site.missing-key networks.production",
            "7:15 site.not-a-network networks.forbidden[0]",
            "7:31 site.wrong-value networks.forbidden[1]",
            "10:3 site.unknown-key nodes.worker",
            "11:21 site.wrong-value nodes.workers[1]",
            "11:29 site.node-two-roles nodes.workers[2]",
            "16:12 site.wrong-type kubernetes.version",
            "17:60 site.networks-overlap kubernetes.network.services",
            "19:26 site.unknown-key platform.ingress.htps",
            "19:46 site.out-of-range platform.ingress.https",
            "24:18 site.wrong-value runai.admin.email",
        ]
    );
}

#[test]
fn columns_count_characters_and_a_missing_key_does_not_bring_others() {
    assert_eq!(
        summary(&changed(&[("{name: basepod-a}", "{\"näme\": x, name: ü/y}")])),
        ["3:12 site.unknown-key metadata.näme", "3:29 site.name metadata.name"]
    );
    assert_eq!(
        summary(&changed(&[("  controlPlane: [cpu-03, cpu-05, cpu-06]\n", "")])),
        ["9:1 site.missing-key nodes.controlPlane"]
    );
}

#[test]
fn a_fault_does_not_bring_findings_about_what_it_hides() {
    let only = |changes: &[(&str, &str)], wanted: &str| assert_eq!(summary(&changed(changes)), [wanted]);
    only(&[("cpu-05", "CPU-05")], "10:26 site.wrong-value nodes.controlPlane[1]");
    only(&[("controlPlane", "control_plane")], "10:3 site.unknown-key nodes.control_plane");
    only(&[("password: {env: BCM", "pasword: {env: BCM")], "5:78 site.unknown-key inventory.bcm.pasword");
    only(&[("password: {env: BOOT", "pasword: {env: BOOT")], "14:26 site.unknown-key access.bootstrap.pasword");
    only(&[("172.29.0.0/16", "172.29.0.1/16")], "17:35 site.not-a-network kubernetes.network.pods");
    only(&[("dgx-05, dgx-06]", "dgx-05, DGX-06]"), ("[dgx-*]", "[dgx-06]")], "11:21 site.wrong-value nodes.workers[1]");
    only(&[("registry: {token", "registry: {tokn")], "23:14 site.unknown-key runai.registry.tokn");
}

#[test]
fn a_large_site_with_one_wrong_range_is_cut_off_too() {
    let nodes: String =
        (0..5_000).map(|n| format!("    - {{name: n{n}, address: 10.{}.{}.1}}\n", n / 250, n % 250)).collect();
    let bcm = "  bcm: {endpoint: \"https://bcm-head-01:8081\", username: {env: BCM_USERNAME}, password: {env: BCM_PASSWORD}}\n";
    let text = changed(&[(bcm, &format!("  static:\n{nodes}"))]);
    let rejected = read(text).unwrap_err();
    assert_eq!(rejected.findings.len(), 201);
}

#[test]
fn a_file_with_hundreds_of_faults_is_cut_off_with_a_word() {
    let keys: String = (0..400).map(|n| format!("strange{n}: 1\n")).collect();
    let rejected = read(crate::GOOD.to_owned() + &keys).unwrap_err();
    assert_eq!(rejected.findings.len(), 201);
    assert!(rejected.findings.iter().any(|finding| finding.code == "site.too-many-findings"));
}

#[test]
fn slips_of_newcomers_are_answered_with_what_to_write() {
    let fix = |change: &[(&str, &str)]| {
        let rejected = crate::read(changed(change)).unwrap_err();
        rejected.findings.iter().find(|finding| finding.is_error()).unwrap().fix.clone()
    };
    assert_eq!(fix(&[("gpu: [dgx-*]", "gpu: [*]")]), "put it in quotes: `\"*\"`");
    assert!(fix(&[("gpu: [dgx-*]", "gpu: [*-gpu]")]).contains("needs quotes"));
    assert_eq!(fix(&[("[10.229.10.0/24]", "10.229.10.0/24")]), "write a list: `[10.229.10.0/24]`");
    assert!(fix(&[("https: 30443", "https: 443")]).contains("platform.loadBalancer.addresses"));
}
