#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

fn secrets(directory: &Path) -> SiteSecrets {
    SiteSecrets::with_environment(directory, |name| match name {
        "SET" => Some("from the environment".into()),
        "EMPTY" => Some(OsString::new()),
        _ => None,
    })
}

fn env(name: &str) -> SecretRef {
    SecretRef::Env(name.to_owned())
}

fn generated(name: &str) -> SecretRef {
    SecretRef::Generated(name.to_owned())
}

fn shell(script: &str) -> SecretRef {
    SecretRef::Exec(["sh", "-c", script].map(str::to_owned).to_vec())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn values_come_from_variables_files_and_programs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "two\nlines\r\n").unwrap();
    let cases = [
        (env("SET"), "from the environment"),
        (SecretRef::File(file.display().to_string()), "two\nlines"),
        (shell("printf 'from a program\\n\\n'; echo noise >&2"), "from a program\n"),
    ];
    let secrets = secrets(dir.path());
    for (reference, wanted) in cases {
        assert_eq!(secrets.get(&reference).unwrap().expose(), wanted, "{reference}");
    }
}

#[test]
fn what_is_missing_is_named_all_at_once_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere").display().to_string();
    let references = [
        ("inventory.bcm.username".to_owned(), env("SET")),
        ("inventory.bcm.password".to_owned(), env("UNSET")),
        ("access.bootstrap.password".to_owned(), env("EMPTY")),
        ("runai.registry.token".to_owned(), SecretRef::File(nowhere)),
        ("runai.admin.password".to_owned(), shell("exit 3")),
        ("runai.clientSecret".to_owned(), generated("runai-client-secret")),
    ];
    let findings = secrets(dir.path()).check_all(&references);
    let subjects: Vec<&str> = findings.iter().map(|f| f.subject.as_str()).collect();
    assert_eq!(
        subjects,
        ["inventory.bcm.password", "access.bootstrap.password", "runai.registry.token", "runai.admin.password"]
    );
    assert!(findings.iter().all(|f| f.code == "secret.missing" && f.is_error() && !f.fix.is_empty()));
    assert_eq!(findings[0].fix, "set the variable UNSET to the secret");
    assert!(findings[0].message.ends_with("the variable is not set"), "{:?}", findings[0]);
    assert!(findings[1].message.ends_with("the variable is set, but empty"), "{:?}", findings[1]);
    assert!(!dir.path().join("secrets").exists(), "checking must not make anything");
}

#[test]
fn what_stands_around_a_secret_of_one_line_is_said_and_several_lines_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = secrets(dir.path()).below(dir.path());
    let read = |content: &str| {
        std::fs::write(dir.path().join("s"), content).unwrap();
        source::file(&SecretRef::File("s".to_owned()), &dir.path().join("s"))
    };
    for (content, what) in [
        ("hunter2 \n", "ends with a blank"),
        ("hunter2\t", "ends with a blank"),
        ("hunter2\n\n", "more than one line break"),
        ("hunter2\r\n\r\n", "more than one line break"),
        (" hunter2\n", "begins with a blank"),
        ("\u{feff}hunter2\n", "byte order mark"),
        ("  \n", "nothing but blanks"),
    ] {
        let error = read(content).unwrap_err();
        assert!(error.happened.contains(what) && !error.happened.contains("hunter2"), "{content:?}: {error}");
    }
    for (content, secret) in [("hunter2\n", "hunter2"), ("a b", "a b"), ("hunter2\r\n", "hunter2")] {
        assert_eq!(read(content).unwrap().expose(), secret);
    }
    let key = "-----BEGIN KEY-----\nabc\n-----END KEY-----\n\n";
    assert_eq!(read(key).unwrap().expose(), key.strip_suffix('\n').unwrap());
    let absent = secrets.get(&SecretRef::File("~/plinth-no-such-file".to_owned())).unwrap_err();
    let home = std::env::home_dir().unwrap().join("plinth-no-such-file");
    assert!(absent.happened.contains(&home.display().to_string()), "the place that was looked at: {absent}");
}

