#![allow(clippy::unwrap_used)]
use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use std::fmt::Write as _;

fn redactor(value: &str) -> Redactor {
    let redactor = Redactor::default();
    redactor.remember(&SecretRef::Env("X".to_owned()), &Secret::new(value.to_owned()));
    redactor
}

fn each_char(value: &str, write: impl Fn(char, &mut String)) -> String {
    value.chars().fold(String::new(), |mut out, c| {
        write(c, &mut out);
        out
    })
}

fn percent(value: &str, spared: &str) -> String {
    each_char(value, |c, out| {
        if spared.contains(c) || spared.is_empty() && c.is_ascii_alphanumeric() {
            out.push(c);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| write!(out, "%{byte:02X}").unwrap());
        }
    })
}

fn utf16(value: &str, spared: fn(char) -> bool) -> String {
    each_char(value, |c, out| {
        if spared(c) {
            out.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write!(out, "\\u{unit:04x}").unwrap());
        }
    })
}

fn html(value: &str) -> String {
    each_char(value, |c, out| match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#x27;"),
        c if !c.is_ascii() => write!(out, "&#{};", u32::from(c)).unwrap(),
        c => out.push(c),
    })
}

/// All the ways in which a server, a shell or a library repeats a value.
fn echoes(value: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::to_string(value).unwrap();
    let json = json[1..json.len() - 1].to_owned();
    let twice = serde_json::to_string(&json).unwrap();
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let login = |user: &str| format!("{user}:{value}");
    vec![
        ("as it is", value.to_owned()),
        ("percent", percent(value, "")),
        ("percent, all", percent(value, "\u{0}")),
        ("percent, twice", percent(&percent(value, ""), "")),
        ("form", percent(value, "").replace("%20", "+")),
        ("json", json),
        ("json in json", twice[1..twice.len() - 1].to_owned()),
        ("json, ascii", utf16(value, |c| c.is_ascii() && !c.is_control() && c != '"' && c != '\\')),
        ("json, all", utf16(value, |_| false)),
        ("html", html(value)),
        ("html, all", each_char(value, |c, out| write!(out, "&#x{:x};", u32::from(c)).unwrap())),
        ("shell", value.replace('\'', r"'\''")),
        ("hex", hex.clone()),
        ("HEX", hex.to_uppercase()),
        ("base64", STANDARD.encode(value)),
        ("base64, no padding", STANDARD_NO_PAD.encode(value)),
        ("base64url", URL_SAFE.encode(value)),
        ("base64url, no padding", URL_SAFE_NO_PAD.encode(value)),
        ("login a", STANDARD.encode(login("a"))),
        ("login ab", STANDARD.encode(login("ab"))),
        ("login root", URL_SAFE_NO_PAD.encode(login("root"))),
        ("controls as blanks", value.replace(|c: char| c.is_control(), " ")),
        ("controls left out", value.replace(|c: char| c.is_control(), "")),
        ("controls as dots", value.replace(|c: char| c.is_control(), ".")),
        ("visible", plinth_model::text::visible(value).into_owned()),
    ]
}

#[track_caller]
fn assert_masked(value: &str, how: &str, echo: &str) {
    let redactor = redactor(value);
    for text in [format!("said: {echo} and more"), format!("\"{echo}\""), echo.to_owned(), format!("user={echo}&x=1")] {
        let clean = redactor.redact(&text);
        assert!(clean.contains(MASK), "{how}: {text} became {clean}");
        assert!(!clean.contains(echo), "{how}: {text} became {clean}");
        let rest = clean.replace(MASK, "");
        assert!(rest.len() <= text.len() - echo.len() + 1, "{how}: of {text} is left {clean}");
    }
}

