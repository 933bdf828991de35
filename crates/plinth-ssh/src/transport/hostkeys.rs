//! Host keys that plinth pinned, one file per host in the form of OpenSSH's known_hosts, and the person's own known_hosts files.
//!
//! A host's own file decides alone. Only when there is none do the person's files count: so `plinth trust` is not held up by an
//! old line there.

use super::peer::Peer;
use plinth_world::node::HostKey;
use plinth_world::private_file;
use plinth_world::{Clock, files};
use ring::hmac;
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use russh::keys::{HashAlg, PublicKey};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Largest known_hosts file that is read, bytes. Ten thousand hosts with three keys each are about 10 MiB.
const LARGEST: usize = 32 * 1024 * 1024;
/// Longest line that is understood, bytes. An RSA key of 16384 bits takes 2.8 KiB; a certificate in a certificate takes more and
/// is none of ours.
const LONGEST_LINE: usize = 8 * 1024;

/// A key as OpenSSH names it.
pub(super) fn describe(key: &PublicKey) -> HostKey {
    HostKey { algorithm: key.algorithm().to_string(), fingerprint: key.fingerprint(HashAlg::Sha256).to_string() }
}

/// Keys by which a host is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins {
    /// Any of them proves the host.
    pub(super) keys: Vec<PublicKey>,
    /// None of these does, whatever else is said.
    pub(super) revoked: Vec<PublicKey>,
}

impl Pins {
    /// Whether this key proves the host.
    pub(super) fn hold(&self, presented: &PublicKey) -> bool {
        let same = |key: &PublicKey| key.key_data() == presented.key_data();
        self.keys.iter().any(same) && !self.revoke(presented)
    }

    /// Whether somebody revoked this key.
    pub(super) fn revoke(&self, presented: &PublicKey) -> bool {
        self.revoked.iter().any(|key| key.key_data() == presented.key_data())
    }

    /// The pin to show beside a presented key: the same, or else one of the same algorithm, or else the first.
    pub(super) fn beside(&self, presented: &PublicKey) -> Option<HostKey> {
        let of = |wanted: &dyn Fn(&&PublicKey) -> bool| self.keys.iter().find(wanted);
        of(&|key| key.key_data() == presented.key_data())
            .or_else(|| of(&|key| key.algorithm() == presented.algorithm()))
            .or_else(|| self.keys.first())
            .map(describe)
    }

    fn take(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.revoked.extend(other.revoked);
    }
}

/// The pins of a site.
pub(super) struct HostKeys {
    folder: PathBuf,
    known_hosts: Vec<PathBuf>,
}

impl HostKeys {
    /// Pins below `folder`, and the person's files.
    pub(super) const fn new(folder: PathBuf, known_hosts: Vec<PathBuf>) -> Self {
        Self { folder, known_hosts }
    }

