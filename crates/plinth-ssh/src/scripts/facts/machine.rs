//! The machine itself: system, processors, memory, clock, GPUs, kernel settings.

use super::{Exchange, setting};
use crate::frame::Frames;
use plinth_model::facts::{Adapter, Link, NodeFacts};
use std::collections::BTreeSet;

/// PCI classes of GPUs: 3D controller, and VGA controller on workstations (PCI code and id assignment specification).
const GPU_CLASSES: [&str; 2] = ["0x0302", "0x0300"];
/// PCI class of NVSwitches, other bridge.
const NVSWITCH_CLASS: &str = "0x0680";
/// Modules that Kubernetes, its networks and GPUs need (Kubernetes documentation, "Container Runtimes"; kube-proxy's IPVS mode;
/// Kubespray's node-local DNS cache; NVIDIA driver).
const MODULES: [&str; 12] = [
    "br_netfilter",
    "dummy",
    "ip_vs",
    "ip_vs_rr",
    "ip_vs_sh",
    "ip_vs_wrr",
    "nf_conntrack",
    "nvidia",
    "nvidia_modeset",
    "nvidia_peermem",
    "nvidia_uvm",
    "overlay",
];

pub(super) fn read(frames: &Frames, facts: &mut NodeFacts) {
    system(frames, facts);
    facts.kernel = text(frames, "kernel");
    facts.kernel_headers = frames.get("headers").is_some();
    facts.architecture = text(frames, "architecture");
    facts.hostname = text(frames, "hostname");
    facts.cpus = frames.get("cpu").and_then(range_length).or_else(|| frames.number("cpus")).unwrap_or_default();
    facts.memory_mib = frames.get("meminfo").and_then(|line| number_at(line, 1)).unwrap_or_default() / 1024;
    facts.swap_mib =
        frames.all("swap").iter().filter_map(|line| number_at(line, 2)).fold(0, u64::saturating_add) / 1024;
    facts.selinux = selinux(frames);
    facts.apparmor = frames.get("apparmor").is_some_and(|value| value.trim() == "Y");
    facts.modules = modules(frames);
    facts.sysctls = frames
        .iter()
        .filter_map(|frame| Some((frame.key.strip_prefix("sysctl.")?.replace('/', "."), frame.value.trim().to_owned())))
        .collect();
    gpus(frames, facts);
}

fn text(frames: &Frames, key: &str) -> String {
    frames.get(key).unwrap_or_default().trim().to_owned()
}

fn system(frames: &Frames, facts: &mut NodeFacts) {
    let (os, dgx) = (frames.all("os"), frames.all("dgx"));
    let told = |key| setting(&os, key).unwrap_or_default().to_owned();
    (facts.os_id, facts.os_version) = (told("ID"), told("VERSION_ID"));
    // An update over the air adds a line; the newest is the last.
    facts.dgx_release =
        setting(&dgx, "DGX_OTA_VERSION").or_else(|| setting(&dgx, "DGX_SWBUILD_VERSION")).map(str::to_owned);
    facts.os = setting(&os, "PRETTY_NAME")
        .map_or_else(|| format!("{} {}", facts.os_id, facts.os_version).trim().to_owned(), str::to_owned);
    if let Some(release) = &facts.dgx_release {
        facts.os = format!("{} (DGX OS {release})", facts.os);
    }
}

