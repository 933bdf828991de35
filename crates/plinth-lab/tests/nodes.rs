//! Labs of real nodes. They need root: `cargo xtask test --tier nodes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use plinth_lab::{IMAGE, Lab, LabSpec, Login, Node, NodeSpec, Odd, Sudo};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// Names the lab to a test that was started again as a maker to be killed.
const MAKER: &str = "PLINTH_LAB_KILLED_MAKER";

/// One node of oddities.
fn one(odd: Odd) -> Lab {
    Lab::up(&LabSpec::unique("odd").node(NodeSpec::new("n1").odd(odd))).unwrap()
}

/// Logs in by ssh with the lab's password and the options given, and runs a command.
fn ssh(lab: &Lab, node: &Node<'_>, options: &[&str], user: &str, script: &str) -> Output {
    let known: String = node.host_keys().unwrap().iter().map(|key| format!("{} {key}\n", node.address())).collect();
    let (hosts, asks, password) =
        (lab.folder().join("test-hosts"), lab.folder().join("test-asks"), lab.folder().join("test-password"));
    std::fs::write(&hosts, known).unwrap();
    std::fs::write(&password, lab.password()).unwrap();
    std::fs::write(&asks, format!("#!/bin/sh\ncat '{}'\n", password.display())).unwrap();
    std::fs::set_permissions(&asks, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = lab.command("ssh");
    command.args(["-F", "none", "-o", "StrictHostKeyChecking=yes", "-o", "NumberOfPasswordPrompts=1", "-o"]);
    command.arg(format!("UserKnownHostsFile={}", hosts.display()));
    command.args(["-o", "ConnectTimeout=10"]).args(options).args(["-l", user, &node.address().to_string(), script]);
    command.env("SSH_ASKPASS", asks).env("SSH_ASKPASS_REQUIRE", "force");
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Everything of the lab that this machine could still have.
fn leftovers(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut listed = |what: &str, text: String| {
        found.extend(text.lines().filter(|line| line.contains(name)).map(|line| format!("{what}: {line}")));
    };
    let run = |program: &str, arguments: &[&str]| {
        String::from_utf8_lossy(&Command::new(program).args(arguments).output().unwrap().stdout).into_owned()
    };
    listed("namespace", run("ip", &["netns"]));
    listed("mount", std::fs::read_to_string("/proc/mounts").unwrap());
    listed("control group", run("find", &["/sys/fs/cgroup", "-maxdepth", "12", "-type", "d", "-name", "plinth-lab.*"]));
    listed("loop device", run("losetup", &["--all"]));
    listed("folder", run("ls", &["-A", "/var/lib/plinth-lab"]));
    let own = std::process::id().to_string();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if entry.file_name().to_str() != Some(&own) {
            listed("process", String::from_utf8_lossy(&words).replace(['\0', '\n'], " "));
        }
    }
    found
}

/// As [`leftovers`], after the moment the kernel takes to let go of loop devices.
fn nothing_is_left(name: &str) {
    for _ in 0..50 {
        if leftovers(name).is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("left behind: {:#?}", leftovers(name));
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn five_nodes_boot_run_containerd_and_leave_nothing_behind() {
    let lab = Lab::up(&LabSpec::unique("five").usual(5)).unwrap();
    let name = lab.name().to_owned();
    for node in lab.nodes() {
        assert_eq!(node.exec(&["hostname"]).unwrap().trim(), node.name());
        assert_eq!(node.exec(&["systemctl", "is-active", "ssh"]).unwrap().trim(), "active");
        assert_eq!(node.exec(&["stat", "-f", "-c", "%T", "/var/lib/containerd"]).unwrap().trim(), "ext2/ext3");
        let version = node.exec(&["ctr", "version"]).unwrap();
        assert!(version.contains("Server:"), "{version}");
        for there in lab.nodes().map(|other| other.address()).chain([lab.bridge()]) {
            node.exec(&["ping", "-c1", "-W2", "-q", &there.to_string()]).unwrap();
        }
        let output = ssh(&lab, &node, &[], lab.user(), "id -un; sudo -n true");
        assert!(said(&output).contains("ubuntu\n") && said(&output).contains("a password is required"), "{output:?}");
    }
    assert!(!leftovers(&name).is_empty(), "the search for leftovers finds nothing while the lab is up");
    let ids: std::collections::BTreeSet<_> =
        lab.nodes().map(|node| node.exec(&["cat", "/etc/machine-id"]).unwrap()).collect();
    assert_eq!(ids.len(), 5, "machines that are told apart by machine-id are not");
    lab.down().unwrap();
    nothing_is_left(&name);
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_lab_that_goes_out_of_scope_goes_down() {
    let lab = one(Odd::default().small_var(64));
    let name = lab.name().to_owned();
    drop(lab);
    nothing_is_left(&name);
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn cables_freezing_power_and_keys() {
    let lab = one(Odd::default());
    let node = lab.node("n1").unwrap();
    let greets = || {
        lab.inside(|| {
            let address = SocketAddr::from((node.address(), 22));
            let mut byte = [0];
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok_and(|mut stream| {
                stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
                stream.read_exact(&mut byte).is_ok()
            })
        })
        .unwrap()
    };
    assert!(greets());
    node.cut().unwrap();
    assert!(!greets(), "answers without a cable");
    node.fix().unwrap();
    assert!((0..20).any(|_| greets()), "does not come back");
    node.freeze().unwrap();
    assert!(node.power() == "frozen" && !greets());
    node.thaw().unwrap();
    assert!(node.power() == "on" && greets());

    node.write_file("/var/lib/containerd/kept", "0600", b"content").unwrap();
    let keys = node.host_keys().unwrap();
    let boot = |node: &Node<'_>| node.exec(&["stat", "-c", "%Y", "/proc/1"]).unwrap();
    let first = boot(&node);
    node.reboot().unwrap();
    assert_ne!(boot(&node), first);
    node.kill().unwrap();
    assert!(node.power() == "off" && !greets() && node.exec(&["true"]).is_err());
    node.boot().unwrap();
    assert!(node.boot().is_err(), "boots what is on");
    assert_eq!(node.exec(&["stat", "-c", "%a", "/var/lib/containerd/kept"]).unwrap().trim(), "600");
    assert_eq!(node.host_keys().unwrap(), keys);
    node.new_host_keys().unwrap();
    assert_eq!(node.host_keys().unwrap().iter().filter(|key| keys.contains(key)).count(), 0);

    node.write_file("/etc/kept", "0600", b"content").unwrap();
    let keys = node.host_keys().unwrap();
    node.provision().unwrap();
    assert!(node.power() == "on" && greets());
    let kept = "ls /etc/kept /var/lib/containerd/kept 2> /dev/null || true";
    assert_eq!(node.exec(&["/bin/sh", "-c", kept]).unwrap(), "", "content outlives a provisioning");
    assert_eq!(node.host_keys().unwrap().iter().filter(|key| keys.contains(key)).count(), 0);
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn what_listens_inside_is_reached_by_nodes() {
    let lab = one(Odd::default());
    let listener = lab.inside(|| TcpListener::bind("0.0.0.0:8099")).unwrap().unwrap();
    let answer = std::thread::spawn(move || {
        let (mut stream, from) = listener.accept().unwrap();
        let mut buffer = [0; 512];
        let _ = stream.read(&mut buffer).unwrap();
        stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        from
    });
    let node = lab.node("n1").unwrap();
    let text = node.exec(&["curl", "-sS", "-m", "5", &format!("http://{}:8099/", lab.bridge())]).unwrap();
    assert_eq!(text, "hello");
    assert_eq!(answer.join().unwrap().ip(), node.address());
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn containers_run_with_limits_and_settings_stay_inside() {
    let lab = one(Odd::default());
    let node = lab.node("n1").unwrap();
    let script = "mkdir -p /local/r/bin; cp /usr/bin/busybox /local/r/bin/; \
        for part in $(ldd /usr/bin/busybox | grep -o '/[^ ]*'); do cp --parents -L $part /local/r/; done; \
        ctr -n k8s.io run --rm --memory-limit 33554432 --rootfs /local/r t1 /bin/busybox cat /proc/self/cgroup; \
        ctr -n k8s.io run --memory-limit 33554432 --detach --rootfs /local/r t2 /bin/busybox sleep 60; \
        cat /sys/fs/cgroup/memory/k8s.io/t2/memory.limit_in_bytes || \
        cat /sys/fs/cgroup/system.slice/t2/memory.max; ctr -n k8s.io task kill -s KILL t2";
    let said = node.exec(&["bash", "-ec", script]).unwrap();
    assert!(said.contains("\n33554432\n"), "{said}");
    let machine = || std::fs::read_to_string("/proc/sys/vm/overcommit_memory").unwrap();
    let before = machine();
    let other = if before.trim() == "1" { "0" } else { "1" };
    node.exec(&["sysctl", "-w", &format!("vm.overcommit_memory={other}")]).unwrap();
    assert_eq!(node.exec(&["sysctl", "-n", "vm.overcommit_memory"]).unwrap().trim(), other);
    assert_eq!(machine(), before);
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn seeded_content_is_real() {
    let lab = Lab::up(&LabSpec::unique("seed").node(NodeSpec::new("n1").seed_containerd(32))).unwrap();
    let node = lab.node("n1").unwrap();
    let images = node.exec(&["ctr", "-n", "k8s.io", "images", "ls", "-q"]).unwrap();
    assert!(images.lines().any(|line| line == IMAGE), "{images}");
    let check = node.exec(&["ctr", "-n", "k8s.io", "images", "check"]).unwrap();
    assert!(check.contains("complete"), "{check}");
    let size: u64 =
        node.exec(&["du", "-sm", "/var/lib/containerd"]).unwrap().split('\t').next().unwrap().parse().unwrap();
    assert!((30..=48).contains(&size), "{size} MiB");
    let find = |what: &str| {
        node.exec(&[
            "sh",
            "-c",
            &format!("find /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs {what} | wc -l"),
        ])
        .unwrap()
        .trim()
        .parse::<u32>()
        .unwrap()
    };
    assert!(find("-name part-0 -links 2") > 0 && find("-perm -4000 -name setuid") > 0);
    assert!(find("-name part-2 -uid 12345 -gid 54321") > 0 && find("-name victim -type c") > 0, "no whiteout");
    node.reboot().unwrap();
    node.exec(&["sh", "-c", "for n in $(seq 100); do ctr version >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1"])
        .unwrap();
    assert_eq!(node.exec(&["ctr", "-n", "k8s.io", "images", "check"]).unwrap(), check);
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn ways_in() {
    let node = |name: &str, odd: Odd| NodeSpec::new(name).odd(odd);
    let lab = Lab::up(
        &LabSpec::unique("ways")
            .node(node("password", Odd::default().login(Login::Password)))
            .node(node("interactive", Odd::default().login(Login::KeyboardInteractive)))
            .node(node("key", Odd::default().login(Login::Key)))
            .node(node("rsa", Odd::default().rsa_host_key()))
            .node(node("old", Odd::default().old_ssh()))
            .node(node("root", Odd::default().root_login().sudo(Sudo::Absent)))
            .node(node("free", Odd::default().sudo(Sudo::NoPassword)))
            .node(node("refused", Odd::default().sudo(Sudo::Refused))),
    )
    .unwrap();
    let by = |node: &str, options: &[&str], user: &str, script: &str| {
        ssh(&lab, &lab.node(node).unwrap(), options, user, script)
    };
    let only = |method: &'static str| ["-o", method];
    let (password, interactive) =
        (only("PreferredAuthentications=password"), only("PreferredAuthentications=keyboard-interactive"));
    let cases: [(&str, &[&str], &str, bool); 8] = [
        ("password", &password, "ubuntu", true),
        ("password", &interactive, "ubuntu", false),
        ("interactive", &interactive, "ubuntu", true),
        ("interactive", &password, "ubuntu", false),
        ("key", &password, "ubuntu", false),
        ("root", &password, "root", true),
        ("free", &password, "root", false),
        ("old", &[], "ubuntu", false),
    ];
    for (node, options, user, want) in cases {
        let output = by(node, options, user, "true");
        assert_eq!(output.status.success(), want, "{node} {options:?} {user}: {}", said(&output));
    }
    let old = by("old", &["-o", "HostKeyAlgorithms=ssh-rsa"], "ubuntu", "true");
    assert!(old.status.success(), "{}", said(&old));
    let offered = by("old", &["-v", "-o", "HostKeyAlgorithms=ssh-rsa"], "ubuntu", "true");
    assert!(said(&offered).contains("host key algorithm: ssh-rsa"), "{}", said(&offered));
    assert!(lab.node("rsa").unwrap().host_keys().unwrap().iter().all(|key| key.starts_with("ssh-rsa ")));
    assert_eq!(lab.node("password").unwrap().host_keys().unwrap().len(), 2);
    assert_eq!(by("free", &[], "ubuntu", "sudo -n id -u").stdout, b"0\n");
    let absent = by("root", &[], "root", "command -v sudo visudo; ls /etc/sudoers");
    assert!(absent.stdout.is_empty(), "{}", said(&absent));
    let refused = format!("echo {} | sudo -S -p '' true", lab.password());
    assert!(said(&by("refused", &[], "ubuntu", &refused)).contains("not in the sudoers file"));
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn oddities() {
    let odd = Odd::default().small_var(96).disk("/srv", 16).nfs_home().clock_skew(-3600).hostname("other-name").noisy();
    let odd = odd.group("staffers", 60000).user("plinth", 60001, 60000).gpus(8).busybox_sh();
    let odd = odd.authorized_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxh me");
    let lab = one(odd);
    let node = lab.node("n1").unwrap();
    let by = |script: &str| ssh(&lab, &node, &[], lab.user(), script);
    let text = |script: &str| node.exec(&["bash", "-c", script]).unwrap().trim().to_owned();
    assert_eq!(text("stat -f -c %T /home/ubuntu"), "nfs");
    assert_eq!(text("findmnt -n -o FSTYPE --target /home/ubuntu"), "nfs4");
    assert_eq!(text("stat -f -c %T /var"), "ext2/ext3");
    let mib: u64 = text("df -m --output=size /var | tail -1").parse().unwrap();
    assert!((60..96).contains(&mib), "/var has {mib} MiB");
    assert_eq!(text("stat -c %d /var/lib/containerd"), text("stat -c %d /var"));
    assert_ne!(text("stat -c %d /local"), text("stat -c %d /var"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let told: i64 = text("date +%s").parse().unwrap();
    assert!((now - told - 3600).abs() < 60, "{told} at {now}");
    assert_eq!(text("date -u -d @0 +%Y"), "1970");
    assert_eq!(text("hostname; cat /etc/hostname"), "other-name\nother-name");
    assert_eq!(text("getent group staffers; id -u plinth"), "staffers:x:60000:\n60001");
    assert_eq!(
        text("nvidia-smi --query-gpu=name,memory.total --format=csv,noheader,nounits | sort -u"),
        "NVIDIA H100 80GB HBM3, 81559"
    );
    assert_eq!(text("lspci -nn | grep -c 10de"), "8");
    assert_eq!(text("readlink -f /bin/sh"), "/usr/bin/busybox");
    assert_eq!(text("stat -c %U:%a /home/ubuntu/.ssh/authorized_keys"), "ubuntu:600");
    let noise = by("echo real");
    assert_eq!(noise.stdout, b"loading modules ... donereal\n");
    assert!(said(&noise).contains("authorised use only"), "{}", said(&noise));
    text("systemctl is-active containerd");
    text("test -d /var/lib/containerd/io.containerd.content.v1.content");
}

/// The maker is this test itself, started again: it makes the lab whose name it is told, and waits to be killed.
#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_lab_whose_maker_was_killed_is_swept() {
    if let Ok(name) = std::env::var(MAKER) {
        let odd = NodeSpec::new("small").odd(Odd::default().small_var(64));
        let _lab = Lab::up(&LabSpec::new(name).usual(2).node(odd)).unwrap();
        loop {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
    for (index, wait) in [0, 20, 60, 150, 300, 600, 1200, 3000].into_iter().enumerate() {
        let name = format!("{}-{index}", LabSpec::unique("killed").name);
        let folder = Path::new("/var/lib/plinth-lab").join(&name);
        let mut maker = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "a_lab_whose_maker_was_killed_is_swept", "--nocapture"])
            .env(MAKER, &name)
            .spawn()
            .unwrap();
        while !folder.exists() {
            assert!(maker.try_wait().unwrap().is_none(), "the maker ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(wait));
        assert!(!Lab::sweep().unwrap().contains(&name), "swept while its maker lives");
        maker.kill().unwrap();
        maker.wait().unwrap();
        assert!(!leftovers(&name).is_empty());
        // Another test's `up` may have swept it in between.
        let swept = Lab::sweep().unwrap();
        assert!(swept.contains(&name) || !folder.exists(), "{swept:?}");
        nothing_is_left(&name);
    }
}

/// mmdebstrap mounts /proc and /sys below the root it makes; they must not outlive it.
#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_killed_build_of_the_root_leaves_no_process_and_no_mount() {
    let cache = tempfile::Builder::new().prefix("plinth-lab-cold-").tempdir().unwrap();
    let name = cache.path().file_name().unwrap().to_str().unwrap().to_owned();
    let mut maker = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "a_lab_whose_maker_was_killed_is_swept", "--nocapture"])
        .env(MAKER, LabSpec::unique("cold").name)
        .env("XDG_CACHE_HOME", cache.path())
        .spawn()
        .unwrap();
    let begun = || {
        std::fs::read_dir(cache.path().join("plinth-lab"))
            .is_ok_and(|mut all| all.any(|entry| entry.is_ok_and(|entry| entry.path().join("usr/bin").exists())))
    };
    while !begun() {
        assert!(maker.try_wait().unwrap().is_none(), "the maker ended by itself");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(leftovers(&name).iter().any(|line| line.starts_with("process")), "no build is seen");
    maker.kill().unwrap();
    maker.wait().unwrap();
    nothing_is_left(&name);
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn two_labs_do_not_see_each_other() {
    let (one, other) = (one(Odd::default()), one(Odd::default()));
    let (here, there) = (one.node("n1").unwrap(), other.node("n1").unwrap());
    assert_eq!(here.address(), there.address());
    assert_ne!(here.host_keys().unwrap(), there.host_keys().unwrap());
    assert_ne!(one.password(), other.password());
    here.cut().unwrap();
    there.exec(&["ping", "-c1", "-W2", "-q", &other.bridge().to_string()]).unwrap();
    let again = Lab::up(&LabSpec::new(one.name())).unwrap_err();
    assert!(again.happened.contains("cannot be taken"), "{again}");
    assert_eq!(here.power(), "on", "the second of a name took down the first");
}
