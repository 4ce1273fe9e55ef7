//! The ReplicaSet controller over the in-process API server, in virtual time.

mod deployments;
mod events;
mod failures;
mod gates;
mod syncs;
mod world;

use trimtab_controller::featuregate::TestGuard;

use crate::{failures::*, syncs::*};

/// A state of the feature gates that decide which writes a set waits for.
#[derive(Debug, Clone, Copy)]
enum Gates {
    Default,
    /// A lost reply is taken for a refusal, as upstream does.
    WithoutUnknownOutcomes,
    /// Counts alone, as upstream before 1.36.
    WithoutVersions,
}

impl Gates {
    /// Sets the gates on this thread, until the guards are dropped.
    fn enter(self) -> Vec<TestGuard> {
        match self {
            Self::Default => vec![],
            Self::WithoutUnknownOutcomes => {
                vec![trimtab_controller::gates::UNKNOWN_OUTCOME_CONSISTENCY.set_for_test(false)]
            }
            Self::WithoutVersions => {
                vec![trimtab_controller::gates::STALE_CONTROLLER_CONSISTENCY.set_for_test(false)]
            }
        }
    }
}

/// Runs each behaviour in every state of the gates.
macro_rules! in_every_state_of_the_gates {
    ($($behaviour:ident),* $(,)?) => {
        in_every_state_of_the_gates!(@state default_gates Default $($behaviour)*);
        in_every_state_of_the_gates!(@state without_unknown_outcomes WithoutUnknownOutcomes $($behaviour)*);
        in_every_state_of_the_gates!(@state without_versions WithoutVersions $($behaviour)*);
    };
    (@state $name:ident $gates:ident $($behaviour:ident)*) => {
        mod $name {
            $(
                #[tokio::test(start_paused = true)]
                async fn $behaviour() {
                    super::$behaviour(super::Gates::$gates).await;
                }
            )*
        }
    };
}

in_every_state_of_the_gates! {
    a_set_gets_its_replicas_and_says_so,
    scaling_creates_or_deletes_exactly_the_difference,
    orphans_are_adopted_and_relabelled_pods_released,
    a_lagging_cache_makes_no_pod_too_many,
    refused_creates_start_slowly_and_are_told,
    a_set_that_is_recreated_starts_afresh,
    large_sets_come_in_waves,
    pods_become_available_after_their_time,
    terminating_pods_are_told_while_they_last,
    a_set_that_is_being_deleted_creates_nothing,
    a_failing_adoption_creates_nothing,
    pods_that_vanish_behind_a_compaction_are_replaced,
    a_delete_that_is_refused_with_a_conflict_is_tried_again,
    a_status_that_is_refused_with_a_conflict_is_read_again_once,
    requests_that_hang_stop_no_other_set,
    a_pod_is_made_of_the_template_with_a_generated_name_and_a_controller,
    a_pod_with_a_condition_of_the_year_9999_counts_after_a_restart,
    a_name_in_the_template_does_not_reach_the_pods,
}
