//! Validation of Jobs, workloads, Pods, definitions, Nodes and Events.

use super::refusals::{DUPLICATE, FORBIDDEN, INVALID, NOT_SUPPORTED, REQUIRED, refuse, with_template};
use crate::case::{Case, Outcome, case};
use crate::objects::extended;
use crate::site::{STRATEGIC, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(sources_of_projected_volumes)
            .rule("A source of a projected volume has one type at most, and no two files have one path.")
            .source("kubernetes/pkg/apis/core/validation: validateProjectionSources"),
        case(policies_of_jobs)
            .rule("Jobs: policies for failure and success, their controller, and what indexed Jobs need.")
            .source("kubernetes/pkg/apis/batch/validation: ValidateJob"),
        case(claims_of_stateful_sets)
            .rule("The claims that a StatefulSet makes for its Pods are valid claims.")
            .source("kubernetes/pkg/apis/apps/validation: ValidateStatefulSetSpec"),
        case(devices_priority_and_overhead)
            .rule("Pods: claims of devices, and what admission refuses of a valid Pod.")
            .source(
                "kubernetes/pkg/apis/core/validation: validatePodResourceClaims; plugin/pkg/admission: \
                 priority, runtimeclass",
            ),
        case(ephemeral_containers)
            .rule("Ephemeral containers are validated beside the Pod's others.")
            .source("kubernetes/pkg/apis/core/validation: ValidatePodEphemeralContainersUpdate"),
        case(rolling_daemon_sets)
            .rule("Rolling updates of DaemonSets replace Pods either after others are gone or before.")
            .source("kubernetes/pkg/apis/apps/validation: ValidateRollingUpdateDaemonSet"),
        case(definitions)
            .rule(
                "Definitions: warnings of versions that are not deprecated, and review versions without a \
                 webhook.",
            )
            .source(
                "apiextensions-apiserver/pkg/apis/apiextensions/validation: \
                 validateCustomResourceDefinitionSpec",
            ),
        case(nodes)
            .rule("Nodes: taints, amounts and address ranges.")
            .source("kubernetes/pkg/apis/core/validation: ValidateNode"),
        case(events)
            .rule("Events of the newer group name who reports what, and why.")
            .source("kubernetes/pkg/apis/core/validation: ValidateEventCreate"),
    ]
}

async fn sources_of_projected_volumes(site: Site) -> Outcome {
    let item = json!({"items": [{"key": "a", "path": "x"}], "name": "s"});
    let with = |sources: Value| {
        let volumes = json!([{"name": "v", "projected": {"sources": sources}}]);
        json!({"spec": {"containers": [{"name": "a", "image": "b"}], "volumes": volumes}})
    };
    let bodies = [
        (
            with(json!([{"secret": item, "configMap": {"name": "c"}}])),
            FORBIDDEN,
            "spec.volumes[0].projected.sources[0]",
        ),
        (with(json!([{"secret": item}, {"configMap": item}])), INVALID, "spec.volumes[0].projected"),
    ];
    refuse(&site, "pods", &bodies).await
}

