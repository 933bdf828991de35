//! Where things are fetched from.

findings! {
    SOURCE_REFUSED = "source.refused", NetworkTeam {
        means: "A place that this plan fetches from answers, but not with what is wanted: it wants a login, does not know it, or is broken.",
        usually: "A mirror that was not filled, a wrong address in the site file, or a web proxy that refuses.",
        fix: "Open the address in the evidence from the machine that asked; fill the mirror (`plinth render mirror-list` says with what), or correct the setting that the finding names.",
    }
    SOURCE_UNREACHABLE = "source.unreachable", NetworkTeam {
        means: "A place that this plan fetches from does not answer, asked from where it will be asked. Nothing was changed.",
        usually: "A site without the internet, a firewall, or a web proxy that is not set.",
        fix: "Open the way there (DNS, firewall, proxy), or name a mirror: each finding says in which setting; docs/air-gap.md says how to fill one. To go on all the same: `--skip-source-check`.",
    }
}
