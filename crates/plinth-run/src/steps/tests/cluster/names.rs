//! Names in the DNS of the cluster.

use super::*;

pub(super) fn name_seen(addresses: &[Ipv4Addr], cache: Option<&[Ipv4Addr]>) -> NameSeen {
    let caches = cache.map(|own| ("nodelocaldns".to_owned(), own.to_vec())).into_iter().collect();
    NameSeen { addresses: addresses.to_vec(), caches }
}

#[tokio::test]
async fn a_name_must_be_in_the_caches_too_and_no_former_one() {
    let wanted = Ipv4Addr::new(10, 0, 0, 1);
    let (bench, entries) =
        (Bench::new(), |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    let dns = |own| Work::ClusterDns(ClusterDns { name: NAME, address: Some(wanted), own });
    bench.fake.on("own_entries", entries(&["a.test"])).on("look_up", name_seen(&[wanted], Some(&[wanted])));
    done(bench.look(&dns(false)).await);
    bench.fake.on("own_entries", entries(&["a.test", "b.test"])).on("look_up", name_seen(&[wanted], Some(&[])));
    assert_eq!(todo(bench.look(&dns(false)).await), ["- b.test", "+ nodelocaldns: a.test → 10.0.0.1"]);
    bench.fake.on("own_entries", entries(&["a.test"])).on("look_up", name_seen(&[wanted], None));
    assert_eq!(todo(bench.look(&dns(true)).await), ["- a.test"], "a name of the cluster's own is never put in");
    let unknown = Work::ClusterDns(ClusterDns { name: NAME, address: None, own: true });
    bench.fake.on("own_entries", entries(&["b.test"]));
    assert_eq!(todo(bench.look(&unknown).await), ["- b.test"], "nobody is asked for a name without an address");
    bench.fake.on("own_entries", entries(&[]));
    done(bench.look(&unknown).await);
}

#[tokio::test]
async fn an_entry_is_waited_for_until_the_servers_have_read_it() {
    let (bench, wanted) = (Bench::new(), Ipv4Addr::new(10, 0, 0, 1));
    let dns = Work::ClusterDns(ClusterDns { name: NAME, address: Some(wanted), own: false });
    bench.fake.on("set_entry", ());
    for seen in [name_seen(&[], None), name_seen(&[wanted], None)] {
        bench.fake.on("own_entries", BTreeSet::from(["a.test".to_owned()])).on("look_up", seen);
    }
    assert_eq!(bench.act(&dns).await.unwrap(), "a.test → 10.0.0.1 added to the cluster's DNS");
    assert_eq!(bench.clock.elapsed(), deadlines::POLL_FIRST);
    bench.fake.on("set_entry", ());
    for _ in 0..looks(&dns) {
        bench.fake.on("own_entries", BTreeSet::from(["a.test".to_owned()])).on("look_up", name_seen(&[], None));
    }
    let finding = refused(bench.act(&dns).await);
    assert_eq!(finding.code, "dns.name-does-not-resolve");
    assert!(finding.evidence.contains(&"+ a.test → 10.0.0.1".to_owned()), "{finding:?}");
}
