//! Validation of Services, Secrets, Jobs, `CronJob`s, workloads, claims and disruption budgets.

use crate::answer::Mismatch;
use crate::case::{Case, Outcome, case};
use crate::objects::extended;
use crate::site::Site;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(services)
            .rule("Services: ports, selectors, addresses and what only balancers have.")
            .source("kubernetes/pkg/apis/core/validation: ValidateService"),
        case(secrets)
            .rule("Secrets have the keys of their types.")
            .source("kubernetes/pkg/apis/core/validation: ValidateSecret"),
        case(jobs)
            .rule("Jobs: indexes, selectors and policies.")
            .source("kubernetes/pkg/apis/batch/validation: ValidateJob"),
        case(cron_jobs)
            .rule("CronJobs: schedules as robfig/cron reads them, and explicit time zones.")
            .source("kubernetes/pkg/apis/batch/validation: ValidateCronJobCreate"),
        case(workloads)
            .rule("Deployments and StatefulSets: numbers, percentages and strategies.")
            .source("kubernetes/pkg/apis/apps/validation"),
        case(names_within_sets)
            .rule("The host name in a StatefulSet's template is not validated: each Pod gets its own.")
            .source("kubernetes/pkg/apis/apps/validation: ValidateStatefulSetSpec"),
        case(claims_and_budgets)
            .rule("Claims and disruption budgets.")
            .source("kubernetes/pkg/apis: ValidatePersistentVolumeClaim, ValidatePodDisruptionBudget"),
    ]
}

/// Each spec is refused, for this field.
pub(super) async fn refuse(site: &Site, path: &str, bodies: &[(Value, &str, &str)]) -> Result<(), Mismatch> {
    for (body, reason, field) in bodies {
        let mut body = body.clone();
        if body["metadata"].is_null() {
            body["metadata"] = json!({"name": "a"});
        }
        site.post(&format!("{path}?dryRun=All"), body).await?.invalid(reason, field)?;
    }
    Ok(())
}

/// A spec with a template of Pods that restart so, and what else it has.
pub(super) fn with_template(more: Value, restart: &str) -> Value {
    let template = json!({
        "metadata": {"labels": {"a": "b"}},
        "spec": {"restartPolicy": restart, "containers": [{"name": "a", "image": "b"}]},
    });
    extended(json!({"template": template}), more)
}

pub(super) const DUPLICATE: &str = "FieldValueDuplicate";
pub(super) const INVALID: &str = "FieldValueInvalid";
pub(super) const REQUIRED: &str = "FieldValueRequired";
pub(super) const FORBIDDEN: &str = "FieldValueForbidden";
pub(super) const NOT_SUPPORTED: &str = "FieldValueNotSupported";

async fn services(site: Site) -> Outcome {
    let with = |more: Value| json!({"spec": extended(json!({"ports": [{"port": 80}]}), more)});
    let udp = |name: &str| json!({"name": name, "port": 53, "protocol": "UDP"});
    let bodies = [
        (with(json!({"ports": [udp("a"), udp("b")]})), DUPLICATE, "spec.ports[1]"),
        (with(json!({"ports": [{"name": "A", "port": 53}]})), INVALID, "spec.ports[0].name"),
        (
            with(json!({"ports": [{"port": 80, "targetPort": "toolongtoolongtoolong"}]})),
            INVALID,
            "spec.ports[0].targetPort",
        ),
        (with(json!({"ports": [{"port": 80, "appProtocol": "a b"}]})), INVALID, "spec.ports[0].appProtocol"),
        (with(json!({"type": "ExternalName", "externalName": "A_B"})), INVALID, "spec.externalName"),
        (
            with(json!({
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}},
            })),
            INVALID,
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
        ),
        (with(json!({"selector": {"a b": "c"}})), INVALID, "spec.selector"),
        (with(json!({"externalIPs": ["1.2"]})), INVALID, "spec.externalIPs[0]"),
        (with(json!({"loadBalancerSourceRanges": ["1.2.3.4"]})), FORBIDDEN, "spec.LoadBalancerSourceRanges"),
        (with(json!({"loadBalancerClass": "x"})), FORBIDDEN, "spec.loadBalancerClass"),
        (
            with(json!({"allocateLoadBalancerNodePorts": true})),
            FORBIDDEN,
            "spec.allocateLoadBalancerNodePorts",
        ),
        (with(json!({"externalTrafficPolicy": "Local"})), INVALID, "spec.externalTrafficPolicy"),
        (with(json!({"internalTrafficPolicy": "X"})), NOT_SUPPORTED, "spec.internalTrafficPolicy"),
        (with(json!({"trafficDistribution": "X"})), NOT_SUPPORTED, "spec.trafficDistribution"),
        (with(json!({"healthCheckNodePort": 30080})), INVALID, "spec.healthCheckNodePort"),
        (with(json!({"ipFamilies": ["X"]})), NOT_SUPPORTED, "spec.ipFamilies[0]"),
    ];
    refuse(&site, "services", &bodies).await?;
    Ok(())
}

