//! helm on this machine, as far as it renders.

use crate::commands::Failure;
use plinth_lab::Parts;
use plinth_model::steps::Release;
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Lines of a complaint that are shown.
const LINES: usize = 4;

/// One of the two.
pub(super) struct Helm {
    pub(super) name: &'static str,
    program: PathBuf,
    home: PathBuf,
}

/// What is rendered.
pub(super) struct Question<'a> {
    pub(super) release: &'a Release,
    pub(super) file: &'a Path,
    pub(super) kubernetes: Option<&'a str>,
    pub(super) kinds: &'a [String],
}

/// helm 3 and helm 4, built where they are not here yet.
pub(super) fn both(home: &Path) -> Result<Vec<Helm>, Failure> {
    let parts = Parts::helm().map_err(|error| error.to_string())?;
    let one = |name| {
        let program = parts.program(name).map_err(|error| error.to_string())?;
        Ok(Helm { name, program, home: home.to_owned() })
    };
    ["helm3", "helm4"].into_iter().map(one).collect()
}

impl Helm {
    /// What comes out, definitions of kinds included, or the first lines of the complaint.
    pub(super) fn template(
        &self,
        question: &Question<'_>,
        values: &Value,
    ) -> Result<Result<String, Vec<String>>, Failure> {
        let Question { release, file, kubernetes, kinds } = question;
        let file = file.canonicalize().map_err(|error| format!("{}: {error}", file.display()))?;
        let mut command = Command::new(&self.program);
        // Without a home of its own helm would read that of whoever runs this; a folder of the chart's name here would be taken instead.
        command.env_clear().current_dir(&self.home);
        for name in ["HOME", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(name, &self.home);
        }
        command.args(["template", &release.release]).arg(&file);
        command.args(["--namespace", &release.namespace, "--values", "-", "--skip-tests", "--include-crds"]);
        command.args(kubernetes.iter().flat_map(|version| ["--kube-version", *version]));
        for kind in *kinds {
            let group = kind.rsplit_once('/').map_or(kind.as_str(), |(group, _)| group);
            command.args(["--api-versions", kind, "--api-versions", group]);
        }
        let said = |error: std::io::Error| format!("running {command:?}: {error}", command = self.program);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(said)?;
        if let Some(mut input) = child.stdin.take() {
            // What a helm that has ended already does not read is told by how it ended.
            let _unread = input.write_all(values.to_string().as_bytes());
        }
        let output = child.wait_with_output().map_err(said)?;
        if output.status.success() {
            return Ok(Ok(String::from_utf8_lossy(&output.stdout).into_owned()));
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("Use --debug"));
        Ok(Err(lines.take(LINES).map(str::to_owned).collect()))
    }
}

/// All objects of a text of helm, read as plinth reads them.
pub(super) fn objects(text: &str) -> Result<Vec<Value>, Failure> {
    plinth_helm::objects(text).map_err(|error| format!("what helm renders cannot be read: {error}"))
}

/// Kinds that a definition brings: `monitoring.coreos.com/v1/ServiceMonitor`.
pub(super) fn defines(object: &Value) -> Vec<String> {
    if object["kind"] != "CustomResourceDefinition" {
        return Vec::new();
    }
    let (group, kind) = (&object["spec"]["group"], &object["spec"]["names"]["kind"]);
    let (Some(group), Some(kind)) = (group.as_str(), kind.as_str()) else { return Vec::new() };
    let versions = object["spec"]["versions"].as_array().into_iter().flatten();
    versions.filter_map(|version| Some(format!("{group}/{}/{kind}", version["name"].as_str()?))).collect()
}
