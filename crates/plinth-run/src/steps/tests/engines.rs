//! What an engine says before it touches a node.

use super::cluster::{at, kubespray, parts};
use super::*;
use crate::engines::{downloads, preview};
use indexmap::IndexMap;
use plinth_model::download::DownloadList;
use plinth_model::plan::{MadeFrom, Plan};
use plinth_model::steps::{KubesprayEnvironment, KubesprayInventory, KubesprayRemoval, KubespraySource, Removal};
use plinth_model::{Digest, SiteName};
use plinth_world::ansible::{Download, PlayHosts};

fn plan(works: &[Work]) -> Plan {
    let digest = || Digest::of("x");
    let made_from =
        MadeFrom { site: digest(), inventory: digest(), catalog: digest(), plinth: String::new(), without: Vec::new() };
    let site = SiteName::new("basepod").unwrap();
    let steps = works.iter().map(step).collect();
    Plan { schema: 1, hash: digest(), site, made_from, steps, gates: Vec::new(), findings: Vec::new(), expected: None }
}

fn files() -> IndexMap<String, String> {
    IndexMap::from([("kubespray/inventory/hosts.json".to_owned(), "{}".to_owned())])
}

fn tools() -> Vec<Work> {
    vec![
        KubespraySource { release: kubespray() }.into(),
        KubesprayEnvironment { release: kubespray() }.into(),
        KubesprayInventory { files: files() }.into(),
    ]
}

fn plays() -> Vec<PlayHosts> {
    let play = |play: &str, hosts: &[&str]| PlayHosts {
        play: play.to_owned(),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
    };
    vec![play("Check", &["cpu-03", "dgx-05"]), play("Nobody", &[]), play("Remove", &["cpu-03", "dgx-05"])]
}

#[tokio::test]
async fn a_preview_only_asks_and_folds_plays_of_the_same_hosts() {
    let bench = Bench::new();
    let targets = vec![at("cpu-03"), at("dgx-05")];
    let removal = KubesprayRemoval { release: kubespray(), targets, removal: Removal::All, parts: parts() }.into();
    let plan = plan(&[tools(), vec![removal]].concat());
    bench.fake.on("preview", plays());
    let text = preview(&plan, &bench.env()).await.unwrap().unwrap().text();
    assert!(text.ends_with("\n  cpu-03, dgx-05: Check; Remove"), "{text}");
    bench.fake.assert_used_up();
}

#[tokio::test]
async fn a_plan_that_takes_nothing_away_has_no_preview_and_asks_nobody() {
    let bench = Bench::new();
    assert_eq!(preview(&plan(&tools()), &bench.env()).await.unwrap(), None);
    assert_eq!(bench.fake.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn a_kept_list_of_the_same_files_is_taken_and_another_one_is_asked_for_anew() {
    let bench = Bench::new();
    let kept = |inputs: Digest| Some(DownloadList { inputs, files: Vec::new(), images: Vec::new() });
    let plan = plan(&tools());
    bench.fake.on("list", kept(Digest::of(&files())));
    assert!(downloads(&plan, &bench.env()).await.unwrap().is_some());
    bench.fake.on("list", kept(Digest::of("other files"))).on("downloads", Vec::<Download>::new());
    assert_eq!(downloads(&plan, &bench.env()).await.unwrap().unwrap().inputs, Digest::of(&files()));
    bench.fake.assert_used_up();
}
