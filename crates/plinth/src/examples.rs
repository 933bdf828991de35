//! Examples at the end of each verb's help.

pub(crate) const INIT: &str = "\
Examples:
  plinth init --name gpu-lab
  plinth init --from-bcm https://bcm-head-01:8081 --ca-file bcm-ca.pem
      (user and password come from the variables BCM_USERNAME and BCM_PASSWORD)";

pub(crate) const VALIDATE: &str = "\
Examples:
  plinth validate
  plinth validate -f sites/gpu-lab.yaml --json
  generate-site | plinth validate -f -";

pub(crate) const DISCOVER: &str = "\
Examples:
  plinth discover
  plinth discover --save inventory.json        (for use without BCM later)";

pub(crate) const PLAN: &str = "\
Examples:
  plinth plan
  plinth plan --preflight                      (look at the nodes and at every step, as apply does)
  plinth plan --out lab.plan && plinth apply lab.plan
  plinth plan --graph dot | dot -Tsvg > plan.svg";

pub(crate) const CHECK: &str = "\
Examples:
  plinth check
  plinth check --out proof                     (proof/index.html for people, junit.xml for a build system)
  plinth check --only storage,pod-network
  plinth check --node dgx-05                   (what is about this node)";

pub(crate) const APPLY: &str = "\
Examples:
  plinth apply                                 (shows the plan and asks)
  plinth apply --dry-run                       (shows the plan and stops)
  plinth apply lab.plan --yes --events run.ndjson";

pub(crate) const RUNS: &str = "\
Examples:
  plinth runs
  plinth runs --where state:partly
  plinth runs show last --where 'state:failed node:dgx-*'
  plinth runs what-failed
  plinth runs diff                             (the last run against the last good one before it)
  plinth runs critical-path --what-if parallel=128
RUN is the beginning of an id, `last`, `last-good`, or `^1` for the one before the last.
Filters: state: node: kind: stage: took:>30s waiting:slot up:STEP down:STEP, or a word; all of them must hold.";

pub(crate) const WHY: &str = "\
Examples:
  plinth why
  plinth why ^1 --bytes 4096";

pub(crate) const EXPORT: &str = "\
Examples:
  plinth export --format trace --out run.json  (for Perfetto)
  plinth export last-good --format junit
  plinth export --format markdown >> \"$GITHUB_STEP_SUMMARY\"";

pub(crate) const REPORT: &str = "\
Examples:
  plinth report --out run.html  (one file, for a mail or a ticket)
  plinth report last-good --dir report  (a page and its style, for Jenkins)
  plinth report --extract run.html | jq -r .event  (the events that it holds)";

pub(crate) const SUPPORT: &str = "\
Examples:
  plinth support --out support.tar.gz";

pub(crate) const STATUS: &str = "\
Examples:
  plinth status
  watch -n 5 plinth status";

pub(crate) const REHEARSE: &str = "\
Examples:
  plinth rehearse -f examples/basepod.yaml
  plinth rehearse --fault node:dgx-05:drop@kubernetes --state /tmp/rehearsal
  plinth explain faults                        (lists what can go wrong)";

pub(crate) const RENDER: &str = "\
Examples:
  plinth render variables
  plinth render values --out rendered/
  plinth render certs                          (dates and issuers of certificates, and who reads them)
  plinth render mirror-list --json             (what a mirror must hold)";

pub(crate) const SERVE: &str = "\
Examples:
  plinth serve                                 (prints a link; the token in it lets one in)
  plinth serve --socket ~/plinth.sock          (and `ssh -L 8080:/home/anna/plinth.sock bastion` from afar)
  plinth serve --state DIR                     (runs of a folder, without the site file)
  plinth serve --listen 0.0.0.0:8443 --host bastion.example --tls-cert cert.pem --tls-key key.pem
  plinth apply --serve                         (beside a run)";

pub(crate) const HISTORY: &str = "\
Examples:
  plinth history                               (the runs, with who and when)
  plinth history dgx-05                        (all that happened to a node)
  plinth history nodes/account/dgx-05          (what was there before, and how to undo it)";

pub(crate) const LOGS: &str = "\
Examples:
  plinth logs
  plinth logs last | less
  less $(plinth logs last --path)";

pub(crate) const UNLOCK: &str = "\
Examples:
  plinth status                                (names the holder of the lock)
  plinth unlock                                (watches it for a minute, then asks)";

pub(crate) const SCHEMA: &str = "\
Examples:
  plinth schema > plinth.schema.json";

pub(crate) const VERSION: &str = "\
Examples:
  plinth version
  plinth version --json";

pub(crate) const PREFLIGHT: &str = "\
Examples:
  plinth preflight
  plinth preflight --fix";

pub(crate) const TRUST: &str = "\
Examples:
  plinth trust dgx-05
  plinth trust 'dgx-*'";

pub(crate) const REMOVE: &str = "\
Examples:
  plinth remove dgx-05 --dry-run
  plinth remove dgx-05 dgx-06
  plinth remove dgx-05 --unreachable --confirm gpu-lab";

pub(crate) const RESET: &str = "\
Examples:
  plinth reset --dry-run                       (shows what would be lost)
  plinth reset --confirm gpu-lab";

pub(crate) const RECOVER: &str = "\
Examples:
  plinth recover cpu-03 --dry-run
  plinth recover cpu-03";

pub(crate) const ROLLBACK: &str = "\
Examples:
  plinth rollback gpu-operator --dry-run
  plinth rollback gpu-operator
  plinth rollback gpu-operator --to-revision 3";

pub(crate) const ROTATE: &str = "\
Examples:
  plinth rotate certificates --dry-run
  plinth rotate certificates                   (a new leaf; files of your own: those that the site file names now)
  plinth rotate certificates --authority       (the authority that plinth made, too)";

pub(crate) const KUBECONFIG: &str = "\
Examples:
  plinth kubeconfig > gpu-lab.kubeconfig
  plinth kubeconfig --merge && kubectl --context gpu-lab get nodes";

pub(crate) const EXPLAIN: &str = "\
Examples:
  plinth explain nodes/account/dgx-05          (a step, and how it went last time)
  plinth explain nodes/account                 (all steps of that name)
  plinth explain dgx-05                        (all steps of a node)
  plinth explain node.host-key-changed         (a finding)
  plinth explain exit-codes";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  source <(plinth completions bash)
  plinth completions zsh > ~/.zfunc/_plinth";

pub(crate) const MAN: &str = "\
Examples:
  plinth man | man -l -
  plinth man --out /usr/local/share/man/man1   (one page per verb)";
