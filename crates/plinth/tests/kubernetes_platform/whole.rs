//! The whole platform: installed, proved, and left alone.

use crate::audit::Audit;
use crate::ground::{Ground, WHOLE};

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn the_whole_platform_with_helm_3() {
    Ground::with("helm3", WHOLE, |ground| whole(ground));
}

fn whole(ground: &Ground) {
    let before = Audit::from_now(&ground.plane.audit());
    ground.apply_site().exits(0);
    assert!(before.writes().len() > 100, "the search for writes finds those of an installation");
    let releases = ground.releases();
    assert!(releases.len() >= 12, "{releases:?}");
    assert!(releases.iter().all(|(_, status, revision)| status == "deployed" && revision == "1"), "{releases:?}");
    let again = Audit::from_now(&ground.plane.audit());
    ground.apply_site().exits(0);
    assert_eq!(ground.changed(), Vec::<String>::new());
    assert_eq!(again.writes(), Vec::<String>::new(), "a second apply writes nothing");
    ground.plan_is_empty();
}
