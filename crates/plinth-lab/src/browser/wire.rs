//! Messages of the debugging protocol over two pipes, each ended by a zero byte. Every wait has an end.

use crate::error::{LabError, LabResult};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long it may take to answer: a screenshot of a page of thousands of rows on a busy machine takes seconds.
pub(super) const ANSWER: Duration = Duration::from_secs(60);

/// Both directions, and what arrived and nobody has taken yet.
pub(super) struct Wire {
    to: ChildStdin,
    from: Receiver<Value>,
    next: u64,
    /// By session.
    waiting: HashMap<String, Vec<Value>>,
}

impl Wire {
    /// None without both pipes.
    pub(super) fn over(to: Option<ChildStdin>, from: Option<ChildStdout>) -> Option<Self> {
        let (to, from) = to.zip(from)?;
        let (tell, told) = channel();
        std::thread::spawn(move || {
            for message in BufReader::with_capacity(1 << 20, from).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { continue };
                if tell.send(message).is_err() {
                    return;
                }
            }
        });
        Some(Self { to, from: told, next: 1, waiting: HashMap::new() })
    }

    /// Asks, and waits for the answer. What else arrives meanwhile is kept for its session.
    pub(super) fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: &Value,
        at_most: Duration,
    ) -> LabResult<Value> {
        let id = self.next;
        self.next += 1;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let sent = self.to.write_all(&bytes).and_then(|()| self.to.flush());
        sent.map_err(|error| failed(method, error.to_string()))?;
        let until = Instant::now() + at_most;
        loop {
            let mut message = self.next_message(until).map_err(|what| failed(method, what))?;
            if message["id"].as_u64() != Some(id) {
                self.keep(message);
                continue;
            }
            return match message["error"].take() {
                Value::Null => Ok(message["result"].take()),
                error => Err(failed(method, error["message"].as_str().unwrap_or("it was refused").to_owned())),
            };
        }
    }

    /// What arrived for a session; waits for something when nothing has.
    pub(super) fn events(&mut self, session: &str, at_most: Duration) -> LabResult<Vec<Value>> {
        while let Ok(message) = self.from.try_recv() {
            self.keep(message);
        }
        let until = Instant::now() + at_most;
        while !self.waiting.contains_key(session) && Instant::now() < until {
            match self.from.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(message) => self.keep(message),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(failed("waiting", "it has ended".to_owned())),
            }
        }
        Ok(self.waiting.remove(session).unwrap_or_default())
    }

    fn next_message(&mut self, until: Instant) -> Result<Value, String> {
        match self.from.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(message) => Ok(message),
            Err(RecvTimeoutError::Timeout) => Err("it does not answer in time".to_owned()),
            Err(RecvTimeoutError::Disconnected) => Err("it has ended".to_owned()),
        }
    }

    /// Late answers and what is about no session are of no use to anybody.
    fn keep(&mut self, message: Value) {
        if let (Some(session), true) = (message["sessionId"].as_str(), message["method"].is_string()) {
            self.waiting.entry(session.to_owned()).or_default().push(message);
        }
    }
}

fn failed(method: &str, happened: String) -> LabError {
    LabError::new(format!("asking the browser for {method}"), happened, "look whether the machine has memory left")
}
