//! Ingress ports, helm values, Run:ai.

use crate::defaults;
use crate::diagnostics::Diagnostics;
use crate::mask;
use crate::path::Path;
use crate::raw::Site;
use crate::raw::kubernetes::Plugin;
use crate::raw::rules;
use crate::raw::runai::{Certificate, Runai, Source};
use crate::raw::secret::{HOW, is_variable};
use plinth_model::finding::code;
use plinth_model::text::is_hidden;
use plinth_model::values::{Leaf, ValuePath, walk};
use plinth_model::{Finding, SecretRef};
use serde_json::Value;
use std::collections::HashMap;

pub(super) fn check(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    source(site, diagnostics);
    mtu(site, diagnostics);
    ports(site, diagnostics);
    charts(site, diagnostics);
    storage(site, diagnostics);
    values(site, diagnostics);
    infiniband(site, diagnostics);
    if let Some(runai) = &site.runai {
        if diagnostics.is_whole(&["runai"]) {
            artefacts(runai, diagnostics);
        }
        login(runai, diagnostics);
        port(site, runai, diagnostics);
        departments(runai, diagnostics);
    }
}

/// Plugins but calico take the size of packets in ways of their own; a number that reaches nobody would be believed.
fn mtu(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(network) = site.kubernetes.network.as_ref().filter(|network| network.mtu.is_some()) else { return };
    let plugin = network.plugin.unwrap_or(Plugin::Calico);
    if plugin != Plugin::Calico {
        let message = format!("`mtu` is only handed to calico; {} would never see it", plugin.as_str());
        let finding = Finding::error(code::SITE_MTU_PLUGIN, "kubernetes.network.mtu", message);
        diagnostics.report(finding.fix("remove it, or set the plugin's own variable under `kubernetes.extraVars`"));
    }
}

/// A source with a login in it, which would stand in plans and in the journal; one with signs that nobody sees, which no place has.
fn source(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let kubespray = site.kubernetes.kubespray.as_ref();
    let helm = site.platform.as_ref().and_then(|platform| platform.helm.as_ref());
    let places = [
        ("kubernetes.kubespray.source", kubespray.and_then(|kubespray| kubespray.source.as_ref())),
        ("kubernetes.kubespray.index", kubespray.and_then(|kubespray| kubespray.index.as_ref())),
        ("kubernetes.kubespray.python", kubespray.and_then(|kubespray| kubespray.python.as_ref())),
        ("kubernetes.kubespray.wheels", kubespray.and_then(|kubespray| kubespray.wheels.as_ref())),
        ("platform.helm.source", helm.and_then(|helm| helm.source.as_ref())),
    ];
    for (path, place) in places {
        if place.is_some_and(|place| mask::login::in_value(place).is_some()) {
            diagnostics.report(Finding::error(code::SITE_LOGIN_IN_ADDRESS, path, rules::LOGIN).fix(rules::LOGIN_FIX));
        }
        if place.is_some_and(|place| place.chars().any(|c| c.is_control() || is_hidden(c))) {
            let text = "a line break or another sign that is not seen stands in it";
            diagnostics.report(
                Finding::error(code::SITE_WRONG_VALUE, path, text)
                    .fix("write the address, folder or program on one line"),
            );
        }
    }
}

/// Node ports of the ingress; the schema holds their range (Kubernetes' default 30000 to 32767).
fn ports(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let ingress = site.platform.as_ref().and_then(|platform| platform.ingress.clone()).unwrap_or_default();
    let http = ingress.http.unwrap_or(defaults::HTTP);
    let https = ingress.https.unwrap_or(defaults::HTTPS);
    if http == https {
        let message = format!("HTTP and HTTPS cannot both have node port {http}");
        diagnostics
            .report(Finding::error(code::SITE_SAME_PORT, "platform.ingress.https", message).fix("choose two ports"));
    }
}

