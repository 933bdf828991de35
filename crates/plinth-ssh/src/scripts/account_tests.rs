use super::*;
use crate::scripts::trial::{Trial, assert_all_shells_accept, is_here};
use plinth_model::SecretRef;
use plinth_model::steps::KeyAlgorithm;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const OURS: &str = "ssh-ed25519 AAAAC3ours plinth";
const EXTRA: &str = "ssh-rsa AAAAB3extra someone@desk";

/// The shadow suite and the name service over the files below the prefix.
const PROGRAMS: [(&str, &str); 8] = [
    (
        "getent",
        "file=$1; shift; found=0; for k; do awk -F: -v k=\"$k\" '$1 == k || $3 == k { print; found = 1; exit } END { exit !found * 2 }' \
         \"$root/etc/$file\" || found=2; done; exit $found",
    ),
    ("groupadd", "echo \"$3:x:$2:\" >>\"$root/etc/group\""),
    (
        "useradd",
        "echo \"${12}:x:$3:$5::$7:$9\" >>\"$root/etc/passwd\"\necho \"${12}:${11}:1::::::\" >>\"$root/etc/shadow\"",
    ),
    ("usermod", "echo \"$@\" >>\"$root/usermod\""),
    ("chpasswd", "echo \"$@\" >>\"$root/chpasswd\"; sed s/$/:1::::::/ >>\"$root/etc/shadow\""),
    ("gpasswd", "echo \"$2:!::\" >>\"$root/etc/gshadow\""),
    ("setpriv", "while [ \"$1\" != -- ]; do shift; done; shift; exec \"$@\""),
    ("visudo", "! grep -q broken \"$4\""),
];

fn node() -> Trial {
    let trial = Trial::new(&PROGRAMS);
    trial.file("/etc/passwd", "root:x:99990:99990::/root:/bin/sh\nother:x:4000:4000::/:/bin/sh\n");
    trial.file("/etc/group", "root:x:99990:\nother:x:4000:\n");
    trial.file("/etc/shadow", "");
    trial.file("/etc/sudoers", "@includedir /etc/sudoers.d\n");
    trial.file("/etc/skel/.profile", "profile\n");
    trial.file("/bin/bash", "");
    fs::set_permissions(trial.at("/bin/bash"), fs::Permissions::from_mode(0o755)).unwrap();
    trial
}

fn account(trial: &Trial) -> Account {
    let (uid, gid) = trial.me();
    Account {
        name: "svc".to_owned(),
        uid,
        gid,
        home: plinth_model::HostPath::fixed("/home/svc"),
        shell: plinth_model::HostPath::fixed("/bin/bash"),
        key: SecretRef::Generated("key".to_owned()),
        key_algorithm: KeyAlgorithm::Ed25519,
        authorized_keys: vec![EXTRA.to_owned(), OURS.to_owned()],
    }
}

fn look(trial: &Trial, account: &Account) -> AccountState {
    look_parse(&trial.run(&script("looking", "look", &trial.prefix(), account, OURS))).unwrap()
}

fn make(trial: &Trial, account: &Account) -> Result<(), String> {
    make_parse(&trial.run(&script("making", "make", &trial.prefix(), account, OURS)))
}

fn partial(trial: &Trial, account: &Account) -> String {
    match look(trial, account) {
        AccountState::Partial(missing) => missing.join("; "),
        other => panic!("{other:?}"),
    }
}

fn clash(trial: &Trial, account: &Account) -> String {
    let AccountState::Clash(clashes) = look(trial, account) else { panic!("no clash") };
    let before = fs::read(trial.at("/etc/passwd")).unwrap();
    let refused = make(trial, account).unwrap_err();
    assert!(refused.starts_with("nothing was changed: "), "{refused}");
    assert_eq!(fs::read(trial.at("/etc/passwd")).unwrap(), before);
    assert!(!trial.at("/etc/sudoers.d").exists());
    clashes.join("; ")
}

/// A script with the mark of a state directory.
fn marked(script: Script, id: &str, take_over: &str) -> Script {
    let text = format!("# Written by plinth.\nid={id}\nsite=lab\nby={id}@host\ndirectory=/state/{id}\nsince=now\n");
    script.text("manager_id", id).text("manager", &text).text("take_over", take_over)
}

