//! Reads the framed output of a script: lines that begin with `@<nonce> `. Everything else is noise: banners, greetings of a
//! login shell, output of programs. Noise is counted and the last of it kept as evidence, never understood.

/// Largest output that is read, bytes. Facts of a large machine are about 20 KiB.
pub const LARGEST: usize = 4 * 1024 * 1024;
/// Noise that is kept, bytes.
const NOISE_KEPT: usize = 2 * 1024;

/// One answer of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What was asked: a word that the script gives; several frames may have the same.
    pub key: String,
    /// Value, one line.
    pub value: String,
}

/// Takes output apart as it arrives.
#[derive(Clone, Debug)]
pub struct Decoder {
    mark: Vec<u8>,
    line: Vec<u8>,
    read: usize,
    noise: Vec<u8>,
    status: Option<i32>,
}

impl Decoder {
    /// For the output of a script that was rendered with this nonce.
    #[must_use]
    pub fn new(nonce: &str) -> Self {
        let mark = format!("@{nonce} ").into_bytes();
        Self { mark, line: Vec::new(), read: 0, noise: Vec::new(), status: None }
    }

    /// Takes more output; answers the frames that are complete now.
    ///
    /// # Errors
    /// When the output is larger than [`LARGEST`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, TooMuch> {
        self.read = self.read.saturating_add(bytes.len());
        if self.read > LARGEST {
            return Err(TooMuch);
        }
        let mut frames = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                frames.extend(self.line(&line));
            } else {
                self.line.push(byte);
            }
        }
        Ok(frames)
    }

    /// How `main` ended; none while it has not, which at the end of the output means that it was cut off.
    #[must_use]
    pub const fn status(&self) -> Option<i32> {
        self.status
    }

    /// The last noise, for evidence. May hold anything: redact it.
    #[must_use]
    pub fn noise(&self) -> String {
        String::from_utf8_lossy(&self.noise).trim().to_owned()
    }

    fn line(&mut self, line: &[u8]) -> Option<Frame> {
        let Some(rest) = line.strip_prefix(self.mark.as_slice()) else {
            self.keep_noise(line);
            return None;
        };
        let rest = String::from_utf8_lossy(rest);
        let (key, value) = rest.split_once(' ').unwrap_or((&rest, ""));
        if key == "end" {
            self.status = self.status.or_else(|| value.trim().parse().ok());
            return None;
        }
        Some(Frame { key: key.to_owned(), value: value.trim_end_matches('\r').to_owned() })
    }

    fn keep_noise(&mut self, line: &[u8]) {
        if line.is_empty() {
            return;
        }
        self.noise.extend_from_slice(line);
        self.noise.push(b'\n');
        let over = self.noise.len().saturating_sub(NOISE_KEPT);
        self.noise.drain(..over);
    }
}

/// The output is larger than anything that one of our scripts prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the output is larger than {LARGEST} bytes")]
pub struct TooMuch;

/// All answers of a script that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    frames: Vec<Frame>,
    /// Something else was printed too.
    pub noisy: bool,
}

impl Frames {
    /// Holds these answers; `noisy`: other output was among them.
    #[must_use]
    pub const fn new(frames: Vec<Frame>, noisy: bool) -> Self {
        Self { frames, noisy }
    }

    /// The first value of a key, unless it is empty.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let frame = self.frames.iter().find(|frame| frame.key == key)?;
        Some(frame.value.as_str()).filter(|value| !value.is_empty())
    }

    /// All values of a key, in order.
    pub fn all(&self, key: &str) -> Vec<&str> {
        self.frames.iter().filter(|frame| frame.key == key).map(|frame| frame.value.as_str()).collect()
    }

    /// All answers, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter()
    }

    /// The first value of a key as a number, or whatever else is written as text.
    #[must_use]
    pub fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.get(key)?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> (Vec<Frame>, Decoder) {
        let mut decoder = Decoder::new("n1");
        let frames = decoder.push(text.as_bytes()).unwrap();
        (frames, decoder)
    }

    #[test]
    fn frames_survive_noise_before_between_and_inside_lines() {
        let (frames, decoder) =
            decode("Welcome!\nno line break\n@n1 os.id debian\nnoise\n\n@n1 empty\n@n2 other x\n\n@n1 end 0\n");
        let keys: Vec<&str> = frames.iter().map(|f| f.key.as_str()).collect();
        assert_eq!((keys, decoder.status()), (vec!["os.id", "empty"], Some(0)));
        assert_eq!(decoder.noise(), "Welcome!\nno line break\nnoise\n@n2 other x");
    }

    #[test]
    fn an_output_that_is_cut_off_has_no_status() {
        assert_eq!(decode("\n@n1 a b\n\n@n1 end").1.status(), None);
        assert_eq!(decode("\n@n1 end x\n").1.status(), None, "a status is a number");
    }

    #[test]
    fn an_endless_output_is_refused() {
        let mut decoder = Decoder::new("n1");
        let block = vec![b'x'; LARGEST / 2];
        assert!(decoder.push(&block).is_ok() && decoder.push(&block).is_ok());
        assert_eq!(decoder.push(b"x"), Err(TooMuch));
    }
}
