//! What every node client promises, simulated or real: the same calls, the same answers.

use plinth_model::download::DownloadFile;
use plinth_model::facts::Asked;
use plinth_model::steps::{Account, Credential, Mirror, NodeTarget, Preparation};
use plinth_model::{NodeName, SecretRef};
use plinth_world::node::{AccountState, HostKey, NodeClient, PushFile, Registries, StorageState};
use plinth_world::{ClientError, ClientResult, Context};
use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// Where containerd's data is at first.
const FROM: &str = "/var/lib/containerd";
/// Where it goes.
const TO: &str = "/local/containerd";
/// Where nothing can go.
const NOWHERE: &str = "/nowhere/containerd";

/// The nodes that the suite needs.
pub(crate) struct Rack {
    /// Nobody was there before; its images do not fit where they are, and fit into /local.
    pub(crate) fresh: NodeTarget,
    /// Part of the account is there.
    pub(crate) partial: NodeTarget,
    /// The user id belongs to somebody else.
    pub(crate) clash: NodeTarget,
    /// Nothing answers.
    pub(crate) unreachable: NodeTarget,
    /// It shows another host key after [`Rack::rekey`].
    pub(crate) rekeyed: NodeTarget,
    /// Gives that node another host key.
    pub(crate) rekey: Box<dyn Fn() + Send + Sync>,
    /// Something that must be the same before and after a call that is refused, for each node.
    pub(crate) fingerprint: Box<dyn Fn(&NodeTarget) -> String + Send + Sync>,
    /// An address where a registry answers.
    pub(crate) mirror: String,
    /// The account; its key pair is there already.
    pub(crate) account: Account,
    /// A file that may be pushed.
    pub(crate) file: DownloadFile,
    /// Where its content is here.
    pub(crate) source: PathBuf,
}

/// A first login.
pub(crate) fn target(node: &str, address: Ipv4Addr, user: &str, password: SecretRef) -> NodeTarget {
    NodeTarget {
        node: NodeName::new(node).unwrap(),
        address,
        port: 22,
        user: user.to_owned(),
        credential: Credential::Password(password),
        legacy_keys: false,
        jump: None,
    }
}

/// The account that the suite makes.
pub(crate) fn account(key: SecretRef) -> Account {
    Account {
        name: "ansiblebcm".to_owned(),
        uid: 60000,
        gid: 60000,
        home: plinth_model::HostPath::fixed("/home/ansiblebcm"),
        shell: plinth_model::HostPath::fixed("/bin/bash"),
        key,
        key_algorithm: plinth_model::steps::KeyAlgorithm::Ed25519,
        authorized_keys: Vec::new(),
    }
}

/// The whole contract.
pub(crate) async fn contract(client: &dyn NodeClient, ctx: &Context, rack: &Rack) {
    let suite = Suite { client, ctx, rack };
    suite.a_host_is_known_before_anything_is_done().await;
    suite.another_key_is_told_refused_and_pinned_anew().await;
    suite.an_account_is_made_once().await;
    suite.half_an_account_is_completed().await;
    suite.a_clash_is_refused().await;
    suite.facts_answer_what_was_asked().await;
    suite.images_move_and_the_old_copy_goes_last().await;
    suite.a_node_is_prepared_once().await;
    suite.a_bare_node_has_nothing_of_kubernetes().await;
    suite.registries_are_set_once().await;
    suite.a_node_without_kubernetes_says_so().await;
    suite.files_are_pushed_and_known_by_their_content().await;
    suite.nobody_there_is_transient().await;
}

struct Suite<'a> {
    client: &'a dyn NodeClient,
    ctx: &'a Context,
    rack: &'a Rack,
}

/// The parts that every error has.
fn explained<T: Debug>(result: ClientResult<T>) -> ClientError {
    let error = result.expect_err("the call must fail");
    for part in [&error.doing, &error.happened, &error.attempt] {
        assert!(!part.trim().is_empty(), "{error:?} has an empty part");
    }
    assert_eq!(error.client, "node", "{error:?}");
    error
}

