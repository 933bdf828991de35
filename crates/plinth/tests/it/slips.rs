//! Site files that strangers write: traps of YAML, habits of other programs, slips of the keyboard. Each is answered with what to write.

use crate::support::plinth;
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

/// A change of the sound site, and what is found: the code, and a part of the fix. No code: it is valid.
type Slip<'a> = (&'a str, &'a str, &'a str, &'a str);

const WORKERS: &str = "workers: [\"gpu-[12]\"]";
const CONTROL: &str = "controlPlane: [cp-1, cp-2, cp-3]";
const NET: &str = "production: 198.18.10.0/24";
const KUBERNETES: &str = "kubernetes:\n";
const GPU: &str = "  gpu: [gpu-*]\n";
const LOGIN: &str = "{user: ubuntu, password: {env: BOOTSTRAP_PASSWORD}}";
const PODS: &str = "pods: 172.29.0.0/16";
const SECOND: &str = "address: 198.18.10.22";

fn site() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/glob-set.yaml")).unwrap()
}

#[track_caller]
fn judged(what: &str, text: &[u8], code: &str, fix: &str) {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("site.yaml"), text).unwrap();
    let ran = plinth(folder.path(), &["validate", "--json"]);
    let report = ran.json();
    if code.is_empty() {
        assert_eq!(ran.exit, 0, "{what}: {report:#}");
        return;
    }
    assert_eq!(ran.exit, 1, "{what}: {report:#}");
    let found = report["findings"].as_array().unwrap().iter().any(|finding: &Value| {
        finding["code"] == code && finding["fix"].as_str().is_some_and(|text| text.contains(fix))
    });
    assert!(found, "{what}: no {code} with `{fix}` in {report:#}");
}

#[track_caller]
fn all(slips: &[Slip<'_>]) {
    for (from, to, code, fix) in slips {
        let text = site();
        assert!(text.contains(from), "{from}");
        judged(to, text.replacen(from, to, 1).as_bytes(), code, fix);
    }
}

#[test]
fn traps_of_yaml() {
    let with = |line: &str| format!("{KUBERNETES}  {line}\n");
    let account = |ids: &str| format!("  account: {{name: plinth, {ids}}}\n{KUBERNETES}");
    all(&[
        ("version: v1.31.9", "version: 1.30", "site.wrong-type", "all three numbers"),
        ("version: v1.31.9", "version: 1.31.9", "", ""),
        ("version: v1.31.9", "version: V1.31.9", "site.wrong-value", "`v1.31.9`"),
        ("version: v1.31.9", "version: >\n    v1.31.9", "site.wrong-value", "on one line"),
        (KUBERNETES, &with("renewCertificates: on"), "site.wrong-type", "write `true`"),
        (KUBERNETES, &with("renewCertificates: \"no\""), "site.wrong-type", "write `false`"),
        (KUBERNETES, &account("uid: 060000, gid: 60000"), "site.wrong-value", "`60000`"),
        (KUBERNETES, &account("uid: 60000, gid: 0o60000"), "site.wrong-value", "decimal"),
        (KUBERNETES, &account("uid: 60_000, gid: 60000"), "site.wrong-type", "`60000`"),
        (KUBERNETES, &account("uid: \"60000\", gid: 60000"), "site.wrong-type", "`60000`, without quotes"),
        (WORKERS, "workers: [!gpu-2, gpu-1]", "site.tag", "`exclude` below `nodes`"),
        (WORKERS, "workers: ~", "site.wrong-type", "write `[]` for none"),
        (WORKERS, "workers: null", "site.wrong-type", "write `[]` for none"),
        (WORKERS, "workers:", "site.wrong-type", "write `[]` for none"),
        (WORKERS, "workers: [*]", "site.syntax", "`\"*\"`"),
        (WORKERS, "workers:\n  - gpu-1\n  -gpu-2", "site.syntax", "`- NAME`"),
        (NET, "production: &net 198.18.10.0/24, forbidden: [*net]", "site.alias", "at each place"),
        (KUBERNETES, "metadata: {name: other}\nkubernetes:\n", "site.duplicate-key", "keep one"),
    ]);
    let text = site();
    judged("CRLF", text.replace('\n', "\r\n").as_bytes(), "", "");
    judged("a byte order mark", format!("\u{feff}{text}").as_bytes(), "", "");
    judged("a tab", text.replace("  version", "\tversion").as_bytes(), "site.tab", "two spaces");
    judged("UTF-16", &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), "site.not-text", "UTF-8");
    judged("two documents", format!("---\n{text}---\n{text}").as_bytes(), "site.several-documents", "one document");
    judged("nothing", b"", "site.empty", "plinth init");
}

