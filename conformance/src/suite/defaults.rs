//! Defaults of other kinds, and generations.

use super::definition::Definition;
use crate::case::{Case, Outcome, case};
use crate::objects::{bound_pod, config_map, pod, workload};
use crate::site::{MERGE, STRATEGIC, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_deployments_defaults)
            .rule("A Deployment's defaults.")
            .source("apps/v1: SetDefaults_Deployment"),
        case(a_replica_sets_defaults)
            .rule("A ReplicaSet's defaults; its template's labels become its own where it has none.")
            .source("apps/v1: SetDefaults_ReplicaSet"),
        case(a_stateful_sets_defaults)
            .rule("A StatefulSet's defaults.")
            .source("apps/v1: SetDefaults_StatefulSet"),
        case(a_daemon_sets_defaults).rule("A DaemonSet's defaults.").source("apps/v1: SetDefaults_DaemonSet"),
        case(a_jobs_defaults)
            .rule("A Job's defaults, and the selector and labels that the server makes.")
            .source("batch/v1: SetDefaults_Job"),
        case(a_cron_jobs_defaults).rule("A CronJob's defaults.").source("batch/v1: SetDefaults_CronJob"),
        case(a_services_defaults)
            .rule("A headless Service's defaults.")
            .source("core/v1: SetDefaults_Service"),
        case(a_secrets_defaults)
            .rule("A Secret's type is Opaque, and its text becomes data.")
            .source("core/v1: SetDefaults_Secret"),
        case(quantities_are_canonical)
            .rule("Quantities are written in their canonical form.")
            .source("apimachinery: resource.Quantity"),
        case(a_config_map_has_no_generation)
            .rule("A ConfigMap has no generation.")
            .source("API conventions: generation"),
        case(a_generation_is_the_servers)
            .rule("A generation that a client writes is not taken.")
            .source("registry/rest: PrepareForUpdate"),
        case(the_spec_is_a_generation)
            .rule("Labels, annotations and the status are no generation; the spec is.")
            .source("API conventions: generation"),
        case(a_deployments_annotations_are_a_generation)
            .rule("A Deployment's annotations are a generation: its controller copies them.")
            .source("registry/apps/deployment: PrepareForUpdate"),
        case(a_pod_has_a_generation).rule("A Pod has a generation, too.").source("KEP-5067"),
        case(ephemeral_containers)
            .rule("Ephemeral containers have the defaults of others.")
            .source("kubernetes/pkg/apis/core/v1: SetDefaults_Container"),
        case(the_port_of_a_conversion)
            .rule("The service that converts a definition's objects has a port.")
            .source("apiextensions: SetDefaults_ServiceReference"),
        case(evictions_of_v1beta1)
            .rule("Evictions of the older version are taken.")
            .source("kubernetes/pkg/registry/core/pod/storage/eviction.go"),
    ]
}

async fn a_deployments_defaults(site: Site) -> Outcome {
    let mut body = workload("a", 0);
    body["spec"].as_object_mut().map(|spec| spec.remove("replicas"));
    site.create("apps/v1/deployments?dryRun=All", body)
        .await?
        .is("/spec/replicas", 1)?
        .is("/spec/revisionHistoryLimit", 10)?
        .is("/spec/progressDeadlineSeconds", 600)?
        .is("/spec/strategy/type", "RollingUpdate")?
        .is("/spec/strategy/rollingUpdate/maxSurge", "25%")?
        .is("/spec/strategy/rollingUpdate/maxUnavailable", "25%")?
        .is("/spec/template/spec/restartPolicy", "Always")?
        .is("/spec/template/spec/containers/0/imagePullPolicy", "IfNotPresent")?;
    Ok(())
}