#[test]
fn a_value_is_replaced_in_every_form_it_takes() {
    for value in [
        "pa\"ss\\word-1",
        "Hunter2?&<>'+ /%=",
        "tab\tin the middle",
        "zwei\nZeilen-und\u{7}mehr",
        "Straße-ключ-😀-漢字",
        "a{b}c$d`e!f",
        "0123456789abcdef0123456789abcdef",
    ] {
        for (how, echo) in echoes(value) {
            assert_masked(value, how, &echo);
        }
    }
}

#[test]
fn a_long_value_is_known_by_its_beginning_and_its_lines() {
    let value: String = (0..10_000_u32).map(|n| char::from(b'!' + u8::try_from(n * 7919 % 90).unwrap())).collect();
    let redactor = redactor(&value);
    let encoded = STANDARD.encode(&value);
    for text in [&value[..200], &encoded[..200], &format!("{}...", &value[..100]), &value[..9]] {
        assert_eq!(redactor.redact(&format!("it said {text}")).replace("...", ""), "it said [secret]");
    }
    for width in [64, 76] {
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        for broken in [lines.join("\n"), lines.join("\\n"), lines.join("\r\n")] {
            let clean = redactor.redact(&broken);
            assert!(lines.iter().all(|line| line.len() < 8 || !clean.contains(&line[1..])), "{width}: {clean}");
        }
    }
}

#[test]
fn lines_of_a_key_are_replaced_and_its_frame_is_not() {
    let redactor = redactor("-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n");
    assert_eq!(redactor.redact("key MC4CAQAw"), "key [secret]");
    assert_eq!(redactor.redact("no -----BEGIN PRIVATE KEY----- here"), "no -----BEGIN PRIVATE KEY----- here");
}

#[test]
fn json_around_it_stays_json() {
    let secret = "pa\"ss\\word-1";
    let redactor = redactor(secret);
    for inner in [
        secret.to_owned(),
        STANDARD.encode(secret),
        format!("line\n{}", STANDARD.encode(secret)),
        format!("é\u{1}{secret}"),
    ] {
        let json = serde_json::json!({ "said": inner }).to_string();
        let clean = redactor.redact(&json);
        let value: serde_json::Value = serde_json::from_str(&clean).unwrap_or_else(|e| panic!("{e}: {clean}"));
        assert!(value["said"].as_str().unwrap().ends_with(MASK), "{clean}");
    }
}

#[test]
fn what_is_no_secret_stays() {
    assert_eq!(redactor("abc").redact("abc abc"), "abc abc", "too short to protect");
    let text = "node n1: 100% of %2Fvar \\n in use &amp; more; dGVzdCB0ZXN0IHRlc3Q=, deadbeef00112233";
    assert_eq!(redactor("correct horse").redact(text), text);
}

#[test]
fn a_changed_value_does_not_uncover_the_earlier_one() {
    let redactor = redactor("first-value");
    redactor.remember(&SecretRef::Env("X".to_owned()), &Secret::new("second-value".to_owned()));
    assert_eq!(redactor.redact("first-value second-value"), "[secret] [secret]");
}

#[test]
fn a_password_that_begins_like_a_frame_is_hidden() {
    assert_eq!(redactor("-----dashes-first").redact("is -----dashes-first here"), "is [secret] here");
}

proptest! {
    #[test]
    fn no_echo_of_any_value_passes(value in "[ -~\t\n\u{7}äß€😀]{8,40}", around in "[ -~]{0,20}") {
        prop_assume!(!value.starts_with("-----BEGIN ") && !value.starts_with("-----END ") && value.chars().any(|c| !c.is_control()));
        let redactor = redactor(&value);
        for (how, echo) in echoes(&value) {
            let text = format!("{around} {echo} {around}");
            let clean = redactor.redact(&text);
            prop_assert!(!clean.contains(&echo), "{}: {} became {}", how, text, clean);
        }
    }

    #[test]
    fn any_text_can_be_redacted(value in ".{4,20}", text in ".{0,200}") {
        let _ = redactor(&value).redact(&text);
    }
}