async fn policies_of_jobs(site: Site) -> Outcome {
    let job = |more: Value| json!({"spec": with_template(more, "Never")});
    let failure = |rule: Value| job(json!({"podFailurePolicy": {"rules": [rule]}}));
    let codes = |codes: Value| failure(json!({"action": "FailJob", "onExitCodes": codes}));
    let success = |rule: Value| {
        job(json!({"completionMode": "Indexed", "completions": 3, "successPolicy": {"rules": [rule]}}))
    };
    let bodies = [
        (
            codes(json!({"operator": "In", "values": [0]})),
            INVALID,
            "spec.podFailurePolicy.rules[0].onExitCodes.values[0]",
        ),
        (
            codes(json!({"operator": "In", "values": [2, 1]})),
            INVALID,
            "spec.podFailurePolicy.rules[0].onExitCodes.values",
        ),
        (
            codes(json!({"operator": "In", "values": [1, 1]})),
            DUPLICATE,
            "spec.podFailurePolicy.rules[0].onExitCodes.values[1]",
        ),
        (
            codes(json!({"operator": "X", "values": [1]})),
            NOT_SUPPORTED,
            "spec.podFailurePolicy.rules[0].onExitCodes.operator",
        ),
        (
            codes(json!({"operator": "In", "values": [1], "containerName": "z"})),
            INVALID,
            "spec.podFailurePolicy.rules[0].onExitCodes.containerName",
        ),
        (
            failure(json!({"action": "X", "onExitCodes": {"operator": "In", "values": [1]}})),
            NOT_SUPPORTED,
            "spec.podFailurePolicy.rules[0].action",
        ),
        (failure(json!({"action": "Ignore"})), INVALID, "spec.podFailurePolicy.rules[0]"),
        (job(json!({"successPolicy": {"rules": [{"succeededCount": 1}]}})), INVALID, "spec.successPolicy"),
        (success(json!({})), REQUIRED, "spec.successPolicy.rules[0]"),
        (success(json!({"succeededCount": 4})), INVALID, "spec.successPolicy.rules[0].succeededCount"),
        (
            success(json!({"succeededIndexes": "2-1"})),
            INVALID,
            "spec.successPolicy.rules[0].succeededIndexes",
        ),
        (job(json!({"managedBy": "a"})), INVALID, "spec.managedBy"),
        (job(json!({"completionMode": "Indexed", "parallelism": 2})), REQUIRED, "spec.completions"),
        (job(json!({"backoffLimitPerIndex": 1})), INVALID, "spec.backoffLimitPerIndex"),
    ];
    refuse(&site, "batch/v1/jobs", &bodies).await?;
    Ok(())
}

async fn claims_of_stateful_sets(site: Site) -> Outcome {
    let set = |claim: Value| {
        let spec = json!({"selector": {"matchLabels": {"a": "b"}}, "volumeClaimTemplates": [claim]});
        json!({"spec": with_template(spec, "Always")})
    };
    let claim = |name: &str, storage: &str| {
        json!({
            "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}},
        })
    };
    let bodies = [
        (set(claim("A_b", "1Gi")), INVALID, "spec.template.spec.volumes[0].name"),
        (set(claim("data", "0")), INVALID, "spec.volumeClaimTemplates[0].spec.resources[storage]"),
        (
            set(json!({"metadata": {"name": "data"}, "spec": {}})),
            REQUIRED,
            "spec.volumeClaimTemplates[0].spec.accessModes",
        ),
    ];
    refuse(&site, "apps/v1/statefulsets", &bodies).await?;
    Ok(())
}

async fn devices_priority_and_overhead(site: Site) -> Outcome {
    let pod = |more: Value| {
        let spec = json!({"containers": [{"name": "a", "image": "b"}]});
        json!({"metadata": {"name": "a"}, "spec": extended(spec, more)})
    };
    let bodies = [
        (pod(json!({"resourceClaims": [{"name": "a"}]})), INVALID, "spec.resourceClaims[0]"),
        (
            pod(json!({"resourceClaims": [{"name": "A", "resourceClaimName": "c"}]})),
            INVALID,
            "spec.resourceClaims[0].name",
        ),
        (
            pod(json!({"resourceClaims": [{
                "name": "a",
                "resourceClaimName": "c",
                "resourceClaimTemplateName": "t",
            }]})),
            INVALID,
            "spec.resourceClaims[0]",
        ),
    ];
    refuse(&site, "pods", &bodies).await?;
    for more in
        [json!({"overhead": {"cpu": "1"}}), json!({"priority": 5}), json!({"preemptionPolicy": "Never"})]
    {
        site.post("pods?dryRun=All", pod(more)).await?.refused(403, "Forbidden")?;
    }
    Ok(())
}

async fn ephemeral_containers(site: Site) -> Outcome {
    let name = site.unique("debugged");
    let pod = json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "b"}]}});
    site.post("pods", pod).await?.code(201)?;
    let path = site.path(&format!("pods/{name}"));
    site.leave(&path).await;
    for (container, reason, field) in [
        (json!({"name": "debug"}), REQUIRED, "spec.ephemeralContainers[0].image"),
        (json!({"name": "main", "image": "i"}), DUPLICATE, "spec.ephemeralContainers[0].name"),
    ] {
        let change = json!({"spec": {"ephemeralContainers": [container]}});
        let patched = site.patch(STRATEGIC, &format!("{path}/ephemeralcontainers"), change).await?;
        patched.invalid(reason, field)?;
    }
    Ok(())
}

