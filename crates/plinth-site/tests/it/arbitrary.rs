//! No input makes the parser panic or run away.

use crate::{GOOD, read};
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// Generous: what is caught is growth without bound, not slowness of a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Reads a text and shows what was found; both must end.
fn survive(bytes: &[u8]) {
    let begin = Instant::now();
    if let Err(rejected) = read(bytes) {
        assert!(!rejected.findings.is_empty(), "refused without a finding");
        assert!(rejected.findings.len() <= 1_000);
        let text = plinth_site::render::findings_text(&rejected.findings, &rejected.source, &rejected.file, true);
        assert!(!text.is_empty());
        for finding in rejected.findings.iter().filter_map(|finding| finding.position) {
            assert!(finding.line >= 1 && finding.column >= 1 && finding.start <= finding.end);
        }
    }
    assert!(begin.elapsed() < LIMIT, "{:?}", begin.elapsed());
}

/// Pieces of YAML and of site files, put together at random.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "nodes",
        "workers",
        "password",
        "env",
        ": ",
        ":\n  ",
        "\n",
        "- ",
        "\n- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&a ",
        "*a",
        "!!str ",
        "|\n  ",
        ">-\n",
        "'",
        "\"",
        "#",
        "\t",
        "---\n",
        "...\n",
        "? ",
        "é",
        "\u{feff}",
        "\r\n",
        "~",
        "1.31",
        "0x",
        "<<: ",
        "%YAML 1.2\n",
        "apiVersion: plinth/v1\n",
        "kind: Site\n",
        "inventory: {static: [",
        "10.0.0.0/8",
        "\\x",
        "\u{85}",
        "  ",
        "@",
        "`",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes);
    }

    #[test]
    fn anything_like_yaml(text in fragments()) {
        survive(text.as_bytes());
    }

    #[test]
    fn a_good_file_with_a_piece_of_something_else(at in 0..GOOD.len(), drop in 0..40usize, piece in fragments()) {
        let end = (at + drop).min(GOOD.len());
        let text = [&GOOD.as_bytes()[..at], piece.as_bytes(), &GOOD.as_bytes()[end..]].concat();
        survive(&text);
    }
}

#[test]
fn hostile_files_are_refused_in_bounded_time() {
    let bomb = (1..12).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        format!("{text}a{n}: &a{n} [*a{p}, *a{p}, *a{p}, *a{p}, *a{p}, *a{p}, *a{p}, *a{p}]\n", p = n - 1)
    });
    let cases = [
        bomb,
        "[".repeat(1_000_000),
        "{a: ".repeat(250_000),
        "- ".repeat(500_000),
        "? ".repeat(500_000),
        "a: 1\n".repeat(99_000 / 2),
        "x,".repeat(500_000),
        format!("a: [{}]", "1,".repeat(520_000)),
        (0..40_000).map(|n| format!("k{n}: {n}\n")).collect(),
        format!("{GOOD}extra: {{{}}}\n", (0..30_000).map(|n| format!("k{n}: {n},")).collect::<String>()),
        "\"".repeat(1_000_000),
        "# \n".repeat(300_000),
        "é".repeat(500_000),
        "a: |\n".to_owned() + &"  x\n".repeat(200_000),
    ];
    for case in cases {
        survive(case.as_bytes());
        assert!(read(&case).is_err());
    }
}
