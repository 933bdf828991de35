//! The browser itself, with a page of our own: what it must see, and that it does not see what is not there. Needs Debian's Chromium.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use plinth_lab::browser::{Browser, Look};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

/// A page with everything that a page of ours must not have.
const BAD: &str = "<!doctype html><title>x</title><img src=/p.png><p style='color:#999;background:#fff'>pale</p>\
    <div id=d>one</div><script src=/s.js></script><script>document.title = 'inline ran'</script>\
    <script src='http://192.0.2.1/elsewhere.js'></script>";
const SCRIPT: &str = "console.error('wrong'); document.getElementById('d').textContent = 'two';";
const GOOD: &str = "<!doctype html><html lang=en><title>Good</title><main><h1>Good</h1><p>fine</p></main></html>";

/// Serves the three texts on loopback until the process ends.
fn served() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut asked = [0; 2048];
                let count = stream.read(&mut asked).unwrap_or(0);
                let asked = String::from_utf8_lossy(&asked[..count]).into_owned();
                let path = asked.split(' ').nth(1).unwrap_or("/");
                let (kind, text) = match path {
                    "/bad" => ("text/html", BAD),
                    "/s.js" => ("text/javascript", SCRIPT),
                    _ => ("text/html", GOOD),
                };
                let rules = "default-src 'none'; script-src 'self'; img-src 'self'";
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Security-Policy: {rules}\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n{text}",
                    text.len()
                );
            });
        }
    });
    origin
}

#[test]
#[ignore = "needs Chromium: tier page"]
fn the_browser_sees_what_is_wrong_with_a_page_and_nothing_where_nothing_is() {
    let origin = served();
    let browser = Browser::start().unwrap();
    assert!(browser.version().unwrap().contains('/'));
    let tab = browser.tab(Look::PLAIN).unwrap();
    tab.open(&format!("{origin}/good")).unwrap();
    assert_eq!(tab.seen().unwrap().troubles(&origin), Vec::<String>::new());
    assert_eq!(tab.violations().unwrap(), Vec::<String>::new());
    assert_eq!(tab.text().unwrap(), "Good\n\nfine");
    assert!(tab.numbers().unwrap()["Nodes"] > 4.0);
    assert!(tab.picture(false).unwrap().starts_with(b"\x89PNG"));

    tab.open(&format!("{origin}/bad")).unwrap();
    tab.wait("document.getElementById('d').textContent === 'two'", Duration::from_secs(10)).unwrap();
    let seen = tab.seen().unwrap();
    assert_eq!(seen.off_origin(&origin), ["http://192.0.2.1/elsewhere.js"]);
    assert!(seen.refused.len() >= 2, "{seen:?}");
    assert!(seen.console.iter().any(|line| line.contains("wrong")), "{seen:?}");
    assert_eq!(tab.ask("document.title").unwrap(), "x", "an inline script ran");
    let violations = tab.violations().unwrap();
    assert!(violations.iter().any(|one| one.starts_with("image-alt")), "{violations:?}");

    let without = browser.tab(Look { scripts: false, dark: true, ..Look::PLAIN }).unwrap();
    without.open(&format!("{origin}/bad")).unwrap();
    assert_eq!(without.ask("document.getElementById('d').textContent").unwrap(), "one");
    assert_eq!(without.ask("matchMedia('(prefers-color-scheme: dark)').matches").unwrap(), true);

    without.offline(true).unwrap();
    assert!(without.open(&format!("{origin}/good")).is_err());
    assert!(tab.ask("throw new Error('thrown here')").unwrap_err().to_string().contains("thrown here"));
    assert!(tab.wait("false", Duration::from_millis(100)).is_err());
    let process = browser.process();
    drop((tab, without));
    drop(browser);
    assert!(!std::path::Path::new(&format!("/proc/{process}")).exists());
}
