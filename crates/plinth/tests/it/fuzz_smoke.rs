//! Feeds seeds and mutations of them to the bodies of the fuzz targets (`fuzz/`). Bounded and the same every time; no coverage
//! feedback, so it replaces no fuzz run. Here and not in the fuzz package, which is outside the workspace and would compile all of it anew.

#[expect(unreachable_pub, reason = "a crate of its own for the fuzz engine")]
#[path = "../../../../fuzz/src/lib.rs"]
mod bodies;

use bodies::{TARGETS, Target};
use std::fs;
use std::io;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Mutations per target.
const INPUTS: usize = 30_000;

/// A single input that takes longer is a finding: something grows faster than its input.
const SLOW: Duration = Duration::from_secs(5);

/// Longest input, bytes.
const LONGEST: usize = 64 * 1024;

#[test]
fn no_seed_of_a_fuzz_target_makes_it_panic() {
    all(0);
}

#[test]
#[ignore = "some minutes of mutations; `cargo xtask test --tier fuzz-smoke`"]
fn no_mutation_of_a_seed_makes_its_fuzz_target_panic() {
    all(INPUTS);
}

/// Every target in a thread of its own; what each of them found is told.
fn all(mutations: usize) {
    let found: Vec<String> = std::thread::scope(|scope| {
        let started = TARGETS.map(|(name, target)| (name, scope.spawn(move || smoke(name, target, mutations))));
        started
            .into_iter()
            .filter_map(|(name, thread)| Some(format!("{name}: {}", thread.join().unwrap().err()?)))
            .collect()
    });
    assert!(found.is_empty(), "{found:#?}");
}

fn smoke(name: &str, target: Target, mutations: usize) -> Result<(), String> {
    let seeds = seeds(name).map_err(|error| format!("reading the seeds: {error}"))?;
    if seeds.is_empty() {
        return Err("there are no seeds".to_owned());
    }
    for seed in &seeds {
        fed(name, target, seed)?;
    }
    let mut random = Random(0x5eed);
    for _ in 0..mutations {
        let input = mutated(&seeds, &mut random);
        fed(name, target, &input)?;
    }
    Ok(())
}

/// Feeds one input; one that fails is kept.
fn fed(name: &str, target: Target, input: &[u8]) -> Result<(), String> {
    let start = Instant::now();
    let well = catch_unwind(|| target(input)).is_ok();
    let slow = start.elapsed() > SLOW;
    if well && !slow {
        return Ok(());
    }
    let file = folder("artifacts").join(format!("smoke-{name}"));
    let kept = fs::create_dir_all(folder("artifacts")).and_then(|()| fs::write(&file, input));
    let place = kept.map_or_else(|error| format!("could not be kept: {error}"), |()| format!("is {}", file.display()));
    Err(format!("an input {}; it {place}", if well { "took too long" } else { "made it panic" }))
}

fn seeds(name: &str) -> io::Result<Vec<Vec<u8>>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder("seeds").join(name))?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.sort();
    files.iter().map(fs::read).collect()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(name)
}

/// SplitMix64: small, and good enough to pick places and bytes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `limit`; 0 when that is 0.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % (limit.max(1) as u64)).unwrap_or(0)
    }
}

/// A seed with one to eight changes.
fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(8) {
        change(&mut input, seeds, random);
        input.truncate(LONGEST);
    }
    input
}

/// Texts that formats stumble over.
const TRICKS: [&[u8]; 14] = [
    b"\t",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"&a [*a]",
    b"<<: *a",
    b"!!binary",
    b"{",
    b"[",
    b"\n- ",
    b": ",
    b"1e999",
    b"-0",
    b"\"\\ud800\"",
];

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let place = random.below(input.len() + 1);
    let end = (place + random.below(64)).min(input.len());
    match random.below(7) {
        0 => input.truncate(place),
        1 => drop(input.drain(place..end)),
        2 => input.insert(place, random.next().to_le_bytes()[0]),
        3 => drop(input.splice(place..place, TRICKS[random.below(TRICKS.len())].iter().copied())),
        4 => {
            let stretch = input[place..end].to_vec();
            drop(input.splice(end..end, stretch));
        }
        5 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            drop(input.splice(place..end, other[from..].iter().take(256).copied()));
        }
        _ => {
            if let Some(byte) = input.get_mut(place) {
                *byte ^= 1 << random.below(8);
            }
        }
    }
}
