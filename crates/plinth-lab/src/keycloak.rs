//! A real Keycloak, as it stands before Run:ai: the vendor's own distribution from Maven Central, made ready once and kept in the
//! cache with a database that already holds the realm.

use crate::cache;
use crate::error::{LabError, LabResult};
use crate::needs;
use crate::program::{program, run};
use crate::tied::Tied;
use sha2::{Digest, Sha256};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Release of Keycloak.
pub const KEYCLOAK: &str = "26.4.7";
/// SHA-256 of its package.
const PACKAGE: &str = "aca60ab72ae4d67adc6b8fe7fca5e08d16a6bb5e4a4f2ebb54050e3f5503fd2b";
/// Release of Maven's plugin that fetches single packages.
const MAVEN_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1";
/// The realm `runai`: clients `runai`, `runai-short` (tokens of two seconds) and `runai-no-passwords`; users `admin@example.com`,
/// `half@example.com` (set up in part) and `gone@example.com` (disabled).
const REALM: &str = include_str!("keycloak-realm.json");
/// With these, a start takes 6 s instead of 15 s, and 300 MB instead of 500 MB.
const JAVA: [&str; 5] = ["-XX:TieredStopAtLevel=1", "-XX:-UseG1GC", "-XX:+UseSerialGC", "-Xms64m", "-Xmx256m"];
/// What its own start script gives to Java.
const OPENS: [&str; 3] = [
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED",
];
/// Until it answers: 6 s on an idle machine, a minute on a busy one.
const STARTS: Duration = Duration::from_secs(180);

/// A running Keycloak on loopback, over plain HTTP, below `/auth`. It ends when dropped.
pub struct Keycloak {
    address: SocketAddr,
    _server: Tied,
    _folder: TempDir,
}

impl Keycloak {
    /// Password of all users of the realm.
    pub const PASSWORD: &'static str = "Correct-Horse+7f3a";

    /// A port of loopback that is free now, for one that is started later.
    pub fn free_port() -> LabResult<u16> {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        bound.map(|address| address.port()).map_err(|error| {
            LabError::new("looking for a free port on 127.0.0.1", error.to_string(), "look at what listens there")
        })
    }

    /// Makes it ready unless it is in the cache (a minute, and 160 MB of download). Needs Java 17 or newer, and Maven.
    pub fn have() -> LabResult<PathBuf> {
        let digest = hex::encode(&Sha256::digest(format!("{KEYCLOAK}{PACKAGE}{REALM}"))[..8]);
        let path = cache::folder().join(format!("keycloak-{digest}"));
        cache::made(&path, |beside| {
            needs::java()?;
            eprintln!("lab: making Keycloak {KEYCLOAK} ready (once; about a minute on two idle cores)");
            make(beside)
        })?;
        Ok(path)
    }

    /// Starts one on this port, told that its public URL is `hostname`: `https://runai.example:30443/auth`.
    pub fn start(port: u16, hostname: &str) -> LabResult<Self> {
        Self::started(port, hostname, None)
    }

    /// The same, whose tokens are valid for so many seconds.
    pub fn start_brief(port: u16, hostname: &str, tokens_s: u32) -> LabResult<Self> {
        Self::started(port, hostname, Some(tokens_s))
    }

