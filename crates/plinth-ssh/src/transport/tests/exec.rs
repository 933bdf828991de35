//! Operations: answers, failures, and that nothing runs on after we are gone.

use super::bench::{Bench, script, until};
use super::server::{Rules, Server};
use crate::script::Script;
use plinth_model::steps::NodeTarget;
use plinth_world::given_up::GivenUp;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Writes its process id to the file that it is told, and stays.
const STAY: &str = "main() { emit stays 1; echo $$ >\"$file.new\"; mv \"$file.new\" \"$file\"; sleep 600; }\n";

async fn pid(file: &Path) -> u32 {
    until("a process", || file.exists()).await;
    fs::read_to_string(file).unwrap().trim().parse().unwrap()
}

/// Whether a process is there, other than as a zombie.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn staying(file: &Path, deadline: Duration) -> Script {
    Script::new("staying", STAY, deadline).text("file", &file.display().to_string())
}

pub(super) async fn shells() -> Vec<&'static str> {
    ["/bin/dash", "/bin/bash", "/bin/sh"].into_iter().filter(|shell| Path::new(shell).exists()).collect()
}

#[tokio::test]
async fn answers_come_back_through_every_shell_and_its_greetings() {
    for shell in shells().await {
        let bench = Bench::new();
        let (_server, target) = bench.usual(Rules { shell, ..Rules::usual() }).await;
        let body = "main() { echo noise; progress 1 3 'half a way'; echo warning >&2; emit text \"it's $text\"; cat; emit more 1; }\n";
        let frames =
            bench.ssh.run(&bench.ctx, &target, &script(body).text("text", "a\\n'b\" $HOME `id` !x")).await.unwrap();
        assert_eq!(frames.get("text"), Some("it's a\\n'b\" $HOME `id` !x"), "{shell}");
        assert_eq!(frames.get("more"), Some("1"), "an operation has no standard input");
        assert!(frames.noisy);
        assert_eq!(*bench.progress.lock().unwrap(), ["1/3 half a way"]);
    }
}

#[tokio::test]
async fn a_failure_is_permanent_and_carries_evidence() {
    let bench = Bench::new();
    let (_server, target) = bench.usual(Rules::usual()).await;
    let error =
        bench.run(&target, "main() { echo because >&2; sleep 0.2; fail 'no room in /var'; }\n").await.unwrap_err();
    assert_eq!((error.happened.as_str(), error.transient), ("no room in /var", None));
    let error = bench.run(&target, "main() { return 3; }\n").await.unwrap_err();
    assert!(error.happened.contains("status 3") && error.transient.is_none(), "{error:?}");
    let error = bench.run(&target, "main() { kill -9 $$; }\n").await.unwrap_err();
    assert!(error.happened.contains("cut off") && error.happened.contains("status 137"), "{error:?}");
    assert!(error.transient.is_some(), "{error:?}");
}

/// The shell that became root stays for the next operation: that it lives is no sign that the operation does.
#[tokio::test]
async fn an_operation_that_was_killed_is_not_waited_for() {
    let bench = Bench::new();
    let (_server, target) = sudo(&bench, "remembers").await;
    let script = Script::new("dying", "main() { emit here 1; kill -9 $$; }\n", Duration::from_secs(20)).as_root();
    let alive = Script::new("living", "main() { emit here 1; }\n", Duration::from_secs(20)).as_root();
    // On a line of its own, and then on one that was kept.
    for _ in 0..3 {
        let before = std::time::Instant::now();
        let error = bench.ssh.run(&bench.ctx, &target, &script).await.unwrap_err();
        assert!(error.happened.contains("ended the operation there (status 137)"), "{error:?}");
        assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
        assert_eq!(bench.ssh.run(&bench.ctx, &target, &alive).await.unwrap().get("here"), Some("1"));
    }
}

#[tokio::test]
async fn a_login_shell_that_runs_nothing_is_named() {
    let bench = Bench::new();
    let (_server, target) = bench.usual(Rules { shell: "/bin/false", ..Rules::usual() }).await;
    let error = bench.run(&target, "main() { :; }\n").await.unwrap_err();
    assert!(error.happened.contains("login shell of ada") && error.transient.is_none(), "{error:?}");
}

