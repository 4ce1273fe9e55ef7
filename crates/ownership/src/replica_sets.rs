//! The filter of ReplicaSets that a Deployment scales: upstream's `FilterActiveReplicaSets`.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::ReplicaSet;

/// Keeps the ReplicaSets that want at least one Pod. A set without `replicas` wants one.
pub fn active_replica_sets(sets: impl IntoIterator<Item = Arc<ReplicaSet>>) -> Vec<Arc<ReplicaSet>> {
    sets.into_iter().filter(|set| set.spec.replicas.unwrap_or(1) > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EX-T8: upstream's `TestActiveReplicaSetsFiltering`.
    #[test]
    fn sets_that_want_no_pods_are_left_out() {
        let set = |name: &str, replicas: Option<i32>| {
            let mut set = ReplicaSet::default();
            (set.metadata.name, set.spec.replicas) = (Some(name.to_owned()), replicas);
            Arc::new(set)
        };
        let sets = [set("zero", Some(0)), set("one", Some(1)), set("unset", None), set("ten", Some(10))];
        let active = active_replica_sets(sets);
        let names: Vec<_> = active.iter().filter_map(|set| set.metadata.name.as_deref()).collect();
        assert_eq!(names, ["one", "unset", "ten"]);
    }
}