async fn secrets(site: Site) -> Outcome {
    let of = |kind: &str| json!({"type": kind});
    let bodies = [
        (of("kubernetes.io/tls"), REQUIRED, "data[tls.crt]"),
        (of("kubernetes.io/tls"), REQUIRED, "data[tls.key]"),
        (of("kubernetes.io/dockerconfigjson"), REQUIRED, "data[.dockerconfigjson]"),
        (of("kubernetes.io/dockercfg"), REQUIRED, "data[.dockercfg]"),
        (of("kubernetes.io/basic-auth"), REQUIRED, "data[password]"),
        (of("kubernetes.io/ssh-auth"), REQUIRED, "data[ssh-privatekey]"),
        (
            of("kubernetes.io/service-account-token"),
            REQUIRED,
            "metadata.annotations[kubernetes.io/service-account.name]",
        ),
        (
            json!({"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "YQ=="}}),
            INVALID,
            "data[.dockerconfigjson]",
        ),
        (
            json!({"type": "kubernetes.io/ssh-auth", "data": {"ssh-privatekey": ""}}),
            REQUIRED,
            "data[ssh-privatekey]",
        ),
        (json!({"stringData": {"..": "a"}}), INVALID, "data[..]"),
        (json!({"metadata": {"generateName": "x."}}), INVALID, "metadata.generateName"),
    ];
    refuse(&site, "secrets", &bodies).await?;
    site.create("secrets", json!({"metadata": {"name": "b"}, "type": ""})).await?.is("/type", "Opaque")?;
    let user = json!({"username": "YQ=="});
    let named = json!({"metadata": {"name": "c"}, "type": "kubernetes.io/basic-auth", "data": user});
    site.create("secrets", named).await?;
    Ok(())
}

async fn jobs(site: Site) -> Outcome {
    let job = |more: Value| json!({"spec": with_template(more, "Never")});
    let bodies = [
        (job(json!({"completionMode": "X"})), NOT_SUPPORTED, "spec.completionMode"),
        (job(json!({"selector": {"matchLabels": {"a": "b"}}})), INVALID, "spec.selector"),
        (
            job(json!({"manualSelector": true, "selector": {"matchLabels": {"x": "y"}}})),
            INVALID,
            "spec.template.metadata.labels",
        ),
        (job(json!({"podReplacementPolicy": "X"})), NOT_SUPPORTED, "spec.podReplacementPolicy"),
        (job(json!({"backoffLimitPerIndex": 1})), INVALID, "spec.backoffLimitPerIndex"),
        (job(json!({"maxFailedIndexes": 1})), REQUIRED, "spec.backoffLimitPerIndex"),
    ];
    refuse(&site, "batch/v1/jobs", &bodies).await?;
    let labelled = |key: &str| {
        let mut body = job(json!({}));
        body["spec"]["template"]["metadata"]["labels"][key] = json!("x");
        body
    };
    for key in
        ["job-name", "batch.kubernetes.io/job-name", "controller-uid", "batch.kubernetes.io/controller-uid"]
    {
        let field = format!("spec.template.metadata.labels[{key}]");
        refuse(&site, "batch/v1/jobs", &[(labelled(key), INVALID, &field)]).await?;
    }
    let other = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "x"}});
    refuse(&site, "batch/v1/jobs", &[(job(json!({"selector": other})), INVALID, "spec.selector")]).await?;
    let mut own = job(json!({"selector": {"matchLabels": {"job-name": "a"}}}));
    own["metadata"] = json!({"name": "a"});
    let own = site.post("batch/v1/jobs?dryRun=All", own).await?.code(201)?;
    own.is("/spec/selector/matchLabels/job-name", "a")?;
    Ok(())
}