/// What is named for images is moved there on every node, as root.
#[test]
fn folders_for_images_that_belong_to_somebody_else() {
    let storage = |what: &str| format!("storage: {{{what}}}\n{KUBERNETES}");
    let places = [
        "/etc",
        "/tmp/images",
        "/dev/shm",
        "/proc/1",
        "/run/containerd",
        "/usr/local/images",
        "/var/lib/kubelet/images",
    ];
    for place in places {
        all(&[(KUBERNETES, &storage(&format!("larger: {place}")), "site.storage", "/local/containerd")]);
        all(&[(KUBERNETES, &storage(&format!("images: {place}")), "site.storage", "/local/containerd")]);
    }
    all(&[
        (GPU, &format!("{GPU}  overrides: {{gpu-1: {{storage: /tmp/x}}}}\n"), "site.storage", "/local/containerd"),
        (KUBERNETES, &storage("larger: /etcetera/images"), "", ""),
        (KUBERNETES, &storage("larger: /srv/containerd"), "", ""),
        (KUBERNETES, &storage("imagesGib: -5"), "site.out-of-range", "a whole number, 1 or more"),
        (KUBERNETES, &storage("imagesGib: lots"), "site.wrong-type", "a whole number, 1 or more"),
        (KUBERNETES, "run: {parallel: 0}\nkubernetes:\n", "site.out-of-range", "from 1 to 1000"),
    ]);
}

#[test]
fn habits_of_other_programs() {
    let proxy = "kubernetes:\n  proxy: {http: \"http://p:3128\", noProxy: \"localhost,10.0.0.0/8\"}\n";
    let components = |what: &str| format!("platform: {{components: {{{what}}}}}\n{KUBERNETES}");
    let overrides = |what: &str| format!("{GPU}  overrides: {{{what}}}\n");
    all(&[
        (CONTROL, "controlPlane: cp-1, cp-2, cp-3", "site.wrong-type", "`[cp-1, cp-2, cp-3]`"),
        (CONTROL, "controlPlane: cp-1 cp-2 cp-3", "site.wrong-type", "`[cp-1, cp-2, cp-3]`"),
        (CONTROL, "controlPlane:", "site.wrong-type", "name at least one"),
        (WORKERS, "workers: [\"gpu-1,gpu-2\"]", "site.wrong-value", "`[gpu-1, gpu-2]`"),
        (WORKERS, "workers: [\"gpu-*\", \"!gpu-2\"]", "site.selector", "`exclude: [gpu-2]`"),
        (KUBERNETES, proxy, "site.wrong-type", "`[localhost, 10.0.0.0/8]`"),
        (GPU, &overrides("\"gpu-*\": {labels: {a: b}}"), "site.wrong-value", "exact names"),
        (GPU, &overrides("gpu-1: {taints: [\"a=b\"]}"), "site.taint", "key=value:Effect"),
        (KUBERNETES, &components("gpu-operator: off"), "site.wrong-type", "`{enabled: false}`"),
        (
            KUBERNETES,
            &components("nvidia-gpu-operator: {enabled: false}"),
            "platform.unknown-component",
            "`gpu-operator`",
        ),
        (LOGIN, "{username: ubuntu, password: {env: B}}", "site.unknown-key", "`user`"),
        (LOGIN, "{user: ubuntu, key: {file: $HOME/.ssh/id}}", "site.variable", "`~/`"),
        (LOGIN, "{user: ubuntu, key: {file: ~/.ssh/id_ed25519}}", "", ""),
        (LOGIN, "{user: ubuntu, key: {file: ~/.ssh/id_ed25519.pub}}", "site.wrong-value", "private half"),
        (LOGIN, "{user: ubuntu, password: {exec: \"pass show x\"}}", "site.wrong-type", "`[PROGRAM, ARGUMENT]`"),
    ]);
}

/// What may be a secret is not repeated, not even in what to write instead.
#[test]
fn a_text_that_may_be_a_secret_is_not_repeated() {
    let folder = TempDir::new().unwrap();
    let text = site().replace(LOGIN, "{user: ubuntu, password: {exec: \"Hunter2 Hunter3\"}}");
    std::fs::write(folder.path().join("site.yaml"), text).unwrap();
    let ran = plinth(folder.path(), &["validate"]);
    assert_eq!(ran.exit, 1);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("Hunter"), "{}", ran.stderr);
}

