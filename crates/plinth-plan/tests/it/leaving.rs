//! What plinth installed and the site no longer wants becomes steps that take it away.

use crate::fixture::catalog::Shelf;
use crate::fixture::{inventory as data, planned, site, unseen};
use plinth_model::plan::{Plan, Step};
use plinth_model::steps::ComponentRemoval;
use plinth_model::steps::Undo;
use plinth_model::{Installed, InstalledChange, ObjectName, Parts, ReleaseName, StepId, Work};
use plinth_plan::{Components as _, Observed};
use plinth_site::Desired;
use plinth_site::desired::ComponentChoice;

fn switch(desired: &mut Desired, component: &str, enabled: bool) {
    let choice = ComponentChoice { enabled: Some(enabled), ..ComponentChoice::default() };
    desired.platform.components.insert(component.to_owned(), choice);
}

fn without(components: &[&str]) -> Desired {
    let mut desired = site::basepod();
    components.iter().for_each(|component| switch(&mut desired, component, false));
    desired
}

/// A world in which all steps of this plan were carried out, in their order.
fn after(plan: &Plan) -> Observed {
    let mut observed = unseen(data::basepod());
    plan.steps.iter().filter_map(|step| step.work.installed()).for_each(|change| observed.installed.take(&change));
    observed
}

fn removals(plan: &Plan) -> Vec<&Step> {
    plan.steps.iter().filter(|step| step.id.verb() == "remove").collect()
}

fn place(plan: &Plan, id: &StepId) -> usize {
    plan.steps.iter().position(|step| step.id == *id).unwrap()
}

fn parts(step: &Step) -> &Parts {
    let Work::ComponentRemoval(ComponentRemoval { parts, .. }) = &step.work else { panic!("{step:?}") };
    parts
}

#[test]
fn what_is_wanted_stays_and_what_nobody_installed_is_not_removed() {
    let whole = planned(&site::basepod(), &unseen(data::basepod()));
    assert!(removals(&planned(&site::basepod(), &after(&whole))).is_empty());
    assert_eq!(planned(&site::basepod(), &after(&whole)).hash, whole.hash, "what is there and wanted moves no plan");
    assert!(removals(&planned(&without(&["lws"]), &unseen(data::basepod()))).is_empty());
}

#[test]
fn a_component_that_is_switched_off_is_removed_and_says_what_is_lost() {
    let before = after(&planned(&site::basepod(), &unseen(data::basepod())));
    let plan = planned(&without(&["knative-operator", "runai-cluster"]), &before);
    let removals = removals(&plan);
    let ids: Vec<&str> = removals.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["platform/remove/runai-cluster", "platform/remove/knative-operator"], "users go first");
    assert!(removals[1].needs.contains(&removals[0].id), "{:?}", removals[1].needs);
    let knative = removals[1];
    assert_eq!(parts(knative).objects.len(), 1, "{:?}", parts(knative));
    let destroys = knative.work.destroys().unwrap();
    for text in ["KnativeServing", "uninstalls knative-operator/", "custom resource definitions go", "Knative serves"] {
        assert!(destroys.contains(text), "{destroys}");
    }
    assert!(
        matches!(knative.work.properties().undo, Undo::Compensate(_)) && knative.reason.contains("no longer wants")
    );
    let mut left = before.clone();
    plan.steps.iter().filter_map(|step| step.work.installed()).for_each(|change| left.installed.take(&change));
    assert!(left.installed.components().iter().all(|parts| parts.component != "knative-operator"), "{left:?}");
    assert!(plan_removals(&without(&["knative-operator", "runai-cluster"]), &left).is_empty());
}

fn plan_removals(desired: &Desired, observed: &Observed) -> Vec<String> {
    removals(&planned(desired, observed)).iter().map(|step| step.id.to_string()).collect()
}

#[test]
fn storage_goes_behind_everything_that_uses_it_and_before_the_proof() {
    let before = after(&planned(&site::basepod(), &unseen(data::basepod())));
    let plan = planned(&without(&["local-path-provisioner"]), &before);
    let [storage] = removals(&plan)[..] else { panic!("one removal") };
    assert!(storage.work.destroys().unwrap().contains("stay on the nodes"), "{storage:?}");
    for user in
        Shelf::default().resolve(&without(&[]), &plinth_plan::facts::facts(&without(&[]), &cluster())).components
    {
        if user.needs.iter().any(|need| need == "local-path-provisioner") {
            let release = StepId::new("platform", "release", &user.name);
            assert!(
                place(&plan, &release) < place(&plan, &storage.id) && storage.needs.contains(&release),
                "{release}"
            );
        }
    }
    let proof = StepId::new("checks", "storage", "default");
    assert!(plan.steps[place(&plan, &proof)].needs.contains(&storage.id));
}

fn cluster() -> plinth_plan::Cluster {
    let desired = site::basepod();
    plinth_plan::Cluster::new(&desired, &plinth_plan::discover(&desired, &data::basepod())).0
}