#[tokio::test]
async fn one_connection_serves_all_and_only_so_many_run_at_once() {
    let bench = Bench::with(|config| config.parallel = 3);
    let (server, target) = bench.usual(Rules::usual()).await;
    let before = server.seen.connections.load(Ordering::SeqCst);
    let log = bench.folder.path().join("log");
    let body = "main() { echo + >>\"$log\"; sleep 0.1; echo - >>\"$log\"; }\n";
    let script = script(body).text("log", &log.display().to_string());
    let runs = (0..12).map(|_| bench.ssh.run(&bench.ctx, &target, &script));
    for result in futures_all(runs).await {
        result.unwrap();
    }
    assert_eq!(server.seen.connections.load(Ordering::SeqCst), before, "the pin's serves all");
    let mut running = 0;
    let lines = fs::read_to_string(log).unwrap();
    let most = lines.lines().map(|line| {
        running += if line == "+" { 1 } else { -1 };
        running
    });
    assert_eq!(most.max(), Some(3));
}

async fn futures_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut outputs = Vec::new();
    std::future::poll_fn(|cx| {
        waiting.retain_mut(|future| match future.as_mut().poll(cx) {
            std::task::Poll::Ready(output) => {
                outputs.push(output);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    outputs
}

#[tokio::test]
async fn a_deadline_ends_the_remote_process() {
    let bench = Bench::new();
    let (_server, target) = bench.usual(Rules::usual()).await;
    let file = bench.folder.path().join("pid");
    let error = bench.ssh.run(&bench.ctx, &target, &staying(&file, Duration::from_secs(2))).await.unwrap_err();
    assert!(error.transient.is_some() && error.happened.contains("within 2 s"), "{error:?}");
    assert_eq!((program(&error).exit, program(&error).tail), (None, vec!["stays 1".to_owned()]));
    let pid = pid(&file).await;
    until("its end", || !lives(pid)).await;
}

#[tokio::test]
async fn a_dropped_call_ends_the_remote_process_and_the_connection_stays() {
    let bench = Bench::new();
    let (server, target) = bench.usual(Rules::usual()).await;
    let file = bench.folder.path().join("pid");
    let script = staying(&file, Duration::from_secs(600));
    let pid = tokio::select! {
        result = bench.ssh.run(&bench.ctx, &target, &script) => panic!("{result:?}"),
        pid = pid(&file) => pid,
    };
    until("its end", || !lives(pid)).await;
    let before = server.seen.connections.load(Ordering::SeqCst);
    bench.run(&target, "main() { :; }\n").await.unwrap();
    assert_eq!(server.seen.connections.load(Ordering::SeqCst), before);
}

/// As at the deadline of a step.
#[tokio::test]
async fn a_call_that_is_given_up_tells_what_it_was_and_its_words_so_far() {
    let bench = Bench::new();
    let (_server, target) = bench.usual(Rules::usual()).await;
    let script = staying(&bench.folder.path().join("pid"), Duration::from_secs(600));
    let given_up = GivenUp::default();
    let mut running = Box::pin(given_up.watching(bench.ssh.run(&bench.ctx, &target, &script)));
    pid_beside(&bench.folder.path().join("pid"), &mut running).await;
    let told = given_up.drop_of(running).unwrap();
    assert_eq!(told.command, format!("ssh -p {} ada@127.0.0.1 sh # staying on dgx-01", target.port));
    assert_eq!((told.exit, told.tail), (None, vec!["stays 1".to_owned()]));
    assert!(fs::read_to_string(told.log.unwrap()).unwrap().contains("it did not say how it ended"));
}

/// Waits for the process while the call goes on, and some more for what it has said before.
async fn pid_beside<F: Future<Output: std::fmt::Debug> + Unpin>(file: &Path, call: &mut F) {
    tokio::select! {
        result = &mut *call => panic!("{result:?}"),
        _pid = pid(file) => {}
    }
    let more = tokio::time::timeout(Duration::from_millis(500), call).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_lost_connection_is_transient_ends_the_process_and_is_opened_again() {
    let bench = Bench::new();
    let (server, target) = bench.usual(Rules::usual()).await;
    let file = bench.folder.path().join("pid");
    let script = staying(&file, Duration::from_secs(600));
    let cutting = async {
        let pid = pid(&file).await;
        server.cut();
        pid
    };
    let (result, pid) = tokio::join!(bench.ssh.run(&bench.ctx, &target, &script), cutting);
    let error = result.unwrap_err();
    assert_eq!(error.transient, Some("a lost connection can be opened again"), "{error:?}");
    until("its end", || !lives(pid)).await;
    bench.run(&target, "main() { :; }\n").await.unwrap();
}

/// What the error says of the operation.
fn program(error: &plinth_world::ClientError) -> plinth_model::run::CommandFailure {
    error.failed_on.as_ref().and_then(|on| on.program.clone()).unwrap_or_else(|| panic!("no operation: {error:?}"))
}

#[tokio::test]
async fn what_failed_is_told_with_its_command_its_end_its_words_and_a_log_without_secrets() {
    let bench = Bench::new();
    let (_server, target) = bench.usual(Rules::usual()).await;
    let word = bench.keep("word", "open-sesame");
    plinth_world::secrets::Secrets::get(&*bench.secrets, &word).unwrap();
    let body = "main() { emit size 12; echo says open-sesame; sleep 0.2; echo 'not with open-sesame' >&2; sleep 0.2; return 3; }\n";
    let failure = program(&bench.run(&target, body).await.unwrap_err());
    assert_eq!(failure.command, format!("ssh -p {} ada@127.0.0.1 sh # trying on dgx-01", target.port));
    assert_eq!(
        (failure.exit, failure.tail.as_slice()),
        (Some(3), ["size 12", "says [secret]", "not with [secret]"].map(str::to_owned).as_slice())
    );
    let log = failure.log.unwrap();
    assert!(
        Path::new(&log).starts_with(bench.folder.path().join("nodes/logs")) && log.ends_with("-dgx-01.log"),
        "{log}"
    );
    let text = fs::read_to_string(&log).unwrap();
    assert!(
        text.contains("it ended with 3") && text.contains("not with [secret]") && !text.contains("sesame"),
        "{text}"
    );
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);

    let endless = "main() { n=0; while [ $n -lt 3000 ]; do n=$((n + 1)); echo \"$n 01234567890123456789012345678901234567890123456789\"; done; return 1; }\n";
    let failure = program(&bench.run(&target, endless).await.unwrap_err());
    let text = fs::read_to_string(failure.log.unwrap()).unwrap();
    assert!(text.len() < 80_000 && text.contains("(what stood before is not kept)") && text.contains("\n3000 012"));
    assert_eq!(failure.tail.len(), plinth_model::run::CommandFailure::LINES);
}

#[tokio::test]
async fn where_nobody_was_reached_what_was_asked_is_told_and_nothing_else() {
    let bench = Bench::new();
    let (server, target) = bench.usual(Rules::usual()).await;
    drop(server);
    let gone = NodeTarget { port: 1, ..target };
    let failure = program(&bench.run(&gone, "main() { :; }\n").await.unwrap_err());
    assert_eq!(failure, plinth_model::run::CommandFailure::of("ssh -p 1 ada@127.0.0.1 sh # trying on dgx-01", &[]));
    let failure = program(&bench.ssh.host_key(&bench.ctx, &gone).await.unwrap_err());
    assert_eq!(failure.command, "ssh -p 1 ada@127.0.0.1 # reading the host key on dgx-01");
    assert!(!bench.folder.path().join("nodes").exists(), "nothing was said, so nothing is kept");
}

#[tokio::test]
async fn what_ended_well_and_cannot_be_understood_is_told_too() {
    let bench = Bench::new();
    let (_server, target) = bench.usual(Rules::usual()).await;
    let script = script("main() { emit strange answer; }\n");
    let frames = bench.ssh.run(&bench.ctx, &target, &script).await.unwrap();
    let failure = bench.ssh.unanswered(&bench.ctx, &target, &script, &frames);
    assert_eq!(
        (failure.exit, failure.tail.as_slice()),
        (Some(0), ["begin 1", "strange answer"].map(str::to_owned).as_slice())
    );
    assert!(failure.log.is_some());
}

/// A login that is not root, and a sudo that asks or does not.
pub(super) async fn sudo(bench: &Bench, kind: &str) -> (Server, NodeTarget) {
    sudo_through(bench, kind, "/bin/sh").await
}

pub(super) async fn sudo_through(bench: &Bench, kind: &str, shell: &'static str) -> (Server, NodeTarget) {
    let folder = bench.folder.path().join("bin");
    fs::create_dir(&folder).unwrap();
    let programs = [("id", "#!/bin/sh\necho 1000\n"), ("sudo", include_str!("sudo.sh"))];
    for (name, text) in programs {
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let log = bench.folder.path().join("sudo.log").display().to_string();
    let lock = bench.folder.path().join("lock").display().to_string();
    let variables = [("PATH", path.as_str()), ("SUDO_KIND", kind), ("SUDO_LOG", &log), ("PLINTH_LOCK", &lock)];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    bench.usual(Rules { variables, shell, ..Rules::usual() }).await
}

const AS_ROOT: &str = "main() { emit sudo \"$PLINTH_SUDO\"; }\n";

#[tokio::test]
async fn sudo_is_given_the_password_once_for_all_operations_where_it_remembers() {
    for (kind, tries) in [("free", 0), ("remembers", 1), ("asks", 6)] {
        let bench = Bench::new();
        let (_server, target) = sudo(&bench, kind).await;
        for _ in 0..3 {
            let script = Script::new("trying", AS_ROOT, Duration::from_secs(60)).as_root();
            let frames = bench.ssh.run(&bench.ctx, &target, &script).await.unwrap();
            assert_eq!(frames.get("sudo"), Some("yes"), "{kind}");
        }
        let log = fs::read_to_string(bench.folder.path().join("sudo.log")).unwrap_or_default();
        assert_eq!(log.lines().count(), tries, "{kind}: where it does not remember, one to prove it and one to run");
    }
}

#[tokio::test]
async fn operations_at_once_and_failed_ones_leave_a_line_that_serves() {
    let bench = Bench::new();
    let (_server, target) = sudo(&bench, "remembers").await;
    let failing = Script::new("failing", "main() { fail 'not today'; }\n", Duration::from_secs(60)).as_root();
    let error = bench.ssh.run(&bench.ctx, &target, &failing).await.unwrap_err();
    assert_eq!(error.happened, "not today");
    let body = "main() { emit long \"${#text}\"; sleep 0.2; emit sudo \"$PLINTH_SUDO\"; }\n";
    let text = "a line\n".repeat(9000);
    let script = Script::new("trying", body, Duration::from_secs(60)).as_root().text("text", &text);
    for result in futures_all((0..4).map(|_| bench.ssh.run(&bench.ctx, &target, &script))).await {
        assert_eq!(result.unwrap().get("sudo"), Some("yes"));
    }
    let frames = bench.ssh.run(&bench.ctx, &target, &script).await.unwrap();
    assert_eq!(frames.get("long"), Some(text.len().to_string().as_str()));
    let log = fs::read_to_string(bench.folder.path().join("sudo.log")).unwrap();
    assert_eq!(log.lines().count(), 4, "one for each that ran beside others, none for those before and after");
}

#[tokio::test]
async fn what_ran_on_a_kept_line_ends_with_the_call_and_the_next_one_runs() {
    let bench = Bench::new();
    let (_server, target) = sudo(&bench, "remembers").await;
    let quick = Script::new("trying", AS_ROOT, Duration::from_secs(60)).as_root();
    bench.ssh.run(&bench.ctx, &target, &quick).await.unwrap();
    let file = bench.folder.path().join("pid");
    let script = staying(&file, Duration::from_secs(600)).as_root();
    let pid = tokio::select! {
        result = bench.ssh.run(&bench.ctx, &target, &script) => panic!("{result:?}"),
        pid = pid(&file) => pid,
    };
    until("its end", || !lives(pid)).await;
    bench.ssh.run(&bench.ctx, &target, &quick).await.unwrap();
}

#[tokio::test]
async fn a_sudo_that_refuses_is_asked_once_and_named() {
    for (kind, expected, tries) in
        [("refuses", "refused the password", 1), ("tty", "requiretty", 1), ("others", "not become root", 1)]
    {
        let bench = Bench::new();
        let (_server, target) = sudo(&bench, kind).await;
        for _ in 0..2 {
            let script = Script::new("trying", AS_ROOT, Duration::from_secs(60)).as_root();
            let error = bench.ssh.run(&bench.ctx, &target, &script).await.unwrap_err();
            assert_eq!(error.finding.as_ref().unwrap().code, "node.no-root");
            assert!(error.happened.contains(expected), "{kind}: {error:?}");
            assert!(program(&error).command.ends_with(" sudo sh # trying on dgx-01"), "{error:?}");
        }
        let log = fs::read_to_string(bench.folder.path().join("sudo.log")).unwrap_or_default();
        assert_eq!(log.lines().count(), tries, "{kind}");
    }
}

#[tokio::test]
async fn two_that_change_things_run_one_after_the_other() {
    let bench = Bench::new();
    let (_server, target) = sudo(&bench, "free").await;
    let body = "main() { mkdir \"$busy\" || fail 'not alone'; sleep 0.3; rmdir \"$busy\"; }\n";
    let busy = bench.folder.path().join("busy").display().to_string();
    let script = Script::new("changing", body, Duration::from_secs(60)).as_root().changing().text("busy", &busy);
    let runs = (0..3).map(|_| bench.ssh.run(&bench.ctx, &target, &script));
    for result in futures_all(runs).await {
        result.unwrap();
    }
}
