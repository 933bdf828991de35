//! Outputs named `debian-12-*` are recorded with three shells on one machine, whose names and foreign mounts were replaced; the
//! other ones are written by hand after the formats that those systems are known to print.

use super::*;
use crate::frame::Decoder;
use std::io::Write as _;
use std::process::{Command, Stdio};

fn asked() -> Asked {
    Asked {
        paths: vec!["/var/lib/containerd".into(), "/local/containerd".into(), "/tmp".into()],
        images: Some(("/var/lib/containerd".into(), "/local/containerd".into())),
        names: vec!["localhost".into(), "no-such.invalid".into()],
        urls: vec!["http://127.0.0.1:1/".into()],
    }
}

fn decoded(nonce: &str, output: &str) -> Frames {
    let mut decoder = Decoder::new(nonce);
    let frames = decoder.push(output.as_bytes()).unwrap();
    assert_eq!(decoder.status(), Some(0), "{output}");
    Frames::new(frames, !decoder.noise().is_empty())
}

fn exchange(sent: i64, received: i64) -> Exchange {
    let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
    Exchange { sent: at(sent), received: at(received) }
}

fn recorded(output: &str, asked: &Asked) -> NodeFacts {
    parse(&decoded("rec", output), asked, &exchange(1_795_266_896_000, 1_795_266_896_200)).unwrap()
}

#[test]
fn rendered() {
    insta::assert_snapshot!("script-asked-nothing", script(&Asked::default()).render("n1"));
    // The text is the same but for its parameters, which stand before the prelude.
    let full = script(&asked()).render("n1");
    insta::assert_snapshot!("parameters-asked-all", full.split("# Every answer").next().unwrap());
}

#[test]
fn dgx_os() {
    let asked = Asked {
        paths: vec!["/var/lib/containerd".into(), "/raid/containerd".into()],
        images: Some(("/var/lib/containerd".into(), "/raid/containerd".into())),
        names: vec!["runai.example.com".into(), "nowhere.example.com".into()],
        urls: vec!["https://nvcr.io/v2/".into(), "https://closed.example.com/v2/".into()],
    };
    insta::assert_json_snapshot!("dgx-os-6", recorded(include_str!("recorded/dgx-os-6.txt"), &asked));
}

#[test]
fn rhel() {
    insta::assert_json_snapshot!("rhel-9", recorded(include_str!("recorded/rhel-9.txt"), &asked()));
}

#[test]
fn sles() {
    let asked = Asked { paths: vec!["/var/lib/containerd".into()], ..asked() };
    insta::assert_json_snapshot!("sles-15", recorded(include_str!("recorded/sles-15.txt"), &asked));
}

#[test]
fn three_shells_tell_the_same() {
    let told = |output| {
        let mut facts = recorded(output, &asked());
        // These differ from one moment, and from one set of programs, to the other.
        facts.clock_offset_ms = 0;
        facts.spaces.iter_mut().for_each(|space| space.free_mib = 0);
        (facts.names, facts.package_manager) = Default::default();
        facts
    };
    let dash = told(include_str!("recorded/debian-12-dash.txt"));
    assert_eq!(dash, told(include_str!("recorded/debian-12-bash.txt")));
    assert_eq!(dash, told(include_str!("recorded/debian-12-busybox.txt")));
    insta::assert_json_snapshot!("debian-12", dash);
}

#[test]
fn the_clock_is_off_by_what_the_exchange_cannot_explain() {
    let offset = |start: &str, end: &str, sent, received| {
        let output = format!("@n clock.start {start}\n@n clock.end {end}\n@n end 0\n");
        machine::clock_offset_ms(&decoded("n", &output), &exchange(sent, received))
    };
    let ns = "1795266896500000000";
    assert_eq!(offset(ns, ns, 1_795_266_896_400, 1_795_266_896_600), Ok(0));
    assert_eq!(offset(ns, ns, 1_795_266_886_400, 1_795_266_886_600), Ok(9_900), "ahead");
    assert_eq!(offset(ns, ns, 1_795_266_906_400, 1_795_266_906_600), Ok(-9_900), "behind");
    assert_eq!(offset(ns, ns, 1_795_266_891_500, 1_795_266_896_600), Ok(0), "a login of five seconds");
    assert_eq!(offset("1795266896%N", "1795266896", 1_795_266_896_400, 1_795_266_896_600), Ok(0), "whole seconds");
    assert!(offset("", ns, 0, 0).is_err() && offset("%s", ns, 0, 0).is_err());
    assert!(offset("99999999999999999999999999999999999999999", ns, 0, 0).is_err());
}

#[test]
fn an_answer_without_its_kernel_is_refused() {
    let output = "@n clock.start 1795266896\n@n clock.end 1795266896\n@n end 0\n";
    let refusal = parse(&decoded("n", output), &Asked::default(), &exchange(0, 0)).unwrap_err();
    assert!(refusal.contains("kernel"), "{refusal}");
}

/// Keys that the script uses.
const KEYS: &str = "clock.start|clock.end|kernel|hostname|cpu|cpus|meminfo|swap|mount|tcp|route|resolv|module|builtin|os|dgx|driver|\
    gpu|gpu.name|pci|service|time|address|socket|space.path|space.size|space.inodes|images.real|images.size|task|proxy|\
    containerd.version|containerd.config|containerd.config.cm|package|python|name|url|home|obstacle";