#[test]
fn a_release_that_moves_makes_room_before_it_is_installed_anew() {
    let mut before = after(&planned(&site::basepod(), &unseen(data::basepod())));
    let old = ReleaseName { namespace: "elsewhere".into(), name: "lws".into() };
    let parts = Parts { component: "lws".into(), releases: [old.clone()].into(), ..Parts::default() };
    before.installed.take(&InstalledChange::Brings(parts));
    let plan = planned(&site::basepod(), &before);
    let [moved] = removals(&plan)[..] else { panic!("one removal") };
    assert_eq!(self::parts(moved).releases, [old].into());
    let release = StepId::new("platform", "release", "lws");
    assert!(plan.steps[place(&plan, &release)].needs.contains(&moved.id));
    assert!(moved.reason.contains("moves to namespace lws-system"), "{}", moved.reason);
}

#[test]
fn an_object_that_the_site_dropped_goes_and_its_component_stays() {
    let mut before = after(&planned(&site::basepod(), &unseen(data::basepod())));
    let pool = ObjectName {
        api_version: "metallb.io/v1beta1".into(),
        kind: "IPAddressPool".into(),
        namespace: "metallb-system".into(),
        name: "old".into(),
    };
    let parts = Parts { component: "knative-operator".into(), objects: [pool.clone()].into(), ..Parts::default() };
    before.installed.take(&InstalledChange::Brings(parts));
    let plan = planned(&site::basepod(), &before);
    let [dropped] = removals(&plan)[..] else { panic!("one removal") };
    assert!(self::parts(dropped).objects == [pool].into() && self::parts(dropped).releases.is_empty());
    assert!(dropped.needs.contains(&StepId::new("platform", "objects", "knative-operator")), "{:?}", dropped.needs);
}

#[test]
fn an_object_that_clashes_with_a_wanted_one_goes_before_that_is_applied() {
    let mut desired = site::basepod();
    desired.platform.load_balancer = vec!["10.184.162.200-10.184.162.210".to_owned()];
    let mut before = after(&planned(&desired, &unseen(data::basepod())));
    let pool = ObjectName {
        api_version: "metallb.io/v1beta1".into(),
        kind: "IPAddressPool".into(),
        namespace: "metallb-system".into(),
        name: "ingress-10.184.162.200".into(),
    };
    let parts = Parts { component: "metallb".into(), objects: [pool.clone()].into(), ..Parts::default() };
    before.installed.take(&InstalledChange::Brings(parts));
    let plan = planned(&desired, &before);
    let [dropped] = removals(&plan)[..] else { panic!("one removal") };
    assert!(self::parts(dropped).objects == [pool].into() && self::parts(dropped).releases.is_empty());
    let needs = |verb: &str| plan.steps[place(&plan, &StepId::new("platform", verb, "metallb"))].needs.clone();
    assert!(needs("objects").contains(&dropped.id), "its webhook refuses an address that is in two pools");
    assert!(!needs("release").contains(&dropped.id), "the release itself clashes with nothing");
    assert!(dropped.needs.contains(&StepId::new("platform", "release", "metallb")), "{:?}", dropped.needs);
    assert!(dropped.work.destroys().unwrap().contains("away until the new objects are there"));
    assert!(dropped.reason.contains("clash with what it wants now"), "{}", dropped.reason);
}

#[test]
fn a_component_that_the_catalog_does_not_know_any_more_is_removed_all_the_same() {
    let mut before = unseen(data::basepod());
    let release = ReleaseName { namespace: "old".into(), name: "old".into() };
    let parts = Parts { component: "old".into(), releases: [release].into(), ..Parts::default() };
    before.installed = Installed::default();
    before.installed.take(&InstalledChange::Brings(parts));
    assert_eq!(plan_removals(&site::basepod(), &before), ["platform/remove/old"]);
}

#[test]
fn what_takes_the_place_of_another_waits_until_that_is_gone() {
    let mut before = after(&planned(&site::basepod(), &unseen(data::basepod())));
    let other = ReleaseName { namespace: "haproxy-ingress".into(), name: "kubernetes-ingress".into() };
    let parts = Parts { component: "haproxy-ingress".into(), releases: [other].into(), ..Parts::default() };
    before.installed.take(&InstalledChange::Brings(parts));
    let plan = planned(&site::basepod(), &before);
    let [gone] = removals(&plan)[..] else { panic!("one removal") };
    assert_eq!(gone.id.as_str(), "platform/remove/haproxy-ingress");
    assert!(gone.reason.contains("ingress-nginx takes the place of HAProxy"), "{}", gone.reason);
    let release = StepId::new("platform", "release", "ingress-nginx");
    assert!(plan.steps[place(&plan, &release)].needs.contains(&gone.id), "both want the same node ports");
    assert!(gone.work.destroys().unwrap().contains("nothing behind an Ingress is reached"));
}
