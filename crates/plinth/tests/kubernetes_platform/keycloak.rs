//! Run:ai whose tokens a **real Keycloak** issues: a whole apply with plinth's own program, from a Keycloak that was told the wrong host name to
//! a registered and connected cluster, with tokens that end while it is at work.

use crate::ground::{DOMAIN, Ground, STANDARD};
use plinth_lab::Keycloak;

/// Seconds that a token is valid: less than what follows the first one takes.
const BRIEF: u32 = 3;

#[test]
#[ignore = "needs root, Go, Java and Maven: cargo xtask test --tier kubernetes"]
fn a_real_keycloak_is_told_its_name_and_its_tokens_register_the_cluster() {
    let port = Keycloak::free_port().unwrap();
    Ground::behind(port, STANDARD, |ground| {
        // Its whole URL is meant, with the path below which it stands: without it, the path is gone from every token.
        let wrong = Keycloak::start(port, &format!("https://{DOMAIN}")).unwrap();
        let ran = ground.apply_site().exits(4);
        ran.says("Keycloak names another issuer than the one that Run:ai expects")
            .says(&format!("expected: https://{DOMAIN}/auth/realms/runai"))
            .says(&format!("found:    https://{DOMAIN}/realms/runai"))
            .says("KC_HOSTNAME");
        let registered = |ground: &Ground| {
            let runai = ground.operators.runai.lock().unwrap();
            let runai = runai.as_ref().unwrap();
            (runai.entries("played").len(), runai.served().iter().filter(|call| *call == "token").count())
        };
        assert_eq!(registered(ground), (0, 0), "nobody asked for a token that would be refused");
        drop(wrong);
        let _right = Keycloak::start_brief(port, &format!("https://{DOMAIN}/auth"), BRIEF).unwrap();
        ground.apply_site().exits(0);
        let (clusters, tokens) = registered(ground);
        assert_eq!(clusters, 1);
        assert!(tokens > 1, "no token ended while it was at work");
        assert_eq!(ground.operators.runai.lock().unwrap().as_ref().unwrap().unexpected(), Vec::<String>::new());
        ground.plan_is_empty();
    });
}