#[test]
fn names() {
    let named = |name: &str| format!("name: {name},");
    let first = "name: gpu-1,";
    let (longest, longer) = ("g".repeat(63), "g".repeat(64));
    let whole =
        site().replace(WORKERS, &format!("workers: [{longest}, gpu-2]")).replace("gpu: [gpu-*]", "gpu: [gpu-2]");
    judged("63 characters", whole.replace(first, &named(&longest)).as_bytes(), "", "");
    let upper = named("GPU-1");
    all(&[
        (first, &named(&longer), "site.wrong-value", "1 to 63"),
        (first, &upper, "site.wrong-value", "`gpu-1`"),
        (first, "name: gpu_1,", "site.wrong-value", "`gpu-1`"),
        (first, "name: gpu-1.example.com,", "site.wrong-value", "`gpu-1`"),
        (first, "name: gpu-1.,", "site.wrong-value", "`gpu-1`"),
        (first, "name: gpu\u{2013}1,", "site.wrong-value", "`gpu-1`"),
        (WORKERS, "workers: [\u{201c}gpu-1\u{201d}]", "site.wrong-value", "`gpu-1`"),
        (WORKERS, "workers: [\"gpu-\\\\d+\"]", "site.wrong-value", "regular expressions"),
    ]);
    let domain = |name: &str| {
        let runai = "runai:\n  version: \"2.21\"\n  registry: {token: {env: T}}\n  admin: {email: a@b.io, password: {env: P}}\n";
        format!("{}{runai}  domain: {name}\n", site())
    };
    for (name, code, fix) in [
        ("runai.example.net", "", ""),
        ("runai.example.net.", "site.domain", "`runai.example.net`, without the dot"),
        ("localhost", "site.domain", "the name by which"),
        ("https://runai.example.net/", "site.domain", "only the host"),
        ("198.18.10.5", "site.domain", "a DNS name"),
    ] {
        judged(name, domain(name).as_bytes(), code, fix);
    }
}

#[test]
fn addresses_and_ranges() {
    let mirror = |address: &str| {
        format!("registries: {{mirrors: [{{registry: docker.io, endpoints: [\"{address}\"]}}]}}\n{KUBERNETES}")
    };
    let balancer = |range: &str| format!("platform: {{loadBalancer: {{addresses: [{range}]}}}}\n{KUBERNETES}");
    all(&[
        (NET, "production: 198.18.10.7/24", "site.not-a-network", "`198.18.10.0/24`"),
        (NET, "production: 198.18.10.0", "site.not-a-network", "`198.18.10.0/24`"),
        (NET, "production: 198.18.10.0/255.255.255.0", "site.wrong-value", "`198.18.10.0/24`"),
        (NET, "production: [198.18.10.0/24]", "site.wrong-type", "not a list"),
        (SECOND, "address: 198.18.10.22/24", "site.wrong-value", "`198.18.10.22`"),
        (SECOND, "address: 198.18.010.022", "site.wrong-value", "leading zeros"),
        (SECOND, "address: 198.18.11.22", "site.address-outside", "production network"),
        (PODS, "pods: 10.149.0.0/16", "", ""),
        (PODS, "pods: 10.150.0.0/16", "site.networks-overlap", "used nowhere else"),
        (PODS, "pods: 172.029.0.0/16", "site.wrong-value", "leading zeros"),
        (KUBERNETES, &mirror("mirror.example.net:5000"), "site.wrong-value", "`https://mirror.example.net:5000`"),
        (KUBERNETES, &mirror("HTTPS://Mirror.Example.net"), "site.wrong-value", "`https://mirror.example.net`"),
        (KUBERNETES, &mirror("https://mirror.example.net:5000/"), "", ""),
        (KUBERNETES, &mirror("https://[2001:db8::1]:5000"), "", ""),
        (KUBERNETES, &balancer("198.18.10.200-210"), "site.wrong-value", "`198.18.10.200-198.18.10.210`"),
        (KUBERNETES, &balancer("198.18.10.210-198.18.10.200"), "site.wrong-value", "`198.18.10.200-198.18.10.210`"),
    ]);
}

#[test]
fn ipv6_is_said_not_to_be_covered_wherever_it_would_be_used() {
    let extra = |name: &str| format!("{KUBERNETES}  extraVars: {{{name}: true}}\n");
    all(&[
        (SECOND, "address: \"2001:db8::22\"", "site.ipv6", "IPv4"),
        (SECOND, "address: \"::ffff:198.18.10.22\"", "site.ipv6", "IPv4"),
        (NET, "production: \"2001:db8::/64\"", "site.ipv6", "IPv4"),
        (NET, "production: 198.18.10.0/24, forbidden: [\"fe80::/10\"]", "site.ipv6", "IPv4"),
        (PODS, "pods: \"fd00::/48\"", "site.ipv6", "IPv4"),
        (PODS, "pods: \"172.29.0.0/16,fd00::/48\"", "site.ipv6", "IPv4"),
        (
            KUBERNETES,
            "platform: {loadBalancer: {addresses: [\"fd00::1-fd00::9\"]}}\nkubernetes:\n",
            "site.ipv6",
            "IPv4",
        ),
        (KUBERNETES, &extra("ipv6_stack"), "kubernetes.extra-var-own", "remove it"),
        (KUBERNETES, &extra("enable_dual_stack_networks"), "kubernetes.extra-var-own", "remove it"),
    ]);
}
