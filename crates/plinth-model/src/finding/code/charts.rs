//! Packages of charts, and the program that installs them.

findings! {
    CHARTS_DIGEST = "charts.digest", NetworkTeam {
        means: "A chart's package has another content than it must have: than the catalog says, the repository's index says, or than it had when this site used it first.",
        usually: "A mirror that was filled with another package, a repository that replaced a version, or a proxy that gives an error page.",
        fix: "Compare the two digests in the evidence with those of whoever makes the chart. Do not use the package until somebody knows why it differs.",
    }
    CHARTS_NOT_FOUND = "charts.not-found", You {
        means: "The place of the charts answers, and does not have this chart, or not this version of it.",
        usually: "A mirror or a folder that was not filled, a version that was typed wrong, or one that was taken back.",
        fix: "Put the package there: `plinth render mirror-list` names every chart with its version. Or choose one of the versions that the evidence names.",
    }
    CHARTS_NOT_KEPT = "charts.not-kept", You {
        means: "A chart came, and cannot be kept in the state directory, or what is kept there cannot be read.",
        usually: "A full disk, or a folder that belongs to somebody else.",
        fix: "Make room in the state directory, and let it be written; its folder `charts` may be removed as a whole, then everything is fetched again.",
    }
    CHARTS_PLACE = "charts.place", You {
        means: "The place that charts shall come from cannot be used: an address that makes no sense, a folder that cannot be read, or a login whose secret is not there.",
        usually: "`platform.charts` has a typing error, or the folder is on another machine.",
        fix: "Correct `platform.charts`. A relative name of a folder starts at the folder of the site file.",
    }
    CHARTS_PUBLIC = "charts.public", You {
        means: "The site takes Run:ai from inside (`runai.source: airgapped`), and the charts of the platform still come from the internet.",
        usually: "`platform.charts` is missing.",
        fix: "Write `platform: {charts: {mirror: https://MIRROR/charts}}`, or `{charts: {folder: PATH}}` with the packages beside the site file. `plinth render mirror-list` names them. Where this machine does reach the internet, nothing has to be done.",
    }
    CHARTS_REFUSED = "charts.refused", NetworkTeam {
        means: "The place of the charts answers, and says no: it wants a login, refuses the one it was given, or does not know what it is asked for.",
        usually: "A login that is missing or wrong, or a wrong address.",
        fix: "Open the address in the evidence from the machine where plinth runs. A login belongs under `platform.charts.login`, for Run:ai's own charts under `runai.registry`.",
    }
    CHARTS_UNREACHABLE = "charts.unreachable", NetworkTeam {
        means: "The place of the charts does not answer, or its answer broke off.",
        usually: "A site without the internet, a firewall, a web proxy that is not set, or a slow line.",
        fix: "Open the way there (DNS, firewall, `HTTPS_PROXY`), or name a mirror or a folder in `platform.charts`.",
    }
    CHARTS_UNREADABLE = "charts.unreadable", NetworkTeam {
        means: "What came makes no sense: an index that is none, a manifest without a chart, a package that cannot be unpacked, that is too large, or that says it is another chart.",
        usually: "An error page of a proxy or of a login, or a mirror that was filled half.",
        fix: "Open the address in the evidence from the machine where plinth runs, and look at what it gives.",
    }
    HELM_NO_PROGRAM = "helm.no-program", You {
        means: "This machine has no program `helm` that fits, and plinth knows none to fetch for this kind of machine.",
        usually: "plinth runs on a processor for which it has no pinned helm; those for amd64 and arm64 are known.",
        fix: "Install helm 3.14 or newer, or helm 4, so that it is found by `PATH`.",
    }
}
