//! Histories of the Deployment controller: those that once failed, and those that fail without one of its rules.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};
use trimtab_examples::{deployment::Rule, scenarios};
use trimtab_simulation::{Plan, Simulation, Step};

/// The spec of a Deployment of the image, with more fields.
fn spec(image: u32, more: &Value) -> Value {
    let mut spec = json!({
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web", "image": image.to_string()}},
            "spec": {"containers": [{"name": "c", "image": image.to_string()}]},
        },
    });
    spec.as_object_mut().expect("a map").extend(more.as_object().cloned().unwrap_or_default());
    spec
}

/// Creates a Deployment with the first spec, and changes it later, with the times in milliseconds.
fn is_clean(first: &Value, changes: &[(u64, Value)]) {
    let create = json!({"metadata": {"name": "web", "namespace": "default"}, "spec": first});
    let create = Step::create(&serde_json::from_value::<Deployment>(create).expect("a Deployment"));
    let mut steps = vec![(Duration::ZERO, create)];
    for (at, spec) in changes {
        let patch = Step::patch::<Deployment>("default", "web", &json!({"spec": spec}));
        steps.push((Duration::from_millis(*at), patch));
    }
    let plan: Plan = "0".parse().expect("a plan without faults");
    Simulation::new(scenarios::deployment_with(move || steps.clone())).replay(&plan).assert_clean();
}

/// A Deployment is scaled to the size that its old set has in the middle of a rollout.
#[test]
fn a_rollout_goes_on_after_a_scaling_to_the_size_of_the_old_set() {
    let rolling = json!({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 2}});
    for delay in [2, 10, 20] {
        let first = spec(1, &json!({"replicas": 10, "strategy": rolling}));
        let scaled = (3_000 + delay, json!({"replicas": 8}));
        is_clean(&first, &[(3_000, json!({"template": spec(2, &Value::Null)["template"]})), scaled]);
    }
}

/// A Deployment that is paused in the middle of a rollout, and stays so, has nothing to finish.
#[test]
fn a_deployment_that_stays_paused_is_no_failure() {
    let first = spec(1, &json!({"replicas": 6}));
    let template = json!({"template": spec(2, &Value::Null)["template"]});
    is_clean(&first, &[(3_000, template), (3_050, json!({"paused": true}))]);
}

/// Rules of the Deployment controller, taken away one at a time: which property sees it.
#[test]
fn a_deployment_controller_without_one_of_its_rules_fails_and_is_clean_with_it() {
    for (rule, property, plan) in UNRULED {
        let plan: Plan = plan.parse().expect("a plan");
        let without = Simulation::new(scenarios::deployment_without(rule)).shrink_runs(0);
        let report = without.replay(&plan);
        let [failure] = report.failures() else { panic!("{rule:?} is not missed in {plan}: {report}") };
        assert_eq!(&*failure.violation.property, property, "{failure}");
        Simulation::new(scenarios::deployment()).replay(&plan).assert_clean();
    }
}

/// A property and a plan for each rule.
const UNRULED: [(Rule, &str, &str); 5] = [
    (
        Rule::MaxSurge,
        "no more Pods wanted than desired and surge",
        "2; steps 0@5,/spec/minReadySeconds=0,/spec/strategy/rollingUpdate/maxSurge=0,/spec/replicas=1 2@9",
    ),
    (
        Rule::MaxUnavailable,
        "no fewer Pods kept than must be available",
        "2; steps 0@5,/spec/minReadySeconds=0,/spec/replicas=2,/spec/strategy/rollingUpdate/maxSurge=0 2@209",
    ),
    (Rule::History, "no revision is lost", "1; steps 1@2,/spec/minReadySeconds=0,/spec/replicas=0 4@10"),
    (
        Rule::Recreate,
        "no new Pod beside an old one",
        "1; steps 1@2,/spec/minReadySeconds=0,/spec/replicas=1 4@11400",
    ),
    (
        Rule::Pause,
        "nothing is rolled out while paused",
        "12; steps 0@8,/spec/replicas=0,/spec/strategy/rollingUpdate/maxSurge=0 8@12 9@11012",
    ),
];
