#![allow(clippy::unwrap_used)]

use super::*;
use std::sync::mpsc::{Receiver, Sender, channel};

const LONG: Duration = Duration::from_secs(10);

/// A reader that takes a piece only when the test says so.
struct Slow(Receiver<()>, Arc<Mutex<Vec<u8>>>);

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.recv().map_err(io::Error::other)?;
        self.1.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn slow(room: usize) -> (Outlet, Sender<()>, Arc<Mutex<Vec<u8>>>) {
    let ((go, wait), read) = (channel(), Arc::<Mutex<Vec<u8>>>::default());
    let theirs = Arc::clone(&read);
    let gap: Gap = |lines| Some(format!("[{lines} lines are missing]\n"));
    (Outlet::new("slow", room, gap, Box::new(move || Ok(Box::new(Slow(wait, theirs))))), go, read)
}

#[test]
fn nobody_waits_for_a_reader_that_does_not_read_and_what_is_missing_is_said() {
    let (outlet, go, read) = slow(20);
    let began = Instant::now();
    for number in 0..1_000 {
        outlet.lines(format!("line {number:04}\n").as_bytes());
    }
    outlet.whole(b"the document\n");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(!outlet.wait(Duration::from_millis(20)), "nobody read");
    (0..10).for_each(|_| go.send(()).unwrap());
    assert!(outlet.wait(LONG));
    let text = String::from_utf8(read.lock().unwrap().clone()).unwrap();
    assert!(text.starts_with("line 0000\n") && text.ends_with("the document\n"), "{text}");
    let missing = outlet.lost();
    let told = text
        .lines()
        .filter_map(|line| line.strip_prefix('[')?.strip_suffix(" lines are missing]")?.parse::<u64>().ok());
    assert!(missing > 900 && told.sum::<u64>() == missing, "{missing}: {text}");
}

#[test]
fn an_error_of_the_writer_is_kept_and_told_once_and_nothing_waits_any_more() {
    let (outlet, go, _) = slow(1_000);
    drop(go);
    outlet.lines(b"one\n");
    assert!(outlet.wait(LONG));
    outlet.lines(b"two\n");
    assert!(outlet.wait(LONG));
    assert!(outlet.error().is_some() && outlet.error().is_none());
    assert!(outlet.lost() >= 1);
}

#[test]
fn opening_that_waits_holds_up_nobody() {
    let (go, wait) = channel::<()>();
    let open: Open = Box::new(move || wait.recv().map(|()| Box::new(io::sink()) as _).map_err(io::Error::other));
    let outlet = Outlet::new("late", 1_000, |_| None, open);
    write!(outlet.writer(), "half a ").unwrap();
    outlet.writer().write_all(b"one\ntwo").unwrap();
    assert!(!outlet.wait(Duration::from_millis(20)));
    go.send(()).unwrap();
    assert!(outlet.wait(LONG));
    assert_eq!(outlet.lost(), 0);
}

#[test]
fn what_is_given_stands_behind_what_is_not_over_yet() {
    let (outlet, go, read) = slow(1_000);
    let over = Arc::new(Mutex::new(false));
    let theirs = Arc::clone(&over);
    outlet.after(Box::new(move || {
        std::thread::sleep(Duration::from_millis(1));
        *theirs.lock().unwrap()
    }));
    outlet.lines(b"the summary\n");
    go.send(()).unwrap();
    assert!(!outlet.wait(Duration::from_millis(50)) && read.lock().unwrap().is_empty(), "it is not over yet");
    *over.lock().unwrap() = true;
    assert!(outlet.wait(LONG));
    assert_eq!(read.lock().unwrap().as_slice(), b"the summary\n");
}
