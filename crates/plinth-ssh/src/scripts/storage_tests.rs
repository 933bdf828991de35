use super::*;
use crate::scripts::trial::{Trial, assert_all_shells_accept};
use proptest::prelude::{ProptestConfig, proptest};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

const FROM: &str = "/var/lib/containerd";
const TO: &str = "/local/containerd";
const OLD: &str = "/var/lib/containerd.plinth-old";

/// Services: started unless the guard forbids it, as systemd does. A containerd that starts on data that is not whole says so.
const SYSTEMCTL: &str = r#"
verb=$1; for last; do :; done; unit=${last%.service}
case $verb in
is-active) if [ -e "$root/units/$unit" ]; then echo active; else echo inactive; exit 3; fi ;;
is-enabled) if [ -e "$root/enabled" ]; then echo enabled; else echo disabled; exit 1; fi ;;
show) echo LoadState=loaded ;;
daemon-reload) true ;;
stop) rm -f "$root/units/$unit" ;;
start)
    if [ "$unit" = containerd ]; then
        condition=$(sed -n 's/^ConditionPathExists=!//p' "$root/etc/systemd/system/containerd.service.d/plinth-storage.conf" 2>/dev/null)
        if [ -n "$condition" ] && [ -e "$condition" ]; then exit 0; fi
        [ "$(find "$root/var/lib/containerd/" | wc -l)" = "$(cat "$root/entries")" ] || echo broken >>"$root/broken"
    fi
    : >"$root/units/$unit" ;;
esac"#;
/// Images are the blobs that are there.
const CTR: &str = r#"
[ -e "$root/units/containerd" ] || exit 1
case "$*" in
"namespaces ls -q") echo k8s.io ;;
*"images check") echo REF; for blob in "$root"/var/lib/containerd/content/*; do echo "${blob##*/} type digest complete"; done ;;
*"tasks ls") echo TASK; echo "web 12 RUNNING" ;;
esac"#;
/// Two disks.
const DF: &str = r#"
case $2 in *"/root/local"*) set -- /dev/b /local ;; *) set -- /dev/a /var ;; esac
free=$(cat "$root/free" 2>/dev/null || echo 99999999)
echo head; echo "$1 1 1000 $free 1% $2""#;
/// Dies instead of running when it is its turn; the whole group of processes with it, as on a loss of power.
const DYING: &str = r#"
turn=$(cat "$root/turn" 2>/dev/null || echo 0)
echo $((turn + 1)) >"$root/turn"
if [ "$turn" = "$(cat "$root/die" 2>/dev/null)" ]; then
    @half
    kill -9 0