/// How many numbers `0-3,8-11` names.
fn range_length(ranges: &str) -> Option<u32> {
    ranges.trim().split(',').try_fold(0_u32, |sum, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        sum.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

fn number_at(line: &str, column: usize) -> Option<u64> {
    line.split_whitespace().nth(column)?.parse().ok()
}

fn selinux(frames: &Frames) -> Option<String> {
    let enforce = frames.get("selinux.enforce").map(str::trim);
    let known = match enforce {
        Some("1") => Some("enforcing"),
        Some("0") => Some("permissive"),
        _ => setting(&frames.all("selinux.config"), "SELINUX").map(|_| "disabled"),
    };
    known.map(str::to_owned)
}

fn modules(frames: &Frames) -> Vec<String> {
    let loaded = frames.all("module").into_iter().filter_map(|line| line.split_whitespace().next());
    let built_in = frames.all("builtin").into_iter().filter_map(|path| path.rsplit('/').next()?.split('.').next());
    let present: BTreeSet<String> = loaded.chain(built_in).map(|name| name.replace('-', "_")).collect();
    MODULES.iter().filter(|name| present.contains(**name)).map(|name| (*name).to_owned()).collect()
}

fn gpus(frames: &Frames, facts: &mut NodeFacts) {
    let bus = frames.all("pci");
    let count = |classes: &[&str]| {
        let found = bus.iter().filter(|class| classes.iter().any(|wanted| class.starts_with(wanted))).count();
        u32::try_from(found).unwrap_or(u32::MAX)
    };
    let models = frames.all("gpu").into_iter().filter_map(|line| line.strip_prefix("Model:")).map(str::trim);
    let models: Vec<&str> = models.collect();
    let told: Vec<&str> = frames.all("gpu.name").into_iter().map(str::trim).filter(|name| !name.is_empty()).collect();
    let by_driver = u32::try_from(models.len().max(told.len())).unwrap_or(u32::MAX);
    facts.gpus = if bus.is_empty() { by_driver } else { count(&GPU_CLASSES) };
    facts.nvswitches = count(&[NVSWITCH_CLASS]);
    let names = if told.is_empty() { models } else { told };
    facts.gpu_names = names.into_iter().filter(|name| !name.starts_with("Unknown")).map(str::to_owned).collect();
    facts.driver = frames.all("driver").into_iter().find_map(driver);
    let said = |key| frames.get(key).map(|word| word.trim() == "yes");
    (facts.driver_installed, facts.toolkit_installed) = (said("driver.installed"), said("toolkit.installed"));
    facts.adapters = frames.all("adapter").into_iter().filter_map(adapter).collect();
    facts.adapters.sort_by(|one, other| by_number(&one.interface).cmp(&by_number(&other.interface)));
}

/// `ibp24s0 32 8`: interface, hardware type of the link (if_arp.h: 1 is Ethernet, 32 InfiniBand), virtual functions of the firmware.
fn adapter(line: &str) -> Option<Adapter> {
    let mut words = line.split_whitespace();
    // It becomes the name of an object: names of another form are nobody's adapters here.
    let plain = |name: &&str| name.len() <= 15 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let interface = words.next().filter(plain)?.to_owned();
    let link = match words.next()? {
        "1" => Link::Ethernet,
        "32" => Link::Infiniband,
        _ => return None,
    };
    Some(Adapter { interface, link, firmware_functions: words.next().and_then(|number| number.parse().ok()) })
}

/// `ibp64s0` before `ibp154s0`.
fn by_number(name: &str) -> (Vec<u32>, &str) {
    let numbers = name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
    (numbers.collect(), name)
}

/// `535.129.03`, alone or inside `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 …`.
fn driver(line: &str) -> Option<String> {
    let version = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() >= 2 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    line.split_whitespace().find(version).map(str::to_owned)
}

/// How far the node's clock is ahead at least, milliseconds; negative when it is behind. Its first time is no earlier than our
/// sending, its last one no later than our receiving: what lies between is the way there and back, a login and sudo among it, and
/// no fault of the clock.
pub(super) fn clock_offset_ms(frames: &Frames, exchange: &Exchange) -> Result<i64, String> {
    let at =
        |key: &str| frames.get(key).and_then(milliseconds).ok_or_else(|| "the node did not tell its time".to_owned());
    let ((start, start_is_exact), (end, _)) = (at("clock.start")?, at("clock.end")?);
    // A clock told in whole seconds is behind by up to one.
    let lost = if start_is_exact { 0 } else { 1000 };
    let most = i128::from(start) + lost - i128::from(exchange.sent.as_millisecond());
    let least = i128::from(end) - i128::from(exchange.received.as_millisecond());
    let nearest = if least > 0 { least } else { most.min(0) };
    i64::try_from(nearest).map_err(|_| format!("the node's time {start} ms makes no sense"))
}

/// Time of `date +%s%N` in milliseconds, and whether it is exact: where `date` knows no nanoseconds, the `%N` stays as it is.
fn milliseconds(text: &str) -> Option<(i64, bool)> {
    let digits: &str = text.split(|c: char| !c.is_ascii_digit()).next()?;
    let number: i128 = digits.parse().ok()?;
    let exact = digits.len() > 15;
    let milliseconds = if exact { number / 1_000_000 } else { number.checked_mul(1000)? };
    Some((i64::try_from(milliseconds).ok()?, exact))
}
