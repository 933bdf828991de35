//! A real browser without a window: Debian's Chromium, driven by its debugging protocol over two pipes, so that nobody else on the
//! machine can drive it and no port is open. It ends when it is dropped, and by itself when we die: then its pipes close.

mod axe;
mod seen;
mod served;
mod tab;
mod wire;

pub use axe::{AXE, axe};
pub use seen::{Request, Seen};
pub use served::Served;
pub use tab::{Look, Tab};

use crate::error::{LabError, LabResult};
use crate::needs;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wire::Wire;

/// Until it answers for the first time: half a second on an idle machine.
const STARTS: Duration = Duration::from_secs(60);
/// How long it may take to end by itself before it is killed.
const ENDS: Duration = Duration::from_secs(3);

/// Nothing of its own runs beside the page, and no name leads off this machine. Without a sandbox, since root cannot have one: it is
/// shown pages of ours only.
const OPTIONS: [&str; 17] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-default-apps",
    "--no-first-run",
    "--no-default-browser-check",
    "--mute-audio",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    // Tabs that nobody looks at are measured as well.
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// The debugging protocol is spoken over descriptors 3 and 4, which a shell makes of its own two.
const PIPES: &str = r#"exec "$@" 3<&0 4>&1 0</dev/null 1>/dev/null"#;

/// A running browser.
pub struct Browser {
    wire: RefCell<Wire>,
    child: Child,
    profile: TempDir,
}

impl Browser {
    /// Makes sure that Chromium is installed; on Debian, and as root, it is installed when it is missing (some 400 MB).
    ///
    /// # Errors
    /// When it is missing and cannot be installed.
    pub fn have() -> LabResult<()> {
        needs::chromium()
    }

    /// Starts one with a profile of its own.
    ///
    /// # Errors
    /// When it is not installed, or does not answer in time.
    pub fn start() -> LabResult<Self> {
        Self::have()?;
        let profile = tempfile::tempdir().map_err(LabError::at("making a folder in", &std::env::temp_dir()))?;
        let log = profile.path().join("log");
        let errors = std::fs::File::create(&log).map_err(LabError::at("making", &log))?;
        let mut command = Command::new("sh");
        command.args(["-c", PIPES, "sh", "chromium"]).args(OPTIONS).arg("--remote-debugging-pipe");
        command.arg(format!("--user-data-dir={}", profile.path().join("profile").display())).arg("about:blank");
        // A group of its own: its helpers end with it.
        command.env("HOME", profile.path()).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let failed = |what: String| LabError::new("starting Chromium", what, "start `chromium --headless` by hand");
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let wire =
            Wire::over(child.stdin.take(), child.stdout.take()).ok_or_else(|| failed("it has no pipes".into()))?;
        let browser = Self { wire: RefCell::new(wire), child, profile };
        browser.version_within(STARTS).map_err(|error| {
            let said = std::fs::read_to_string(browser.profile.path().join("log")).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(5).collect();
            failed(format!("{}; it said: {}", error.happened, last.join(" / ")))
        })?;
        Ok(browser)
    }

    fn version_within(&self, at_most: Duration) -> LabResult<String> {
        let told = self.wire.borrow_mut().call(None, "Browser.getVersion", &json!({}), at_most)?;
        Ok(told["product"].as_str().unwrap_or_default().to_owned())
    }

    /// Such as `Chrome/150.0.7871.100`.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn version(&self) -> LabResult<String> {
        self.version_within(wire::ANSWER)
    }

    /// A tab with cookies of its own.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn tab(&self, look: Look) -> LabResult<Tab<'_>> {
        let made = self.call(None, "Target.createBrowserContext", &json!({}))?;
        self.tab_of(made["browserContextId"].as_str().unwrap_or_default(), look)
    }

    pub(crate) fn tab_of(&self, context: &str, look: Look) -> LabResult<Tab<'_>> {
        let asked = json!({"url": "about:blank", "browserContextId": context});
        let made = self.call(None, "Target.createTarget", &asked)?;
        let target = made["targetId"].as_str().unwrap_or_default().to_owned();
        let attached = self.call(None, "Target.attachToTarget", &json!({"targetId": target, "flatten": true}))?;
        let session = attached["sessionId"].as_str().unwrap_or_default().to_owned();
        Tab::open_in(self, (context.to_owned(), target, session), look)
    }

    pub(crate) fn call(&self, session: Option<&str>, method: &str, parameters: &Value) -> LabResult<Value> {
        self.wire.borrow_mut().call(session, method, parameters, wire::ANSWER)
    }

    /// Takes what arrived for a session, waiting for something new at most so long.
    pub(crate) fn events(&self, session: &str, at_most: Duration) -> LabResult<Vec<Value>> {
        self.wire.borrow_mut().events(session, at_most)
    }

    /// Process of the browser.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // What cannot be asked to end is killed below.
        let _ = self.wire.borrow_mut().call(None, "Browser.close", &json!({}), ENDS);
        let until = Instant::now() + ENDS;
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // Its helpers go with it, and are mostly gone already.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