#[test]
fn a_program_has_a_deadline_and_a_largest_output_and_its_messages_stay_inside() {
    let dir = tempfile::tempdir().unwrap();
    let mut secrets = secrets(dir.path());
    secrets.exec_deadline = Duration::from_millis(200);
    let began = Instant::now();
    let late = secrets.get(&shell("exec sleep 20")).unwrap_err();
    assert!(late.happened.contains("did not end within"), "{late}");
    let silent = secrets.get(&shell("exec >&-; exec sleep 20")).unwrap_err();
    assert!(silent.happened.contains("did not end within"), "{silent}");
    assert!(began.elapsed() < Duration::from_secs(10));
    secrets.exec_deadline = deadlines::SECRET_PROGRAM;
    let endless = secrets.get(&shell("exec yes")).unwrap_err();
    assert!(endless.happened.contains("larger than 65536"), "{endless}");
    let talkative = secrets.get(&shell("echo hunter2-hunter2 >&2; echo hunter2-hunter2; exit 1")).unwrap_err();
    assert!(talkative.happened.contains("failed") && !talkative.happened.contains("hunter2"), "{talkative}");
    assert!(secrets.get(&SecretRef::Exec(vec!["/nonexistent/program".to_owned()])).is_err());
    assert!(secrets.get(&SecretRef::Exec(Vec::new())).is_err());
    let input = secrets.get(&shell("cat; echo end-of-input")).unwrap();
    assert_eq!(input.expose(), "end-of-input", "standard input must be empty");
}

#[test]
fn passwords_are_made_once_kept_privately_and_keep_the_rule() {
    let dir = tempfile::tempdir().unwrap();
    let made = secrets(dir.path()).get(&generated("grafana-admin-password")).unwrap();
    let text = made.expose();
    assert_eq!(text.len(), PASSWORD_LENGTH);
    assert!(keeps_the_rule(text) && text.bytes().all(|b| ALPHABET.contains(&b)));
    assert_eq!(secrets(dir.path()).get(&generated("grafana-admin-password")).unwrap().expose(), text);
    assert_eq!(mode(&dir.path().join("secrets")), 0o700);
    assert_eq!(mode(&dir.path().join("secrets/grafana-admin-password")), 0o600);
    assert_eq!(fs::read_dir(dir.path().join("secrets")).unwrap().count(), 1, "no temporary file stays behind");
    let other = secrets(dir.path()).get(&generated("other-password")).unwrap();
    assert_ne!(other.expose(), text);
}

#[test]
fn other_generated_secrets_exist_only_after_they_were_kept() {
    let dir = tempfile::tempdir().unwrap();
    let reference = generated("runai-client-secret");
    let first = secrets(dir.path());
    assert!(first.get(&reference).unwrap_err().happened.contains("has not been made yet"));
    assert!(first.find(&reference).unwrap().is_none());
    first.keep(&reference, &Secret::new("client secret 1".to_owned())).unwrap();
    assert_eq!(first.get(&reference).unwrap().expose(), "client secret 1");
    first.keep(&reference, &Secret::new("client secret 2".to_owned())).unwrap();
    assert_eq!(first.redact("client secret 1, client secret 2"), "[secret], [secret]");
    assert_eq!(secrets(dir.path()).get(&reference).unwrap().expose(), "client secret 2");
    assert!(first.keep(&env("SET"), &Secret::new("value".to_owned())).is_err());
    assert!(first.keep(&reference, &Secret::new(String::new())).is_err());
}

