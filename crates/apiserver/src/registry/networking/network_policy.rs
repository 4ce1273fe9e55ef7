//! `NetworkPolicy`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::registry::{
    Column, Kind, Strategy, cells, column,
    defaults::{self, Fields},
    validation,
    warnings::addresses,
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
        .short("netpol")
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |policy| set_spec_defaults(defaults::spec(policy)),
    counts_generations: true,
    validate: validation::policy::network_policy,
    warnings: |_, policy| warnings(policy),
    ..Strategy::PLAIN
};

fn set_spec_defaults(spec: &mut Fields) {
    let mut types = vec!["Ingress"];
    if spec.contains_key("egress") {
        types.push("Egress");
    }
    defaults::fill(spec, [("policyTypes", json!(types))]);
    for direction in ["ingress", "egress"] {
        defaults::items(spec, direction).for_each(defaults::ports);
    }
}

fn warnings(policy: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (position, rule) in validation::items(&policy["spec"], direction).iter().enumerate() {
            for (index, peer) in validation::items(rule, peers).iter().enumerate() {
                let (block, path) =
                    (&peer["ipBlock"], format!("spec.{direction}[{position}].{peers}[{index}].ipBlock"));
                found.extend(addresses::of_range(&block["cidr"], format!("{path}.cidr")));
                for (index, except) in validation::items(block, "except").iter().enumerate() {
                    found.extend(addresses::of_range(except, format!("{path}.except[{index}]")));
                }
            }
        }
    }
    found
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::computed("Pod-Selector", pod_selector)])
}

fn pod_selector(policy: &Value, _: Timestamp) -> Value {
    cells::label_selector(&policy["spec"]["podSelector"]).into()
}
