//! A follower without a browser: it reads the stream of a run as a page does, and asks again when it is told to.

use super::http::Place;
use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Bytes that a follower asks for at once.
const CHUNK: usize = 16 * 1024;
/// Of what was read, so much is kept to see how it ended: the last message, and what HTTP puts behind it.
const LAST: usize = 64;
/// What the last message of a run that is over begins with.
const END: &[u8] = b"event: end\n";
/// Before it asks again.
const AGAIN: Duration = Duration::from_millis(100);

/// What a follower got.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heard {
    /// Bytes of each second, from the first.
    seconds: Vec<f64>,
    /// Whether it was told that the run is over.
    pub(super) ended: bool,
    /// How often it had to ask.
    pub(super) asked: usize,
}

impl Heard {
    fn count(&mut self, at: Duration, bytes: usize) {
        let at = usize::try_from(at.as_secs()).unwrap_or(usize::MAX - 1);
        self.seconds.resize(self.seconds.len().max(at + 1), 0.0);
        if let Some(second) = self.seconds.get_mut(at) {
            *second += f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
        }
    }

    /// Bytes a second, in the mean from the first to the last that came.
    pub(super) fn mean(&self) -> f64 {
        let count = f64::from(u32::try_from(self.seconds.len()).unwrap_or(u32::MAX));
        self.seconds.iter().sum::<f64>() / count
    }

    /// Bytes of the second with most.
    pub(super) fn peak(&self) -> f64 {
        self.seconds.iter().copied().fold(f64::NAN, f64::max)
    }
}

/// Follows the run at this path to its end. A server that is gone, and that moment, end it too.
pub(super) fn follow(place: &Place, path: &str, until: Instant) -> Heard {
    let (began, mut heard) = (Instant::now(), Heard::default());
    while !heard.ended && Instant::now() < until {
        heard.asked += 1;
        let Ok(stream) = place.asked(path) else { break };
        read(stream, &mut heard, (began, until));
        if !heard.ended {
            std::thread::sleep(AGAIN);
        }
    }
    heard
}

/// Reads a stream to its end.
fn read(mut stream: TcpStream, heard: &mut Heard, (began, until): (Instant, Instant)) {
    let (mut chunk, mut last) = ([0; CHUNK], Vec::new());
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        heard.count(began.elapsed(), count);
        last.extend_from_slice(chunk.get(..count).unwrap_or_default());
        last.drain(..last.len().saturating_sub(LAST));
        if Instant::now() > until {
            break;
        }
    }
    heard.ended = last.windows(END.len()).any(|text| text == END);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::TcpListener;

    /// Gives each that asks the next of these answers.
    fn server(answers: &'static [&'static str]) -> Place {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 1024];
                let _ = stream.read(&mut asked).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Place::new(&origin, "token").unwrap()
    }

    #[test]
    fn a_follower_that_is_sent_away_asks_again_until_the_run_is_over() {
        let place = server(&[
            "HTTP/1.1 200 OK\r\n\r\nevent: hello\ndata: {}\n\nevent: reset\ndata: {}\n\n",
            "HTTP/1.1 200 OK\r\n\r\nevent: hello\ndata: {}\n\nevent: end\ndata: {}\n\n",
        ]);
        let heard = follow(&place, "/r/x/live", Instant::now() + Duration::from_secs(20));
        assert_eq!((heard.ended, heard.asked), (true, 2));
        assert!(heard.mean() > 60.0 && heard.peak() > 60.0, "{heard:?}");
    }

    #[test]
    fn a_follower_of_a_server_that_is_gone_has_not_heard_the_end() {
        let place = server(&["HTTP/1.1 200 OK\r\n\r\nevent: patch\ndata: the event: end\\n\n\n"]);
        let heard = follow(&place, "/r/x/live", Instant::now() + Duration::from_secs(20));
        assert!(!heard.ended, "{heard:?}");
        assert!(Heard::default().mean().is_nan() && Heard::default().peak().is_nan(), "nothing is no figure");
    }
}
