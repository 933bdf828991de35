use super::*;
use crate::steps::downloads::list;
use plinth_model::Digest;
use plinth_model::download::{DownloadFile, DownloadList};
use plinth_model::steps::{KubesprayDownloads, KubesprayRelease, NodeDownloads};
use plinth_world::ansible::{Artifact, Download};

const FOLDER: &str = "/var/cache/plinth/releases";

fn file(name: &str, group: &str) -> DownloadFile {
    DownloadFile {
        name: name.to_owned(),
        url: format!("https://dl.example.com/{name}"),
        sha256: Digest::of(name).as_str().to_owned(),
        dest: format!("{name}-v1"),
        groups: vec![group.to_owned()],
    }
}

fn kept(inputs: &str) -> Option<DownloadList> {
    let files = vec![file("kubelet", "k8s_cluster"), file("etcd", "etcd")];
    Some(DownloadList { inputs: Digest::of(inputs), files, images: Vec::new() })
}

fn fetching() -> Work {
    let release = KubesprayRelease {
        tag: "v2.27.1".parse().unwrap(),
        source: String::new(),
        commit: String::new(),
        tree: String::new(),
        python: String::new(),
        ansible_core: String::new(),
        ansible: String::new(),
    };
    Work::KubesprayDownloads(KubesprayDownloads { release, inputs: Digest::of("now"), mirror: None })
}

fn pushing() -> Work {
    let groups = vec!["k8s_cluster".to_owned(), "kube_node".to_owned()];
    Work::NodeDownloads(NodeDownloads {
        target: target(),
        folder: plinth_model::HostPath::fixed(FOLDER),
        groups,
        inputs: Digest::of("now"),
    })
}

fn asked(name: &str, what: Artifact) -> Download {
    Download { name: name.to_owned(), groups: vec!["k8s_cluster".to_owned()], enabled: true, what }
}

fn artifact(dest: &str, sha256: Option<&str>) -> Artifact {
    let url = format!("https://dl.example.com/{dest}");
    Artifact::File { url, dest: dest.to_owned(), sha256: sha256.map(str::to_owned) }
}

#[tokio::test]
async fn files_are_fetched_when_their_list_is_old_or_one_is_missing() {
    let bench = Bench::new();
    bench.fake.on("list", None::<DownloadList>);
    assert_eq!(todo(bench.look(&fetching()).await), ["+ files that Kubespray v2.27.1 needs on nodes"]);
    bench.fake.on("list", kept("before"));
    todo(bench.look(&fetching()).await);
    bench.fake.on("list", kept("now")).on("missing", vec![file("etcd", "etcd")]);
    assert_eq!(todo(bench.look(&fetching()).await), ["+ etcd-v1"]);
    bench.fake.on("list", kept("now")).on("missing", Vec::<DownloadFile>::new());
    assert_eq!(done(bench.look(&fetching()).await), "2 files here, verified");

    let sum = "b".repeat(64);
    bench.fake.on("downloads", vec![asked("kubelet", artifact("kubelet-v1", Some(&sum)))]).on("keep_list", ());
    bench.fake.on("missing", vec![file("kubelet", "x"), file("etcd", "x")]).on("fetch", ()).on("fetch", ());
    assert_eq!(bench.act(&fetching()).await.unwrap(), "2 files fetched and verified, 1 needed");
    bench.fake.assert_used_up();
}

#[tokio::test]
async fn a_node_gets_what_its_groups_need_and_lacks() {
    let bench = Bench::new();
    bench.fake.on("list", kept("before"));
    assert!(todo(bench.look(&pushing()).await)[0].contains("not known yet"));
    bench.fake.on("list", kept("now")).on("missing_files", vec!["kubelet-v1".to_owned()]);
    assert_eq!(todo(bench.look(&pushing()).await), [format!("+ {FOLDER}/kubelet-v1")]);
    bench.fake.on("list", kept("now")).on("missing_files", Vec::<String>::new());
    assert_eq!(done(bench.look(&pushing()).await), format!("1 file in {FOLDER}, verified"));

    bench.fake.on("list", kept("now")).on("missing_files", vec!["kubelet-v1".to_owned()]).on("push_file", ());
    assert_eq!(bench.act(&pushing()).await.unwrap(), "1 file pushed, 1 needed");
    bench.fake.on("list", None::<DownloadList>);
    assert!(bench.act(&pushing()).await.unwrap_err().happened.contains("not here"));
    bench.fake.assert_used_up();
}

#[test]
fn the_list_is_what_is_asked_for_once_each_and_from_the_mirror() {
    let (sum, other) = ("c".repeat(64), "d".repeat(64));
    let image = Artifact::Image { repo: "quay.io/calico/node".to_owned(), tag: "v3.29.4".to_owned() };
    let downloads = vec![
        asked("kubelet", artifact("kubelet-v1", Some(&sum))),
        asked("kubelet again", artifact("kubelet-v1", Some(&sum))),
        asked("unproven", artifact("unproven", None)),
        Download { enabled: false, ..asked("cilium", artifact("cilium", Some(&other))) },
        asked("calico_node", image),
    ];
    let mirror = Some("https://mirror.example.com/files");
    let made = list(downloads, &Digest::of("now"), mirror).unwrap();
    let files: Vec<(&str, &str)> = made.files.iter().map(|f| (f.name.as_str(), f.url.as_str())).collect();
    assert_eq!(files, [("kubelet", "https://mirror.example.com/files/dl.example.com/kubelet-v1")]);
    assert_eq!(made.images[0].image, "quay.io/calico/node:v3.29.4");
    for (dest, sum) in [("../kubelet", sum.as_str()), ("kubelet", "abc")] {
        let finding = list(vec![asked("kubelet", artifact(dest, Some(sum)))], &Digest::of("now"), None).unwrap_err();
        assert_eq!(finding.code, "fetch.strange-file");
    }
}
