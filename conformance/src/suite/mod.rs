//! The cases, in one file or several for each group of rules.
//!
//! A case is a function that checks one rule. The table at the top of its file, `cases`, lists it with the
//! rule and its source.

mod about;
mod apply;
mod bad_requests;
mod bad_values;
mod chunking;
mod class_refusals;
mod clients;
mod cluster_refusals;
mod columns;
mod converted;
mod custom;
mod custom_features;
mod custom_values;
mod data;
mod defaults;
mod definition;
mod delete_options;
mod deletion;
mod discovery;
mod dry_run;
mod events_and_leases;
mod expressions;
mod fixed_fields;
mod forms;
mod garbage;
mod grace;
mod jobs;
mod json_patches;
mod kinds;
mod left_out;
mod lists;
mod managers;
mod names;
mod namespaces;
mod numbers;
mod patches;
mod pod_defaults;
mod pod_subresources;
mod pruning;
mod quotas;
mod refusals;
mod refused;
mod rule_evaluation;
mod rules;
mod selectors;
mod services;
mod strategic;
mod streaming;
mod subresources;
mod tables;
mod tokens;
mod validation;
mod versions;
mod warnings;
mod watch_scope;
mod watches;
mod workload_refusals;
mod yaml;

use crate::case::Case;
use crate::run::Chosen;

/// The name of a group and the table of one of its files.
type Group = (&'static str, fn() -> Vec<Case>);

/// The groups in the order in which they are listed, each as often as it has files.
const GROUPS: &[Group] = &[
    ("lists", lists::cases),
    ("versions", versions::cases),
    ("chunking", chunking::cases),
    ("watches", watches::cases),
    ("watches", watch_scope::cases),
    ("streaming", streaming::cases),
    ("patches", patches::cases),
    ("json_patches", json_patches::cases),
    ("strategic", strategic::cases),
    ("strategic", converted::cases),
    ("apply", managers::cases),
    ("apply", apply::cases),
    ("validation", validation::cases),
    ("dry_run", dry_run::cases),
    ("deletion", deletion::cases),
    ("deletion", grace::cases),
    ("deletion", delete_options::cases),
    ("garbage", garbage::cases),
    ("namespaces", namespaces::cases),
    ("names", names::cases),
    ("subresources", subresources::cases),
    ("subresources", pod_subresources::cases),
    ("tokens", tokens::cases),
    ("defaults", pod_defaults::cases),
    ("defaults", defaults::cases),
    ("selectors", selectors::cases),
    ("forms", tables::cases),
    ("forms", forms::cases),
    ("custom", custom::cases),
    ("custom", custom_features::cases),
    ("custom_values", custom_values::cases),
    ("pruning", pruning::cases),
    ("columns", columns::cases),
    ("expressions", expressions::cases),
    ("warnings", warnings::cases),
    ("yaml", yaml::cases),
    ("numbers", numbers::cases),
    ("refused", refused::cases),
    ("refusals", refusals::cases),
    ("services", services::cases),
    ("data", data::cases),
    ("jobs", jobs::cases),
    ("more_refusals", cluster_refusals::cases),
    ("more_refusals", class_refusals::cases),
    ("more_refusals", workload_refusals::cases),
    ("fixed_fields", fixed_fields::cases),
    ("rules", rules::cases),
    ("rules", rule_evaluation::cases),
    ("bad_input", bad_requests::cases),
    ("bad_input", bad_values::cases),
    ("about", discovery::cases),
    ("about", about::cases),
    ("kinds", events_and_leases::cases),
    ("kinds", kinds::cases),
    ("kinds", left_out::cases),
    ("quotas", quotas::cases),
    ("clients", clients::cases),
];

/// Every case, under its group.
pub(crate) fn all() -> impl Iterator<Item = Chosen> {
    GROUPS.iter().flat_map(|(group, cases)| cases().into_iter().map(move |case| (*group, case)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_every_case_says_its_rule_and_source() {
        let mut names = BTreeSet::new();
        for (group, case) in all() {
            assert!(names.insert((group, case.name)), "{group}/{} is there twice", case.name);
            assert!(case.rule.ends_with('.') && !case.source.is_empty(), "{group}/{}", case.name);
        }
    }
}