fi
PATH=${PATH#*:} exec @real "$@""#;
/// A copy that is cut off: some files are not there, one is half there.
const HALF: &str = r#"/bin/cp "$@"; for part in "$root"/local/containerd.plinth-part/content; do
    if [ -d "$part" ]; then rm -f "$part/blob1"; echo half >"$part/blob2"; rm -f "$part/../link"; fi; done"#;

fn node() -> Trial {
    let trial = Trial::new(&[("systemctl", SYSTEMCTL), ("ctr", CTR), ("df", DF), ("sync", "true")]);
    fs::create_dir(trial.at("/local")).unwrap();
    for n in 0..6 {
        trial.file(&format!("{FROM}/content/blob{n}"), &format!("blob {n}\n").repeat(n * 500));
    }
    trial.file(&format!("{FROM}/snapshots/1/fs/etc/odd\nname"), "odd");
    fs::hard_link(trial.at(&format!("{FROM}/content/blob3")), trial.at(&format!("{FROM}/snapshots/1/fs/hard")))
        .unwrap();
    symlink("/nowhere/at all", trial.at(&format!("{FROM}/link"))).unwrap();
    fs::create_dir(trial.at(&format!("{FROM}/snapshots/empty"))).unwrap();
    for (path, mode) in [("snapshots/1/fs/etc", 0o1777), ("content/blob1", 0o400), ("snapshots/1", 0o711), ("", 0o700)]
    {
        fs::set_permissions(trial.at(&format!("{FROM}/{path}")), fs::Permissions::from_mode(mode)).unwrap();
    }
    trial.file("/entries", &tree(&trial.at(FROM)).len().to_string());
    trial.file("/units/containerd", "");
    trial.file("/units/kubelet", "");
    trial.file("/run/systemd/system/x", "");
    trial.file("/proc/self/mountinfo", "");
    trial
}

/// Everything that a copy must keep: path to type, mode, owner, time, content, link target, and which paths are one file.
fn tree(top: &Path) -> BTreeMap<String, String> {
    let (mut seen, mut inodes) = (BTreeMap::new(), BTreeMap::new());
    let mut todo = vec![top.to_path_buf()];
    while let Some(path) = todo.pop() {
        let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
        let meta = if name.is_empty() { fs::metadata(&path) } else { fs::symlink_metadata(&path) }.unwrap();
        let content = match meta.file_type() {
            kind if kind.is_dir() => String::new(),
            kind if kind.is_symlink() => fs::read_link(&path).unwrap().display().to_string(),
            _ => fs::read_to_string(&path).unwrap(),
        };
        if meta.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        if meta.nlink() > 1 && meta.is_file() {
            inodes.entry(meta.ino()).or_insert_with(Vec::new).push(name.clone());
        }
        let (mode, owner, time) = (meta.mode(), (meta.uid(), meta.gid()), (meta.mtime(), meta.mtime_nsec()));
        seen.insert(name, format!("{mode:o} {owner:?} {time:?} {content}"));
    }
    for (n, mut names) in inodes.into_values().enumerate() {
        names.sort();
        seen.insert(format!("one file {n}"), names.join(" "));
    }
    seen
}

fn act(trial: &Trial, action: &str) -> Frames {
    trial.run(&script("trying", action, deadlines::SSH_STORAGE_LOOK, &trial.prefix(), FROM, TO))
}

fn relocate(trial: &Trial) -> Result<(), String> {
    relocate_parse(&act(trial, "move"))
}

fn look(trial: &Trial) -> StorageState {
    look_parse(&act(trial, "look")).unwrap()
}

fn assert_moved(trial: &Trial, before: &BTreeMap<String, String>, when: &str) {
    assert_eq!(&tree(&trial.at(FROM)), before, "{when}");
    assert_eq!(&tree(&trial.at(TO)), before, "{when}");
    assert_eq!(&tree(&trial.at(OLD)), before, "{when}");
    assert_eq!(fs::read_link(trial.at(FROM)).unwrap(), trial.at(TO), "{when}");
    assert!(trial.at("/units/containerd").exists() && trial.at("/units/kubelet").exists(), "{when}");
    assert!(!trial.at("/broken").exists(), "{when}: containerd started on half of its data");
    assert!(!trial.at("/local/containerd.plinth-part").exists(), "{when}");
    assert!(matches!(look(trial), StorageState::New { old_copy_mib: Some(_) }), "{when}");
}

/// The data is whole under at least one of the names it may have.
fn assert_not_lost(trial: &Trial, before: &BTreeMap<String, String>, when: &str) {
    let whole = |path: &&str| trial.at(path).is_dir() && &tree(&trial.at(path)) == before;
    assert!([FROM, OLD].iter().any(whole), "{when}: the data is under none of its names");
}

#[test]
fn data_is_moved_with_all_attributes_and_the_old_copy_waits() {
    let trial = node();
    let before = tree(&trial.at(FROM));
    assert_eq!(look(&trial), StorageState::Old);
    relocate(&trial).unwrap();
    assert_moved(&trial, &before, "at the end");
    relocate(&trial).unwrap();
    assert_moved(&trial, &before, "again");
    remove_old_parse(&act(&trial, "remove")).unwrap();
    assert_eq!(look(&trial), StorageState::New { old_copy_mib: None });
    assert_eq!(tree(&trial.at(FROM)), before);
    remove_old_parse(&act(&trial, "remove")).unwrap();
}

#[test]
fn a_node_without_data_gets_the_link_only() {
    let trial = Trial::new(&[("systemctl", SYSTEMCTL), ("df", DF)]);
    trial.file("/proc/self/mountinfo", "");
    assert!(relocate(&trial).unwrap_err().starts_with("/local is not there"));
    fs::create_dir(trial.at("/local")).unwrap();
    relocate(&trial).unwrap();
    assert_eq!(look(&trial), StorageState::New { old_copy_mib: None });
    assert_eq!((fs::read_link(trial.at(FROM)).unwrap(), trial.mode(TO)), (trial.at(TO), 0o711));
    let guard = trial.read("/etc/systemd/system/containerd.service.d/plinth-storage.conf");
    assert!(guard.contains("RequiresMountsFor=/local/containerd\n"), "{guard}");
}

/// Kills it before every one of its changes from the first one on, in these steps; the next run ends the move.
fn kill_everywhere(spoilt: bool, first: usize, step: usize) -> usize {
    for turn in (first..).step_by(step) {
        let trial = node();
        for name in ["mv", "ln", "rm", "mkdir", "rmdir"] {
            trial.program(name, &DYING.replace("@half", "").replace("@real", name));
        }
        trial.program("cp", &DYING.replace("@half", HALF).replace("@real", "sh \"$root/cp\""));
        trial.file(
            "/cp",
            "case $1$SPOILT in -a*yes) exit 1 ;; esac; exec cp \"$@\""
                .replace("$SPOILT", "$(cat \"${0%/*}/spoilt\")")
                .as_str(),
        );
        trial.file("/spoilt", if spoilt { "yes" } else { "" });
        trial.program("systemctl", &DYING.replace("@half", "").replace("@real", "sh \"$root/systemctl\""));
        trial.file("/systemctl", &format!("root='{}'\n{SYSTEMCTL}\n", trial.prefix()));
        trial.file("/die", &turn.to_string());
        let before = tree(&trial.at(FROM));
        let script = script("moving", "move", deadlines::SSH_STORAGE_LOOK, &trial.prefix(), FROM, TO);
        let output = trial.start(&script).wait_with_output().unwrap();
        let when = format!("killed before change {turn}");
        assert_not_lost(&trial, &before, &when);
        fs::remove_file(trial.at("/die")).unwrap();
        trial.file("/spoilt", "");
        relocate(&trial).unwrap_or_else(|error| panic!("{when}: {error}"));
        assert_moved(&trial, &before, &when);
        if output.status.signal() != Some(9) {
            return turn;
        }
    }
    unreachable!()
}

#[test]
fn killed_before_any_even_change_it_loses_nothing() {
    let places = kill_everywhere(false, 0, 2);
    assert!(places > 22, "{places} places only");
}

#[test]
fn killed_before_any_odd_change_it_loses_nothing() {
    let places = kill_everywhere(false, 1, 2);
    assert!(places > 22, "{places} places only");
}

/// Before it rolls back it does what the others kill.
#[test]
fn killed_while_it_rolls_back_it_loses_nothing() {
    let places = kill_everywhere(true, 14, 1);
    assert!(places > 20, "{places} places only");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn killed_at_any_time_it_loses_nothing(delays in proptest::collection::vec(0_u64..400, 1..4)) {
        let trial = node();
        let before = tree(&trial.at(FROM));
        for delay in &delays {
            let script = script("moving", "move", deadlines::SSH_STORAGE_LOOK, &trial.prefix(), FROM, TO);
            let mut child = trial.start(&script);
            std::thread::sleep(Duration::from_millis(*delay));
            let group = format!("-{}", child.id());
            std::process::Command::new("kill").args(["-9", "--", &group]).stderr(std::process::Stdio::null()).status().unwrap();
            child.wait().unwrap();
            assert_not_lost(&trial, &before, &format!("{delays:?}"));
        }
        relocate(&trial).unwrap();
        assert_moved(&trial, &before, &format!("{delays:?}"));
    }
}

#[test]
fn a_stage_is_told_while_a_move_waits_to_be_ended() {
    let trial = node();
    let state = format!("stage=copying\nfrom={FROM}\nto=/local/other\nservices=\n");
    trial.file("/var/lib/plinth/storage", &state);
    let told = "a move from /var/lib/containerd to /local/other is at the stage copying";
    assert_eq!(look(&trial), StorageState::Begun(told.to_owned()));
    let refused = relocate(&trial).unwrap_err();
    assert!(refused.contains("to /local/other was begun here"), "{refused}");
}

#[test]
fn a_systemd_that_does_not_answer_is_no_service_that_does_not_run() {
    let trial = node();
    let before = tree(&trial.at(FROM));
    trial.program("systemctl", &format!("case $1 in is-active | show) exit 1 ;; esac\n{SYSTEMCTL}"));
    assert_eq!(relocate(&trial).unwrap_err(), "systemd does not say whether containerd.service runs");
    assert_eq!(tree(&trial.at(FROM)), before);
    assert!(trial.at("/units/kubelet").exists() && !trial.at("/var/lib/plinth/storage").exists());
    trial.program("systemctl", SYSTEMCTL);
    relocate(&trial).unwrap();
    trial.program("systemctl", &format!("case $1 in show) exit 1 ;; esac\n{SYSTEMCTL}"));
    let kept = remove_old_parse(&act(&trial, "remove")).unwrap_err();
    assert_eq!(
        (kept.as_str(), trial.at(OLD).exists()),
        ("systemd does not say whether there is containerd.service", true)
    );
}

#[test]
fn a_state_that_cannot_be_read_is_no_beginning() {
    let trial = node();
    trial.file("/var/lib/plinth/storage", "");
    for told in [relocate(&trial).unwrap_err(), look_parse(&act(&trial, "look")).unwrap_err()] {
        assert!(told.ends_with("cannot be read: it names no stage"), "{told}");
    }
    assert!(trial.at("/units/kubelet").exists() && !trial.at(TO).exists());
}

type Spoil<'a> = &'a dyn Fn(&Trial);

#[test]
fn what_cannot_work_is_refused_before_anything_is_changed() {
    let cases: [(Spoil<'_>, &str); 9] = [
        (&|t| t.file("/free", "1048577"), "/local/containerd has 1024 MiB free, the move needs 1024 MiB"),
        (&|t| t.program("df", &DF.replace("*\"/root/local\"*", "never")), "is on the same file system"),
        (&|t| t.file("/local/containerd/theirs", ""), "/local/containerd is not empty"),
        (
            &|t| t.file("/local/containerd.plinth-part/x", ""),
            "/local/containerd.plinth-part is left from an earlier move",
        ),
        (&|t| t.file(&format!("{OLD}/x"), ""), "containerd.plinth-old is left from an earlier move"),
        (&|t| t.file("/proc/77/comm", "containerd-shim\n"), "1 containers are running: k8s.io/web"),
        (
            &|t| t.file("/proc/self/mountinfo", &format!("1 2 3:4 / {}/x rw - ext4\n", t.at(FROM).display())),
            "is a mount point",
        ),
        (&|t| t.program("ctr", "exit 1"), "does not list its images"),
        (&|t| t.program("cp", "echo BusyBox"), "cp of GNU coreutils is missing"),
    ];
    for (spoil, told) in cases {
        let trial = node();
        spoil(&trial);
        let before = tree(&trial.at(FROM));
        let refused = relocate(&trial).unwrap_err();
        assert!(refused.contains(told), "{told}: {refused}");
        assert_eq!(tree(&trial.at(FROM)), before);
        assert!(trial.at("/units/kubelet").exists() && !trial.at("/var/lib/plinth/storage").exists(), "{told}");
        assert_eq!(look(&trial), StorageState::Old);
    }
}

#[test]
fn containers_that_started_meanwhile_end_a_move_that_waits() {
    for stage in ["stopping", "copying"] {
        let trial = node();
        let before = tree(&trial.at(FROM));
        fs::remove_file(trial.at("/units/kubelet")).unwrap();
        let services = "containerd.service kubelet.service ";
        trial.file("/var/lib/plinth/storage", &format!("stage={stage}\nfrom={FROM}\nto={TO}\nservices={services}\n"));
        trial.file("/proc/77/comm", "containerd-shim\n");
        let refused = relocate(&trial).unwrap_err();
        assert!(refused.starts_with("1 containers are running"), "{refused}");
        assert!(trial.at("/units/containerd").exists() && trial.at("/units/kubelet").exists());
        assert_eq!((look(&trial), tree(&trial.at(FROM))), (StorageState::Old, before));
    }
}

#[test]
fn a_link_to_a_third_place_is_an_error() {
    let trial = node();
    fs::rename(trial.at(FROM), trial.at("/third")).unwrap();
    symlink("/third", trial.at(FROM)).unwrap();
    assert!(look_parse(&act(&trial, "look")).unwrap_err().contains("is a link to /third"));
    assert!(relocate(&trial).unwrap_err().contains("is a link to /third"));
}

#[test]
fn a_copy_that_differs_or_fails_is_rolled_back() {
    for spoil in ["/bin/cp \"$@\"; echo x >>\"$root/local/containerd.plinth-part/content/blob4\"", "exit 1"] {
        let trial = node();
        let before = tree(&trial.at(FROM));
        trial.program("cp", &format!("case $1 in --version) exec /bin/cp --version ;; esac\n{spoil}"));
        let told = relocate(&trial).unwrap_err();
        assert!(told.contains("nothing was moved and containerd is as before"), "{told}");
        assert_eq!(tree(&trial.at(FROM)), before);
        assert!(trial.at("/units/containerd").exists() && trial.at("/units/kubelet").exists());
        assert!(!trial.at("/local/containerd.plinth-part").exists());
        assert_eq!(look(&trial), StorageState::Old);
        trial.program("cp", "exec /bin/cp \"$@\"");
        relocate(&trial).unwrap();
        assert_moved(&trial, &before, "with a cp that works");
    }
}

#[test]
fn images_that_are_gone_stop_it_and_the_old_copy_stays() {
    let trial = node();
    let before = tree(&trial.at(FROM));
    trial.program(
        "ctr",
        &CTR.replace("content/*", "content/*[0-4]")
            .replace("[ -e", "[ ! -L \"$root/var/lib/containerd\" ] || gone=1\n[ -e"),
    );
    relocate(&trial).unwrap();
    assert_moved(&trial, &before, "images that were never there are not missed");
    let trial = node();
    trial.program("ctr", &CTR.replace("for blob", "[ ! -L \"$root/var/lib/containerd\" ] || exit 0; for blob"));
    let told = relocate(&trial).unwrap_err();
    assert!(told.contains("images are not as before: k8s.io blob0"), "{told}");
    assert!(matches!(look(&trial), StorageState::Begun(_)));
    let kept = act(&trial, "remove");
    assert!(remove_old_parse(&kept).unwrap_err().contains("the move is not done"));
    assert!(trial.at(OLD).exists());
    trial.program("ctr", CTR);
    relocate(&trial).unwrap();
    assert_moved(&trial, &before_of(&trial), "once they are there again");
}

fn before_of(trial: &Trial) -> BTreeMap<String, String> {
    tree(&trial.at(OLD))
}

#[test]
fn the_old_copy_stays_while_containerd_does_not_run() {
    let trial = node();
    relocate(&trial).unwrap();
    fs::remove_file(trial.at("/units/containerd")).unwrap();
    assert!(remove_old_parse(&act(&trial, "remove")).unwrap_err().contains("containerd does not run"));
    trial.file("/enabled", "");
    assert!(matches!(look(&trial), StorageState::Begun(_)));
    relocate(&trial).unwrap();
    assert!(trial.at("/units/containerd").exists());
}

#[test]
fn the_scripts() {
    assert_all_shells_accept(&relocate_script(FROM, TO));
    insta::assert_snapshot!("storage_move", relocate_script(FROM, TO).render("nonce"));
}

#[test]
fn bytes_on_the_target_are_told_while_it_copies() {
    let trial = node();
    trial.program("sleep", "exec /bin/sleep 0.02");
    trial.program("cp", "/bin/cp \"$@\"; status=$?; case $1 in -a) /bin/sleep 0.5 ;; esac; exit $status");
    trial.program(
        "df",
        &DF.replace(
            "echo head;",
            "beat=$(cat \"$root/beat\" 2>/dev/null || echo 1000); echo $((beat + 1)) >\"$root/beat\"; echo head;",
        )
        .replace("1 1 1000", "1 1 $beat"),
    );
    let frames = act(&trial, "move");
    relocate_parse(&frames).unwrap();
    let told = frames.all("progress");
    let bytes: Vec<u64> = told.iter().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(bytes.len() > 1 && bytes.is_sorted() && bytes[0] == 1024, "{told:?}");
    assert!(told[0].ends_with(" copying") && told[0].split(' ').count() == 3, "{told:?}");
}

/// Locks as the real one does, with shorter waits.
const FLOCK: &str = "case $2 in 5) wait=0.2 ;; *) wait=1 ;; esac; PATH=${PATH#*:} exec flock -w \"$wait\" \"$3\"";

#[test]
fn what_an_ended_run_left_behind_does_not_hold_up_the_next_one() {
    let trial = node();
    let before = tree(&trial.at(FROM));
    trial.program("flock", FLOCK);
    trial.program(
        "cp",
        "if [ \"$1\" = -a ] && [ ! -e \"$root/left\" ]; then echo $$ >\"$root/left\"; kill -9 $PPID; exec sleep 600; fi\n\
         exec /bin/cp \"$@\"",
    );
    let mut child = trial.start(&script("moving", "move", deadlines::SSH_STORAGE_LOOK, &trial.prefix(), FROM, TO));
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let left = format!("/proc/{}/comm", trial.read("/left").trim());
    // What is left behind becomes `sleep` a moment after it ended its parent.
    let sleeps = || fs::read_to_string(&left).is_ok_and(|name| name == "sleep\n");
    for _ in 0..1_000 {
        if sleeps() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(sleeps());
    relocate(&trial).unwrap();
    assert_moved(&trial, &before, "beside what was left behind");
    let state = fs::read_to_string(left.replace("comm", "stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "it still runs: {state}");
}

#[test]
fn another_run_that_still_works_is_left_alone_and_named() {
    let trial = node();
    let before = tree(&trial.at(FROM));
    trial.program("flock", FLOCK);
    trial.program(
        "cp",
        "if [ \"$1\" = -a ]; then : >\"$root/begun\"; until [ -e \"$root/go\" ]; do sleep 0.05; done; fi\nexec /bin/cp \"$@\"",
    );
    let first = trial.start(&script("moving", "move", deadlines::SSH_STORAGE_LOOK, &trial.prefix(), FROM, TO));
    while !trial.at("/begun").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let refused = relocate(&trial).unwrap_err();
    // In the order of their numbers, which starts anew when the kernel runs out of them.
    let says = ["another run still works on the data of containerd: ", &format!("sh ({})", first.id()), "cp ("];
    assert!(says.iter().all(|words| refused.contains(words)), "{refused}");
    trial.file("/go", "");
    assert!(first.wait_with_output().unwrap().status.success());
    assert_moved(&trial, &before, "by the first one");
}