/// The adapters are named in one way.
fn infiniband(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(wanted) = site.platform.as_ref().and_then(|platform| platform.infiniband.as_ref()) else { return };
    let path = "platform.infiniband";
    let (at, message) = match (&wanted.model, wanted.interfaces.as_slice()) {
        (Some(_), [_, ..]) => {
            (format!("{path}.interfaces"), "the model of the nodes says which adapters they have".to_owned())
        }
        (_, interfaces) => match interfaces.iter().enumerate().find(|(at, name)| interfaces[..*at].contains(name)) {
            Some((at, name)) => (format!("{path}.interfaces[{at}]"), format!("`{}` stands here twice", name.0.0)),
            None => return,
        },
    };
    let fix = "give either `model: dgx-h100` or `interfaces: [ibp24s0, ..]`, each interface once, or neither";
    diagnostics.report(Finding::error(code::PLATFORM_INFINIBAND, at, message).fix(fix));
}

/// Somebody signs in, and nobody else.
fn login(runai: &Runai, diagnostics: &mut Diagnostics<'_>) {
    let account = runai.control_plane.as_ref().and_then(|elsewhere| elsewhere.service_account.as_ref());
    let (at, message) = match (&runai.admin, account) {
        (Some(_), Some(_)) => ("runai.admin", "the service account signs in, and an administrator is given too"),
        (None, None) => ("runai", "nobody is given who signs in to the control plane"),
        _ => return,
    };
    let fix = "give `admin: {email: NAME@DOMAIN, password: {env: RUNAI_ADMIN_PASSWORD}}`, or with a control plane elsewhere `controlPlane: {serviceAccount: {id: ID, secret: {env: RUNAI_CLIENT_SECRET}}}`";
    diagnostics.report(Finding::error(code::RUNAI_LOGIN, at, message).fix(fix));
}

/// All charts come from one place.
fn charts(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(charts) = site.platform.as_ref().and_then(|platform| platform.charts.as_ref()) else { return };
    if !diagnostics.is_whole(&["platform", "charts"]) {
        return;
    }
    let (message, fix) = match (&charts.mirror, &charts.folder, &charts.login) {
        (Some(_), Some(_), _) => {
            ("charts come from a mirror or from a folder, and both are given", "keep one of `mirror` and `folder`")
        }
        (None, None, _) => (
            "nothing says where charts come from",
            "add `mirror: https://HOST/PATH` or `folder: PATH`, or remove `charts`",
        ),
        (None, Some(_), Some(_)) => ("a folder of charts asks nobody for a login", "remove `login`"),
        _ => return,
    };
    diagnostics.report(Finding::error(code::SITE_CHARTS, "platform.charts", message).fix(fix));
}

const SYSTEM: &str = "belongs to the system";
const EMPTIED: &str = "is in memory, and empty after a restart";
const CLEANED: &str = "is cleaned, at a restart or when files there get old";
const KERNEL: &str = "is made by the kernel, and keeps no files";

/// Folders in which no images can be, each with the reason.
const NOT_FOR_IMAGES: [(&str, &str); 17] = [
    ("/bin", SYSTEM),
    ("/boot", SYSTEM),
    ("/dev", KERNEL),
    ("/etc", SYSTEM),
    ("/lib", SYSTEM),
    ("/lib64", SYSTEM),
    ("/proc", KERNEL),
    ("/run", EMPTIED),
    ("/sbin", SYSTEM),
    ("/sys", KERNEL),
    ("/tmp", CLEANED),
    ("/usr", SYSTEM),
    ("/var/lib/etcd", "belongs to etcd"),
    ("/var/lib/kubelet", "belongs to Kubernetes"),
    ("/var/lock", EMPTIED),
    ("/var/run", EMPTIED),
    ("/var/tmp", CLEANED),
];

/// Images must stay where they are put, and be in nobody's way.
fn lasting(folder: &str, given: &str, diagnostics: &mut Diagnostics<'_>) {
    let is_below =
        |outer: &str| folder.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if let Some((outer, why)) = NOT_FOR_IMAGES.iter().find(|(outer, _)| is_below(outer)) {
        let message = format!("images cannot be in {folder}: {outer} {why}");
        let fix = "choose a folder of its own on a disk that stays, such as /local/containerd";
        diagnostics.report(Finding::error(code::SITE_STORAGE, given, message).fix(fix));
    }
}

