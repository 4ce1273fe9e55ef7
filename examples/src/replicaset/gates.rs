//! The feature gates that upstream's two controllers read, with upstream's names and stages.

trimtab_controller::featuregate::gates! {
    /// The gates of the Deployment and the ReplicaSet controller.
    pub set Features;

    /// Reconciles a ReplicaSet only when the caches have reached the versions of its earlier writes.
    pub STALE_CONTROLLER_CONSISTENCY_REPLICA_SET = "StaleControllerConsistencyReplicaSet" {
        1.36 => Beta, on;
    }

    /// Reports the number of terminating Pods in the statuses of Deployments and ReplicaSets.
    pub DEPLOYMENT_REPLICA_SET_TERMINATING_REPLICAS = "DeploymentReplicaSetTerminatingReplicas" {
        1.33 => Alpha, off;
        1.35 => Beta, on;
    }

    /// Deletes Pods of a lower deletion cost first.
    pub POD_DELETION_COST = "PodDeletionCost" {
        1.21 => Alpha, off;
        1.22 => Beta, on;
    }
}
