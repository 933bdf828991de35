//! What a tab noticed while a page was in it: what was asked of whom, what was complained about.

use serde_json::Value;
use std::collections::HashMap;

/// Something that a page asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Address.
    pub url: String,
    /// Such as `Document`, `Script`, `EventSource`.
    pub kind: String,
    /// Status of the answer; 0 when none came.
    pub status: u64,
    /// Bytes on the wire, head and content, packed as they came; 0 while it goes on.
    pub bytes: u64,
}

/// All that was noticed.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// In the order they were asked.
    pub requests: Vec<Request>,
    /// Errors and warnings of scripts, and of the browser about the page.
    pub console: Vec<String>,
    /// What the page's own rules of security refused.
    pub refused: Vec<String>,
    /// Whether the page is loaded.
    pub(super) loaded: bool,
    places: HashMap<String, usize>,
}

impl Seen {
    /// Requests that went anywhere but to this origin (`http://127.0.0.1:1234`). What is part of the page itself (`data:`) goes nowhere.
    #[must_use]
    pub fn off_origin(&self, origin: &str) -> Vec<&str> {
        let own = |url: &str| url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let within = |url: &str| url.starts_with("data:") || url.starts_with("about:");
        self.requests.iter().map(|request| request.url.as_str()).filter(|url| !own(url) && !within(url)).collect()
    }

    /// Everything that a sound page does not do, in words; nothing when it is sound.
    #[must_use]
    pub fn troubles(&self, origin: &str) -> Vec<String> {
        let elsewhere = self.off_origin(origin).into_iter().map(|url| format!("asked elsewhere: {url}"));
        let refused = self.refused.iter().map(|text| format!("refused by its own rules: {text}"));
        let console = self.console.iter().map(|text| format!("console: {text}"));
        let bad = |request: &&Request| request.status >= 400;
        let failed = self.requests.iter().filter(bad).map(|one| format!("answered {}: {}", one.status, one.url));
        elsewhere.chain(refused).chain(console).chain(failed).collect()
    }

    pub(super) fn take(&mut self, message: &Value) {
        let parameters = &message["params"];
        match message["method"].as_str().unwrap_or_default() {
            "Page.loadEventFired" => self.loaded = true,
            "Network.requestWillBeSent" => self.asked(parameters),
            "Network.responseReceived" => {
                let status = parameters["response"]["status"].as_u64().unwrap_or(0);
                self.of(parameters, |request| request.status = status);
            }
            "Network.loadingFinished" => {
                let bytes = parameters["encodedDataLength"].as_f64().unwrap_or(0.0);
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                // A float to integer cast saturates.
                self.of(parameters, |request| request.bytes = bytes as u64);
            }
            "Runtime.exceptionThrown" => self.console.push(exception(&parameters["exceptionDetails"])),
            "Runtime.consoleAPICalled" => self.said(parameters),
            "Log.entryAdded" => self.logged(&parameters["entry"]),
            "Audits.issueAdded" => self.issue(&parameters["issue"]),
            _ => {}
        }
    }

    fn asked(&mut self, parameters: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let request =
            Request { url: text(&parameters["request"]["url"]), kind: text(&parameters["type"]), ..Request::default() };
        self.places.insert(text(&parameters["requestId"]), self.requests.len());
        self.requests.push(request);
    }

    fn of(&mut self, parameters: &Value, change: impl FnOnce(&mut Request)) {
        let place = parameters["requestId"].as_str().and_then(|id| self.places.get(id));
        if let Some(request) = place.and_then(|place| self.requests.get_mut(*place)) {
            change(request);
        }
    }

    fn said(&mut self, parameters: &Value) {
        if matches!(parameters["type"].as_str(), Some("error" | "warning" | "assert")) {
            let words = parameters["args"].as_array().into_iter().flatten();
            let words: Vec<String> = words.map(|word| word["value"].to_string()).collect();
            self.console.push(words.join(" "));
        }
    }

    fn logged(&mut self, entry: &Value) {
        if !matches!(entry["level"].as_str(), Some("error" | "warning")) {
            return;
        }
        let text = entry["text"].as_str().unwrap_or_default();
        let at = entry["url"].as_str().unwrap_or_default();
        match entry["source"].as_str() {
            Some("security") => self.refused.push(text.to_owned()),
            _ => self.console.push(format!("{text} {at}")),
        }
    }

    fn issue(&mut self, issue: &Value) {
        if issue["code"] == "ContentSecurityPolicyIssue" {
            let details = &issue["details"]["contentSecurityPolicyIssueDetails"];
            self.refused.push(format!("{} {}", details["violatedDirective"], details["blockedURL"]));
        }
    }
}

pub(super) fn exception(details: &Value) -> String {
    let text = details["text"].as_str().unwrap_or_default();
    let more = details["exception"]["description"].as_str().unwrap_or_default();
    format!("{text} {more}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_is_told_by_what_it_asked_and_said() {
        let mut seen = Seen::default();
        let event = |method: &str, parameters: Value| json!({"method": method, "params": parameters});
        let asked = |id: &str, url: &str| {
            event("Network.requestWillBeSent", json!({"requestId": id, "type": "Script", "request": {"url": url}}))
        };
        seen.take(&asked("1", "http://127.0.0.1:80/a.js"));
        seen.take(&asked("2", "http://127.0.0.1:8080/b.js"));
        seen.take(&asked("3", "data:image/png;base64,AA"));
        seen.take(&event("Network.responseReceived", json!({"requestId": "1", "response": {"status": 404}})));
        seen.take(&event("Network.loadingFinished", json!({"requestId": "1", "encodedDataLength": 321.0})));
        seen.take(&event("Log.entryAdded", json!({"entry": {"source": "security", "level": "error", "text": "no"}})));
        seen.take(&event("Log.entryAdded", json!({"entry": {"source": "other", "level": "info", "text": "fine"}})));
        seen.take(&event("Runtime.consoleAPICalled", json!({"type": "log", "args": [{"value": "fine"}]})));
        assert_eq!(seen.off_origin("http://127.0.0.1:80"), ["http://127.0.0.1:8080/b.js"]);
        assert_eq!((seen.requests[0].status, seen.requests[0].bytes), (404, 321));
        let troubles = seen.troubles("http://127.0.0.1:80");
        assert_eq!(troubles.len(), 3, "{troubles:?}");
    }
}
