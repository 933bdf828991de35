//! Bodies of the fuzz targets: plain functions, so that the smoke test, which is among the tests of the program, can call them without a
//! fuzz engine.

use std::path::Path;

/// A body.
pub type Target = fn(&[u8]);

/// Every target by the name of its binary and its folder of seeds.
pub const TARGETS: [(&str, Target); 7] = [
    ("site_file", site_file),
    ("bcm_reply", bcm_reply),
    ("saved_plan", saved_plan),
    ("node_output", node_output),
    ("play_events", play_events),
    ("shown_text", shown_text),
    ("ansible_values", ansible_values),
];

/// Any bytes are a site file or are rejected with at least one finding; findings begin at characters that are there, and
/// can be shown.
pub fn site_file(bytes: &[u8]) {
    let file = Path::new("site.yaml");
    let Err(rejected) = plinth_site::parse(bytes, file) else { return };
    assert!(!rejected.findings.is_empty(), "rejected without a finding");
    for position in rejected.findings.iter().filter_map(|finding| finding.position) {
        let there = rejected.source.is_empty() || rejected.source.is_char_boundary(position.start);
        assert!(there && position.start <= position.end, "{position:?} is not in the text");
    }
    let shown = plinth_site::render::findings_text(&rejected.findings, &rejected.source, file, false);
    assert!(!shown.is_empty(), "findings that show nothing");
}

/// Any status, content type and body are a reply or an error. The first byte chooses status and content type.
pub fn bcm_reply(bytes: &[u8]) {
    const STATUSES: [u16; 8] = [200, 200, 200, 302, 400, 401, 500, 0];
    const TYPES: [Option<&str>; 4] = [None, Some("application/json"), Some("text/html; charset=UTF-8"), Some("")];
    let Some((choice, body)) = bytes.split_first() else { return };
    let choice = usize::from(*choice);
    // The verdict does not matter here, only that there is one.
    let _ = plinth_bcm::reply::decode_reply(STATUSES[choice % 8], TYPES[choice / 8 % 4], body);
}

/// Any bytes are a saved plan or are refused; a plan that was read is written and read back as the same one.
pub fn saved_plan(bytes: &[u8]) {
    let Ok(plan) = plinth_plan::saved::read("plan.json", bytes, None) else { return };
    let Ok(text) = plinth_plan::saved::write(&plan) else { panic!("a plan that was read cannot be written") };
    let again = plinth_plan::saved::read("plan.json", text.as_bytes(), None);
    assert!(again.is_ok_and(|again| again == plan), "written and read back, it is another plan");
}

/// Any bytes are what the callback plugin says, in any pieces; what is shown of it is bounded.
pub fn play_events(bytes: &[u8]) {
    use plinth_ansible::{events::Decoder, watch::Watch};
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let whole = Decoder::default().take(bytes);
    let mut decoder = Decoder::default();
    let cut: Vec<_> = bytes.chunks(usize::from(*choice) + 1).flat_map(|piece| decoder.take(piece)).collect();
    // Compared as texts: a number that is none is not equal to itself.
    assert_eq!(format!("{cut:?}"), format!("{whole:?}"), "in other pieces it means something else");
    let mut watch = Watch::of("cluster.yml");
    for event in whole {
        watch.take(event, std::time::Duration::ZERO);
        let moment = watch.moment(std::time::Duration::from_secs(9));
        assert!(moment.done <= moment.total && moment.message.chars().count() < 400, "{moment:?}");
    }
    assert!(watch.cards().len() <= 12 * 14, "too many cards");
}

/// Any bytes are the output of a script in any pieces, a known_hosts text, and the words of a server that is none. The first byte
/// chooses which, and the size of the pieces.
pub fn node_output(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    match choice % 3 {
        0 => framed(bytes, usize::from(choice / 3) + 1),
        1 => {
            let _ = plinth_ssh::transport::fuzzed::known_hosts(&String::from_utf8_lossy(bytes));
        }
        _ => {
            assert!(plinth_ssh::transport::fuzzed::verdict(bytes).is_some(), "a server that nobody knows was believed")
        }
    }
}

/// The pieces in which output arrives mean nothing.
fn framed(bytes: &[u8], piece: usize) {
    let decode = |size: usize| {
        let mut decoder = plinth_ssh::frame::Decoder::new("n");
        let frames: Vec<_> = bytes.chunks(size).flat_map(|piece| decoder.push(piece).unwrap_or_default()).collect();
        (frames, decoder.status(), decoder.noise())
    };
    assert_eq!(decode(piece), decode(bytes.len().max(1)), "in other pieces it means something else");
}

/// Any text comes to a terminal without a character that is seen as something else than itself, whichever way it takes; programs get
/// the same text.
pub fn shown_text(bytes: &[u8]) {
    use plinth_model::text::{is_hidden, visible_json, visible_styled};
    let text = String::from_utf8_lossy(bytes).into_owned();
    let text = text.as_str();
    let finding =
        plinth_model::Finding::error(plinth_model::Code::named("site.x"), text, text).fix(text).evidence(text);
    let start = text.char_indices().nth(text.len() / 3).map_or(0, |(at, _)| at);
    let placed = finding.clone().at(plinth_model::Position { line: 1, column: 1, start, end: text.len() });
    let problem = plinth_model::Problem::while_doing(text).to(text).wrong_input(text).try_this(text);
    let findings = plinth_site::render::findings_text(&[finding, placed], text, Path::new("site.yaml"), false);
    for shown in [findings, problem.to_string(), plinth_report::clean(text)] {
        assert!(!shown.chars().any(is_hidden), "{shown:?}");
        // Every line is one that was composed: none begins with what the text has behind a line break.
        assert!(
            !shown.lines().any(|line| line.trim_start().starts_with("::")) || text.trim_start().starts_with("::"),
            "{shown:?}"
        );
    }
    assert!(!visible_styled(text).replace("\u{1b}[", "").chars().any(is_hidden), "{text:?}");
    let Ok(json) = serde_json::to_string(text) else { panic!("a text is no JSON") };
    let shown = visible_json(&json);
    assert!(!shown.chars().any(is_hidden), "{shown:?}");
    assert!(serde_json::from_str::<String>(&shown).is_ok_and(|back| back == text), "{shown:?} is another text");
}

/// Any site file whose plan is made hands no template to Ansible.
pub fn ansible_values(bytes: &[u8]) {
    use plinth_model::Work;
    use plinth_site::desired::InventorySource;
    static CATALOG: std::sync::OnceLock<plinth_catalog::Catalog> = std::sync::OnceLock::new();
    let Ok(site) = plinth_site::parse(bytes, Path::new("site.yaml")) else { return };
    let InventorySource::Static(nodes) = &site.desired.inventory else { return };
    let read =
        || plinth_catalog::Catalog::embedded().unwrap_or_else(|error| panic!("the catalog inside plinth: {error}"));
    let catalog = CATALOG.get_or_init(read);
    let observed = plinth_plan::Observed::new(plinth_plan::static_inventory(nodes));
    let Ok(plan) = plinth_plan::plan(&site.desired, &observed, catalog) else { return };
    for step in &plan.steps {
        let Work::KubesprayInventory(inventory) = &step.work else { continue };
        for text in inventory.files.values() {
            let Ok(value) = serde_json::from_str(text) else { panic!("Ansible is given what is no JSON: {text}") };
            assert_eq!(plinth_model::text::template(&value), None, "{text}");
        }
    }
}