async fn cron_jobs(site: Site) -> Outcome {
    let cron = |schedule: &str, more: Value| {
        let job = json!({"spec": with_template(json!({}), "Never")});
        let spec = extended(json!({"schedule": schedule, "jobTemplate": job}), more);
        json!({"metadata": {"name": "a"}, "spec": spec})
    };
    let with_job = |more: Value| {
        let job = json!({"spec": with_template(more, "Never")});
        cron("* * * * *", json!({"jobTemplate": job}))
    };
    let path = "batch/v1/cronjobs?dryRun=All";
    for schedule in ["@daily", "@every 1h", "* * ? * *", "* * * JAN MON-FRI", "*/5 0-6/2 1,15 * 0"] {
        site.post(path, cron(schedule, json!({}))).await?.code(201)?;
    }
    for (schedule, because) in [
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("@x", "unrecognized descriptor: @x"),
        ("TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    ] {
        site.post(path, cron(schedule, json!({})))
            .await?
            .invalid(INVALID, "spec.schedule")?
            .mentions("/message", because)?;
    }
    for zone in ["", "Local", "local", "bad-timezone", "../etc", " UTC"] {
        site.post(path, cron("* * * * *", json!({"timeZone": zone})))
            .await?
            .invalid(INVALID, "spec.timeZone")?;
    }
    site.post(path, cron("* * * * *", json!({"timeZone": "UTC"}))).await?.code(201)?;
    let bodies = [
        (cron("* * * * *", json!({"startingDeadlineSeconds": -1})), INVALID, "spec.startingDeadlineSeconds"),
        (cron("* * * * *", json!({"failedJobsHistoryLimit": -1})), INVALID, "spec.failedJobsHistoryLimit"),
        (
            with_job(json!({"selector": {"matchLabels": {"a": "b"}}})),
            INVALID,
            "spec.jobTemplate.spec.selector",
        ),
        (with_job(json!({"manualSelector": true})), NOT_SUPPORTED, "spec.jobTemplate.spec.manualSelector"),
    ];
    refuse(&site, "batch/v1/cronjobs", &bodies).await?;
    Ok(())
}

async fn workloads(site: Site) -> Outcome {
    let workload = |more: Value| {
        let mut spec = with_template(more, "Always");
        if spec["selector"].is_null() {
            spec["selector"] = json!({"matchLabels": {"a": "b"}});
        }
        json!({"spec": spec})
    };
    let rolling = |rolling: Value| workload(json!({"strategy": {"rollingUpdate": rolling}}));
    let bodies = [
        (workload(json!({"minReadySeconds": -1})), INVALID, "spec.minReadySeconds"),
        (workload(json!({"revisionHistoryLimit": -1})), INVALID, "spec.revisionHistoryLimit"),
        (rolling(json!({"maxUnavailable": "101%"})), INVALID, "spec.strategy.rollingUpdate.maxUnavailable"),
        (rolling(json!({"maxSurge": "x"})), INVALID, "spec.strategy.rollingUpdate.maxSurge"),
        (rolling(json!({"maxSurge": -1})), INVALID, "spec.strategy.rollingUpdate.maxSurge"),
        (
            workload(json!({"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}})),
            REQUIRED,
            "spec.selector.matchExpressions[0].values",
        ),
        (
            json!({"spec": with_template(json!({"selector": {"matchLabels": {"a": "b"}}}), "Never")}),
            NOT_SUPPORTED,
            "spec.template.spec.restartPolicy",
        ),
    ];
    refuse(&site, "apps/v1/deployments", &bodies).await?;
    let bodies = [
        (workload(json!({"updateStrategy": {"type": "X"}})), INVALID, "spec.updateStrategy"),
        (
            workload(json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}})),
            INVALID,
            "spec.updateStrategy.rollingUpdate",
        ),
        (
            workload(json!({"updateStrategy": {"rollingUpdate": {"partition": -1}}})),
            INVALID,
            "spec.updateStrategy.rollingUpdate.partition",
        ),
        (workload(json!({"minReadySeconds": -1})), INVALID, "spec.minReadySeconds"),
        (workload(json!({"ordinals": {"start": -1}})), INVALID, "spec.ordinals.start"),
        (
            workload(json!({"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "X"}})),
            NOT_SUPPORTED,
            "spec.persistentVolumeClaimRetentionPolicy.whenDeleted",
        ),
        (workload(json!({"serviceName": "a b"})), INVALID, "spec.serviceName"),
    ];
    refuse(&site, "apps/v1/statefulsets", &bodies).await?;
    Ok(())
}

async fn names_within_sets(site: Site) -> Outcome {
    let mut spec = with_template(json!({"selector": {"matchLabels": {"a": "b"}}}), "Always");
    spec["template"]["spec"]["hostname"] = json!("Not A Name");
    spec["template"]["spec"]["subdomain"] = json!("Not A Name");
    let body = json!({"metadata": {"name": "a"}, "spec": spec});
    let set = site.post("apps/v1/statefulsets?dryRun=All", body.clone()).await?.code(201)?;
    set.is("/spec/template/spec/hostname", "Not A Name")?;
    let refused = site.post("apps/v1/deployments?dryRun=All", body).await?;
    refused
        .invalid(INVALID, "spec.template.spec.hostname")?
        .cause(INVALID, "spec.template.spec.subdomain")?;
    Ok(())
}

async fn claims_and_budgets(site: Site) -> Outcome {
    let claim = |storage: &str, more: Value| {
        let resources = json!({"requests": {"storage": storage}});
        json!({"spec": extended(json!({"accessModes": ["ReadWriteOnce"], "resources": resources}), more)})
    };
    let bodies = [
        (claim("0", json!({})), INVALID, "spec.resources[storage]"),
        (claim("-1", json!({})), INVALID, "spec.resources[storage]"),
        (
            claim("1", json!({"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]})),
            FORBIDDEN,
            "spec.accessModes",
        ),
        (claim("1", json!({"volumeMode": "X"})), NOT_SUPPORTED, "spec.volumeMode"),
        (claim("1", json!({"storageClassName": "A B"})), INVALID, "spec.storageClassName"),
        (
            claim("1", json!({"selector": {"matchExpressions": [{"key": "a", "operator": "X"}]}})),
            INVALID,
            "spec.selector.matchExpressions[0].operator",
        ),
    ];
    refuse(&site, "persistentvolumeclaims", &bodies).await?;
    let source = |name: &str| json!({"kind": "PersistentVolumeClaim", "name": name});
    let sources = claim("1", json!({"dataSource": source("a"), "dataSourceRef": source("b")}));
    refuse(&site, "persistentvolumeclaims", &[(sources, INVALID, "spec")]).await?;
    let bodies = [
        (json!({"spec": {"minAvailable": -1}}), INVALID, "spec.minAvailable"),
        (json!({"spec": {"minAvailable": "101%"}}), INVALID, "spec.minAvailable"),
        (json!({"spec": {"maxUnavailable": "x"}}), INVALID, "spec.maxUnavailable"),
        (json!({"spec": {"selector": {"matchLabels": {"a b": "c"}}}}), INVALID, "spec.selector.matchLabels"),
        (
            json!({"spec": {"unhealthyPodEvictionPolicy": "X"}}),
            NOT_SUPPORTED,
            "spec.unhealthyPodEvictionPolicy",
        ),
    ];
    refuse(&site, "policy/v1/poddisruptionbudgets", &bodies).await?;
    Ok(())
}