async fn a_replica_sets_defaults(site: Site) -> Outcome {
    let mut body = workload("a", 0);
    body["spec"].as_object_mut().map(|spec| spec.remove("replicas"));
    site.create("apps/v1/replicasets?dryRun=All", body)
        .await?
        .is("/spec/replicas", 1)?
        .is("/spec/template/spec/dnsPolicy", "ClusterFirst")?;
    Ok(())
}

async fn a_stateful_sets_defaults(site: Site) -> Outcome {
    site.create("apps/v1/statefulsets", workload("a", 0))
        .await?
        .is("/spec/podManagementPolicy", "OrderedReady")?
        .is("/spec/updateStrategy/type", "RollingUpdate")?
        .is("/spec/updateStrategy/rollingUpdate/partition", 0)?
        .is("/spec/revisionHistoryLimit", 10)?
        .is("/spec/persistentVolumeClaimRetentionPolicy/whenDeleted", "Retain")?;
    Ok(())
}

async fn a_daemon_sets_defaults(site: Site) -> Outcome {
    let mut body = workload("a", 0);
    body["spec"].as_object_mut().map(|spec| spec.remove("replicas"));
    site.create("apps/v1/daemonsets", body)
        .await?
        .is("/spec/updateStrategy/type", "RollingUpdate")?
        .is("/spec/updateStrategy/rollingUpdate/maxUnavailable", 1)?
        .is("/spec/updateStrategy/rollingUpdate/maxSurge", 0)?
        .is("/spec/revisionHistoryLimit", 10)?;
    Ok(())
}

async fn a_jobs_defaults(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "spec": {
        "suspend": true,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "x", "image": "x:1"}]}},
    }});
    let made = site
        .create("batch/v1/jobs", body)
        .await?
        .is("/spec/backoffLimit", 6)?
        .is("/spec/parallelism", 1)?
        .is("/spec/completions", 1)?
        .is("/spec/completionMode", "NonIndexed")?
        .is("/spec/template/metadata/labels/batch.kubernetes.io~1job-name", "a")?;
    let uid = made.text("/metadata/uid").to_owned();
    made.is("/spec/selector/matchLabels/batch.kubernetes.io~1controller-uid", uid)?;
    Ok(())
}

async fn a_cron_jobs_defaults(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "spec": {
        "schedule": "0 0 * * *",
        "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "x", "image": "x:1"}],
        }}}},
    }});
    site.create("batch/v1/cronjobs", body)
        .await?
        .is("/spec/concurrencyPolicy", "Allow")?
        .is("/spec/suspend", false)?
        .is("/spec/successfulJobsHistoryLimit", 3)?
        .is("/spec/failedJobsHistoryLimit", 1)?;
    Ok(())
}

async fn a_services_defaults(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "spec": {
        "clusterIP": "None",
        "selector": {"x": "y"},
        "ports": [{"port": 80}],
    }});
    site.create("services", body)
        .await?
        .is("/spec/type", "ClusterIP")?
        .is("/spec/sessionAffinity", "None")?
        .is("/spec/ports/0/protocol", "TCP")?
        .is("/spec/ports/0/targetPort", 80)?
        .is("/spec/internalTrafficPolicy", "Cluster")?;
    Ok(())
}

async fn a_secrets_defaults(site: Site) -> Outcome {
    site.create("secrets", json!({"metadata": {"name": "a"}, "stringData": {"x": "secret"}}))
        .await?
        .is("/type", "Opaque")?
        .is("/data/x", "c2VjcmV0")?
        .lacks("/stringData")?;
    Ok(())
}

