//! `plinth status`: what it needs, and what it can do without.

use crate::support::{basepod, plinth};
use rusqlite::Connection;
use tempfile::TempDir;

#[test]
fn an_earlier_run_that_cannot_be_read_is_said_and_ends_nothing() {
    let folder = TempDir::new().unwrap();
    let site = basepod();
    let asks = |arguments: &[&str]| plinth(folder.path(), &[arguments, &["-f", &site, "--state", "state"]].concat());
    asks(&["rehearse", "--fault", "release:gpu-operator:fails"]).exits(4);
    // A run that was killed: how long it would still have taken is asked of the one before.
    asks(&["rehearse", "--fault", "crash@record:20"]);
    let journal = Connection::open(folder.path().join("state/journal.db")).unwrap();
    let first: String = journal.query_row("SELECT id FROM runs WHERE number = 1", [], |row| row.get(0)).unwrap();
    assert!(asks(&["status"]).exits(0).stderr.is_empty());
    let spoil =
        "UPDATE events SET event = '{}' WHERE run = 1 AND seq = (SELECT max(seq) / 2 FROM events WHERE run = 1)";
    journal.execute_batch(&format!("DROP TRIGGER events_are_never_changed; {spoil}")).unwrap();
    for form in [&["status"][..], &["status", "--json"]] {
        let said = asks(form).exits(0).says(&format!("run {first} cannot be read, so nothing is known by it: "));
        assert!(said.stdout.contains("interrupted"), "{}", said.stdout);
    }
}
