//! All deadlines and intervals, each with its reason. Steps carry their own deadline, taken from here by the planner's
//! counterpart in `plinth-plan`; these are the ones of single calls.

use std::time::Duration;

/// One request to BCM. The known site configuration uses 30 s (public Terraform provider for BCM).
pub const BCM_REQUEST: Duration = Duration::from_secs(30);
/// Tries of a BCM read after the first.
pub const BCM_RETRIES: usize = 3;
/// First wait between BCM tries; doubled each time.
pub const BCM_BACKOFF: Duration = Duration::from_secs(1);
/// Longest wait between BCM tries.
pub const BCM_BACKOFF_MAX: Duration = Duration::from_secs(30);
/// Largest BCM reply that is read, bytes. A node entity is about 6 KiB, so 10,000 nodes are 60 MiB.
pub const BCM_REPLY_MAX: usize = 256 * 1024 * 1024;
/// Between two looks at something that becomes ready, at most.
pub const POLL: Duration = Duration::from_secs(10);
/// The same right after the first look: what is well usually shows it within seconds, and everything behind it waits.
pub const POLL_FIRST: Duration = Duration::from_millis(500);
/// Between two writings of what moves inside steps, or of who is waited for, for `status` in another terminal: a person looks, and a disk
/// has other work.
pub const PROGRESS_PACE: Duration = Duration::from_secs(2);
/// Posting one message about a run: whoever reads it answers at once or is not well.
pub const NOTIFY_POST: Duration = Duration::from_secs(10);
/// First wait before a message is posted again; doubled each time, plus as much again by chance, so that many runs do not come back at once.
pub const NOTIFY_BACKOFF: Duration = Duration::from_secs(1);
/// Longest wait of that kind, and longest that an answer may ask for: within it, a run that ends still tells so.
pub const NOTIFY_BACKOFF_MAX: Duration = Duration::from_secs(300);
/// Between two messages to one address: Teams takes four a second.
pub const NOTIFY_PACE: Duration = Duration::from_millis(300);
/// How long what happens often, failures and gates, is collected before it is told together.
pub const NOTIFY_COLLECT: Duration = Duration::from_secs(60);
/// How long the end of the process waits for messages that are not delivered yet: a person waits. The rest is kept.
pub const NOTIFY_LAST: Duration = Duration::from_secs(5);
/// Older messages are not delivered any more: nobody wants to be woken by what happened the day before.
pub const NOTIFY_AGE: Duration = Duration::from_secs(24 * 3600);
/// Between two renewals of the site's lock: often enough that `status` tells a dead run within a minute, rare enough to cost
/// nothing.
pub const LOCK_HEARTBEAT: Duration = Duration::from_secs(10);
/// A lock that was not renewed for so long is taken over: six missed renewals are no accident.
pub const LOCK_EXPIRY: Duration = Duration::from_secs(60);
/// A lock that was renewed less than so long ago is ours without a look: who takes it over must wait longer.
pub const LOCK_SURE: Duration = Duration::from_secs(30);
/// Before the lock is tried to be renewed again, when the disk refused.
pub const LOCK_AGAIN: Duration = Duration::from_secs(1);
/// Silence of a pipe or device that was named as a file, after which it is given up: a person waits.
pub const INPUT_SILENCE: Duration = Duration::from_secs(10);
/// Reading all of it.
pub const INPUT: Duration = Duration::from_secs(60);
/// Somebody reads the FIFO that was named for output: `mkfifo f; cat f & plinth ..` starts both at once.
pub const OUTPUT_READER: Duration = Duration::from_secs(30);
/// A look at a step counts as the first one of the run behind it for so long: as long as our lock keeps others out without a renewal.
pub const LOOK_HOLDS: Duration = LOCK_EXPIRY;
/// Attempts of a probe, and of an effect, while the failure says it is transient.
pub const STEP_ATTEMPTS: u32 = 3;
/// First wait between two attempts; doubled each time, plus up to a quarter so that many nodes do not come back at once.
pub const STEP_BACKOFF: Duration = Duration::from_secs(2);
/// Longest look at one step while planning, whatever its own deadline: a person is waiting.
pub const LOOK: Duration = Duration::from_secs(120);
/// Reading the facts of a node. A healthy one answers in a tenth of a second; single programs on it may hang for up to 10 s each.
pub const NODE_FACTS: Duration = Duration::from_secs(90);
/// Opening a connection to the API server: it is in the same building, and a dropped packet should not cost a minute.
pub const KUBE_CONNECT: Duration = Duration::from_secs(10);
/// One request to the API server; its own limit for one is 60 s, but nothing that plinth asks takes seconds on a healthy one.
pub const KUBE_REQUEST: Duration = Duration::from_secs(30);
/// Tries of a read after the first.
pub const KUBE_RETRIES: usize = 2;
/// Wait before a read is tried again.
pub const KUBE_BACKOFF: Duration = Duration::from_secs(1);
/// Between two tries of a new kubeconfig.
pub const KUBE_SETTLE_PAUSE: Duration = Duration::from_secs(2);
/// Tries to change an object that others change too, such as the taints of a node: kubelet and controllers touch it when a node
/// changes its state.
pub const KUBE_CONFLICTS: usize = 4;
/// The API server of a fresh control plane answers seconds after the playbook says so; elections take some more.
pub const KUBE_SETTLES: Duration = Duration::from_secs(60);
/// One question whether a source answers, before anything is changed: a place that needs longer would not carry a run either.
pub const SOURCE: Duration = Duration::from_secs(8);
/// One request to an ingress that answers from a building nearby.
pub const HTTPS_PROBE: Duration = Duration::from_secs(20);
/// A connection, or one request without TLS, to an ingress: what drops packets is asked by a pod next.
pub const TCP_PROBE: Duration = Duration::from_secs(6);
/// How long test pods of a check may take, with pulling a small image.
pub const CHECK_PODS: Duration = Duration::from_secs(150);
/// The same, with an image of some hundred MiB.
pub const CHECK_LARGE_PODS: Duration = Duration::from_secs(600);
/// The same for each further pod of a check: some are started at the same time, and a registry serves them one after the other.
pub const CHECK_POD: Duration = Duration::from_millis(300);
/// Longest that a pod asks others: seven tries of 5 s with a pause of one between them, on a busy node.
pub const CHECK_ASK: Duration = Duration::from_secs(90);
/// The same for each name that a test pod asks for: three tries of a server that does not answer.
pub const CHECK_NAME: Duration = Duration::from_secs(40);
/// The same for a name that may have been put in lately: kubelet renews the files of a ConfigMap within 90 s, `reload` of CoreDNS looks at them
/// every 30 to 45 s, and a cache keeps "no such name" for 30 s.
pub const CHECK_NAME_READ: Duration = Duration::from_secs(165);
/// Whether a node has a GPU left for a test pod is known as soon as the scheduler looked at it.
pub const CHECK_GPU_FREE: Duration = Duration::from_secs(30);
/// The same where several nodes are asked one after the other.
pub const CHECK_SHARE_FREE: Duration = Duration::from_secs(15);
/// Older test objects are of a check that is over for certain, whatever its size.
pub const CHECK_ABANDONED: Duration = Duration::from_secs(2 * 3600);
/// How long the namespace of an earlier check may take to go: finalizers of claims need seconds.
pub const CHECK_ROOM: Duration = Duration::from_secs(90);
/// Between two looks at test pods, once they take long.
pub const CHECK_LOOK: Duration = Duration::from_secs(1);
/// The same at first: most test pods are there within two seconds.
pub const CHECK_LOOK_FIRST: Duration = Duration::from_millis(200);
/// How long a storage system may take for a snapshot of a nearly empty volume: some copy it to another place first.
pub const CHECK_SNAPSHOT: Duration = Duration::from_secs(300);
/// Between two looks at a snapshot.
pub const CHECK_SNAPSHOT_LOOK: Duration = Duration::from_secs(2);
/// How long a small training of a check may take until it runs, with pulling an image of some hundred MiB.
pub const CHECK_WORKLOAD: Duration = Duration::from_secs(600);
/// How long the training of an earlier check may take to go.
pub const CHECK_WORKLOAD_GONE: Duration = Duration::from_secs(120);
/// Between two looks at it.
pub const CHECK_WORKLOAD_LOOK: Duration = Duration::from_secs(5);
/// From the start of an exporter until Prometheus has read it: the operator writes the configuration anew, its reloader notices within a
/// minute, and the usual interval is another half.
pub const CHECK_MEASURED: Duration = Duration::from_secs(180);
/// Longest wait for exporters that are not read yet, whatever starts anew meanwhile; the check itself has longer, so that it can still say why.
pub const CHECK_MEASURED_MOST: Duration = Duration::from_secs(420);
/// Between two questions to Prometheus.
pub const CHECK_MEASURED_LOOK: Duration = Duration::from_secs(5);
/// From the first answer of an API server that has just started until it is ready: 2 to 5 s, more where many kinds were added.
pub const KUBE_STARTS: Duration = Duration::from_secs(30);
/// No API server comes from its end to being ready again in less: one that was ready at both ends of so short a time was so all along.
pub const KUBE_RESTARTS: Duration = Duration::from_secs(1);
/// Opening a connection to Run:ai's ingress: it is in the same building, as the API server is.
pub const RUNAI_CONNECT: Duration = Duration::from_secs(10);
/// One request to Run:ai, to the last byte. Keycloak takes a second for the first token after a start; a control plane that needs
/// longer than this is in trouble.
pub const RUNAI_REQUEST: Duration = Duration::from_secs(30);
/// Tries of a read after the first: as many as the vendor's own client makes.
pub const RUNAI_RETRIES: usize = 3;
/// First wait between two tries; doubled each time (the vendor's client begins with half a second too).
pub const RUNAI_BACKOFF: Duration = Duration::from_millis(500);
/// Longest wait between two tries, also when the control plane asks for more: the step's own deadline is not far.
pub const RUNAI_BACKOFF_MAX: Duration = Duration::from_secs(20);
/// Largest answer of Run:ai that is read, bytes. A cluster is about 4 KiB, so thousands fit.
pub const RUNAI_REPLY_MAX: usize = 16 * 1024 * 1024;
/// How long an entry is looked for whose registration was not answered: a request that was under way has ended by then.
pub const RUNAI_READ_BACK: Duration = Duration::from_secs(30);
/// Between two looks for it.
pub const RUNAI_READ_BACK_PAUSE: Duration = Duration::from_secs(2);
/// A token is renewed so long before its end: requests and clocks may be late.
pub const RUNAI_TOKEN_MARGIN: Duration = Duration::from_secs(60);
/// Between two logins with a password that was refused, while the administrator may not be made yet: Keycloak's own protection against
/// guessing, where a realm has it, counts failures and waits a minute after thirty. All logins of one wait stay below that.
pub const RUNAI_LOGIN_PAUSE: Duration = Duration::from_secs(60);
/// How long a control plane counts as new: its administrator may not be made yet, and what is kept here may be of one that was there before. Its
/// first start takes up to half an hour.
pub const RUNAI_NEW: Duration = Duration::from_secs(60 * 60);
/// Largest answer of Prometheus that is read, bytes: a row of a vector is some hundred bytes, so tens of thousands of GPUs fit.
pub const PROMETHEUS_REPLY_MAX: u64 = 16 * 1024 * 1024;
/// How much of a token for the first contact must be left, so that Helm, the images and the agents of the cluster part find it
/// valid: their own deadline is 15 minutes, and it is valid for two hours.
pub const RUNAI_BOOTSTRAP_LEFT: Duration = Duration::from_secs(30 * 60);
/// Until a cluster that is connected reports again: reports come every few seconds, and no source says how many.
pub const RUNAI_REPORT: Duration = Duration::from_secs(60);
/// Connecting to a server of files: name, TCP and TLS.
pub const FETCH_CONNECT: Duration = Duration::from_secs(20);
/// Silence in the middle of a file after which the connection is given up.
pub const FETCH_SILENCE: Duration = Duration::from_secs(60);
/// Tries of one file within a call; each goes on where the last stopped.
pub const FETCH_TRIES: usize = 4;
/// First wait between two tries of a file; doubled each time.
pub const FETCH_BACKOFF: Duration = Duration::from_secs(1);
/// Silence in the middle of an index or a package of a chart: shorter than for files, since these are small.
pub const CHART_SILENCE: Duration = Duration::from_secs(30);
/// One index or package from beginning to end: the largest index has some 30 MB, over a line of 2 Mbit/s.
pub const CHART_REQUEST: Duration = Duration::from_secs(150);
/// Tries of one index or package.
pub const CHART_TRIES: usize = 3;
/// `helm version`: it starts, prints and ends; a cold disk takes its time.
pub const HELM_LOOK: Duration = Duration::from_secs(20);
/// `helm template` of one chart: the largest take two seconds here; a busy machine takes its time.
pub const HELM_RENDER: Duration = Duration::from_secs(60);
/// Between two looks at a long task.
pub const PLAY_TICK: Duration = Duration::from_secs(5);
/// Progress is told at most so often.
pub const PLAY_PACE: Duration = Duration::from_millis(200);
/// After the end, what is still on its way arrives at once.
pub const PLAY_LINGER: Duration = Duration::from_secs(5);
/// What contacts no node: 51 s were seen for 300 hosts.
pub const ANSIBLE_SHORT: Duration = Duration::from_secs(280);
/// Installing all packages: 27 s here with pip and nothing cached; a slow mirror takes minutes.
pub const ANSIBLE_INSTALL: Duration = Duration::from_secs(1500);
/// A look at what is installed.
pub const ANSIBLE_LOOK: Duration = Duration::from_secs(60);
/// Fetching one tag without history: 3 MB.
pub const KUBESPRAY_FETCH: Duration = Duration::from_secs(280);
/// Starting Python and printing a number takes some hundredths of a second; a version manager's stand-in up to a second.
pub const PYTHON_LOOK: Duration = Duration::from_secs(20);
/// One question to one server.
pub const KUBE_DNS_ANSWER: Duration = Duration::from_secs(10);
/// How long another program may hold the lock; kubectl holds it for one write.
pub const KUBECONFIG_LOCK: Duration = Duration::from_secs(5);
/// Between two looks at the lock.
pub const KUBECONFIG_LOCK_PAUSE: Duration = Duration::from_millis(50);
/// Some 400 MB are read and summed up; a busy disk takes its time.
pub const SSH_DOWNLOADS_LOOK: Duration = Duration::from_secs(180);
/// Two questions, each of six tries of 15 s.
pub const SSH_BOOTSTRAP: Duration = Duration::from_secs(190);
/// Names that do not resolve take the resolver's time, each.
pub const SSH_PREPARE_LOOK: Duration = Duration::from_secs(120);
/// `swapoff` reads back everything that is swapped out.
pub const SSH_PREPARE: Duration = Duration::from_secs(900);
/// Reading the size of an old copy of many small files.
pub const SSH_STORAGE_LOOK: Duration = Duration::from_secs(120);
/// 500 GB at 100 MB/s, read three times.
pub const SSH_STORAGE_MOVE: Duration = Duration::from_secs(4 * 3600);
/// Directories with many small files.
pub const SSH_LEFTOVERS: Duration = Duration::from_secs(300);
/// A name service that asks a directory takes its time.
pub const SSH_ACCOUNT: Duration = Duration::from_secs(60);
/// One small file.
pub const SSH_ADMIN_CONFIG: Duration = Duration::from_secs(30);
/// etcd is asked twice, 20 s each; systemd up to twice and containerd once, 10 s each.
pub const SSH_CONTROL_PLANE: Duration = Duration::from_secs(90);
/// Addresses are asked at once, 10 s each.
pub const SSH_REGISTRIES: Duration = Duration::from_secs(60);
/// How long more output may come after the shell has ended. What it left behind may hold the channel open for as long as it likes.
pub const SSH_LINGERING: Duration = Duration::from_secs(10);
/// How long what a failed operation complained of may still come: standard error has a way of its own, and arrives behind the last answer.
pub const SSH_COMPLAINTS: Duration = Duration::from_millis(500);
/// Longer ago, the node is asked again: a person may have thought about the key meanwhile, and sshd does not wait for a login for
/// ever (LoginGraceTime, two minutes by default).
pub const SSH_KEY_SEEN: Duration = Duration::from_secs(30);
/// What a push may take besides its bytes: a login, a checksum, a busy disk.
pub const SSH_PUSH: Duration = Duration::from_secs(120);
/// How long a node may take to close a channel that we closed. Its room is given to another one then.
pub const SSH_CLOSING: Duration = Duration::from_secs(10);
/// How long a shell may take from the end of an operation until it waits for the next one. A new channel is opened then.
pub const SSH_SETTLING: Duration = Duration::from_secs(5);
/// How long a shell is kept for another operation. It waits half as long again on the node, so it is not gone when it is asked.
pub const SSH_KEPT: Duration = Duration::from_secs(20);
/// What helm does beside the waiting that it has a limit for: rendering, and some hundred requests to the API server.
pub const HELM_MARGIN: Duration = Duration::from_secs(180);
/// helm that was asked to stop writes down that it failed, which is one request.
pub const HELM_STOPS: Duration = Duration::from_secs(10);
/// An operation of helm of which nobody knows who began it, nor with which limit, is nobody's any more after so long: three waits (hooks
/// before, workloads, hooks after) of the longest limit in the catalog, 4 h of network-operator.
pub const HELM_ABANDONED: Duration = Duration::from_secs(3 * 4 * 3600);
/// helm that uninstalls marks the release after two reads.
pub const HELM_MARKS: Duration = Duration::from_secs(60);
/// Jobs and their pods that were removed are gone after the grace period of pods, 30 s by default.
pub const HELM_JOBS_GONE: Duration = Duration::from_secs(60);
/// What belongs together, such as a workload, its pod and an event about it, changes within so long.
pub const KUBE_WATCH_SETTLES: Duration = Duration::from_millis(500);
/// The last line of a log, which is only told: kubelet answers at once.
pub const KUBE_LOG_LINE: Duration = Duration::from_secs(2);
/// A definition that was applied is served within a second or two; more where many were.
pub const HELM_CRDS_SERVED: Duration = Duration::from_secs(60);
/// How long a list of objects that helm made answers who looks at another release: those of one look begin within this.
pub const HELM_OBJECTS_LISTED: Duration = Duration::from_secs(2);
/// What sets fields of a chart's objects again, such as a controller or a pipeline, does so within minutes of an installation or a repair.
pub const HELM_OBJECTS_SETTLE: Duration = Duration::from_secs(600);
/// Between two looks at something that takes a second or two.
pub const HELM_POLL: Duration = Duration::from_secs(1);
/// A program that gives a secret. Password stores that ask a server answer within seconds; one that waits for a person must not hold up a
/// run for ever.
pub const SECRET_PROGRAM: Duration = Duration::from_secs(30);
/// Between two looks whether it has ended: most end within a few of them, and a person waits.
pub const SECRET_LOOK: Duration = Duration::from_millis(5);
/// Connecting to a node: TCP and the SSH handshake. A node that is up answers within a second, also behind a jump host.
pub const SSH_CONNECT: Duration = Duration::from_secs(10);
/// Silence after which a node is asked whether it is still there; three questions without an answer end the connection.
pub const SSH_KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Between two bytes that tell a script on a node that we are still there. The watch on the node waits three times as long.
pub const SSH_HEARTBEAT: Duration = Duration::from_secs(5);
/// How long a token of Run:ai counts that does not say: Keycloak's shortest usual life is a minute.
pub const RUNAI_TOKEN_UNSAID: Duration = Duration::from_secs(60);
/// How long one process waits for another's transaction in the journal. They are short; a full disk cache may make them slow.
pub const JOURNAL_BUSY: Duration = Duration::from_secs(10);
/// How long a node may take to say whether Kubernetes is there: a healthy one needs a tenth of a second.
pub const NODE_SAYS: Duration = Duration::from_secs(20);
/// Between two looks whether a helm that was told to stop has ended.
pub const HELM_LOOK_ENDED: Duration = Duration::from_millis(20);
/// Between two looks whether somebody reads a FIFO.
pub const OUTPUT_LOOK: Duration = Duration::from_millis(20);
/// Between two reports of a stream of bytes: what a person can follow.
pub const STREAM_PACE: Duration = Duration::from_millis(500);
/// Whether a cluster answers at all, for who only asks how things stand: a healthy one does within a second, and a dead one must not hold up
/// a person.
pub const STATUS_ASKS: Duration = Duration::from_secs(10);
/// The same of one release or group of objects, once it answers.
pub const STATUS_LOOKS: Duration = Duration::from_secs(30);
/// Between two looks for a sign of life of a lock's holder.
pub const UNLOCK_LOOK: Duration = Duration::from_millis(500);