/// Images cannot move into the folder that they leave, nor into one around it.
fn storage(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let storage = site.storage.clone().unwrap_or_default();
    let (moves, given) = match (&storage.images, &storage.larger) {
        (_, Some(_)) => (true, "storage.larger"),
        (images, None) => (images.is_some(), "storage.images"),
    };
    let images = storage.images.map_or(defaults::IMAGES, |path| path.0);
    let larger = storage.larger.map_or(defaults::LARGER, |path| path.0);
    let inside = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if moves && (inside(&larger, &images) || inside(&images, &larger)) {
        let message = format!("images would move from {images} to {larger}, and one of these is inside the other");
        let fix = "choose a folder elsewhere, on the disk that has the room";
        diagnostics.report(Finding::error(code::SITE_STORAGE, given, message).fix(fix));
    }
    lasting(&images, "storage.images", diagnostics);
    lasting(&larger, "storage.larger", diagnostics);
    for (name, over) in &site.nodes.overrides {
        let Some(to) = over.storage.as_ref().map(|path| &path.0) else { continue };
        lasting(to, &format!("nodes.overrides.{}.storage", name.0), diagnostics);
        if *to != images && (inside(to, &images) || inside(&images, to)) {
            let message = format!("images would move from {images} to {to}, and one of these is inside the other");
            let subject = format!("nodes.overrides.{}.storage", name.0);
            let fix = "choose a folder elsewhere, on the disk that has the room";
            diagnostics.report(Finding::error(code::SITE_STORAGE, subject, message).fix(fix));
        }
    }
}

/// Helm values and engine variables end up in plans; a literal secret has no place there.
fn values(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let components = site.platform.iter().flat_map(|platform| &platform.components);
    for (name, component) in components {
        for (key, value) in component.values.iter().flatten() {
            let path = Path::parse("platform.components").key(name).key("values").key(key);
            walk(value, &mut |inner, leaf| {
                if let Some(finding) = in_helm_values(&path.below(inner), key, inner, &leaf) {
                    diagnostics.report(finding);
                }
            });
        }
    }
    for (key, value) in &site.kubernetes.extra_vars {
        let path = Path::parse("kubernetes.extraVars").key(key);
        let mut refers = false;
        walk(value, &mut |_, leaf| refers |= matches!(leaf, Leaf::Secret(_)));
        if refers {
            let message = "the engine's variables are kept in clear, so no secret can be handed to it this way";
            diagnostics.report(Finding::error(code::SITE_SECRET_IN_VALUES, path.to_string(), message).fix(NOT_HERE));
            continue;
        }
        walk(value, &mut |inner, leaf| {
            if let Some(finding) = literal(&path.below(inner), inner.name().unwrap_or(key), &leaf, NOT_HERE) {
                diagnostics.report(finding);
            }
        });
    }
}

const REFER: &str = "write `{$secret: {env: NAME}}` instead, or name an existing Kubernetes secret under another key";
const NOT_HERE: &str = "remove it; logins of registries belong under `registries.logins`";

fn in_helm_values(path: &Path, key: &str, inner: &ValuePath, leaf: &Leaf<'_>) -> Option<Finding> {
    let why = match leaf {
        Leaf::Scalar(_) => return literal(path, inner.name().unwrap_or(key), leaf, REFER),
        Leaf::Secret(Err(why)) => *why,
        Leaf::Secret(Ok(SecretRef::Env(name))) if !is_variable(name) => "this cannot be the name of a variable",
        Leaf::Secret(Ok(SecretRef::Generated(_))) => "only plinth itself names a secret that it makes",
        Leaf::Secret(Ok(_)) => return None,
    };
    let message = format!("`$secret` holds no reference to a secret: {why}");
    Some(Finding::error(code::SITE_SECRET_REFERENCE, path.to_string(), message).fix(HOW))
}

fn literal(path: &Path, key: &str, leaf: &Leaf<'_>, fix: &str) -> Option<Finding> {
    let Leaf::Scalar(Value::String(text)) = leaf else { return None };
    let message = "this looks like a literal secret; values are shown in plans and kept in the journal";
    (!text.is_empty() && holds_secret(key))
        .then(|| Finding::error(code::SITE_SECRET_IN_VALUES, path.to_string(), message).fix(fix))
}

/// Narrower than what is masked: keys such as `secretName` hold names.
fn holds_secret(key: &str) -> bool {
    let plain = key.to_lowercase();
    mask::is_secret_key(key)
        && ["password", "passwd", "passphrase", "token", "secret", "_pass"].iter().any(|end| plain.ends_with(end))
}

