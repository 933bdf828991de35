//! The machine that is measured on, and what else it does meanwhile.

/// What it was measured on.
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory: String,
    kernel: String,
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
            value.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned())
        };
        let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory: gib(&field(&read("/proc/meminfo"), "MemTotal")),
            kernel: if kernel.is_empty() { std::env::consts::OS.to_owned() } else { kernel },
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cpu, cores, memory, kernel } = self;
        write!(f, "Machine: {cpu}, {cores} cores, {memory} memory, kernel {kernel}.")
    }
}

#[cfg(test)]
impl Machine {
    pub(crate) fn for_test() -> Self {
        Self { cpu: "cpu".into(), cores: 2, memory: gib("8388608 kB"), kernel: "6.1".into() }
    }
}

/// `16302048 kB` as `15.5 GiB`.
fn gib(text: &str) -> String {
    let kib: Option<f64> = text.strip_suffix("kB").and_then(|number| number.trim().parse().ok());
    kib.map_or_else(|| text.to_owned(), |kib| format!("{:.1} GiB", kib / 1024.0 / 1024.0))
}

/// Processes that ran or waited for a processor, over the last minute.
pub(crate) fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

/// What else ran, as a sentence.
pub(crate) fn loaded(load: f64) -> String {
    if load < 0.5 {
        "Nothing else ran.".to_owned()
    } else {
        format!("Other work ran on the machine meanwhile: load {load:.1} before the first round.")
    }
}