async fn quantities_are_canonical(site: Site) -> Outcome {
    let mut body = pod("a");
    body["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "1000m", "memory": "1024Mi"}});
    site.create("pods", body)
        .await?
        .is("/spec/containers/0/resources/requests/cpu", "1")?
        .is("/spec/containers/0/resources/requests/memory", "1Gi")?
        .is("/status/qosClass", "Burstable")?;
    let with = |resources: Value| {
        let mut body = pod("b");
        body["spec"]["containers"][0]["resources"] = resources;
        body
    };
    let amounts = json!({
        "requests": {"cpu": "1e3", "memory": "0.1Gi"}, "limits": {"ephemeral-storage": "1n"},
    });
    site.create("pods", with(amounts))
        .await?
        .is("/spec/containers/0/resources/requests/cpu", "1e3")?
        .is("/spec/containers/0/resources/requests/memory", "107374182400m")?
        .is("/spec/containers/0/resources/limits/ephemeral-storage", "1m")?;
    let negative = site.post("pods?dryRun=All", with(json!({"requests": {"memory": "-1"}}))).await?;
    negative.invalid("FieldValueInvalid", "spec.containers[0].resources.requests[memory]")?;
    Ok(())
}

async fn a_config_map_has_no_generation(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?.lacks("/metadata/generation")?;
    Ok(())
}

async fn a_generation_is_the_servers(site: Site) -> Outcome {
    let mut made =
        site.create("apps/v1/deployments", workload("a", 0)).await?.is("/metadata/generation", 1)?.json;
    made["metadata"]["generation"] = json!(77);
    site.put("apps/v1/deployments/a", made).await?.is("/metadata/generation", 1)?;
    Ok(())
}

async fn the_spec_is_a_generation(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let path = "apps/v1/deployments/a";
    site.patch(MERGE, path, json!({"metadata": {"labels": {"x": "y"}}}))
        .await?
        .is("/metadata/generation", 1)?;
    site.patch(MERGE, &format!("{path}/status"), json!({"status": {"replicas": 0, "observedGeneration": 1}}))
        .await?
        .is("/metadata/generation", 1)?;
    site.patch(MERGE, path, json!({"spec": {"paused": true}})).await?.is("/metadata/generation", 2)?;
    Ok(())
}

async fn a_deployments_annotations_are_a_generation(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    site.patch(MERGE, "apps/v1/deployments/a", json!({"metadata": {"annotations": {"x": "y"}}}))
        .await?
        .is("/metadata/generation", 2)?;
    site.create("apps/v1/replicasets", workload("a", 0)).await?;
    site.patch(MERGE, "apps/v1/replicasets/a", json!({"metadata": {"annotations": {"x": "y"}}}))
        .await?
        .is("/metadata/generation", 1)?;
    Ok(())
}

async fn a_pod_has_a_generation(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?.is("/metadata/generation", 1)?;
    site.patch(MERGE, "pods/a", json!({"spec": {"activeDeadlineSeconds": 5}}))
        .await?
        .is("/metadata/generation", 2)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn ephemeral_containers(site: Site) -> Outcome {
    let object = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "b"}]}});
    site.create("pods", object).await?;
    let body = json!({"spec": {"ephemeralContainers": [{"name": "d", "image": "x"}]}});
    let whole = json!([{
        "name": "d", "image": "x", "imagePullPolicy": "Always", "resources": {},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    }]);
    site.patch(STRATEGIC, "pods/a/ephemeralcontainers", body)
        .await?
        .code(200)?
        .is("/spec/ephemeralContainers", whole)?;
    Ok(())
}

async fn the_port_of_a_conversion(site: Site) -> Outcome {
    let mut body = Definition::new(&site).body();
    body["spec"]["preserveUnknownFields"] = json!(false);
    body["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": {
        "conversionReviewVersions": ["v1"], "clientConfig": {"service": {"namespace": "a", "name": "b"}},
    }});
    site.post(&format!("{}?dryRun=All", Definition::PATH), body)
        .await?
        .code(201)?
        .is("/spec/conversion/webhook/clientConfig/service/port", 443)?
        .lacks("/spec/preserveUnknownFields")?;
    Ok(())
}

async fn evictions_of_v1beta1(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "b"}]}});
    site.create("pods", body).await?;
    let object = json!({"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": "a"}});
    site.post("pods/a/eviction", object).await?.code(201)?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
}