    fn started(port: u16, hostname: &str, tokens_s: Option<u32>) -> LabResult<Self> {
        let made = Self::have()?;
        let folder = tempfile::tempdir().map_err(LabError::at("making a folder in", &std::env::temp_dir()))?;
        let database = folder.path().join("h2");
        std::fs::create_dir(&database).map_err(LabError::at("making", &database))?;
        let golden = made.join("golden").join("keycloakdb.mv.db");
        std::fs::copy(&golden, database.join("keycloakdb.mv.db")).map_err(LabError::at("copying", &golden))?;
        if let Some(seconds) = tokens_s {
            shorten(&made, &database, seconds)?;
        }
        let mut command = java(&made);
        command.args(["start", "--optimized", "--cache=local", "--http-enabled=true", "--http-host=127.0.0.1"]);
        command.arg(format!("--http-port={port}")).arg(format!("--http-management-port={}", Self::free_port()?));
        command.arg(format!("--hostname={hostname}")).arg(database_at(&database));
        let log = folder.path().join("log");
        let server = Tied::start(&command, "starting Keycloak", &log)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        wait(address, &server, &log)?;
        Ok(Self { address, _server: server, _folder: folder })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

fn database_at(folder: &Path) -> String {
    format!("--db-url={}", url(folder))
}

fn url(database: &Path) -> String {
    format!("jdbc:h2:file:{}/keycloakdb;NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE", database.display())
}

/// Sets how long tokens of the realm are valid, as its administrator would: nobody may administer this one, so in its database (26.4), by the
/// database's own tool. It has neither user nor password.
fn shorten(made: &Path, database: &Path, seconds: u32) -> LabResult<()> {
    let folder = made.join("lib/lib/main");
    let files = std::fs::read_dir(&folder).map_err(LabError::at("listing", &folder))?.flatten();
    let is_tool = |path: &PathBuf| path.to_string_lossy().contains("/com.h2database.h2-");
    let tool = files.map(|entry| entry.path()).find(is_tool).unwrap_or(folder);
    let mut command = Command::new("java");
    command.arg("-cp").arg(tool).args(["org.h2.tools.Shell", "-user", "", "-password", ""]);
    command.args(["-url", &url(database), "-sql"]);
    command.arg(format!("UPDATE REALM SET ACCESS_TOKEN_LIFESPAN = {seconds} WHERE NAME = 'runai'"));
    run(&mut command, "setting how long tokens last").map(drop)
}

/// Its own distribution, built for our options, and a database with the realm in it.
fn make(at: &Path) -> LabResult<()> {
    let (maven, golden) = (at.join("maven"), at.join("golden"));
    for folder in [&maven, &golden] {
        std::fs::create_dir_all(folder).map_err(LabError::at("making", folder))?;
    }
    let package = fetched(&maven)?;
    let unpacked = package.to_string_lossy().into_owned();
    let mut tar = program("tar", &["-xzf", &unpacked, "--strip-components=1", "-C"]);
    run(tar.arg(at), "unpacking Keycloak")?;
    std::fs::remove_dir_all(&maven).map_err(LabError::at("removing", &maven))?;
    let realm = at.join("realm.json");
    std::fs::write(&realm, REALM).map_err(LabError::at("writing", &realm))?;
    let mut build = Command::new(at.join("bin/kc.sh"));
    build.env("JAVA_OPTS_APPEND", JAVA[..3].join(" "));
    build.args(["build", "--db=dev-file", "--http-relative-path=/auth", "--health-enabled=true"]);
    run(&mut build, "building Keycloak for the lab")?;
    let mut import = java(at);
    import.args(["import", "--optimized", "--file"]).arg(&realm).arg(database_at(&golden));
    // Its usual one, 9000, may be taken.
    import.arg(format!("--http-management-port={}", Keycloak::free_port()?));
    run(&mut import, "importing the realm into Keycloak").map(drop)
}

/// The package, whose content is the expected one.
fn fetched(folder: &Path) -> LabResult<PathBuf> {
    let artifact = format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:tar.gz");
    let repository = format!("-Dmaven.repo.local={}", folder.display());
    let goal = format!("{MAVEN_PLUGIN}:get");
    run(&mut program("mvn", &["-q", "-B", &repository, &goal, &artifact, "-Dtransitive=false"]), "fetching Keycloak")?;
    let name = format!("org/keycloak/keycloak-quarkus-dist/{KEYCLOAK}/keycloak-quarkus-dist-{KEYCLOAK}.tar.gz");
    let package = folder.join(name);
    let content = std::fs::read(&package).map_err(LabError::at("reading", &package))?;
    let found = hex::encode(Sha256::digest(content));
    if found == PACKAGE {
        return Ok(package);
    }
    let happened = format!("its SHA-256 is {found}, and not {PACKAGE}");
    Err(LabError::new("checking the package of Keycloak", happened, "ask who changed it before you run it"))
}

/// Java as its own start script calls it: without that script in between, ending Java ends all of it.
fn java(home: &Path) -> Command {
    let mut command = Command::new("java");
    command.args(JAVA).args(OPENS).args([
        "-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
        "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
        "-Dquarkus-log-max-startup-records=10000",
        "-Dpicocli.disable.closures=true",
        "-Dfile.encoding=UTF-8",
    ]);
    command.arg(format!("-Dkc.home.dir={}", home.display()));
    command.arg(format!("-Djboss.server.config.dir={}", home.join("conf").display()));
    command.arg("-cp").arg(home.join("lib/quarkus-run.jar")).arg("io.quarkus.bootstrap.runner.QuarkusEntryPoint");
    command
}

fn wait(address: SocketAddr, server: &Tied, log: &Path) -> LabResult<()> {
    let began = Instant::now();
    while !answers(address) {
        if server.has_ended() || began.elapsed() > STARTS {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(5).collect();
            let happened =
                format!("it does not answer at {address}: {}", last.into_iter().rev().collect::<Vec<_>>().join(" / "));
            return Err(LabError::new("starting Keycloak", happened, "remove its folder in the cache, and try again"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Whether the realm answers.
fn answers(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET /auth/realms/runai HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(start.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}