#[test]
fn a_node_is_marked_first_and_another_state_directory_leaves_it_alone() {
    let trial = node();
    let account = account(&trial);
    let run = |action: &'static str, id: &str, take_over: &str| {
        trial.run(&marked(script("trying", action, &trial.prefix(), &account, OURS), id, take_over))
    };
    assert_eq!(look_parse(&run("look", "anna", "")).unwrap(), AccountState::Absent);
    make_parse(&run("make", "anna", "")).unwrap();
    assert_eq!(look_parse(&run("look", "anna", "")).unwrap(), AccountState::Same);
    let before = fs::read(trial.at("/etc/plinth/managed-by")).unwrap();
    let AccountState::Managed(manager) = look_parse(&run("look", "ben", "")).unwrap() else { panic!("not seen") };
    assert_eq!(manager, "by anna@host, directory /state/anna, since now");
    assert!(make_parse(&run("make", "ben", "")).unwrap_err().starts_with("nothing was changed"));
    assert_eq!(fs::read(trial.at("/etc/plinth/managed-by")).unwrap(), before);
    assert!(matches!(look_parse(&run("look", "ben", "1")).unwrap(), AccountState::Partial(_)));
    make_parse(&run("make", "ben", "1")).unwrap();
    assert!(trial.read("/etc/plinth/managed-by").contains("id=ben\n"));
    assert!(matches!(look_parse(&run("look", "anna", "")).unwrap(), AccountState::Managed(_)));
}

#[test]
fn a_kill_behind_the_mark_leaves_a_node_that_only_its_own_directory_completes() {
    let trial = node();
    let account = account(&trial);
    let run = |action: &'static str, id: &str| {
        trial.run(&marked(script("trying", action, &trial.prefix(), &account, OURS), id, ""))
    };
    fs::create_dir_all(trial.at("/etc/plinth")).unwrap();
    trial.file("/etc/plinth/managed-by.plinth-new", "id=be");
    assert_eq!(look_parse(&run("look", "anna")).unwrap(), AccountState::Absent, "a half file is none");
    trial.file("/etc/plinth/managed-by", "id=anna\nby=anna@host\n");
    assert!(matches!(look_parse(&run("look", "ben")).unwrap(), AccountState::Managed(_)));
    assert!(matches!(look_parse(&run("look", "anna")).unwrap(), AccountState::Partial(_)));
    make_parse(&run("make", "anna")).unwrap();
    assert_eq!(look_parse(&run("look", "anna")).unwrap(), AccountState::Same);
}

#[test]
fn a_mark_that_cannot_be_read_is_not_taken_for_none() {
    let trial = node();
    let account = account(&trial);
    let run = |action: &'static str, take_over: &str| {
        trial.run(&marked(script("trying", action, &trial.prefix(), &account, OURS), "ben", take_over))
    };
    trial.file("/etc/plinth/managed-by", "");
    for frames in [run("look", ""), run("make", "")] {
        let told = look_parse(&frames).unwrap_err();
        assert!(
            told.starts_with("/etc/plinth/managed-by is there, and it cannot be read who manages this node"),
            "{told}"
        );
    }
    assert_eq!(trial.read("/etc/plinth/managed-by") + &trial.read("/home/svc/.profile"), "");
    make_parse(&run("make", "1")).unwrap();
    assert!(trial.read("/etc/plinth/managed-by").contains("id=ben\n"));
}

#[test]
fn a_name_service_that_fails_does_not_say_that_nobody_is_there() {
    let trial = node();
    let account = account(&trial);
    trial.program("getent", "exit 1");
    let told = "the name service does not say whether group svc is there";
    assert_eq!(make(&trial, &account).unwrap_err(), told);
    assert!(!trial.read("/etc/group").contains("svc") && !trial.read("/etc/passwd").contains("svc"));
    assert_eq!(look_parse(&trial.run(&script("looking", "look", &trial.prefix(), &account, OURS))).unwrap_err(), told);
}

#[test]
fn an_account_is_made_once_and_is_then_the_same() {
    let trial = node();
    let account = account(&trial);
    assert_eq!(look(&trial, &account), AccountState::Absent);
    make(&trial, &account).unwrap();
    assert_eq!(look(&trial, &account), AccountState::Same);
    let before = fs::metadata(trial.at("/etc/passwd")).unwrap().modified().unwrap();
    make(&trial, &account).unwrap();
    assert_eq!(fs::metadata(trial.at("/etc/passwd")).unwrap().modified().unwrap(), before);
    assert_eq!(trial.read("/home/svc/.ssh/authorized_keys"), format!("{OURS}\n{EXTRA}\n"));
    assert_eq!(trial.read("/home/svc/.profile"), "profile\n");
    assert_eq!(trial.read("/etc/shadow"), "svc:*:1::::::\n", "a password that begins with ! locks keys too");
    let modes =
        ["/home/svc", "/home/svc/.ssh", "/home/svc/.ssh/authorized_keys", "/etc/sudoers.d/svc"].map(|p| trial.mode(p));
    assert_eq!(modes, [0o700, 0o700, 0o600, 0o440]);
}

