//! The scenarios of `cargo xtask simulate NAME`.

mod clock;
mod database;
mod deployment;
mod lease;
mod replicaset;
mod website;

use trimtab_simulation::Scenario;

pub use self::{
    database::database,
    deployment::{deployment, deployment_with, deployment_without},
    lease::{Removed, lease, lease_taken},
    replicaset::{
        replicaset, replicaset_adopting, replicaset_bench, replicaset_counts, replicaset_late,
        replicaset_naive, replicaset_shrinking, replicaset_unseen, replicaset_versions, replicaset_without,
    },
    website::{website, website_twice},
};
use crate::{database::Defect, deployment::Rule, replicaset::Protection};

/// Returns the scenarios by name.
///
/// `database/DEFECT` is the database operator with that defect; `lease/RULE` is the election without that rule.
pub fn all() -> Vec<(String, Scenario)> {
    let mut all = vec![
        ("replicaset".to_owned(), replicaset()),
        ("replicaset-versions".to_owned(), replicaset_versions()),
        ("replicaset-counts".to_owned(), replicaset_counts()),
        ("replicaset-adopting".to_owned(), replicaset_adopting()),
        ("replicaset-shrinking".to_owned(), replicaset_shrinking()),
        ("replicaset-unseen".to_owned(), replicaset_unseen()),
        ("replicaset/naive".to_owned(), replicaset_naive()),
        ("replicaset-late".to_owned(), replicaset_late()),
        ("lease".to_owned(), lease(None)),
        ("lease-taken".to_owned(), lease_taken()),
        ("database".to_owned(), database(None)),
        ("deployment".to_owned(), deployment()),
        ("website".to_owned(), website()),
        ("website/twice".to_owned(), website_twice()),
    ];
    all.extend(
        Protection::ALL
            .map(|protection| (format!("replicaset/{}", protection.name()), replicaset_without(protection))),
    );
    all.extend(Rule::ALL.map(|rule| (format!("deployment/{}", rule.name()), deployment_without(rule))));
    all.extend(Removed::ALL.map(|rule| (format!("lease/{}", rule.name()), lease(Some(rule)))));
    all.extend(Defect::ALL.map(|defect| (format!("database/{}", defect.name()), database(Some(defect)))));
    all
}