/// An error that trying again does not fix.
fn permanent<T: Debug>(result: ClientResult<T>) -> String {
    let error = explained(result);
    assert_eq!(error.transient, None, "{error:?}");
    error.to_string()
}

impl Suite<'_> {
    /// The same node, as the account.
    fn ours(&self, target: &NodeTarget) -> NodeTarget {
        let account = &self.rack.account;
        NodeTarget { user: account.name.clone(), credential: Credential::Key(account.key.clone()), ..target.clone() }
    }

    async fn files_are_pushed_and_known_by_their_content(&self) {
        const FOLDER: &str = "/var/cache/plinth/releases";
        let (ours, file) = (self.ours(&self.rack.fresh), &self.rack.file);
        let other = DownloadFile { sha256: "0".repeat(64), ..file.clone() };
        let missing =
            async |files: &[DownloadFile]| self.client.missing_files(self.ctx, &ours, FOLDER, files).await.unwrap();
        assert_eq!(missing(std::slice::from_ref(file)).await, [file.dest.as_str()]);
        let push = PushFile { source: &self.rack.source, folder: FOLDER, name: &file.dest, sha256: &file.sha256 };
        for _ in 0..2 {
            self.client.push_file(self.ctx, &ours, &push).await.unwrap();
            assert_eq!(missing(std::slice::from_ref(file)).await, [""; 0]);
        }
        assert_eq!(missing(&[file.clone(), other]).await, [file.dest.as_str()], "another content is not there");
        assert_eq!(missing(&[]).await, [""; 0]);
    }

    async fn meet(&self, target: &NodeTarget) -> HostKey {
        let key = self.client.host_key(self.ctx, target).await.unwrap().presented;
        self.client.pin_host_key(self.ctx, target, &key).await.unwrap();
        key
    }

    /// A call that is refused changes nothing.
    async fn unchanged<T: Debug>(&self, target: &NodeTarget, call: impl Future<Output = ClientResult<T>>) -> String {
        let before = (self.rack.fingerprint)(target);
        let said = permanent(call.await);
        assert_eq!((self.rack.fingerprint)(target), before, "{said}");
        said
    }

    async fn a_host_is_known_before_anything_is_done(&self) {
        let (client, ctx, target) = (self.client, self.ctx, &self.rack.fresh);
        let seen = client.host_key(ctx, target).await.unwrap();
        assert_eq!(seen.pinned, None);
        assert!(seen.presented.fingerprint.starts_with("SHA256:"), "{seen:?}");
        let said = self.unchanged(target, client.account(ctx, target, &self.rack.account)).await;
        assert!(said.contains("not pinned"), "{said}");
        let said = self.unchanged(target, client.make_account(ctx, target, &self.rack.account)).await;
        assert!(said.contains("not pinned"), "{said}");
        let other = HostKey { algorithm: seen.presented.algorithm.clone(), fingerprint: "SHA256:other".to_owned() };
        permanent(client.pin_host_key(ctx, target, &other).await);
        permanent(client.repin_host_key(ctx, target, &other).await);
        assert_eq!(client.host_key(ctx, target).await.unwrap().pinned, None);
        for _ in 0..2 {
            client.pin_host_key(ctx, target, &seen.presented).await.unwrap();
            let state = client.host_key(ctx, target).await.unwrap();
            assert_eq!(state.pinned, Some(seen.presented.clone()));
            assert_eq!(state.presented, seen.presented);
        }
        permanent(client.pin_host_key(ctx, target, &other).await);
    }

    async fn another_key_is_told_refused_and_pinned_anew(&self) {
        let (client, ctx, target) = (self.client, self.ctx, &self.rack.rekeyed);
        let first = self.meet(target).await;
        (self.rack.rekey)();
        let seen = client.host_key(ctx, target).await.unwrap();
        assert_ne!(seen.presented, first);
        assert_eq!(seen.pinned, Some(first.clone()));
        permanent(client.account(ctx, target, &self.rack.account).await);
        permanent(client.pin_host_key(ctx, target, &seen.presented).await);
        permanent(client.repin_host_key(ctx, target, &first).await);
        client.repin_host_key(ctx, target, &seen.presented).await.unwrap();
        let after = client.host_key(ctx, target).await.unwrap();
        assert_eq!(after.pinned, Some(after.presented));
        assert_eq!(client.account(ctx, target, &self.rack.account).await.unwrap(), AccountState::Absent);
    }

    async fn an_account_is_made_once(&self) {
        let (client, ctx, target, account) = (self.client, self.ctx, &self.rack.fresh, &self.rack.account);
        let ours = self.ours(target);
        permanent(client.facts(ctx, &ours, &Asked::default()).await);
        permanent(client.account(ctx, &ours, account).await);
        assert_eq!(client.account(ctx, target, account).await.unwrap(), AccountState::Absent);
        for _ in 0..2 {
            client.make_account(ctx, target, account).await.unwrap();
            assert_eq!(client.account(ctx, target, account).await.unwrap(), AccountState::Same);
        }
        assert_eq!(client.account(ctx, &ours, account).await.unwrap(), AccountState::Same);
    }

    async fn half_an_account_is_completed(&self) {
        let (client, ctx, target, account) = (self.client, self.ctx, &self.rack.partial, &self.rack.account);
        self.meet(target).await;
        let state = client.account(ctx, target, account).await.unwrap();
        assert!(matches!(&state, AccountState::Partial(missing) if !missing.is_empty()), "{state:?}");
        client.make_account(ctx, target, account).await.unwrap();
        assert_eq!(client.account(ctx, &self.ours(target), account).await.unwrap(), AccountState::Same);
    }

    async fn a_clash_is_refused(&self) {
        let (client, ctx, target, account) = (self.client, self.ctx, &self.rack.clash, &self.rack.account);
        self.meet(target).await;
        let state = client.account(ctx, target, account).await.unwrap();
        let AccountState::Clash(clashes) = &state else { panic!("{state:?}") };
        assert!(clashes.iter().any(|clash| clash.contains("60000")), "{clashes:?}");
        let said = self.unchanged(target, client.make_account(ctx, target, account)).await;
        assert!(said.contains("60000"), "{said}");
        assert_eq!(client.account(ctx, target, account).await.unwrap(), state);
    }

    async fn facts_answer_what_was_asked(&self) {
        let paths = ["/var", "/local", NOWHERE].map(str::to_owned).to_vec();
        let asked = Asked { paths, images: Some((FROM.to_owned(), TO.to_owned())), ..Asked::default() };
        let ours = self.ours(&self.rack.fresh);
        let facts = self.client.facts(self.ctx, &ours, &asked).await.unwrap();
        assert_eq!(facts.hostname, ours.node.as_str());
        assert!(facts.addresses.iter().any(|address| address.address == ours.address), "{facts:?}");
        assert!(facts.cpus > 0 && facts.memory_mib > 0 && facts.architecture == "x86_64", "{facts:?}");
        assert!(facts.os.len() > 1 && facts.kernel.len() > 1 && facts.package_manager.is_some(), "{facts:?}");
        assert!(matches!(facts.root.as_str(), "root" | "sudo"), "{}", facts.root);
        assert!(facts.containerd.as_ref().is_some_and(|containerd| containerd.root == FROM), "{facts:?}");
        assert!(!facts.relocated);
        let space = |path: &str| facts.space(path).map(|space| (space.exists, space.free_mib));
        let (var, local) = (space("/var").unwrap(), space("/local").unwrap());
        assert!(var.0 && local.0 && local.1 > var.1, "{facts:?}");
        assert_eq!(
            space(NOWHERE).map(|(exists, _)| exists),
            Some(false),
            "told at its nearest parent: {:?}",
            facts.spaces
        );
        assert_eq!(space("/not/asked"), None);
    }

    async fn images_move_and_the_old_copy_goes_last(&self) {
        let (client, ctx, ours) = (self.client, self.ctx, &self.ours(&self.rack.fresh));
        assert_eq!(client.storage(ctx, ours, FROM, TO).await.unwrap(), StorageState::Old);
        let said = self.unchanged(ours, client.relocate_storage(ctx, ours, FROM, NOWHERE)).await;
        assert!(said.contains("/nowhere"), "{said}");
        client.remove_old_storage(ctx, ours, FROM, TO).await.err().into_iter().for_each(|error| {
            explained::<()>(Err(error));
        });
        assert_eq!(client.storage(ctx, ours, FROM, TO).await.unwrap(), StorageState::Old);
        for _ in 0..2 {
            client.relocate_storage(ctx, ours, FROM, TO).await.unwrap();
            let state = client.storage(ctx, ours, FROM, TO).await.unwrap();
            assert!(matches!(state, StorageState::New { old_copy_mib: Some(1..) }), "{state:?}");
        }
        let images = Some((FROM.to_owned(), TO.to_owned()));
        let facts = client.facts(ctx, ours, &Asked { images, ..Asked::default() }).await.unwrap();
        assert!(facts.relocated);
        for _ in 0..2 {
            client.remove_old_storage(ctx, ours, FROM, TO).await.unwrap();
            let state = client.storage(ctx, ours, FROM, TO).await.unwrap();
            assert_eq!(state, StorageState::New { old_copy_mib: None });
        }
        client.relocate_storage(ctx, ours, FROM, TO).await.unwrap();
        assert_eq!(client.storage(ctx, ours, FROM, TO).await.unwrap(), StorageState::New { old_copy_mib: None });
    }

    async fn a_node_is_prepared_once(&self) {
        let (client, ctx, ours) = (self.client, self.ctx, &self.ours(&self.rack.fresh));
        assert_eq!(client.preparation(ctx, ours, &Preparation::default()).await.unwrap(), Vec::<String>::new());
        let hosts = [(plinth_model::Domain::fixed("runai.example.com"), Ipv4Addr::new(10, 77, 0, 11))].into();
        let wanted = Preparation { hosts, ..Preparation::default() };
        let lacks = client.preparation(ctx, ours, &wanted).await.unwrap();
        assert!(lacks.iter().any(|lack| lack.contains("runai.example.com")), "{lacks:?}");
        for _ in 0..2 {
            client.prepare(ctx, ours, &wanted).await.unwrap();
            assert_eq!(client.preparation(ctx, ours, &wanted).await.unwrap(), Vec::<String>::new());
        }
    }

    /// With Kubernetes on it, a node says so in the tests of whole runs.
    async fn a_bare_node_has_nothing_of_kubernetes(&self) {
        let (client, ctx, ours) = (self.client, self.ctx, &self.ours(&self.rack.fresh));
        for _ in 0..2 {
            assert!(client.leftovers(ctx, ours).await.unwrap().is_clean());
            client.clear_leftovers(ctx, ours).await.unwrap();
        }
    }

    async fn registries_are_set_once(&self) {
        let (client, ctx, ours) = (self.client, self.ctx, &self.ours(&self.rack.fresh));
        let mirrors =
            |registry: &str| vec![Mirror { registry: registry.to_owned(), endpoints: vec![self.rack.mirror.clone()] }];
        let (one, mut two) = (mirrors("docker.io"), mirrors("docker.io"));
        two.extend(mirrors("quay.io"));
        let wanted = |mirrors| Registries { mirrors, mirrors_by_engine: false, logins: &[] };
        let none = client.registries(ctx, ours, &wanted(&[])).await.unwrap();
        assert_eq!(none, Some(Vec::new()));
        assert_eq!(client.registries(ctx, ours, &wanted(&one)).await.unwrap(), None);
        for _ in 0..2 {
            client.set_registries(ctx, ours, &wanted(&one)).await.unwrap();
            assert_eq!(client.registries(ctx, ours, &wanted(&one)).await.unwrap(), Some(Vec::new()));
        }
        let more = client.registries(ctx, ours, &wanted(&two)).await.unwrap();
        assert!(matches!(&more, Some(lacks) if !lacks.is_empty()), "{more:?}");
        client.set_registries(ctx, ours, &wanted(&two)).await.unwrap();
        assert_eq!(client.registries(ctx, ours, &wanted(&two)).await.unwrap(), Some(Vec::new()));
    }

    async fn a_node_without_kubernetes_says_so(&self) {
        let (client, ctx, ours) = (self.client, self.ctx, &self.ours(&self.rack.fresh));
        let said = self.unchanged(ours, client.admin_config(ctx, ours)).await;
        assert!(said.contains("/etc/kubernetes/admin.conf is not there"), "{said}");
        let seen = client.control_plane(ctx, ours).await.unwrap();
        assert_eq!((seen.etcd, seen.certificates), (None, Vec::new()));
        assert_ne!(seen.kubelet, "active");
        assert_ne!(seen.nvidia_runtime, Some(true));
    }

    /// Every call, with words that name the node.
    async fn nobody_there_is_transient(&self) {
        let (client, ctx, away, account) = (self.client, self.ctx, &self.rack.unreachable, &self.rack.account);
        let key = HostKey { algorithm: "ssh-ed25519".to_owned(), fingerprint: "SHA256:other".to_owned() };
        let ours = &self.ours(away);
        let (preparation, registries) =
            (Preparation::default(), Registries { mirrors: &[], mirrors_by_engine: false, logins: &[] });
        let (relocate, remove) =
            (client.relocate_storage(ctx, ours, FROM, TO), client.remove_old_storage(ctx, ours, FROM, TO));
        let asked = Asked::default();
        let reads = async {
            tokio::join!(
                async { explained(client.host_key(ctx, away).await) },
                async { explained(client.account(ctx, away, account).await) },
                async { explained(client.facts(ctx, ours, &asked).await) },
                async { explained(client.storage(ctx, ours, FROM, TO).await) },
                async { explained(client.preparation(ctx, ours, &preparation).await) },
                async { explained(client.registries(ctx, ours, &registries).await) },
                async { explained(client.leftovers(ctx, ours).await) },
                async { explained(client.admin_config(ctx, ours).await) },
                async { explained(client.control_plane(ctx, ours).await) },
            )
        };
        let writes = async {
            tokio::join!(
                async { explained(client.pin_host_key(ctx, away, &key).await) },
                async { explained(client.repin_host_key(ctx, away, &key).await) },
                async { explained(client.make_account(ctx, away, account).await) },
                async { explained(relocate.await) },
                async { explained(remove.await) },
                async { explained(client.prepare(ctx, ours, &preparation).await) },
                async { explained(client.set_registries(ctx, ours, &registries).await) },
                async { explained(client.clear_leftovers(ctx, ours).await) },
            )
        };
        let (read, written) = tokio::join!(reads, writes);
        let errors = [
            ("host_key", read.0),
            ("account", read.1),
            ("facts", read.2),
            ("storage", read.3),
            ("preparation", read.4),
            ("registries", read.5),
            ("leftovers", read.6),
            ("admin_config", read.7),
            ("control_plane", read.8),
            ("pin_host_key", written.0),
            ("repin_host_key", written.1),
            ("make_account", written.2),
            ("relocate_storage", written.3),
            ("remove_old_storage", written.4),
            ("prepare", written.5),
            ("set_registries", written.6),
            ("clear_leftovers", written.7),
        ];
        for (call, error) in errors {
            assert!(error.transient.is_some_and(|why| !why.is_empty()), "{call}: {error:?}");
            assert!(error.doing.contains(away.node.as_str()), "{call}: {error:?}");
        }
    }
}