    /// The file that holds a host's own pin.
    pub(super) fn file(&self, peer: &Peer) -> io::Result<PathBuf> {
        let name = peer.name.replace(':', "-");
        if private_file::is_file_name(&name) {
            Ok(self.folder.join(name))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{name}` is not a plain file name")))
        }
    }

    /// What is pinned for a host. A pin that is there and cannot be understood is an error: to take it for none would mean to
    /// believe whatever key is shown next.
    pub(super) fn pins(&self, peer: &Peer) -> io::Result<Pins> {
        let file = self.file(peer)?;
        if let Some(text) = read(&file)? {
            let pins = all(&text);
            if pins.keys.is_empty() {
                let happened = format!("{} is there, and holds no key that can be read", file.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, happened));
            }
            return Ok(pins);
        }
        let mut pins = Pins::default();
        for path in &self.known_hosts {
            if let Some(text) = read(path)? {
                pins.take(known(&text, peer));
            }
        }
        Ok(pins)
    }

    /// The same as lines of a known_hosts file, revoked keys among them.
    pub(super) fn lines(&self, peer: &Peer) -> io::Result<Vec<String>> {
        let Pins { keys, revoked } = self.pins(peer)?;
        let place = hosts(peer);
        let line = |mark: &str, key: &PublicKey| {
            let text = key.to_openssh().map_err(io::Error::other)?;
            Ok(format!("{mark}{place} {text}\n"))
        };
        let known = keys.iter().map(|key| line("", key));
        known.chain(revoked.iter().map(|key| line("@revoked ", key))).collect()
    }

    /// Writes a host's pin, with the reason, in place of an older one.
    pub(super) fn pin(&self, peer: &Peer, key: &PublicKey, why: &str, clock: &dyn Clock) -> io::Result<()> {
        private_file::make_directory(&self.folder)?;
        let text = key.to_openssh().map_err(io::Error::other)?;
        let shown = describe(key);
        let line =
            format!("# {} {}: {} {}\n{} {text}\n", clock.now(), why, shown.algorithm, shown.fingerprint, hosts(peer));
        files::write_whole(&self.file(peer)?, line.as_bytes())
    }

    /// All pins as one known_hosts text, for programs that plinth runs.
    pub(super) fn text(&self) -> io::Result<String> {
        let mut paths: Vec<PathBuf> = match fs::read_dir(&self.folder) {
            Ok(entries) => entries.map(|entry| entry.map(|e| e.path())).collect::<io::Result<_>>()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        paths.retain(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
        paths.sort();
        let texts: io::Result<Vec<String>> = paths.iter().filter_map(|path| read(path).transpose()).collect();
        Ok(texts?.concat())
    }
}

/// How known_hosts writes a host: with its port only when that is not 22.
fn hosts(peer: &Peer) -> String {
    let place = |host: &str| if peer.port == 22 { host.to_owned() } else { format!("[{host}]:{}", peer.port) };
    if peer.name == peer.host { place(&peer.host) } else { format!("{},{}", place(&peer.host), place(&peer.name)) }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match files::read_up_to(path, LARGEST) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lines that can be understood; others are left out, as OpenSSH does.
fn entries(text: &str) -> impl Iterator<Item = Entry> + '_ {
    text.lines()
        .map(str::trim)
        .filter(|line| line.len() <= LONGEST_LINE && !line.starts_with('#'))
        .filter_map(|line| line.parse().ok())
}

fn all(text: &str) -> Pins {
    chosen(text, |_| true)
}

/// What a known_hosts text says of a host, by its address or its name.
fn known(text: &str, peer: &Peer) -> Pins {
    let wanted: Vec<String> = hosts(peer).split(',').map(str::to_owned).collect();
    chosen(text, |patterns| wanted.iter().any(|host| matches(patterns, host)))
}

fn chosen(text: &str, wanted: impl Fn(&HostPatterns) -> bool) -> Pins {
    let mut pins = Pins::default();
    for entry in entries(text).filter(|entry| wanted(entry.host_patterns())) {
        match entry.marker() {
            None => pins.keys.push(entry.public_key().clone()),
            Some(Marker::Revoked) => pins.revoked.push(entry.public_key().clone()),
            Some(Marker::CertAuthority) => {}
        }
    }
    pins
}

fn matches(patterns: &HostPatterns, host: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            hmac::verify(&key, host.as_bytes(), hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let fits = |pattern: &str| glob(pattern.to_ascii_lowercase().as_bytes(), host.as_bytes());
            patterns.iter().any(|p| !p.starts_with('!') && fits(p))
                && !patterns.iter().any(|p| p.strip_prefix('!').is_some_and(fits))
        }
    }
}

/// `*` stands for any text, `?` for one character. One place to come back to is enough, so the time is bounded by the product of
/// both lengths.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || Some(&c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                t = from + 1;
            }
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|&c| c == b'*'))
}

/// The number of keys by which some host is known in any text.
pub(super) fn understood(text: &str) -> usize {
    let peer = Peer::example();
    known(text, &peer).keys.len() + all(text).keys.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_world::SystemClock;
    use russh::keys::ssh_key::rand_core::CryptoRng;
    use russh::keys::{Algorithm, PrivateKey};

    fn rng() -> impl CryptoRng {
        russh::keys::key::safe_rng()
    }

    fn key() -> PublicKey {
        PrivateKey::random(&mut rng(), Algorithm::Ed25519).unwrap().public_key().clone()
    }

    fn line(hosts: &str, key: &PublicKey) -> String {
        format!("{hosts} {}\n", key.to_openssh().unwrap())
    }

    #[test]
    fn patterns_stand_for_hosts_as_in_openssh() {
        let cases = [
            ("10.0.0.1", true),
            ("10.0.0.2", false),
            ("10.0.*", true),
            ("10.?.0.1", true),
            ("10.0.*,!10.0.0.1", false),
            ("[10.0.0.1]:22", false),
            ("dgx-01", true),
            ("DGX-*", true),
            ("a,10.0.0.1", true),
        ];
        let key = key();
        for (hosts, expected) in cases {
            assert_eq!(known(&line(hosts, &key), &Peer::example()).hold(&key), expected, "{hosts}");
        }
    }

    #[test]
    fn a_hashed_line_and_another_port_are_understood() {
        let key = key();
        let salt = [7; 20];
        let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt), b"[10.0.0.1]:2222");
        let hash: [u8; 20] = hash.as_ref().try_into().unwrap();
        let hosts = HostPatterns::HashedName { salt: salt.to_vec(), hash }.to_string();
        let mut peer = Peer::example();
        assert!(!known(&line(&hosts, &key), &peer).hold(&key));
        peer.port = 2222;
        assert!(known(&line(&hosts, &key), &peer).hold(&key));
    }

    #[test]
    fn a_revoked_key_proves_nothing() {
        let key = key();
        let text = line("10.0.0.1", &key) + &line("@revoked *", &key);
        let pins = known(&text, &Peer::example());
        assert!(!pins.hold(&key) && pins.revoke(&key));
    }

    #[test]
    fn our_own_pin_decides_alone_and_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("known_hosts");
        let (old, new) = (key(), key());
        fs::write(&theirs, line("10.0.0.1", &old) + "garbage \u{0}\n|1|x|y ssh-rsa AAAA\n").unwrap();
        let host_keys = HostKeys::new(folder.path().join("pins"), vec![theirs, folder.path().join("none")]);
        let peer = Peer::example();
        assert!(host_keys.pins(&peer).unwrap().hold(&old));
        assert_eq!(host_keys.text().unwrap(), "");
        host_keys.pin(&peer, &new, "accepted", &SystemClock::new()).unwrap();
        let pins = host_keys.pins(&peer).unwrap();
        assert!(pins.hold(&new) && !pins.hold(&old));
        assert!(host_keys.text().unwrap().contains(&format!("10.0.0.1,dgx-01 {}", new.to_openssh().unwrap())));
    }
}