#[test]
fn every_shell_makes_it() {
    for shell in ["sh", "dash", "bash"].into_iter().filter(|shell| *shell == "sh" || is_here(shell)) {
        let trial = node();
        let account = account(&trial);
        let frames = trial.run_with(shell, &script("making", "make", &trial.prefix(), &account, OURS));
        make_parse(&frames).unwrap();
    }
}

#[test]
fn keys_of_others_stay_and_ours_lose_their_options() {
    let trial = node();
    let account = account(&trial);
    make(&trial, &account).unwrap();
    let keys = "# ours AAAAC3ours\nssh-rsa AAAAB3third third\nfrom=\"10.0.0.1\" ssh-ed25519 AAAAC3ours plinth\nssh-rsa AAAAB3extra renamed";
    trial.file("/home/svc/.ssh/authorized_keys", keys);
    fs::set_permissions(trial.at("/home/svc/.ssh"), fs::Permissions::from_mode(0o775)).unwrap();
    assert_eq!(partial(&trial, &account), "mode 0700 and owner of .ssh; authorized key plinth");
    make(&trial, &account).unwrap();
    let wanted = format!("# ours AAAAC3ours\nssh-rsa AAAAB3third third\nssh-rsa AAAAB3extra renamed\n{OURS}\n");
    assert_eq!(trial.read("/home/svc/.ssh/authorized_keys"), wanted);
}

#[test]
fn each_missing_aspect_is_named_and_made() {
    let trial = node();
    let account = account(&trial);
    make(&trial, &account).unwrap();
    let spoil: [(&dyn Fn(), &str); 5] = [
        (&|| fs::remove_file(trial.at("/etc/sudoers.d/svc")).unwrap(), "sudoers file /etc/sudoers.d/svc"),
        (&|| trial.file("/etc/sudoers.d/svc", "svc ALL=ALL\n"), "content and mode of /etc/sudoers.d/svc"),
        (
            &|| fs::remove_dir_all(trial.at("/home/svc/.ssh")).unwrap(),
            "directory .ssh; authorized key plinth; authorized key someone@desk",
        ),
        (&|| fs::remove_dir_all(trial.at("/home/svc")).unwrap(), "home directory /home/svc; authorized keys"),
        (
            &|| fs::set_permissions(trial.at("/home/svc"), fs::Permissions::from_mode(0o775)).unwrap(),
            "home directory /home/svc that only its owner writes",
        ),
    ];
    for (spoil, named) in spoil {
        if trial.at("/etc/sudoers.d/svc").exists() {
            fs::set_permissions(trial.at("/etc/sudoers.d/svc"), fs::Permissions::from_mode(0o640)).unwrap();
        }
        spoil();
        let seen = partial(&trial, &account);
        assert!(seen.contains(named), "{seen}");
        make(&trial, &account).unwrap();
        assert_eq!(look(&trial, &account), AccountState::Same);
    }
}

#[test]
fn a_locked_account_and_another_shell_are_partial() {
    let trial = node();
    let account = account(&trial);
    make(&trial, &account).unwrap();
    let (uid, gid) = trial.me();
    trial.file("/etc/shadow", "svc:!:1::::::\n");
    trial.file("/etc/passwd", &format!("svc:x:{uid}:{gid}::/home/svc:/bin/false\n"));
    assert_eq!(partial(&trial, &account), "shell /bin/bash (it is /bin/false); login by key: the account is locked");
    make(&trial, &account).unwrap_err();
    assert_eq!(trial.read("/usermod"), "-p * svc\n-s /bin/bash svc\n");
}

/// A program of the shadow suite that is killed leaves an account in some of its files, and its locks.
#[test]
fn an_account_that_is_in_half_of_the_files_is_completed() {
    let trial = node();
    let account = account(&trial);
    let (uid, gid) = trial.me();
    make(&trial, &account).unwrap();
    trial.file("/etc/group", &format!("svc:x:{gid}:\n"));
    trial.file("/etc/gshadow", "other:!::\n");
    trial.file("/etc/passwd", &format!("svc:x:{uid}:{gid}::/home/svc:/bin/bash\nsvcx:x:1:1::/:/bin/sh\n"));
    trial.file("/etc/shadow", "other:*:1::::::\nsvcx:*:1::::::\nasvc:*:1::::::\n");
    assert_eq!(partial(&trial, &account), "entry of group svc in /etc/gshadow; entry of user svc in /etc/shadow");
    make(&trial, &account).unwrap();
    assert_eq!(trial.read("/chpasswd"), "-e\n", "the value is not among the arguments");
    assert!(
        trial.read("/etc/shadow").ends_with("\nsvc:*:1::::::\n") && trial.read("/etc/gshadow").ends_with("svc:!::\n")
    );
    assert_eq!(look(&trial, &account), AccountState::Same);
}