proptest::proptest! {
    #[test]
    fn any_answer_is_read_or_refused(lines in proptest::collection::vec((KEYS, r#"([ -~äß]|[0-9]|[=":/ .%]){0,40}"#), 0..40)) {
        let healthy = include_str!("recorded/debian-12-dash.txt").replace("@rec end 0\n", "");
        let lines: String = lines.iter().map(|(key, value)| format!("@rec {key} {value}\n")).collect();
        for output in [format!("{lines}@rec end 0\n"), format!("{healthy}{lines}@rec end 0\n")] {
            let _ = parse(&decoded("rec", &output), &asked(), &exchange(0, 0));
        }
    }

    // No part of the host's own name can be a user here: `xam` once was.
    #[test]
    fn credentials_never_stay_in_a_proxy(user in "zq[a-z]{1,6}", secret in r#"[A-Z0-9:@/ "'=]{6,20}"#, scheme in "http|https|socks5") {
        for form in ["https_proxy=URL", "  \"HTTPS_PROXY=URL\" \"NO_PROXY=x\"", "Acquire::http::Proxy \"URL\";", "proxy = URL"] {
            let line = form.replace("URL", &format!("{scheme}://{user}:{secret}@proxy.example.com:3128/"));
            let output = format!("@rec proxy {line}\n@rec end 0\n");
            let found = software::proxies_of(&decoded("rec", &output));
            proptest::prop_assert!(found.values().any(|value| value == &format!("{scheme}://proxy.example.com:3128/")), "{found:?}");
            proptest::prop_assert!(!found.values().any(|value| value.contains(&secret) || value.contains(&user)), "{found:?}");
        }
    }
}

fn run(shell: &[&str], script: &str, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
}

/// `sh` is on every system that can build this; the other two are tried where they are.
fn shells() -> Vec<Vec<&'static str>> {
    let starts = |shell: &[&str]| {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).args(["-c", "exit 0"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let others = [vec!["dash"], vec!["bash"], vec!["busybox", "sh"]].into_iter().filter(|shell| starts(shell));
    std::iter::once(vec!["sh"]).chain(others).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

#[test]
fn this_machine_tells_what_proc_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(path("larger")).unwrap();
    std::os::unix::fs::symlink(path("larger"), path("images")).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let asked = Asked {
        paths: vec![path("larger"), path("it's/not/there")],
        images: Some((path("images"), path("larger"))),
        names: vec!["localhost".into()],
        urls: Vec::new(),
    };
    let cores = std::thread::available_parallelism().unwrap().get();
    for shell in shells() {
        let proxy = ("https_proxy", "http://someone:secret@proxy.example.com:3128");
        let output = run(&shell, &script(&asked).render("n1"), &[proxy]);
        assert!(!output.contains("secret"), "{shell:?}");
        let now = Timestamp::now();
        let facts = parse(&decoded("n1", &output), &asked, &Exchange { sent: now, received: now }).unwrap();
        assert_eq!(facts.kernel, read("/proc/sys/kernel/osrelease"), "{shell:?}");
        assert_eq!(facts.hostname, read("/proc/sys/kernel/hostname"));
        assert!(!facts.noisy, "{output}");
        assert!(facts.cpus as usize >= cores, "a test may be bound to fewer processors");
        let memory = read("/proc/meminfo").split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
        assert_eq!(facts.memory_mib, memory / 1024);
        assert!(facts.listening.contains_key(&listener.local_addr().unwrap().port()), "{:?}", facts.listening);
        assert_eq!(facts.proxies["https_proxy"], "http://proxy.example.com:3128");
        assert!(facts.relocated, "{shell:?}");
        assert!(facts.space(&asked.paths[0]).is_some_and(|s| s.exists && s.total_mib > 0 && !s.mount.is_empty()));
        assert!(facts.space(&asked.paths[1]).is_some_and(|space| !space.exists && space.total_mib > 0));
        assert!(facts.clock_offset_ms.abs() < 60_000, "{}", facts.clock_offset_ms);
        assert!(["root", "sudo", "sudo-password", "none"].contains(&facts.root.as_str()));
    }
}

/// A loaded node took longer than its limit for `containerd --version`; taken for a node without containerd, its images were left
/// where they were and the engine was told to put new ones elsewhere.
#[test]
fn a_program_that_does_not_answer_is_not_one_that_is_missing() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("containerd");
    std::fs::write(&program, "#!/bin/sh\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let text = script(&asked()).render("n1").replace("limited 20", "limited 0.2");
    for shell in shells() {
        let output = run(&shell, &text, &[("PATH", &path)]);
        let silent = unanswered(&decoded("n1", &output)).unwrap_or_default();
        assert!(silent.contains("`containerd --version`"), "{shell:?}: {silent}: {output}");
    }
}

#[test]
fn a_bare_machine_still_answers() {
    // Only a shell, and neither awk nor any other program but `date` and `uname`.
    let folder = tempfile::tempdir().unwrap();
    for program in ["date", "uname", "id", "tr"] {
        let found = ["/usr/bin", "/bin"].iter().map(|dir| format!("{dir}/{program}"));
        let found = found.into_iter().find(|path| std::fs::exists(path).unwrap()).unwrap();
        std::os::unix::fs::symlink(found, folder.path().join(program)).unwrap();
    }
    let text = script(&asked()).render("n1");
    let usual = text.lines().find(|line| line.starts_with("PATH=")).unwrap();
    let bare = text.replacen(usual, &format!("PATH={}", folder.path().display()), 1);
    let output = run(&["sh"], &bare, &[]);
    let now = Timestamp::now();
    let facts = parse(&decoded("n1", &output), &asked(), &Exchange { sent: now, received: now }).unwrap();
    assert_eq!(facts.kernel, read("/proc/sys/kernel/osrelease"));
    assert!(facts.cpus > 0 && facts.memory_mib > 0 && facts.package_manager.is_none());
    assert!(facts.spaces.is_empty() && facts.names.is_empty() && facts.answers.is_empty());
}
