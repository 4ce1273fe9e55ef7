//! The cases, a file for each group of rules.

mod about;
mod apply;
mod bad_input;
mod chunking;
mod clients;
mod columns;
mod custom;
mod custom_values;
mod defaults;
mod definition;
mod deletion;
mod dry_run;
mod expressions;
mod fixed_fields;
mod forms;
mod garbage;
mod json_patches;
mod kinds;
mod lists;
mod more_refusals;
mod names;
mod namespaces;
mod numbers;
mod patches;
mod pruning;
mod refusals;
mod refused;
mod rules;
mod selectors;
mod strategic;
mod streaming;
mod subresources;
mod tokens;
mod validation;
mod versions;
mod warnings;
mod watches;
mod yaml;

use crate::case::Case;
use crate::run::Chosen;

/// The groups in the order in which they are listed.
const GROUPS: &[(&str, &[Case])] = &[
    ("lists", lists::CASES),
    ("versions", versions::CASES),
    ("chunking", chunking::CASES),
    ("watches", watches::CASES),
    ("streaming", streaming::CASES),
    ("patches", patches::CASES),
    ("json_patches", json_patches::CASES),
    ("strategic", strategic::CASES),
    ("apply", apply::CASES),
    ("validation", validation::CASES),
    ("dry_run", dry_run::CASES),
    ("deletion", deletion::CASES),
    ("garbage", garbage::CASES),
    ("namespaces", namespaces::CASES),
    ("names", names::CASES),
    ("subresources", subresources::CASES),
    ("tokens", tokens::CASES),
    ("defaults", defaults::CASES),
    ("selectors", selectors::CASES),
    ("forms", forms::CASES),
    ("custom", custom::CASES),
    ("custom_values", custom_values::CASES),
    ("pruning", pruning::CASES),
    ("columns", columns::CASES),
    ("expressions", expressions::CASES),
    ("warnings", warnings::CASES),
    ("yaml", yaml::CASES),
    ("numbers", numbers::CASES),
    ("refused", refused::CASES),
    ("refusals", refusals::CASES),
    ("more_refusals", more_refusals::CASES),
    ("fixed_fields", fixed_fields::CASES),
    ("rules", rules::CASES),
    ("bad_input", bad_input::CASES),
    ("about", about::CASES),
    ("kinds", kinds::CASES),
    ("clients", clients::CASES),
];

/// Every case, under its group.
pub(crate) fn all() -> impl Iterator<Item = Chosen> {
    GROUPS.iter().flat_map(|(group, cases)| cases.iter().map(move |case| (*group, case)))
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
            assert!(case.rule.trim().ends_with('.') && !case.source.is_empty(), "{group}/{}", case.name);
        }
    }
}