#[test]
fn generated_names_stay_inside_their_directory() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["../x-password", "a/b-password", ".hidden-password", "", "x\0-password"] {
        let error = secrets(dir.path()).get(&generated(name)).unwrap_err();
        assert!(error.happened.contains("not a plain file name"), "{name}: {error}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn an_empty_generated_file_is_an_error_and_not_a_password() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("secrets")).unwrap();
    fs::write(dir.path().join("secrets/x-password"), "").unwrap();
    let secrets = secrets(dir.path());
    assert!(secrets.get(&generated("x-password")).unwrap_err().happened.contains("is empty"));
    assert_eq!(secrets.check_all(&[("p".to_owned(), generated("x-password"))]).len(), 1);
}

/// Programs of sh, started in the background, hold the output open.
#[test]
fn a_program_that_leaves_others_behind_is_judged_by_itself_and_they_are_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("left").display().to_string();
    let secrets = secrets(dir.path());
    let began = Instant::now();
    let left = format!("(sleep 3; touch {mark}) & (sleep 300) & echo value");
    assert_eq!(secrets.get(&shell(&left)).unwrap().expose(), "value");
    assert!(secrets.get(&shell(&format!("{left}; exit 3"))).unwrap_err().happened.contains("exit status: 3"));
    assert!(began.elapsed() < Duration::from_secs(3), "nobody waited for what was left");
    std::thread::sleep(Duration::from_secs(4));
    assert!(!Path::new(&mark).exists(), "it was ended");
}

#[test]
fn programs_are_not_given_the_secrets_of_the_site() {
    let dir = tempfile::tempdir().unwrap();
    // PATH stands for a variable with a secret: it is there in every test.
    let secrets = secrets(dir.path()).hiding(&[env("PATH"), env("UNSET"), shell("true")]);
    assert_eq!(secrets.hidden_variables(), ["PATH", "UNSET"]);
    let program = SecretRef::Exec(["/usr/bin/env"].map(str::to_owned).to_vec());
    let given = secrets.get(&program).unwrap();
    assert!(!given.expose().lines().any(|line| line.starts_with("PATH=")), "it was given");
    assert!(given.expose().contains('='), "other variables stay");
}

#[test]
fn a_file_that_others_can_read_is_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "token-value\n").unwrap();
    let reference = SecretRef::File(file.display().to_string());
    for (bits, warned) in [(0o600, false), (0o640, true), (0o604, true)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(bits)).unwrap();
        let secrets = secrets(dir.path());
        secrets.get(&reference).unwrap();
        let warnings = secrets.warnings();
        assert_eq!(!warnings.is_empty(), warned, "{bits:o}");
        assert!(warnings.iter().all(|w| !w.is_error() && !w.message.contains("token-value")));
    }
}

#[test]
fn what_was_given_out_is_redacted_and_what_was_not_is_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = secrets(dir.path());
    assert_eq!(secrets.redact("from the environment"), "from the environment");
    let value = secrets.get(&env("SET")).unwrap();
    assert_eq!(secrets.redact("said: from the environment!"), "said: [secret]!");
    assert_eq!(format!("{value:?}"), "[secret]");
}

#[test]
fn a_password_that_run_ai_would_refuse_is_told_by_what_it_lacks_until_it_was_taken_once() {
    let state = tempfile::tempdir().unwrap();
    let reference = SecretRef::Env("ADMIN".to_owned());
    let said = |password: &'static str| {
        let secrets = SiteSecrets::with_environment(state.path(), move |_| Some(password.into()));
        secrets.weak_password("runai.admin.password", &reference)
    };
    for (password, lacks) in [
        ("Ab1!xyz", "8 characters"),
        ("Abcdefg!", "a digit"),
        ("ABCDEFG1!", "a lower case letter"),
        ("abcdefg1!", "an upper case letter"),
        ("Abcdefg12", "a special character"),
    ] {
        let finding = said(password).unwrap();
        assert_eq!(finding.code, "runai.weak-password");
        assert!(finding.message.ends_with(lacks), "{finding:?}");
        assert!(!format!("{finding:?}").contains(password), "{finding:?}");
    }
    assert_eq!(said("Correct-Horse+7f3a"), None);
    let known = SiteSecrets::with_environment(state.path(), |_| None);
    known.keep(&cluster_uid(), &Secret::new("id".to_owned())).unwrap();
    assert_eq!(said("weak"), None, "Run:ai let it in once");
}