#[test]
fn a_lock_whose_process_is_gone_is_stale_and_another_one_is_left_alone() {
    let trial = node();
    let account = account(&trial);
    make(&trial, &account).unwrap();
    trial.file("/proc/uptime", "100.0 90.0\n");
    let stat = |began: u32| format!("77 (user add) S {}{began} 0\n", "1 ".repeat(18));
    let live = "/etc/group.lock";
    trial.file(live, "77\0");
    // Made 50 seconds ago, by a process that began 90 seconds ago on a machine that is up for 100.
    let file = fs::OpenOptions::new().append(true).open(trial.at(live)).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(50)).unwrap();
    trial.file("/proc/77/stat", &stat(1000));
    assert_eq!(look(&trial, &account), AccountState::Same, "its program runs");
    for (lock, text) in [("/etc/passwd.lock", "78\0"), ("/etc/shadow.lock", ""), ("/etc/gshadow.lock", "no number\n")] {
        trial.file(lock, text);
        trial.file(&lock.replace(".lock", "+"), "half");
        assert_eq!(partial(&trial, &account), format!("removal of {lock}, which a killed program left"));
        make(&trial, &account).unwrap();
        assert!(!trial.at(lock).exists() && !trial.at(&lock.replace(".lock", "+")).exists() && trial.at(live).exists());
    }
    trial.file("/proc/77/stat", &stat(9900));
    assert_eq!(
        partial(&trial, &account),
        format!("removal of {live}, which a killed program left"),
        "another process by now"
    );
}

#[test]
fn clashes_change_nothing() {
    let (trial, other) = (node(), node());
    let mut account = account(&trial);
    (account.uid, account.gid) = (4000, 4000);
    assert_eq!(clash(&trial, &account), "gid 4000 belongs to group other; uid 4000 belongs to user other");
    account.name = "other".to_owned();
    account.uid = 4001;
    let home = "the home directory of user other is /, not /home/svc";
    assert_eq!(clash(&trial, &account), format!("user other has uid 4000, not 4001; {home}"));
    account.shell = plinth_model::HostPath::fixed("/bin/nothing");
    account.gid = 4002;
    let seen = clash(&other, &account);
    assert!(seen.contains("group other has gid 4000, not 4002; user other has uid 4000"), "{seen}");
    assert!(seen.ends_with("the shell /bin/nothing is not there"), "{seen}");
}

#[test]
fn a_home_of_somebody_else_is_a_clash() {
    let trial = node();
    let mut account = account(&trial);
    trial.file("/home/svc/theirs", "");
    account.uid += 1;
    assert!(clash(&trial, &account).contains(&format!("the home directory /home/svc belongs to uid {}", trial.me().0)));
}

#[test]
fn without_sudo_nothing_is_changed() {
    let trial = node();
    let account = account(&trial);
    trial.file("/etc/sudoers", "root ALL=(ALL) ALL\n");
    assert_eq!(make(&trial, &account), Err("nothing was changed: sudo does not read /etc/sudoers.d".to_owned()));
    assert!(!trial.at("/home/svc").exists());
}

#[test]
fn a_sudoers_file_that_visudo_refuses_is_not_put_in_place() {
    let trial = node();
    let account = account(&trial);
    trial.program("visudo", "exit 1");
    assert_eq!(make(&trial, &account), Err("visudo refuses the sudoers file".to_owned()));
    assert_eq!(fs::read_dir(trial.at("/etc/sudoers.d")).unwrap().count(), 0);
    trial.program("visudo", "exit 0");
    make(&trial, &account).unwrap();
}

#[test]
fn silence_is_an_error() {
    assert!(look_parse(&Frames::default()).is_err());
}

#[test]
fn the_scripts() {
    let trial = node();
    let account = Account { uid: 1999, gid: 1999, name: "svc.a".to_owned(), ..account(&trial) };
    assert_all_shells_accept(&make_script(&account, OURS));
    insta::assert_snapshot!("account_make", make_script(&account, OURS).render("nonce"));
}
