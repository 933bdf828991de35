//! One tab: opening pages, asking scripts, pictures, numbers.

use super::Browser;
use super::seen::{Seen, exception};
use crate::error::{LabError, LabResult};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Until a page is loaded.
const LOADS: Duration = Duration::from_secs(60);
/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(40);

/// How a page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The scheme that the person prefers.
    pub dark: bool,
    /// Whether scripts of pages run.
    pub scripts: bool,
}

impl Look {
    /// What is measured: 1280 by 800, light, with scripts.
    pub const PLAIN: Self = Self { width: 1280, height: 800, dark: false, scripts: true };
}

/// A tab. It is closed when dropped.
pub struct Tab<'browser> {
    browser: &'browser Browser,
    context: String,
    target: String,
    session: String,
    seen: RefCell<Seen>,
}

impl<'browser> Tab<'browser> {
    pub(super) fn open_in(
        browser: &'browser Browser,
        (context, target, session): (String, String, String),
        look: Look,
    ) -> LabResult<Self> {
        let tab = Self { browser, context, target, session, seen: RefCell::default() };
        for domain in ["Page", "Runtime", "Log", "Network", "Performance", "Audits"] {
            tab.call(&format!("{domain}.enable"), &json!({}))?;
        }
        tab.look(look)?;
        Ok(tab)
    }

    /// Another tab with the same cookies.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn beside(&self, look: Look) -> LabResult<Self> {
        self.browser.tab_of(&self.context, look)
    }

    /// Shows pages otherwise from now on.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn look(&self, look: Look) -> LabResult<()> {
        let size = json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size)?;
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}]});
        self.call("Emulation.setEmulatedMedia", &media)?;
        self.call("Emulation.setScriptExecutionDisabled", &json!({"value": !look.scripts})).map(drop)
    }

    /// A call of the protocol that has no method here.
    ///
    /// # Errors
    /// When it is refused or not answered.
    pub fn call(&self, method: &str, parameters: &Value) -> LabResult<Value> {
        self.browser.call(Some(&self.session), method, parameters)
    }

    /// Opens a page and waits until it is loaded. What was noticed before is forgotten.
    ///
    /// # Errors
    /// When it is not loaded in time, or nobody answers there.
    pub fn open(&self, url: &str) -> LabResult<()> {
        self.collect(Duration::ZERO)?;
        *self.seen.borrow_mut() = Seen::default();
        let failed = |what: String| LabError::new(format!("opening {url}"), what, "open it in a browser of your own");
        let answer = self.call("Page.navigate", &json!({"url": url}))?;
        if let Some(text) = answer["errorText"].as_str() {
            return Err(failed(text.to_owned()));
        }
        let until = Instant::now() + LOADS;
        while !self.seen.borrow().loaded {
            if Instant::now() > until {
                return Err(failed("it is not loaded in time".to_owned()));
            }
            self.collect(LOOK)?;
        }
        Ok(())
    }

    fn collect(&self, at_most: Duration) -> LabResult<()> {
        for event in self.browser.events(&self.session, at_most)? {
            self.seen.borrow_mut().take(&event);
        }
        Ok(())
    }

    /// Everything noticed since the page was opened.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn seen(&self) -> LabResult<Seen> {
        self.collect(Duration::ZERO)?;
        Ok(self.seen.borrow().clone())
    }

    /// The value of an expression in the page; a promise is waited for. Works although scripts of the page are switched off.
    ///
    /// # Errors
    /// When it throws, with what it said.
    pub fn ask(&self, expression: &str) -> LabResult<Value> {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", &asked)?;
        match &answer["exceptionDetails"] {
            Value::Null => Ok(answer["result"]["value"].take()),
            details => {
                let begin: String = expression.chars().take(200).collect();
                Err(LabError::new(format!("asking a page for `{begin}`"), exception(details), "try it in its console"))
            }
        }
    }

    /// Waits until an expression is true. One that throws is not true yet: a page that reads itself again is empty for a moment.
    ///
    /// # Errors
    /// When it is not within that time; when it threw until then, with what it said.
    pub fn wait(&self, expression: &str, at_most: Duration) -> LabResult<()> {
        let until = Instant::now() + at_most;
        loop {
            let answer = self.ask(expression);
            if matches!(answer, Ok(Value::Bool(true))) {
                return Ok(());
            }
            if Instant::now() > until {
                let happened = format!("it is not within {} s", at_most.as_secs());
                let late = LabError::new(format!("waiting for `{expression}`"), happened, "look at a screenshot");
                return Err(answer.err().unwrap_or(late));
            }
            self.collect(LOOK)?;
        }
    }

    /// Puts the tab in front of the others: one that nobody sees need not follow anything.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn front(&self) -> LabResult<()> {
        self.call("Page.bringToFront", &json!({})).map(drop)
    }

    /// What is to be read on the page.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn text(&self) -> LabResult<String> {
        Ok(self.ask("document.body.innerText")?.as_str().unwrap_or_default().to_owned())
    }

    /// A picture of what is to be seen, as PNG, or smaller and with losses as WebP.
    ///
    /// # Errors
    /// When the browser makes none.
    pub fn picture(&self, small: bool) -> LabResult<Vec<u8>> {
        let asked = if small { json!({"format": "webp", "quality": 70}) } else { json!({"format": "png"}) };
        let answer = self.call("Page.captureScreenshot", &asked)?;
        STANDARD.decode(answer["data"].as_str().unwrap_or_default()).map_err(|error| {
            LabError::new("taking a picture of a page", error.to_string(), "look whether the page is endless")
        })
    }

    /// Numbers that the browser keeps of the page, such as `LayoutDuration` (seconds) and `Nodes`.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn numbers(&self) -> LabResult<BTreeMap<String, f64>> {
        let answer = self.call("Performance.getMetrics", &json!({}))?;
        let all = answer["metrics"].as_array().cloned().unwrap_or_default();
        let pair = |one: &Value| Some((one["name"].as_str()?.to_owned(), one["value"].as_f64()?));
        Ok(all.iter().filter_map(pair).collect())
    }

    /// Cuts the tab off from everybody, or connects it again.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn offline(&self, offline: bool) -> LabResult<()> {
        let asked = json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.call("Network.emulateNetworkConditions", &asked).map(drop)
    }

    /// Sends keys as a person does, one after the other: a character, or a name such as `Escape`.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn press(&self, key: &str) -> LabResult<()> {
        // What a button does when it is pressed hangs on the number of the key.
        let (text, number) = match key {
            "Enter" => ("\r", 13),
            "Tab" => ("", 9),
            key => (if key.chars().count() == 1 { key } else { "" }, 0),
        };
        let down = json!({"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": number});
        self.call("Input.dispatchKeyEvent", &down)?;
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": key})).map(drop)
    }

    /// What axe-core finds wrong for people who cannot see well: rule, element, and what is wrong. Empty is good.
    ///
    /// # Errors
    /// When axe-core cannot be had or fails.
    pub fn violations(&self) -> LabResult<Vec<String>> {
        self.ask(&format!("{};undefined", super::axe()?))?;
        let found = self.ask(VIOLATIONS)?;
        let texts = found.as_array().cloned().unwrap_or_default();
        Ok(texts.iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect())
    }
}

const VIOLATIONS: &str = "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.flatMap(v => \
    v.nodes.slice(0, 5).map(n => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary.replace(/\\s+/g, ' ')}`)))";

impl Drop for Tab<'_> {
    fn drop(&mut self) {
        // A browser that has ended has closed it, too.
        let _ = self.browser.call(None, "Target.closeTarget", &json!({"targetId": self.target}));
    }
}
