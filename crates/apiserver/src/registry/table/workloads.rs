//! The kinds of what runs Pods, and of what scales and protects them.

use super::columns;
use crate::registry::Kind;

pub(super) fn kinds() -> Vec<Kind> {
    let apps = |kind, plural| Kind::plain("apps", "v1", kind, plural);
    let batch = |kind, plural| Kind::plain("batch", "v1", kind, plural).all().status();
    let scaler = |version| {
        Kind::plain("autoscaling", version, "HorizontalPodAutoscaler", "horizontalpodautoscalers")
            .stored("autoscaling", "v2")
            .short("hpa")
            .all()
            .status()
            .columns(columns::pod_autoscaler())
    };
    let scheduling = |kind, plural| Kind::plain("scheduling.k8s.io", "v1", kind, plural).cluster();
    vec![
        apps("ControllerRevision", "controllerrevisions").columns(columns::controller_revision()),
        apps("DaemonSet", "daemonsets").short("ds").all().status().columns(columns::daemon_set()),
        apps("Deployment", "deployments")
            .short("deploy")
            .all()
            .status()
            .scale()
            .columns(columns::deployment()),
        apps("ReplicaSet", "replicasets").short("rs").all().status().scale().columns(columns::replica_set()),
        apps("StatefulSet", "statefulsets")
            .short("sts")
            .all()
            .status()
            .scale()
            .columns(columns::stateful_set()),
        scaler("v1"),
        scaler("v2"),
        batch("CronJob", "cronjobs").short("cj").columns(columns::cron_job()),
        batch("Job", "jobs").columns(columns::job()),
        Kind::plain("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
            .short("pdb")
            .status()
            .columns(columns::disruption_budget()),
        scheduling("PriorityClass", "priorityclasses").short("pc").columns(columns::priority_class()),
    ]
}