async fn rolling_daemon_sets(site: Site) -> Outcome {
    let set = |rolling: Value| {
        let spec = json!({
            "selector": {"matchLabels": {"a": "b"}},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        });
        json!({"spec": with_template(spec, "Always")})
    };
    let bodies = [
        (
            set(json!({"maxSurge": 1, "maxUnavailable": 1})),
            INVALID,
            "spec.updateStrategy.rollingUpdate.maxSurge",
        ),
        (set(json!({"maxUnavailable": 0})), REQUIRED, "spec.updateStrategy.rollingUpdate.maxUnavailable"),
        (set(json!({"maxUnavailable": "150%"})), INVALID, "spec.updateStrategy.rollingUpdate.maxUnavailable"),
    ];
    refuse(&site, "apps/v1/daemonsets", &bodies).await?;
    Ok(())
}

async fn definitions(site: Site) -> Outcome {
    let definition = |version: Value, conversion: Value| {
        let schema = json!({"openAPIV3Schema": {"type": "object"}});
        let v1 = json!({"name": "v1", "served": true, "storage": true, "schema": schema});
        json!({"metadata": {"name": "as.b.example"}, "spec": {
            "group": "b.example", "scope": "Cluster", "names": {"plural": "as", "kind": "A"},
            "versions": [extended(v1, version)], "conversion": conversion,
        }})
    };
    let none = json!({"strategy": "None"});
    let reviewed = json!({"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}});
    let bodies = [
        (
            definition(json!({"deprecationWarning": "old"}), none.clone()),
            INVALID,
            "spec.versions[0].deprecationWarning",
        ),
        (definition(json!({"name": "V1"}), none), INVALID, "spec.version"),
        (definition(json!({}), reviewed), FORBIDDEN, "spec.conversion.conversionReviewVersions"),
    ];
    refuse(&site, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &bodies).await?;
    Ok(())
}

async fn nodes(site: Site) -> Outcome {
    let taint = |key: &str, effect: &str| json!({"key": key, "effect": effect});
    let bodies = [
        (json!({"spec": {"taints": [taint("a b", "NoSchedule")]}}), INVALID, "metadata.taints[0].key"),
        (json!({"spec": {"taints": [taint("a", "X")]}}), NOT_SUPPORTED, "metadata.taints[0].effect"),
        (
            json!({"spec": {"taints": [taint("a", "NoSchedule"), taint("a", "NoSchedule")]}}),
            DUPLICATE,
            "metadata.taints[1]",
        ),
        (json!({"spec": {"podCIDRs": ["1.2.3.4/8", "1.2.3.4/8", "::/8"]}}), INVALID, "spec.podCIDRs"),
        (json!({"spec": {"podCIDRs": ["1.2.3.4/33"]}}), INVALID, "spec.podCIDRs[0]"),
    ];
    refuse(&site, "/api/v1/nodes", &bodies).await?;
    Ok(())
}

async fn events(site: Site) -> Outcome {
    let event = |more: Value| {
        let event = json!({
            "metadata": {"name": "a"}, "eventTime": "2020-01-02T03:04:05.000000Z", "type": "Normal",
            "reason": "R", "action": "A", "reportingController": "a.b/c", "reportingInstance": "i",
            "regarding": {"kind": "Pod", "name": "a", "namespace": site.namespace()},
        });
        extended(event, more)
    };
    let path = "events.k8s.io/v1/events?dryRun=All";
    site.post(path, event(json!({}))).await?.code(201)?;
    for (more, reason, field) in [
        (json!({"eventTime": null}), REQUIRED, "eventTime"),
        (json!({"reason": ""}), REQUIRED, "reason"),
        (json!({"action": ""}), REQUIRED, "action"),
        (json!({"reportingController": ""}), REQUIRED, "reportingController"),
        (json!({"reportingInstance": ""}), REQUIRED, "reportingInstance"),
        (json!({"type": "X"}), INVALID, "type"),
    ] {
        site.post(path, event(more)).await?.invalid(reason, field)?;
    }
    Ok(())
}