fn artefacts(runai: &Runai, diagnostics: &mut Diagnostics<'_>) {
    let source = runai.source.unwrap_or_else(|| defaults::source(runai));
    match (source, &runai.mirror) {
        (Source::Airgapped, None) => diagnostics.report(
            Finding::error(
                code::SITE_MIRROR,
                "runai.source",
                "`airgapped` needs a mirror to take charts and images from",
            )
            .fix("add `mirror: HOST/PATH` under `runai`"),
        ),
        (Source::Jfrog | Source::Ngc | Source::Oss, Some(_)) => diagnostics.report(
            Finding::error(code::SITE_MIRROR, "runai.mirror", "a mirror is only used with `source: airgapped`")
                .fix("add `source: airgapped`, or remove `mirror`"),
        ),
        _ => {}
    }
    if let (Source::Airgapped, Some(Certificate::Files(files))) = (source, &runai.certificate)
        && files.authority.is_none()
    {
        let message = "without the internet Run:ai always reads an authority of its own, and none is named";
        let finding = Finding::error(code::SITE_AIRGAPPED_AUTHORITY, "runai.certificate.files", message);
        diagnostics.report(finding.fix("add `authority: FILE`: the PEM file of whoever signed the certificate"));
    }
    let token = runai.registry.as_ref().is_some_and(|registry| registry.token.is_some());
    let user = runai.registry.as_ref().is_some_and(|registry| registry.user.is_some());
    // The former registry gave the cluster part to everybody; NVIDIA's asks for a login for its charts, whoever's the control plane is.
    let is_open = source == Source::Jfrog && runai.control_plane.is_some();
    if matches!(source, Source::Jfrog | Source::Ngc) && !token && !is_open {
        let finding =
            Finding::error(code::SITE_REGISTRY_TOKEN, "runai.registry", "the vendor's registry needs a token");
        let fix = "add `registry: {token: {env: RUNAI_REGISTRY_TOKEN}}` under `runai`; from 3.0 on there is also \
                   `source: oss`, which asks for none";
        diagnostics.report(finding.fix(fix));
    }
    if source == Source::Airgapped && user != token {
        let finding = Finding::error(
            code::SITE_REGISTRY_TOKEN,
            "runai.registry",
            "the mirror's login needs both a user and a token",
        );
        diagnostics.report(finding.fix("give `user` and `token`, or neither when the mirror asks for no login"));
    }
}

/// Run:ai knows a department, and a project, by its name.
fn departments(runai: &Runai, diagnostics: &mut Diagnostics<'_>) {
    let (mut departments, mut projects) = (HashMap::new(), HashMap::new());
    let mut once = |known: &mut HashMap<String, String>, what: &str, name: &str, path: String| {
        if let Some(first) = known.insert(name.to_owned(), path.clone()) {
            let finding =
                Finding::error(code::SITE_DUPLICATE_PROJECT, path, format!("{what} `{name}` is listed twice"))
                    .fix("keep one of the two, or give it another name");
            diagnostics.report_pair(finding, &first);
        }
    };
    for (index, department) in runai.departments.iter().enumerate() {
        let path = format!("runai.departments[{index}]");
        once(&mut departments, "department", &department.name.0.0, format!("{path}.name"));
        for (at, project) in department.projects.iter().enumerate() {
            once(&mut projects, "project", &project.name.0.0, format!("{path}.projects[{at}].name"));
        }
    }
}

/// The port in Run:ai's address must lead to the ingress.
fn port(site: &Site, runai: &Runai, diagnostics: &mut Diagnostics<'_>) {
    let Some(port) = runai.port else { return };
    let https =
        site.platform.as_ref().and_then(|p| p.ingress.as_ref()).and_then(|i| i.https).unwrap_or(defaults::HTTPS);
    if port != 443 && port != https {
        let message = format!("port {port} is neither 443 nor the ingress node port {https}");
        let fix = format!("write {https}, or 443 where something in front of the cluster forwards it");
        diagnostics.report(Finding::warning(code::SITE_RUNAI_PORT, "runai.port", message).fix(fix));
    }
}
